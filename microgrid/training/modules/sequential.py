"""One thing after another."""

from collections.abc import Callable
from typing import Any

from ... import functions
from ...engine import Value
from ...nn import ACTIVATIONS, Module
from ...scopes import scope
from .shapes import each, is_list

OF_ONE_NUMBER = tuple([getattr(functions, name) for name in (*ACTIVATIONS, "exp", "log", "sqrt", "sin", "cos")])


class Sequential(Module):
    """Modules and functions, each called with what the one before returned.

    Arguments: layers, one by one: Modules, functions, and activations by their name ("relu") or as
    microgrid's own functions, which take each number in lists however deep.
    Returns what the last one returns, or, as `MLP` does, that one Value alone if it is a list of one.
    Raises TypeError for what can't be called, ValueError for no layers or an unknown name.
    Its parameters are named as an MLP's, so one can load the other's.

    >>> from microgrid import Layer
    >>> model = Sequential(Layer(2, 3, None, seed=0), "tanh", Layer(3, 1, None, seed=1))
    >>> [name for name, _ in model.named_parameters() if name.endswith("b")]
    ['layers.0.neurons.0.b', 'layers.0.neurons.1.b', 'layers.0.neurons.2.b', 'layers.2.neurons.0.b']
    >>> model([0.0, 0.0]).data
    0.0
    """

    name = "Sequential"  # of its region in a picture

    def __init__(self, *layers: Module | Callable[[Any], Any] | str) -> None:
        if not layers:
            raise ValueError('Sequential() is empty: give it its layers, as in Sequential(Layer(2, 3), "relu")')
        self.layers = [_callable(i, layer) for i, layer in enumerate(layers)]
        for i, layer in enumerate(self.layers):
            if isinstance(layer, Module) and hasattr(layer, "name") and "name" not in vars(layer):
                layer.name = f"{layer.name} {i}"

    def __call__(self, x: Any) -> Any:
        with scope(self.name, self):
            for layer in self.layers:
                if layer in OF_ONE_NUMBER:
                    with scope(layer.__name__):
                        x = each(layer, x)
                else:
                    x = layer(x)
        return x[0] if isinstance(x, list) and len(x) == 1 and isinstance(x[0], Value) else x

    def __repr__(self) -> str:
        shown = [repr(layer) if isinstance(layer, Module) else _name(layer) for layer in self.layers]
        return f"Sequential({', '.join(shown)})"


def flatten(x: Any) -> list:
    """All numbers of lists in lists, in order, in one list: from an image to the inputs of a layer.

    Source: torch.flatten.

    >>> flatten([[[1, 2], [3, 4]], [[5, 6], [7, 8]]])
    [1, 2, 3, 4, 5, 6, 7, 8]
    """
    return [number for xi in x for number in (flatten(xi) if is_list(xi) else [xi])]


def _callable(i: int, layer: Any) -> Callable[[Any], Any]:
    if isinstance(layer, str):
        if layer not in ACTIVATIONS:
            raise ValueError(f"Sequential: layer {i} is {layer!r}; by name there are {', '.join(ACTIVATIONS)}")
        return getattr(functions, layer)
    if is_list(layer):
        raise TypeError("Sequential takes its layers one by one, not in a list: write Sequential(*layers)")
    if not callable(layer):
        raise TypeError(f"Sequential: layer {i} is {layer!r:.40}, which is no Module, no function and no name of one")
    return layer


def _name(layer: Callable) -> str:
    return getattr(layer, "__name__", repr(layer))
