"""Work in processes of their own, each bounded in time and memory, that answer in plain JSON and are then gone."""

import json
import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

from .guard import harden

LARGEST_ANSWER = 1 << 22  # bytes
SECONDS = 2.0  # that one answer may take
FORKS = "fork" in multiprocessing.get_all_start_methods()

Work = Callable[[Any, Sequence[Any]], Iterable[Any]]  # of what is examined and the tasks: an answer for each


class Apart:
    """Runs tasks apart, one process for each batch of them; what is stopped says "time", "memory" or "died".

    Arguments: work, a module's function of (subject, tasks) that yields an answer for each task; subject, what it
    needs; seconds, that all of it may take; answers, seconds that one may take.
    """

    def __init__(self, work: Work, subject: Any, seconds: float, answers: float = SECONDS) -> None:
        self.work = work
        self.subject = subject
        self.end = time.monotonic() + seconds
        self.answers = answers
        self.context: Any = multiprocessing.get_context("fork" if FORKS else "spawn")

    @property
    def left(self) -> float:
        return self.end - time.monotonic()

    def each(self, tasks: Sequence[Any], batch: int) -> Iterator[Any]:
        """An answer for each task, in order: what work yields, or {"stopped": why}."""
        done = 0
        while done < len(tasks):
            if self.left <= 0:
                yield from [{"stopped": "not run"}] * (len(tasks) - done)
                return
            for answer in self.some(tasks[done : done + batch] if FORKS else tasks[done:]):
                done += 1
                yield answer

    def some(self, tasks: Sequence[Any]) -> Iterator[Any]:
        """The answers of one process, as many as it gives: where it is stopped, that is the last."""
        folder = tempfile.mkdtemp(prefix="microgrid-check-")
        reader, writer = self.context.Pipe(duplex=False)
        process = self.context.Process(
            target=_answer, args=(self.work, self.subject, tasks, writer, folder, self.left), daemon=True
        )
        try:
            with warnings.catch_warnings():  # a process with threads, as a notebook's is, is warned of forking
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
            writer.close()
            for _ in tasks:
                answer = self._next(reader, process)
                yield answer
                if "stopped" in answer:
                    return
        finally:
            reader.close()
            _kill(process)
            shutil.rmtree(folder, ignore_errors=True)

    def _next(self, reader: Any, process: Any) -> Any:
        try:
            if not reader.poll(max(0.0, min(self.answers, self.left))):
                return {"stopped": "time" if self.left > 0 else "not run"}
            answer = json.loads(reader.recv_bytes(LARGEST_ANSWER))
            return answer if isinstance(answer, dict) else {"stopped": "died"}
        except (EOFError, OSError, ValueError, RecursionError):
            process.join(0.5)
            return {"stopped": "time" if process.exitcode == -getattr(signal, "SIGXCPU", 0) else "died"}


def _answer(work: Work, subject: Any, tasks: Sequence[Any], writer: Any, folder: str, seconds: float) -> None:
    """In the process: harden it, do the work, send each answer; never return to what the process was copied from."""
    try:
        with suppress(AttributeError, OSError):
            os.setsid()  # so that whatever it starts can be stopped with it
        sys.setrecursionlimit(1000)
        harden(folder, seconds)
        for answer in work(subject, tasks):
            writer.send_bytes(json.dumps(answer).encode())
    except BaseException as error:
        with suppress(BaseException):
            writer.send_bytes(json.dumps({"stopped": "memory" if isinstance(error, MemoryError) else "died"}).encode())
    finally:
        os._exit(0)


def _kill(process: Any) -> None:
    if process.pid is not None:
        with suppress(AttributeError, OSError):
            os.killpg(process.pid, signal.SIGKILL)
    with suppress(AttributeError, OSError, ValueError):
        process.kill()
    process.join()
    process.close()
