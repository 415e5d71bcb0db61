"""Leaving some numbers out at random, so that no neuron relies on another."""

from typing import Any

from ...engine import Value
from ...nn import Module, Seed, rng_of
from ...scopes import scope
from .shapes import each


class Dropout(Module):
    """In training each number is x * 0 with probability p, else x * 1 / (1 - p); in use it is x.

    So its mean is x in both ("inverted" dropout).  `model.train()` and `model.eval()` say which.
    Arguments: p, the share to leave out, 0 to 1; seed, an int or a `random.Random`, of what is left
    out; where it has come to is in `extra_state()`.
    Called with a number, or lists of them however deep; returns the same shape, or in use x itself.
    Raises ValueError for a p that is no share.
    Source: Srivastava, Hinton, Krizhevsky, Sutskever & Salakhutdinov 2014, section 10; torch.nn.Dropout.

    >>> dropout = Dropout(0.5, seed=1)
    >>> [y.data for y in dropout([1.0, 1.0, 1.0, 1.0])]
    [0.0, 2.0, 2.0, 0.0]
    >>> dropout.eval()([1.0, 1.0])
    [1.0, 1.0]
    """

    name = "dropout"  # of its region in a picture

    def __init__(self, p: float = 0.5, seed: Seed = None) -> None:
        if not isinstance(p, (int, float)) or not 0 <= p <= 1:
            raise ValueError(f"Dropout({p!r}): p is the share to leave out, from 0 to 1, as in Dropout(0.5)")
        self.p = p
        self.rng = rng_of(seed)

    def __call__(self, x: Any) -> Any:
        if not self.training or self.p == 0:
            return x
        with scope(self.name, self):
            return each(self._thinned, x)

    def _thinned(self, x: Any) -> Value:
        factor = 0.0 if self.rng.random() < self.p else 1 / (1 - self.p)
        return (x if isinstance(x, Value) else Value(x)) * factor

    def __repr__(self) -> str:
        return f"Dropout({self.p})"
