"""Neurons, layers and multilayer perceptrons, out of Values.

>>> model = MLP(2, [3, 1], seed=0)
>>> model
MLP(2, [3, 1], activation='relu'), 13 parameters
>>> y = model([1.0, -2.0])
>>> y.backward()
>>> len(model.parameters()), model.parameters()[-1]
(13, Value(data=0.0, grad=1, label='b'))
"""

import random
from collections.abc import Callable, Sequence
from numbers import Integral
from typing import Any

from . import functions
from .engine import Value
from .initial import Initialisation, initialisation_of, one_of
from .module import Module
from .scopes import scope

Seed = int | random.Random | None
Activation = str | Callable[[Any], Any] | None
Init = str | Initialisation | None
ACTIVATIONS = ("relu", "tanh", "sigmoid", "leaky_relu", "elu", "gelu", "silu", "softplus")


class Neuron(Module):
    """activation(w · x + b).

    Arguments: nin, the number of inputs; activation, a function, its name in
    `microgrid.functions`, or None for a linear neuron; seed, an int or a `random.Random`; init, how
    the weights begin, a function or name of `microgrid.initial`; bias, whether there is a b.
    Without init the weights are drawn from a normal distribution of standard deviation sqrt(2 / nin)
    (He et al. 2015), or sqrt(1 / nin) if the activation is None, tanh or sigmoid (LeCun
    et al. 1998); the bias begins as 0.
    Called with a list of nin numbers or Values, returns one Value; ValueError for another
    length.

    >>> n = Neuron(2, activation="tanh", seed=0)
    >>> n.load_state_dict({"w0": -3.0, "w1": 1.0, "b": 6.5})
    >>> round(n([2.0, 0.0]).data, 4)
    0.4621
    """

    name = "neuron"  # of its region in a picture

    def __init__(
        self, nin: int, activation: Activation = "relu", seed: Seed = None, init: Init = None, bias: bool = True
    ) -> None:
        _check_sizes(f"Neuron({nin!r:.40})", "the number of inputs", [nin])
        if nin < 1:
            raise ValueError(f"Neuron({nin}): a neuron needs at least 1 input")
        rng = rng_of(seed)
        weight = initialisation_of(init, name_of(activation))
        self.w = [Value(weight(rng, nin, 1), label=f"w{i}") for i in range(nin)]
        self.b = Value(0.0, label="b") if bias else None
        self.activation = _function(activation)

    def __call__(self, x: Sequence[Any]) -> Value:
        _check_inputs(x, len(self.w))
        with scope(self.name, self):
            return self.answer(_inputs(x))

    def answer(self, x: list[Value]) -> Value:
        """The output for nin Values, without asking whether they are; it is a part of who asks."""
        out = functions.dot(self.w, x)
        if self.b is not None:
            out = out + self.b
        return self.activation(out) if self.activation else out

    def __repr__(self) -> str:
        return f"Neuron({len(self.w)}, activation={name_of(self.activation)!r})"


class Layer(Module):
    """nout neurons, side by side on the same nin inputs.

    Arguments as for `Neuron`; with activation=None it is what PyTorch calls Linear.
    Called with a list of nin, returns a list of nout Values.

    >>> [y.data for y in Layer(1, 2, activation=None, seed=0)([0.0])]
    [0.0, 0.0]
    """

    name = "layer"  # of its region in a picture

    def __init__(
        self,
        nin: int,
        nout: int,
        activation: Activation = "relu",
        seed: Seed = None,
        init: Init = None,
        bias: bool = True,
    ) -> None:
        _check_sizes(f"Layer({nin!r:.40}, {nout!r:.40})", "each size", [nin, nout])
        if nout < 1:
            raise ValueError(f"Layer({nin}, {nout}): a layer needs at least 1 neuron")
        rng = rng_of(seed)
        weight = one_of(nout, initialisation_of(init, name_of(activation)))
        self.neurons = [Neuron(nin, activation, rng, weight, bias) for _ in range(nout)]
        for i, neuron in enumerate(self.neurons):
            neuron.name = f"neuron {i}"

    def __call__(self, x: Sequence[Any]) -> list[Value]:
        _check_inputs(x, len(self.neurons[0].w))
        x = _inputs(x)  # one node for an input, not one for each neuron
        with scope(self.name, self):
            return [neuron.answer(x) for neuron in self.neurons]

    def __repr__(self) -> str:
        return f"Layer of {len(self.neurons)} x {self.neurons[0]}"


class MLP(Module):
    """A multilayer perceptron: layers one after another, the last one linear.

    Arguments: nin, the number of inputs; nouts, the number of neurons of each layer;
    activation, seed and init as for `Neuron`.
    Called with a list of nin, returns a list of nouts[-1] Values, or that one Value alone
    if nouts[-1] is 1.
    Source: Rumelhart, Hinton & Williams 1986.

    >>> MLP(2, [16, 16, 1], seed=0)
    MLP(2, [16, 16, 1], activation='relu'), 337 parameters
    """

    name = "MLP"  # of its region in a picture

    def __init__(
        self, nin: int, nouts: Sequence[int], activation: Activation = "relu", seed: Seed = None, init: Init = None
    ) -> None:
        if not isinstance(nouts, Sequence) or isinstance(nouts, str):
            raise TypeError(f"MLP({nin}, {nouts}): the sizes of the layers are one list, as in MLP(2, [16, 16, 1])")
        _check_sizes(f"MLP({nin!r:.40}, {list(nouts)!r:.40})", "each size", [nin, *nouts])
        if not nouts or min(nin, *nouts) < 1:
            raise ValueError(f"MLP({nin}, {list(nouts)}): each size has to be at least 1, as in MLP(2, [16, 16, 1])")
        _function(activation)  # a name that is wrong is refused even where all layers are linear
        rng = rng_of(seed)
        sizes = [nin, *nouts]
        self.sizes = sizes
        self.activation = name_of(activation)
        self.layers = [
            Layer(sizes[i], sizes[i + 1], activation if i + 1 < len(nouts) else None, rng, init)
            for i in range(len(nouts))
        ]
        for i, layer in enumerate(self.layers):
            layer.name = f"layer {i}"

    def __call__(self, x: Sequence[Any]) -> Any:
        with scope(self.name, self):
            for layer in self.layers:
                x = layer(x)
        return x[0] if len(x) == 1 else x

    def __repr__(self) -> str:
        nin, *nouts = self.sizes
        return f"MLP({nin}, {nouts}, activation={self.activation!r}), {len(self.parameters())} parameters"


def _check_sizes(call: str, what: str, sizes: Sequence[Any]) -> None:
    wrong = [size for size in sizes if isinstance(size, bool) or not isinstance(size, Integral)]
    if wrong:
        raise TypeError(f"{call}: {what} has to be a whole number, as in 2; {wrong[0]!r:.40} is none")


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


def rng_of(seed: Seed) -> random.Random:
    """A generator of random numbers begun with the seed, or the one given, to go on from."""
    return seed if isinstance(seed, random.Random) else random.Random(seed)


def name_of(activation: Activation) -> str | None:
    """The name of an activation, to show and to choose an initialisation by."""
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
