"""This project and its peers, side by side: `python -m microgrid bench`.

Results are compared first; then everybody is timed by turns, and ratios of medians are
printed, since seconds are those of one machine on one day.
"""

import platform
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from . import growth, moons

__all__ = ["PARTS", "bench"]

PARTS: dict[str, Any] = {"moons": moons, "growth": growth}


def bench(
    which: Sequence[str] = ("moons", "growth"), rounds: int = 5, seed: int = 1, out: TextIO | None = None
) -> dict[str, Any]:
    """Measure, and print a table for each part as soon as it is there.

    Arguments: which, of "moons" (one step of learning) and "growth" (the cost of a node by the
    size of the graph); rounds, how often everybody has a turn; seed, of the points and weights
    of the moons; out, a text stream, standard output if None.
    Returns the figures: {"python": version, "moons": as `moons.measure` says, "growth": as
    `growth.measure` says}.
    Raises ValueError for an unknown part or rounds below 1, and ArithmeticError where
    results differ; then nothing of that part is shown.
    """
    unknown = [part for part in which if part not in PARTS]
    if unknown or rounds < 1:
        raise ValueError(f"bench({list(which)}, rounds={rounds}): the parts are moons and growth, rounds 1 or more")
    figures: dict[str, Any] = {"python": platform.python_version()}
    for part in which:
        figures[part] = moons.measure(rounds, seed) if part == "moons" else growth.measure(rounds)
        print(PARTS[part].show(figures[part]), end="\n\n", file=out or sys.stdout, flush=True)
    return figures
