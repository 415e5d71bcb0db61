"""microgpt (Karpathy, February 2026): a GPT in one page, which learns names letter by letter.

Its weights, losses and samples are those of the original, number for number, because chance is asked in
the same order: one generator shuffles the names, draws the weights, and then chooses the letters.

>>> names, rng = ["ada", "eve", "ida"], random.Random(42)
>>> rng.shuffle(names)
>>> model = MicroGPT("".join(names), width=8, seed=rng)
>>> losses = learn(model, names, steps=50)
>>> f"{losses[0]:.2f} {losses[-1]:.2f}"
'1.90 0.49'
>>> sample(model, 4, seed=rng)                # two that it has read, and one that it has made up
['eva', 'eve', 'eve', 'eva']
"""

import random
from collections.abc import Iterable, Sequence
from functools import reduce
from operator import add
from typing import Any

from ..collector import without_collector
from ..engine import Value
from ..functions import logsumexp, lookup, softmax
from ..initial import normal
from ..nn import Layer, Module, Seed, rng_of
from ..scopes import scope
from ..training import Adam, linear
from ..training.modules import CausalAttention, Embedding, RMSNorm

Token = int | Value  # a Value where a program is recorded, whose tokens come later


class MicroGPT(Module):
    """A GPT of letters: at each position, how likely is each letter, or the end, to come next?

        x = norm(tokens[token] + positions[t])         for each position t
        x = x + attention(norm(x))                     what the letters before have to say
        x = x + down(relu(up(norm(x))))                what to make of it
        logits = head(x)

    The two lines in the middle are a block.  No layer has a bias, and the norms have nothing to learn.
    Arguments: letters, all that occur, as in `"".join(names)`; width, of each position; heads, which has
    to divide it; layers, the number of blocks; context, the most positions; seed.
    Called with a list of at most context tokens, the first of them the end (of the name before), returns
    at each position a list of logits, one for each letter in order of the alphabet and one for the end.
    Raises ValueError for letters that are none, and for a token or a position that is not there.
    Source: Karpathy 2026, microgpt; Radford et al. 2019 (GPT-2), with RMSNorm, relu and no biases.

    >>> model = MicroGPT("abcdefghijklmnopqrstuvwxyz")
    >>> model
    MicroGPT of 26 letters, 4192 parameters
    >>> [len(logits) for logits in model([26, 0, 1])]
    [27, 27, 27]

    A gradient can be followed from the loss to any number.  Here is a small one, and the first of the
    numbers of the letter b: bob has two, so two gradients meet in it.

    >>> from microgrid import explain
    >>> small = MicroGPT("bo", width=4, heads=2, context=4)
    >>> loss = small.loss(*small.read("bob"))
    >>> loss.backward()
    >>> print(explain(small.tokens.w[0][0], loss))  # doctest: +ELLIPSIS
    dloss/db.0 = 0.5665, the sum over 1 166 597 064 paths from loss back to b.0: ...
        from     upstream   local gradient      adds
        + #636    −0.2643                1   −0.2643
        + #335     0.8308                1    0.8308
    (−0.2643) + 0.8308 = 0.5665 = its grad

    `draw(loss)` shows four parts that can be opened, `draw(loss, focus="b.0", radius=2)` what is around
    that number, and `steps(loss).save("bob.html")` plays every step.
    """

    def __init__(
        self, letters: Iterable[str], width: int = 16, heads: int = 4, layers: int = 1, context: int = 16,
        seed: Seed = 42,
    ) -> None:  # fmt: skip
        self.letters = sorted(set(letters))
        if not self.letters or any([len(letter) != 1 for letter in self.letters]):
            raise ValueError(f'MicroGPT({letters!r:.40}): give it all letters in one text, as in "".join(names)')
        self.end, self.context = len(self.letters), context
        init, rng = normal(0.08), rng_of(seed)
        self.tokens = Embedding(self.end + 1, width, rng, init)
        self.positions = Embedding(context, width, rng, init)
        self.head = Layer(width, self.end + 1, None, rng, init, bias=False)
        self.norm = RMSNorm(width, learned=False)
        self.blocks = [Block(i, width, heads, rng) for i in range(layers)]
        self.head.name = "head"
        _label(self.tokens, [*self.letters, "end"])
        _label(self.positions, [f"position {t}" for t in range(context)])

    def __call__(self, tokens: Sequence[Token]) -> list[list[Value]]:
        with scope("embedding"):
            xs = [self.norm(_sum(self.tokens(token), self.positions(t))) for t, token in enumerate(tokens)]
        for block in self.blocks:
            xs = block(xs)
        with scope("logits"):
            return [self.head(x) for x in xs]

    def loss(self, tokens: Sequence[Token], targets: Sequence[Token]) -> Value:
        """The mean surprise at what came next, in nats: log(1 / the share that it was given).

        Arguments: tokens and targets, two lists of one length, as `read` gives them; with Values in the
        place of numbers the graph keeps them as inputs, and a program made of it takes other names.
        Returns one Value.  Raises ValueError for two lengths, and as a call does.
        Source: Shannon 1948; the same number as `cross_entropy(model(tokens), targets)`.

        >>> model = MicroGPT("abc")
        >>> for weight in model.parameters():
        ...     weight.data = 0.0
        >>> round(model.loss(*model.read("cab")).data, 9)              # log 4: all are equally likely
        1.386294361
        """
        logits = self(tokens)
        with scope("loss"):
            surprises = [
                logsumexp(scores) - lookup(scores, target) for scores, target in zip(logits, targets, strict=True)
            ]
            return reduce(add, surprises) / len(surprises)

    def read(self, name: str) -> tuple[list[int], list[int]]:
        """A name as tokens: what is there at each position, and what comes next.

        Of a longer name as much as the context holds.  Raises ValueError for a letter that is not known.

        >>> MicroGPT("abc").read("cab")
        ([3, 2, 0, 1], [2, 0, 1, 3])
        """
        unknown = [letter for letter in name if letter not in self.letters]
        if unknown:
            raise ValueError(f"{self!r} was given {name!r:.40}: it has never seen the letter {unknown[0]!r}")
        tokens = [self.end, *[self.letters.index(letter) for letter in name], self.end]
        return tokens[:-1][: self.context], tokens[1:][: self.context]

    def __repr__(self) -> str:
        return f"MicroGPT of {len(self.letters)} letters, {len(self.parameters())} parameters"


