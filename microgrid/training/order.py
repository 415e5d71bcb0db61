"""The order in which an epoch takes its examples."""

import random


class Order:
    """The orders of all epochs, drawn from one seed: each shuffle goes on from the state that the last one left.

    >>> order = Order(4, shuffle=True, seed=0)
    >>> order.of(0), order.of(1), order.of(1)
    ([2, 0, 1, 3], [0, 1, 3, 2], [0, 1, 3, 2])
    """

    def __init__(self, count: int, shuffle: bool, seed: int) -> None:
        self.count, self.shuffle = count, shuffle
        self._last: tuple[int, list[int], tuple] = (-1, [], random.Random(seed).getstate())

    def of(self, epoch: int) -> list[int]:
        """That of an epoch, counted from 0, which is not before the last one that was asked for."""
        while self._last[0] < epoch:
            last, _, state = self._last
            rng, order = random.Random(), list(range(self.count))
            rng.setstate(state)
            if self.shuffle:
                rng.shuffle(order)
            self._last = last + 1, order, rng.getstate()  # all at once, should Ctrl-C come
        return self._last[1]
