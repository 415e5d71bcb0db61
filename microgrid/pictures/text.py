"""A graph as an indented tree of text, for terminals and wherever Graphviz is not."""

from ..engine import Value, topological_order
from .boxes import FIXED, cut, fixed_exponents, name_of, show, title_of

MOST_LINES = 200


def tree_of(root: Value, names: dict[int, str]) -> list[str]:
    """One line for each edge, results above their operands; a shared operand is opened once."""
    lines: list[str] = []
    opened: set[Value] = set()
    fixed = fixed_exponents(topological_order(root))
    stack = [(root, "", "")]  # node, the indent of its line, the indent of the lines beneath
    while stack:
        node, indent, beneath = stack.pop()
        if len(lines) == MOST_LINES:
            lines.append("…")
            break
        numbers = f"{show(node.data)}   grad {FIXED if node in fixed else show(node.grad, signed=True)}"
        title = cut(title_of(node, names), 40)
        again = node in opened and node.parents
        lines.append(indent + (f"{title}   " if title else "") + numbers + ("   (opened above)" if again else ""))
        if again:
            continue
        opened.add(node)
        for i, parent in reversed(list(enumerate(node.parents))):
            last = i == len(node.parents) - 1
            stack.append((parent, beneath + ("└── " if last else "├── "), beneath + ("    " if last else "│   ")))
    return lines


def summary_of(nodes: list[Value], names: dict[int, str]) -> list[tuple[str, int, str]]:
    """For a graph too large to draw: each operation with its count and its largest gradient."""
    rows: dict[str, tuple[int, float]] = {}
    for node in nodes:
        kind = node.op or ("named leaf" if name_of(node, names) else "leaf")
        count, largest = rows.get(kind, (0, 0.0))
        size = abs(node.grad.data if isinstance(node.grad, Value) else node.grad)
        rows[kind] = count + 1, max(largest, size)
    ordered = sorted(rows.items(), key=lambda row: -row[1][0])
    return [(kind, count, show(largest)) for kind, (count, largest) in ordered]
