"""Clipping: gradients cut down before the step, so that one steep place throws no parameter far away.

>>> x, y = Value(1.0), Value(1.0)
>>> (300 * x + 400 * y).backward()
>>> clip_grad_norm([x, y], 5.0)
500.0
>>> round(x.grad, 6), round(y.grad, 6)         # of norm 5, in the same direction
(3.0, 4.0)
"""

import math
from collections.abc import Iterable
from numbers import Real
from typing import Any

from ..engine import Value, number
from .optim import checked_parameters


def clip_grad_norm(parameters: Iterable[Value], largest: float) -> float:
    """Scale all gradients by one factor where their Euclidean norm is above largest.

        grad = grad * min(1, largest / (norm + 1e-6))

    To be called between `backward()` and `step()`.
    Arguments: parameters, a list of Values; largest, the norm that is let through, 0 or
    more; with math.inf nothing is scaled, and you only get the norm.
    Returns the norm as it was before.  It does not overflow: each square stays inside
    math.hypot.  Where a gradient is inf or nan, so is the norm, nothing is raised, and
    gradients become nan as in PyTorch: look at the norm before you step.
    Raises TypeError or ValueError for what are no parameters, and ValueError for a
    negative norm.
    Source: Pascanu, Mikolov & Bengio 2013, algorithm 1; torch.nn.utils.clip_grad_norm_.

    >>> x = Value(1.0); x.grad = -8.0
    >>> clip_grad_norm([x], 2.0), round(x.grad, 6)
    (8.0, -2.0)
    >>> x.grad = -8.0
    >>> clip_grad_norm([x], 10.0), x.grad           # small enough: left as it is
    (8.0, -8.0)
    """
    parameters = checked_parameters("clip_grad_norm", parameters)
    largest = _checked_limit("clip_grad_norm", largest)
    norm = math.hypot(*[number(parameter.grad) for parameter in parameters])
    factor = _factor(norm, largest)
    if factor != 1:
        for parameter in parameters:
            parameter.grad *= factor
    return norm


def clip_grad_value(parameters: Iterable[Value], largest: float) -> None:
    """Cut each gradient off at -largest and at largest, which may turn their direction.

    To be called between `backward()` and `step()`.
    Arguments: parameters, a list of Values; largest, 0 or more.
    Returns nothing.  A gradient of nan stays nan.
    Raises as `clip_grad_norm`.
    Source: Mikolov 2012; torch.nn.utils.clip_grad_value_.

    >>> x, y = Value(1.0), Value(1.0)
    >>> (300 * x - 0.5 * y).backward()
    >>> clip_grad_value([x, y], 1.0); x.grad, y.grad
    (1.0, -0.5)
    """
    parameters = checked_parameters("clip_grad_value", parameters)
    limit: Any = _checked_limit("clip_grad_value", largest)
    for parameter in parameters:
        if abs(number(parameter.grad)) > limit:
            parameter.grad = limit if parameter.grad > 0 else -limit


def clipped(gradient: Any, clip_value: float | None, clip_norm: float | None) -> Any:
    """An array of gradients, cut and scaled as `clip_grad_value` and then `clip_grad_norm` do; None is left out."""
    import numpy

    if clip_value is not None:
        gradient = numpy.clip(gradient, -clip_value, clip_value)
    if clip_norm is not None:
        top = numpy.abs(gradient).max()
        within = gradient / top if 0 < top < math.inf else gradient  # so that no square overflows
        norm = float(top * numpy.sqrt(within @ within)) if top else 0.0
        gradient = gradient * _factor(norm, clip_norm)
    return gradient


def _factor(norm: float, largest: float) -> Any:
    return min(largest / (norm + 1e-6), 1)  # nan if the norm is: min returns its first


def _checked_limit(who: str, largest: float) -> float:
    if not isinstance(largest, Real) or not largest >= 0:
        raise ValueError(f"{who}(largest={largest!r:.50}): largest has to be a number of 0 or more, as in 1.0")
    return Value(largest).data
