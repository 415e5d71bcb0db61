"""microgrid: a scalar reverse-mode automatic differentiation engine to learn, see and teach with.

>>> import microgrid as mg
>>> a, b = mg.Value(2.0), mg.Value(-3.0)
>>> c = (a * b + 10).tanh()
>>> c.backward()
>>> round(c.data, 4), round(a.grad, 4)
(0.9993, -0.004)

To read it, follow the order of the names below: the engine is the lesson, the functions
and the calculus stand on it, then nets, pictures, programs, checks and training.  The last four are
loaded when first used, so that `import microgrid` takes a few hundredths of a second.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from . import copies as copies  # teaches `copy` and `pickle` to take graphs of any depth
from . import initial
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
    lookup,
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
from .module import Module
from .nn import MLP, Layer, Neuron
from .scopes import scope

if TYPE_CHECKING:
    from .checking import check, gradcheck, truth
    from .compiler import Program, Tape, compile
    from .pictures.explain import explain
    from .pictures.formula import formula
    from .pictures.graph import Graph, draw, draw_dot
    from .pictures.orders import orders
    from .pictures.steps import steps
    from .training import (
        SGD,
        Adagrad,
        Adam,
        AdamW,
        Epoch,
        History,
        RMSProp,
        binary_cross_entropy,
        boundary,
        clip_grad_norm,
        clip_grad_value,
        cross_entropy,
        curve,
        diagnose,
        elastic,
        evolve,
        hinge,
        huber,
        kl_divergence,
        l1,
        l2,
        load,
        mae,
        make_moons,
        make_xor,
        metrics,
        mini_batches,
        mse,
        read_csv,
        save,
        schedules,
        standardise,
        train,
        train_test_split,
        weights_of,
    )
    from .training.fit import fit
    from .training.modules import (
        AvgPool2d,
        CausalAttention,
        Conv2d,
        Dropout,
        Embedding,
        GRUCell,
        LayerNorm,
        MaxPool2d,
        RMSNorm,
        RNNCell,
        Sequential,
        flatten,
    )  # fmt: skip

__version__ = "0.6.0"

__all__ = [
    # engine
    "Value", "topological_order",
    # functions
    "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "sigmoid", "softplus",
    "relu", "leaky_relu", "elu", "gelu", "silu", "erf",
    "maximum", "minimum", "where", "step", "lookup", "dot", "logsumexp", "softmax", "log_softmax",
    # calculus
    "grad", "value_and_grad", "jacobian", "hessian", "hvp",
    # nn
    "Module", "Neuron", "Layer", "MLP", "scope", "initial",
    # pictures
    "draw", "draw_dot", "Graph", "steps", "explain", "formula", "orders",
    # compiler
    "compile", "Program", "Tape",
    # checking
    "gradcheck", "truth", "check",
    # training: what it is made of
    "mse", "mae", "huber", "hinge", "binary_cross_entropy", "cross_entropy", "kl_divergence",
    "l1", "l2", "elastic", "weights_of",
    "SGD", "Adagrad", "RMSProp", "Adam", "AdamW", "schedules", "clip_grad_norm", "clip_grad_value",
    "make_moons", "make_xor", "read_csv", "standardise", "train_test_split", "mini_batches", "metrics",
    # training: what it does
    "train", "fit", "History", "Epoch", "boundary", "curve", "diagnose", "evolve", "save", "load",
    # more modules
    "Sequential", "Dropout", "Embedding", "LayerNorm", "RMSNorm", "Conv2d", "MaxPool2d", "AvgPool2d", "flatten",
    "RNNCell", "GRUCell", "CausalAttention",
]  # fmt: skip

_HOMES = {
    "compiler": ("compile", "Program", "Tape"),
    "checking": ("gradcheck", "truth", "check"),
    "pictures": ("draw", "draw_dot", "Graph", "steps", "explain", "formula", "orders"),
    "training.modules": __all__[__all__.index("Sequential") :],
}
_MODULES = {
    "pictures": ".pictures",
    "compiler": ".compiler",
    "checking": ".checking",
    "training": ".training",
    "models": ".models",
} | {name: f".training.{name}" for name in ("schedules", "metrics")}


def __getattr__(name: str) -> Any:
    """What is loaded when first used: the folders, and their names."""
    if name in _MODULES:
        return import_module(_MODULES[name], __name__)
    if name in __all__:
        home = next((home for home, names in _HOMES.items() if name in names), "training")
        return getattr(import_module(f".{home}", __name__), name)
    raise AttributeError(f"module 'microgrid' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
