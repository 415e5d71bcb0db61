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
    frame = sys._getframe(depth + 1)
    return {**_names(frame.f_globals), **_names(frame.f_locals)}


def _names(variables: Mapping[str, Any]) -> dict[int, str]:
    found: dict[int, str] = {}
    for name, thing in list(variables.items()):
        if name.startswith("_") or name in ("In", "Out"):
            continue
        if _is_value(thing):
            found.setdefault(id(thing), name)
        elif isinstance(thing, (list, tuple, dict)):
            items = thing.items() if isinstance(thing, dict) else enumerate(thing)
            for key, item in list(items):
                if _is_value(item):
                    found.setdefault(id(item), f"{name}[{key!r}]")
    return found


def _is_value(thing: Any) -> bool:
    """Looks at numbers of an engine only: asking other things for attributes could run anything."""
    return isinstance(thing, Value) or (hasattr(type(thing), "backward") and is_value(thing))
