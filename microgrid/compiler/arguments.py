"""What a program is called with: numbers in lists, tuples and arrays, as one flat row, and back.

A shape is () for a number, and for a list the tuple of the shapes of what is in it.

>>> shape_of([1.0, [2.0, 3.0]])
((), ((), ()))
>>> flat([1.0, [2.0, 3.0]]), shaped([1, 2, 3], ((), ((), ())))
([1.0, 2.0, 3.0], [1, [2, 3]])
"""

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from numbers import Real
from typing import Any

from ..engine import Value

Shape = tuple


def shape_of(thing: Any, who: str = "a program takes") -> Shape:
    """How numbers lie in it.

    Arguments: thing; who, what an error begins with.
    Raises TypeError for what is no number, list, tuple or array, ValueError for an empty list.
    """
    if hasattr(thing, "ndim") and hasattr(thing, "shape"):
        return _of_array(tuple(thing.shape))
    if isinstance(thing, (Value, Real)):
        return ()
    if isinstance(thing, (list, tuple)):
        if not thing:
            raise ValueError(f"{who} lists with something in them, not []")
        return tuple([shape_of(item, who) for item in thing])
    raise TypeError(f"{who} numbers, and lists, tuples and arrays of them, not {thing!r:.50}")


@lru_cache
def _of_array(shape: tuple[int, ...]) -> Shape:
    return (_of_array(shape[1:]),) * shape[0] if shape else ()


@lru_cache
def size(shape: Shape) -> int:
    """How many numbers there are: `size` of a shape of a list is the sum of its parts, of a number 1."""
    return sum([size(part) for part in shape]) if shape else 1


def flat(thing: Any) -> list:
    """The numbers in it, from left to right; of a Value its data."""
    if hasattr(thing, "tolist"):
        thing = thing.tolist()
    if isinstance(thing, (list, tuple)):
        found: list = []
        for item in thing:
            if type(item) is float or type(item) is int:
                found.append(item)
            else:
                found += flat(item)
        return found
    return [thing.data if isinstance(thing, Value) else thing]


def shaped(numbers: Iterable[Any], shape: Shape) -> Any:
    """The numbers, laid out in lists of that shape."""
    given = iter(numbers)

    def laid(shape: Shape) -> Any:
        return [laid(part) for part in shape] if shape else next(given)

    return laid(shape)


def leaves(name: str, shape: Shape, numbers: Sequence[Any]) -> Any:
    """Fresh Values in lists of that shape, each labelled with its place: x, x[0], x[1][2]."""
    given = iter(numbers)

    def made(name: str, shape: Shape) -> Any:
        if not shape:
            return Value(next(given), label=name)
        return [made(f"{name}[{i}]", part) for i, part in enumerate(shape)]

    return made(name, shape)


def mapped(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same lists, with function(leaf) for each leaf."""
    return [mapped(function, item) for item in tree] if isinstance(tree, (list, tuple)) else function(tree)


def rows_of(inputs: Sequence[Any]) -> list[list]:
    """The rows of several arguments, each as one flat list."""
    columns = [part.tolist() if hasattr(part, "tolist") else part for part in inputs]
    if len(columns) == 1:
        return [flat(row) for row in columns[0]]
    return [flat(list(row)) for row in zip(*columns)]


def any_array(things: Sequence[Any]) -> bool:
    """Whether one of them is an array, no single number."""
    return any([getattr(x, "ndim", 0) > 0 for x in things])


def as_array(numbers: list, shape: Shape, dtype: str) -> Any:
    """Nested lists as an array, if their parts are alike."""
    import numpy

    return numpy.array(numbers, dtype) if shape == _of_array(lengths(shape)) else numbers


def flat_leaves(argument: Any) -> list[Value]:
    """The Values in nested lists, from left to right."""
    return [x for part in argument for x in flat_leaves(part)] if isinstance(argument, list) else [argument]


def lengths(shape: Shape) -> tuple[int, ...]:
    """The lengths of a shape whose parts are alike."""
    return (len(shape), *lengths(shape[0])) if shape else ()


def said(argument: Any) -> str:
    """How many rows an argument has, in words."""
    return (
        f"{len(argument)} rows"
        if hasattr(argument, "__len__") and getattr(argument, "ndim", 1) != 0
        else f"{argument!r:.20}, no rows"
    )
