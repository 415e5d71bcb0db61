"""Scalars that build a graph in each step: classes like micrograd's, XAD's tape, PyTorch's tensors of one number."""

import importlib
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from ..moons import ProductByProduct, Row, step
from ..peers import peers
from .contract import NOUTS, STRENGTH, Contender, Step

Leaf = Callable[[float], Any]


def loss_of(
    p: Sequence[Any], X: Sequence[Sequence[Any]], y: Sequence[Any], relu: Callable, number: Leaf = float
) -> Any:
    """The loss, product by product.

    Arguments: p, 337 scalars; X, rows of what goes with them; y, labels, the same; relu; number,
    makes a constant of a float.
    """
    one, zero = number(1.0), number(0.0)
    total = zero
    for row, label in zip(X, y):
        h, cut = list(row), 0
        for nout in NOUTS:
            sums = []
            for _ in range(nout):
                *w, b = p[cut : cut + len(h) + 1]
                cut += len(h) + 1
                sums.append(sum((wi * hi for wi, hi in zip(w, h)), b))
            h = sums if nout == 1 else [relu(z) for z in sums]
        total = total + relu(one - label * h[0])
    squares = p[0] * p[0]
    for q in p[1:]:
        squares = squares + q * q
    return total * number(1.0 / len(y)) + squares * number(STRENGTH)


def prepare_class(X: np.ndarray, y: np.ndarray, short: str = "microgrid") -> Step:
    """A class with data, grad, relu and backward, from `peers`: the step as `microgrid bench moons` has it."""
    value = peers()[short].value
    assert value is not None
    row = Row(short, value, ProductByProduct(value, 2, NOUTS))
    parameters, xs, ys = row.model.parameters(), X.tolist(), y.tolist()

    def run(p: list[float]) -> tuple[Any, Any]:
        for parameter, number in zip(parameters, p):
            parameter.data, parameter.grad = number, 0.0
        loss = step(row, xs, ys)
        return loss.data, parameters

    return Step(run, own=np.ndarray.tolist, numbers=lambda value, found: (value, np.array([q.grad for q in found])))


def prepare_minigrad(X: np.ndarray, y: np.ndarray, package: str = "minigrad") -> Step:
    """A class of numbers in C or Rust, all constants made Values: minigrad 0.0.6 crashes with floats beside them."""
    value = importlib.import_module(package).Value
    rows = X.tolist()
    labels = y.tolist()

    def run(p: list[float]) -> tuple[Any, Any]:
        own = list(map(value, p))
        constants = [[value(x) for x in row] for row in rows], [value(label) for label in labels]
        loss = loss_of(own, *constants, relu=_relu, number=value)
        loss.backward()
        return loss.data, own

    return Step(run, own=np.ndarray.tolist, numbers=lambda value, found: (value, np.array([q.grad for q in found])))


def _relu(z: Any) -> Any:
    return z.relu()


def prepare_xad(X: np.ndarray, y: np.ndarray) -> Step:
    """XAD's adjoint tape from Python."""
    adjoint, functions = importlib.import_module("xad.adj_1st"), importlib.import_module("xad.math")
    rows, labels = X.tolist(), y.tolist()

    def run(p: list[float]) -> tuple[Any, Any]:
        own = list(map(adjoint.Real, p))
        with adjoint.Tape() as tape:
            tape.registerInputs(own)
            tape.newRecording()
            loss = loss_of(own, rows, labels, lambda z: functions.max(z, 0.0))
            tape.registerOutput(loss)
            loss.derivative = 1.0
            tape.computeAdjoints()
            return loss.value, [q.derivative for q in own]

    return Step(run, own=np.ndarray.tolist)


def prepare_torch(X: np.ndarray, y: np.ndarray) -> Step:
    """PyTorch with a tensor for each number."""
    torch = importlib.import_module("torch")
    rows, labels = X.tolist(), y.tolist()

    def run(p: np.ndarray) -> tuple[Any, Any]:
        own = [torch.tensor(q, dtype=torch.float64, requires_grad=True) for q in p]
        loss = loss_of(own, rows, labels, torch.relu)
        loss.backward()
        return loss.item(), [q.grad.item() for q in own]

    return Step(run, own=np.ndarray.tolist)


def _has_micrograd() -> bool:
    return peers()["micrograd"].value is not None


CONTENDERS = {
    "microgrid": Contender("microgrid, eager", prepare_class, anew=True, points=1000),
    "micrograd": Contender(
        "micrograd", partial(prepare_class, short="micrograd"), install=peers()["micrograd"].install,
        extra=_has_micrograd, anew=True, points=100,
    ),
    "microgpt": Contender("microgpt's design", partial(prepare_class, short="microgpt"), anew=True, points=1000),
    "minigrad": Contender(
        "minigrad", prepare_minigrad, ("minigrad",), "python -m pip install minigrad", anew=True, points=1000
    ),
    "micrograd_rust": Contender(
        "micrograd-rust", partial(prepare_minigrad, package="micrograd_rust"), ("micrograd_rust",),
        "python -m pip install micrograd-rust, which needs Rust's cargo", anew=True, points=1000,
    ),
    "xad": Contender("XAD", prepare_xad, ("xad",), "python -m pip install xad", anew=True, points=1000),
    "torch_scalars": Contender(
        "PyTorch, scalar tensors", prepare_torch, ("torch",), "python -m pip install torch", anew=True, points=100
    ),
}  # fmt: skip
