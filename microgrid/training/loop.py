"""The training loop: forward, loss, zero_grad, backward, step."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from .data import mini_batches
from .optim import Optimizer


def train(
    model: Callable[[Any], Any],
    X: Sequence[Any],
    y: Sequence[Any],
    loss: Callable[[list, list], Any],
    optimizer: Optimizer,
    epochs: int = 100,
    batch_size: int | None = None,
    seed: int = 0,
) -> Iterator[tuple[int, float]]:
    """Gradient descent on the examples, an epoch (one pass over all) each time you ask for more.

    This is a generator: nothing is learned before you loop over it, and between two
    epochs you may print, draw, change `optimizer.lr`, or stop.
    Arguments: model, called with one example; X and y, the examples and their targets;
    loss, called with a batch's outputs and targets, returns one Value; optimizer, with
    the model's parameters; epochs; batch_size, or None for all examples in each step;
    seed of the order of the examples.
    Yields (epoch, mean loss): epochs count from 1; the loss of each batch was taken
    before the step that it led to.
    Source: Goodfellow, Bengio & Courville 2016, algorithm 8.1.

    >>> from microgrid import MLP
    >>> from microgrid.training import SGD, make_xor, mse
    >>> model, (X, y) = MLP(2, [4, 1], activation="tanh", seed=3), make_xor()
    >>> losses = [loss for epoch, loss in train(model, X, y, mse, SGD(model.parameters(), lr=0.5))]
    >>> len(losses), losses[-1] < 0.01
    (100, True)
    >>> [round(model(x).data) for x in X]
    [0, 1, 1, 0]
    """
    rng = random.Random(seed)
    for epoch in range(1, epochs + 1):
        total = 0.0
        for examples, targets in mini_batches(X, y, len(X) if batch_size is None else batch_size, rng):
            outputs = [model(x) for x in examples]
            value = loss(outputs, targets)
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
            total += value.data * len(examples)
        yield epoch, total / len(X)
