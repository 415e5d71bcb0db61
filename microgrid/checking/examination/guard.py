"""What strange code may not do in the process that it is tried in.

A belt for accidents and for pranks, no prison.  The system bounds memory, processor time and the size of files; the
parent bounds the time and kills.  All else is refused by Python to Python: by its audit events (PEP 578) and by taking
out functions that raise none.  Who sets out to gets round that (by a compiled extension, or by finding this hook with
`gc`), may read each file that you may read, and can forge the answers of his own engine.  Where the user is root,
nothing more than this stands between.  For code of strangers use a container that nothing is lost with.
"""

import os
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from typing import Any

MEMORY = 1 << 30  # bytes on top of what the process has
LARGEST_FILE = 1 << 20  # bytes
FILES = 100  # files and folders that may be made, all in the folder of the trial

FORBIDDEN = (
    "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.exec", "os.system", "os.startfile", "os.startfile/2",
    "subprocess.Popen", "pty.spawn", "os.kill", "os.killpg", "signal.pthread_kill", "os.chmod", "os.chown",
    "os.lchown", "os.chflags", "os.link", "os.symlink", "os.setxattr", "os.removexattr", "fcntl.ioctl",
    "socket.connect", "socket.bind", "socket.sendto", "socket.sendmsg", "socket.getaddrinfo", "socket.gethostbyname",
    "socket.gethostbyaddr", "socket.sethostname", "urllib.Request", "ftplib.connect", "smtplib.connect",
    "webbrowser.open", "sqlite3.connect", "ctypes.dlopen", "ctypes.dlsym", "ctypes.dlsym/handle", "ctypes.cdata",
    "ctypes.call_function", "ctypes.string_at", "ctypes.wstring_at", "ctypes.set_exception", "syslog.syslog",
    "syslog.openlog", "resource.setrlimit", "resource.prlimit", "cpython._PySys_ClearAuditHooks",
    "cpython.PyInterpreterState_New",
)  # fmt: skip
ON_PATHS = {  # event: which of its arguments are paths that it changes
    "os.remove": (0,), "os.rename": (0, 1), "os.mkdir": (0,), "os.rmdir": (0,), "os.truncate": (0,), "os.utime": (0,),
    "shutil.rmtree": (0,), "shutil.move": (0, 1), "shutil.copyfile": (1,), "shutil.copytree": (1,),
    "tempfile.mkdtemp": (0,),
}  # fmt: skip
NOT_IMPORTED = (  # what reaches memory, interpreters without this hook, or files without an event
    "_ctypes", "ctypes", "_cffi_backend", "_interpreters", "_xxsubinterpreters", "_testcapi", "_testinternalcapi",
    "_dbm", "_gdbm", "readline",
)  # fmt: skip
OF_THE_SYSTEM = (
    "mkfifo", "mknod", "memfd_create", "chroot", "unshare", "setns", "pidfd_open", "setpriority", "sched_setaffinity",
    "sched_setscheduler", "sched_setparam",
)  # fmt: skip
UNTOLD = {  # functions that raise no event
    "posix": OF_THE_SYSTEM, "os": OF_THE_SYSTEM, "_signal": ("pidfd_send_signal",), "signal": ("pidfd_send_signal",),
    "_posixsubprocess": ("fork_exec",), "subprocess": ("_fork_exec",), "_posixshmem": ("shm_open", "shm_unlink"),
    "_multiprocessing": ("SemLock", "sem_unlink"),
}  # fmt: skip


def harden(folder: str, seconds: float, answers: int) -> None:
    """From here on this process writes in that folder alone, starts nothing, calls nobody, and ends in time.

    Arguments: folder; seconds; answers, the one open file, by its number, that stays open beside.
    """
    _let_go(answers)
    sys.stdin, sys.stdout, sys.stderr = (open(os.devnull, mode) for mode in ("r", "w", "w"))  # noqa: SIM115
    sys.dont_write_bytecode = True
    os.chdir(folder)
    for name in ("TMPDIR", "TEMP", "TMP", "HOME", "MPLCONFIGDIR"):
        os.environ[name] = folder
    _limit(seconds)
    _take_out()
    sys.addaudithook(_hook(os.path.realpath(folder)))


def _let_go(answers: int) -> None:
    """What the parent has open, its terminal and its files, is /dev/null here."""
    quiet = os.open(os.devnull, os.O_RDWR)
    numbers = [0, 1, 2]
    with suppress(OSError):  # Windows has no such folder, and hands no files on
        numbers = [int(name) for name in os.listdir("/dev/fd")]
    for number in {*numbers, 0, 1, 2} - {answers}:
        os.dup2(quiet, number)


def _limit(seconds: float) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(int(seconds) + 3)  # should the parent be gone
    used = 0
    try:
        with open("/proc/self/statm") as statm:
            used = int(statm.read().split()[0]) * resource.getpagesize()
    except OSError:  # no Linux: there the limit of the address space can't be had
        pass
    limits = [(resource.RLIMIT_CPU, int(seconds) + 2), (resource.RLIMIT_FSIZE, LARGEST_FILE), (resource.RLIMIT_CORE, 0)]
    for kind, limit in [*limits, *([(resource.RLIMIT_AS, used + MEMORY)] if used else [])]:
        hard = resource.getrlimit(kind)[1]
        limit = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (limit, limit))


def _take_out() -> None:
    for place, names in UNTOLD.items():
        with suppress(ImportError):
            module = import_module(place)
            for name in names:
                if hasattr(module, name):
                    setattr(module, name, _refused)


def _refused(*arguments: Any, **named: Any) -> Any:
    raise PermissionError("a checked engine may not do this")


def _hook(folder: str) -> Callable[[str, tuple[Any, ...]], None]:
    made = 0
    forbidden, on_paths, not_imported = frozenset(FORBIDDEN), dict(ON_PATHS), frozenset(NOT_IMPORTED)
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    realpath, isdir, devnull = os.path.realpath, os.path.isdir, os.devnull

    def inside(path: Any) -> bool:
        if isinstance(path, int) or path is None:
            return True  # a file that is open already, or the folder of the trial
        path = realpath(os.fsdecode(path))
        return path in (devnull, folder) or path.startswith(folder + os.sep)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal made
        if event in forbidden:
            raise PermissionError(f"a checked engine may not do this: {event}")
        if event == "import" and arguments[0] in not_imported:
            raise ImportError(f"a checked engine may not import {arguments[0]}")
        if event == "open":
            path, mode, flags = arguments
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & writing):
                made += 1
                if not inside(path) or made > FILES:
                    raise PermissionError(f"a checked engine may not write files: {path!r:.80}")
            elif mode is None and not isinstance(path, int) and isdir(path):
                raise PermissionError("a checked engine may not open folders")  # and then write beside them
        elif event in on_paths:
            made += event == "os.mkdir"
            if made > FILES or not all([inside(arguments[i]) for i in on_paths[event]]):
                raise PermissionError(f"a checked engine may not change files: {event}")

    return hook
