"""Noticing what a recording would freeze: comparisons of Values, decided once and for all.

While a function is recorded, `if x > 0` goes one way, and the program would go that way for ever.
`watching` notices every comparison of Values that this thread makes, and `refuse` says where it
stands and what to write instead.

>>> def f(x):
...     return x * x if x > 0 else -x
>>> x = Value(2.0)
>>> with watching([x]) as findings:
...     y = f(x)
>>> [(found.kind, found.function) for found in findings]
[('if', 'f')]
"""

import re
import sys
import sysconfig
import threading
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from os.path import basename, dirname, join
from types import CodeType, FrameType, FunctionType
from typing import Any

from ..engine import Value, topological_order
from .statements import Place, item_at, statement_at

MOST_NAMED = 5  # findings, in one message
NO_INDEX = re.compile(r"indices must be integers.* not '?Value\b")  # of lists, tuples, ranges and texts
OURS = join(dirname(dirname(__file__)), "")
PYTHONS = join(sysconfig.get_path("stdlib"), "")


class FrozenControlFlow(ValueError):
    """A function decides something by numbers that change, which a program can't do over again."""


@dataclass(frozen=True)
class Finding:
    """One comparison: where it stands, what it decides, and what to write in its place.

    Attributes: file, as Python names it; line; text, that line, or "" where the source isn't known;
    function, the name of the function that it stands in; kind: "if", "while", "assert", "in", "max",
    "min", "sorted" or "other"; suggestion, a sentence.
    """

    file: str
    line: int
    text: str
    function: str
    kind: str
    suggestion: str

    @property
    def where(self) -> str:
        """`line 12 of lesson.py`, or `line 3 of a cell`; without its text `line 1 of <string>, in f,`."""
        return where(self.file, self.line, self.function, self.text)

    def __str__(self) -> str:
        if not self.text:
            return f"{self.where} decides by a number that changes, once, while recording. {self.suggestion}"
        return (
            f"{self.where} decides by a number that changes: `{self.text}` is decided once, while recording. "
            f"{self.suggestion}"
        )


def where(file: str, line: int, function: str, text: str) -> str:
    """A place in words."""
    cell = "ipykernel" in file or file.startswith("<ipython-input")
    return f"line {line} of {'a cell' if cell else basename(file)}" + ("" if text else f", in {function},")


class _Watch:
    """What one `watching` has seen: of each place the Values compared there."""

    def __init__(self) -> None:
        self.seen: dict[tuple[CodeType, int], tuple[Place, dict[int, Value]]] = {}

    def note(self, frame: FrameType, compared: Sequence[Value]) -> None:
        key = (frame.f_code, frame.f_lasti)
        if key not in self.seen:
            self.seen[key] = Place.of(frame), {}
        self.seen[key][1].update([(id(x), x) for x in compared])

    def findings(self, leaves: Iterable[Value] | None) -> list[Finding]:
        """One for each statement in which something was compared that depends on a leaf."""
        seen = list(self.seen.values())
        moving = None if leaves is None else _depending(leaves, [x for _, xs in seen for x in xs.values()])
        found: dict[Finding, None] = {}
        for place, values in seen:
            if moving is None or not moving.isdisjoint(values):
                text, kind, suggestion = statement_at(place)
                found[Finding(place.file, place.line, text, place.function, kind, suggestion)] = None
        return list(found)


def _depending(leaves: Iterable[Value], values: list[Value]) -> set[int]:
    """The ids of all below these values that depend on one of the leaves."""
    moving = {id(leaf) for leaf in leaves}
    for node in topological_order(Value(0, tuple(values))):
        if any([id(parent) in moving for parent in node.parents]):
            moving.add(id(node))
    return moving


@contextmanager
def watching(leaves: Iterable[Value] | None = None) -> Iterator[list[Finding]]:
    """Notice the comparisons of Values that this thread makes meanwhile.

    Arguments: leaves, the Values that change, inputs and parameters: a comparison of what depends on none
    of them is harmless.  With None all comparisons count.
    Gives a list, which is filled with a `Finding` for each place when the block ends, by an
    exception too.  May stand inside of another, which then notices the same.

    >>> with watching() as findings:
    ...     y = max(Value(2.0), Value(3.0))
    >>> findings[0].kind, findings[0].suggestion
    ('max', 'Write microgrid.maximum(Value(2.0), Value(3.0)) in its place')
    """
    watch = _Watch()
    found: list[Finding] = []
    _open().append(watch)
    _count(1)
    try:
        yield found
    finally:
        _count(-1)
        _open().remove(watch)
        found += watch.findings(leaves)


