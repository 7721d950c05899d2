"""Operations on what is live: the state, operators' states, wrap-up, calls in progress, phones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from .. import audit
from ..audit import Action
from ..live_state import shown
from ..problems import problem
from ..rights import Right
from .distribution_models import WrapUpTime
from .models import (
    CallAction,
    Done,
    Live,
    LiveCall,
    LiveOperator,
    Me,
    PhoneSetup,
    StateChange,
    WrapUpDone,
)
from .registry import ApiCall
from .seat_history import follow_up


async def live(call: ApiCall) -> Live:
    """The whole live state."""
    link = call.console.link
    return Live(
        at=datetime.now(UTC),
        engine="connected" if link.connected else "away",
        switch={"connected": link.state.switch_connected},
        operators=[LiveOperator.model_validate(o) for o in link.state.operators.values()],
        calls=[
            LiveCall.model_validate(shown(c, call.session.rights, call.console.groups))
            for c in link.state.calls.values()
        ],
    )


async def set_state(call: ApiCall) -> Done:
    """Sets an operator's state: one's own with a seat, anybody's with the right."""
    operator = operator_of(call)
    wanted = call.body_as(StateChange)
    fields: dict[str, Any] = {"reason": wanted.reason} if wanted.reason else {}
    if operator != call.session.account.operator:
        fields["by"] = call.session.account.login
    await call.console.link.command("operator.state", operator=operator, state=wanted.state, **fields)
    if "by" in fields:
        await note_done(call, Action.STATE_SET, f"{operator} {wanted.state}")
    return Done()


async def wrap_up(call: ApiCall) -> Done:
    """Saves an operator's wrap-up and ends it."""
    operator = operator_of(call)
    done = call.body_as(WrapUpDone)
    fields = {k: v for k, v in done.model_dump(exclude={"follow_up"}).items() if v is not None}
    if done.follow_up is not None:
        # First: what cannot be promised is not noted, and the form stays as it is.
        await follow_up(call, operator, done)
        fields["follow_up"] = done.follow_up.kind
    await call.console.link.command("operator.wrapped_up", operator=operator, by="operator", **fields)
    return Done()


async def wrap_up_time(call: ApiCall) -> Done:
    """Makes the running wrap-up longer or shorter."""
    operator = operator_of(call)
    seconds = call.body_as(WrapUpTime).seconds
    by = call.session.account.login
    await call.console.link.command("operator.wrap_up", operator=operator, seconds=seconds, by=by)
    await note_done(call, Action.WRAP_UP_TIME, f"{operator} {seconds} s")
    return Done()


async def refuse(call: ApiCall) -> Done:
    """Refuses the offer that rings."""
    await call.console.link.command("operator.refuse", operator=operator_of(call))
    return Done()


async def phone(call: ApiCall) -> PhoneSetup:
    """What to type into an operator's desk phone."""
    operator = call.path("operator")
    settings = call.console.settings
    secret = _secret(call, operator, operator)
    # The secret leaves the house only if that is on record.
    await audit.note(
        call.console.store,
        Action.PHONE_SECRET,
        login=call.session.account.login,
        address=call.request.remote,
        detail=operator,
    )
    return PhoneSetup(
        operator=operator,
        user=operator,
        secret=secret,
        domain=settings.sip_domain,
        registrar=settings.sip_host,
        port=settings.sip_port,
    )


async def own_phone(call: ApiCall) -> PhoneSetup:
    """The browser phone of whoever is signed in."""
    operator = call.session.account.operator
    if operator is None:
        raise problem(404, "unknown_operator", "seat.no_operator")
    user = f"{operator}-web"
    return PhoneSetup(
        operator=operator,
        user=user,
        secret=_secret(call, operator, user),
        domain=call.console.settings.sip_domain,
    )


async def hold(call: ApiCall) -> Done:
    return await _act(call, "call.hold")


async def resume(call: ApiCall) -> Done:
    return await _act(call, "call.resume")


async def hangup(call: ApiCall) -> Done:
    return await _act(call, "call.hangup")


async def me(call: ApiCall) -> Me:
    """Who is signed in, and what they may do."""
    account = call.session.account
    return Me(
        login=account.login,
        name=account.name,
        role=account.role.value,
        operator=account.operator,
        rights=sorted(call.session.rights),
        expires_at=call.session.expires_at,
    )


async def _act(call: ApiCall, do: str) -> Done:
    await act(call, do)
    return Done()


async def act(call: ApiCall, do: str, *, within_s: float | None = None, **fields: Any) -> dict[str, Any]:
    """A command on a call in progress, by whoever is in it, or for them by those who may; the engine's
    result. The body is a CallAction."""
    call_id = call.path("call")
    assert isinstance(call.body, CallAction)  # noqa: S101 - the table promises it
    own = call.session.account.operator
    operator = call.body.operator or own
    entity = call.console.link.state.calls.get(call_id)
    if operator is None and entity is not None:
        operator = entity.get("operator")
    if operator is None:
        raise problem(404, "unknown_call", "problem.no_call", id=call_id)
    if operator != own or not call.session.may(Right.SEAT):
        need(call, Right.CALLS_CONTROL)
    result = await call.console.link.command(do, within_s, call=call_id, operator=operator, **fields)
    if operator != own:
        await note_done(call, Action.CALL_CONTROL, f"{do} {call_id}")
    return result


def operator_of(call: ApiCall) -> str:
    """The operator of the path, if the caller may act for them."""
    operator = call.path("operator")
    if operator != call.session.account.operator or not call.session.may(Right.SEAT):
        need(call, Right.OPERATORS_STATE)
    return operator


def need(call: ApiCall, right: Right) -> None:
    """Raises Problem (403) where the caller does not hold the right."""
    if not call.session.may(right):
        raise problem(403, "right", "problem.right", right=right.value)


def _secret(call: ApiCall, operator: str, endpoint: str) -> str:
    if not any(o.id == operator for o in call.console.site.operators):
        raise problem(404, "unknown_operator", "problem.no_operator", id=operator)
    secret = call.console.keys.sip.get(endpoint)
    if secret is None:
        raise problem(503, "no_secret", "problem.no_secret", id=operator)
    return secret


async def note_done(call: ApiCall, action: Action, detail: str) -> None:
    """Writes what was done into the access log; with the database away, into the log file."""
    await audit.note_if_possible(
        call.console.store,
        action,
        login=call.session.account.login,
        address=call.request.remote,
        detail=detail,
    )
