"""Numbers and names as a picture writes them: in few columns, in plain signs."""

import math
import unicodedata
from collections.abc import Iterable
from decimal import Decimal
from numbers import Rational
from typing import Any

from ..engine import Value

MINUS = "\N{MINUS SIGN}"


def show(number: Any, signed: bool = False) -> str:
    """A number in few columns: four decimals, or powers of ten where those would say nothing.

    A Value (the gradient of a derivative that is to be differentiated again) shows its data;
    None, a number that is not there yet, shows nothing.

    >>> show(2.0), show(-0.5858, signed=True), show(138.83382, signed=True), show(0.0, signed=True)
    ('2.0000', '−0.5858', '+138.8338', '0')
    >>> show(3), show(1.5e-7), show(-2e12), show(float("nan"))
    ('3', '1.50e−7', '−2.00e+12', 'nan')
    """
    if number is None:
        return ""
    number = plain(number)
    if number != number:
        return "nan"
    size = abs(number)
    if number == 0:
        return "0"
    if isinstance(number, Rational) and len(str(size)) <= 9:
        text = str(size)
    elif size == math.inf:
        text = "inf"
    elif 0.001 <= size < 1_000_000:
        text = f"{float(size):.4f}"
    else:
        whole = isinstance(size, int) and size > 2**53  # too large for a float, maybe
        mantissa, exponent = f"{Decimal(size) if whole else float(size):.2e}".split("e")
        text = f"{mantissa}e{'+' if int(exponent) > 0 else MINUS}{abs(int(exponent))}"
    return (MINUS if number < 0 else "+" if signed else "") + text


def show_all(numbers: Iterable[Any], signed: bool = False) -> str:
    """One number, or the smallest and the largest of several.

    >>> show_all([2.0, 2.0]), show_all([0.5, -0.25, 3.0], signed=True)
    ('2.0000', '−0.2500 … +3.0000')
    """
    there = [plain(number) for number in numbers if number is not None]
    if not there:
        return ""
    if any([number != number for number in there]):
        return "nan"
    low, high = show(min(there), signed), show(max(there), signed)
    return low if low == high else f"{low} … {high}"


def plain(number: Any) -> Any:
    """The number itself, of a Value its data."""
    return number.data if isinstance(number, Value) else number


def cut(text: str, columns: int) -> str:
    """The text in at most that many columns, an ellipsis where it was cut."""
    width, end = 0, 0  # of what is read, and up to where there is room for an ellipsis
    for i, c in enumerate(text):
        width += columns_of(c)
        if width < columns:
            end = i + 1
        if width > columns:
            return text[:end] + "…"
    return text


def columns_of(text: str) -> int:
    """How many columns of a fixed-width font the text takes; Chinese and emoji take two each."""
    return sum([0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text])
