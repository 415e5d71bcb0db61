"""What strange code may not do in the process that it is tried in.

A belt for accidents and for pranks, no prison: Python's audit events (PEP 578) can be got round by who sets out to.
For code of strangers use a container or a machine that nothing is lost with.
"""

import os
import sys
from typing import Any

MEMORY = 1 << 30  # bytes on top of what the process has
LARGEST_FILE = 1 << 20  # bytes
FILES = 100  # that may be written, all in the folder of the trial

FORBIDDEN = (
    "os.fork", "os.forkpty", "os.posix_spawn", "os.spawn", "os.exec", "os.system", "os.startfile", "subprocess.Popen",
    "pty.spawn", "os.kill", "os.killpg", "signal.pthread_kill", "os.chmod", "os.chown", "os.lchown",
    "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname", "urllib.Request",
    "ftplib.connect", "smtplib.connect", "webbrowser.open", "sqlite3.connect", "ctypes.dlopen", "ctypes.dlsym",
    "ctypes.call_function", "ctypes.string_at", "ctypes.set_exception", "syslog.syslog", "resource.setrlimit",
    "resource.prlimit", "cpython._PySys_ClearAuditHooks", "os.setxattr", "os.removexattr",
)  # fmt: skip
ON_PATHS = {  # event: which of its arguments are paths that it changes
    "os.remove": (0,), "os.rename": (0, 1), "os.mkdir": (0,), "os.rmdir": (0,), "os.truncate": (0,), "os.link": (1,),
    "os.symlink": (1,), "os.utime": (0,), "shutil.rmtree": (0,), "shutil.move": (0, 1), "shutil.copyfile": (1,),
    "shutil.copytree": (1,), "tempfile.mkdtemp": (0,),
}  # fmt: skip


def harden(folder: str, seconds: float) -> None:
    """From here on this process writes in that folder alone, starts nothing, calls nobody, and ends in time."""
    quiet = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(quiet, stream)
    sys.stdin, sys.stdout, sys.stderr = (open(os.devnull, mode) for mode in ("r", "w", "w"))  # noqa: SIM115
    sys.dont_write_bytecode = True
    os.chdir(folder)
    for name in ("TMPDIR", "TEMP", "TMP", "HOME", "MPLCONFIGDIR"):
        os.environ[name] = folder
    _limit(seconds)
    sys.addaudithook(_hook(os.path.realpath(folder)))


def _limit(seconds: float) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limits
        return
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


def _hook(folder: str) -> Any:
    written = 0
    forbidden, on_paths = frozenset(FORBIDDEN), dict(ON_PATHS)
    writing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
    realpath, devnull = os.path.realpath, os.devnull

    def inside(path: Any) -> bool:
        if isinstance(path, int) or path is None:
            return True  # a file that is open already, or the folder of the trial
        path = realpath(os.fsdecode(path))
        return path in (devnull, folder) or path.startswith(folder + os.sep)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal written
        if event in forbidden:
            raise PermissionError(f"a checked engine may not do this: {event}")
        if event == "open":
            path, mode, flags = arguments
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & writing):
                written += 1
                if not inside(path) or written > FILES:
                    raise PermissionError(f"a checked engine may not write files: {path!r:.80}")
        elif event in on_paths and not all([inside(arguments[i]) for i in on_paths[event]]):
            raise PermissionError(f"a checked engine may not change files: {event}")

    return hook
