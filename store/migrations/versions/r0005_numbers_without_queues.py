"""Whether a queue can be reached from the number that was called. Old records have null there: they count as
before."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("call_records") as table:
        table.add_column(sa.Column("queues", sa.Boolean()))


def downgrade() -> None:
    with op.batch_alter_table("call_records") as table:
        table.drop_column("queues")
