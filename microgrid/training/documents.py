"""JSON from anywhere, read with suspicion: what is torn, doubled or no number is said in words."""

import json
import math
from typing import Any


def document_of(text: str | bytes) -> Any:
    """What a JSON text holds.

    Raises ValueError, with the reason, for what is no JSON, nested too deeply, has a name twice in
    one object, or NaN or an infinity, which JSON does not know.

    >>> document_of('{"w": 1, "w": 2}')
    Traceback (most recent call last):
    ValueError: it has 'w' twice
    """
    try:
        return json.loads(text, parse_constant=_no_constant, parse_int=_whole, object_pairs_hook=_each_once)
    except json.JSONDecodeError as error:
        reason = f"it is no JSON at line {error.lineno}"
    except UnicodeDecodeError:
        reason = "it is no UTF-8 text"
    except RecursionError:
        reason = "it is nested too deeply"
    raise ValueError(reason)


def check(condition: bool, reason: str) -> None:
    """Raise ValueError with the reason unless the condition holds."""
    if not condition:
        raise ValueError(reason)


def finite(x: Any) -> float:
    """A number of a document as a float.  Raises ValueError for what is none, or not finite.

    >>> finite(3), finite(-0.0)
    (3.0, -0.0)
    """
    try:
        number = float(x) if type(x) in (int, float) else math.nan
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise ValueError(f"{x!r:.30} stands in it for a finite number")
    return number


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} stands in it for a finite number")


def _whole(digits: str) -> int:
    check(len(digits) < 1000, f"it has a whole number of {len(digits)} digits")  # Python itself refuses 4300
    return int(digits)


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    held = dict(pairs)
    if len(held) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"it has {next(name for name in names if names.count(name) > 1)!r:.40} twice")
    return held
