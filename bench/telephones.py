"""The telephones at a centre: registered, open for calls, and put away again."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Collection

from bench.centres import Centre
from bench.phones import Citizens, Operators, Rtp


@contextlib.asynccontextmanager
async def telephones(
    centre: Centre,
    *,
    talk_s: float | None,
    answer_after_s: float = 0.0,
    rtp: tuple[Rtp, Rtp] | None = None,
    first: Collection[str] | None = None,
) -> AsyncIterator[tuple[Operators, Citizens]]:
    """All operators registered and ready (or `first` alone), and citizens who know the number.

    `rtp`: the operators' and the citizens' sockets, for those who count and send; otherwise both sides say
    one port where nobody reads. What went wrong with the phones is printed in the end, and kept in
    `centre.notes`."""
    sockets = rtp or (Rtp(), Rtp())
    operators = Operators(centre.sip, sockets[0].port, talk_s=talk_s, answer_after_s=answer_after_s)
    citizens = Citizens(centre.sip, sockets[1].port, centre.number)
    try:
        there = set(centre.secrets if first is None else first)
        await operators.register({one: secret for one, secret in centre.secrets.items() if one in there})
        await centre.open(there)
        yield operators, citizens
        await citizens.hang_up()
    finally:
        citizens.on_ended = None
        citizens.phone.close()
        operators.phone.close()
        for each in sockets:
            await each.close()
        problems = [*operators.phone.errors, *citizens.phone.errors]
        if operators.doubles:
            problems.append(f"{operators.doubles} INVITEs to an operator who already had a call")
        if citizens.refused:
            problems.append(f"{citizens.refused} of {citizens.made} calls refused")
        repeated = operators.phone.retransmitted + citizens.phone.retransmitted
        if repeated:
            problems.append(f"{repeated} SIP messages had to be sent again: the machine was overloaded")
        centre.notes += problems
        for problem in problems[:5]:
            print(f"{centre.name}: {problem}")
