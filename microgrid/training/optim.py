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
from collections.abc import Iterable, Mapping
from typing import Any

from ..engine import Value, number


class Optimizer:
    """What SGD and Adam share: the parameters, the learning rate, and a state to save.

    A subclass defines `step()` and says in `remembers` which attributes are its state.
    """

    remembers: tuple[str, ...] = ("lr",)

    def __init__(self, parameters: Iterable[Value], lr: float) -> None:
        self.parameters = _checked(type(self).__name__, parameters)
        self.lr = _at_least_0(type(self).__name__, "lr", lr)

    def zero_grad(self) -> None:
        """Set the adjoint of each parameter to 0, since leaves accumulate over backward passes."""
        for parameter in self.parameters:
            parameter.grad = 0

    def step(self) -> None:
        """Move each parameter by its gradient."""
        raise TypeError(f"{type(self).__name__} has to say how it moves the parameters: define step(self)")

    def state_dict(self) -> dict[str, Any]:
        """All that the next step depends on, but for the parameters and their gradients.

        >>> SGD([Value(4.0)], lr=0.25).state_dict()
        {'lr': 0.25, 'momentum': 0.0, 'velocities': [0.0]}
        """
        state = {name: getattr(self, name) for name in self.remembers}
        return {name: list(value) if isinstance(value, list) else value for name, value in state.items()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from where `state_dict()` was taken.

        Raises KeyError if a name is missing or unknown, ValueError for the state of another
        number of parameters, and what the constructor raises for a number that it would
        refuse; then nothing has been changed.
        """
        who, n = f"{type(self).__name__}.load_state_dict", len(self.parameters)
        if set(state) != set(self.remembers):
            raise KeyError(f"{who}: needs {', '.join(self.remembers)}; got {', '.join(state) or 'nothing'}")
        new = {}
        for name in self.remembers:
            kind = type(getattr(self, name))
            new[name] = kind(state[name]) if kind in (list, tuple) else state[name]
            if kind is list and len(new[name]) != n:
                raise ValueError(f"{who}: {name} of {len(new[name])} parameters, but this optimizer has {n}")
        options = {name: value for name, value in new.items() if name != "steps" and not isinstance(value, list)}
        type(self)(self.parameters, **options)  # refuses what can't be
        numbers = [x for value in new.values() if isinstance(value, list) for x in value]
        for x in [new.get("steps", 0), *numbers]:
            Value(x)  # refuses what is no number
        for name, value in new.items():
            setattr(self, name, value)


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if you like.

        velocity = momentum * velocity + grad
        data     = data - lr * velocity

    Arguments: parameters, a list of Values; lr, the learning rate, which may be changed
    between steps (`optimizer.lr = 0.01`); momentum, 0 (none) or more, below 1 to be stable.
    Raises ValueError for no parameters, one given twice, or a negative number; TypeError
    for what is no Value.
    Source: Robbins & Monro 1951; Polyak 1964; the form is that of torch.optim.SGD, after
    Sutskever et al. 2013.

    >>> x = Value(4.0); x.grad = 2.0
    >>> SGD([x], lr=0.5).step(); x.data
    3.0
    """

    remembers = ("lr", "momentum", "velocities")

    def __init__(self, parameters: Iterable[Value], lr: float, momentum: float = 0.0) -> None:
        super().__init__(parameters, lr)
        self.momentum = _at_least_0("SGD", "momentum", momentum)
        self.velocities = [0.0] * len(self.parameters)

    def step(self) -> None:
        for i, parameter in enumerate(self.parameters):
            gradient = number(parameter.grad)
            self.velocities[i] = self.momentum * self.velocities[i] + gradient if self.momentum else gradient
            parameter.data -= self.lr * self.velocities[i]


class Adam(Optimizer):
    """Adam: momentum, and for each parameter a pace of its own.

        mean   = mean + (1 - beta1) * (grad - mean)
        square = beta2 * square + (1 - beta2) * grad²
        data   = data - lr / (1 - beta1^t) * mean / (sqrt(square) / sqrt(1 - beta2^t) + eps)

    Arguments: parameters, a list of Values; lr, the learning rate, which may be changed
    between steps; betas, how much of the running mean of the gradient and of its square
    is kept at a step; eps, what keeps the division from being one by 0.
    Raises as SGD, and ValueError for a beta outside 0 to 1.
    Source: Kingma & Ba 2015, algorithm 1, in the order of operations of torch.optim.Adam.

    >>> x = Value(4.0); x.grad = 2.0
    >>> Adam([x], lr=0.5).step(); round(x.data, 6)  # the first step is lr, whatever the gradient
    3.5
    """

    remembers = ("lr", "betas", "eps", "steps", "means", "squares")

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
    ) -> None:
        super().__init__(parameters, lr)
        if len(betas) != 2 or not all([0 <= beta < 1 for beta in betas]):
            raise ValueError(f"Adam(betas={betas!r}): two numbers from 0 to below 1, as in (0.9, 0.999)")
        self.betas = tuple(betas)
        self.eps = _at_least_0("Adam", "eps", eps)
        self.steps = 0
        self.means = [0.0] * len(self.parameters)
        self.squares = [0.0] * len(self.parameters)

    def step(self) -> None:
        beta1, beta2 = self.betas
        self.steps += 1
        step_size = self.lr / (1 - beta1**self.steps)
        scale = math.sqrt(1 - beta2**self.steps)
        for i, parameter in enumerate(self.parameters):
            gradient, mean = number(parameter.grad), self.means[i]
            if beta1 > 0.5:  # two ways to write one formula, so that neither end loses digits
                self.means[i] = mean + (1 - beta1) * (gradient - mean)
            else:
                self.means[i] = gradient - beta1 * (gradient - mean)
            self.squares[i] = beta2 * self.squares[i] + (1 - beta2) * gradient * gradient
            parameter.data -= step_size * self.means[i] / (math.sqrt(self.squares[i]) / scale + self.eps)


def _checked(who: str, parameters: Iterable[Value]) -> list[Value]:
    if not isinstance(parameters, Iterable):
        raise TypeError(f"{who} takes a list of Values, not {parameters!r:.50}; write {who}(model.parameters(), ...)")
    parameters = list(parameters)
    if not parameters:
        raise ValueError(f"{who} was given no parameters: there is nothing to learn; write model.parameters()")
    for parameter in parameters:
        if not isinstance(parameter, Value):
            raise TypeError(f"{who} takes a list of Values, and {parameter!r:.50} is none; write model.parameters()")
    if len({id(parameter) for parameter in parameters}) < len(parameters):
        raise ValueError(f"{who} was given a parameter twice, which would move it twice at a step")
    return parameters


def _at_least_0(who: str, name: str, x: float) -> float:
    if not 0 <= x < math.inf:
        raise ValueError(f"{who}({name}={x!r}): {name} has to be a number of 0 or more")
    return x
