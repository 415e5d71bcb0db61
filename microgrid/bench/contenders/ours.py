"""The moons step by a program of microgrid: the same model and loss as on graphs, through `compile`."""

import os
from functools import partial
from typing import Any

import numpy as np

from ...nn import MLP
from ..moons import Row, step
from .contract import NOUTS, PARAMETERS, STRENGTH, Contender, Step
from .with_c import copied

INSTALL = 'python -m pip install "microgrid[fast]"'


def program(backend: str, threads: int = 1) -> Any:
    """The step as `compile` gives it: rows of a point and its label, one number."""
    from ...compiler import compile

    model = MLP(2, NOUTS)

    def loss(x: list, y: Any) -> Any:
        return (1 - y * model(x)).relu()

    def penalty() -> Any:
        return STRENGTH * sum([p * p for p in model.parameters()])

    return compile(loss, parameters=model, batch="mean", penalty=penalty, backend=backend, threads=threads)


def prepare(X: np.ndarray, y: np.ndarray, backend: str = "native", threads: int | None = 1) -> Step:
    """The step on arrays, bound once: parameters are read from one array, the gradient lies in another.

    Arguments: threads, None for as many as the libraries were told to have.
    """
    made = program(backend, threads or int(os.environ.get("OMP_NUM_THREADS", "1")))
    own, gradient = np.empty(PARAMETERS), np.empty(PARAMETERS)
    rows, labels = np.ascontiguousarray(X, float), np.ascontiguousarray(y, float)
    both = made.bind(rows, labels, parameters=own, out=gradient)
    alone: list = []

    def set_numbers(p: np.ndarray) -> np.ndarray:
        own[:] = p
        return own

    def forward(p: np.ndarray) -> float:
        if not alone:  # another program, made when it is first wanted
            alone.append(made.bind(rows, labels, parameters=own))
        return alone[0]()

    return Step(lambda p: (both(), gradient), forward, set_numbers, copied)


def prepare_python(X: np.ndarray, y: np.ndarray) -> Step:
    """The step in Python alone, on lists."""
    made, rows, labels = program("python"), X.tolist(), y.tolist()

    def run(p: list[float]) -> Any:
        return made.value_and_grad(rows, labels, parameters=p)

    return Step(run, lambda p: made(rows, labels, parameters=p), np.ndarray.tolist)


def prepare_mlp(X: np.ndarray, y: np.ndarray) -> Step:
    """The step on a graph, by what a user of microgrid takes: a node for each dot product."""
    from ...engine import Value

    row = Row("microgrid, mg.MLP", Value, MLP(2, NOUTS))
    parameters, xs, ys = row.model.parameters(), X.tolist(), y.tolist()

    def run(p: list[float]) -> tuple[Any, Any]:
        for parameter, number in zip(parameters, p):
            parameter.data, parameter.grad = number, 0.0
        return step(row, xs, ys).data, parameters

    return Step(run, own=np.ndarray.tolist, numbers=lambda value, found: (value, np.array([q.grad for q in found])))


FAST = ("numpy", "llvmlite")
NATIVE = ("microgrid.compiler.native.generated", "llvmlite.binding")
CONTENDERS = {
    "native": Contender("microgrid, native", prepare, FAST, INSTALL, points=1_000_000, parts=NATIVE),
    "native_threads": Contender(
        "microgrid, native, threads",
        partial(prepare, threads=None),
        FAST,
        INSTALL,
        points=1_000_000,
        parts=NATIVE,
        shared=True,
    ),
    "ours_numpy": Contender("microgrid, numpy", partial(prepare, backend="numpy"), ("numpy",), INSTALL),
    "python": Contender("microgrid, python", prepare_python, points=1000),
    "eager": Contender("microgrid, mg.MLP on a graph", prepare_mlp, anew=True, points=1000),
}
