"""The seats: transfers and marks of calls, wrap-up form, directory, cases, alarms, wall screens.

Old records have null in the new columns."""

import sqlalchemy as sa
from alembic import op

from store.types import UtcDateTime, json_type

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_TEXT, _TIME, _WHOLE = sa.Text(), UtcDateTime(), sa.Integer()


def _columns(kind: object, names: str, *, nullable: bool = False) -> list[sa.Column[object]]:
    return [sa.Column(name, kind, nullable=nullable) for name in names.split()]  # type: ignore[arg-type]


def _id(table: str) -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("id", _WHOLE, nullable=False, autoincrement=True),
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
    ]


def upgrade() -> None:
    with op.batch_alter_table("call_records") as table:
        table.add_column(sa.Column("transfers", json_type()))
        table.add_column(sa.Column("hops", _WHOLE))
        table.add_column(sa.Column("marks", json_type()))
        table.add_column(sa.Column("case_id", _WHOLE))
    op.create_index(op.f("ix_call_records_caller_arrived_at"), "call_records", ["caller", "arrived_at"])
    with op.batch_alter_table("wrap_ups") as table:
        table.add_column(sa.Column("faq", json_type()))
        table.add_column(sa.Column("follow_up", _TEXT))
    with op.batch_alter_table("recordings") as table:
        table.add_column(sa.Column("held_at", _TIME))
        table.add_column(sa.Column("held_by", _TEXT))
        table.add_column(sa.Column("held_reason", _TEXT))
    op.create_table(
        "directory",
        *_id("directory"),
        sa.Column("place", _WHOLE, nullable=False),
        *_columns(_TEXT, "department section person reading duties extension direct hours note"),
    )
    op.create_index(op.f("ix_directory_department"), "directory", ["department"])
    op.create_table(
        "cases",
        *_id("cases"),
        *_columns(_TEXT, "kind state"),
        *_columns(_TEXT, "call caller number", nullable=True),
        *_columns(_TEXT, "subject note"),
        *_columns(_TEXT, "operator", nullable=True),
        *_columns(_TIME, "due_at", nullable=True),
        *_columns(_TIME, "created_at"),
        *_columns(_TEXT, "created_by"),
        *_columns(_TIME, "done_at", nullable=True),
        *_columns(_TEXT, "done_by done_call", nullable=True),
    )
    op.create_index(op.f("ix_cases_caller"), "cases", ["caller"])
    op.create_index(op.f("ix_cases_state_due_at"), "cases", ["state", "due_at"])
    op.create_index(op.f("ix_cases_call"), "cases", ["call"])
    op.create_table(
        "alarms",
        *_id("alarms"),
        *_columns(_TEXT, "kind subject value threshold"),
        *_columns(_TIME, "at"),
        *_columns(_TIME, "over_at acknowledged_at", nullable=True),
        *_columns(_TEXT, "acknowledged_by", nullable=True),
        *_columns(_TIME, "mailed_at", nullable=True),
        *_columns(_TEXT, "mail_problem", nullable=True),
    )
    op.create_index(op.f("ix_alarms_at"), "alarms", ["at"])
    op.create_index(op.f("ix_alarms_over_at"), "alarms", ["over_at"])
    op.create_table(
        "wall_links",
        *_id("wall_links"),
        *_columns(_TEXT, "token_hash name"),
        *_columns(_TIME, "created_at"),
        *_columns(_TEXT, "created_by"),
        *_columns(_TIME, "last_used_at revoked_at", nullable=True),
        *_columns(_TEXT, "revoked_by", nullable=True),
        sa.UniqueConstraint("token_hash", name=op.f("uq_wall_links_token_hash")),
    )


def downgrade() -> None:
    for name in ("wall_links", "alarms", "cases", "directory"):
        op.drop_table(name)
    op.drop_index(op.f("ix_call_records_caller_arrived_at"), "call_records")
    columns = {
        "recordings": "held_at held_by held_reason",
        "wrap_ups": "faq follow_up",
        "call_records": "transfers hops marks case_id",
    }
    for name, dropped in columns.items():
        with op.batch_alter_table(name) as table:
            for column in dropped.split():
                table.drop_column(column)
