"""Derivatives by differences of values: with an estimate of their error, and what is there in place of a derivative.

Sources: Ridders 1982, "Accurate computation of F'(x) and F'(x)F''(x)"; Nocedal & Wright 2006, section 8.1, for the
step: with an error of the difference like h^4 after one extrapolation and one of rounding like eps / h, the best h is
about eps^(1/5), 7e-4.
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

EPSILON = sys.float_info.epsilon
STEPS = (
    EPSILON**0.2,
    1e-4,
    1e-5,
    1e-6,
    1e-7,
    1e-8,
)  # times the scale: smaller ones where f bends sharply, or a kink is near
GOOD = 1e-9  # an error, relative to the derivative, with which no smaller step is tried
KINK = (1e-6, 1e-7)  # steps to the left and to the right
BENT = 1e-3  # a jump of the slope, relative to the larger slope, that is a kink


@dataclass(frozen=True)
class Difference:
    """A derivative by central differences, and about how wrong it may be."""

    slope: float
    error: float

    def agrees(self, other: float) -> bool:
        """Whether another figure may be the same derivative: to ten times the error, or to 1e-7 of itself."""
        return math.isfinite(other) and abs(other - self.slope) <= 10 * self.error + 1e-7 * max(
            abs(other), abs(self.slope)
        )


@dataclass(frozen=True)
class Kink:
    """No derivative: the slopes to the left and to the right; steep, whether the value itself jumps."""

    left: float
    right: float
    steep: bool


def difference(g: Callable[[float], float], scales: Sequence[float], size: float = 0.0) -> Difference | None:
    """g'(0), by central differences at several steps, the one of the least error.

    That is estimated by the next smaller step, and by the rounding of the values.
    Arguments: g, a function of the distance; scales, of what is moved; size, of the largest number that g comes by, if
    it is larger than g.  Returns None where g can't be computed on both sides.

    >>> found = difference(lambda h: math.sin(1 + h), [1.0])
    >>> abs(found.slope - math.cos(1)) < found.error < 1e-10
    True
    """
    found = []
    for scale in scales:
        before = None
        for step in STEPS:
            now = _extrapolated(g, step * scale, size)
            if before is not None and now is not None:
                one = Difference(before[0], abs(before[0] - now[0]) + before[1])
                if one.slope and one.error <= GOOD * abs(one.slope):
                    return one
                if one.error == one.error:
                    found.append(one)
            before = now or before
    moved = [one for one in found if one.slope]  # steps past a narrow bump see nothing of it
    return min(moved or found, key=lambda one: one.error, default=None)


def _extrapolated(g: Callable[[float], float], h: float, size: float) -> tuple[float, float] | None:
    """(g(h) - g(-h)) / 2h, once extrapolated, and its error by rounding; None where that can't be computed."""
    try:
        right, left, near_right, near_left = g(h), g(-h), g(h / 2), g(-h / 2)
        whole, half = (right - left) / (2 * h), (near_right - near_left) / h
        rounding = 4 * EPSILON * max(abs(right), abs(left), size) / h
    except (ArithmeticError, ValueError):
        return None
    return (4 * half - whole) / 3, rounding


def kink(g: Callable[[float], float], scale: float, size: float = 0.0) -> Kink | None:
    """The kink of g at 0, None if there is none: slopes to the left and right that differ, however small the step.

    >>> kink(abs, 1.0), kink(lambda h: h * h, 1.0)
    (Kink(left=-1.0, right=1.0, steep=False), None)
    """
    try:
        here = g(0)
        sides = [
            ((here - g(-step * scale)) / (step * scale), (g(step * scale) - here) / (step * scale)) for step in KINK
        ]
    except (ArithmeticError, ValueError):
        return None
    (left, right), (nearer_left, nearer_right) = sides
    jump, nearer = abs(right - left), abs(nearer_right - nearer_left)
    if not math.isfinite(jump + nearer):
        return None
    rounding = 8 * EPSILON * max(abs(here), size) / (KINK[1] * scale)
    if nearer <= BENT * max(abs(nearer_left), abs(nearer_right)) + rounding or nearer < 0.5 * jump:
        return None
    return Kink(nearer_left, nearer_right, nearer > 3 * jump)
