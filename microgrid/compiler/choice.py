"""Which backend runs a program: what was asked for, or what pays."""

from functools import cache
from importlib.util import find_spec

BACKENDS = ("auto", "python", "numpy", "native")
INSTALL = 'python -m pip install "microgrid[fast]"'
SOON = 2_000_000  # operations, times rows: about what Python does while native code is being made
SMALL = 1_000  # operations, times rows, that Python has done before arrays are made for them
LARGE = 20_000  # operations from which a Python function takes longer to make than the arrays' way


@cache
def installed(backend: str) -> bool:
    """Whether what a backend needs is there."""
    needed = {"numpy": ("numpy",), "native": ("numpy", "llvmlite")}.get(backend, ())
    return all([find_spec(package) is not None for package in needed])


def choose(asked: str, operations: int, work: int, later: bool = False, rows: int = 1) -> tuple[str, str]:
    """The backend, and in words why.

    Arguments: asked, "auto" or a backend; operations, of the tape; work, operations times rows of all calls so
    far, this one included; later, whether it is bound, to be called many times more; rows, of this call.

    >>> choose("python", 10, 10)
    ('python', 'as asked')
    """
    if asked != "auto":
        if not installed(asked):
            needed = "NumPy and llvmlite" if asked == "native" else "NumPy"
            raise ModuleNotFoundError(f"backend={asked!r} needs {needed}: {INSTALL}")
        return asked, "as asked"
    if not later and operations * rows < SMALL:
        return "python", f"{operations * rows} operations a call, which an array's way would only slow down"
    if not later and work < SOON and operations < LARGE:
        return "python", f"few operations so far ({work}); from {SOON} on arrays or machine code pay"
    fastest = next(backend for backend in ("native", "numpy", "python") if installed(backend))
    why = f"{work} operations so far, {operations} at a time"
    if fastest != "native":
        why += f"; machine code would be faster, and needs {INSTALL}"
    return fastest, why
