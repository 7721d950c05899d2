"""The first tables: events, call records, recordings, users and their sign-ins, wrap-ups."""

import sqlalchemy as sa
from alembic import op

from store.types import UtcDateTime, json_type

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_TEXT, _TIME, _SECONDS = sa.Text(), UtcDateTime(), sa.Float(53)


def _table(name: str, primary_key: str, *columns: sa.Column[object], **more: sa.ForeignKeyConstraint) -> None:
    op.create_table(
        name, *columns, *more.values(), sa.PrimaryKeyConstraint(primary_key, name=op.f(f"pk_{name}"))
    )


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, list(columns))


def upgrade() -> None:
    _table(
        "events",
        "id",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("mono", _SECONDS),
        sa.Column("boot", _TEXT),
        sa.Column("call", _TEXT),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("data", json_type(), nullable=False),
    )
    _index("events", "call", "id")
    _index("events", "at")
    _table(
        "call_records",
        "call",
        sa.Column("call", _TEXT, nullable=False),
        sa.Column("number", _TEXT),
        sa.Column("caller", _TEXT),
        sa.Column("queue", _TEXT),
        sa.Column("via", _TEXT, nullable=False),
        sa.Column("arrived_at", _TIME, nullable=False),
        sa.Column("queued_at", _TIME),
        sa.Column("answered_at", _TIME),
        sa.Column("ended_at", _TIME),
        sa.Column("operator", _TEXT),
        sa.Column("operators", json_type(), nullable=False),
        sa.Column("offers", sa.Integer(), nullable=False),
        sa.Column("refusals", sa.Integer(), nullable=False),
        sa.Column("answer_s", _SECONDS),
        sa.Column("wait_s", _SECONDS),
        sa.Column("talk_s", _SECONDS),
        sa.Column("hold_s", _SECONDS),
        sa.Column("wrap_up_s", _SECONDS),
        sa.Column("total_s", _SECONDS),
        sa.Column("outcome", _TEXT, nullable=False),
        sa.Column("ended_by", _TEXT),
        sa.Column("cause", sa.Integer()),
        sa.Column("reason", _TEXT),
    )
    _index("call_records", "arrived_at")
    _index("call_records", "number", "arrived_at")
    _index("call_records", "operator", "arrived_at")
    _table(
        "recordings",
        "call",
        sa.Column("call", _TEXT, nullable=False),
        sa.Column("path", _TEXT, nullable=False),
        sa.Column("seconds", _SECONDS),
        sa.Column("sample_rate", sa.Integer()),
        sa.Column("bytes", sa.BigInteger()),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("problem", _TEXT),
        sa.Column("created_at", _TIME, nullable=False),
    )
    _index("recordings", "state")
    _index("recordings", "created_at")
    _table(
        "carried",
        "segment",
        sa.Column("segment", _TEXT, nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("events", sa.BigInteger(), nullable=False),
        sa.Column("corrupt", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
    )
    _table(
        "users",
        "login",
        sa.Column("login", _TEXT, nullable=False),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("role", _TEXT, nullable=False),
        sa.Column("operator", _TEXT),
        sa.Column("password_hash", _TEXT),
        sa.Column("failed_count", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("locked_until", _TIME),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
    )
    _table(
        "sessions",
        "token_hash",
        sa.Column("token_hash", _TEXT, nullable=False),
        sa.Column("login", _TEXT, nullable=False),
        sa.Column("csrf", _TEXT, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("last_seen_at", _TIME, nullable=False),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.Column("address", _TEXT),
        login=sa.ForeignKeyConstraint(
            ["login"], ["users.login"], name=op.f("fk_sessions_login"), ondelete="CASCADE"
        ),
    )
    _index("sessions", "login")
    _index("sessions", "expires_at")
    _table(
        "access_log",
        "id",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False, autoincrement=True
        ),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("login", _TEXT),
        sa.Column("address", _TEXT),
        sa.Column("action", _TEXT, nullable=False),
        sa.Column("detail", _TEXT),
    )
    _index("access_log", "at")
    _index("access_log", "login", "at")
    _table(
        "wrap_ups",
        "id",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("call", _TEXT, nullable=False),
        sa.Column("operator", _TEXT),
        sa.Column("result", _TEXT),
        sa.Column("category", _TEXT),
        sa.Column("note", _TEXT),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("by", _TEXT),
    )
    _index("wrap_ups", "call")
    _index("wrap_ups", "at")


def downgrade() -> None:
    for name in (
        "wrap_ups",
        "access_log",
        "sessions",
        "users",
        "carried",
        "recordings",
        "call_records",
        "events",
    ):
        op.drop_table(name)
