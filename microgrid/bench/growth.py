"""How the cost of a node grows with the graph: a chain of multiply-adds, 10^3 to 10^6 nodes.

Each figure comes from processes of their own, since what else lives in a process is work
for its garbage collector.  The gradients have to equal their closed form.
"""

import gc
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Callable, Iterable, Sequence
from statistics import median
from time import perf_counter, process_time
from typing import Any

from .peers import peers
from .tables import agree, ratio, table

SIZES = (10**3, 10**4, 10**5, 10**6)
SLOW = 6.0  # seconds: a peer that has taken this long in all is not measured again
WEIGHED_DEEP = 10**4  # nodes: tracemalloc walks the whole recursion at each allocation, so not a million of them
A, B, START = 1 - 2**-10, 0.5, 1.0  # A**500_000 is 7e-213: no underflow at a million nodes
TOLERANCE = 1e-9
NOTHING = sys.float_info.min  # below it, a power that is multiplied step by step stops shrinking: 0.999 rounds to 1
ENDS = (("ratio", ".2f"), ("bytes a node", ".0f"))  # the last columns of the table

HOW_TO_READ = """\
Read along a row: an engine whose cost is linear has a ratio near 1.  The ratio is that of the
largest graph to the smallest, of ns a node."""


def chain(value: Callable[[float], Any], nodes: int) -> tuple[Any, list]:
    """x = x * a + b, so often that there are that many nodes; returns the last one, and the leaves [x, a, b]."""
    leaves = [value(START), value(A), value(B)]
    x, a, b = leaves
    for _ in range(nodes // 2):
        x = x * a + b
    return x, leaves


def closed_form(nodes: int) -> list[float]:
    """The result of the chain and its gradients by x, a and b, as sums of geometric series.

    After n steps the result is x a^n + b (1 + a + ... + a^(n-1)).

    >>> end, leaves = chain(peers()["microgrid"].value, 10)
    >>> end.backward()
    >>> all(map(agree, closed_form(10), [end.data, *(leaf.grad for leaf in leaves)]))
    True
    """
    n, rest = nodes // 2, 1 - A
    power = A**n
    ones = (1 - power) / rest  # 1 + a + ... + a^(n-1)
    slope = (ones - n * A ** (n - 1)) / rest  # its derivative by a
    return [START * power + B * ones, power, START * n * A ** (n - 1) + B * slope, ones]


def refuse_differences(name: str, nodes: int, end: Any, leaves: Iterable[Any]) -> None:
    """Raise ArithmeticError if the chain's result and gradients are not those of the closed form, to 1e-9.

    Numbers below the smallest normal one are as good as 0.
    """
    got = [end.data, *(leaf.grad for leaf in leaves)]
    for what, a, b in zip(("the result", "d/dx", "d/da", "d/db"), closed_form(nodes), got):
        if not agree(a, b, TOLERANCE) and max(abs(a), abs(b)) >= NOTHING:
            raise ArithmeticError(f"growth: {what} of {nodes} nodes is {b!r} by {name}, but has to be {a!r}")


def time_chain(name: str, value: Callable[[float], Any], nodes: int) -> float:
    """Seconds of build + backward, the mean of as many repetitions as make twenty thousand nodes, at most 20."""
    end, leaves = chain(value, 100)  # what is slow the first time only is not timed
    end.backward()
    total, repetitions = 0.0, max(1, 20_000 // max(nodes, 1000))
    for _ in range(repetitions):
        del end, leaves
        gc.collect()
        start = process_time()
        end, leaves = chain(value, nodes)
        end.backward()
        total += process_time() - start
    refuse_differences(name, nodes, end, leaves)
    return total / repetitions


def weigh_chain(name: str, value: Callable[[float], Any], nodes: int) -> float:
    """Bytes in use at the peak of build + backward, less those before, by tracemalloc.

    The collector is off, which saves time and changes nothing: until the end nothing is garbage.
    """
    gc.collect()
    gc.disable()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    end, leaves = chain(value, nodes)
    end.backward()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    refuse_differences(name, nodes, end, leaves)
    return peak - before


def worker(arguments: Sequence[str]) -> None:
    """What a process of its own does: one measurement, printed as JSON.

    Arguments: time or weigh; the peer's short name; nodes; deep, to raise the recursion limit.
    Prints {"figure": ...} or {"error": why there is none}.
    """
    what, short, nodes, depth = arguments
    if depth == "deep":  # since Python 3.11 a call of Python by Python takes no stack of C's: this is safe
        sys.setrecursionlimit(10 * int(nodes) + 1000)
    peer = peers()[short]
    assert peer.value
    try:
        figure = (time_chain if what == "time" else weigh_chain)(peer.name, peer.value, int(nodes))
        answer: dict[str, Any] = {"figure": figure}
    except (RecursionError, ArithmeticError) as error:
        answer = {"error": "RecursionError" if isinstance(error, RecursionError) else str(error)}
    print(json.dumps(answer), flush=True)
    os._exit(0)  # a deep graph takes long to free, and some recurse over it


def in_a_process(what: str, short: str, nodes: int, deep: bool) -> dict[str, Any]:
    """`worker` in a fresh process, which finds microgrid and the peers where this one does."""
    code = "import sys; from microgrid.bench.growth import worker; worker(sys.argv[1:])"
    done = subprocess.run(
        [sys.executable, "-c", code, what, short, str(nodes), "deep" if deep else "as it comes"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )
    if done.returncode:
        return {"error": f"its process ended with status {done.returncode}"}
    return json.loads(done.stdout)


def measure(rounds: int, sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Time each peer at each size by turns, and weigh it.

    A peer that fails with RecursionError is measured with the limit raised from then on.
    Returns {"absent": {name: command that installs it}, "rounds": rounds, "ns a node":
    {name: {size: one figure for each process}}, "ratio": {name: largest size to smallest},
    "bytes a node": {name: at the largest size, or at 10 000 if the limit was raised},
    "RecursionError": {name: the smallest size that has it}, "failed": {name: why}}.
    Raises ArithmeticError for a wrong gradient.
    """
    from ..training.progress import progress  # only here, so that a worker's process stays small

    found = peers()
    present = {short: peer.name for short, peer in found.items() if peer.value}
    nanoseconds: dict[str, dict[int, list[float]]] = {name: {size: [] for size in sizes} for name in present.values()}
    weights: dict[str, float] = {}
    recursion: dict[str, int] = {}
    failed: dict[str, str] = {}
    spent = {(short, size): 0.0 for short in present for size in sizes}

    turns = [("time", short, size) for _ in range(rounds) for size in sizes for short in present]
    turns += [("weigh", short, max(sizes)) for short in present]
    for what, short, size in progress(turns, len(turns), "growth"):
        name = present[short]
        if name in failed or (what == "time" and short != "microgrid" and spent[short, size] > SLOW):
            continue
        if what == "weigh" and name in recursion:
            size = min(size, WEIGHED_DEEP)
        start = perf_counter()
        answer = in_a_process(what, short, size, deep=name in recursion and size >= recursion[name])
        if answer.get("error") == "RecursionError" and name not in recursion:
            recursion[name] = size
            answer = in_a_process(what, short, size, deep=True)
        if answer.get("error", "").startswith("growth: "):
            raise ArithmeticError(answer["error"])
        if "error" in answer:
            failed[name] = f"{size} nodes: {answer['error']}"
        elif what == "time":
            spent[short, size] += perf_counter() - start
            nanoseconds[name][size].append(answer["figure"] / size * 1e9)
        else:
            weights[name] = answer["figure"] / size
    return {
        "absent": {peer.name: peer.install for peer in found.values() if not peer.value},
        "rounds": rounds,
        "ns a node": nanoseconds,
        "ratio": {
            name: ratio(by_size[max(sizes)], by_size[min(sizes)])
            for name, by_size in nanoseconds.items()
            if name not in failed
        },
        "bytes a node": weights,
        "RecursionError": recursion,
        "failed": failed,
    }


def show(figures: dict[str, Any]) -> str:
    """The table of what `measure` returned, and how to read it."""
    lines, sizes, rounds = [], [], figures["rounds"]
    for name, by_size in figures["ns a node"].items():
        sizes = list(by_size)
        ns = [f"{median(measured):.0f}" if measured else "-" for measured in by_size.values()]
        ends = [f"{figures[what][name]:{form}}" if name in figures[what] else "-" for what, form in ENDS]
        lines.append([name, *ns, *ends])
    lines += [[f"{name}: absent", *"-" * (len(sizes) + len(ENDS))] for name in figures["absent"]]
    return "\n".join(
        [
            "Growth: ns a node of build + backward, for a chain x = x * a + b of so many nodes; garbage collector",
            f"on.  Medians of {rounds} processes by turns, for a peer fewer once they took {SLOW:.0f} s in all.",
            f"Gradients equal their closed form to a relative {TOLERANCE:.0e}.  Bytes a node: at the peak of the",
            "largest, as tracemalloc counts.",
            "",
            table(["", *(f"{size:,}".replace(",", " ") for size in sizes), "ratio", "bytes a node"], lines),
            *(
                f"{name}: RecursionError from {size} nodes on; limit raised for them; {WEIGHED_DEEP} nodes weighed."
                for name, size in figures["RecursionError"].items()
            ),
            *(f"{name}: no figure; {why}." for name, why in figures["failed"].items()),
            *(f"{name} is absent.  To have it: {command}" for name, command in figures["absent"].items()),
            "",
            HOW_TO_READ,
        ]
    )
