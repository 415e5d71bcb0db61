"""A function in one direction: its first and its second derivative there."""

import math
import random
from collections.abc import Sequence

from ..pictures.numbers import show
from .differences import difference, kink
from .inputs import DUAL, computed, exact, short
from .point import Point

BENT = 1e-5  # relative, for second derivatives by differences of gradients


def along(point: Point, engine: list[float], seed: int) -> tuple[list[str], list[str]]:
    """What is wrong and what is unproved of the first and the second derivative in a random direction."""
    rng = random.Random(seed)
    direction = [rng.gauss(0, 1) for _ in engine]
    length = math.hypot(*direction)
    direction = [x / length for x in direction]
    found, doubtful = list[str](), list[str]()
    near = min([abs(point.numbers[i]) for i in point.moving if point.numbers[i]], default=1.0)
    scales = [1.0, *([float(near)] if near < 1 else [])]
    slope = sum([a * b for a, b in zip(engine, direction)])
    by_difference = difference(lambda h: point.value_at(point.moved([h * x for x in direction])), scales, point.size)
    if by_difference is not None and not by_difference.agrees(slope):
        found.append(
            f"in the direction {_list(direction)} the engine's gradient gives {exact(slope)}, and central differences "
            f"{exact(by_difference.slope)}"
        )
    try:
        bent = point.curvature(direction)
    except (TypeError, ArithmeticError, ValueError) as error:
        return found, [] if found else [f"the first derivative agrees; the second has not been found: {error}"]
    if not math.isfinite(bent):
        return [*found, f"the second derivative along {_list(direction)} is {bent} by the engine"], []

    def slope_at(h: float) -> float:
        return sum([a * b for a, b in zip(point.gradient(point.moved([h * x for x in direction])), direction)])

    jet = computed(lambda: point.jet(direction).curvatures[0][0])
    by_slopes, bend = difference(slope_at, scales), kink(slope_at, 1.0)
    size = max(abs(bent), abs(slope), 1e-6)
    routes = [("forward mode says", jet, DUAL * 100 * size)]
    if by_slopes is not None:
        routes.append(("differences of gradients say", by_slopes.slope, BENT * size + 10 * by_slopes.error))
    for says, other, tolerance in routes:
        if other is None or abs(other - bent) <= tolerance:
            continue
        if bend is not None and other is not jet:
            left, right = show(short(bend.left)), show(short(bend.right))
            doubtful.append(
                f"the first derivative agrees, but has a kink here: along {_list(direction)} the second is {left} to "
                f"the left and {right} to the right. Try another point"
            )
        else:
            found.append(
                f"the second derivative is wrong: along {_list(direction)} the engine says {exact(bent)}, {says} "
                f"{exact(other)}"
            )
    return found, doubtful


def _list(numbers: Sequence[float]) -> str:
    shown = [f"{x:.3g}" for x in numbers[:4]]
    return f"[{', '.join([*shown, *(['...'] if len(numbers) > 4 else [])])}]"
