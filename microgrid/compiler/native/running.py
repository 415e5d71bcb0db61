"""Calls into machine code: the frame of addresses it is handed, and threads that share the rows."""

import ctypes
import itertools
import os
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Any

import numpy

from .frame import FRAME

Work = Callable[[], None]
ALIGN = 64  # bytes of a cache line, and of the longest vector


def address(array: Any) -> int:
    """Where an array's numbers begin."""
    return array.__array_interface__["data"][0]


def aligned(size: int, dtype: Any) -> Any:
    """Zeros that begin where a cache line does."""
    raw = numpy.zeros(size * dtype.itemsize + ALIGN, dtype=numpy.uint8)
    start = -address(raw) % ALIGN
    return raw[start : start + size * dtype.itemsize].view(dtype)


def function_at(place: int) -> Any:
    """A C function of one pointer that returns nothing, called without the interpreter's lock."""
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p)(place)


Frame = ctypes.c_int64 * len(FRAME)


def bound(function: Any, frame: Any, kept: Any) -> Work:
    """function(frame) as a function without arguments; what the frame points to is kept alive."""
    call = partial(function, ctypes.c_void_p(ctypes.addressof(frame)))
    call.kept = frame, kept  # type: ignore[attr-defined]
    return call


class Shared:
    """The same for several threads: what comes before, the rows in parts, and what adds up and ends.

    Whoever is free takes the next part; a part's sums are its own and are added in a fixed order, so the result
    depends on nobody's speed.  A thread that does not wake in time leaves its parts to the others.
    Arguments: start and end, functions; parts, for each thread a function for each part.
    """

    def __init__(self, start: Work, parts: list[list[Work]], end: Work) -> None:
        self.start, self.parts, self.end = start, parts, end

    def __call__(self) -> None:
        self.start()
        job = _Job(self.parts)
        try:
            for _ in self.parts[1:]:
                _helpers.ask(job, len(self.parts) - 1)
            job.work()
        finally:  # by Ctrl-C, too: nobody may go on writing into memory that is given back
            job.end()
        self.end()


class _Job:
    """Parts, of which whoever is free takes the next one, as long as the thread that it belongs to waits."""

    def __init__(self, parts: list[list[Work]]) -> None:
        self.parts, self.threads, self.next = parts, itertools.count(), itertools.count()
        self.changed, self.helping, self.ended = threading.Condition(), 0, False
        self.errors: list[BaseException] = []

    def work(self) -> None:
        """Take part after part until there is none."""
        mine = self.parts[next(self.threads)]
        while (number := next(self.next)) < len(mine):
            mine[number]()

    def help(self) -> None:
        """The same in another thread, unless it comes too late."""
        with self.changed:
            if self.ended:
                return
            self.helping += 1
        try:
            self.work()
        except BaseException as error:  # it is raised where the job was given
            self.errors.append(error)
        with self.changed:
            self.helping -= 1
            self.changed.notify()

    def end(self) -> None:
        """Nobody begins any more; wait until nobody is at it.  A Ctrl-C meanwhile is raised afterwards."""
        while True:
            try:
                with self.changed:
                    self.ended = True
                    self.changed.wait_for(lambda: not self.helping)
                break
            except KeyboardInterrupt as error:
                self.errors.append(error)
        if self.errors:
            raise self.errors[0]


class _Helpers:
    """Threads that wait for jobs, as many as were ever asked for."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        self.lock, self.count = threading.Lock(), 0

    def ask(self, job: _Job, wanted: int) -> None:
        """Give a job to whoever is free first."""
        if self.count < wanted:
            with self.lock:
                while self.count < wanted:
                    threading.Thread(target=self.serve, name="microgrid", daemon=True).start()
                    self.count += 1
        self.jobs.put(job)

    def serve(self) -> None:
        while True:
            self.jobs.get().help()


_helpers = _Helpers()


def _forget_helpers() -> None:
    """A process that was forked off has none of the threads."""
    global _helpers
    _helpers = _Helpers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_helpers)
