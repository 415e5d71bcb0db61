"""Every operation by its name: what computes it again, and whose rule is whose.

The compiler evaluates a tape with these; nothing here says how fast anything moves, which is the
business of the rules in the engine and in `functions`.

>>> OPERATIONS["+"](2, 3), OPERATIONS["dot"](1.0, 2.0, 3.0, 4.0)
(5, 11.0)
"""

import math
import operator
from collections.abc import Callable
from typing import Any

from . import engine, functions
from .engine import Value

FUNCTIONS = (
    "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus", "relu", "leaky_relu", "elu", "gelu",
    "silu", "erf", "maximum", "minimum", "where", "match", "step",
)  # fmt: skip
ANY_NUMBER = ("dot", "logsumexp", "lookup")  # of operands

# Of numbers, or of Values: then they make nodes.
OPERATIONS: dict[str, Callable[..., Any]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "neg": operator.neg, "abs": abs,
    "**": lambda a, b: a**b if isinstance(a, Value) or isinstance(b, Value) else engine.power(a, b),
    **{name: getattr(functions, name) for name in FUNCTIONS},
    "dot": lambda *xs: functions.dot(xs[: len(xs) // 2], xs[len(xs) // 2 :]),
    "logsumexp": lambda *xs: functions.logsumexp(xs),
    "lookup": lambda index, *table: functions.lookup(table, index),
}  # fmt: skip

# The same of numbers alone, without a look at what came; what is not here is as above.
NUMBERS: dict[str, Callable[..., Any]] = {
    **{name: getattr(math, name) for name in ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "erf")},
    **{
        name: getattr(functions, f"_{name}")
        for name in ("sigmoid", "softplus", "relu", "leaky_relu", "elu", "silu", "gelu", "maximum", "minimum", "where")
    },
    "**": engine.power,
    "logsumexp": functions._logsumexp,
}

_OF_THE_ENGINE = {
    "add": "+", "subtract": "-", "multiply": "*", "divide": "/", "negative": "neg", "absolute": "abs",
    "power": "**", "fixed_power": "**", "log": "log", "step": "step",
}  # fmt: skip

# Whose rule is whose: an operation of the user's own that is called "tanh" need not be ours.
RULES: dict[Callable[..., Any], str] = {
    **{getattr(engine, f"{stem}_gradients"): op for stem, op in _OF_THE_ENGINE.items()},
    **{
        getattr(functions, f"{name}_gradients"): name
        for name in (*FUNCTIONS, *ANY_NUMBER)
        if hasattr(functions, f"{name}_gradients")
    },
}

# And the other way; of "**" the one for an exponent that may move.
LOCAL_GRADIENTS = {op: rule for rule, op in RULES.items() if rule is not engine.fixed_power_gradients}
