"""What the caller calls its values, so that a picture can say it too."""

import sys
from collections.abc import Mapping
from typing import Any

from ..engine import Value
from .reading import is_value


def callers_names(depth: int) -> dict[int, str]:
    """The names of the values in the variables of the function `depth` calls up.

    Returns the id of each value with its first name; local names go before global ones,
    and values in a list are named `xs[0]`, `xs[1]`.  Names that begin with an underscore
    (as a notebook's own `_` and `_5` do) are not looked at.
    """
    frame, found = sys._getframe(depth + 1), dict[int, str]()
    for variables in (frame.f_locals, frame.f_globals):
        for name, value in _values(variables).items():
            found.setdefault(id(value), name)
    return found


def callers_values(depth: int) -> dict[str, Any]:
    """The same, by name."""
    frame = sys._getframe(depth + 1)
    return {**_values(frame.f_globals), **_values(frame.f_locals)}


def _values(variables: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, thing in list(variables.items()):
        if name.startswith("_") or not name.isidentifier() or name in ("In", "Out"):
            continue
        if _is_value(thing):
            found[name] = thing
        elif isinstance(thing, (list, tuple, dict)):
            items = thing.items() if isinstance(thing, dict) else enumerate(thing)
            found.update({f"{name}[{key!r}]": item for key, item in list(items) if _is_value(item)})
    return found


def _is_value(thing: Any) -> bool:
    """Looks at numbers of an engine only: asking other things for attributes could run anything."""
    return isinstance(thing, Value) or (hasattr(type(thing), "backward") and is_value(thing))
