"""What a program costs before it runs, by its size: recording, machine code, the first result.

The function has no pattern that a loop could run along: each operation is drawn by chance, of two of the last 50.
"""

import random
from collections.abc import Mapping, Sequence
from time import perf_counter, process_time
from typing import Any

from ..compiler.choice import installed
from .tables import agree, goal, table
from .timing import in_a_process

SIZES = (1000, 5000, 40_000)
ALL_SIZES = (1000, 10_000, 100_000, 340_000)  # of a function; with its gradient about three times as many
LEAVES, BACK = 10, 50
INSTALL = 'python -m pip install "microgrid[fast]"'


def tangle(leaves: Sequence[Any], operations: int, seed: int = 1) -> Any:
    """A function of so many operations, whose values stay within -1 and 1 or near."""
    rng = random.Random(seed)
    nodes = [*leaves]
    for _ in range(operations):
        a, b = rng.choices(nodes[-BACK:], k=2)
        nodes.append(rng.choice([_mean, _product, _difference, _curve])(a, b))
    return sum(nodes[-BACK:], 0.0)


def _mean(a: Any, b: Any) -> Any:
    return (a + b) * 0.5


def _product(a: Any, b: Any) -> Any:
    return a * b


def _difference(a: Any, b: Any) -> Any:
    return a - b * 0.5


def _curve(a: Any, b: Any) -> Any:
    from ..functions import tanh

    return tanh(a + b)


def made(operations: int) -> dict[str, Any]:
    """One size, in this process: its program's figures, after its result was held against the graph's."""
    from ..compiler import compile
    from ..engine import Value

    leaves = [Value(0.1 * i - 0.45) for i in range(LEAVES)]
    root = tangle(leaves, operations)
    root.backward()
    expected = [root.data, *(leaf.grad for leaf in leaves)]
    start, used = perf_counter(), process_time()
    program = compile(tangle(leaves, operations), parameters=leaves, backend="native")
    recorded = process_time() - used
    begun = perf_counter()
    value, gradient = program.value_and_grad()
    seconds, all_used = perf_counter() - start, process_time() - used
    called = seconds - (begun - start)
    for a, b in zip(expected, [value, *gradient], strict=True):
        if not agree(a, b):
            raise ArithmeticError(f"making: {operations} operations give {a!r} on a graph and {b!r} as a program")
    stats = program.stats()
    figures = {"operations": stats["operations"], "code": stats["code generation s"], "recording": recorded}
    return figures | {"call": called, "first": seconds, "used": all_used}


def measure(sizes: Sequence[int] = SIZES) -> dict[str, Any]:
    """Each size in a process of its own, with an empty folder for kept code.

    Returns {"absent": {name: command}, "sizes": {operations of the function: {"operations", of the tape, "code" and
    "recording", seconds, "call", seconds from the tape to the first result, "first", from the function, "used", of
    processor time}}}.
    """
    from tempfile import TemporaryDirectory

    if not installed("native"):
        return {"absent": {"llvmlite": INSTALL}, "sizes": {}}
    found = {}
    with TemporaryDirectory(ignore_cleanup_errors=True) as cache:
        for size in sizes:
            found[size] = in_a_process(f"{__name__}:made", {"operations": size}, 1, cache)
    return {"absent": {}, "sizes": found}


def goals(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What has to hold of code generation."""
    found = [
        goal(f"code generation, us an operation: {one['operations']}", 1e6 * one["code"] / one["operations"], most=60)
        for one in figures["sizes"].values()
    ]
    largest = max(figures["sizes"].values(), key=lambda one: one["operations"], default=None)
    if largest and largest["operations"] >= 10**6:
        found.append(goal(f"from a tape to its first result, s: {largest['operations']}", largest["call"], most=5))
    return found


def show(figures: Mapping[str, Any]) -> str:
    """The table of what `measure` returned."""
    lines = []
    for one in figures["sizes"].values():
        each = [f"{1e6 * one[what] / one['operations']:.1f}" for what in ("recording", "code", "call")]
        lines.append([f"{one['operations']:,}".replace(",", " "), *each, f"{one['first']:.2f}"])
    header = ["operations", "recording", "code", "first call", "s in all"]
    return "\n".join(
        [
            "A program before it runs, us an operation of its tape, by the size of a tangle without loops.",
            "Recording: from the function to the tape; first call: from there to a result, with code generation.",
            "",
            table(header, lines),
            *(f"{name} is absent.  To have it: {command}" for name, command in figures["absent"].items()),
        ]
    )
