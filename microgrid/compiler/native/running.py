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
    """The same for several threads: what comes before, the rows in parts, their sums, what comes after.

    Whoever is free takes the next part; a part's sums are its own and are added in a fixed order, so the result
    depends on nobody's speed.  A thread that does not wake in time leaves its parts to the others.
    Arguments: start, add_up and finish, functions; parts, for each thread a function for each part.
    """

    def __init__(self, start: Work, parts: list[list[Work]], add_up: Work, finish: Work) -> None:
        self.start, self.parts, self.add_up, self.finish = start, parts, add_up, finish

    def __call__(self) -> None:
        self.start()
        job = _Job(self.parts)
        for _ in self.parts[1:]:
            _helpers.ask(job, len(self.parts) - 1)
        try:
            job.work()
        finally:  # by Ctrl-C, too: nobody may go on writing into memory that is given back
            job.wait()
        self.add_up()
        self.finish()


class _Job:
    def __init__(self, parts: list[list[Work]]) -> None:
        self.parts, self.count = parts, len(parts[0])
        self.threads, self.next, self.done = itertools.count(), itertools.count(), itertools.count(1)
        self.errors: list[BaseException] = []
        self.all_done = threading.Lock()
        self.all_done.acquire()

    def work(self) -> None:
        """Take part after part until there is none."""
        for mine in self.parts[next(self.threads) :][:1]:
            while (number := next(self.next)) < self.count:
                try:
                    mine[number]()
                except BaseException as error:  # such as Ctrl-C; it is raised where the others are waited for
                    self.errors.append(error)
                if next(self.done) == self.count:
                    self.all_done.release()

    def wait(self) -> None:
        """Until the last part is done; a Ctrl-C meanwhile is raised afterwards."""
        while True:
            try:
                self.all_done.acquire()
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
            self.jobs.get().work()


_helpers = _Helpers()


def _forget_helpers() -> None:
    """A process that was forked off has none of the threads."""
    global _helpers
    _helpers = _Helpers()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_helpers)
