"""Penalties: a price on large parameters, to add to the loss, so that a net learns no more than it has to.

>>> from microgrid import MLP
>>> model = MLP(2, [3, 1], seed=0)
>>> error = model([1.0, -2.0]) - 0.5
>>> loss = error * error + l2(weights_of(model), 0.01)
>>> loss.backward()
"""

import math
from collections.abc import Iterable
from functools import reduce
from numbers import Real
from operator import add
from typing import Any

from ..engine import Value
from ..functions import dot
from ..nn import Module

Number = Any  # a real number or a Value


def l1(parameters: Iterable[Number] | Module, strength: float) -> Number:
    """The L1 penalty, strength * (|p1| + ... + |pn|): it holds parameters at 0 that are of little use.

    It pulls each parameter towards 0 by the same force, strength, however small it is.
    Arguments: parameters, a list of Values, or a Module for all that it has (biases, too;
    without them: `weights_of(model)`); strength, 0 or more.
    Returns one number, to add to the loss.  Raises TypeError for what is no list of numbers,
    and ValueError for another strength.
    Source: Tibshirani 1996.

    >>> w = Value(-3.0)
    >>> penalty = l1([w, 0.5], 0.1); penalty.backward()
    >>> round(penalty.data, 6), w.grad
    (0.35, -0.1)
    """
    return _strength("l1", "strength", strength) * _absolute_sum(_numbers("l1", parameters))


def l2(parameters: Iterable[Number] | Module, strength: float) -> Number:
    """The L2 penalty, strength * (p1² + ... + pn²): it keeps parameters small.

    It pulls each parameter towards 0 by 2 * strength * p.  This is micrograd's alpha; for
    SGD it is the same as weight_decay = 2 * strength, since PyTorch's weight decay is the
    gradient of half a square.
    Arguments, returns and raises as `l1`.
    Source: Hoerl & Kennard 1970 (ridge regression); Krogh & Hertz 1991 (weight decay).

    >>> w = Value(-3.0)
    >>> penalty = l2([w, 0.5], 0.1); penalty.backward()
    >>> round(penalty.data, 6), round(w.grad, 6)
    (0.925, -0.6)
    """
    return _strength("l2", "strength", strength) * _squared_sum(_numbers("l2", parameters))


def elastic(parameters: Iterable[Number] | Module, l1: float, l2: float) -> Number:
    """The elastic net, both penalties: l1 * (|p1| + ... + |pn|) + l2 * (p1² + ... + pn²).

    Arguments: parameters, as in `l1`; l1 and l2, the strengths of the two.
    Returns and raises as `l1`.
    Source: Zou & Hastie 2005, section 2.1 (the naive elastic net).

    >>> round(elastic([-3.0, 0.5], l1=0.1, l2=0.1), 6)
    1.275
    """
    l1, l2 = _strength("elastic", "l1", l1), _strength("elastic", "l2", l2)
    parameters = _numbers("elastic", parameters)
    return l1 * _absolute_sum(parameters) + l2 * _squared_sum(parameters)


def weights_of(model: Module) -> list[Value]:
    """The parameters of a model that are no biases: those that are worth a penalty.

    A bias moves a whole curve and bends none, so that a price on it only spoils the fit
    (Goodfellow, Bengio & Courville 2016, section 7.1).  A parameter is taken for a bias if
    the last word of its name begins with b: `layers.0.neurons.1.b`, `bias`, `b_hidden`, `b.2`.
    Arguments: model, a Module.  Returns a list of Values.
    Raises TypeError for what is no Module.

    >>> from microgrid import MLP
    >>> len(MLP(2, [3, 1], seed=0).parameters()), len(weights_of(MLP(2, [3, 1], seed=0)))
    (13, 9)
    """
    if not isinstance(model, Module):
        raise TypeError(f"weights_of takes a Module, as in weights_of(MLP(2, [16, 1])), not {model!r:.50}")
    return [parameter for name, parameter in model.named_parameters() if not _is_bias(name)]


def _is_bias(name: str) -> bool:
    words = [word for word in name.split(".") if not word.isdigit()]
    return bool(words) and words[-1].startswith("b")


def _absolute_sum(parameters: list[Number]) -> Number:
    if not parameters:
        return 0.0
    return reduce(add, [abs(parameter) for parameter in parameters])  # in order, for numbers as for Values


def _squared_sum(parameters: list[Number]) -> Number:
    return dot(parameters, parameters)


def _numbers(who: str, parameters: Iterable[Number] | Module) -> list[Number]:
    if isinstance(parameters, Module):
        return list(parameters.parameters())
    if isinstance(parameters, str) or not isinstance(parameters, Iterable):
        raise TypeError(f"{who} takes a list of Values or a Module, not {parameters!r:.50}; write model.parameters()")
    parameters = list(parameters)
    for parameter in parameters:
        if not isinstance(parameter, (Value, Real)):
            raise TypeError(f"{who} takes a list of Values, and {parameter!r:.50} is none; write model.parameters()")
    return parameters


def _strength(who: str, name: str, x: float) -> float:
    if not isinstance(x, Real) or not 0 <= x < math.inf:
        raise ValueError(f"{who}({name}={x!r:.50}): {name} has to be a number of 0 or more, as in 1e-4")
    return x
