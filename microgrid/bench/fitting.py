"""An epoch of learning two moons: `fit`, and the loop of micrograd's own demo, written out.

100 points, MLP(2, [16, 16, 1]), relu, max-margin (hinge) loss plus 1e-4 L2, one step with all
points, learning rate 1.0 - 0.9 k / 100.  After three epochs from equal weights all 337
parameters have to agree before anything is timed.
"""

import importlib
import random
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from ..nn import MLP
from .moons import NIN, NOUTS, POINTS, make_points
from .peers import peers
from .tables import agree, interleaved, ratio, table

EPOCHS = 3  # until the parameters are compared
TOLERANCE = 1e-9


def micrograds_loop(model: Any, xs: list, ys: list, epochs: int) -> None:
    """The cell of micrograd's demo.ipynb, without the printing."""
    value = importlib.import_module("micrograd.engine").Value
    for k in range(epochs):
        scores = [model(list(map(value, x))) for x in xs]
        losses = [(1 + -y * score).relu() for y, score in zip(ys, scores)]
        loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in model.parameters())
        model.zero_grad()
        loss.backward()
        lr = 1.0 - 0.9 * k / 100
        for p in model.parameters():
            p.data -= lr * p.grad


def our_fit(model: Any, xs: list, ys: list, epochs: int) -> None:
    """The same as a user of microgrid writes it."""
    from ..training import SGD, fit, hinge, l2, schedules  # only here, so that a growth worker's process stays small

    fit(
        model, (xs, ys), hinge, SGD(model.parameters(), lr=1.0), epochs,
        schedule=schedules.linear(1.0, 0.1, 100), penalty=partial(l2, strength=1e-4), shuffle=False, show=False,
    )  # fmt: skip


def measure(rounds: int, seed: int = 1) -> dict[str, Any]:
    """Compare the parameters after three epochs, then time one epoch of each by turns.

    Returns {"absent": {name: command that installs it}, "results": how many numbers agreed,
    "rounds": rounds, "seconds": {name: one figure for each round}, "times as fast": that of
    `fit`, by medians, or None where micrograd is not}.  Raises ArithmeticError if the results differ.
    """
    micrograd = peers()["micrograd"]
    loops: dict[str, tuple[Callable, Any]] = {"microgrid, fit": (our_fit, MLP(NIN, NOUTS))}
    if micrograd.value:
        own = importlib.import_module("micrograd.nn").MLP(NIN, NOUTS)
        loops = {f"{micrograd.name}, its own loop": (micrograds_loop, own), **loops}
    xs, ys = make_points(seed)
    found = {name: _learned(loop, model, xs, ys, seed) for name, (loop, model) in loops.items()}
    refuse_differences(found)
    turns = {name: partial(loop, model, xs, ys, 1) for name, (loop, model) in loops.items()}
    seconds = interleaved(turns, rounds, "fit")
    times = list(seconds.values())
    return {
        "absent": {} if micrograd.value else {micrograd.name: micrograd.install},
        "results": len(found["microgrid, fit"]),
        "rounds": rounds,
        "seconds": seconds,
        "times as fast": ratio(times[0], times[1]) if len(times) == 2 else None,
    }


def refuse_differences(found: dict[str, list[float]]) -> None:
    """Raise ArithmeticError if the parameters, given by name, are not all equal to a relative 1e-9."""
    (first, expected), *others = found.items()
    for name, numbers in others:
        for i, (a, b) in enumerate(zip(expected, numbers, strict=True)):
            if not agree(a, b, TOLERANCE):
                raise ArithmeticError(f"fit: parameter {i} is {a!r} by {first} and {b!r} by {name}; nothing was timed")


def _learned(loop: Callable, model: Any, xs: list, ys: list, seed: int) -> list[float]:
    rng = random.Random(seed)
    for parameter in model.parameters():
        parameter.data = rng.uniform(-1, 1)
    loop(model, xs, ys, EPOCHS)
    return [parameter.data for parameter in model.parameters()]


def show(figures: dict[str, Any]) -> str:
    """The table of what `measure` returned."""
    times = figures["times as fast"]
    ratios = {"microgrid, fit": f"{times:.2f}"} if times else {}
    lines = [
        [name, *[f"{1000 * f(seconds):.1f}" for f in (median, min, max)], ratios.get(name, "1.00" if times else "-")]
        for name, seconds in figures["seconds"].items()
    ]
    lines += [[f"{name}: absent", *"----"] for name in figures["absent"]]
    return "\n".join(
        [
            f"An epoch of learning the moons: {POINTS} points, MLP({NIN}, {NOUTS}), relu, hinge + 1e-4 L2, one step.",
            f"After {EPOCHS} epochs {figures['results']} parameters agree to a relative {TOLERANCE:.0e}.",
            f"{figures['rounds']} rounds by turns, processor time; micrograd with the collector, as it is used.",
            "",
            table(["", "median ms", "fastest", "slowest", "x micrograd"], lines),
            *(f"{name} is absent.  To have it: {command}" for name, command in figures["absent"].items()),
        ]
    )