def refuse(findings: Sequence[Finding], name: str) -> None:
    """Say what would be frozen, if anything.

    Arguments: findings, of `watching`; name, what the message begins with, as "compile(f)".
    Raises FrozenControlFlow, a ValueError, if there are any findings; it names up to 5 of them.
    """
    if not findings:
        return
    if len(findings) == 1:
        raise FrozenControlFlow(f"{name}: {findings[0]}")
    lines = [
        f"  {found.where.rstrip(',')}: {f'`{found.text}`. ' * bool(found.text)}{found.suggestion}" for found in findings
    ]
    more = [f"  and {len(lines) - MOST_NAMED} more"] * (len(lines) > MOST_NAMED)
    said = "these lines decide by numbers that change, and are decided once, while recording:"
    raise FrozenControlFlow("\n".join([f"{name}: {said}", *lines[:MOST_NAMED], *more]))


def explain_index(error: TypeError, name: str) -> TypeError:
    """The error of `table[x]` for a Value x, in words that help; any other error as it is.

    Arguments: error, as it was caught; name, what the message begins with, as "compile(f)".
    Returns a TypeError, to be raised from the first one.
    """
    last, at = None, error.__traceback__
    while at is not None:
        if last is None or not at.tb_frame.f_code.co_filename.startswith(OURS):
            last = at
        at = at.tb_next
    if last is None or not NO_INDEX.search(str(error)):
        return error
    place = Place.of(last.tb_frame, last.tb_lasti, last.tb_lineno)
    text, item, instead = item_at(place)
    there = where(place.file, place.line, place.function, text)
    return TypeError(f"{name}: {there} takes {item} by a Value, which no list of Python's can: write {instead}")


# The comparisons of Value, as they are and as they are while somebody watches.  Their code is exchanged
# and not the methods: a class that is changed a thousand times loses its caches (Python 3.13), and all
# arithmetic on it takes twice as long from then on.


def _watched(*operands):
    from microgrid.compiler.frozen import noticed  # it will run among the engine's names

    return noticed("METHOD", *operands)


def _own(name: str) -> FunctionType:
    """A method of Value; what a subclass has in its place isn't touched."""
    return vars(Value)[name]


def _named(code: CodeType, name: str, arguments: CodeType) -> CodeType:
    """The code, with a method's name in it."""
    constants = tuple([name if constant == "METHOD" else constant for constant in code.co_consts])
    return code.replace(co_consts=constants, co_name=name, co_qualname=arguments.co_qualname)


METHODS = ("__eq__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__")
PLAIN = {name: FunctionType(_own(name).__code__, _own(name).__globals__, name) for name in METHODS}
WATCHED = {name: _named(_watched.__code__, name, _own(name).__code__) for name in METHODS}
_lock = threading.Lock()
_mine = threading.local()  # the watches that this thread has opened
_number_open = 0  # in all threads


def _open() -> list[_Watch]:
    if not hasattr(_mine, "open"):
        _mine.open = []
    return _mine.open


def _count(change: int) -> None:
    """One watch more or less: the first exchanges the code, the last puts it back."""
    global _number_open
    with _lock:
        before, _number_open = _number_open, _number_open + change
        if not before or not _number_open:
            for name in METHODS:
                _own(name).__code__ = WATCHED[name] if _number_open else PLAIN[name].__code__


def noticed(name: str, *operands: Any) -> Any:
    """The comparison, noted by all watches of this thread."""
    other = operands[-1]
    if (watches := _open()) and other is not None and not isinstance(other, str):  # x == None compares no data
        frame = _users(sys._getframe(2))
        for watch in watches:
            watch.note(frame, [x for x in operands if isinstance(x, Value)])
    return PLAIN[name](*operands)


def _users(frame: FrameType) -> FrameType:
    """The first frame that is neither microgrid's nor Python's own, from the inside out."""
    at: FrameType | None = frame
    while at is not None:
        file = at.f_code.co_filename
        if not file.startswith((OURS, "<frozen")) and (not file.startswith(PYTHONS) or "-packages" in file):
            return at
        at = at.f_back
    return frame
