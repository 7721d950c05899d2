"""What an operator does at the seat: transfers, mute, digits, marks, calls out, help."""

from __future__ import annotations

import contextlib
from typing import Any

from dialplans import DialRefused, Site, classify
from store import StoreUnavailable

from ..audit import Action
from ..desk.hall import directory_of, open_now, words_of
from ..problems import problem
from ..rights import Right
from .live import act, need, note_done
from .models import Done
from .registry import ApiCall
from .seat_models import (
    Dial,
    Dialled,
    Dtmf,
    HelpAsk,
    HelpSay,
    Mark,
    TargetOperator,
    TargetQueue,
    Targets,
    TargetsQuery,
    TransferStart,
    TransferTarget,
)

RING_S = 20.0  # how long the engine may wait for a telephone to begin to ring
_SEPARATORS = str.maketrans("", "", "-() ")


# -- transfers


async def consult(call: ApiCall) -> Done:
    return await _transfer(call, "call.consult")


async def blind(call: ApiCall) -> Done:
    return await _transfer(call, "call.blind")


async def _transfer(call: ApiCall, do: str) -> Done:
    to = call.body_as(TransferStart).to
    await refuse_closed(call, to)
    await act(call, do, within_s=RING_S, to=_dialled(to))
    return Done()


async def refuse_closed(call: ApiCall, to: TransferTarget) -> None:
    """A department's telephone is reached in its hours only (XFR-3), also when its number was typed: what
    stands in the 職員録 under it decides. Raises Problem (409 `closed`) with the hours to tell.

    A number that several share is open while one of them is. Without the directory (the database has been
    away from the start) nobody is kept from a transfer.
    """
    if to.kind not in ("extension", "outside"):
        return
    try:
        hall = await directory_of(call.request)
    except StoreUnavailable:
        return
    entries = hall.reached_by(_whole(to, call.console.site))
    named = [entry for entry in entries if entry.id == to.entry]
    openings = [(entry, open_now(call.console, entry)) for entry in named or entries]
    if not openings or any(opening.is_open for _, opening in openings):
        return
    entry, opening = openings[0]
    words = words_of(opening, call.texts.language.value)
    raise problem(409, "closed", "problem.closed", name=entry.name, words=words)


def _whole(to: TransferTarget, site: Site) -> str:
    """The number as a directory writes it: with the area code that may be left out in dialling."""
    if to.kind == "outside":
        with contextlib.suppress(DialRefused):  # the engine says what is wrong with it
            return classify(to.number, site.dialling.area)[0]
    return to.number


def _dialled(to: TransferTarget) -> dict[str, Any]:
    """The target as the engine takes it: digits alone where it is a telephone."""
    told = to.model_dump(exclude_none=True)
    if to.entry is not None:
        told["entry"] = str(to.entry)
    if to.kind in ("extension", "outside"):
        told["number"] = to.number.translate(_SEPARATORS)
    return told


async def swap(call: ApiCall) -> Done:
    return await _done(call, "call.swap")


async def three_way(call: ApiCall) -> Done:
    return await _done(call, "call.three_way")


async def complete(call: ApiCall) -> Done:
    return await _done(call, "call.complete")


async def give_back(call: ApiCall) -> Done:
    """Back to the citizen; what rings or talks is let go."""
    return await _done(call, "call.return")


async def _done(call: ApiCall, do: str, **fields: Any) -> Done:
    await act(call, do, **fields)
    return Done()


async def targets(call: ApiCall) -> Targets:
    """Operators and queues that a call may be given to, as they are now."""
    wanted = call.query_as(TargetsQuery).q.strip().casefold()
    state, own = call.console.link.state, call.session.account.operator

    def fits(*words: str) -> bool:
        return all(any(part in word.casefold() for word in words) for part in wanted.split())

    waiting = [one.get("queue") for one in state.calls.values() if one.get("phase") in ("waiting", "ringing")]
    operators = [
        TargetOperator(
            id=one["id"],
            name=one["name"],
            state=one["state"],
            reachable=one["state"] == "ready" and one.get("phone") is not None,
        )
        for one in state.operators.values()
        if one["id"] != own and fits(one["id"], one["name"])
    ]
    queues = [
        TargetQueue(id=queue.id, name=queue.name, waiting=waiting.count(queue.id))
        for queue in call.console.site.queues
        if fits(queue.id, queue.name)
    ]
    return Targets(operators=operators, queues=queues)


