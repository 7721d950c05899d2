"""What people are changing in the plan."""

import sqlalchemy as sa
from alembic import op

from store.types import UtcDateTime

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "plan_drafts",
        sa.Column("login", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("based_on", sa.Integer()),
        sa.Column("updated_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("login", name=op.f("pk_plan_drafts")),
        sa.ForeignKeyConstraint(["based_on"], ["plan_versions.id"], name=op.f("fk_plan_drafts_based_on")),
    )


def downgrade() -> None:
    op.drop_table("plan_drafts")