class Block(Module):
    """A layer of a GPT: the positions speak to each other, then each thinks by itself."""

    def __init__(self, i: int, width: int, heads: int, rng: random.Random) -> None:
        init = normal(0.08)
        self.name = f"block {i}"
        self.norm = RMSNorm(width, learned=False)
        self.attention = CausalAttention(width, heads, rng, init, bias=False)
        self.up = Layer(width, 4 * width, "relu", rng, init, bias=False)
        self.down = Layer(4 * width, width, None, rng, init, bias=False)
        self.up.name, self.down.name = "up", "down"

    def __call__(self, xs: list[list[Value]]) -> list[list[Value]]:
        with scope(self.name, self):
            with scope("communication"):
                heard = self.attention([self.norm(x) for x in xs])
                xs = [_sum(x, y) for x, y in zip(xs, heard)]
            with scope("computation"):
                return [_sum(x, self.down(self.up(self.norm(x)))) for x in xs]


def learn(
    model: MicroGPT, names: Sequence[str], steps: int = 1000, over: int | None = None, backend: str | None = None
) -> list[float]:
    """Steps of Adam on one name each, in their order; returns the loss before each step.

    Arguments: model; names, begun again at their end; steps; over, the step at which the learning rate
    will have fallen from 0.01 to 0: steps, unless it is more, for the first part of a longer training;
    backend, None for graphs, or as in `compile`: then by a program for each length of a name, made when
    the first such name comes; "native" does some hundred steps in the time of one.
    Raises ValueError for no names, or letters that the model does not know; what `compile` raises for a backend.
    Source: Karpathy 2026, microgpt; Kingma & Ba 2015.

    >>> models = [MicroGPT("bo", width=4, heads=2, context=4) for _ in range(2)]
    >>> learn(models[0], ["bob"], 3) == learn(models[1], ["bob"], 3, backend="python")
    True
    """
    if isinstance(names, str) or not len(names):
        raise ValueError(f"learn({model!r}, {names!r:.40}): give it a list of names to learn from")
    optimizer, rate = Adam(model.parameters(), betas=(0.85, 0.99)), linear(0.01, 0.0, over=over or steps)
    if backend is not None:
        return _by_programs(model, names, steps, optimizer, rate, backend)
    losses = []
    for k in range(steps):
        optimizer.lr = rate(k)
        losses.append(without_collector(learn_one, model, names[k % len(names)], optimizer))
    return losses


def _by_programs(
    model: MicroGPT, names: Sequence[str], steps: int, optimizer: Adam, rate: Any, backend: str
) -> list[float]:
    from .in_programs import InPrograms

    learn_one, losses = InPrograms(model, optimizer, backend), []
    try:
        for k in range(steps):
            optimizer.lr = rate(k)
            losses.append(learn_one(names[k % len(names)]))
    finally:
        learn_one.show()
    return losses


def learn_one(model: MicroGPT, name: str, optimizer: Adam) -> float:
    """One step on one name; returns the loss before it."""
    loss = model.loss(*model.read(name))
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.data


def sample(model: MicroGPT, count: int = 1, temperature: float = 0.5, seed: Seed = None) -> list[str]:
    """New names, each written letter by letter until the model chooses the end.

    Arguments: model; count; temperature, above 0: the lower it is, the rarer the unlikely letters; seed.
    Raises ValueError for another temperature.
    Source: Ackley, Hinton & Sejnowski 1985, on temperature.
    """
    if not temperature > 0:
        raise ValueError(f"sample(temperature={temperature!r}): a number above 0, as in 0.5")
    rng = rng_of(seed)
    return [without_collector(_written, model, temperature, rng) for _ in range(count)]


def _written(model: MicroGPT, temperature: float, rng: random.Random) -> str:
    tokens = [model.end]
    while len(tokens) <= model.context:
        shares = softmax([score.data / temperature for score in model(tokens)[-1]])
        [token] = rng.choices(range(model.end + 1), weights=shares)
        if token == model.end:
            break
        tokens.append(token)
    return "".join([model.letters[token] for token in tokens[1:]])


def _sum(x: Sequence[Any], y: Sequence[Any]) -> list[Any]:
    return [a + b for a, b in zip(x, y)]


def _label(table: Embedding, names: Sequence[str]) -> None:
    """So that a picture says whose number it is."""
    for name, row in zip(names, table.w):
        for j, w in enumerate(row):
            w.label = f"{name}.{j}"
