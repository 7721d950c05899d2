"""How long something takes: a distribution by its mean, drawn from one uniform number each.

One uniform number a draw (the inverse of the distribution function), so that the same numbers with another
mean give the same calls, only shorter or longer: two scenarios differ by what was changed and no more.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

Kind = Literal["constant", "exponential", "lognormal", "weibull", "values"]
_TINY = 2.0**-54  # random() may give 0, of which no distribution has an inverse


@dataclass(frozen=True, slots=True)
class Spread:
    """`mean_s` ≥ 0 in seconds; inf (exponential only): never. `shape`: of `lognormal` the coefficient of
    variation (standard deviation ÷ mean), of `weibull` its k (1: exponential; below 1: many give up at once,
    the rest stays long). `values`: drawn from `sample`, sorted. ValueError if a figure makes no sense."""

    kind: Kind
    mean_s: float
    shape: float = 1.0
    sample: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        endless = self.kind == "exponential" and self.mean_s == math.inf
        if not (endless or (math.isfinite(self.mean_s) and self.mean_s >= 0)):
            raise ValueError(f"a mean of {self.mean_s} s: must be 0 or more")
        if not (math.isfinite(self.shape) and self.shape > 0):
            raise ValueError(f"a shape of {self.shape}: must be above 0")
        if self.kind == "values" and not self.sample:
            raise ValueError("nothing to draw from")

    @classmethod
    def constant(cls, seconds: float) -> Spread:
        return cls("constant", seconds)

    @classmethod
    def exponential(cls, mean_s: float) -> Spread:
        return cls("exponential", mean_s)

    @classmethod
    def lognormal(cls, mean_s: float, variation: float = 1.0) -> Spread:
        """Talk times are about log-normal (Brown et al., *Statistical analysis of a telephone call center*,
        JASA 100, 2005)."""
        return cls("lognormal", mean_s, variation)

    @classmethod
    def weibull(cls, mean_s: float, shape: float) -> Spread:
        return cls("weibull", mean_s, shape)

    @classmethod
    def values(cls, seen: Sequence[float]) -> Spread:
        """As often as it was seen."""
        if not seen:
            raise ValueError("nothing to draw from")
        return cls("values", math.fsum(seen) / len(seen), sample=tuple(sorted(seen)))

    def times(self, factor: float) -> Spread:
        """The same, everything `factor` times as long."""
        return Spread(self.kind, self.mean_s * factor, self.shape, tuple(one * factor for one in self.sample))

    def draw(self) -> Callable[[float], float]:
        """A function from a number in [0, 1) to seconds."""
        mean = self.mean_s
        if self.kind == "constant" or mean == 0:
            return lambda u: mean
        if self.kind == "exponential":
            if mean == math.inf:
                return lambda u: math.inf
            return lambda u: -mean * math.log1p(-u)
        if self.kind == "weibull":
            power = 1 / self.shape
            scale = mean / math.gamma(1 + power)
            return lambda u: scale * (-math.log1p(-u)) ** power
        if self.kind == "lognormal":
            variance = math.log1p(self.shape**2)
            inverse, exp = NormalDist(math.log(mean) - variance / 2, math.sqrt(variance)).inv_cdf, math.exp
            return lambda u: exp(inverse(u or _TINY))
        sample, count = self.sample, len(self.sample)
        return lambda u: sample[int(u * count)]
