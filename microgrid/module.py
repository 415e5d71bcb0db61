"""What every part of a net is: a Module, which finds its own parameters.

>>> from microgrid import MLP
>>> [name for name, _ in MLP(1, [1], seed=0).named_parameters()]
['layers.0.neurons.0.w0', 'layers.0.neurons.0.b']
"""

import random
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

from .engine import Value


class Module:
    """Anything with parameters: the Values in its attributes, and those of the Modules there.

    A leaf (a Value that was not computed) in an attribute without a leading underscore is a
    parameter, alone or in lists: `self.b` is "b", `self.w[2]` is "w2", `self.w[2][0]` is "w2.0".
    Modules are found in the same places: `self.layers[1]` has "layers.1.neurons.0.w0".  What is
    in two places has the name of the first.  What is not to be learned, and an attribute that leads
    back to the module around, has a name that begins with an underscore.

    >>> class Line(Module):
    ...     def __init__(self):
    ...         self.slope, self.offset = Value(2.0), Value(1.0)
    ...     def __call__(self, x):
    ...         return self.slope * x + self.offset
    >>> Line().state_dict()
    {'slope': 2.0, 'offset': 1.0}
    """

    training = True  # or in use: for what behaves in two ways, such as Dropout

    def named_parameters(self) -> list[tuple[str, Value]]:
        """(name, parameter) for each parameter, in the order of the attributes, each once."""
        return self._gathered(Value, lambda module: module.named_parameters())

    def parameters(self) -> list[Value]:
        """Each parameter, in the order of `named_parameters()`."""
        return [parameter for _, parameter in self.named_parameters()]

    def children(self) -> list["Module"]:
        """The Modules in the attributes, each once, without those inside them.

        >>> from microgrid import MLP
        >>> [type(child).__name__ for child in MLP(2, [3, 1], seed=0).children()]
        ['Layer', 'Layer']
        """
        return list({id(thing): thing for _, thing in _held(self) if isinstance(thing, Module)}.values())

    def train(self, mode: bool = True) -> Self:
        """Say that it is being trained (or, with False, used), to it and to all Modules inside; returns it.

        >>> from microgrid import MLP
        >>> MLP(2, [3, 1], seed=0).train(False).layers[1].training
        False
        """
        self.training = mode
        for child in self.children():
            child.train(mode)
        return self

    def eval(self) -> Self:
        """Say that it is being used, no longer trained: `train(False)`."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Set the adjoint of each parameter to 0, since leaves accumulate over backward passes."""
        for parameter in self.parameters():
            parameter.grad = 0

    def state_dict(self) -> dict[str, Any]:
        """The number of each parameter, by name.

        >>> from microgrid import Neuron
        >>> Neuron(1, seed=0).state_dict().keys()
        dict_keys(['w0', 'b'])
        """
        return {name: parameter.data for name, parameter in self._by_name().items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Set each parameter to the number that state has under its name.

        Raises KeyError if a name is missing or unknown and TypeError for what is no
        number; then nothing has been changed.

        >>> from microgrid import Neuron
        >>> a, b = Neuron(2, seed=1), Neuron(2, seed=2)
        >>> b.load_state_dict(a.state_dict())
        >>> a.state_dict() == b.state_dict()
        True
        """
        if not isinstance(state, Mapping):
            raise TypeError(
                f"{type(self).__name__}.load_state_dict takes names and numbers, as state_dict() gives them"
            )
        parameters = self._by_name()
        _check_names(f"{type(self).__name__}.load_state_dict", parameters, state)
        numbers = {name: Value(state[name]).data for name in parameters}
        for name, parameter in parameters.items():
            parameter.data = numbers[name]

    def extra_state(self) -> dict[str, Any]:
        """What else a resume needs to go on bit for bit: the state of each random generator, by name.

        They are found as parameters are: a `random.Random` in an attribute, of this or of a Module
        inside.  Their states are lists of numbers, which JSON keeps.

        >>> from microgrid import MLP
        >>> MLP(2, [3, 1], seed=0).extra_state()
        {}
        """
        states = [(name, generator.getstate()) for name, generator in self._generators()]
        return {name: [version, list(numbers), spare] for name, (version, numbers, spare) in states}

    def load_extra_state(self, state: Mapping[str, Any]) -> None:
        """Set each random generator to where it was when `extra_state()` was taken.

        Raises KeyError if a name is missing or unknown and ValueError for what is no state of a
        generator; then nothing has been changed.
        """
        who = f"{type(self).__name__}.load_extra_state"
        if not isinstance(state, Mapping):
            raise TypeError(f"{who} takes names and states, as extra_state() gives them")
        generators = dict(self._generators())
        _check_names(who, generators, state)
        states = {name: _generator_state(who, name, state[name]) for name in generators}
        for name, generator in generators.items():
            generator.setstate(states[name])

    def _gathered(self, kind: type, inside: Callable[["Module"], list[tuple[str, Any]]]) -> list[tuple[str, Any]]:
        """(name, thing) for each thing of a kind that it holds, and for those inside its Modules, each once."""
        found: dict[int, tuple[str, Any]] = {}
        for name, thing in _held(self):
            if isinstance(thing, kind):
                found.setdefault(id(thing), (name, thing))
            elif isinstance(thing, Module):
                for inner, it in inside(thing):
                    found.setdefault(id(it), (f"{name}.{inner}", it))
        return list(found.values())

    def _by_name(self) -> dict[str, Value]:
        parameters: dict[str, Value] = {}
        for name, parameter in self.named_parameters():
            if name in parameters:
                raise ValueError(
                    f"{type(self).__name__} has two parameters named {name!r}: give an attribute another name"
                )
            parameters[name] = parameter
        return parameters

    def _generators(self) -> list[tuple[str, random.Random]]:
        return self._gathered(random.Random, lambda module: module._generators())


def _held(module: Module) -> Iterator[tuple[str, Any]]:
    """(name, thing) for each leaf, Module and random generator in the attributes and the lists there."""
    for name, thing in vars(module).items():
        if not name.startswith("_"):
            yield from _inside(thing, name, "")


def _inside(thing: Any, name: str, place: str) -> Iterator[tuple[str, Any]]:
    if isinstance(thing, Value):
        if not thing.parents:
            yield name + place[1:], thing
    elif isinstance(thing, (Module, random.Random)):
        yield name + place, thing
    elif isinstance(thing, (list, tuple)):
        for i, item in enumerate(thing):
            if type(item) is Value and not item.parents:  # most are: without a generator for each
                yield f"{name}{place[1:]}{place and '.'}{i}", item
            else:
                yield from _inside(item, name, f"{place}.{i}")
    elif isinstance(thing, dict):
        for key, item in thing.items():
            yield from _inside(item, f"{name}{place}.{key}", "")


def _check_names(who: str, known: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    missing, unknown = known.keys() - given.keys(), given.keys() - known.keys()
    if missing or unknown:
        raise KeyError(f"{who}: missing {_some(missing)}; unknown {_some(unknown)}")


def _generator_state(who: str, name: str, state: Any) -> tuple:
    """A state as `setstate` takes it, tried out on a generator of its own."""
    try:
        version, numbers, spare = state
        checked = version, tuple(numbers), None if spare is None else float(spare)
        random.Random().setstate(checked)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{who}: {name!r} is no state of a random generator, as extra_state() gives it") from None
    return checked


def _some(names: Any) -> str:
    shown = ", ".join(sorted(map(str, names))[:3])
    return (shown + (f" and {len(names) - 3} more" if len(names) > 3 else "")) or "none"
