"""A graph as an indented tree of text, for terminals and wherever Graphviz is not."""

from .boxes import Boxes
from .numbers import cut, plain, show
from .reading import Reading

MOST_LINES = 200


def tree_of(graph: Boxes) -> list[str]:
    """One line for each edge, results above their operands; a shared operand is opened once."""
    operands: list[list[int]] = [[] for _ in graph.boxes]
    used = set()
    for edge in graph.edges:
        operands[edge.result].append(edge.operand)
        used.add(edge.operand)
    lines: list[str] = []
    opened: set[int] = set()
    tops = [i for i, box in enumerate(graph.boxes) if i not in used or box.root]
    stack = [(i, "", "") for i in tops]  # box, the indent of its line, the indent of the lines beneath
    while stack:
        i, indent, beneath = stack.pop()
        if len(lines) == MOST_LINES:
            lines.append("…")
            break
        box = graph.boxes[i]
        numbers = f"{box.data}   grad {box.grad}" if box.shown else ""
        title = f"{cut(box.title, 40)} {box.number}".strip()
        again = i in opened and operands[i]
        lines.append(indent + (f"{title}   " if title else "") + numbers + ("   (opened above)" if again else ""))
        if again:
            continue
        opened.add(i)
        for k, operand in reversed(list(enumerate(operands[i]))):
            last = k == len(operands[i]) - 1
            stack.append((operand, beneath + ("└── " if last else "├── "), beneath + ("    " if last else "│   ")))
    return lines


def summary_of(reading: Reading) -> list[tuple[str, int, str]]:
    """For a graph too large to draw: each operation with its count and its largest gradient."""
    rows: dict[str, tuple[int, float]] = {}
    for node in reading.nodes:
        kind = node.op or ("named leaf" if node.name else "leaf")
        count, largest = rows.get(kind, (0, 0.0))
        rows[kind] = count + 1, max(largest, abs(plain(node.grad)))
    ordered = sorted(rows.items(), key=lambda row: -row[1][0])
    return [(kind, count, show(largest)) for kind, (count, largest) in ordered]
