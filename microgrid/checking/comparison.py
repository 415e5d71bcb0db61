"""`gradcheck(f, inputs)`: the engine's derivatives against two other routes, and whether that proves anything."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ..pictures.numbers import show
from .direction import along
from .inputs import Row, computed, exact, in_columns, in_table, row_of
from .point import Function, Point

MOST = 60  # inputs that are looked at one by one
AGAIN = 5  # calls at the same point, to see whether f is random
TRIES = 50  # points to look at for one that proves more


@dataclass(frozen=True)
class Gradcheck:
    """What `gradcheck` found; true where all agrees and something was proved.

    Attributes: value, of f; inputs, how many numbers move; rows, one for each of them, at most 60; wrong, sentences on
    what disagrees; unproved, sentences on what this point can't show.
    """

    value: float
    inputs: int
    rows: tuple[Row, ...]
    wrong: tuple[str, ...]
    unproved: tuple[str, ...]

    def __bool__(self) -> bool:
        return not self.wrong and not self.unproved

    def __str__(self) -> str:
        return "\n".join([*in_columns(self._cells()), "", *self._said()])

    def _repr_html_(self) -> str:
        return in_table(self._cells()) + "".join([f"<p>{escape(sentence)}</p>" for sentence in self._said()])

    def _cells(self) -> list[list[str]]:
        lines = [["", "at", "engine", "forward mode", "central", "±", ""]]
        for row in self.rows:
            central = row.central
            lines.append([
                row.name, show(row.at), show(row.engine), show(row.dual) or "-",
                show(central.slope) if central else "-", f"{central.error:.0e}" if central else "-",
                "kink" if row.kink else "WRONG" if row.wrong else "ok",
            ])  # fmt: skip
        return lines

    def _said(self) -> list[str]:
        said = [*self.wrong, *self.unproved] or [
            "All agree; along a random direction first and second derivative, too."
        ]
        if 0 < len(self.rows) < self.inputs:
            said.append(
                f"One by one: {len(self.rows)} of {self.inputs} inputs, drawn by chance; all along the direction."
            )
        return said


def gradcheck(f: Function, inputs: Sequence[Any], *, seed: int = 0) -> Gradcheck:
    """The gradient of f by the engine, held against central differences and forward mode, and its second derivative.

    Along a random direction the first and the second derivative are held against differences and forward mode, too.
    A kink, or a point where all gradients are 0, is named and does not pass: it proves nothing.  Of more than 60 inputs
    60 are drawn by chance to be looked at one by one.
    Arguments: f, a function of Values that returns one number; inputs, a list of its arguments, numbers or lists of
    them (whole numbers, such as an index, are not moved); seed, of the direction.
    Returns a `Gradcheck`, which is true or false, and is shown as a table with sentences.
    Raises TypeError where f or inputs can't be such, ValueError where no number can be moved, and what f raises.
    Tolerances: a difference may be off by ten times its own estimate of its error, or 1e-7 of itself; forward mode by
    1e-9 of itself; second derivatives by differences by 1e-5.  A kink is a jump of the slope by more than 1e-3 of it.
    What is checked is this point: a rule that is wrong only elsewhere, or inputs far above 1e6, want another.
    Source: Nocedal & Wright 2006, chapter 8; Griewank & Walther 2008, section 3.1.

    >>> from microgrid import tanh
    >>> bool(gradcheck(lambda x, w: tanh(w * x), [0.5, -2.0]))
    True
    >>> print(*gradcheck(lambda x: x * x + abs(x), [0.0]).unproved)
    x = 0 is on a kink: the slope is −1 to the left and 1 to the right, and the engine says 0. Try another x
    """
    point = Point("gradcheck", f, inputs)
    nothing = _no_function(point)
    if nothing:
        return Gradcheck(point.value, len(point.moving), (), (), (nothing,))
    try:
        engine = point.gradient(point.numbers)
    except (ArithmeticError, ValueError) as error:
        nowhere = f"the engine has no gradient at {point.written(point.numbers)}: {error}"
        return Gradcheck(point.value, len(point.moving), (), (), (nowhere,))
    chosen = sorted(random.Random(seed).sample(range(len(engine)), min(MOST, len(engine))))
    rows = tuple([row_of(point, i, engine[i]) for i in chosen])
    wrong = [f"d/d{row.name} is wrong: the engine says {exact(row.engine)}, {row.wrong}" for row in rows if row.wrong]
    unproved = [row.unproved for row in rows if (row.unproved and any(engine)) or row.kink or row.central is None]
    if not any(engine) and not wrong and not unproved:
        unproved.append(_nothing_moves(point, seed))
    if not wrong and not unproved:
        found, doubtful = along(point, engine, seed)
        return Gradcheck(point.value, len(engine), rows, tuple(found), tuple(doubtful))
    return Gradcheck(point.value, len(engine), rows, tuple(wrong), tuple(unproved))


def _no_function(point: Point) -> str:
    """Why nothing can be checked here at all, "" if it can."""
    at = point.written(point.numbers)
    if not all([math.isfinite(x) for x in [*point.numbers, point.value]]):
        return f"f({at[1:-1]}) is {point.value}: there is no derivative. Try other numbers"
    again = [point.value_at(point.numbers) for _ in range(AGAIN)]
    other = next((x for x in again if x != point.value), None)
    if other is None:
        return ""
    return (
        f"f({at[1:-1]}) is {exact(point.value)}, and called again {exact(other)}: f is no function of its arguments. "
        "Draw random numbers outside of f, and keep nothing from call to call"
    )


def _nothing_moves(point: Point, seed: int) -> str:
    """All gradients are 0: where are they not?"""
    rng, said = random.Random(seed), "all gradients are 0 here: this proves nothing"
    for i in range(TRIES):
        size = 1 + i // 10
        near = point.moved([round(rng.gauss(0, size), 1) for _ in point.moving])
        near = [round(x, 3) if isinstance(x, float) else x for x in near]
        slopes = computed(lambda near=near: point.gradient(near))  # type: ignore[misc]
        if slopes is not None and all(slopes):
            return f"{said}; try {point.written(near)}"
    return f"{said}, and {TRIES} points near it are no better: does f use its arguments?"
