"""A net's parameters as tensors: the arrays that they form, by name and shape.

>>> from microgrid import MLP
>>> {name: tensor.shape for name, tensor in tensors_of(MLP(2, [3, 1], seed=0)).items()}
{'layers.0.weight': (3, 2), 'layers.0.bias': (3,), 'layers.1.weight': (1, 3), 'layers.1.bias': (1,)}
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ..engine import Value
from ..nn import Module, Neuron

IN_PYTORCH = {"w": "weight", "b": "bias"}


@dataclass(frozen=True)
class Tensor:
    """shape: the length of each axis, () for a number alone.  parameters: in row-major order.  names: theirs."""

    shape: tuple[int, ...]
    parameters: list[Value]
    names: list[str]


def tensors_of(module: Module) -> dict[str, Tensor]:
    """Each parameter of a module, once, in tensors by name.

    An attribute that holds a Value is a tensor of no axis; lists in lists of equal lengths are one
    axis each.  A list of Neurons is one more axis, the first, since neurons side by side are the rows
    of one matrix; where it is called `neurons`, as in `Layer`, its name is left out.  Lists of other
    Modules are no axis: the index stays in the name.  `w` and `b` are called weight and bias, so that
    `Layer`, `LayerNorm`, `Embedding` and what is made of them have the names and shapes of their
    equals in PyTorch.  What forms no array (rows of different lengths, a parameter that was already
    in another place) is a tensor of no axis under its own name.  What would take a name that is taken
    gets an underscore behind it.  So a module's tensors depend on nothing but the module, and each
    parameter is in exactly one place of one of them.
    Returns the tensors by name, in the order of the attributes.

    >>> from microgrid import Neuron
    >>> {name: (tensor.shape, tensor.names) for name, tensor in tensors_of(Neuron(2, seed=0)).items()}
    {'weight': ((2,), ['w0', 'w1']), 'bias': ((), ['b'])}
    """
    parameters = module.named_parameters()
    left = {id(parameter): name for name, parameter in parameters}
    tensors: dict[str, Tensor] = {}
    for name, array in _arrays(module, ""):
        shape, values = _shape(array), list(_flat(array))
        if shape is not None and len(left.keys() & {id(value) for value in values}) == len(values):
            tensors[_free(name, tensors)] = Tensor(shape, values, [left.pop(id(value)) for value in values])
    for name, parameter in parameters:
        if left.pop(id(parameter), None):
            tensors[_free(name, tensors)] = Tensor((), [parameter], [name])
    return tensors


def _arrays(thing: Any, name: str) -> Iterator[tuple[str, Any]]:
    """(name, array) for each attribute in it that may be an array: a Value, or lists of them."""
    if isinstance(thing, Module):
        for attribute, inner in vars(thing).items():
            if not attribute.startswith("_"):
                yield from _arrays(inner, _joined(name, IN_PYTORCH.get(attribute, attribute)))
    elif isinstance(thing, dict):
        for key, inner in thing.items():
            yield from _arrays(inner, f"{name}.{key}")
    elif isinstance(thing, Value) or _only(Value, thing):
        yield name, thing
    elif _only(Neuron, thing):
        owner = name.removesuffix("neurons").removesuffix(".") if name.split(".")[-1] == "neurons" else name
        rows = [dict(_arrays(neuron, owner)) for neuron in thing]
        for of_each in rows[0]:
            yield of_each, [row.get(of_each) for row in rows]
    elif isinstance(thing, (list, tuple)):
        for i, inner in enumerate(thing):
            if not isinstance(inner, Value):
                yield from _arrays(inner, f"{name}.{i}")


def _only(kind: type, thing: Any) -> bool:
    """Whether it is lists, however deep, of nothing else than a kind."""
    if not isinstance(thing, (list, tuple)) or not thing:
        return False
    return all([isinstance(item, kind) or (kind is Value and _only(kind, item)) for item in thing])


def _shape(array: Any) -> tuple[int, ...] | None:
    """The length of each axis, or None if lists side by side differ."""
    if isinstance(array, Value):
        return ()
    if not isinstance(array, (list, tuple)) or not array:
        return None
    shapes = {_shape(row) for row in array}
    inner = shapes.pop()
    return None if shapes or inner is None else (len(array), *inner)


def _flat(array: Any) -> Iterator[Any]:
    if isinstance(array, (list, tuple)):
        for row in array:
            yield from _flat(row)
    else:
        yield array


def _joined(name: str, attribute: str) -> str:
    return f"{name}.{attribute}" if name else attribute


def _free(name: str, taken: dict[str, Tensor]) -> str:
    while name in taken:
        name += "_"
    return name
