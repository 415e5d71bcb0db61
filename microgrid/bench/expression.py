"""The expression of micrograd's README, value and gradient, with two numbers in and three out.

So small that what is measured is how a call is made.
"""

import ctypes
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..compiler import compile
from ..compiler.choice import installed
from ..engine import Value
from .peers import peers
from .tables import agree, microseconds, ratio, table
from .timing import by_turns

A, B = -4.0, 2.0
PUBLISHED = "24.7041 138.8338 645.5773"  # as micrograd's README prints them
INSIDE = 1000  # calls that follow each other without Python
FAST = 'python -m pip install "microgrid[fast]"'

Run = Callable[[], tuple]


def expression(a: Any, b: Any) -> Any:
    """As in the README, line by line.

    >>> g = expression(Value(-4.0), Value(2.0)); print(f"{g.data:.4f}")
    24.7041
    """
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    return f / 2.0 + 10.0 / f


def on_a_graph(value: Callable[[float], Any]) -> Run:
    """With a class of scalars, the graph built anew."""

    def run() -> tuple:
        a, b = value(A), value(B)
        g = expression(a, b)
        g.backward()
        return g.data, a.grad, b.grad

    return run


def by_program(backend: str) -> Run:
    """As a program, called with numbers."""
    program = compile(expression, backend=backend)

    def run() -> tuple:
        value, slopes = program.value_and_grad(A, B)
        return value, *slopes

    return run


def bound() -> Run:
    """As machine code, bound to arrays."""
    import numpy as np

    a, b = Value(A), Value(B)
    numbers, gradient = np.array([A, B]), np.empty(2)
    run = compile(expression(a, b), parameters=[a, b], backend="native").bind(parameters=numbers, out=gradient)
    return lambda: (run(), *gradient.tolist())


def in_c() -> tuple[Run, Callable[[], Any]]:
    """In C: called from Python, and so many calls without Python."""
    from .contenders.building import built

    library = built("expression.c")
    numbers, gradient = (ctypes.c_double * 2)(A, B), (ctypes.c_double * 2)()
    function, repeat = library.expression, library.expression_repeat
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_void_p] * 2
    repeat.restype, repeat.argtypes = None, [ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    where = ctypes.addressof(numbers), ctypes.addressof(gradient)

    def run(numbers: Any = numbers) -> tuple:  # who holds the array, holds its address
        return function(*where), *gradient

    def inside(kept: Any = (numbers, gradient)) -> None:
        repeat(INSIDE, *where)

    return run, inside


def runs() -> tuple[dict[str, Run], dict[str, Callable[[], Any]], dict[str, str]]:
    """Who races, by name; who runs without Python; who is absent, and what brings it."""
    found, inside, absent = {}, {}, {}
    for peer in peers().values():
        if peer.value:
            found[f"{peer.name}, a graph"] = on_a_graph(peer.value)
        else:
            absent[peer.name] = peer.install
    found["microgrid, python"] = by_program("python")
    if installed("native"):
        found |= {"microgrid, native": by_program("native"), "microgrid, native, bound": bound()}
    else:
        absent["microgrid, native"] = FAST
    if installed("numpy"):  # the folder of contenders needs it
        from .contenders.building import compiler
        from .contenders.with_c import INSTALL

        if compiler():
            found["C by hand"], inside["C by hand"] = in_c()
        else:
            absent["C by hand"] = INSTALL
    return found, inside, absent


def measure(rounds: int, seed: int = 1, everybody: bool = False) -> dict[str, Any]:
    """Compare, then time by turns; neither seed nor everybody makes a difference.

    Returns {"absent": {name: command}, "rounds": rounds, "results": [value, by a, by b], "seconds" and "inside":
    {name: one figure for each round}}.  Raises ArithmeticError where results differ.
    """
    everyone, inside, absent = runs()
    results = {name: run() for name, run in everyone.items()}
    refuse_differences(results)
    seconds = by_turns(everyone, 4 * rounds, "expression")
    alone = by_turns(inside, 4 * rounds, "C alone")
    return {
        "absent": absent,
        "rounds": 4 * rounds,
        "results": list(next(iter(results.values()))),
        "seconds": seconds,
        "inside": {name: [took / INSIDE for took in times] for name, times in alone.items()},
    }


def refuse_differences(found: Mapping[str, Sequence[float]]) -> None:
    """Raise ArithmeticError if results differ from the first, or from the published ones."""
    (first, expected), *others = found.items()
    if (got := " ".join([f"{x:.4f}" for x in expected])) != PUBLISHED:
        raise ArithmeticError(f"expression: {first} gives {got}, and has to give {PUBLISHED}; nothing was timed")
    for name, numbers in others:
        if not all([agree(a, b) for a, b in zip(expected, numbers, strict=True)]):
            raise ArithmeticError(f"expression: {first} gives {expected}, {name} {numbers}; nothing was timed")


def show(figures: dict[str, Any]) -> str:
    """The table of what `measure` returned."""
    seconds = figures["seconds"]
    base = seconds["microgrid, a graph"]
    lines = [[name, microseconds(times), f"{ratio(base, times):.2f}"] for name, times in seconds.items()]
    lines += [[f"{name}, without Python between", microseconds(times), f"{ratio(base, times):.2f}"]
              for name, times in figures["inside"].items()]  # fmt: skip
    lines += [[f"{name}: absent", "-", "-"] for name in figures["absent"]]
    return "\n".join(
        [
            "Expression: the one of micrograd's README, value and both derivatives; medians of",
            f"{figures['rounds']} rounds by turns.  Results agree to 1e-9, and with the published ones.",
            "",
            table(["", "us", "x a graph"], lines),
            *(f"{name} is absent.  To have it: {command}" for name, command in figures["absent"].items()),
        ]
    )
