"""A progress bar, for what takes over a second."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

Item = TypeVar("Item")


def progress(
    iterable: Iterable[Item], total: int, text: str, said: Callable[[Item], str] | None = None, done: int = 0
) -> Iterator[Item]:
    """The items of iterable, while stderr shows how many of them are done.

    Nothing is shown in the first second.  With tqdm installed it is a bar, in a notebook that
    has ipywidgets one of its own; without, a line at every tenth of the way, with the speed where
    something is shown beside it, the first of which says what to install.
    Arguments: iterable; total, how many items there are in all; text, what is being done; said,
    a function of an item that gives what is shown beside it; done, how many of total were
    done before.
    Returns an iterator over the same items.

    >>> sum(progress(range(5), 5, "adding"))
    10
    """
    try:
        bar = _bar()
    except ImportError:
        return _lines(iterable, total, text, said, done)
    return _with_bar(bar(total=total, desc=text, delay=1, file=sys.stderr, initial=done), iterable, said)


def _bar() -> Any:
    """tqdm's bar for the place where this runs."""
    from tqdm import tqdm

    if "ipykernel" in sys.modules:
        try:
            import ipywidgets  # noqa: F401
            from tqdm.notebook import tqdm
        except ImportError:
            pass
    return tqdm


def _with_bar(bar: Any, iterable: Iterable[Item], said: Callable[[Item], str] | None) -> Iterator[Item]:
    with bar:
        for item in iterable:
            if said:
                bar.set_postfix_str(said(item), refresh=False)
            bar.update()
            yield item


def _lines(
    iterable: Iterable[Item], total: int, text: str, said: Callable[[Item], str] | None, begun: int
) -> Iterator[Item]:
    start, shown, hint = time.monotonic(), 10 * begun // total, " (for a progress bar: pip install tqdm)"
    for done, item in enumerate(iterable, start=begun + 1):
        yield item
        tenths, seconds = 10 * done // total, time.monotonic() - start
        if tenths > shown and seconds > 1:
            figures = f", {said(item)}, {(done - begun) / seconds:.1f} it/s" if said else ""
            print(f"{text}: {10 * tenths} %{figures}{hint}", file=sys.stderr)
            shown, hint = tenths, ""
