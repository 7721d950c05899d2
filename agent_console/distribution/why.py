"""Why this operator: each offer of a call in a sentence, with the ledger behind it, for these eyes."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import select

import cdr
from cdr import CallDetail, Event, Why
from store import CallRow

from ..call_story import outside
from ..console import Console
from ..records import shown_data
from ..rights import Right
from ..sessions import Session
from ..texts import Texts
from .callbacks import names_of

_MOST_TRIES = 20


async def tries_of(console: Console, call: str) -> list[str]:
    """The calls that were made for the callback which this call booked, the first one first. Raises
    StoreUnavailable."""
    query = select(CallRow.call).where(CallRow.callback_of == call).order_by(CallRow.arrived_at, CallRow.call)
    async with console.store.reading() as database:
        return list(await database.scalars(query.limit(_MOST_TRIES)))


async def reasons(console: Console, session: Session, detail: CallDetail, texts: Texts) -> list[Why]:
    """Why these operators. A callback is told as one: the call that booked it and those made for it. Without
    the right to others' figures: only one's own offers, without the ledger. Raises StoreUnavailable."""
    events = await cdr.offers_of(console.store, detail.record.call) or detail.events
    full = session.may(Right.EVENNESS)
    if not full:
        events = [_bare(session, event) for event in events]
    names = names_of(console)
    queues = {queue.id: queue.name for queue in console.site.queues}
    told = cdr.why(
        events,
        texts.language.value,
        lambda operator: names.get(operator, operator),
        queue_name=lambda queue: queues.get(queue, queue),
        number_text=lambda number: outside(console, session, number),
        zone=console.site.zone,
    )
    own = session.account.operator
    return told if full else [one for one in told if one.operator in (None, own)]


def _bare(session: Session, event: Event) -> Event:
    return replace(event, data=shown_data(session, event.kind, event.data))
