"""C by hand: the limit that everybody is held against.  `moons.c` says how it is done."""

import ctypes
import os
from functools import cache, partial
from itertools import pairwise
from typing import Any

import numpy as np

from .building import built, compiler
from .contract import PARAMETERS, Contender, Step

INSTALL = "apt-get install gcc, or another C compiler named cc, gcc or clang"


class Batch:
    """Points as a library holds them, with its functions moons_WHICH(points, p, g) and moons_WHICH_forward(points, p).

    A call hands over three addresses and makes nothing; the gradient is the same array each time.
    """

    def __init__(self, library: Any, X: np.ndarray, y: np.ndarray, which: str) -> None:
        self.library, self.which, self.gradient = library, which, np.empty(PARAMETERS)
        rows, labels = np.ascontiguousarray(X, float), np.ascontiguousarray(y, float)
        library.moons_new.restype = ctypes.c_void_p
        library.moons_new.argtypes = [ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        library.moons_free.argtypes = [ctypes.c_void_p]
        handle = library.moons_new(len(rows), rows.ctypes.data, labels.ctypes.data)
        self.handle, self.g = handle, self.gradient.ctypes.data
        self.both, self.alone = library[f"moons_{which}"], library[f"moons_{which}_forward"]
        for function, arguments in ((self.both, 3), (self.alone, 2)):
            function.restype, function.argtypes = ctypes.c_double, [ctypes.c_void_p] * arguments

    def __del__(self) -> None:
        self.library.moons_free(self.handle)

    def run(self, own: tuple[int, np.ndarray]) -> tuple[float, np.ndarray]:
        return self.both(self.handle, own[0], self.g), self.gradient

    def forward(self, own: tuple[int, np.ndarray]) -> float:
        return self.alone(self.handle, own[0])

    def inside(self, own: tuple[int, np.ndarray], calls: int) -> None:
        repeat = self.library.moons_repeat
        repeat.restype, repeat.argtypes = None, [ctypes.c_long, *[ctypes.c_void_p] * 4]
        repeat(calls, self.both, self.handle, own[0], self.g)


def prepare(X: np.ndarray, y: np.ndarray, which: str = "simd") -> Step:
    """The step in C; which, "simd" or "plain"."""
    batch = Batch(built("moons.c"), X, y, which)
    return Step(batch.run, batch.forward, with_address, copied, batch.inside)


def prepare_threads(X: np.ndarray, y: np.ndarray) -> Step:
    """The same in as many threads as the libraries were told to have: OpenMP, what this machine gives two threads."""
    library, gradient = built("moons.c", "-fopenmp"), np.empty(PARAMETERS)
    count = min(int(os.environ.get("OMP_NUM_THREADS", "1")), len(X))
    cuts = [len(X) * i // count for i in range(count + 1)]
    parts = [Batch(library, X[a:b], y[a:b], "simd") for a, b in pairwise(cuts)]
    handles = (ctypes.c_void_p * count)(*[part.handle for part in parts])
    function = library.moons_threads
    function.restype, function.argtypes = ctypes.c_double, [ctypes.c_void_p, ctypes.c_long, *[ctypes.c_void_p] * 2]

    def run(own: tuple[int, np.ndarray], kept: list[Batch] = parts) -> tuple[float, np.ndarray]:
        return function(handles, count, own[0], gradient.ctypes.data), gradient

    def forward(own: tuple[int, np.ndarray], kept: list[Batch] = parts) -> float:
        return function(handles, count, own[0], None)

    return Step(run, forward, with_address, copied)


def with_address(p: np.ndarray) -> tuple[int, np.ndarray]:
    """Parameters as a library takes them: where they lie, and the array, so that they stay there."""
    own = np.array(p, float)
    return own.ctypes.data, own


def copied(value: float, gradient: np.ndarray) -> tuple[float, np.ndarray]:
    """For who writes into the same gradient again."""
    return float(value), gradient.copy()


def _has_compiler() -> bool:
    return compiler() is not None


@cache
def _has_openmp() -> bool:
    try:
        return bool(built("moons.c", "-fopenmp"))
    except OSError:
        return False


CONTENDERS = {
    "c": Contender("C by hand, SIMD", prepare, install=INSTALL, extra=_has_compiler, points=1_000_000),
    "c_threads": Contender(
        "C by hand, SIMD, threads",
        prepare_threads,
        install=f"{INSTALL}, with OpenMP",
        extra=_has_openmp,
        points=1_000_000,
        shared=True,
    ),
    "c_plain": Contender(
        "C by hand, plain loops", partial(prepare, which="plain"), install=INSTALL, extra=_has_compiler
    ),
}
