"""Optimizers that give each parameter a pace of its own: the larger its gradients were, the smaller its steps.

>>> steep, flat = Value(1.0), Value(1.0)
>>> optimizer = RMSProp([steep, flat], lr=0.01, alpha=0.0)
>>> (1000 * steep + 0.001 * flat).backward()
>>> optimizer.step(); round(steep.data, 6), round(flat.data, 6)  # both by lr, whatever the gradient
(0.99, 0.99)
"""

import math
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

from ..engine import Value
from .optim import Optimizer, above_0, at_least_0


class Adagrad(Optimizer):
    """Adagrad: each parameter is slowed by all the gradients that it has had.

        grad   = grad + weight_decay * data
        square = square + grad²
        data   = data - lr * grad / (sqrt(square) + eps)

    Arguments: parameters, a list of Values; lr, the learning rate, which may be changed
    between steps; eps, above 0, what keeps the division from being one by 0; weight_decay,
    0 or more: the gradient of an L2 penalty of half this strength.
    Raises as SGD, and ValueError for an eps of 0.
    Source: Duchi, Hazan & Singer 2011, figure 1, in the order of operations of
    torch.optim.Adagrad.

    >>> x = Value(4.0); x.grad = 2.0
    >>> optimizer = Adagrad([x], lr=0.5)
    >>> optimizer.step(); round(x.data, 6)          # the first step is lr, whatever the gradient
    3.5
    >>> optimizer.step(); round(x.data, 6)          # the second lr / sqrt(2), if it is the same again
    3.146447
    """

    remembers = ("lr", "eps", "weight_decay", "squares")
    memory = ("squares",)

    def __init__(
        self, parameters: Iterable[Value], lr: float = 1e-2, eps: float = 1e-10, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr)
        self.eps = above_0("Adagrad", "eps", eps)
        self.weight_decay = at_least_0("Adagrad", "weight_decay", weight_decay)
        self.squares = [0.0] * len(self.parameters)

    def rule(self, t: int, sqrt: Callable[[Any], Any]) -> Callable[..., tuple]:
        lr, eps, decay = self.lr, self.eps, self.weight_decay

        def move(x: Any, gradient: Any, square: Any) -> tuple:
            gradient = _decayed(gradient, decay, x)
            square = square + gradient * gradient
            return x - lr * gradient / (sqrt(square) + eps), square

        return move


class RMSProp(Optimizer):
    """RMSProp: each gradient is divided by a running root mean square of those before it.

        grad     = grad + weight_decay * data
        square   = alpha * square + (1 - alpha) * grad²
        velocity = momentum * velocity + grad / (sqrt(square) + eps)
        data     = data - lr * velocity

    Arguments: as Adagrad; alpha, from 0 to below 1, how much of the running mean of grad²
    is kept at a step; momentum, 0 (none) or more, below 1 to be stable.
    Raises as Adagrad, and ValueError for another alpha.
    Source: Tieleman & Hinton 2012, lecture 6.5 of Neural Networks for Machine Learning, in
    the order of operations of torch.optim.RMSprop.

    >>> x = Value(4.0); x.grad = 2.0
    >>> RMSProp([x], lr=0.5, alpha=0.75).step(); round(x.data, 6)  # 4 - 0.5 * 2 / sqrt(0.25 * 4)
    3.0
    """

    remembers = ("lr", "alpha", "eps", "momentum", "weight_decay", "squares", "velocities")
    memory = ("squares", "velocities")

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        if not _is_share(alpha):
            raise ValueError(f"RMSProp(alpha={alpha!r:.50}): a number from 0 to below 1, as in 0.99")
        self.alpha = Value(alpha).data
        self.eps = above_0("RMSProp", "eps", eps)
        self.momentum = at_least_0("RMSProp", "momentum", momentum)
        self.weight_decay = at_least_0("RMSProp", "weight_decay", weight_decay)
        self.squares = [0.0] * len(self.parameters)
        self.velocities = [0.0] * len(self.parameters)

    def rule(self, t: int, sqrt: Callable[[Any], Any]) -> Callable[..., tuple]:
        lr, alpha, eps, momentum, decay = self.lr, self.alpha, self.eps, self.momentum, self.weight_decay

        def move(x: Any, gradient: Any, square: Any, velocity: Any) -> tuple:
            gradient = _decayed(gradient, decay, x)
            square = alpha * square + (1 - alpha) * gradient * gradient
            change = gradient / (sqrt(square) + eps)
            if momentum:
                change = velocity = momentum * velocity + change
            return x - lr * change, square, velocity

        return move


