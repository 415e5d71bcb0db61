"""A C++ tape: CoDiPack, where its headers are.

CoDiPack (Sagebiel, Albring, Gauger; GPL-3.0) is headers alone, and on no package index: `git clone` its
repository SciCompKL/CoDiPack from GitHub, and name its folder `include` in the environment variable CODIPACK.
Nothing of it is in this project; `moons.cpp` includes it from there.
"""

import os
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np

from .building import built, compiler
from .contract import Contender, Step
from .with_c import Batch, copied, with_address

VARIABLE = "CODIPACK"
INSTALL = f"git clone SciCompKL/CoDiPack from GitHub, a C++ compiler, and {VARIABLE}=its folder include"


def prepare(X: np.ndarray, y: np.ndarray, which: str = "once") -> Step:
    """The step on a tape that is written anew in each step ("once"), or run again and again ("again")."""
    batch = Batch(_library(os.environ[VARIABLE]), X, y, which)
    return Step(batch.run, batch.forward, with_address, copied)


@cache  # the tape is one for the process, and the compiler takes a quarter of a minute
def _library(include: str) -> Any:
    return built("moons.cpp", "-std=c++17", f"-I{include}")


def _is_here() -> bool:
    folder = os.environ.get(VARIABLE, "")
    return bool(folder) and Path(folder, "codi.hpp").is_file() and compiler(".cpp") is not None


CONTENDERS = {
    "codipack": Contender("C++ CoDiPack, records each time", prepare, install=INSTALL, extra=_is_here),
    "codipack_again": Contender(
        "C++ CoDiPack, records once", partial(prepare, which="again"), install=INSTALL, extra=_is_here, points=1000
    ),
}
