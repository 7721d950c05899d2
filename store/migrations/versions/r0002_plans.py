"""The plan's versions and their activations."""

import sqlalchemy as sa
from alembic import op

from store.types import UtcDateTime

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_TEXT, _TIME = sa.Text(), UtcDateTime()


def upgrade() -> None:
    op.create_table(
        "plan_versions",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("text", _TEXT, nullable=False),
        sa.Column("author", _TEXT, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("comment", _TEXT, nullable=False),
        sa.Column("based_on", sa.Integer()),
        sa.Column("sha256", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_versions")),
        sa.ForeignKeyConstraint(["based_on"], ["plan_versions.id"], name=op.f("fk_plan_versions_based_on")),
    )
    op.create_table(
        "plan_activations",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("asked_by", _TEXT, nullable=False),
        sa.Column("asked_at", _TIME, nullable=False),
        sa.Column("confirmed_by", _TEXT),
        sa.Column("state", _TEXT, nullable=False),
        sa.Column("problem", _TEXT),
        sa.Column("done_at", _TIME),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_activations")),
        sa.ForeignKeyConstraint(["version"], ["plan_versions.id"], name=op.f("fk_plan_activations_version")),
    )
    op.create_index(op.f("ix_plan_activations_state"), "plan_activations", ["state"])


def downgrade() -> None:
    op.drop_table("plan_activations")
    op.drop_table("plan_versions")
