"""Optimizers: what to do with the gradients.

>>> x = Value(4.0)
>>> optimizer = SGD([x], lr=0.25)
>>> for _ in range(3):
...     loss = x * x
...     optimizer.zero_grad()
...     loss.backward()
...     optimizer.step()
...     print(x.data)
2.0
1.0
0.5
"""

import math
from collections.abc import Callable, Iterable, Mapping
from numbers import Real
from typing import Any

from ..engine import Value, number


class Optimizer:
    """What all optimizers share: the parameters, the learning rate, and a state to save.

    A subclass defines `rule()`, or all of `step()`, and says in `remembers` which attributes are its
    state: arguments of its constructor, lists with a number for each parameter, and `steps`, a count.
    With a rule, the names of those lists are in `memory`, too.
    """

    remembers: tuple[str, ...] = ("lr",)
    memory: tuple[str, ...] = ()
    steps = 0  # done so far

    def __init__(self, parameters: Iterable[Value], lr: float) -> None:
        who = type(self).__name__
        self.parameters = checked_parameters(who, parameters)
        self.lr = at_least_0(who, "lr", lr)

    def zero_grad(self) -> None:
        """Set the adjoint of each parameter to 0, since leaves accumulate over backward passes."""
        for parameter in self.parameters:
            parameter.grad = 0

    def step(self) -> None:
        """Move each parameter by its gradient."""
        move = self.rule(self.steps + 1, math.sqrt)
        lists = [getattr(self, name) for name in self.memory]
        columns = zip(*[move(p.data, number(p.grad), *kept) for p, *kept in zip(self.parameters, *lists)])
        for parameter, x in zip(self.parameters, next(columns)):
            parameter.data = x
        for one, numbers in zip(lists, columns):
            one[:] = numbers
        self.steps += 1

    def rule(self, t: int, sqrt: Callable[[Any], Any]) -> Callable[..., tuple]:
        """The formula of step t, from 1: (data, grad, *memory) -> (data, *memory), of numbers or whole arrays.

        Arguments: t; sqrt, the square root of what it will be called with.
        """
        raise TypeError(f"{type(self).__name__} has to say how it moves the parameters: define step(self)")

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, but for the parameters and their gradients: plain numbers and lists.

        >>> SGD([Value(4.0)], lr=0.25).state_dict()
        {'lr': 0.25, 'momentum': 0.0, 'nesterov': False, 'weight_decay': 0.0, 'velocities': [0.0]}
        """
        state = {name: getattr(self, name) for name in self.remembers}
        return {name: list(value) if isinstance(value, list) else value for name, value in state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict()` was taken, be it through JSON.

        Raises KeyError if a name is missing or unknown, ValueError for the state of another
        number of parameters, and what the constructor raises for a number that it would
        refuse; then nothing has been changed.
        """
        who = f"{type(self).__name__}.load_state_dict"
        if not isinstance(state, Mapping):
            raise TypeError(f"{who} takes names and numbers, as state_dict() gives them, not {state!r:.50}")
        if set(state) != set(self.remembers):
            raise KeyError(f"{who}: needs {', '.join(self.remembers)}; got {', '.join(map(str, state)) or 'nothing'}")
        new = {name: self._same_kind(who, name, state[name]) for name in self.remembers}
        options = {name: value for name, value in new.items() if name != "steps" and not isinstance(value, list)}
        type(self)(self.parameters, **options)  # refuses what can't be
        for name, value in new.items():
            setattr(self, name, value)

    def _same_kind(self, who: str, name: str, value: Any) -> Any:
        """The value as this optimizer keeps it: JSON knows no tuples."""
        kind, n = type(getattr(self, name)), len(self.parameters)
        if name == "steps" and (type(value) is not int or value < 0):
            raise ValueError(f"{who}: steps={value!r:.50} is no count")
        if kind not in (list, tuple):
            return value
        if not isinstance(value, (list, tuple)):
            raise TypeError(f"{who}: {name} has to be a list, not {value!r:.50}")
        if kind is list and len(value) != n:
            raise ValueError(f"{who}: {name} of {len(value)} parameters, but this optimizer has {n}")
        numbers = [Value(x).data for x in value]  # refuses what is no number
        if name == "squares" and any([x < 0 for x in numbers]):
            raise ValueError(f"{who}: {min(numbers)} in squares is the square of no number")
        return kind(numbers)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if you like.

        grad     = grad + weight_decay * data
        velocity = momentum * velocity + grad
        data     = data - lr * velocity                     or, with nesterov,
        data     = data - lr * (grad + momentum * velocity)

    Arguments: parameters, a list of Values; lr, the learning rate, which may be changed
    between steps (`optimizer.lr = 0.01`); momentum, 0 (none) or more, below 1 to be stable;
    nesterov, to step on from where the momentum leads; weight_decay, 0 or more: the
    gradient of an L2 penalty of half this strength.
    Raises ValueError for no parameters, one given twice, a negative number, or nesterov
    without momentum; TypeError for what is no Value.
    Source: Robbins & Monro 1951; Polyak 1964; Nesterov 1983; the form is that of
    torch.optim.SGD, after Sutskever et al. 2013.

    >>> x = Value(4.0); x.grad = 2.0
    >>> SGD([x], lr=0.5).step(); x.data
    3.0
    """

    remembers = ("lr", "momentum", "nesterov", "weight_decay", "velocities")
    memory = ("velocities",)

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self.momentum = at_least_0("SGD", "momentum", momentum)
        self.nesterov = nesterov
        self.weight_decay = at_least_0("SGD", "weight_decay", weight_decay)
        self.velocities = [0.0] * len(self.parameters)
        if not isinstance(nesterov, bool):
            raise TypeError(f"SGD(nesterov={nesterov!r:.50}): nesterov is True or False")
        if nesterov and not momentum:
            raise ValueError("SGD(nesterov=True) needs momentum to look ahead with, as in momentum=0.9")

    def rule(self, t: int, sqrt: Callable[[Any], Any]) -> Callable[..., tuple]:
        lr, momentum, nesterov, decay = self.lr, self.momentum, self.nesterov, self.weight_decay

        def move(x: Any, gradient: Any, velocity: Any) -> tuple:
            if decay:
                gradient = gradient + decay * x
            if momentum:
                velocity = momentum * velocity + gradient
                gradient = gradient + momentum * velocity if nesterov else velocity
            return x - lr * gradient, velocity

        return move


def checked_parameters(who: str, parameters: Iterable[Value]) -> list[Value]:
    """The parameters as a list.  Raises TypeError or ValueError where they are not Values, each once."""
    if not isinstance(parameters, Iterable):
        raise TypeError(f"{who} takes a list of Values, not {parameters!r:.50}; write {who}(model.parameters(), ...)")
    parameters = list(parameters)
    if not parameters:
        raise ValueError(f"{who} was given no parameters: there is nothing to learn; write model.parameters()")
    for parameter in parameters:
        if not isinstance(parameter, Value):
            raise TypeError(f"{who} takes a list of Values, and {parameter!r:.50} is none; write model.parameters()")
    if len({id(parameter) for parameter in parameters}) < len(parameters):
        raise ValueError(f"{who} was given a parameter twice, which would change it twice at a step")
    return parameters


def at_least_0(who: str, name: str, x: float) -> float:
    """The finite number x, NumPy's as Python's.  Raises ValueError where it is none or below 0."""
    if not isinstance(x, Real) or not 0 <= x < math.inf:
        raise ValueError(f"{who}({name}={x!r:.50}): {name} has to be a number of 0 or more")
    return Value(x).data


def above_0(who: str, name: str, x: float) -> float:
    """The finite number x, NumPy's as Python's.  Raises ValueError where it is none, 0 or below."""
    if not isinstance(x, Real) or not 0 < x < math.inf:
        raise ValueError(f"{who}({name}={x!r:.50}): {name} has to be a number above 0")
    return Value(x).data
