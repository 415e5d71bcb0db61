"""This project and its peers, side by side: `python -m microgrid bench`.

Results are compared first; then everybody is timed by turns, and ratios of medians are
printed, since seconds are those of one machine on one day.
"""

import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from . import accuracy, chains, digits, everybody, expression, fitting, growth, names, scaling

__all__ = ["PARTS", "bench", "peers_file", "plots"]

PARTS: dict[str, Any] = {
    "moons": everybody, "expression": expression, "chain": chains, "digits": digits, "microgpt": names,
    "scaling": scaling, "fit": fitting, "growth": growth, "accuracy": accuracy,
}  # fmt: skip
AGAINST_ALL = ("moons", "expression", "chain", "digits", "microgpt", "scaling")  # parts that differ then


def bench(
    which: Sequence[str] = tuple(PARTS),
    rounds: int = 5,
    seed: int = 1,
    out: TextIO | None = None,
    against_all: bool = False,
) -> dict[str, Any]:
    """Measure, and print a table for each part as soon as it is there.

    Arguments: which, of "moons" (one step of learning, by graphs and by programs), "expression" (that of
    micrograd's README), "chain" (of multiply-adds, memory and time), "digits" (larger nets), "microgpt" (a step of
    its training), "scaling" (more points, two threads, larger programs), "fit" (an epoch of learning, update and
    all), "growth" (the cost of a node by the size of the graph) and "accuracy" (what has been learned of real
    tables, on all cores); rounds, how often everybody has a turn, of "accuracy" the number of seeds; seed, the
    first one, of the points and weights; out, a text stream, standard output if None; against_all, to race
    everybody that is installed, at full length: it takes an hour.
    Returns the figures: {"python": version, "moons": as `measure` of its module says, and so on}.
    Raises ValueError for an unknown part or rounds below 1, and ArithmeticError where
    results differ; then nothing of that part is shown.
    """
    unknown = [part for part in which if part not in PARTS]
    if unknown or rounds < 1:
        raise ValueError(f"bench({list(which)}, rounds={rounds}): the parts are {', '.join(PARTS)}; rounds 1 or more")
    out = out or sys.stdout
    figures: dict[str, Any] = {"python": platform.python_version()}
    if against_all:
        print(f"To have all peers: python -m pip install -r {peers_file()}", end="\n\n", file=out, flush=True)
    for part in which:
        figures[part] = _measured(part, rounds, seed, against_all)
        print(PARTS[part].show(figures[part]), end="\n\n", file=out, flush=True)
    return figures


def peers_file() -> Path:
    """Where the list of packages lies that `python -m pip install -r` takes to have all peers.

    >>> peers_file().read_text(encoding="utf-8").startswith("# Everybody")
    True
    """
    return Path(__file__).with_name("peers.txt")


def plots(figures: Mapping[str, Any], folder: Path) -> list[Path]:
    """The plots of what `bench` returned, written to a folder as SVG: those of "scaling", for one thread and two.

    Returns their paths, none where matplotlib is not, which is said on stderr.
    """
    found: list[Path] = []
    for threads, by_points in figures.get("scaling", {}).get("threads", {}).items():
        if any(by_points.values()):
            try:
                plot = scaling.plot(figures["scaling"], threads)
            except ModuleNotFoundError as error:
                print(f"microgrid bench: no plot; {error}", file=sys.stderr)
                return found
            found.append(plot.save(folder / f"scaling-{threads}.svg"))
    return found


def _measured(part: str, rounds: int, seed: int, against_all: bool) -> dict[str, Any]:
    if part == "growth":
        return growth.measure(rounds)
    if part in AGAINST_ALL:
        return PARTS[part].measure(rounds, seed, against_all)
    return PARTS[part].measure(rounds, seed)
