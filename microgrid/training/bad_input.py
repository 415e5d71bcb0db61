"""A mistake in what the user handed in, told in one sentence."""

import os
from collections.abc import Iterable
from functools import partial
from itertools import islice
from pathlib import Path

LARGEST_FILE = 500_000_000  # bytes; a scalar engine would take days over more
BLOCK = 1 << 20  # bytes; Python sets aside at once all that a read may bring


class BadInput(ValueError):
    """A mistake in a file, a column or an option: one sentence that says what to type instead.

    The command line prints the sentence and ends with status 2.
    """


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """The bytes of a file.  Raises BadInput where there is no such file, or it is a folder or too large."""
    if os.path.isdir(path):
        raise BadInput(f"{path} is a folder; name a file in it")
    try:
        with open(path, "rb") as file:
            content = b"".join(islice(iter(partial(file.read, BLOCK), b""), LARGEST_FILE // BLOCK + 2))
    except FileNotFoundError:
        raise BadInput(f"there is no file {path}{_neighbour(Path(path))}") from None
    except (OSError, ValueError) as error:  # a name with a null character is a ValueError
        raise BadInput(f"{path} can't be read: {getattr(error, 'strerror', None) or error}") from None
    if len(content) > LARGEST_FILE:
        raise BadInput(f"{path} has over {LARGEST_FILE // 1_000_000} MB; take a part of it")
    return content


def read_text(path: str | os.PathLike[str]) -> str:
    """The text of a file, UTF-8 with or without a byte order mark.

    Arguments: path.  Returns the text, its line ends as they are.
    Raises BadInput as `read_bytes`, and where it is not text.
    """
    content = read_bytes(path)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadInput(f"{path}, line {line} is not UTF-8 text; save it as UTF-8 (in Excel: CSV UTF-8)") from None


def closest(name: str, names: Iterable[str]) -> str:
    """A question that names the nearest of names, or nothing.

    >>> closest("specis", ["sepal length", "species"])
    " (did you mean 'species'?)"
    """
    from difflib import get_close_matches  # here, because it is seldom needed

    matches = get_close_matches(name, list(names), n=1)
    return f" (did you mean {matches[0]!r}?)" if matches else ""


def listed(names: Iterable[str]) -> str:
    """The names in quotes, the first 20 of them.

    >>> listed(["age", "size"])
    "'age', 'size'"
    """
    names = list(names)
    shown = ", ".join([repr(name) for name in names[:20]])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")


def _neighbour(path: Path) -> str:
    try:
        names = [entry.name for entry in path.parent.iterdir()]
    except OSError:
        return f", nor a folder {path.parent}; check the path"
    return closest(path.name, names) or "; check its name and the folder you are in"
