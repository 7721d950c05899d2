"""Who was given how much: each operator's part in each call, and what the operators did when.

Filled from what is there: an old call's talk goes to whoever answered it first (`cdr.recompute` tells them
apart), an old state has no tally. Old records have null in the new columns."""

import sqlalchemy as sa
from alembic import op

from store.types import UtcDateTime, json_type

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TEXT, _TIME, _SECONDS = sa.Text(), UtcDateTime(), sa.Float(53)


def upgrade() -> None:
    with op.batch_alter_table("call_records") as table:
        table.add_column(sa.Column("answered_queue", _TEXT))
        table.add_column(sa.Column("callback_of", _TEXT))
        table.create_index(op.f("ix_call_records_callback_of"), ["callback_of"])
    op.create_table(
        "talks",
        sa.Column("call", _TEXT, nullable=False),
        sa.Column("place", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("operator", _TEXT, nullable=False),
        sa.Column("queue", _TEXT),
        sa.Column("arrived_at", _TIME, nullable=False),
        sa.Column("answered_at", _TIME, nullable=False),
        sa.Column("offered", sa.Boolean(), nullable=False),
        sa.Column("talk_s", _SECONDS),
        sa.Column("hold_s", _SECONDS),
        sa.Column("wrap_up_s", _SECONDS),
        sa.PrimaryKeyConstraint("call", "place", name=op.f("pk_talks")),
    )
    op.create_table(
        "operator_states",
        sa.Column("id", _TEXT, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("operator", _TEXT, nullable=False),
        sa.Column("state", _TEXT),
        sa.Column("reachable", sa.Boolean()),
        sa.Column("at_work", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_operator_states")),
    )
    # By `op.execute`, not row by row: a year of a large centre has millions of states.
    op.execute(
        "INSERT INTO talks (call, place, operator, queue, arrived_at, answered_at, offered, talk_s, hold_s,"
        " wrap_up_s) SELECT call, 0, operator, queue, arrived_at, answered_at, offers > 0, talk_s, hold_s,"
        " wrap_up_s FROM call_records WHERE operator IS NOT NULL AND answered_at IS NOT NULL"
    )
    events = sa.table(
        "events", sa.column("id"), sa.column("at"), sa.column("kind"), sa.column("data", json_type())
    )
    names = ("id", "at", "operator", "state", "at_work")
    states = sa.table("operator_states", *map(sa.column, names))
    operator, state = events.c.data["operator"].as_string(), events.c.data["state"].as_string()
    at_work = state.in_(("ready", "wrap_up"))
    told = sa.select(events.c.id, events.c.at, operator, state, at_work).where(
        events.c.kind == "operator_state", operator.is_not(None), state.is_not(None)
    )
    op.execute(states.insert().from_select(names, told))
    op.create_index(op.f("ix_talks_arrived_at"), "talks", ["arrived_at"])
    op.create_index(op.f("ix_operator_states_operator_at"), "operator_states", ["operator", "at"])
    op.create_index(op.f("ix_operator_states_at_work_at"), "operator_states", ["at_work", "at"])


def downgrade() -> None:
    op.drop_table("operator_states")
    op.drop_table("talks")
    with op.batch_alter_table("call_records") as table:
        table.drop_index(op.f("ix_call_records_callback_of"))
        table.drop_column("callback_of")
        table.drop_column("answered_queue")
