"""One number that goes into a function, and its derivative by three routes."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ..pictures.numbers import show
from .differences import Difference, Kink, difference, kink
from .point import Point

DUAL = 1e-9  # relative: both routes are exact but for rounding
LOST = 1e-5  # rounding, relative to the slopes, with which a small step says nothing
VAGUE = 1e-3  # an error of the difference, relative to the derivative, that lets anything pass


@dataclass(frozen=True)
class Row:
    """One input: its name and number; d f / d input by the engine, in forward mode and by central differences."""

    name: str
    at: float
    engine: float
    dual: float | None
    central: Difference | None
    kink: Kink | None

    @property
    def wrong(self) -> str:
        """What disagrees, nothing if nothing does."""
        if self.kink is not None:
            return ""
        if self.central is not None and not self.central.agrees(self.engine):
            said = f"central differences say {exact(self.central.slope)}"
            if self.dual is not None and math.isclose(self.dual, self.engine, rel_tol=DUAL, abs_tol=1e-12):
                return f"{said}. What the graph computes is not all of f: does it use {self.name}.data?"
            return said
        if self.dual is not None and not math.isclose(self.dual, self.engine, rel_tol=DUAL, abs_tol=1e-12):
            return f"forward mode says {exact(self.dual)}"
        return ""

    @property
    def unproved(self) -> str:
        """Why nothing is shown here, nothing if something is."""
        x = f"{self.name} = {show(self.at)}"
        if self.kink is not None and self.kink.steep:
            return f"{x} is where f jumps: there is no derivative. Try another {self.name}"
        if self.kink is not None:
            left, right = show(short(self.kink.left)), show(short(self.kink.right))
            return (
                f"{x} is on a kink: the slope is {left} to the left and {right} to the right, and the engine says "
                f"{show(self.engine)}. Try another {self.name}"
            )
        if self.central is None:
            return f"{x} is at the edge of where f is defined: there is no value on both sides of it"
        off = 10 * self.central.error
        if self.dual is None and off > max(VAGUE * abs(self.engine), 1e-7):
            return (
                f"d/d{self.name}: central differences say {show(self.central.slope)} ± {off:.0e} by rounding, and "
                "forward mode does not know the operation: this proves nothing. Try smaller numbers"
            )
        return ""


def row_of(point: Point, position: int, engine: Any) -> Row:
    """The input at this position of those that move; engine, its derivative."""
    x = point.numbers[point.moving[position]]
    scales = [max(abs(x), 1.0), *([abs(x)] if 0 < abs(x) < 1 else [])]
    only = [float(i == position) for i in range(len(point.moving))]

    def g(h: float) -> float:
        return point.value_at(point.moved([h * one for one in only]))

    return Row(
        point.names[point.moving[position]], x, engine, computed(lambda: point.jet(only).slopes[0]),
        difference(g, scales, point.size), _kink(g, scales, point.size),
    )  # fmt: skip


def _kink(g: Callable[[float], float], scales: Sequence[float], size: float) -> Kink | None:
    """A kink; near 0 none where a step that suits the number itself shows a slope (1 / x at 1e-8)."""
    found = kink(g, scales[0], size)
    if found is None or len(scales) == 1:
        return found
    near, rounding = kink(g, scales[1], size), 2e-8 * size / scales[1]
    return found if near or rounding > LOST * max(abs(found.left), abs(found.right)) else None


def computed(f: Callable[[], Any]) -> Any:
    """What f gives, None where it can't be computed."""
    try:
        return f()
    except (ArithmeticError, ValueError):
        return None


def short(x: float) -> float | int:
    near = round(x, 4)
    return int(near) if near == int(near) else near


def exact(x: float) -> str:
    return f"{x:.10g}"


def in_columns(lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells, each column as wide as it has to be, the first flush left."""
    widths = [max(map(len, column)) for column in zip(*lines)]
    return [
        "  ".join([line[0].ljust(widths[0]), *[cell.rjust(w) for cell, w in zip(line[1:], widths[1:])]]).rstrip()
        for line in lines
    ]


def in_table(lines: Sequence[Sequence[str]]) -> str:
    """The same lines as an HTML table, the first its header; on a narrow screen it scrolls."""
    header, *rows = [[escape(cell) for cell in line] for line in lines]
    head = "".join([f"<th>{cell}</th>" for cell in header])
    body = "".join([f"<tr>{''.join([f'<td>{cell}</td>' for cell in row])}</tr>" for row in rows])
    return f'<div style="overflow-x: auto; white-space: nowrap"><table><tr>{head}</tr>{body}</table></div>'
