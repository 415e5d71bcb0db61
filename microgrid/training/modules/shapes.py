"""What a module takes, as Values; what has another shape is refused in words."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...engine import Value


def is_list(x: Any) -> bool:
    """Whether it is a list of anything, and no text."""
    return hasattr(x, "__len__") and not isinstance(x, str)


def values(xs: Sequence[Any], label: str = "x") -> list[Value]:
    """The numbers as Values, each labelled by its place."""
    return [x if isinstance(x, Value) else Value(x, label=f"{label}{i}") for i, x in enumerate(xs)]


def vector(module: Any, x: Any, width: int, what: str = "numbers", label: str = "x") -> list[Value]:
    """A list of width numbers."""
    if not is_list(x):
        raise TypeError(f"{module!r} was called with {x!r:.40}: give it one list of {width} {what}")
    if any([is_list(xi) for xi in x]):
        raise TypeError(f"{module!r} takes one list of {width} {what} at a time: for many write [module(x) for x in X]")
    if len(x) != width:
        raise ValueError(f"{module!r} was called with {len(x)} {what}: it takes {width}")
    return values(x, label)


def positions(module: Any, xs: Any, width: int) -> list[list[Value]]:
    """A list of positions, each a list of width numbers."""
    if not is_list(xs) or not len(xs) or not all([is_list(x) for x in xs]):
        raise TypeError(f"{module!r} takes a list of positions, each a list of {width} numbers; for one write [x]")
    return [vector(module, x, width, label=f"x{t}.") for t, x in enumerate(xs)]


def image(module: Any, x: Any, channels: int | None = None) -> list[list[list[Value]]]:
    """An image as [channel][row][column], with so many channels if that matters."""
    if {depth for depth, _ in _leaves(x, 0)} != {3}:
        raise TypeError(f"{module!r} takes an image as lists [channel][row][column]; for one channel write [rows]")
    if channels not in (None, len(x)):
        raise ValueError(f"{module!r} was called with an image of {len(x)} channels: it takes {channels}")
    _equal(module, "channels of different numbers of rows", x)
    _equal(module, "rows of different lengths", [row for channel in x for row in channel])
    return [[values(row, f"x{c}.{i}.") for i, row in enumerate(channel)] for c, channel in enumerate(x)]


def _leaves(x: Any, depth: int) -> Iterator[tuple[int, Any]]:
    """How deep in lists each thing is; an empty list is none of depth 3."""
    if not is_list(x) or not len(x):
        yield (-1 if is_list(x) else depth), x
    else:
        for xi in x:
            yield from _leaves(xi, depth + 1)


def _equal(module: Any, what: str, lists: Sequence[Any]) -> None:
    lengths = sorted({len(items) for items in lists})
    if len(lengths) > 1:
        raise ValueError(f"{module!r} was called with {what}: {', '.join(map(str, lengths[:3]))}")


def each(function: Callable[[Any], Any], x: Any) -> Any:
    """The function of each number, in lists as deep as they come."""
    return [each(function, xi) for xi in x] if is_list(x) else function(x)


def counted(call: str, least: int = 1, **sizes: int) -> None:
    """Refuses a size that is no whole number, or too small."""
    for name, size in sizes.items():
        if not isinstance(size, int) or size < least:
            raise ValueError(f"{call}: {name} has to be a whole number, {least} or more")
