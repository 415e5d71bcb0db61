"""This project and its peers, side by side: `python -m microgrid bench`.

Results are compared first; then everybody is timed by turns, and ratios of medians are
printed, since seconds are those of one machine on one day.
"""

import platform
import sys
from collections.abc import Sequence
from typing import Any, TextIO

from . import accuracy, fitting, growth, moons

__all__ = ["PARTS", "bench"]

PARTS: dict[str, Any] = {"moons": moons, "fit": fitting, "growth": growth, "accuracy": accuracy}


def bench(
    which: Sequence[str] = ("moons", "fit", "growth", "accuracy"),
    rounds: int = 5,
    seed: int = 1,
    out: TextIO | None = None,
) -> dict[str, Any]:
    """Measure, and print a table for each part as soon as it is there.

    Arguments: which, of "moons" (one step of learning), "fit" (an epoch of it, update and all), "growth"
    (the cost of a node by the size of the graph) and "accuracy" (what has been learned of real tables,
    on all cores); rounds, how often everybody has a turn, of "accuracy" the number of seeds; seed, the
    first one, of the points and weights; out, a text stream, standard output if None.
    Returns the figures: {"python": version, "moons": as `moons.measure` says, and so on}.
    Raises ValueError for an unknown part or rounds below 1, and ArithmeticError where
    results differ; then nothing of that part is shown.
    """
    unknown = [part for part in which if part not in PARTS]
    if unknown or rounds < 1:
        raise ValueError(f"bench({list(which)}, rounds={rounds}): the parts are {', '.join(PARTS)}; rounds 1 or more")
    figures: dict[str, Any] = {"python": platform.python_version()}
    for part in which:
        figures[part] = growth.measure(rounds) if part == "growth" else PARTS[part].measure(rounds, seed)
        print(PARTS[part].show(figures[part]), end="\n\n", file=out or sys.stdout, flush=True)
    return figures
