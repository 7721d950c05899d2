"""The engine's heart: what lives as long as the process, and the session that lives as long as a
connection."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from acd import OperatorState
from cdr import Event, Journal, tail
from dialplans import Site
from switch import Channel, KeyTransfer, Snapshot, Switch

from .clock import Clock
from .help import Helps
from .live import Live
from .memory import Memory
from .openings import Openings
from .own import own
from .phones import BROWSER, endpoints, operator_of
from .recovery import recover
from .seats import Seats
from .session import Session
from .settings import EngineSettings
from .survival import SurvivalLog
from .trunks import Trunks
from .versions import Plan, Versions

log = logging.getLogger("daihyo.engine")

RECENT_EVENTS = 500  # of the journal's end: which calls had just ended when the engine stopped


class Centre:
    """`note` writes a fact down; the `on_…` methods are the switch's callbacks; `session` is None while the
    switch is away."""

    def __init__(self, settings: EngineSettings, versions: Versions, journal: Journal, clock: Clock) -> None:
        self.settings = settings
        self.versions = versions
        self.journal = journal
        self.clock = clock
        self.memory = Memory(clock)
        self.live = Live(self)
        self.trunks = Trunks(self)
        self.openings = Openings(self)
        self.seats = Seats(self)
        self.helps = Helps(self)
        self.survival = SurvivalLog(self, settings.queue_log)
        self.session: Session | None = None
        self.switch: Switch | None = None
        self.reachable: dict[str, set[str]] = {}
        self.own_channels: dict[str, frozenset[str]] = {}  # by operator: of calls that are not the engine's
        self._own: dict[str, frozenset[str]] = {}  # by endpoint
        self.chosen_phone: dict[str, str] = {}
        self.wrap_up_words: dict[str, dict[str, Any]] = {}
        self.stopping = asyncio.Event()
        self._started_noted = False

    # -- facts ---

    def remember(self) -> None:
        """Reads what the journal knows of the calls of now, and how quickly queues were served lately."""
        told_below = {event.call for event in self.journal.recovered if event.call is not None}
        for event in tail(self.settings.journal_folder, RECENT_EVENTS):
            if event.call in told_below:
                continue
            if event.kind == "ended":
                self.memory.apply(event)
            elif event.kind in ("queued", "answered"):
                self.memory.service(event)
        for event in self.journal.recovered:
            self.memory.apply(event)

    def note(self, kind: str, call: str | None = None, *, at: datetime | None = None, **data: Any) -> Event:
        """Writes a fact into the journal and folds it into the memory."""
        event = self.journal.append(kind, call, at=at, **data)
        self.memory.apply(event)
        if self.session is not None:
            self.session.callbacks.noted(event)
            self.session.supervisions.noted(event)
        self.helps.noted(event)
        self.trunks.noted(event)
        return event

    # -- the plan

    @property
    def site(self) -> Site:
        """The live plan. A call under way has its own: `Call.site`."""
        return self.versions.live.site

    def plan_now(self) -> datetime:
        """The time by which plans decide; the wall clock but for rehearsals."""
        return self.openings.now()

    async def activate(
        self, plan: Plan, modules: Sequence[str] = (), *, by: str = "", comment: str = ""
    ) -> None:
        """Makes a plan the live one after Asterisk has read what changed for it; calls under way do not
        notice. SwitchError, OSError: nothing has changed here. What follows from a plan that is live makes it
        no less live: a fault there is logged."""
        if modules and self.switch is not None:
            self.versions.coming = plan
            try:
                await self.switch.reload(*modules)
            finally:
                self.versions.coming = None
        before = self.site
        await self.versions.make_live(plan)
        self.note("plan_activated", version=plan.version, by=by, comment=comment, sha256=plan.sha256)
        try:
            self.versions.let_go(one.plan for one in self.memory.calls.values())
            staff_changed = before.operators != self.site.operators
            if self.session is not None and (staff_changed or before.queues != self.site.queues):
                self.session.floor.site_changed(self.site)
            self.openings.changed()
            if staff_changed and self.switch is not None:
                await self.switch.watch(endpoints([one.id for one in self.site.operators]))
        except Exception:
            log.exception("version %s is live, but not all that follows from it is done", plan.version)

    # -- the switch's callbacks ---

    def on_connected(self, snapshot: Snapshot) -> None:
        if self.switch is None or self.stopping.is_set():
            return
        if not self._started_noted:
            self._started_noted = True
            self.note("engine_started", pid=os.getpid(), boot=self.clock.boot, adopted=len(self.memory.calls))
        # Before there is a session: what ended while nobody looked moves no operator.
        self.survival.read()
        self.session = Session(self, self.switch)
        adopted = recover(self.session, snapshot)
        log.info("connected to the switch; %d calls taken up", adopted)
        self.live.everything()

    def on_disconnected(self) -> None:
        log.warning("the switch is away; calls go on in it, decisions wait")
        if self.session is not None:
            self.session.detach()
            self.session = None
        self.live.everything()

    def on_arrival(self, channel: Channel) -> None:
        if self.session is not None:
            self.session.arrived(channel)

    def on_key_transfer(self, key: KeyTransfer) -> None:
        if self.session is not None:
            self.session.keys.pressed(key)

    def on_dialled(self, channel: Channel) -> None:
        if self.session is not None:
            self.session.keys.dialled(channel)

    def on_resumed(self, channel: Channel) -> None:
        if self.session is not None:
            self.session.keys.resumed(channel)

    def on_phone(self, name: str, reachable: bool) -> None:
        operator, kind = operator_of(name)
        kinds = self.reachable.setdefault(operator, set())
        (kinds.add if reachable else kinds.discard)(kind)
        if kind == BROWSER:
            self.seats.phone_changed(operator)
        if self.session is not None:
            self.session.floor.phone(operator, bool(kinds))
        self.live.operator(operator)

    def on_channels(self, name: str, channels: frozenset[str]) -> None:
        operator, _ = operator_of(name)
        self._own[name] = own(channels)
        both = (self._own.get(one, frozenset()) for one in endpoints([operator]))
        if together := frozenset().union(*both):
            self.own_channels[operator] = together
        else:
            self.own_channels.pop(operator, None)
        if self.session is not None:
            self.session.floor.own.look()
        self.live.operator(operator)

    # -- operators ---

    def wants(self, operator: str, state: OperatorState, reason: str, by: str) -> None:
        """An operator's (or supervisor's) wish. Without the switch it is noted and holds from the
        reconnect."""
        log.info("operator %s: %s (%s) by %s", operator, state.value, reason, by)
        if self.session is not None:
            self.session.floor.wants(operator, state, reason)
        else:
            self.note(
                "operator_state", operator=operator, state=state.value, reason=reason, until=None, by=by
            )
            self.live.operator(operator)

    async def page_back(self, operator: str) -> None:
        """Until the operator's browser phone can be rung again."""
        await self.seats.back(operator)
