"""How much of a simulated rate is chance."""

from __future__ import annotations

import math
from collections.abc import Mapping

_Z = 1.959963984540054  # 97.5 % of the normal distribution
_FEWEST = 3  # of fewer days nothing can be said


def half_width(part: Mapping[int, int], whole: Mapping[int, int], days: int) -> float | None:
    """Half the width of a 95 % interval about Σ part ÷ Σ whole, both by day, over `days` days that are alike
    and know nothing of each other. Calls of one day do not stand alone (a full queue hits all who are in it),
    so it is the days that are compared: the ratio estimator (Cochran, *Sampling Techniques*, 1977, 6.4) with
    Student's quantile. None: too few days, or nothing in `whole`."""
    total = sum(whole.values())
    if days < _FEWEST or not total:
        return None
    rate = sum(part.values()) / total
    squares = math.fsum((part.get(day, 0) - rate * count) ** 2 for day, count in whole.items())
    return student(days - 1) * math.sqrt(squares * days / (days - 1)) / total


def student(freedom: int) -> float:
    """97.5 % of Student's distribution with 2 degrees of freedom or more, up to 4 % too small for 2 and good
    to 0.1 % from 7 on (Abramowitz and Stegun 26.7.5)."""
    z = _Z
    first = (z**3 + z) / 4
    second = (5 * z**5 + 16 * z**3 + 3 * z) / 96
    third = (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384
    return z + first / freedom + second / freedom**2 + third / freedom**3
