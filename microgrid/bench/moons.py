"""One full step of learning two moons, by every engine: build the graph of the loss, then backward.

100 points, MLP(2, [16, 16, 1]), relu, max-margin (hinge) loss plus 1e-4 L2, all weights
equal.  The loss and all 337 gradients have to agree before anything is timed.
"""

import importlib
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any

from ..engine import Value
from ..nn import MLP
from .peers import Peer, peers
from .tables import agree, interleaved, ratio, table

NIN, NOUTS = 2, [16, 16, 1]
POINTS = 100
TOLERANCE = 1e-9
BASES = ("micrograd", "microgpt")  # whose speed is 1, column by column

HOW_TO_READ = """\
Read the ratios, not the milliseconds: "x micrograd" says how many times as fast as micrograd a row
is, by medians.  The rows product by product run the same code and build the same nodes, so they
compare the classes; the row mg.MLP is what a user of microgrid gets, one node for a dot product."""


class ProductByProduct:
    """The code of micrograd's own `nn.MLP`, for any class of scalars: a node for each product and each sum."""

    def __init__(self, value: Callable[[float], Any], nin: int, nouts: Sequence[int]) -> None:
        self.layers = [
            [([value(0.0) for _ in range(n)], value(0.0)) for _ in range(nout)] for n, nout in zip([nin, *nouts], nouts)
        ]

    def __call__(self, x: list) -> Any:
        for layer in self.layers:
            sums = [sum((wi * xi for wi, xi in zip(w, x)), b) for w, b in layer]
            x = sums if layer is self.layers[-1] else [out.relu() for out in sums]
        return x[0] if len(x) == 1 else x

    def parameters(self) -> list:
        return [parameter for layer in self.layers for w, b in layer for parameter in (*w, b)]


@dataclass(frozen=True)
class Row:
    """A line of the table: a name, a class of scalars, and a model with `parameters()` made of them."""

    name: str
    value: Callable[[float], Any]
    model: Any


def make_rows(found: dict[str, Peer]) -> list[Row]:
    """Who races: micrograd with its own MLP, every other class with that same code, and `mg.MLP`."""
    rows = []
    for short, peer in found.items():
        if short == "micrograd" and peer.value:
            rows.append(
                Row(f"{peer.name}, its own MLP", peer.value, importlib.import_module("micrograd.nn").MLP(NIN, NOUTS))
            )
        elif peer.value:
            rows.append(Row(f"{peer.name}, product by product", peer.value, ProductByProduct(peer.value, NIN, NOUTS)))
    return [*rows, Row("microgrid, mg.MLP", Value, MLP(NIN, NOUTS))]


def make_points(seed: int = 1) -> tuple[list[list[float]], list[int]]:
    """Two interleaving half circles with a little noise, and their labels 1 and -1."""
    from ..training import make_moons  # only here, so that a growth worker's process stays small

    xs, classes = make_moons(POINTS, noise=0.1, seed=seed)
    return xs, [2 * c - 1 for c in classes]


def set_weights(row: Row, seed: int = 1) -> None:
    """Give the model the weights that every model gets."""
    rng = random.Random(seed)
    for parameter in row.model.parameters():
        parameter.data = rng.uniform(-1, 1)


def step(row: Row, xs: list[list[float]], ys: list[int]) -> Any:
    """Build and differentiate the loss of all points, as micrograd's demo does; returns the loss."""
    scores = [row.model(list(map(row.value, x))) for x in xs]
    losses = [(1 + -y * score).relu() for y, score in zip(ys, scores)]
    loss = sum(losses) * (1.0 / len(losses)) + 1e-4 * sum(p * p for p in row.model.parameters())
    loss.backward()
    return loss


def results(row: Row, xs: list[list[float]], ys: list[int]) -> list[float]:
    """The loss, then the gradient of each parameter."""
    parameters = row.model.parameters()
    for parameter in parameters:
        parameter.grad = 0
    return [step(row, xs, ys).data, *(parameter.grad for parameter in parameters)]


def refuse_differences(found: dict[str, list[float]]) -> None:
    """Raise ArithmeticError if the rows' results, given by name, are not all equal to a relative 1e-9."""
    (first, expected), *others = found.items()
    for name, numbers in others:
        for i, (a, b) in enumerate(zip(expected, numbers, strict=True)):
            if not agree(a, b, TOLERANCE):
                what = "the loss" if i == 0 else f"gradient {i} of {len(expected) - 1}"
                raise ArithmeticError(f"moons: {what} is {a!r} by {first} and {b!r} by {name}; nothing was timed")


def measure(rounds: int, seed: int = 1, rows: Sequence[Row] | None = None) -> dict[str, Any]:
    """Compare the results of all rows, then time them by turns.

    Returns {"absent": {name: command that installs it}, "results": how many numbers agreed,
    "rounds": rounds, "seconds": {name of the row: one figure for each round},
    "times as fast": {base: {name of the row: ratio of the medians}}}.
    Raises ArithmeticError if the results differ.
    """
    found = peers()
    rows = make_rows(found) if rows is None else rows
    xs, ys = make_points(seed)
    for row in rows:
        set_weights(row, seed)
    numbers = {row.name: results(row, xs, ys) for row in rows}
    refuse_differences(numbers)
    seconds = interleaved({row.name: partial(step, row, xs, ys) for row in rows}, rounds, "moons")
    return {
        "absent": {peer.name: peer.install for peer in found.values() if not peer.value},
        "results": len(numbers[rows[0].name]),
        "rounds": rounds,
        "seconds": seconds,
        "times as fast": {
            base: {name: ratio(seconds[row], own) for name, own in seconds.items()}
            for base in BASES
            for row in seconds
            if row.startswith(base)
        },
    }


def show(figures: dict[str, Any]) -> str:
    """The table of what `measure` returned, and how to read it."""
    faster = figures["times as fast"]
    lines = []
    for name, seconds in figures["seconds"].items():
        times = [f"{1000 * f(seconds):.1f}" for f in (median, min, max)]
        lines.append([name, *times, *(f"{faster[base][name]:.2f}" if base in faster else "-" for base in BASES)])
    lines += [[f"{name}: absent", *"-----"] for name in figures["absent"]]
    return "\n".join(
        [
            f"The moons step: {POINTS} points, MLP({NIN}, {NOUTS}), relu, hinge + 1e-4 L2; build + backward.",
            f"{figures['results']} results (the loss, then every gradient) agree to a relative {TOLERANCE:.0e}.",
            f"{figures['rounds']} rounds by turns, processor time, garbage collector on; between two measurements the",
            "graph is dropped and the collector run.",
            "",
            table(["", "median ms", "fastest", "slowest", "x micrograd", "x microgpt"], lines),
            *(f"{name} is absent.  To have it: {command}" for name, command in figures["absent"].items()),
            "",
            HOW_TO_READ,
        ]
    )
