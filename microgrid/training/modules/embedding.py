"""A list of numbers to learn for each of many things: words, letters, users."""

import operator
from typing import Any

from ...engine import Value
from ...functions import lookup
from ...initial import initialisation_of, one_of
from ...nn import Init, Module, Seed, rng_of
from .shapes import counted, is_list


class Embedding(Module):
    """A table of numbers to learn: called with i, returns row i.

    It is a Layer without bias on inputs of which one is 1 and the rest 0, without the arithmetic: so it
    makes no nodes and has no region in a picture.  With a Value as index, each number is a `lookup` of
    its column, which the graph records: so a program can be called with other indices later.
    Arguments: count, the number of rows; width, of each; seed, an int or a `random.Random`; init, how
    the numbers begin: without it from a normal distribution of standard deviation 1, as PyTorch's.
    Called with an index, 0 to count - 1, returns the list of that row's width parameters, or with a
    Value width Values; with a list of indices, a list of rows.
    Raises ValueError for an index that is none, TypeError for what is no whole number.
    Source: Bengio, Ducharme, Vincent & Jauvin 2003; torch.nn.Embedding.

    >>> letters = Embedding(26, 2, seed=0)
    >>> [[len(row) for row in letters([0, 1, 0])], letters(0)[1].label]
    [[2, 2, 2], 'w0.1']
    """

    name = "embedding"

    def __init__(self, count: int, width: int, seed: Seed = None, init: Init = "normal") -> None:
        counted(f"Embedding({count}, {width})", count=count, width=width)
        number, rng = one_of(width, initialisation_of(init, None)), rng_of(seed)
        self.w = [[Value(number(rng, count, width), label=f"w{i}.{j}") for j in range(width)] for i in range(count)]

    def __call__(self, index: Any) -> Any:
        if is_list(index):
            return [self(i) for i in index]
        if isinstance(index, Value):
            return [lookup(column, index) for column in zip(*self.w)]
        try:
            i = operator.index(index)
        except TypeError:
            raise TypeError(
                f"{self!r} was called with {index!r:.50}: give it a whole number or a list of them"
            ) from None
        if not 0 <= i < len(self.w):
            raise ValueError(f"{self!r} was called with {i}: it has rows 0 to {len(self.w) - 1}")
        return list(self.w[i])

    def __repr__(self) -> str:
        return f"Embedding({len(self.w)}, {len(self.w[0])})"
