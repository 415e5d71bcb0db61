"""How a model was made, as names and sizes that a file can hold, and the model made from them again.

>>> from microgrid import MLP
>>> blueprint_of(MLP(2, [3, 1], seed=0))
{'class': 'MLP', 'nin': 2, 'nouts': [3, 1], 'activation': 'relu'}
>>> rebuilt(blueprint_of(MLP(2, [3, 1], seed=0)), numbers=13)
MLP(2, [3, 1], activation='relu'), 13 parameters
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from types import FunctionType
from typing import Any

from ..engine import Value
from ..nn import MLP, Layer, Module, Neuron
from .documents import check, finite
from .modules import (
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
)
from .modules.sequential import OF_ONE_NUMBER

FUNCTIONS = {function.__name__: function for function in (*OF_ONE_NUMBER, flatten)}


@dataclass(frozen=True)
class _Kind:
    """A class that is rebuilt: its arguments' names, how a model tells them, and how many parameters they make."""

    make: Callable[..., Module]
    arguments: str
    told: Callable[[Any], tuple]
    count: Callable[..., int]


def _matrix(nin: int, nout: int, bias: bool = True) -> int:
    return (nin + bias) * nout


def _layer(layer: Any) -> tuple:
    first = layer.neurons[0]
    return len(first.w), len(layer.neurons), first.activation, first.b is not None


def _conv2d(conv: Any) -> tuple:
    return *conv.sizes, conv.stride, conv.padding, conv.neurons[0].activation


KINDS = {
    "Neuron": _Kind(
        Neuron, "nin activation bias", lambda m: (len(m.w), m.activation, m.b is not None),
        lambda nin, activation, bias: _matrix(nin, 1, bias),
    ),
    "Layer": _Kind(
        Layer, "nin nout activation bias", _layer, lambda nin, nout, activation, bias: _matrix(nin, nout, bias)
    ),
    "MLP": _Kind(
        MLP, "nin nouts activation", lambda m: (m.sizes[0], m.sizes[1:], m.activation),
        lambda nin, nouts, activation: sum([_matrix(a, b) for a, b in pairwise([nin, *nouts])]),
    ),
    "Sequential": _Kind(
        lambda layers: Sequential(*layers), "layers", lambda m: (m.layers,),
        lambda layers: sum([_count(layer) for layer in layers if isinstance(layer, dict)]),
    ),
    "Dropout": _Kind(Dropout, "p", lambda m: (m.p,), lambda p: 0),
    "Embedding": _Kind(Embedding, "count width", lambda m: (len(m.w), len(m.w[0])), lambda count, width: count * width),
    "LayerNorm": _Kind(LayerNorm, "width eps", lambda m: (len(m.w), m.eps), lambda width, eps: 2 * width),
    "RMSNorm": _Kind(
        RMSNorm, "width eps learned", lambda m: (m.width, m.eps, m.w is not None),
        lambda width, eps, learned: width * learned,
    ),
    "Conv2d": _Kind(
        Conv2d, "channels_in channels_out kernel stride padding activation", _conv2d,
        lambda channels_in, channels_out, kernel, **_: _matrix(channels_in * kernel * kernel, channels_out),
    ),
    "MaxPool2d": _Kind(MaxPool2d, "size stride", lambda m: (m.size, m.stride), lambda size, stride: 0),
    "AvgPool2d": _Kind(AvgPool2d, "size stride", lambda m: (m.size, m.stride), lambda size, stride: 0),
    "RNNCell": _Kind(
        RNNCell, "nin width", lambda m: (m.nin, m.width),
        lambda nin, width: _matrix(nin, width) + _matrix(width, width),
    ),
    "GRUCell": _Kind(
        GRUCell, "nin width", lambda m: (m.nin, m.width),
        lambda nin, width: 3 * (_matrix(nin, width) + _matrix(width, width)),
    ),
    "CausalAttention": _Kind(
        CausalAttention, "width heads bias", lambda m: (m.width, m.heads, m.query.neurons[0].b is not None),
        lambda width, heads, bias: 4 * _matrix(width, width, bias),
    ),
}  # fmt: skip


