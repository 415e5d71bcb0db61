"""Attention: each position of a sequence asks those before it, and takes what answers."""

import math
from collections.abc import Sequence
from typing import Any

from ...engine import Value
from ...functions import dot, softmax
from ...nn import Init, Layer, Module, Seed, rng_of
from ...scopes import scope
from .shapes import counted, positions


class CausalAttention(Module):
    """Scaled dot-product attention in heads; position t looks at positions 0 to t.

        q, k, v    = query(x), key(x), value(x)        for each position, cut into heads
        share[s]   = softmax over s <= t of q[t] · k[s] / sqrt(width of a head)
        head[t]    = sum over s <= t of share[s] * v[s]
        y[t]       = output(the heads of t, side by side)

    No mask is needed: what may not be seen is not asked.
    Arguments: width, of each position; heads, which has to divide it; seed and init as for `Layer`;
    bias, whether the four linear maps have one.
    Called with a list of any number of positions, each a list of width numbers, returns the same
    shape, of Values.
    Raises TypeError and ValueError for other shapes.
    Source: Vaswani et al. 2017, equation 1 and section 3.2.2; torch.nn.MultiheadAttention.

    >>> attention = CausalAttention(4, heads=2, seed=0)
    >>> ys = attention([[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0]])
    >>> [len(y) for y in ys], len(attention.parameters())
    ([4, 4], 80)
    """

    name = "attention"  # of its region in a picture

    def __init__(self, width: int, heads: int = 1, seed: Seed = None, init: Init = None, bias: bool = True) -> None:
        counted(f"CausalAttention({width}, heads={heads})", width=width, heads=heads)
        if width % heads:
            raise ValueError(f"CausalAttention({width}, heads={heads}): the width has to be a multiple of the heads")
        self.width, self.heads = width, heads
        rng = rng_of(seed)
        self.query, self.key, self.value, self.output = [Layer(width, width, None, rng, init, bias) for _ in range(4)]
        self.query.name, self.key.name, self.value.name, self.output.name = "query", "key", "value", "output"

    def __call__(self, xs: Sequence[Sequence[Any]]) -> list[list[Value]]:
        xs = positions(self, xs, self.width)
        with scope(self.name, self):
            q = _of_each(self.query, xs, "queries")
            k = _of_each(self.key, xs, "keys")
            v = _of_each(self.value, xs, "values")
            size = self.width // self.heads
            heads: list[list[Value]] = [[] for _ in xs]
            for h in range(self.heads):
                mine = slice(h * size, (h + 1) * size)
                with scope(f"head {h}"):
                    for t, answer in enumerate(_head(*[[row[mine] for row in rows] for rows in (q, k, v)])):
                        heads[t] += answer
            return _of_each(self.output, heads, "outputs")

    def __repr__(self) -> str:
        return f"CausalAttention({self.width}, heads={self.heads})"


def _of_each(layer: Layer, xs: list[list[Value]], name: str) -> list[list[Value]]:
    """The layer's answer at each position, all in one region."""
    with scope(name):
        return [layer(x) for x in xs]


def _head(q: list[list[Value]], k: list[list[Value]], v: list[list[Value]]) -> list[list[Value]]:
    """What each position takes from itself and those before it."""
    scale = 1 / math.sqrt(len(q[0]))
    answers = []
    for t, asked in enumerate(q):
        shares = softmax([dot(asked, key) * scale for key in k[: t + 1]])
        answers.append([dot(shares, list(column)) for column in zip(*v[: t + 1])])
    return answers
