"""Who may do what: one small table, looked up everywhere, decided nowhere else."""

from __future__ import annotations

import enum


class Role(enum.StrEnum):
    """The roles of a site's users, and `system` for scripts that hold the API token."""

    OPERATOR = "operator"
    SUPERVISOR = "supervisor"
    STAFF = "staff"
    ADMINISTRATOR = "administrator"
    AUDITOR = "auditor"
    SYSTEM = "system"


class Right(enum.StrEnum):
    """One thing somebody may be allowed to do."""

    SEAT = "seat"  # sit at a seat: own state, own calls, own phone
    BOARD = "board"  # the live board with all operators and calls
    CALLS_OWN = "calls.own"
    CALLS_ALL = "calls.all"
    REPLAY_OWN = "replay.own"
    REPLAY_ALL = "replay.all"
    CALLER_FULL = "caller.full"  # sees whole telephone numbers; others see them masked
    OPERATORS_STATE = "operators.state"  # sets other operators' states
    CALLS_CONTROL = "calls.control"  # holds and ends other operators' calls
    PHONE_SECRETS = "phone.secrets"  # what to type into a desk phone


_TABLE: dict[Role, frozenset[Right]] = {
    Role.OPERATOR: frozenset({Right.SEAT, Right.CALLS_OWN, Right.REPLAY_OWN, Right.CALLER_FULL}),
    Role.SUPERVISOR: frozenset(
        {
            Right.SEAT,
            Right.BOARD,
            Right.CALLS_OWN,
            Right.CALLS_ALL,
            Right.REPLAY_OWN,
            Right.REPLAY_ALL,
            Right.CALLER_FULL,
            Right.OPERATORS_STATE,
            Right.CALLS_CONTROL,
        }
    ),
    # City staff see how the centre is doing, not who called nor what was said.
    Role.STAFF: frozenset({Right.BOARD, Right.CALLS_ALL}),
    # Administrators run the system; listening to citizens is not part of that.
    Role.ADMINISTRATOR: frozenset({Right.BOARD, Right.CALLS_ALL, Right.OPERATORS_STATE, Right.PHONE_SECRETS}),
    Role.AUDITOR: frozenset({Right.BOARD, Right.CALLS_ALL, Right.REPLAY_ALL, Right.CALLER_FULL}),
    Role.SYSTEM: frozenset(Right),
}


def rights_of(role: Role) -> frozenset[Right]:
    """The rights of a role."""
    return _TABLE[role]
