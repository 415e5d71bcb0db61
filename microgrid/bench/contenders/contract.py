"""What a contender is: somebody's way to the value and the gradient of the moons step, and how it is brought."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np

NOUTS = [16, 16, 1]
SHAPES = [(16, 3), (16, 17), (1, 17)]  # of each layer: a row for each neuron, its weights and then its bias
PARAMETERS = sum(rows * columns for rows, columns in SHAPES)
STRENGTH = 1e-4  # of the penalty on all parameters


def _same(p: np.ndarray) -> Any:
    return p


def _numbers(value: Any, gradient: Any) -> tuple[float, np.ndarray]:
    return float(value), np.asarray(gradient)


@dataclass(frozen=True)
class Step:
    """A contender with its points in hand: step(p) is the value and the gradient at a NumPy vector p of 337.

    Attributes: run, the value and the gradient from parameters of the contender's own kind, computed
    when it returns (this is what is timed: nobody pays for NumPy's arrays who has others); forward,
    the value alone by what the contender does without derivatives, or None; own, makes parameters of
    that kind from a NumPy vector; numbers, makes a float and a NumPy vector of what `run` returned;
    inside, so many runs that follow each other without Python between them, or None.
    """

    run: Callable[[Any], tuple[Any, Any]]
    forward: Callable[[Any], Any] | None = None
    own: Callable[[np.ndarray], Any] = _same
    numbers: Callable[[Any, Any], tuple[float, np.ndarray]] = _numbers
    inside: Callable[[Any, int], None] | None = None

    def __call__(self, p: np.ndarray) -> tuple[float, np.ndarray]:
        return self.numbers(*self.run(self.own(p)))


@dataclass(frozen=True)
class Contender:
    """A name for the tables, and what has to be there.

    Attributes: name; prepare, makes a `Step` of points, an array of n rows of 2, and labels 1.0 or -1.0;
    needs, the packages it imports; install, the command that brings it; extra, whether all else is
    there too, such as a compiler, or None; anew, whether it builds its graph in each step; points, the
    most points that it is asked to take; parts, modules whose loading is no part of its first call; shared,
    whether it is there for races of several threads alone.
    """

    name: str
    prepare: Callable[[np.ndarray, np.ndarray], Step]
    needs: tuple[str, ...] = ()
    install: str = ""
    extra: Callable[[], bool] | None = None
    anew: bool = False
    points: int = 100_000
    parts: tuple[str, ...] = ()
    shared: bool = False

    def available(self) -> bool:
        """Whether it can run here; imports nothing."""
        return all([is_here(package) for package in self.needs]) and (self.extra is None or self.extra())


def is_here(package: str) -> bool:
    """Whether `import package` would find something.

    >>> is_here("math"), is_here("no_such_package")
    (True, False)
    """
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # ValueError: somebody put None into sys.modules
        return False


def layers(p: Any) -> list[Any]:
    """A flat vector as its three layers, of `SHAPES`: views, where the vector's slices are views.

    >>> [layer.shape for layer in layers(np.zeros(337))]
    [(16, 3), (16, 17), (1, 17)]
    """
    cut, found = 0, []
    for rows, columns in SHAPES:
        found.append(p[cut : cut + rows * columns].reshape(rows, columns))
        cut += rows * columns
    return found
