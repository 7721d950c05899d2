"""What a whole centre's journal, records and recordings say of the same calls: one call, one record, several
legs, nothing unlinked."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import select

from cdr import CallRecord, Event, calls, kpi, record_of, why
from cdr import Span as CallSpan
from daihyo.settings import Runtime
from dialplans import Kpi
from store import Recording, Store, recordings
from tests.support.centre import Centre

BEGINNINGS = ("arrived", "dialled")
EVER = CallSpan(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC))


async def adds_up(running: Centre, within_s: float = 60.0) -> dict[str, CallRecord]:
    """Once everything has been carried and archived: every call of the journal has one record and that record
    is what its events tell; transfers, talks and figures add up; every consult that was answered has its
    recording beside the call's, and no recording belongs to nobody. Returns the records by call."""
    events: defaultdict[str, list[Event]] = defaultdict(list)
    for event in running.events():
        if event.call is not None:
            events[event.call].append(event)
    told = {call: record_of(those) for call, those in events.items()}
    store = await Store.open(Runtime.load(running.state).database(running.state))
    try:
        found = await _carried(store, told, within_s)
        for call, record in found.items():
            _one(record, events[call])
        await _recordings(store, found, within_s)
        whole = await kpi(store, Kpi(), EVER)
        asked = [one for one in found.values() if one.via in ("engine", "survival") and not one.staff]
        assert whole.offered + whole.unfinished + whole.callbacks <= len(asked)
        assert whole.answered <= sum(one.answered_at is not None for one in asked)
        return found
    finally:
        await store.close()


async def _carried(store: Store, told: dict[str, CallRecord], within_s: float) -> dict[str, CallRecord]:
    found: dict[str, CallRecord] = {}
    try:
        async with asyncio.timeout(within_s):
            while True:
                listed = await calls(store, EVER.start, EVER.end, limit=10_000)
                found = {one.call: replace(one, recording=None, recording_s=None) for one in listed}
                assert len(listed) == len(found)
                if found == told:
                    return found
                await asyncio.sleep(0.2)
    except TimeoutError:
        missing, more = told.keys() - found.keys(), found.keys() - told.keys()
        other = [
            (found[call].to_json(), told[call].to_json()) for call in told if found.get(call) != told[call]
        ]
        raise AssertionError(
            f"records missing: {missing}, of no call: {more}, not as told: {other}"
        ) from None


def _one(record: CallRecord, events: list[Event]) -> None:
    said = [(event.kind, dict(event.data)) for event in events]
    begun = [event for event in events if event.kind == "transfer_begun"]
    assert [one.place for one in record.transfers] == [event.data["place"] for event in begun], said
    ended = {event.data["place"]: event for event in events if event.kind == "transfer_ended"}
    for one in record.transfers:
        assert one.reason == ended[one.place].data["reason"], said
        assert one.ended_at is not None, said
        talk_s = ended[one.place].data.get("talk_s")
        if one.to.kind != "queue":
            assert (one.talk_s is None) == (talk_s is None), said
            assert talk_s is None or abs(talk_s - one.talk_s) < 1.0, said
    assert record.hops <= sum(event.kind == "transferred" for event in events), said
    if record.ended_at is not None and record.total_s is not None:
        for part in (record.talk_s, record.wait_s, record.answer_s, record.hold_s):
            assert part is None or part <= record.total_s + 0.5, said
        assert (record.hold_s or 0) <= (record.talk_s or 0) + 0.01, said
    answered = {event.data["operator"] for event in events if event.kind == "answered"}
    if record.outcome != "callback":
        assert set(record.operators) == answered, said
    lines = [line for line in why(events) if line.rule == "transfer"]
    assert len(lines) == len(begun), said
    assert all(line.sentence for line in why(events, "en"))


async def _recordings(store: Store, records: dict[str, CallRecord], within_s: float) -> None:
    """Consults that somebody answered have a recording each, within the time after their end."""
    due = {one.call for one in records.values() if (one.talk_s or 0) > 0.5 and one.outcome == "answered"}
    due |= {
        recordings.consult_key(record.call, one.place)
        for record in records.values()
        for one in record.transfers
        if one.how == "consult" and (one.talk_s or 0) > 0.5
    }
    rows: list[Recording] = []
    every: set[str] = set()
    try:
        async with asyncio.timeout(within_s):
            while not due <= every or every != {one.call for one in rows}:
                async with store.reading() as session:
                    every = set(await session.scalars(select(Recording.call)))
                    rows = [one for call in records for one in await recordings.of_call(session, call)]
                await asyncio.sleep(0.2)
    except TimeoutError:
        found = {one.call for one in rows}
        raise AssertionError(f"not archived: {due - found}; nobody's: {every - found}") from None
    assert all(one.state == "ready" for one in rows)
    places = {(record.call, one.place) for record in records.values() for one in record.transfers}
    for one in rows:
        call = one.call if one.call in records else one.call.rpartition(".")[0]
        place = recordings.place_of(call, one.call)
        assert place is None or (call, place) in places, one.call
        record = records[call]
        assert one.seconds is None or record.total_s is None or one.seconds <= record.total_s + 2.0, one.call
        marked = any(mark == "emergency" for mark in record.marks)
        assert not marked or one.held_at is not None, one.call
