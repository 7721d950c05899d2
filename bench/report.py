"""What every bench prints: a table for people and, with --json, one last line for machines."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `peer`: the same by the system compared with, None where there is none;
    `goal` is for people, as text."""

    key: str
    ours: float
    unit: str
    peer: float | None = None
    what: str = ""
    goal: str = ""

    @property
    def ratio(self) -> float | None:
        """Ours ÷ peer; None without a peer (or a peer of 0, to which nothing can be compared)."""
        return self.ours / self.peer if self.peer else None


def show(title: str, figures: Sequence[Figure], *, as_json: bool, notes: Sequence[str] = ()) -> None:
    """Prints table, notes and machine; with `as_json` the figures as one JSON object on the last line."""
    table = Table(title=title, title_justify="left", header_style="bold")
    for column in ("figure", "ours", "peer", "ours ÷ peer", "unit", "goal"):
        table.add_column(column, justify="left" if column in ("figure", "unit", "goal") else "right")
    for each in figures:
        table.add_row(
            f"{each.key}  {each.what}".rstrip(),
            _short(each.ours),
            _short(each.peer),
            _short(each.ratio),
            each.unit,
            each.goal,
        )
    console = Console(width=max(100, Console().width))
    console.print(table)
    for note in (*notes, machine()):
        console.print(note, highlight=False)
    if as_json:
        print(json.dumps({each.key: _entry(each) for each in figures}, ensure_ascii=False), flush=True)


def machine() -> str:
    """One line about the machine, and how busy others keep it: figures of a busy one are worth little."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    model = models[0] if models else platform.machine()
    return f"{os.cpu_count()} × {model}; load average {os.getloadavg()[0]:.1f} in the minute before the end"


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` (0…1) of the values do not exceed: the nearest rank, no interpolation."""
    if not values:
        raise ValueError("no values to take a percentile of")
    ordered = sorted(values)
    return ordered[max(0, math.ceil(round(share * len(ordered), 9)) - 1)]


def _entry(figure: Figure) -> dict[str, float | str | None]:
    return {
        "ours": _rounded(figure.ours),
        "peer": _rounded(figure.peer),
        "ratio": _rounded(figure.ratio),
        "unit": figure.unit,
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")


def _short(value: float | None) -> str:
    if value is None:
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
