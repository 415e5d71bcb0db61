"""A chain of multiply-adds, x = x * a + b, so long that recursion ends: memory and time, on graphs and as a program.

Each in a process of its own.  `growth` says what a node costs at smaller sizes.
"""

import gc
import pickle
import sys
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, process_time
from typing import Any

from ..compiler.choice import installed
from . import growth
from .peers import peers
from .tables import goal, goals_table, table
from .timing import in_a_process

LENGTH, WHOLE = 20_000, 1_000_000  # multiply-adds; the whole chain with --against all
CALLS = 5
MEGABYTES, SECONDS = 100.0, 0.5  # that the program may take
INSTALL = 'python -m pip install "microgrid[fast]"'


def on_a_graph(short: str, length: int) -> dict[str, Any]:
    """Build and backward, here: {"seconds": processor time, "megabytes": of memory that came to it, at the peak}."""
    sys.setrecursionlimit(20 * length + 1000)  # since Python 3.11 a call of Python by Python takes no stack of C's
    peer = peers()[short]
    assert peer.value
    before, start = memory("VmRSS"), process_time()
    end, leaves = growth.chain(peer.value, 2 * length)
    end.backward()
    seconds = process_time() - start
    growth.refuse_differences(peer.name, 2 * length, end, leaves)
    return {"seconds": seconds, "megabytes": memory("VmHWM") - before}


def made(length: int, path: str) -> dict[str, Any]:
    """The chain as a program, here, pickled to a file: {"compile": seconds, "first": of the first call}."""
    from ..compiler import compile
    from ..engine import Value

    end, leaves = growth.chain(Value, 2 * length)
    start = process_time()
    program = compile(end, parameters=leaves, backend="native")
    compiled = process_time()
    refuse_differences(length, program.value_and_grad())
    first = process_time()
    with Path(path).open("wb") as file:
        pickle.dump(program, file, 5)
    return {"compile": compiled - start, "first": first - compiled}


def called(length: int, path: str) -> dict[str, Any]:
    """The program out of its pickle, called here: {"seconds": of each call, "megabytes": of program and call}."""
    import llvmlite.binding
    import numpy

    from ..compiler.native import interpreter

    kept = llvmlite.binding, numpy, interpreter  # loaded, which is not the program's
    gc.collect()
    before = memory("VmRSS")
    with Path(path).open("rb") as file:
        program = pickle.load(file)
    seconds = []
    for _ in range(CALLS + 1):
        start = perf_counter()
        found = program.value_and_grad()
        seconds.append(perf_counter() - start)
    refuse_differences(length, found)
    del kept
    return {"first": seconds[0], "seconds": seconds[1:], "megabytes": memory("VmHWM") - before}


def refuse_differences(length: int, found: Any) -> None:
    """Raise ArithmeticError if a program's value and gradient are not those of the closed form."""
    value, gradient = found
    growth.refuse_differences("the program", 2 * length, _Number(value, 0.0), [_Number(0.0, x) for x in gradient])


class _Number:
    def __init__(self, data: float, grad: float) -> None:
        self.data, self.grad = data, grad


def memory(what: str) -> float:
    """Megabytes of this process: VmRSS, now, or VmHWM, at most so far, as Linux says; elsewhere the latter for both.

    `getrusage` on Linux counts what the parent had when it started this process, too.
    """
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
        [line] = [line for line in lines if line.startswith(what)]
        return int(line.split()[1]) / 1000
    except (OSError, ValueError):
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1e6 if sys.platform == "darwin" else 1e3)


def measure(rounds: int, seed: int = 1, everybody: bool = False, length: int | None = None) -> dict[str, Any]:
    """Graphs and the program, once each (the program called five times); seed makes no difference.

    Returns {"absent": {name: command}, "failed": {name: why}, "length": multiply-adds, "graphs": {name: {"seconds",
    "megabytes"}}, "program": {"compile", "first", "seconds", "megabytes"} or {}, "goals": [...]}.
    Raises ArithmeticError where results differ from the closed form.
    """
    length = length or (WHOLE if everybody else LENGTH)
    figures: dict[str, Any] = {"absent": {}, "failed": {}, "length": length, "graphs": {}, "program": {}}
    for short, peer in peers().items():
        if peer.value is None:
            figures["absent"][peer.name] = peer.install
        elif short != "micrograd" or everybody:
            try:
                arguments = {"short": short, "length": length}
                figures["graphs"][peer.name] = in_a_process(f"{__name__}:on_a_graph", arguments)
            except RuntimeError as error:
                figures["failed"][peer.name] = str(error)
    if not installed("native"):
        figures["absent"]["microgrid, native"] = INSTALL
        return figures | {"goals": goals(figures)}
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        arguments = {"length": length, "path": str(Path(folder, "chain.pickle"))}
        try:
            first = in_a_process(f"{__name__}:made", arguments)
            figures["program"] = first | in_a_process(f"{__name__}:called", arguments, 1)
        except RuntimeError as error:
            figures["failed"]["microgrid, native"] = str(error)
    return figures | {"goals": goals(figures)}


def goals(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What has to hold."""
    graphs, program = figures["graphs"], figures["program"]
    found = []
    if {"microgrid", "microgpt's design"} <= graphs.keys():
        share = graphs["microgrid"]["megabytes"] / graphs["microgpt's design"]["megabytes"]
        found.append(goal("memory of a graph, times that of microgpt's", share, most=1))
    if program:
        found.append(goal("the program with its call, MB", program["megabytes"], most=MEGABYTES))
        found.append(goal("a call, s", median(program["seconds"]), most=SECONDS))
    return found


def show(figures: dict[str, Any]) -> str:
    """The table of what `measure` returned."""
    length = f"{figures['length']:,}".replace(",", " ")
    lines = [[f"{name}, a graph", f"{one['seconds']:.2f}", f"{one['megabytes']:.0f}"]
             for name, one in figures["graphs"].items()]  # fmt: skip
    if program := figures["program"]:
        lines.append(["microgrid, native", f"{median(program['seconds']):.3f}", f"{program['megabytes']:.0f}"])
    return "\n".join(
        [
            f"Chain: {length} multiply-adds, value and three derivatives, equal to their closed form; in fresh",
            "processes.  MB: what came to the process, of a program from its pickle on.",
            "",
            table(["", "s", "MB"], lines),
            *([f"To make the program took {program['compile']:.1f} s."] if program else []),
            *(f"{name} failed: {why}" for name, why in figures["failed"].items()),
            *(f"{name} is absent.  To have it: {command}" for name, command in figures["absent"].items()),
            *(["", goals_table(figures["goals"])] if figures["goals"] else []),
        ]
    )
