"""`formula(root)` and `formula(root, wrt)`: an expression and its derivative, as text and LaTeX.

The derivative is not found by sympy.  `backward(create_graph=True)`, on a copy of the graph, runs
the nodes' own closures and leaves a graph of the gradient; each node of it is then written as
sympy has it, and sympy brings that into a short form.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..calculus import copy_gradients
from ..engine import Value, topological_order
from .forward import follows
from .names import callers_names, callers_values, find
from .paths import count_paths, twins_of, whole
from .reading import Reading, is_value, lacking, read
from .symbols import WRITTEN_TWICE, functions_of, latex_of, number_of, shortened, simplified, texts_of
from .words import figure, spoken

MOST_NODES = 2000  # of a graph
MOST_WRITTEN = 1000  # numbers and operations in the expression, each as often as it is written
KNOWN = "known are + - * / **, exp, log, sqrt, sin, cos, tanh, sigmoid, relu and abs"
TOO_LARGE = "take a part of it, as in formula(n) for a result n on the way, or formula(root, n)"


@dataclass(frozen=True)
class Formula:
    """An expression, or the derivative of one; see `formula`."""

    name: str  # "L" or "dL/dw1"; "" where the root has no name
    text: str  # with × written as *, and numbers of six digits
    latex: str  # the same, without dollar signs
    latex_name: str
    expression: Any  # the sympy expression, with all digits
    values: dict[Any, Any]  # the numbers in the graph, by sympy symbol: expression.subs(values)

    def __str__(self) -> str:
        return f"{self.name} = {self.text}" if self.name else self.text

    def _repr_latex_(self) -> str:
        return rf"$\displaystyle {self.latex_name + ' = ' if self.latex_name else ''}{self.latex}$"


def formula(root: Any, wrt: Any | None = None, *, names: Mapping[str, Any] | None = None) -> Formula:
    """The expression that root was computed by, or its derivative, simplified.

    Arguments: root, a Value, or a value of another engine whose operations have names that are
    known here (its derivatives are then by microgrid's rules); wrt, the value (or its label or
    variable's name) to differentiate with respect to: a leaf, or a result on the way, which then
    stands in the formula by its name; names, further names for values, over those of your
    variables.  Leaves that have a name are symbols, the others numbers; the second leaf of the
    name w is w_1.
    Returns a `Formula`, which `print` shows as text and a notebook as mathematics.
    Raises ModuleNotFoundError without sympy, TypeError for what is no Value, ValueError for an
    unknown name, a fixed exponent, an unknown operation of another engine or a graph too large to
    be written out, and what `backward()` raises where a
    local gradient is undefined.

    >>> a, b = Value(2.0), Value(-3.0)
    >>> c = (a * b + 1).tanh()
    >>> print(formula(c), "and", formula(c, a))
    c = tanh(a*b + 1) and dc/da = b*(1 - tanh(a*b + 1)**2)
    >>> formula(c, "b").latex
    'a \\\\left(1 - \\\\tanh^{2}{\\\\left(a b + 1 \\\\right)}\\\\right)'
    """
    if isinstance(root, type) or not is_value(root):
        hint = f": {lacking(root)}" if lacking(root) else ""
        raise TypeError(f"formula({root!r:.50}) needs a Value, such as the loss, not {type(root).__name__}{hint}")
    if not (wrt is None or isinstance(wrt, str) or (not isinstance(wrt, type) and is_value(wrt))):
        raise TypeError(f"formula(root, {wrt!r:.50}): wrt is a Value or the name of one, not {type(wrt).__name__}")
    try:
        import sympy
    except ModuleNotFoundError:
        raise ModuleNotFoundError('formulas need sympy: pip install "sympy>=1.12"') from None

    variables = {**callers_values(1, root), **(names or {})}
    called = callers_names(1, names, root)
    reading = read(root, called)
    if len(reading.nodes) > MOST_NODES:
        raise ValueError(f"formula: {len(reading.nodes)} values are too many (the most is {MOST_NODES}): {TOO_LARGE}")
    wrt = find(wrt, reading, "formula(", variables) if isinstance(wrt, str) else wrt
    target = reading.index.get(id(wrt))
    if target is not None and reading.nodes[target].fixed:
        raise ValueError(
            f"formula({spoken(reading, reading.root)}, {spoken(reading, target)}): it is the fixed exponent of a "
            "power, a plain number to which no gradient flows; for a derivative in the exponent make it a Value"
        )
    if not reading.own:
        twins = _in_our_values(reading)
        reading = read(twins[-1], {})
        target = reading.index[id(twins[target])] if target is not None else None
    symbols = _symbols(sympy, reading, target)
    latex_names = {symbol: latex_of(sympy, symbol.name) for symbol in symbols.values()}
    name, latex_name = reading.nodes[-1].name, latex_of(sympy, reading.nodes[-1].name)
    if wrt is not None:
        below = symbols[target].name if target is not None else read(wrt, called).nodes[-1].name or "x"
        name = name and f"d{whole(name)}/d{whole(below)}"
        latex_name = rf"\frac{{\partial {latex_name}}}{{\partial {latex_of(sympy, below)}}}"
    try:
        answer, twins = (0, []) if wrt is not None and target is None else _graph(reading, wrt, target)
        by_id = {id(twins[i]): symbol for i, symbol in symbols.items()} if twins else {}
        expression = _translated(sympy, answer, by_id)
        text, latex = texts_of(sympy, expression, latex_names)
    except RecursionError:  # sympy prints by recursion
        raise ValueError(f"formula: the expression is nested too deeply to be written: {TOO_LARGE}") from None
    values = {symbol: reading.nodes[i].data for i, symbol in symbols.items()}
    return Formula(name, text, latex, latex_name if name else "", expression, values)


def _symbols(sympy: Any, reading: Reading, target: int | None) -> dict[int, Any]:
    """A symbol for each leaf with a name, and for the target, no two of them alike."""
    symbols: dict[int, Any] = {}
    taken: set[str] = set()
    for i, node in enumerate(reading.nodes):
        if i == target or (node.name and not node.operands):
            first = name = node.name or "u"
            tries = 0
            while name in taken:
                tries += 1
                name = f"{first}_{tries}"
            taken.add(name)
            symbols[i] = sympy.Symbol(name, real=True)
    return symbols


def _in_our_values(reading: Reading) -> list[Value]:
    """Another engine's graph in microgrid's operations, as far as their names and numbers say what they are."""
    twins: list[Value] = []
    for i, node in enumerate(reading.nodes):
        if not node.operands:
            twins.append(Value(node.data, label=node.name))
            continue
        function, holds, expected = follows(reading, i)
        if function is None:
            raise ValueError(f"formula: the operation {node.op!r} of {spoken(reading, i)} is not known here; {KNOWN}")
        if not holds:
            raise ValueError(
                f"formula: {spoken(reading, i)}.data is {figure(node.data)}, but {node.op!r} of its operands is "
                f"{figure(expected)}: data was changed, or this engine computes something else"
            )
        twins.append(function(*[twins[j] for j in node.operands]))
        twins[-1].label = node.name
    return twins


def _graph(reading: Reading, wrt: Any, target: int | None) -> tuple[Any, list[Value]]:
    """What is to be written, the root or its gradient, as a graph over twins of the nodes."""
    between = count_paths(reading, target)[0] if target is not None else [False] * len(reading.nodes)
    twins = twins_of(reading, target, between)
    if target is not None:
        twins[-1].backward(create_graph=True)
    for i, node in enumerate(reading.nodes):  # the sweep is done: what it had no need to enter gets its operands
        if not between[i]:
            twins[i].parents = tuple([twins[j] for j in node.operands])
    return (twins[-1] if target is None else twins[target].grad), twins


def _translated(sympy: Any, answer: Any, symbols: dict[int, Any]) -> Any:
    """The sympy expression of a number or graph."""
    order = topological_order(answer if isinstance(answer, Value) else Value(answer))
    written: dict[int, int] = {}
    for value in order:
        leaf = id(value) in symbols or not value.parents
        counts = [] if leaf else [written[id(parent)] for parent in value.parents]
        written[id(value)] = 1 + sum(counts) + sum(counts[WRITTEN_TWICE.get(value.op, len(counts)) :][:1])
    count = written[id(order[-1])]
    if count > MOST_WRITTEN:
        many = str(count) if count < 10**9 else "over a billion"
        raise ValueError(f"formula: written out it has {many} numbers and operations (the most is {MOST_WRITTEN}): "
                         f"{TOO_LARGE}")  # fmt: skip
    functions = functions_of(sympy, count)
    found: dict[int, Any] = {}
    for value in order:
        if id(value) in symbols:
            expression = symbols[id(value)]
        elif not value.parents:
            expression = number_of(sympy, value.data)
        elif value.local_gradients is copy_gradients:
            expression = found[id(value.parents[0])]
        else:
            own = sympy.Function(re.sub(r"\W", "_", value.op) or "f")  # of an operation of the user's
            operands = [found[id(parent)] for parent in value.parents]
            if value.op in ("/", "**", "log"):  # 0.1 + 0.2 - 0.3 is 0, but not in floats
                operands = [number_of(sympy, p.data) if x == 0 else x for x, p in zip(operands, value.parents)]
            try:
                expression = functions.get(value.op, own)(*operands)
            except TypeError:  # their operation has our name, but not its number of operands
                expression = own(*operands)
        found[id(value)] = expression
    return shortened(sympy, simplified(sympy, sympy.sympify(found[id(order[-1])])))
