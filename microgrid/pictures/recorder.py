"""Watches an engine's own `backward()`: every write to a `grad`, and who made it.

While it runs, the class's `grad` is a property that writes down what is written; no tracing, so
debuggers and coverage are left alone.  Writes are watched and not values compared, so a
contribution of zero is seen too.  Afterwards everything is as it was before.
"""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from linecache import getline
from numbers import Real
from types import CodeType, FrameType, FunctionType
from typing import Any

from .custody import MISSING, all_put_back, attributes_of, grad_of
from .forward import SIGNS, put_in_order
from .numbers import plain
from .reading import Reading, is_value, lacking, printable, read
from .recording import Recording, Write
from .sources import Path, Sentence

NOTHING: dict = {}
FRAMES = 8  # how far up the calls a sender is looked for
_lock = threading.RLock()  # one recording at a time: it changes the class


class _Enough(BaseException):
    """Stops a backward() that takes every path."""


def checked(root: Any, names: dict[int, str], called: str) -> Reading:
    """The graph of root.  Raises TypeError if root is no value with scalar data and a backward()."""
    if isinstance(root, type) or not is_value(root):
        hint = "give it one of them" if isinstance(root, (list, tuple)) else "give it a Value, such as the loss"
        raise TypeError(f"{called}({root!r:.50}) is no value but {type(root).__name__}: {lacking(root) or hint}")
    if not callable(getattr(root, "backward", None)):
        raise TypeError(f"{called}({root!r:.50}): {type(root).__name__} has no backward() to watch")
    reading = read(root, names)
    for node in reading.nodes:
        if not isinstance(node.data, Real):
            raise TypeError(f"{called}({root!r:.50}): its data has to be real numbers, not {type(node.data).__name__}")
    _named_by_class(reading)
    put_in_order(reading)
    return reading


def _named_by_class(reading: Reading) -> None:
    """An operation without a name is called as its class, where that is not the class of the leaves: `Mul`."""
    leaves = {type(node.value) for node in reading.nodes if not node.operands}
    for node in reading.nodes:
        if node.op == "?" and type(node.value) not in leaves:
            name = printable(type(node.value).__name__).lower()
            node.op = SIGNS.get(name, name)


def record(reading: Reading, keep_grads: bool) -> Recording:
    """Runs root.backward() and writes down what it does, then puts everything back.

    Raises TypeError if the class can't be watched.
    """
    with _lock:
        recorder = _Recorder(reading, keep_grads)
        found = recorder.found
        with all_put_back(reading), recorder.watching():
            try:
                reading.nodes[reading.root].value.backward()
            except _Enough:
                found.endless = True
            except Exception as error:
                found.error = error
                recorder.blame(error)
            found.final = [plain(recorder.raw(node.value)) for node in reading.nodes]
    return found


