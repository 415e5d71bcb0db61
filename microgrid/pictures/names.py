"""What the caller calls its Values, so that a picture can say it too."""

import sys
from collections.abc import Mapping
from typing import Any

from ..engine import Value


def callers_names(depth: int) -> dict[int, str]:
    """The names of the Values in the variables of the function `depth` calls up.

    Returns the id of each Value with its first name; local names go before global ones,
    and Values in a list are named `xs[0]`, `xs[1]`.  Names that begin with an underscore
    (as a notebook's own `_` and `_5` do) are not looked at.
    """
    frame = sys._getframe(depth + 1)
    return {**_names(frame.f_globals), **_names(frame.f_locals)}


def _names(variables: Mapping[str, Any]) -> dict[int, str]:
    found: dict[int, str] = {}
    for name, thing in list(variables.items()):
        if name.startswith("_") or name in ("In", "Out"):
            continue
        if isinstance(thing, Value):
            found.setdefault(id(thing), name)
        elif isinstance(thing, (list, tuple, dict)):
            items = thing.items() if isinstance(thing, dict) else enumerate(thing)
            for key, item in list(items):
                if isinstance(item, Value):
                    found.setdefault(id(item), f"{name}[{key!r}]")
    return found
