"""The access log: who signed in, failed, was locked out, listened, changed the plan. Rows are added, never
changed."""

from __future__ import annotations

import enum
import logging
from datetime import UTC, datetime

from store import AccessEntry, Store, StoreUnavailable

log = logging.getLogger(__name__)

_DETAIL_MAX = 500


class Action(enum.StrEnum):
    """What is written down."""

    SIGN_IN = "sign_in"
    SIGN_IN_FAILED = "sign_in_failed"
    LOCKED_OUT = "locked_out"
    SIGN_OUT = "sign_out"
    PASSWORD_CHANGED = "password_changed"  # noqa: S105 - the name of an action
    REPLAY = "replay"
    STATE_SET = "state_set"
    CALL_CONTROL = "call_control"
    CALL_MOVE = "call_move"
    CALLBACK_DROP = "callback_drop"
    WRAP_UP_TIME = "wrap_up_time"  # somebody's wrap-up was made longer or shorter
    PHONE_SECRET = "phone_secret"  # noqa: S105
    PLAN_DRAFT = "plan_draft"  # began to change the plan, or threw the changes away
    PLAN_AUDIO = "plan_audio"
    PLAN_ACTIVATE = "plan_activate"
    PLAN_EVENTS = "plan_events"
    PLAN_OPENING = "plan_opening"
    PLAN_NOTICE = "plan_notice"
    SUPERVISE = "supervise"  # listened, whispered or joined
    TAKE_OVER = "take_over"
    CALL_PULL = "call_pull"
    CALL_MARK = "call_mark"  # emergency or harassment, set or taken back
    DIAL = "dial"
    DIRECTORY_IMPORT = "directory_import"
    DIRECTORY_EXPORT = "directory_export"
    DIRECTORY_EDIT = "directory_edit"  # one entry added, changed or taken out
    CASE_ADD = "case_add"
    CASE_DONE = "case_done"
    CASE_REOPEN = "case_reopen"
    WALL_LINK = "wall_link"
    ALARM_ACKNOWLEDGED = "alarm_acknowledged"
    RECORDING_HELD = "recording_held"


async def note(
    store: Store, action: Action, *, login: str | None, address: str | None, detail: str | None = None
) -> None:
    """Adds one row. Raises StoreUnavailable: what must be logged is not done when it cannot be."""
    async with store.session() as session:
        session.add(row(action, login=login, address=address, detail=detail))


def row(action: Action, *, login: str | None, address: str | None, detail: str | None = None) -> AccessEntry:
    """A row that is written in the transaction of what it tells of."""
    return AccessEntry(
        at=datetime.now(UTC),
        login=_clean(login),
        address=address,
        action=action.value,
        detail=_clean(detail),
    )


async def note_if_possible(
    store: Store, action: Action, *, login: str | None, address: str | None, detail: str | None = None
) -> None:
    """Like `note`, for what must go on without a database (an operator's call): then the log file has it."""
    try:
        await note(store, action, login=login, address=address, detail=detail)
    except StoreUnavailable as error:
        log.warning("access log: %s by %s from %s not stored: %s", action, _clean(login), address, error)


def _clean(text: str | None) -> str | None:
    # A login typed by anybody goes here: no line breaks, no NUL (PostgreSQL refuses it), no novels.
    if text is None:
        return None
    return "".join(c if c.isprintable() else "?" for c in text[:_DETAIL_MAX])
