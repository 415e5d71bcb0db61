"""A progress bar, for what takes over a second."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

Item = TypeVar("Item")


def progress(iterable: Iterable[Item], total: int, text: str) -> Iterable[Item]:
    """The items of iterable, while stderr shows how many of them are done.

    Nothing is shown in the first second.  With tqdm installed it is a bar; without, a
    line at every tenth of the way, the first of which says what to install.
    Arguments: iterable; total, how many items it has; text, what is being done.
    Returns an iterable over the same items.

    >>> sum(progress(range(5), 5, "adding"))
    10
    """
    try:
        from tqdm import tqdm
    except ImportError:
        return _lines(iterable, total, text)
    return tqdm(iterable, total=total, desc=text, delay=1, file=sys.stderr)


def _lines(iterable: Iterable[Item], total: int, text: str) -> Iterator[Item]:
    start, shown, hint = time.monotonic(), 0, " (for a progress bar: pip install tqdm)"
    for done, item in enumerate(iterable, start=1):
        yield item
        tenths = 10 * done // total
        if tenths > shown and time.monotonic() - start > 1:
            print(f"{text}: {10 * tenths} %{hint}", file=sys.stderr)
            shown, hint = tenths, ""
