"""When and by whom a line of the directory was changed: by that a changed table is known."""

import sqlalchemy as sa
from alembic import op

from store.types import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("directory") as table:
        table.add_column(sa.Column("changed_at", UtcDateTime()))
        table.add_column(sa.Column("changed_by", sa.Text()))


def downgrade() -> None:
    with op.batch_alter_table("directory") as table:
        table.drop_column("changed_by")
        table.drop_column("changed_at")