def blueprint_of(model: Module) -> dict[str, Any] | None:
    """The class of a model and its arguments, or None if a file can't say how it was made.

    That is a class of one's own, a function of one's own as activation, layers that were exchanged
    or are in two places: whatever would not come back as it is.
    """
    try:
        blueprint = _told(model)
        twin = _made(blueprint)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None
    names = [[name for name, _ in m.named_parameters()] for m in (model, twin)]
    return blueprint if names[0] == names[1] and _outline(model) == _outline(twin) else None


def rebuilt(blueprint: Any, numbers: int) -> Module:
    """The model of a blueprint from anywhere, with its parameters as they happen to begin.

    Arguments: blueprint, a document; numbers, how many parameters it may have: no other size is built.
    Raises ValueError for what is no blueprint: nothing is looked up but in the table of this file.
    """
    _checked(blueprint)
    needed = _count(blueprint)
    check(needed == numbers, f"it has {numbers} numbers, and its {blueprint['class']} needs {needed}")
    return _made(blueprint)


def _told(model: Module) -> dict[str, Any]:
    kind = KINDS[type(model).__name__]
    return {"class": type(model).__name__, **dict(zip(kind.arguments.split(), map(_plain, kind.told(model))))}


def _plain(argument: Any) -> Any:
    """An argument as a document can hold it: a Module as its blueprint, a function as its name."""
    if isinstance(argument, Module):
        return _told(argument)
    if isinstance(argument, list):
        return [_plain(item) for item in argument]
    return argument.__name__ if isinstance(argument, FunctionType) else argument


def _made(blueprint: Any) -> Module:
    kind, arguments = _checked(blueprint)
    if "layers" in arguments:
        arguments["layers"] = [_made(x) if isinstance(x, dict) else FUNCTIONS[x] for x in arguments["layers"]]
    if arguments.get("activation") is not None:
        arguments["activation"] = FUNCTIONS[arguments["activation"]]
    return kind.make(**arguments)


def _count(blueprint: Any) -> int:
    kind, arguments = _checked(blueprint)
    return kind.count(**arguments)


def _checked(blueprint: Any) -> tuple[_Kind, dict[str, Any]]:
    check(isinstance(blueprint, dict), "its model is no object")
    name = blueprint.get("class")
    check(isinstance(name, str) and name in KINDS, f"its model is of class {name!r:.30}, which is not rebuilt")
    kind, arguments = KINDS[name], {key: value for key, value in blueprint.items() if key != "class"}
    if name == "RMSNorm":
        arguments = {"learned": True, **arguments}  # files from before it could be False
    check(arguments.keys() == set(kind.arguments.split()), f"its {name} has other arguments than {kind.arguments}")
    for argument, value in arguments.items():
        check(_allowed(argument, value), f"the {argument} of its {name} is {value!r:.30}")
    return kind, arguments


def _allowed(argument: str, value: Any) -> bool:
    if argument == "layers":
        return isinstance(value, list) and all([isinstance(x, dict) or _is_function(x) for x in value])
    if argument == "nouts":
        return isinstance(value, list) and len(value) > 0 and all([_whole(x, 1) for x in value])
    if argument == "activation":
        return value is None or _is_function(value)
    if argument in ("bias", "learned"):
        return isinstance(value, bool)
    if argument in ("p", "eps"):
        return finite(value) >= 0
    return _whole(value, 0 if argument == "padding" else 1)


def _is_function(name: Any) -> bool:
    return isinstance(name, str) and name in FUNCTIONS


def _whole(x: Any, least: int) -> bool:
    return type(x) is int and x >= least


def _outline(thing: Any) -> Any:
    """All that a module holds but its numbers, its name in pictures and whether it is being trained."""
    if isinstance(thing, Module):
        held = {key: _outline(inner) for key, inner in vars(thing).items() if key not in ("name", "training")}
        return type(thing), held
    if isinstance(thing, (list, tuple)):
        return [_outline(item) for item in thing]
    if isinstance(thing, (Value, random.Random)):
        return type(thing)
    return thing if isinstance(thing, (int, float, str, FunctionType, type(None))) else object()
