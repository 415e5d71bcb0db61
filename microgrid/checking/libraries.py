"""The same function by another library: PyTorch and JAX, where they are installed."""

import math
import operator
from collections.abc import Callable, Sequence
from functools import partial
from importlib.util import find_spec
from typing import Any

from ..compiler.tape import Tape


def gradients(tape: Tape, numbers: Sequence[Any], moving: Sequence[int]) -> dict[str, list[float]]:
    """For each library that is installed, the derivatives by the inputs at these positions.

    Arguments: tape, of one output; numbers, of its inputs.
    """
    found = {}
    for name, of in (("PyTorch", _by_torch), ("JAX", _by_jax)):
        if find_spec({"PyTorch": "torch", "JAX": "jax"}[name]) is not None:
            found[name] = of(tape, numbers, moving)
    return found


def _by_torch(tape: Tape, numbers: Sequence[Any], moving: Sequence[int]) -> list[float]:
    import torch

    own = [torch.tensor(float(x), dtype=torch.float64, requires_grad=i in moving) for i, x in enumerate(numbers)]
    operations = _operations(torch, torch.nn.functional, lambda x: torch.tensor(x, dtype=torch.float64))
    result = _computed(tape, own, operations | {"sigmoid": torch.sigmoid})
    if result.requires_grad:
        result.backward()
    return [0.0 if own[i].grad is None else own[i].grad.item() for i in moving]


def _by_jax(tape: Tape, numbers: Sequence[Any], moving: Sequence[int]) -> list[float]:
    import jax

    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    try:
        operations = _operations(jax.numpy, jax.nn, lambda x: jax.numpy.asarray(x, "float64"))
        operations |= {
            "sigmoid": jax.nn.sigmoid, "erf": jax.scipy.special.erf, "gelu": partial(jax.nn.gelu, approximate=False),
            "logsumexp": lambda *xs: jax.nn.logsumexp(jax.numpy.stack(xs)),
        }  # fmt: skip

        def f(chosen: Any) -> Any:
            given = [jax.numpy.asarray(float(x), "float64") for x in numbers]
            for i, x in zip(moving, chosen):
                given[i] = x
            return _computed(tape, given, operations)

        return jax.grad(f)(jax.numpy.array([float(numbers[i]) for i in moving], "float64")).tolist()
    finally:
        jax.config.update("jax_enable_x64", before)


def _computed(tape: Tape, inputs: Sequence[Any], operations: dict[str, Callable[..., Any]]) -> Any:
    lines: list[Any] = []
    given = dict(zip(tape.inputs, inputs))
    for line, (op, operands, number, _) in enumerate(tape):
        if not operands:
            lines.append(given[line] if op == "input" else operations["constant"](float(number)))
        else:
            lines.append(operations[op](*[lines[i] for i in operands]))
    return lines[tape.outputs[0]]


def _operations(xp: Any, nn: Any, constant: Callable[[float], Any]) -> dict[str, Callable[..., Any]]:
    """Each operation of a graph in the library's own functions: xp, its elementary ones; nn, those of nets."""
    names = ("exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "erf", "maximum", "minimum")
    return {
        "constant": constant,
        "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow,
        "neg": operator.neg, "abs": abs,
        **{name: getattr(xp, name) for name in names if hasattr(xp, name)},
        **{name: getattr(nn, name) for name in ("softplus", "relu", "silu", "gelu")},
        "leaky_relu": lambda x, slope: xp.where(x > 0, x, slope * x),
        "elu": lambda x, alpha: xp.where(x > 0, x, alpha * xp.expm1(xp.where(x > 0, 0 * x, x))),
        "where": lambda condition, a, b: xp.where(condition > 0, a, b),
        "step": lambda x: xp.where(x > 0, 0 * x + 1, 0 * x),
        "match": lambda index, i: constant(float(index == i)),
        "dot": lambda *xs: sum([x * y for x, y in zip(xs[: len(xs) // 2], xs[len(xs) // 2 :])]),
        "logsumexp": lambda *xs: xp.logsumexp(xp.stack(xs), 0),
        "lookup": lambda index, *table: table[math.floor(float(index))],
    }  # fmt: skip
