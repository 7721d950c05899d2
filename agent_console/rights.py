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
    CALLS_CONTROL = "calls.control"  # others' calls: holds, ends, moves to another queue; drops callbacks
    EVENNESS = "evenness"  # sees how evenly operators are served, each one's figures included
    STAFFING = "staffing"  # tries out how many operators are needed
    PHONE_SECRETS = "phone.secrets"  # what to type into a desk phone
    PLAN_READ = "plan.read"  # sees the plan and hears what callers hear
    PLAN_HISTORY = "plan.history"  # sees who changed what, and older versions
    PLAN_EDIT = "plan.edit"  # drafts, checks and activates; goes back to an older version
    PLAN_EVENTS = "plan.events"  # changes イベント開催情報 for the next call
    PLAN_SWITCH = "plan.switch"  # opens, closes, extends; puts notices in front
    SUPERVISE = "supervise"  # listens, whispers, joins, takes over; answers those who ask for help
    DIRECTORY_READ = "directory.read"  # 職員録
    DIRECTORY_EDIT = "directory.edit"  # exchanges it by CSV
    CASES = "cases"  # callbacks to make and cases that are open
    ALARMS = "alarms"  # sees and acknowledges alarms
    WALL = "wall"  # makes and revokes links to the wall screen


_TABLE: dict[Role, frozenset[Right]] = {
    Role.OPERATOR: frozenset(
        {
            Right.SEAT,
            Right.CALLS_OWN,
            Right.REPLAY_OWN,
            Right.CALLER_FULL,
            Right.DIRECTORY_READ,
            Right.CASES,
        }
    ),
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
            Right.EVENNESS,
            Right.STAFFING,
            Right.PLAN_READ,
            Right.PLAN_HISTORY,
            Right.PLAN_EVENTS,
            Right.PLAN_SWITCH,
            Right.SUPERVISE,
            Right.DIRECTORY_READ,
            Right.DIRECTORY_EDIT,
            Right.CASES,
            Right.ALARMS,
            Right.WALL,
        }
    ),
    # City staff see how the centre is doing (that calls are shared evenly stands in their contract), not who
    # called nor what was said.
    Role.STAFF: frozenset(
        {
            Right.BOARD,
            Right.CALLS_ALL,
            Right.EVENNESS,
            Right.STAFFING,
            Right.PLAN_READ,
            Right.DIRECTORY_READ,
        }
    ),
    # Administrators run the system; listening to citizens is not part of that.
    Role.ADMINISTRATOR: frozenset(
        {
            Right.BOARD,
            Right.CALLS_ALL,
            Right.OPERATORS_STATE,
            Right.PHONE_SECRETS,
            Right.EVENNESS,
            Right.STAFFING,
            Right.PLAN_READ,
            Right.PLAN_HISTORY,
            Right.PLAN_EDIT,
            Right.PLAN_EVENTS,
            Right.PLAN_SWITCH,
            Right.DIRECTORY_READ,
            Right.DIRECTORY_EDIT,
            Right.ALARMS,
            Right.WALL,
        }
    ),
    Role.AUDITOR: frozenset(
        {
            Right.BOARD,
            Right.CALLS_ALL,
            Right.REPLAY_ALL,
            Right.CALLER_FULL,
            Right.EVENNESS,
            Right.PLAN_READ,
            Right.PLAN_HISTORY,
        }
    ),
    Role.SYSTEM: frozenset(Right),
}


def rights_of(role: Role) -> frozenset[Right]:
    """The rights of a role."""
    return _TABLE[role]