class _Recorder:
    def __init__(self, reading: Reading, keep_grads: bool) -> None:
        self.reading = reading
        self.found = Recording(reading, keep_grads)
        self.index = reading.index
        self.edges: dict[tuple[int, int], list[int]] = {}  # sender and receiver: the places of the edges
        for i, node in enumerate(reading.nodes):
            for k, j in enumerate(node.operands):
                self.edges.setdefault((i, j), []).append(k)
        self.most = 20 * len(self.edges) + 10_000
        self.sent: dict[tuple[int, int], int] = {}
        self.received: set[int] = set()
        self.clock = 0
        self.read_at = [0] * len(reading.nodes)
        self.written_at = [0] * len(reading.nodes)
        self.firing: list[list] = []  # the nodes whose own closures run now, and whether they sent
        self.blamed = -1
        self.slots = {kind: grad_of(kind) for kind in {type(node.value) for node in reading.nodes}}

    def raw(self, value: Any) -> Any:
        """The grad itself, without leaving a trace of having looked."""
        return self.slots[type(value)][2](value)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Replaces `grad` by a property, and each node's closure by one that says who fires."""
        self.found.initial = [self.raw(node.value) for node in self.reading.nodes]
        replaced: list[tuple[type, Any]] = []
        try:
            for kind, (owner, original, get, put) in self.slots.items():
                if all([owner is not other for other, _ in replaced]):
                    try:
                        owner.grad = property(self._reader(get), self._writer(put))  # type: ignore[attr-defined]
                    except TypeError as error:
                        raise TypeError(f"steps can't watch {kind.__name__}.grad: {error}") from None
                    replaced.append((owner, original))
            if not self.found.keep_grads:
                for node, grad in zip(self.reading.nodes, self.found.initial):
                    if grad is not None and plain(grad) != 0:
                        self.slots[type(node.value)][3](node.value, 0.0 if isinstance(grad, float) else 0)
            if not self.reading.own:
                for i, node in enumerate(self.reading.nodes):
                    if node.operands:
                        self._announce(i, node.value)
            yield
        finally:
            for owner, original in replaced:
                if original is MISSING:
                    delattr(owner, "grad")
                else:
                    owner.grad = original  # type: ignore[attr-defined]

    def _announce(self, i: int, value: Any) -> None:
        for name, function in attributes_of(value):
            if isinstance(function, FunctionType) and name != "backward":
                setattr(value, name, self._announced(i, function))

    def _announced(self, i: int, function: Callable) -> Callable:
        @wraps(function)
        def fire(*args: Any, **kwargs: Any) -> Any:
            self.firing.append([i, False])
            try:
                return function(*args, **kwargs)
            except BaseException:
                self.blamed = i if self.blamed < 0 else self.blamed
                raise
            finally:
                if self.firing.pop()[1]:
                    self.found.fired[i] = self.found.fired.get(i, 0) + 1

        return fire

    def _reader(self, get: Callable) -> Callable:
        index, read_at = self.index, self.read_at

        def read(value: Any) -> Any:
            i = index.get(id(value))
            if i is not None:
                self.clock += 1
                read_at[i] = self.clock
            return get(value)

        return read

    def _writer(self, put: Callable) -> Callable:
        def write(value: Any, grad: Any) -> None:
            i = self.index.get(id(value))
            if i is not None:
                frame = sys._getframe(1)
                while frame.f_code.co_name == "__setattr__" and frame.f_back:
                    frame = frame.f_back
                self._saw(i, value, grad, frame)
            put(value, grad)

        return write

    def _saw(self, i: int, value: Any, grad: Any, frame: FrameType) -> None:
        found = self.found
        read = self.read_at[i] > self.written_at[i]
        self.clock += 1
        self.written_at[i] = self.clock
        after = plain(grad)
        if not self.firing and not read and (after is None or after == 0):  # zeroed, not sent
            if i not in self.received:
                found.reset.add(i)
            return
        self.received.add(i)
        sender = self._sender(i, frame)
        if len(found.writes) >= self.most:
            raise _Enough
        operand, upstream = -1, None
        if sender >= 0:
            upstream = plain(self.raw(self.reading.nodes[sender].value))
            places = self.edges.get((sender, i))
            if places:
                k = self.sent.get((sender, i), 0)
                operand = places[k % len(places)]
                self.sent[sender, i] = k + 1
            if self.firing:
                self.firing[-1][1] = True
        before = plain(self.raw(value))
        upstream, before = 0 if upstream is None and sender >= 0 else upstream, 0 if before is None else before
        code, line = frame.f_code, frame.f_lineno
        sentence, values = (None, NOTHING) if found.by_rules else self._numbers(value, code, line, frame)
        found.writes.append(Write(sender, operand, i, upstream, before, after, read, code, line, sentence, values))

    def _sender(self, i: int, frame: FrameType | None) -> int:
        """Who fires: the node whose closure runs; else, of the local variables that have the receiver
        as an operand, the one whose grad was looked at last, since to send it is to read it."""
        if self.firing:
            return self.firing[-1][0]
        if i == self.reading.root:
            return -1
        for _ in range(FRAMES):
            if frame is None or frame.f_code is record.__code__:
                break
            best, when = -1, 0
            for thing in frame.f_locals.values():
                j = self.index.get(id(thing))
                if j is not None and self.read_at[j] > when and (j, i) in self.edges:
                    best, when = j, self.read_at[j]
            if best >= 0:
                return best
            frame = frame.f_back
        return -1

    def _numbers(
        self, value: Any, code: CodeType, line: int, frame: FrameType
    ) -> tuple[Sentence | None, dict[Path, Any]]:
        """The statement that writes to this value's grad, and the numbers behind its names."""
        variables, sentences = frame.f_locals, self.found.sources.sentences(code, line)
        if len(sentences) > 1:  # self.grad += ...; other.grad += ...
            sentences = [s for s in sentences if s.target and variables.get(s.target[0]) is value]
        if not sentences:
            return None, NOTHING
        values: dict[Path, Any] = {}
        for path in sentences[0].paths:
            thing = variables.get(path[0], MISSING)
            for name in path[1:]:
                known = id(thing) in self.index
                thing = self.raw(thing) if name == "grad" and known else getattr(thing, name, MISSING)
            if isinstance(thing, (int, float)):
                values[path] = thing
        return sentences[0], values

    def blame(self, error: Exception) -> None:
        """Finds the node and the line where backward() broke."""
        frames = []
        trace = error.__traceback__
        while trace is not None:
            if trace.tb_frame.f_code.co_filename != __file__:
                frames.append((trace.tb_frame, trace.tb_lineno))
            trace = trace.tb_next
        senders = {sender for sender, _ in self.sent}
        if frames:
            frame, line = frames[-1]
            self.found.error_line = getline(frame.f_code.co_filename, line).split("  #")[0].strip()
        for frame, _ in frames[: -FRAMES - 1 : -1]:
            if self.blamed >= 0:
                break
            here = {self.index.get(id(thing), -1) for thing in frame.f_locals.values()} - senders
            self.blamed = max([i for i in here if i >= 0 and self.reading.nodes[i].operands], default=-1)
        self.found.error_node = self.blamed
