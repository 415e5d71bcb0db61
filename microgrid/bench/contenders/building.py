"""A C or C++ source of this folder, built by the compiler that is here and loaded."""

import ctypes
import os
import subprocess
from pathlib import Path
from shutil import which
from tempfile import TemporaryDirectory

HERE = Path(__file__).parent
COMPILERS = {".c": ("cc", "gcc", "clang"), ".cpp": ("c++", "g++", "clang++")}
TUNED: tuple[list[str], ...] = (["-march=native"], ["-mcpu=native"], [])  # the first that the compiler takes


def compiler(suffix: str = ".c") -> str | None:
    """The compiler for a kind of source: $CC or $CXX if set, else the first that is on the PATH."""
    own = os.environ.get("CC" if suffix == ".c" else "CXX", "").strip()
    return which(own) if own else next(filter(None, map(which, COMPILERS[suffix])), None)


def built(source: str, *flags: str) -> ctypes.CDLL:
    """A source of this folder as a shared library, from a temporary folder that is gone afterwards.

    Raises OSError with the compiler's first words if it fails, or if there is none.
    """
    path = HERE / source
    command = compiler(path.suffix)
    if command is None:
        raise OSError(
            f"{source} needs a compiler, one of {', '.join(COMPILERS[path.suffix])}; there is none on the PATH"
        )
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        target = str(Path(folder, path.stem + ".so"))
        for tuned in TUNED:
            words = [command, "-O3", *tuned, "-shared", "-fPIC", *flags, str(path), "-o", target]
            done = subprocess.run(words, capture_output=True, text=True)
            if done.returncode == 0:
                return ctypes.CDLL(target)
    raise OSError(f"{command} refused {source}: {done.stderr.strip()[:500]}")
