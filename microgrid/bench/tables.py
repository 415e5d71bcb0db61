"""Measuring by turns, ratios of medians, and tables for a terminal 100 columns wide."""

import gc
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from statistics import median
from time import process_time
from typing import Any


def interleaved(
    steps: Mapping[str, Callable[[], object]], rounds: int, text: str, clock: Callable[[], float] = process_time
) -> dict[str, list[float]]:
    """The seconds of processor time that each step took in each round, the steps taking turns.

    What a step returns is dropped, and the collector run, before the next one starts;
    neither is timed.  Processor time, since other programs running disturb it less; another clock
    where several threads work, whose times it would add up.
    """
    from ..training.progress import progress  # only here, so that a growth worker's process stays small

    seconds: dict[str, list[float]] = {name: [] for name in steps}
    turns = [name for _ in range(rounds) for name in steps]
    for name in progress(turns, len(turns), text):
        gc.collect()
        start = clock()
        result = steps[name]()
        seconds[name].append(clock() - start)
        del result
    return seconds


def ratio(slow: Sequence[float], fast: Sequence[float]) -> float:
    """How many times as fast the second is: the ratio of the medians.

    >>> ratio([6.0, 5.0, 90.0], [2.0, 2.0, 3.0])
    3.0
    """
    return median(slow) / median(fast)


def agree(a: float, b: float, tolerance: float = 1e-9) -> bool:
    """Whether two numbers are equal to the tolerance, relative to the larger; a nan equals nothing.

    >>> agree(1.0, 1.0 + 1e-10), agree(1.0, 1.0 + 1e-8)
    (True, False)
    """
    return math.isclose(a, b, rel_tol=tolerance, abs_tol=0.0)


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Text in columns as wide as they need to be, the first flush left, the others right.

    >>> print(table(["", "ms"], [["a", "1.0"], ["long name", "10.0"]]))
                 ms
    a           1.0
    long name  10.0
    """
    lines = [header, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(header))]
    return "\n".join(
        "  ".join(
            [line[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(line[1:], widths[1:]))]
        ).rstrip()
        for line in lines
    )


def goal(what: str, figure: float, most: float | None = None, least: float | None = None) -> dict[str, Any]:
    """A figure beside what it has to be: at most so much, or at least.

    >>> goal("as fast as C", 1.25, most=1.3)
    {'what': 'as fast as C', 'figure': 1.25, 'at most': 1.3, 'held': True}
    """
    held = (most is None or figure <= most) and (least is None or figure >= least)
    bounds = {"at most": most, "at least": least}
    return {"what": what, "figure": figure, **{k: v for k, v in bounds.items() if v is not None}, "held": held}


def goals_table(goals: Iterable[Mapping[str, Any]]) -> str:
    """Goals as a table, nothing if there are none.

    >>> print(goals_table([goal("first call, s", 0.21, most=0.3)]))
                   figure    has to be  held
    first call, s    0.21  at most 0.3   yes
    """
    lines = []
    for one in goals:
        [bound] = [f"{name} {_short(one[name])}" for name in ("at most", "at least") if name in one]
        lines.append([one["what"], _short(one["figure"]), bound, "yes" if one["held"] else "no"])
    return table(["", "figure", "has to be", "held"], lines) if lines else ""


def _short(x: float) -> str:
    """Three digits, thousands apart.

    >>> [_short(x) for x in (0.01234, 1.3, 123456.0)]
    ['0.0123', '1.3', '123 456']
    """
    return f"{x:,.0f}".replace(",", " ") if abs(x) >= 1000 else f"{x:.3g}"


def microseconds(times: Sequence[float]) -> str:
    """A median of seconds, in us with three digits.

    >>> microseconds([1.5e-6, 1.25e-6, 9.0]), microseconds([2.0, 3.0, 4.0])
    ('1.5', '3 000 000')
    """
    return _short(1e6 * median(times))