class Adam(Optimizer):
    """Adam: momentum, and for each parameter a pace of its own.

        grad   = grad + weight_decay * data
        mean   = mean + (1 - beta1) * (grad - mean)
        square = beta2 * square + (1 - beta2) * grad²
        data   = data - lr / (1 - beta1^t) * mean / (sqrt(square) / sqrt(1 - beta2^t) + eps)

    Arguments: parameters, a list of Values; lr, the learning rate, which may be changed
    between steps; betas, how much of the running mean of the gradient and of its square
    is kept at a step; eps, above 0, what keeps the division from being one by 0;
    weight_decay, 0 or more: the gradient of an L2 penalty of half this strength.
    Raises as SGD, and ValueError for a beta outside 0 to 1 or an eps of 0.
    Source: Kingma & Ba 2015, algorithm 1, in the order of operations of torch.optim.Adam.

    >>> x = Value(4.0); x.grad = 2.0
    >>> Adam([x], lr=0.5).step(); round(x.data, 6)  # the first step is lr, whatever the gradient
    3.5
    """

    remembers = ("lr", "betas", "eps", "weight_decay", "steps", "means", "squares")
    memory = ("means", "squares")

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        who = type(self).__name__
        if not isinstance(betas, (tuple, list)) or len(betas) != 2 or not all([_is_share(beta) for beta in betas]):
            raise ValueError(f"{who}(betas={betas!r:.50}): two numbers from 0 to below 1, as in (0.9, 0.999)")
        self.betas = tuple([Value(beta).data for beta in betas])
        self.eps = above_0(who, "eps", eps)
        self.weight_decay = at_least_0(who, "weight_decay", weight_decay)
        self.steps = 0
        self.means = [0.0] * len(self.parameters)
        self.squares = [0.0] * len(self.parameters)

    def rule(self, t: int, sqrt: Callable[[Any], Any]) -> Callable[..., tuple]:
        decay, move = self.weight_decay, self._move(t, sqrt)
        return lambda x, gradient, *memory: move(x, _decayed(gradient, decay, x), *memory)

    def _move(self, t: int, sqrt: Callable[[Any], Any]) -> Callable[..., tuple]:
        (beta1, beta2), eps = self.betas, self.eps
        step_size = self.lr / (1 - beta1**t)
        scale = math.sqrt(1 - beta2**t)

        def move(x: Any, gradient: Any, mean: Any, square: Any) -> tuple:
            change = gradient - mean  # from here two ways to write one mean, so that neither end loses digits
            mean = mean + (1 - beta1) * change if beta1 > 0.5 else gradient - beta1 * change
            square = beta2 * square + (1 - beta2) * gradient * gradient
            return x - step_size * mean / (sqrt(square) / scale + eps), mean, square

        return move


class AdamW(Adam):
    """Adam with decoupled weight decay: each parameter shrinks by one share, whatever its pace.

        data = data - lr * weight_decay * data, then as Adam, with the gradient as it is

    An L2 penalty would be divided by the pace, too, and hold back those parameters least
    that have had the largest gradients.
    Arguments and raises as Adam, but for weight_decay: 0.01 unless told.
    Source: Loshchilov & Hutter 2019, algorithm 2, without its schedule, in the form of
    torch.optim.AdamW.

    >>> x = Value(4.0); x.grad = 2.0
    >>> AdamW([x], lr=0.5, weight_decay=0.1).step(); round(x.data, 6)  # 4 * (1 - 0.05) - 0.5
    3.3
    """

    def __init__(
        self,
        parameters: Iterable[Value],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)

    def rule(self, t: int, sqrt: Callable[[Any], Any]) -> Callable[..., tuple]:
        kept, move = 1 - self.lr * self.weight_decay, self._move(t, sqrt)
        return lambda x, gradient, *memory: move(x * kept, gradient, *memory)


def _decayed(gradient: Any, decay: float, x: Any) -> Any:
    """The gradient with that of decay / 2 * x² added."""
    return gradient + decay * x if decay else gradient


def _is_share(x: float) -> bool:
    return isinstance(x, Real) and 0 <= x < 1
