"""Work in processes of their own, each bounded in time and memory, that answer in plain JSON and are then gone."""

import multiprocessing
import os
import secrets
import shutil
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from json import dumps, loads
from os import _exit
from pathlib import Path
from typing import Any

from .guard import harden

LARGEST_ANSWER = 1 << 22  # bytes
LONGEST_TEXT = 1000  # characters
SECONDS = 2.0  # that one answer may take
FORKS = "fork" in multiprocessing.get_all_start_methods()

Work = Callable[[Any, Sequence[Any]], Iterable[Any]]  # of what is examined and the tasks: an answer for each
Sound = Callable[[Any, Any], bool]  # of a task and its answer


class Apart:
    """Runs tasks apart, one process for each batch of them; what is stopped says "time", "memory" or "died".

    Arguments: work, a module's function of (subject, tasks) that yields an answer for each task; subject, what it
    needs; seconds, that all of it may take; answers, seconds that one may take; sound, of a task and its answer:
    whether it has the form that it must have, whatever was done to Python there. What has not counts as "died".
    """

    def __init__(
        self, work: Work, subject: Any, seconds: float, answers: float = SECONDS, sound: Sound | None = None
    ) -> None:
        self.work = work
        self.subject = subject
        self.end = time.monotonic() + seconds
        self.answers = answers
        self.sound = sound
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
        key = secrets.token_bytes(16)  # begins each answer, so that what an engine writes is none by chance
        process = self.context.Process(
            target=_answer, args=(self.work, self.subject, tasks, writer, key, folder, self.left), daemon=True
        )
        try:
            with warnings.catch_warnings():  # a process with threads, as a notebook's is, is warned of forking
                warnings.simplefilter("ignore", DeprecationWarning)
                process.start()
            writer.close()
            for task in tasks:
                answer = self._next(reader, key, process)
                answer = answer if self._is_sound(task, answer) else {"stopped": "died"}
                yield answer
                if "stopped" in answer:
                    return
        finally:
            reader.close()
            writer.close()
            _kill(process)
            _remove(folder)

    def _next(self, reader: Any, key: bytes, process: Any) -> Any:
        patience = _Patience(process.pid, self.answers, self.end)
        try:
            answer = _plain(loads(_received(reader, key, patience)))
            return answer if isinstance(answer, dict) else {"stopped": "died"}
        except TimeoutError:
            return {"stopped": "time" if self.left > 0 else "not run"}
        except (EOFError, OSError, ValueError, RecursionError):
            code = _exit_code(process)
            return {"stopped": "time" if code == -getattr(signal, "SIGXCPU", 1 << 20) else "died"}

    def _is_sound(self, task: Any, answer: Any) -> bool:
        if "stopped" in answer:
            return answer["stopped"] in ("time", "not run", "memory", "died")
        try:
            return self.sound is None or self.sound(task, answer)
        except (TypeError, ValueError, AttributeError, LookupError):
            return False


class _Patience:
    """How long an answer is waited for: so much time of the processor, and thrice that by the clock at most.

    On a busy machine an engine is not blamed for the time that others take; where the system does not tell a process's
    own time, the clock counts.
    """

    def __init__(self, pid: int, seconds: float, end: float) -> None:
        self.pid = pid
        self.seconds = seconds
        self.start = time.monotonic()
        self.end = min(end, self.start + 3 * seconds)
        self.used = _processor_time(pid)

    @property
    def left(self) -> float:
        now, used = time.monotonic(), _processor_time(self.pid)
        took = now - self.start if used is None or self.used is None else used - self.used
        return max(0.0, min(self.seconds - took, self.end - now))


def _processor_time(pid: int) -> float | None:
    """Seconds that a process has worked, None where the system does not say."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


def _answer(
    work: Work, subject: Any, tasks: Sequence[Any], writer: Any, key: bytes, folder: str, seconds: float
) -> None:
    """In the process: harden it, do the work, send each answer; never return to what the process was copied from."""
    try:
        with suppress(AttributeError, OSError):
            os.setsid()  # so that whatever it starts can be stopped with it
        sys.setrecursionlimit(1000)
        harden(folder, seconds, writer.fileno())
        for answer in work(subject, tasks):
            _send(writer, key, answer)
    except BaseException as error:
        with suppress(BaseException):
            _send(writer, key, {"stopped": "memory" if isinstance(error, MemoryError) else "died"})
    finally:
        _exit(0)


def _send(writer: Any, key: bytes, answer: Any) -> None:
    body = dumps(answer).encode()
    for part in (key + len(body).to_bytes(8, "big"), body):
        if not FORKS:
            writer.send_bytes(part)
        while FORKS and part:
            part = part[os.write(writer.fileno(), part) :]


def _received(reader: Any, key: bytes, patience: _Patience) -> bytes:
    head = _part(reader, len(key) + 8, patience)
    size = int.from_bytes(head[-8:], "big")
    if not head.startswith(key) or size > LARGEST_ANSWER:
        raise ValueError("this is no answer")
    return _part(reader, size, patience)


def _part(reader: Any, size: int, patience: _Patience) -> bytes:
    """So many bytes: whoever sends only some of them is not waited for any longer."""
    part = b""
    while len(part) < size:
        while not reader.poll(patience.left):
            if patience.left <= 0:
                raise TimeoutError
        more = os.read(reader.fileno(), size - len(part)) if FORKS else reader.recv_bytes(size)
        if not more:
            raise EOFError
        part += more
    return part


def _plain(answer: Any) -> Any:
    """An answer whose texts can be shown anywhere: not endless, without the signs that steer a terminal."""
    if isinstance(answer, dict):
        return {_plain(name): _plain(part) for name, part in answer.items()}
    if isinstance(answer, list):
        return [_plain(part) for part in answer]
    if isinstance(answer, str):
        return "".join([sign if sign.isprintable() or sign == "\n" else "?" for sign in answer[:LONGEST_TEXT]])
    return answer


def _exit_code(process: Any) -> int | None:
    """How it ended, given half a second to do so: `join(0.5)` would wait for ever for one that closed its files."""
    end = time.monotonic() + 0.5
    while process.exitcode is None and time.monotonic() < end:
        time.sleep(0.005)
    code: int | None = process.exitcode
    return code


def _kill(process: Any) -> None:
    """Ends the process and whatever came of it."""
    if process.pid is not None:
        alive, others = process.exitcode is None, []
        if alive and FORKS:
            _signal(os.kill, process.pid, "SIGSTOP")  # so that it makes no more meanwhile
            others = _family(process.pid)
        if FORKS:
            _signal(os.killpg, process.pid, "SIGKILL")
        if alive:
            process.kill()
        for pid in others:
            _signal(os.kill, pid, "SIGKILL")
        process.join()
    process.close()


def _signal(send: Callable[[int, int], None], pid: int, name: str) -> None:
    with suppress(OSError):
        send(pid, getattr(signal, name))


def _family(pid: int) -> list[int]:
    """The processes of its session and those that descend from it, where the system lists them (Linux)."""
    family, above = [pid], {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError):
            _, parent, _, session = stat.read_text(errors="replace").rpartition(")")[2].split()[:4]
            above[int(stat.parent.name)] = (int(parent), int(session))
    for one in family:  # it grows
        family += [other for other, their in above.items() if one in their and other not in family]
    return family[1:]


def _remove(folder: str) -> None:
    for here, folders, _ in os.walk(folder):
        for name in folders:  # made with no rights to look into
            with suppress(OSError):
                os.chmod(os.path.join(here, name), 0o700)
    shutil.rmtree(folder, ignore_errors=True)
