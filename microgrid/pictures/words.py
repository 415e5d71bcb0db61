"""How numbers and nodes are said: `2 × (−3) = −6`, `t1 = x1 * w1`, `a`, `(a*b)`, `+ #5`."""

import re
from collections.abc import Sequence
from numbers import Real
from typing import Any

from .forward import written
from .numbers import MINUS, cut, plain, show
from .reading import Reading

LONGEST = 28  # columns of a name, before it is cut
MOST_TERMS = 6  # of a sum or a list of operands, before the rest is an ellipsis
RESULT = "result"  # what a root without a name is called
SHORT = 11  # columns of a formula that can stand in the place of a name
INFIX = {"+": "+", "-": MINUS, "*": "×", "/": "/", "**": "**"}  # with names, and with numbers


def figure(x: Any) -> str:
    """A number in few columns, whole ones without decimals.

    >>> figure(2.0), figure(-0.58579), figure(0.1 + 0.2)
    ('2', '−0.5858', '0.3000')
    """
    x = plain(x)
    whole = isinstance(x, Real) and -1_000_000 < x < 1_000_000 and x == int(x)  # type: ignore[operator, call-overload]
    return show(int(x) if whole else x)


def factor(x: Any) -> str:
    """A number as one of several: negative ones in parentheses.

    >>> factor(2.0), factor(-3.0)
    ('2', '(−3)')
    """
    text = figure(x)
    return f"({text})" if text.startswith(MINUS) else text


def spoken(reading: Reading, i: int) -> str:
    """What node i is called: its name, or its number, or a short formula, or its operation and place.

    A root without a name is the `result`.

    >>> from microgrid import Value
    >>> from microgrid.pictures.reading import read
    >>> a, b = Value(2.0, label="a"), Value(-3.0)
    >>> reading = read((a * b + a).tanh(), {})
    >>> [spoken(reading, i) for i in range(len(reading.nodes))]
    ['a', '−3', '(a*(−3))', '+ #3', 'result']
    """
    node = reading.nodes[i]
    if name := name_of(reading, i):
        return cut(name, LONGEST)
    if not node.operands:
        return figure(node.data)
    number = number_of(reading, i)
    return f"{node.op} {number}" if number else _short(reading, i)


def name_of(reading: Reading, i: int) -> str:
    """The name of node i, if it has one; of a computed root without one `result`, if nothing else is called so."""
    node = reading.nodes[i]
    if node.name or i != reading.root or not node.operands:
        return node.name
    return "" if any([other.name == RESULT for other in reading.nodes]) else RESULT


def number_of(reading: Reading, i: int) -> str:
    """`#5`, where words call node i by its number; else ""."""
    if name_of(reading, i) or not reading.nodes[i].operands:
        return ""
    short = _short(reading, i)
    return "" if short and len(short) <= SHORT else f"#{i}"


def term(reading: Reading, i: int) -> str:
    """What node i is called within a formula: as `spoken`, but `#5` for what would be long."""
    name = name_of(reading, i)
    if name or not reading.nodes[i].operands:
        return cut(name, LONGEST) or factor(reading.nodes[i].data)
    return number_of(reading, i) or _short(reading, i)


def _short(reading: Reading, i: int, depth: int = 2) -> str:
    """The formula of node i in the names of its operands, or "" where it can't be short."""
    node = reading.nodes[i]
    if node.name:
        return node.name
    if not node.operands:
        return factor(node.data)
    if not depth or len(node.operands) > 2:
        return ""
    parts = [_short(reading, j, depth - 1) for j in written(reading, i)]
    if not all(parts):
        return ""
    text = formula(node.op, parts)
    return f"({text.replace(' ', '')})" if node.op in INFIX or node.op.startswith(("**", "^")) else text


def formula(op: str, parts: Sequence[str], numbers: bool = False) -> str:
    """An operation on its operands, as one writes it; with numbers, × in place of *.

    >>> formula("*", ["2", "(−3)"], numbers=True), formula("tanh", ["n"]), formula("dot", ["w", "v", "x", "y"])
    ('2 × (−3)', 'tanh(n)', 'w * x + v * y')
    """
    if op in INFIX and len(parts) > 1:
        parts = [parts[0][1:-1] if parts[0].startswith("(" + MINUS) and op in "+-" else parts[0], *parts[1:]]
        return f" {INFIX[op] if numbers else op} ".join(_some(parts))
    if op in ("neg", "-") and len(parts) == 1:
        return (MINUS if numbers else "-") + parts[0]
    if op.startswith(("**", "^")) and len(parts) == 1 and len(op.strip("*^")):
        sign, exponent = op[: -len(op.strip("*^"))], op.strip("*^")
        return f"{parts[0]} {sign} " + (f"({MINUS}{exponent[1:]})" if exponent.startswith("-") else exponent)
    if op == "dot":
        n, times = len(parts) // 2, "×" if numbers else "*"
        return " + ".join(_some([f"{a} {times} {b}" for a, b in zip(parts[: MOST_TERMS + 1], parts[n:])], n))
    if op == "lookup" and len(parts) > 1:
        return f"lookup([{', '.join(_some([_bare(part) for part in parts[1:]]))}], {_bare(parts[0])})"
    return f"{op}({', '.join(_some([_bare(part) for part in parts]))})"


def _some(parts: Sequence[str], of: int = 0) -> list[str]:
    """The first terms, and an ellipsis for the others."""
    return [*parts[:MOST_TERMS], *(["…"] if max(len(parts), of) > MOST_TERMS else [])]


def _bare(part: str) -> str:
    """What stands alone between commas needs no parentheses."""
    return part[1:-1] if part.startswith("(") else part


def evaluation(reading: Reading, i: int) -> str:
    """How node i was evaluated: `t1 = x1 * w1 = 2 × (−3) = −6`."""
    node = reading.nodes[i]
    wanted = written(reading, i) if node.op in ("dot", "lookup") else written(reading, i)[: MOST_TERMS + 1]
    names = [term(reading, j) for j in wanted]
    figures = [factor(reading.nodes[j].data) for j in wanted]
    name = term(reading, i)
    said = [
        name if name_of(reading, i) or name.startswith("#") else "",
        formula(node.op, names),
        formula(node.op, figures, True),
        figure(node.data),
    ]
    if said[1].replace("*", "×") == said[2].replace("*", "×"):  # of constants only
        del said[1]
    if said[-1] == said[-2]:  # the negative of a number
        del said[-1]
    return " = ".join([part for part in said if part])


def one_word(name: str) -> str:
    """A name as it stands in ∂a/∂b: in parentheses, unless it is one word or has them already.

    >>> one_word("w[0]"), one_word("tanh #4"), one_word("(a*b)"), one_word("−3")
    ('w[0]', '(tanh #4)', '(a*b)', '(−3)')
    """
    return name if re.match(r"[\w.[\]]+$|\(", name) else f"({name})"
