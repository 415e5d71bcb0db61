"""Examples to learn from, and what is done to them before a net sees them.

X is a list of examples, each a list of numbers; y holds one target for each.

>>> X, y = make_moons(8, noise=0, seed=1)
>>> X_train, X_test, y_train, y_test = train_test_split(X, y, seed=1)
>>> len(X_train), len(X_test)
(6, 2)
"""

import math
from collections.abc import Iterator, Sequence
from numbers import Real
from typing import Any

from ..nn import Seed, rng_of


def make_moons(n: int = 100, noise: float = 0.1, seed: Seed = 0) -> tuple[list[list[float]], list[int]]:
    """Two half circles that reach into each other: no straight line parts them.

    Arguments: n, how many points, the first half (rounded down) of class 0, the rest of
    class 1; noise, the standard deviation of what is added to each coordinate; seed.
    Returns (X, y): n points [x, y] and their classes, 0 or 1, in shuffled order.
    Raises ValueError for fewer than 2 points or a negative noise.
    Source: sklearn.datasets.make_moons, whose curves these are.

    >>> X, y = make_moons(100)
    >>> len(X), sum(y)
    (100, 50)
    """
    if n < 2 or not noise >= 0:
        raise ValueError(f"make_moons(n={n}, noise={noise}): at least 2 points, and a noise of 0 or more")
    upper = [(math.cos(t), math.sin(t)) for t in _half_turn(n // 2)]
    lower = [(1 - math.cos(t), 0.5 - math.sin(t)) for t in _half_turn(n - n // 2)]
    points = [(point, 0) for point in upper] + [(point, 1) for point in lower]
    rng = rng_of(seed)
    rng.shuffle(points)
    X = [[coordinate + rng.gauss(0.0, noise) for coordinate in point] for point, _ in points]
    return X, [label for _, label in points]


def make_xor() -> tuple[list[list[float]], list[int]]:
    """The smallest problem that no single neuron can learn (Minsky & Papert 1969).

    Returns (X, y): the 4 points and their classes, 1 where exactly one coordinate is 1.

    >>> make_xor()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0])
    """
    return [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]


def train_test_split(
    X: Sequence[Any], y: Sequence[Any], test_fraction: float = 0.25, seed: Seed = 0, stratify: bool = False
) -> tuple[list, list, list, list]:
    """Set examples aside, drawn by chance, to judge the net by what it has not seen.

    Arguments: X and y, n examples and their targets; test_fraction, the share set aside,
    rounded up; seed; stratify, whether to draw that share from each class (each different
    y), rounded to the nearest, but never a whole class.
    Returns (X_train, X_test, y_train, y_test), as scikit-learn's function of that name.
    Raises ValueError for two lengths, or where one side would be empty.

    >>> train_test_split([[1], [2], [3], [4]], ["a", "b", "c", "d"])
    ([[1], [2], [4]], [[3]], ['a', 'b', 'd'], ['c'])
    """
    _check_lengths("train_test_split", X, y)
    if not 0 < test_fraction < 1:
        raise ValueError(f"train_test_split(test_fraction={test_fraction}): a number between 0 and 1, as in 0.25")
    order = list(range(len(X)))
    rng_of(seed).shuffle(order)
    if stratify:
        classes: dict[Any, list[int]] = {}
        for i in order:
            classes.setdefault(y[i], []).append(i)
        aside = {
            i
            for members in classes.values()
            for i in members[: min(round(len(members) * test_fraction), len(members) - 1)]
        }
    else:
        aside = set(order[: math.ceil(len(order) * test_fraction)])
    train, test = [i for i in order if i not in aside], [i for i in order if i in aside]
    if not train or not test:
        raise ValueError(
            f"train_test_split of {len(X)} examples, test_fraction={test_fraction}: one side would be empty"
        )
    return [X[i] for i in train], [X[i] for i in test], [y[i] for i in train], [y[i] for i in test]


def mini_batches(X: Sequence[Any], y: Sequence[Any], size: int, seed: Seed = 0) -> Iterator[tuple[list, list]]:
    """The examples in a new order, a few at a time: each once, the last batch maybe smaller.

    Arguments: X and y, n examples and their targets; size, how many to a batch; seed, an
    int, or a `random.Random` to go on from, so that each pass has an order of its own.
    Returns an iterator over pairs (some of X, their y).
    Raises ValueError for two lengths, no examples or a size below 1.
    Source: Bottou 2012, "Stochastic gradient descent tricks".

    >>> for Xb, yb in mini_batches([[1], [2], [3]], [10, 20, 30], size=2):
    ...     print(Xb, yb)
    [[1], [3]] [10, 30]
    [[2]] [20]
    """
    _check_lengths("mini_batches", X, y)
    if size < 1:
        raise ValueError(f"mini_batches(size={size}): a batch has at least 1 example")
    order = list(range(len(X)))
    rng_of(seed).shuffle(order)
    batches = [order[start : start + size] for start in range(0, len(order), size)]
    return (([X[i] for i in batch], [y[i] for i in batch]) for batch in batches)


def standardise(X: Sequence[Sequence[float]]) -> tuple[list[list[float]], list[float], list[float]]:
    """Shift and scale each column to mean 0 and standard deviation 1: (x - mean) / deviation.

    Arguments: X, n lists of m numbers.
    Returns (X standardised, the m means, the m deviations).  The deviation is that of the
    population (divided by n); a constant column becomes 0 throughout and its deviation is
    given as 1, so that new examples can be treated alike.
    Raises ValueError for no examples, rows of different lengths, or nan or inf in one of them, and TypeError
    for what is no list of lists of numbers.
    Source: LeCun et al. 1998, "Efficient BackProp", section 4.3.

    >>> standardise([[1.0, 5.0], [3.0, 5.0]])
    ([[-1.0, 0.0], [1.0, 0.0]], [2.0, 5.0], [1.0, 1.0])
    """
    _check_table(X)
    means, deviations = [], []
    for column in zip(*X):
        constant = min(column) == max(column)  # said at once: in floats its deviation may be 1e-17
        mean = column[0] if constant else math.fsum([x / len(column) for x in column])
        deviation = 1.0 if constant else math.hypot(*[x - mean for x in column]) / math.sqrt(len(column))
        means.append(mean)
        deviations.append(deviation)
    return [[(x - m) / d for x, m, d in zip(row, means, deviations)] for row in X], means, deviations


def _check_table(X: Any) -> None:
    if not _is_list(X) or not all([_is_list(row) for row in X]):
        raise TypeError(
            "standardise takes a list of rows, each a list of numbers: for one column write [[x] for x in X]"
        )
    if len(X) == 0 or len({len(row) for row in X}) > 1:
        raise ValueError("standardise takes at least one row, all of the same length")
    for i, row in enumerate(X):
        for j, x in enumerate(row):
            if not isinstance(x, Real):
                raise TypeError(f"standardise: row {i}, column {j} is {x!r:.40}, which is no number")
            if not math.isfinite(x):
                raise ValueError(f"standardise: row {i}, column {j} is {x}: leave the row out, or put a number there")


def _is_list(x: Any) -> bool:
    return hasattr(x, "__len__") and not isinstance(x, (str, dict))


def _half_turn(n: int) -> list[float]:
    """n angles from 0 to pi, at equal distances."""
    return [math.pi * i / max(n - 1, 1) for i in range(n)]


def _check_lengths(who: str, X: Sequence[Any], y: Sequence[Any]) -> None:
    if len(X) != len(y):
        raise ValueError(f"{who} of {len(X)} examples and {len(y)} targets: each example needs one of both")
    if len(X) == 0:
        raise ValueError(f"{who} of no examples: there is nothing to learn from")
