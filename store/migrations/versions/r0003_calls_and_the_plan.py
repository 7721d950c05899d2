"""What a call record tells of the plan. Old records have null there: no plan led them, and they count as
before."""

import sqlalchemy as sa
from alembic import op

from store.types import UtcDateTime, json_type

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_TEXT, _TIME = sa.Text(), UtcDateTime()


def upgrade() -> None:
    with op.batch_alter_table("call_records") as table:
        table.add_column(sa.Column("plan", sa.Integer()))
        table.add_column(sa.Column("open", sa.Boolean()))
        table.add_column(sa.Column("staff", sa.Boolean()))
        table.add_column(sa.Column("language", _TEXT))
        table.add_column(sa.Column("path", json_type()))
        table.add_column(sa.Column("dialled", _TEXT))
        table.add_column(sa.Column("diverted_from", _TEXT))
        table.add_column(sa.Column("forward", _TEXT))
        table.add_column(sa.Column("forward_answered_at", _TIME))
        table.add_column(sa.Column("exit_step", _TEXT))


def downgrade() -> None:
    with op.batch_alter_table("call_records") as table:
        for name in (
            "exit_step",
            "forward_answered_at",
            "forward",
            "diverted_from",
            "dialled",
            "path",
            "language",
            "staff",
            "open",
            "plan",
        ):
            table.drop_column(name)
