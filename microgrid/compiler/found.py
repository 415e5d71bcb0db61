"""The parameters of a function: the Values that it gets from around it."""

import functools
import inspect
from collections.abc import Iterator
from types import CodeType
from typing import Any

from ..engine import Value
from ..module import Module


def found_in(f: Any) -> list[Any]:
    """The Values and Modules that f is, has, or names: in its closure, its globals, its own attributes."""
    return list({id(thing): thing for thing in _things(f, 2)}.values())


def parameters_of(things: Any) -> list[Value]:
    """The parameters of Modules and the Values, in order, each once.  Raises TypeError for anything else."""
    found: dict[int, Value] = {}
    for thing in things if isinstance(things, (list, tuple)) else [things]:
        if not isinstance(thing, (Module, Value)):
            what = "a Module, or a list of Values and Modules"
            raise TypeError(f"compile(parameters=...) takes {what}, not {thing!r:.50}")
        for parameter in thing.parameters() if isinstance(thing, Module) else [thing]:
            if parameter.parents:
                raise ValueError(f"compile(parameters=...): {parameter!r:.60} was computed, so it can't be set")
            found.setdefault(id(parameter), parameter)
    return list(found.values())


def _things(f: Any, depth: int) -> Iterator[Any]:
    if isinstance(f, Module):
        yield f
    elif isinstance(f, Value):
        if not f.parents:
            yield f
    elif isinstance(f, functools.partial):
        for part in (f.func, *f.args, *f.keywords.values()):
            yield from _things(part, depth)
    elif inspect.ismethod(f):
        own = f.__self__
        yield from _things(own if isinstance(own, Module) else list(getattr(own, "__dict__", {}).values()), depth)
        yield from _things(f.__func__, depth)
    elif inspect.isfunction(f) and depth:
        around = inspect.getclosurevars(f)
        names = [name for code in _codes(f.__code__) for name in code.co_names]  # those of comprehensions, too
        globals = {name: f.__globals__[name] for name in names if name in f.__globals__}
        defaults = [*(f.__defaults__ or ()), *(f.__kwdefaults__ or {}).values()]
        for part in [*around.nonlocals.values(), *globals.values(), *defaults]:
            if not (inspect.isfunction(part) and str(part.__module__).split(".")[0] == __name__.split(".")[0]):
                yield from _things(part, depth - 1)
    elif isinstance(f, (list, tuple, set)):
        for part in f:
            yield from _things(part, depth)
    elif isinstance(f, dict):
        for part in f.values():
            yield from _things(part, depth)


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function, and of the functions, lambdas and comprehensions written in it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
