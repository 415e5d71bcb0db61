"""The garbage collector, out of the way: a graph has no cycles, and is freed without it."""

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Result = TypeVar("Result")


@contextmanager
def collector_off() -> Iterator[None]:
    """Without the garbage collector, which looks through a whole graph again and again and finds nothing.

    >>> with collector_off():
    ...     gc.isenabled()
    False
    """
    on = gc.isenabled()
    try:
        gc.disable()
        yield
    finally:
        if on:
            gc.enable()


def without_collector(function: Callable[..., Result], *arguments: object) -> Result:
    """function(*arguments), without the garbage collector, which is given back whatever happens.

    A Ctrl-C that comes as a `with` ends can keep it from ending; here is nothing that it could keep.

    >>> without_collector(gc.isenabled)
    False
    """
    on = gc.isenabled()
    try:
        gc.disable()
        return function(*arguments)
    finally:
        if on:
            gc.enable()
