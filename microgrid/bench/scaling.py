"""How the moons step scales: batches of 1 to 100 000 points, one thread and two, and larger and larger programs.

A line of the plot that is level is time for each point that stays the same; the limit is C by hand.
"""

from collections.abc import Mapping, Sequence
from statistics import median
from typing import Any

from . import making
from .everybody import INSTALL, NATIVE, USUAL
from .tables import goal, goals_table, ratio, table

BATCHES = (1, 10, 100, 1000, 10_000, 100_000)
ALL_BATCHES = (*BATCHES, 1_000_000)
MOST_OF_GRAPHS = 100_000_000  # bytes that the graph of a batch may take, at about 150 000 a point
LIMIT, THREADS = "C by hand, SIMD", "microgrid, native, threads"
BY_THREADS = ((NATIVE, THREADS), (LIMIT, f"{LIMIT}, threads"))
FEW = {1: 5, 2: 20}  # rounds, at least, by the threads: a second core is not always free


def measure(
    rounds: int, seed: int = 1, everybody: bool = False, batches: Sequence[int] = (), sizes: Sequence[int] = ()
) -> dict[str, Any]:
    """Races of all who take so many points, each in a process of its own; then programs of growing size.

    Returns {"absent": ..., "failed": {"so many points": why}, "threads": {"1": {points: {name: seconds of one step,
    for each round}}, "2": ...}, "goals": [...], "making": as `making.measure` says}.  Raises ArithmeticError where
    results differ.
    """
    figures: dict[str, Any] = {"absent": {}, "failed": {}, "threads": {"1": {}, "2": {}}}
    figures["making"] = making.measure(sizes or (making.ALL_SIZES if everybody else making.SIZES))
    try:
        from .contenders import CONTENDERS
        from .contenders.race import race
    except ModuleNotFoundError:
        return figures | {"absent": {"NumPy": INSTALL}, "goals": goals(figures)}
    from ..training.progress import progress

    batches = batches or (ALL_BATCHES if everybody else BATCHES)
    keys = [key for key, one in CONTENDERS.items() if everybody or key in USUAL or one.shared]
    figures["absent"] = {
        CONTENDERS[key].name: CONTENDERS[key].install for key in keys if not CONTENDERS[key].available()
    }
    turns = [(threads, points) for threads in (1, 2) for points in batches]
    for threads, points in progress(turns, len(turns), "scaling"):
        there = [key for key in keys if _races(CONTENDERS[key], points, threads)]
        try:
            found = race(there, points, max(rounds, FEW[threads]), threads, seed)["seconds"] if there else {}
        except RuntimeError as error:
            figures["failed"][f"{points} points, {threads} threads"] = str(error)
            continue
        figures["threads"][str(threads)][points] = found
    return figures | {"goals": goals(figures)}


def _races(contender: Any, points: int, threads: int) -> bool:
    """Whether it takes part: graphs with one thread only, several threads where there are several."""
    if contender.anew and (threads > 1 or points * 150_000 > MOST_OF_GRAPHS):
        return False
    return contender.available() and points <= contender.points and (threads > 1 or not contender.shared)


def goals(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What has to hold: flat from 1 000 points on, and threads that pay."""
    found = []
    each = {n: median(s[NATIVE]) / n for n, s in figures["threads"]["1"].items() if NATIVE in s and n >= 1000}
    if len(each) > 1:
        what = f"native, time for a point: most to least, {min(each)} to {max(each)} points"
        found.append(goal(what, max(each.values()) / min(each.values()), most=1.25))
    for points, seconds in figures["threads"]["2"].items():
        if THREADS in seconds and NATIVE in seconds:
            least = 1.8 if median(seconds[NATIVE]) >= 1e-3 else 0.95
            what = f"native, two threads, times as fast as one: {points} points"
            found.append(goal(what, ratio(seconds[NATIVE], seconds[THREADS]), least=least))
    return [*found, *making.goals(figures["making"])]


def plot(figures: Mapping[str, Any], threads: str = "1") -> Any:
    """Time for a point by the number of points, both scales logarithmic.

    Returns a `Plot`.  Raises ModuleNotFoundError, naming the command, where matplotlib is not.
    """
    from ..training.plots import BLUE, GREY, GRID, ORANGE, figure_of, finished, name_lines

    lines = _lines(figures["threads"][threads])
    height = max(5.4, 0.3 * len(lines))
    drawing, [axes] = figure_of(9.0, height)
    for name, by_points in sorted(lines.items(), key=lambda item: item[0] == LIMIT):
        ours = name.startswith("microgrid")
        dash: Any = "-" if ours else (0, (5, 2))
        colour = ORANGE if ours else GREY
        if name == LIMIT:
            name, colour, dash = f"the limit: {name}", BLUE, (0, (1, 1.2))
        numbers = [1e9 * seconds / points for points, seconds in by_points.items()]
        axes.plot(
            [*by_points], numbers, label=name, color=colour, linestyle=dash, linewidth=2, marker="o", markersize=4
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.grid(color=GRID)
    axes.set_xlabel("points of a step")
    axes.set_ylabel("ns for a point, loss and gradient (log scale)")
    name_lines(axes, 0.25 / height)
    return finished(drawing, f"Time for a point of the moons step by the number of points: {', '.join(lines)}")


def _lines(by_points: Mapping[int, Mapping[str, Sequence[float]]]) -> dict[str, dict[int, float]]:
    """The median seconds of each, by points."""
    names = [name for seconds in by_points.values() for name in seconds]
    return {
        name: {points: median(seconds[name]) for points, seconds in by_points.items() if name in seconds}
        for name in dict.fromkeys(names)
    }


def _times_as_fast(by_points: Mapping[int, Mapping[str, Sequence[float]]]) -> list[list[str]]:
    """Lines for a table: who has one thread, and several, by the number of points."""
    lines = []
    for one, several in BY_THREADS:
        cells = [
            f"{ratio(seconds[one], seconds[several]):.2f}" if one in seconds and several in seconds else "-"
            for seconds in by_points.values()
        ]
        if any([cell != "-" for cell in cells]):
            lines.append([one, *cells])
    return lines


def show(figures: dict[str, Any]) -> str:
    """The tables of what `measure` returned."""
    shown = []
    for threads, by_points in figures["threads"].items():
        header = ["", *(f"{points:,}".replace(",", " ") for points in by_points)]
        lines = [
            [name, *(f"{1e9 * times[points] / points:.0f}" if points in times else "-" for points in by_points)]
            for name, times in _lines(by_points).items()
        ]
        if lines:
            words = "one thread" if threads == "1" else f"{threads} threads for whoever uses them"
            shown += ["", f"ns for a point, {words}:", "", table(header, lines)]
    faster = _times_as_fast(figures["threads"]["2"])
    if faster:
        header = ["", *(f"{points:,}".replace(",", " ") for points in figures["threads"]["2"])]
        words = "Two threads, times as fast as one; C by OpenMP shows what the machine gives just now:"
        shown += ["", words, "", table(header, faster)]
    return "\n".join(
        [
            "Scaling: the moons step, loss and 337 gradients, by the number of points; medians.",
            *shown,
            *(f"{what} failed: {why}" for what, why in figures["failed"].items()),
            *(f"{name} is absent.  To have it: {command}" for name, command in figures["absent"].items()),
            "",
            making.show(figures["making"]),
            *(["", goals_table(figures["goals"])] if figures["goals"] else []),
        ]
    )
