"""Files, written whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from zlib import crc32

try:
    import fcntl
except ImportError:  # Windows has no such locks
    fcntl = None  # type: ignore[assignment]


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write content to path by way of a file beside it, so that path never holds a part.

    A link is followed and a file's permissions are kept; what is no plain file (a pipe, a
    device) is written to as it is.  A process that is killed may leave the file beside it, whose
    name begins with ".part-"; the next one that writes to path takes the same one, and it is gone.
    Arguments: path; content, text (written as UTF-8) or bytes.
    Returns the path.  Raises OSError, naming the path, where the folder is not there or
    not writable; what was at the path before is then untouched.
    """
    path = Path(path)
    data = content.encode() if isinstance(content, str) else content
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        with open(target, "wb") as file:  # a folder raises IsADirectoryError here
            file.write(data)
        return path
    try:
        file = _beside(target)
    except OSError as error:
        raise type(error)(error.errno, f"{error.strerror}: the folder can't be written", str(path)) from None
    part = file.name
    try:
        with file:
            file.write(data)
            file.flush()
            if target.exists():
                shutil.copymode(target, part)
            else:
                os.chmod(part, 0o666 & ~_UMASK)
            if fcntl is not None:
                os.replace(part, target)  # while the lock holds
        if fcntl is None:
            os.replace(part, target)  # Windows moves no open file
    except BaseException:
        Path(part).unlink(missing_ok=True)  # it is moved already if Ctrl-C comes right after
        raise
    return path


def _beside(target: Path) -> Any:
    """An empty file beside target, open: of the same name each time, unless someone else is writing there."""
    if fcntl is not None:
        try:
            part = target.with_name(f".part-{crc32(os.fsencode(target.name)):08x}")
            file = open(part, "wb", opener=_opened)  # noqa: SIM115, the caller closes it
        except OSError:  # such as somebody else's, or a link
            return tempfile.NamedTemporaryFile(dir=target.parent, prefix=".part-", delete=False)
        try:
            if _is_held(file):
                file.truncate()
                return file
        except BaseException:
            file.close()
            raise
        file.close()
    return tempfile.NamedTemporaryFile(dir=target.parent, prefix=".part-", delete=False)


def _opened(name: str, flags: int) -> int:
    """As it is, without emptying it: it may be another's; nor is a link followed."""
    return os.open(name, flags & ~os.O_TRUNC | os.O_NOFOLLOW, 0o600)


def _is_held(file: Any) -> bool:
    """Whether we alone have the file, and it is still the one of that name; the lock ends with the process."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        mine, there = os.fstat(file.fileno()), os.stat(file.name)
    except OSError:
        return False
    return os.path.samestat(mine, there) and mine.st_uid == os.geteuid() and mine.st_nlink == 1


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


_UMASK = _umask()  # asked once, since asking sets it for a moment, for all threads
