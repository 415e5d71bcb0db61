"""Files, written whole or not at all."""

import os
import shutil
import tempfile
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: str | bytes) -> Path:
    """Write content to path by way of a file beside it, so that path never holds a part.

    A link is followed and a file's permissions are kept; what is no plain file (a pipe, a
    device) is written to as it is.
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
        handle, part = tempfile.mkstemp(dir=target.parent, prefix=".part-")
    except OSError as error:
        raise type(error)(error.errno, f"{error.strerror}: the folder can't be written", str(path)) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if target.exists():
            shutil.copymode(target, part)
        else:
            os.chmod(part, 0o666 & ~_UMASK)
        os.replace(part, target)
    except BaseException:
        os.unlink(part)
        raise
    return path


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


_UMASK = _umask()  # asked once, since asking sets it for a moment, for all threads
