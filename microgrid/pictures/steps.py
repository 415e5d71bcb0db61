"""`steps(root)`: every evaluation forward and every contribution backward, to look at."""

from collections.abc import Mapping
from html import escape
from os import PathLike
from pathlib import Path
from typing import Any

from ..files import write_whole
from . import film, layout
from .findings import summed
from .graph import Graph
from .moments import reading_at
from .names import callers_names
from .passes import Passes
from .player import MOST, page_of
from .recorder import checked, record

FORMATS = (".html", ".svg", ".gif", ".txt")
MOST_ROWS = 300  # of the text in a notebook
REMARK = "The steps are in the text below; where scripts may run, the player follows."


def steps(root: Any, *, keep_grads: bool = False, names: Mapping[str, Any] | None = None) -> "Steps":
    """Every evaluation forward and every contribution backward, one after the other.

    Arguments: root, a Value, or a value of another engine (your own, micrograd's), whose own
    `backward()` is run and watched; keep_grads, whether the grads start from what is there in
    place of 0; names, further names for values, over those of your variables.
    Returns `Steps`, a sequence of `Step`, with `findings`: what looks wrong, in words.  All is
    put back as it was.  Raises TypeError if root is no value or can't be watched.

    >>> from microgrid import Value
    >>> a = Value(3.0)
    >>> b = a * a
    >>> print(steps(b))
    step  what happens  local gradient  upstream × local = product  grad
       0  b = a * a = 3 × 3 = 9
       1  start at b                                                b: 0 → 1
       2  b sends to a  ∂b/∂a = 3       1 × 3 = 3                   a: 0 → 3
       3  b sends to a  ∂b/∂a = 3       1 × 3 = 3                   a: 3 → 6
    """
    return Steps(record(checked(root, callers_names(1, names), "steps"), keep_grads))


class Steps(Passes):
    """The steps of one forward and one backward pass; see `steps`.

    A sequence of `Step`s: `len`, indices, slices and loops are as of a list, `print` shows a
    table, a notebook the picture and the player.
    """

    def save(self, path: str | PathLike[str]) -> Path:
        """Write the steps to path, whose ending says how.

        .html: the player, one page that works offline; .svg: a picture that plays by itself,
        without script; .gif: the same for where no SVG moves; .txt: the table.
        Returns the path.  The file is written whole or not at all.  Raises ValueError for
        another ending or a graph that is too large, RuntimeError where no Graphviz is,
        ModuleNotFoundError for .gif without Pillow, OSError if the file can't be written.
        """
        path = Path(path)
        ending = path.suffix.lower()
        if ending not in FORMATS:
            raise ValueError(f"save({str(path)!r}): the name has to end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}")
        if ending == ".txt":
            return write_whole(path, f"{self}\n")
        if not layout.engine():
            raise RuntimeError(f"{layout.INSTALL}; .txt needs none")
        if ending == ".html":
            return write_whole(path, page_of(self))
        return write_whole(path, film.animated_svg(self) if ending == ".svg" else film.gif(self))

    def _repr_html_(self) -> str:
        """For notebooks: the picture that survives everywhere, the text, and where it may run, the player."""
        last = Graph(reading_at(self, len(self) - 1))
        last.remarks = [*summed(self.findings), REMARK]
        text = escape("\n".join(str(self).splitlines()[:MOST_ROWS]))
        shown = (
            f"{last._repr_html_()}<details><summary>The {len(self)} steps as text</summary><pre>{text}</pre></details>"
        )
        if not layout.engine() or len(self.reading.nodes) > MOST or not len(self):
            return shown
        return (
            f'{shown}<iframe srcdoc="{escape(page_of(self))}" width="100%" height="720" title="Step player"></iframe>'
        )
