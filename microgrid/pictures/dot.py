"""The picture as a `graphviz.Digraph`, which renders with whichever Graphviz there is."""

import webbrowser
from pathlib import Path
from typing import Any

import graphviz

from ..files import write_whole
from . import layout
from .boxes import DARK, INK, LINES, NEUTRAL, Boxes


def digraph_of(graph: Boxes, rankdir: str, format: str, dark: bool = False) -> "Digraph":
    """The same boxes, colours and edges as in the SVG."""
    colour = DARK if dark else {light: light for light in DARK}
    digraph = Digraph(format=format, graph_attr={"rankdir": rankdir, "nodesep": "0.22", "ranksep": "0.34"})
    font = {"fontname": "DejaVu Sans Mono", "fontcolor": colour[INK], "color": colour[LINES]}
    digraph.attr("graph", bgcolor=colour[NEUTRAL])
    digraph.attr("node", shape="box", fontsize="11", **font)
    digraph.attr("edge", arrowsize="0.7", fontsize="10", **font)
    for i, box in enumerate(graph.boxes):
        label = "".join([graphviz.escape(line) + "\\l" for line in box.lines])
        style = "filled" if box.leaf else "rounded,filled"
        digraph.node(f"n{i}", label, style=style, fillcolor=colour[box.fill], penwidth="2.5" if box.root else "1")
    for edge in graph.edges:
        slope = graphviz.escape(edge.slope) if edge.slope else None
        digraph.edge(f"n{edge.operand}", f"n{edge.result}", slope)
    return digraph


class Digraph(graphviz.Digraph):
    """A Digraph that needs no `dot` program if the pygraphviz wheel is there.

    Without `dot`, `pipe` and `render` read format, encoding, filename, directory, cleanup
    and view; other options are those of the program, and need it.
    """

    def pipe(self, format: str | None = None, encoding: str | None = None, **kwargs: Any) -> Any:
        if layout.engine() == "dot":
            return super().pipe(format=format, encoding=encoding, **kwargs)
        data = layout.render(self.source, format or self.format)
        return data.decode(encoding) if encoding else data

    def render(self, filename: Any = None, directory: Any = None, view: bool = False, cleanup: bool = False,
               format: str | None = None, **kwargs: Any) -> str:  # fmt: skip
        if layout.engine() == "dot":
            return super().render(filename, directory=directory, view=view, cleanup=cleanup, format=format, **kwargs)
        format = format or self.format
        data = layout.render(self.source, format)
        source = Path(directory or self.directory, filename or self.filename)
        source.parent.mkdir(parents=True, exist_ok=True)
        if not cleanup:
            write_whole(source, self.source)
        picture = str(write_whole(source.with_name(f"{source.name}.{format}"), data))
        if view:
            webbrowser.open(Path(picture).absolute().as_uri())
        return picture

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None, **kwargs: Any) -> dict[str, Any]:
        if not layout.engine():
            return {"text/plain": f"{layout.INSTALL}.\n\n{self.source}"}
        return super()._repr_mimebundle_(include, exclude, **kwargs)
