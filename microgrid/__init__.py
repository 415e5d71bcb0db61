"""microgrid: a scalar reverse-mode automatic differentiation engine to learn, see and teach with.

>>> import microgrid as mg
>>> a, b = mg.Value(2.0), mg.Value(-3.0)
>>> c = (a * b + 10).tanh()
>>> c.backward()
>>> round(c.data, 4), round(a.grad, 4)
(0.9993, -0.004)

To read it, follow the order of the names below: the engine is the lesson, the functions
and the calculus stand on it, then nets, pictures and training.  Pictures and training are
loaded when first used, so that `import microgrid` takes a few hundredths of a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import copies as copies  # teaches `copy` and `pickle` to take graphs of any depth
from .calculus import grad, hessian, hvp, jacobian, value_and_grad
from .engine import Value, topological_order
from .functions import (
    cos,
    dot,
    elu,
    erf,
    exp,
    gelu,
    leaky_relu,
    log,
    log_softmax,
    logsumexp,
    maximum,
    minimum,
    relu,
    sigmoid,
    silu,
    sin,
    softmax,
    softplus,
    sqrt,
    step,
    tan,
    tanh,
    where,
)  # fmt: skip
from .nn import MLP, Layer, Module, Neuron
from .scopes import scope

if TYPE_CHECKING:
    from .pictures.explain import explain
    from .pictures.formula import formula
    from .pictures.graph import Graph, draw, draw_dot
    from .pictures.orders import orders
    from .pictures.steps import steps
    from .training import (
        SGD,
        Adam,
        binary_cross_entropy,
        cross_entropy,
        hinge,
        make_moons,
        make_xor,
        mini_batches,
        mse,
        read_csv,
        standardise,
        train,
        train_test_split,
    )  # fmt: skip

__version__ = "0.2.0"

__all__ = [
    # engine
    "Value", "topological_order",
    # functions
    "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus",
    "relu", "leaky_relu", "elu", "gelu", "silu", "erf",
    "maximum", "minimum", "where", "step", "dot", "logsumexp", "softmax", "log_softmax",
    # calculus
    "grad", "value_and_grad", "jacobian", "hessian", "hvp",
    # nn
    "Module", "Neuron", "Layer", "MLP", "scope",
    # pictures
    "draw", "draw_dot", "Graph", "steps", "explain", "formula", "orders",
    # training
    "mse", "hinge", "binary_cross_entropy", "cross_entropy", "SGD", "Adam",
    "make_moons", "make_xor", "read_csv", "standardise", "train_test_split", "mini_batches", "train",
]  # fmt: skip

_PICTURES = ("draw", "draw_dot", "Graph", "steps", "explain", "formula", "orders")


def __getattr__(name: str) -> Any:
    """What is loaded when first used: the two folders, and their names."""
    if name in ("pictures", "training"):
        return import_module(f".{name}", __name__)
    if name in __all__:
        return getattr(import_module(".pictures" if name in _PICTURES else ".training", __name__), name)
    raise AttributeError(f"module 'microgrid' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
