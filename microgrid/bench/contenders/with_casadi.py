"""The moons step in CasADi: its scalar graphs (SX) for one example, mapped over the batch, and its matrices (MX)."""

import importlib
from functools import partial
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from .building import compiler
from .contract import PARAMETERS, SHAPES, STRENGTH, Contender, Step

INSTALL = "python -m pip install casadi"


def prepare(X: np.ndarray, y: np.ndarray, kind: str = "SX", code: bool = False) -> Step:
    """CasADi, through the buffers that it has for calls without allocation.

    Arguments: kind, "SX" for the graph of one example that is mapped over all, "MX" for matrices;
    code, whether the C that it writes is compiled, else its own machine runs the graph.
    """
    ca = importlib.import_module("casadi")
    p = ca.MX.sym("p", PARAMETERS)
    data = ca.DM(np.vstack([X.T, y]))
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        options = _options(folder) if code else {}
        if kind == "MX":
            value = _loss(ca, p, ca.MX(data)) / len(X) + STRENGTH * ca.sumsqr(p)
            both = ca.Function("both", [p], [value, ca.gradient(value, p)], options)
            forward = ca.Function("forward", [p], [value], options)
        else:
            value, gradient = _mapped(ca, len(X))(p, data)
            total = value / len(X) + STRENGTH * ca.sumsqr(p)
            both = ca.Function("both", [p], [total, gradient / len(X) + 2 * STRENGTH * p], options)
            alone = _mapped(ca, len(X), backward=False)(p, data)
            forward = ca.Function("forward", [p], [alone / len(X) + STRENGTH * ca.sumsqr(p)], options)
    return _step(both, forward)


def _mapped(ca: Any, n: int, backward: bool = True) -> Any:
    q, example = ca.SX.sym("q", PARAMETERS), ca.SX.sym("example", 3)
    value = _loss(ca, q, example)
    found = [value, ca.gradient(value, q)] if backward else [value]
    one = ca.Function("one", [q, example], found)
    return one.map("all", "serial", n, [0], list(range(len(found))))  # p as it is, the outputs summed


def _loss(ca: Any, p: Any, data: Any) -> Any:
    """The sum of max(0, 1 - y score) over the columns of data, each x0, x1, y."""
    h, cut = data[:2, :], 0
    for rows, columns in SHAPES:
        w = ca.reshape(p[cut : cut + rows * columns], columns, rows).T
        cut += rows * columns
        z = w[:, :-1] @ h + ca.repmat(w[:, -1], 1, h.shape[1])
        h = ca.fmax(z, 0) if rows > 1 else z
    return ca.sum2(ca.fmax(1 - data[2, :] * h, 0))


def _options(folder: str) -> dict[str, Any]:
    how = {"flags": ["-O3", "-march=native"], "compiler": compiler(), "directory": f"{folder}/", "cleanup": False}
    return {"jit": True, "jit_cleanup": False, "compiler": "shell", "jit_options": how}


def _step(both: Any, forward: Any) -> Step:
    """The calls through buffers; each is tied to its arrays once."""
    p, value, gradient = np.zeros(PARAMETERS), np.zeros(1), np.zeros(PARAMETERS)
    calls = []
    for function, results in ((both, (value, gradient)), (forward, (value,))):
        buffer, trigger = function.buffer()
        buffer.set_arg(0, p.data)
        for i, result in enumerate(results):
            buffer.set_res(i, result.data)
        calls.append((buffer, trigger))
    (kept, run_both), (also_kept, run_forward) = calls

    def run(own: np.ndarray) -> tuple[Any, Any]:
        p[:] = own
        run_both()
        return value, gradient

    def alone(own: np.ndarray) -> Any:
        p[:] = own
        run_forward()
        return value[0]

    step = Step(run, alone, numbers=lambda value, gradient: (float(value[0]), gradient.copy()))
    run.kept = (kept, also_kept, both, forward)  # type: ignore[attr-defined]  # the buffers are not kept by their triggers
    return step


def _with_compiler() -> bool:
    return compiler() is not None


CONTENDERS = {
    "casadi_mx": Contender("CasADi MX, matrices", partial(prepare, kind="MX"), ("casadi",), INSTALL),
    "casadi_sx_c": Contender(
        "CasADi SX, mapped, C code", partial(prepare, code=True), ("casadi",), f"{INSTALL}, and a C compiler",
        _with_compiler,
    ),
    "casadi_sx": Contender("CasADi SX, mapped, its own machine", prepare, ("casadi",), INSTALL),
}  # fmt: skip
