"""Measuring by turns, ratios of medians, and tables for a terminal 100 columns wide."""

import gc
import math
from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import process_time


def interleaved(steps: Mapping[str, Callable[[], object]], rounds: int, text: str) -> dict[str, list[float]]:
    """The seconds of processor time that each step took in each round, the steps taking turns.

    What a step returns is dropped, and the collector run, before the next one starts;
    neither is timed.  Processor time, since other programs running disturb it less.
    """
    from ..training.progress import progress  # only here, so that a growth worker's process stays small

    seconds: dict[str, list[float]] = {name: [] for name in steps}
    turns = [name for _ in range(rounds) for name in steps]
    for name in progress(turns, len(turns), text):
        gc.collect()
        start = process_time()
        result = steps[name]()
        seconds[name].append(process_time() - start)
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