# -- in the conversation


async def mute(call: ApiCall) -> Done:
    return await _done(call, "call.mute")


async def unmute(call: ApiCall) -> Done:
    return await _done(call, "call.unmute")


async def dtmf(call: ApiCall) -> Done:
    return await _done(call, "call.dtmf", digits=call.body_as(Dtmf).digits)


async def end_politely(call: ApiCall) -> Done:
    """The citizen hears the scripted words, then the line is closed."""
    return await _done(call, "call.end_politely")


async def mark(call: ApiCall) -> Done:
    """Marks a call, or takes the mark back: whoever is in it, or a supervisor."""
    wanted = call.body_as(Mark)
    call_id, own = call.path("call"), call.session.account.operator
    entity = call.console.link.state.calls.get(call_id)
    if entity is None or own is None or entity.get("operator") != own or not call.session.may(Right.SEAT):
        need(call, Right.SUPERVISE)
    operator = wanted.operator or own or (entity or {}).get("operator")
    fields = wanted.model_dump(include={"mark", "on", "note"}, exclude_none=True)
    if operator is not None:
        fields["operator"] = operator
    await call.console.link.command("call.mark", call=call_id, by=call.session.account.login, **fields)
    taken_back = "" if wanted.on else " (off)"
    await note_done(call, Action.CALL_MARK, f"{call_id} {wanted.mark}{taken_back}")
    return Done()


# -- calls out


async def dial(call: ApiCall) -> Dialled:
    """Rings the operator's own phone, then the number."""
    operator = _own_operator(call)
    wanted = call.body_as(Dial)
    number = wanted.number.translate(_SEPARATORS)
    fields = wanted.model_dump(include={"about", "case"}, exclude_none=True)
    await note_done(call, Action.DIAL, f"{operator} {number}")
    login = call.session.account.login
    result = await call.console.link.command(
        "operator.dial", RING_S, operator=operator, number=number, by=login, **fields
    )
    return Dialled(call=result.get("call"))


# -- 手上げ


async def help_ask(call: ApiCall) -> Done:
    operator = _own_operator(call)
    asked = call.body_as(HelpAsk)
    fields = asked.model_dump(exclude_none=True)
    await call.console.link.command("help.ask", operator=operator, **fields)
    return Done()


async def help_say(call: ApiCall) -> Done:
    """Says something to whoever asked, or to whoever helps."""
    text = call.body_as(HelpSay).text
    return await _help(call, "help.say", text=text)


async def help_close(call: ApiCall) -> Done:
    """It is settled."""
    return await _help(call, "help.close")


async def _help(call: ApiCall, do: str, **fields: Any) -> Done:
    help_id, own = call.path("help"), call.session.account.operator
    asked = next((one for one in call.console.link.state.helps if str(one.get("id")) == help_id), None)
    if asked is None or own is None or asked.get("operator") != own or not call.session.may(Right.SEAT):
        need(call, Right.SUPERVISE)
    if asked is None:
        raise problem(404, "unknown_help", "problem.no_help")
    await call.console.link.command(do, help=asked["id"], by=call.session.account.login, **fields)
    return Done()


def _own_operator(call: ApiCall) -> str:
    """The operator of the path: one's own with a seat, another's only for those who control calls."""
    operator = call.path("operator")
    if not any(one.id == operator for one in call.console.site.operators):
        raise problem(404, "unknown_operator", "problem.no_operator", id=operator)
    if operator != call.session.account.operator or not call.session.may(Right.SEAT):
        need(call, Right.CALLS_CONTROL)
    return operator
