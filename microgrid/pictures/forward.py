"""One operation of a graph evaluated again, on other numbers: is its data right, is its slope?

The operations are microgrid's own functions, by their name; another engine's are known by the
same names (`+`, `**3`, `ReLU`), and any that is not known is left alone.
"""

import math
import operator
from collections.abc import Callable
from numbers import Real
from typing import Any

from .. import engine, functions
from .reading import PARENTS, Reading

INFIX: dict[str, Callable] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": engine.power,
}  # fmt: skip
ONE: dict[str, Callable] = {
    "neg": operator.neg, "abs": abs, "step": engine.step, "log": engine.log, "ln": engine.log,
    "σ": functions.sigmoid, "-": operator.neg,
    **{
        name: getattr(functions, name)
        for name in ("exp", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus", "relu", "gelu", "silu", "erf")
    },
}  # fmt: skip
OWN: dict[str, Callable] = {  # of any number of operands
    "leaky_relu": functions.leaky_relu, "elu": functions.elu, "where": functions.where,
    "maximum": functions.maximum, "minimum": functions.minimum, "match": functions.match,
    "dot": lambda *xs: functions.dot(xs[: len(xs) // 2], xs[len(xs) // 2 :]),
    "logsumexp": lambda *xs: functions.logsumexp(xs),
    "lookup": lambda index, *table: functions.lookup(table, index),
}  # fmt: skip

SIGNS = {  # other names of an operation, as other engines give them
    "add": "+", "plus": "+", "sum": "+", "sub": "-", "subtract": "-", "minus": "-", "mul": "*", "multiply": "*",
    "times": "*", "prod": "*", "div": "/", "divide": "/", "truediv": "/", "pow": "**", "power": "**",
    "negate": "neg", "negative": "neg", "negation": "neg", "absolute": "abs",
}  # fmt: skip
UNEVEN = ("-", "/", "**")  # where the order of two operands matters
KEPT = ("_local_grads", "local_grads", "_local_gradients", "local_gradients")  # beside the operands, as in microgpt
OURS = engine.__name__.removesuffix("engine")  # how the names of our modules begin

CLOSE = {"float32": 1e-4, "float16": 1e-1}  # how near two ways to the same number come, by their type
STEP = 1e-5  # near the cube root of a float's precision, where truncation and rounding err equally


def function_of(reading: Reading, i: int) -> Callable[..., Any] | None:
    """What computed node i from the numbers of its operands; None where that is not known."""
    node = reading.nodes[i]
    count, op = len(node.operands), node.op if reading.own else SIGNS.get(node.op.lower(), node.op.lower())
    if not count:
        return None
    if count == 1 and op in INFIX and in_a_set(node.value) and not (op == "-" and node.data):
        return lambda a: INFIX[op](a, a)  # a + a, of which a set keeps one a
    if count == 1 and op in ONE:
        return ONE[op]
    if count == 2 and op in INFIX:
        return INFIX[op]
    if reading.own:
        return OWN.get(op)
    exponent = exponent_of(op)
    if count == 1 and exponent is not None:
        return lambda a: engine.power(a, exponent)
    if op in ("+", "*") and count > 2:
        return lambda *xs: sum(xs) if op == "+" else math.prod(xs)
    return None


def exponent_of(op: str) -> float | None:
    """The 3 of an operation that is called `**3`, as in micrograd."""
    try:
        return float(op.strip("*^()")) if op.startswith(("**", "^")) else None
    except ValueError:
        return None


def kept_slopes(reading: Reading, i: int) -> tuple | None:
    """The local gradients that another engine keeps in node i, in the order of the operands; None if it doesn't."""
    node = reading.nodes[i]
    if in_a_set(node.value):
        return None
    told = next((slopes for name in KEPT if isinstance(slopes := getattr(node.value, name, None), (tuple, list))), None)
    if told is None:  # in pairs with the operands
        pairs = next((items for name in PARENTS if (items := getattr(node.value, name, ()))), ())
        told = [pair[1] for pair in pairs if isinstance(pair, (tuple, list)) and len(pair) == 2]
    if len(told) != len(node.operands) or not all(map(_real, told)):
        return None
    return tuple(told)


def in_a_set(value: Any) -> bool:
    """Whether an engine keeps the operands of this value in a set: each once, in no order."""
    return any([isinstance(getattr(value, name, None), (set, frozenset)) for name in PARENTS])


def put_in_order(reading: Reading) -> None:
    """Two operands that another engine keeps in a set, put in the order that gives the data: in a - b, a first."""
    for i in range(len(reading.nodes)):
        if _orders_that_fit(reading, i) == [False, True]:
            reading.nodes[i].operands = reading.nodes[i].operands[::-1]


def either_order(reading: Reading, i: int) -> bool:
    """Whether it can't be told which operand in a set is the first: of 2 - 2 and of 2 ** 4, which is 4 ** 2."""
    return _orders_that_fit(reading, i) == [True, True]


def _orders_that_fit(reading: Reading, i: int) -> list[bool]:
    """Whether the two operands in a set give the data, as they are and the other way round; [] where it's no matter."""
    node = reading.nodes[i]
    if reading.own or len(node.operands) != 2 or not in_a_set(node.value):
        return []
    if SIGNS.get(node.op.lower(), node.op.lower()) not in UNEVEN:
        return []
    function = function_of(reading, i)
    numbers = [reading.nodes[j].data for j in node.operands]
    if function is None or not all(map(_real, (*numbers, node.data))):
        return []
    got = [evaluate(function, numbers), evaluate(function, numbers[::-1])]
    return [x is not None and agree(node.data, x) for x in got]


def written(reading: Reading, i: int) -> tuple[int, ...]:
    """The operands of node i as they were written: twice the a of a + a, of which a set keeps one."""
    node = reading.nodes[i]
    if len(node.operands) == 1 and node.op in INFIX and in_a_set(node.value):
        function, holds, _ = follows(reading, i)
        if function is not None and holds and not (node.op == "-" and node.data):
            return node.operands * 2
    return node.operands


def evaluate(function: Callable[..., Any], numbers: list) -> Any:
    """function(*numbers), None where it has no real value."""
    try:
        result = function(*numbers)
    except (ArithmeticError, ValueError, TypeError):
        return None
    return result if _real(result) else None


def _real(x: Any) -> bool:
    return type(x) is float or isinstance(x, Real)  # the second takes its time


def agree(got: Any, expected: Any, tolerance: float = 1e-9) -> bool:
    """Whether two numbers are equal but for rounding, nan being equal to nan."""
    if got == expected or (got != got and expected != expected):
        return True
    tolerance = max(tolerance, *[CLOSE.get(type(x).__name__, 0) for x in (got, expected)])
    try:
        return bool(abs(got - expected) <= tolerance * (1 + abs(expected)))
    except OverflowError:  # integers too large for a float
        return False


def follows(reading: Reading, i: int) -> tuple[Callable[..., Any] | None, bool, Any]:
    """Whether the data of node i follows from that of its operands.

    Returns the function of its operands, None where not known; whether the data is what it
    gives; and what it gives.  Another engine's two operands may be in either order.
    """
    node = reading.nodes[i]
    function = function_of(reading, i)
    numbers = [reading.nodes[j].data for j in node.operands]
    if function is None or not all(map(_real, (*numbers, node.data))):
        return None, True, None
    expected = evaluate(function, numbers)
    if expected is None:
        return None, True, None
    if agree(node.data, expected):
        return function, True, expected
    if reading.own:
        return (function, False, expected) if by_our_rule(node.value) else (None, True, None)
    if len(numbers) == 2:
        swapped = evaluate(function, numbers[::-1])
        if swapped is not None and agree(node.data, swapped):
            return lambda a, b: function(b, a), True, swapped
    if len(numbers) == 1 and node.op in INFIX and in_a_set(node.value):
        return None, True, None  # a + 2, of an engine that makes no Value of the 2
    return function, False, expected


def by_our_rule(value: Any) -> bool:
    """Whether a Value's rule is one of microgrid's own, which its tests hold against the mathematics."""
    return getattr(value.local_gradients, "__module__", "").startswith(OURS)


def slope(function: Callable[..., Any], numbers: list, which: list[int]) -> tuple[float, float] | None:
    """The central difference of a function in one operand (at several places, if it is in several).

    Returns the slope and how far off it may be, from a second difference of twice the step and
    the rounding of the value; None at a kink, a pole, or where a number is not finite.
    """
    try:
        point = [float(x) for x in numbers]
    except (OverflowError, TypeError, ValueError):
        return None
    x = point[which[0]]
    h = STEP * max(abs(x), 1e-3)
    at: dict[int, float] = {}
    for steps in (-2, -1, 0, 1, 2):
        moved = evaluate(function, [x + steps * h if k in which else other for k, other in enumerate(point)])
        if moved is None or not math.isfinite(moved):
            return None
        at[steps] = float(moved)
    wide = ((x + 2 * h) - (x - 2 * h)) / 4  # the step as it is after rounding
    near, far = (at[1] - at[-1]) / (2 * wide), (at[2] - at[-2]) / (4 * wide)
    noise = 4e-16 * max(map(abs, at.values())) / h
    right, left = (at[1] - at[0]) / wide, (at[0] - at[-1]) / wide
    if abs(right - left) > 0.01 * max(abs(right), abs(left)) + 4 * noise:
        return None
    return near, abs(near - far) + noise
