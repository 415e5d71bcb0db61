"""The moons step by everybody: graphs built anew in each step, programs made once, first calls and further ones.

`moons` races the classes of scalars; then come the contenders, by default the few that a comparison needs.
"""

from collections.abc import Callable, Iterable, Mapping
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from . import moons
from .tables import goal, goals_table, microseconds, ratio, table

USUAL = ("c", "native", "ours_numpy", "python", "numpy", "eager", "micrograd")
NATIVE = "microgrid, native"
AGAIN = 3  # first calls of native, with nothing kept on disk, and with its code kept: medians of them
SLOW = ("python",)  # programs that race with the graphs: a step takes them milliseconds
AS_FAST = {  # as native, so many times
    "JAX, vectorised, jit": 10.0, "PyTorch, vectorised, eager": 50.0, "C++ CoDiPack, records each time": 25.0,
    "micrograd": 100_000.0,
}  # fmt: skip
INSTALL = 'python -m pip install "microgrid[fast]"'

HOW_TO_READ = """\
us: of one step, a median; x native: how many times as long as microgrid's machine code takes, raced in one
process by turns; forward: the loss alone; first: of a fresh process, until the first result is there,
whatever is compiled by then, after its packages are loaded."""


def measure(rounds: int, seed: int = 1, everybody: bool = False) -> dict[str, Any]:
    """The graphs, the first call of each contender, then races of those that gave a result.

    Programs have four times as many rounds as graphs, whose steps are long.
    Returns {"graphs": as `moons.measure` says, "absent": {name: command that installs it}, "failed": {name: why},
    "first": {name: {"import", "first"}}, "seconds", "forward" and "inside": {name: one figure for each round},
    "times as long": {name: ratio to native}, "goals": [...]}; without NumPy all but the first two are empty.
    Raises ArithmeticError where results differ.
    """
    figures: dict[str, Any] = {"graphs": moons.measure(rounds, seed), "absent": {}}
    figures |= {what: {} for what in ("failed", "first", "seconds", "forward", "inside", "times as long")}
    try:
        from . import contenders
    except ModuleNotFoundError:
        return figures | {"absent": {"NumPy": INSTALL}, "goals": []}
    keys = who(everybody)
    here = [key for key in keys if contenders.CONTENDERS[key].available()]
    named = {key: contenders.CONTENDERS[key].name for key in keys}
    figures["absent"] = {named[key]: contenders.CONTENDERS[key].install for key in keys if key not in here}
    here = _first_calls(here, named, seed, figures)
    anew = [key for key in here if contenders.CONTENDERS[key].anew or key in SLOW]
    quick = [key for key in here if key not in anew]
    _race(quick, 4 * rounds, seed, figures)
    _race([*(key for key in ("native",) if key in here), *anew], rounds, seed, figures)
    return figures | {"goals": goals(figures)}


def who(everybody: bool) -> list[str]:
    """The keys of the contenders to race in one thread, all or the usual."""
    from .contenders import CONTENDERS

    return [key for key, one in CONTENDERS.items() if (everybody or key in USUAL) and not one.shared]


def _first_calls(keys: Iterable[str], named: Mapping[str, str], seed: int, figures: dict[str, Any]) -> list[str]:
    """Those that gave a first result; all results have to be equal."""
    from ..training.progress import progress
    from .contenders.race import first_call

    results, well = {}, []
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        turns = [*keys]
        for key in progress(turns, len(turns), "first calls"):
            try:
                cold = [
                    first_call(key, seed=seed, cache=f"{folder}/{i}") for i in range(AGAIN if key == "native" else 1)
                ]
                kept = [first_call(key, seed=seed, cache=f"{folder}/0") for _ in range(AGAIN if key == "native" else 0)]
            except RuntimeError as error:
                figures["failed"][named[key]] = str(error)
                continue
            results[named[key]] = cold[0]["results"]
            for name, found in ((named[key], cold), (f"{named[key]}, kept on disk", kept)):
                if found:
                    figures["first"][name] = {
                        what: median([one[what] for one in found]) for what in ("import", "first")
                    }
            well.append(key)
    if results:
        moons.refuse_differences(results)
    return well


def _race(keys: list[str], rounds: int, seed: int, figures: dict[str, Any]) -> None:
    """The figures of one race, added to the others; native's are those of the first race that it is in."""
    from .contenders.race import race

    if not keys:
        return
    found = race(keys, rounds=rounds, seed=seed)
    for what in ("seconds", "forward", "inside"):
        figures[what] = {**found[what], **figures[what]}
    if native := found["seconds"].get(NATIVE):
        times = {name: ratio(seconds, native) for name, seconds in found["seconds"].items()}
        figures["times as long"] = {**times, **figures["times as long"]}


def goals(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What has to hold, of who was there."""
    longer, first, seconds = figures["times as long"], figures["first"], figures["seconds"]
    found = []
    if "C by hand, SIMD" in longer:
        found.append(goal("native, times C by hand", 1 / longer["C by hand, SIMD"], most=1.3))
    found += [goal(f"{name}, times native", longer[name], least=x) for name, x in AS_FAST.items() if name in longer]
    for name, most in ((NATIVE, 0.3), (f"{NATIVE}, kept on disk", 0.05)):
        if name in first:
            found.append(goal(f"{name}, first call, s", first[name]["first"], most=most))
    for name, least in (("microgrid, python", 10.0), ("microgrid, numpy", 100.0)):
        if name in seconds and (eager := seconds.get("microgrid, mg.MLP on a graph")):
            found.append(goal(f"{name}, times as fast as a graph", ratio(eager, seconds[name]), least=least))
    return found


def show(figures: dict[str, Any]) -> str:
    """The two tables of what `measure` returned, and what has to hold."""
    lines = []
    for name in sorted(figures["seconds"], key=lambda name: median(figures["seconds"][name])):
        times = [figures[what].get(name) for what in ("seconds", "forward")]
        longer = figures["times as long"].get(name)
        lines.append([name, *_cells(times, microseconds), f"{longer:.2f}" if longer else "-", _first(figures, name)])
    lines += [[f"{name}, kept on disk", *"---", _first(figures, f"{name}, kept on disk")]
              for name in (NATIVE,) if name in figures["first"]]  # fmt: skip
    lines += [[f"{name}: absent", *"----"] for name in figures["absent"]]
    body = table(["", "us", "forward us", "x native", "first s"], lines)
    return "\n".join(
        [
            moons.show(figures["graphs"]),
            "",
            "The moons step by programs, and by graphs built anew: loss and 337 gradients, float64, one thread.",
            "Equal results to a relative 1e-9 first.",
            "",
            body,
            *(f"{name} failed: {why}" for name, why in figures["failed"].items()),
            *(f"{name} is absent.  To have it: {command}" for name, command in figures["absent"].items()),
            *_inside(figures),
            "",
            HOW_TO_READ,
            *(["", goals_table(figures["goals"])] if figures["goals"] else []),
        ]
    )


def _cells(times: Iterable[Any], form: Callable[[Any], str]) -> list[str]:
    return [form(one) if one else "-" for one in times]


def _first(figures: Mapping[str, Any], name: str) -> str:
    return f"{figures['first'][name]['first']:.3f}" if name in figures["first"] else "-"


def _inside(figures: Mapping[str, Any]) -> list[str]:
    return [f"{name}, without Python between the calls: {microseconds(s)} us" for name, s in figures["inside"].items()]
