"""Neurons, layers and multilayer perceptrons, out of Values.

>>> model = MLP(2, [3, 1], seed=0)
>>> model
MLP(2, [3, 1], activation='relu'), 13 parameters
>>> y = model([1.0, -2.0])
>>> y.backward()
>>> len(model.parameters()), model.parameters()[-1]
(13, Value(data=0.0, grad=1, label='b'))
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from . import functions
from .engine import Value
from .scopes import scope

Seed = int | random.Random | None
Activation = str | Callable[[Any], Any] | None
ACTIVATIONS = ("relu", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "softplus")


class Module:
    """Anything with parameters.  A subclass says which: it defines `named_parameters()`."""

    def named_parameters(self) -> list[tuple[str, Value]]:
        """(name, parameter) for each parameter, in a fixed order."""
        raise TypeError(
            f"{type(self).__name__} has to say what it learns: define named_parameters(self), "
            'returning a list such as [("w", self.w), ("b", self.b)]'
        )

    def parameters(self) -> list[Value]:
        """Each parameter, in the order of `named_parameters()`."""
        return [parameter for _, parameter in self.named_parameters()]

    def zero_grad(self) -> None:
        """Set the adjoint of each parameter to 0, since leaves accumulate over backward passes."""
        for parameter in self.parameters():
            parameter.grad = 0

    def state_dict(self) -> dict[str, Any]:
        """The number of each parameter, by name.

        >>> Neuron(1, seed=0).state_dict().keys()
        dict_keys(['w0', 'b'])
        """
        return {name: parameter.data for name, parameter in self.named_parameters()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set each parameter to the number that state has under its name.

        Raises KeyError if a name is missing or unknown and TypeError for what is no
        number; then nothing has been changed.

        >>> a, b = Neuron(2, seed=1), Neuron(2, seed=2)
        >>> b.load_state_dict(a.state_dict())
        >>> a.state_dict() == b.state_dict()
        True
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"{type(self).__name__}.load_state_dict takes names and numbers, as state_dict() gives them"
            )
        parameters = dict(self.named_parameters())
        missing, unknown = parameters.keys() - state.keys(), state.keys() - parameters.keys()
        if missing or unknown:
            raise KeyError(f"{type(self).__name__}.load_state_dict: missing {_some(missing)}; unknown {_some(unknown)}")
        numbers = {name: Value(state[name]).data for name in parameters}
        for name, parameter in parameters.items():
            parameter.data = numbers[name]


class Neuron(Module):
    """activation(w · x + b).

    Arguments: nin, the number of inputs; activation, a function, its name in
    `microgrid.functions`, or None for a linear neuron; seed, an int or a `random.Random`.
    The weights are drawn from a normal distribution of standard deviation sqrt(2 / nin)
    (He et al. 2015), or sqrt(1 / nin) if the activation is None, tanh or sigmoid (LeCun
    et al. 1998); the bias is 0.
    Called with a list of nin numbers or Values, returns one Value; ValueError for another
    length.

    >>> n = Neuron(2, activation="tanh", seed=0)
    >>> n.load_state_dict({"w0": -3.0, "w1": 1.0, "b": 6.5})
    >>> round(n([2.0, 0.0]).data, 4)
    0.4621
    """

    name = "neuron"  # of its region in a picture

    def __init__(self, nin: int, activation: Activation = "relu", seed: Seed = None) -> None:
        if nin < 1:
            raise ValueError(f"Neuron({nin}): a neuron needs at least 1 input")
        rng = rng_of(seed)
        deviation = math.sqrt((1 if _name(activation) in (None, "tanh", "sigmoid") else 2) / nin)
        self.w = [Value(rng.gauss(0.0, deviation), label=f"w{i}") for i in range(nin)]
        self.b = Value(0.0, label="b")
        self.activation = _function(activation)

    def __call__(self, x: Sequence[Any]) -> Value:
        _check_inputs(x, len(self.w))
        with scope(self.name, self):
            return self.answer(_inputs(x))

    def answer(self, x: list[Value]) -> Value:
        """The output for nin Values, without asking whether they are; it is a part of who asks."""
        out = functions.dot(self.w, x) + self.b
        return self.activation(out) if self.activation else out

    def named_parameters(self) -> list[tuple[str, Value]]:
        return [*((f"w{i}", w) for i, w in enumerate(self.w)), ("b", self.b)]

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)}, activation={_name(self.activation)!r})"


class Layer(Module):
    """nout neurons, side by side on the same nin inputs.

    Arguments as for `Neuron`.  Called with a list of nin, returns a list of nout Values.

    >>> [y.data for y in Layer(1, 2, activation=None, seed=0)([0.0])]
    [0.0, 0.0]
    """

    name = "layer"  # of its region in a picture

    def __init__(self, nin: int, nout: int, activation: Activation = "relu", seed: Seed = None) -> None:
        if nout < 1:
            raise ValueError(f"Layer({nin}, {nout}): a layer needs at least 1 neuron")
        rng = rng_of(seed)
        self.neurons = [Neuron(nin, activation, rng) for _ in range(nout)]
        for i, neuron in enumerate(self.neurons):
            neuron.name = f"neuron {i}"

    def __call__(self, x: Sequence[Any]) -> list[Value]:
        _check_inputs(x, len(self.neurons[0].w))
        x = _inputs(x)  # one node for an input, not one for each neuron
        with scope(self.name, self):
            return [neuron.answer(x) for neuron in self.neurons]

    def named_parameters(self) -> list[tuple[str, Value]]:
        return _prefixed("neurons", self.neurons)

    def __repr__(self) -> str:
        return f"Layer of {len(self.neurons)} x {self.neurons[0]}"


class MLP(Module):
    """A multilayer perceptron: layers one after another, the last one linear.

    Arguments: nin, the number of inputs; nouts, the number of neurons of each layer;
    activation and seed as for `Neuron`.
    Called with a list of nin, returns a list of nouts[-1] Values, or that one Value alone
    if nouts[-1] is 1.
    Source: Rumelhart, Hinton & Williams 1986.

    >>> MLP(2, [16, 16, 1], seed=0)
    MLP(2, [16, 16, 1], activation='relu'), 337 parameters
    """

    name = "MLP"  # of its region in a picture

    def __init__(self, nin: int, nouts: Sequence[int], activation: Activation = "relu", seed: Seed = None) -> None:
        if not isinstance(nouts, Sequence):
            raise TypeError(f"MLP({nin}, {nouts}): the sizes of the layers are one list, as in MLP(2, [16, 16, 1])")
        if not nouts or min(nin, *nouts) < 1:
            raise ValueError(f"MLP({nin}, {list(nouts)}): each size has to be at least 1, as in MLP(2, [16, 16, 1])")
        _function(activation)  # a name that is wrong is refused even where all layers are linear
        rng = rng_of(seed)
        sizes = [nin, *nouts]
        self.sizes = sizes
        self.activation = _name(activation)
        self.layers = [
            Layer(sizes[i], sizes[i + 1], activation if i + 1 < len(nouts) else None, rng) for i in range(len(nouts))
        ]
        for i, layer in enumerate(self.layers):
            layer.name = f"layer {i}"

    def __call__(self, x: Sequence[Any]) -> Any:
        with scope(self.name, self):
            for layer in self.layers:
                x = layer(x)
        return x[0] if len(x) == 1 else x

    def named_parameters(self) -> list[tuple[str, Value]]:
        return _prefixed("layers", self.layers)

    def __repr__(self) -> str:
        nin, *nouts = self.sizes
        return f"MLP({nin}, {nouts}, activation={self.activation!r}), {len(self.parameters())} parameters"


def _check_inputs(x: Any, nin: int) -> None:
    if not hasattr(x, "__len__"):
        raise TypeError(
            f"a neuron of {nin} inputs was called with {x!r:.40}: give it one list of {nin}, as in model([1.0])"
        )
    if len(x) and hasattr(x[0], "__len__") and not isinstance(x[0], str):
        raise TypeError("a neuron takes one example at a time: for many write [model(x) for x in X]")
    if len(x) != nin:
        raise ValueError(f"a neuron of {nin} inputs was called with {len(x)}")


def _inputs(x: Sequence[Any]) -> list[Value]:
    return [xi if isinstance(xi, Value) else Value(xi, label=f"x{i}") for i, xi in enumerate(x)]


def _prefixed(name: str, modules: Sequence[Module]) -> list[tuple[str, Value]]:
    return [(f"{name}.{i}.{inner}", p) for i, module in enumerate(modules) for inner, p in module.named_parameters()]


def rng_of(seed: Seed) -> random.Random:
    """A generator of random numbers begun with the seed, or the one given, to go on from."""
    return seed if isinstance(seed, random.Random) else random.Random(seed)


def _name(activation: Activation) -> str | None:
    return activation if activation is None or isinstance(activation, str) else getattr(activation, "__name__", "?")


def _function(activation: Activation) -> Callable[[Any], Any] | None:
    if activation is None or callable(activation):
        return activation
    if activation not in ACTIVATIONS:
        raise ValueError(
            f"activation {activation!r} is not a function of microgrid; take one of {', '.join(ACTIVATIONS)}, "
            "or pass a function of your own"
        )
    return getattr(functions, activation)


def _some(names: set[str]) -> str:
    shown = ", ".join(sorted(map(str, names))[:3])
    return (shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")) or "none"
