"""The statement at which a program stands, read from its source: what it decides, and what to write instead."""

import ast
import linecache
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from types import FrameType
from typing import Any, NamedTuple

LONGEST = 80  # characters of a line
IN_PAIRS = {"max": "maximum", "min": "minimum"}
SORTING = (
    "sorted", "sort", "nlargest", "nsmallest", "heapify", "heappush", "heappop", "heappushpop", "heapreplace", "merge",
    "insort", "insort_left", "insort_right", "bisect", "bisect_left", "bisect_right", "median", "median_low",
    "median_high", "quantiles", "argsort",
)  # fmt: skip
SEARCHING = ("index", "count", "remove")  # of a list
LOOPS = (ast.For, ast.While, ast.AsyncFor)
STEPS = "Write a fixed number of steps, and in each of them microgrid.where(condition, new, old)"
SORTED = "No sorting stays dynamic: compare two at a time, by microgrid.maximum and microgrid.minimum"
CHECKED = "Take it out, or check the numbers before the call"
MEMBER = "It compares data: write microgrid.lookup(table, index), or `any(x is y for y in xs)` for the same Value"
_parsing = threading.Lock()  # Python 3.11 loses count of the depth where two threads parse at once: SystemError


class Span(NamedTuple):
    """Where an instruction comes from; the columns, in bytes, are -1 where they aren't known."""

    line: int
    end_line: int
    column: int = -1
    end_column: int = -1


@dataclass(frozen=True)
class Place:
    """Where a frame stands in its source."""

    file: str
    line: int
    function: str
    span: Span
    source: str  # of the whole file, or ""

    @classmethod
    def of(cls, frame: FrameType, lasti: int | None = None, line: int | None = None) -> "Place":
        """The place of a frame; of one that has ended on an error its traceback knows more."""
        code = frame.f_code
        at, line = frame.f_lasti if lasti is None else lasti, frame.f_lineno if line is None else line
        first, last, left, right = next(islice(code.co_positions(), at // 2, None), (None,) * 4)
        span = Span(line, line)
        if first is not None and last is not None and left is not None and right is not None:
            span = Span(first, last, left, right)
        source = "".join(linecache.getlines(code.co_filename, frame.f_globals))
        return cls(code.co_filename, span.line, code.co_name, span, source)

    @property
    def text(self) -> str:
        """The line, without its margins; "" where it isn't known."""
        lines = self.source.splitlines()
        text = lines[self.line - 1].strip() if 0 < self.line <= len(lines) else ""
        return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def statement_at(place: Place) -> tuple[str, str, str]:
    """Of a comparison: the line's text, the kind of statement, and a sentence that says what to write."""
    chain = _chain(place)
    return place.text, *(_decision(chain) if chain else ("other", _where()))


def item_at(place: Place) -> tuple[str, str, str]:
    """Of `table[x]`: the line's text, the item, and what to write in its place."""
    found = next((node for node in reversed(_chain(place)) if isinstance(node, ast.Subscript)), None)
    if found is None:
        return place.text, f"`{place.text}`" if place.text else "an item", "microgrid.lookup(table, index)"
    table, index = ast.unparse(found.value), ast.unparse(found.slice)
    return place.text, f"`{table}[{index}]`", f"microgrid.lookup({table}, {index})"


def _chain(place: Place) -> list[ast.AST]:
    """What the place stands in, from the statement to the smallest expression; nothing where it can't be read."""
    try:
        with _parsing:
            tree = ast.parse(place.source)
    except (SyntaxError, ValueError, RecursionError, MemoryError, SystemError):
        return []
    found = [node for node in ast.walk(tree) if hasattr(node, "lineno") and _holds(node, place.span)]
    if place.span.column < 0 and found:  # only the line is known: what compares in it
        inside = [node for node in ast.walk(found[-1]) if isinstance(node, (ast.Compare, ast.Call))]
        found += [node for node in inside if node is not found[-1]][:1]
    return found


def _holds(node: Any, span: Span) -> bool:
    if span.column < 0:
        return isinstance(node, ast.stmt) and node.lineno <= span.line <= (node.end_lineno or node.lineno)
    begins = (node.lineno, node.col_offset) <= (span.line, span.column)
    return begins and (span.end_line, span.end_column) <= (node.end_lineno, node.end_col_offset)


def _decision(chain: Sequence[ast.AST]) -> tuple[str, str]:
    """The kind of the statement that a comparison stands in, and what to write in its place."""
    comparison = chain[-1]
    if isinstance(comparison, (ast.If, ast.IfExp, ast.While, ast.Assert)):  # `if x:`, by Python 3.11
        return _decision([*chain, comparison.test])
    if isinstance(comparison, ast.Call):
        return _of_a_call(comparison)
    if isinstance(comparison, ast.Compare) and any([isinstance(op, (ast.In, ast.NotIn)) for op in comparison.ops]):
        return "in", MEMBER
    below = comparison
    for node in chain[-2::-1]:
        if isinstance(node, (ast.Lambda, ast.FunctionDef, ast.AsyncFunctionDef)):
            break
        if isinstance(node, ast.Assert):
            return "assert", CHECKED
        if isinstance(node, ast.IfExp) and node.test is below:
            return "if", _of_a_choice(comparison, node)
        if isinstance(node, ast.While) and node.test is below:
            return "while", STEPS
        if isinstance(node, ast.If) and node.test is below:
            return ("while", STEPS) if _ends_a_loop(node, chain) else ("if", _of_a_choice(comparison, node))
        if isinstance(node, ast.Match):
            return "if", _lookup(node.subject)
        if any([below in part.ifs for part in getattr(node, "generators", ())]):
            return "if", _of_a_choice(comparison, node)
        below = node
    return "other", _of_a_number(comparison)


def _of_a_call(call: ast.Call) -> tuple[str, str]:
    """Of what compares in Python's own code, or in another's."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if name in IN_PAIRS:
        a_and_b = ", ".join(map(ast.unparse, call.args)) if len(call.args) == 2 else "a, b"
        rest = "" if len(call.args) == 2 else ", two at a time,"
        return name, f"Write microgrid.{IN_PAIRS[name]}({a_and_b}){rest} in its place"
    if name in SORTING:
        return "sorted", SORTED
    if name in SEARCHING:
        return "in", MEMBER
    return "other", f"{ast.unparse(call.func)} compares inside, once: give it plain numbers there"


def _of_a_choice(comparison: ast.AST, choice: ast.AST) -> str:
    """Of an `if` or a ternary: `where`, with its own branches where they can be named."""
    if getattr(choice, "test", comparison) is not comparison:  # one of several conditions
        return _where()
    if _by_whole_number(comparison):
        return _lookup(_changing(comparison))
    condition, turned = _condition(comparison)
    branches = ("a", "b")
    if isinstance(choice, ast.IfExp):
        branches = (ast.unparse(choice.body), ast.unparse(choice.orelse))
    elif {"a", "b"} & {node.id for node in ast.walk(comparison) if isinstance(node, ast.Name)}:
        branches = ("yes", "no")
    return _where(condition, *(branches[::-1] if turned else branches))


def _of_a_number(comparison: ast.AST) -> str:
    """Of a comparison that is used as a number, or handed on."""
    if _by_whole_number(comparison):
        return _lookup(_changing(comparison))
    condition, turned = _condition(comparison)
    if condition == "condition" or turned:
        return _where(condition, *("01" if turned else "10"))
    return f"Write microgrid.step({condition}) in its place: 1 or 0"


def _condition(comparison: ast.AST) -> tuple[str, bool]:
    """What is above 0 where it holds, or, turned, where it doesn't."""
    if not isinstance(comparison, ast.Compare) or len(comparison.ops) > 1:
        return "condition", False
    op, left, right = comparison.ops[0], comparison.left, comparison.comparators[0]
    if isinstance(op, (ast.Eq, ast.NotEq)):
        return f"abs({_difference(left, right)})", isinstance(op, ast.Eq)
    if isinstance(op, (ast.Lt, ast.GtE)):  # a >= b where b > a does not hold
        left, right = right, left
    return _difference(left, right), isinstance(op, (ast.LtE, ast.GtE))


def _difference(a: ast.expr, b: ast.expr) -> str:
    if isinstance(b, ast.Constant) and b.value == 0:
        return ast.unparse(a)
    if isinstance(a, ast.Constant) and a.value == 0:
        return ast.unparse(ast.UnaryOp(ast.USub(), b))
    return ast.unparse(ast.BinOp(a, ast.Sub(), b))


def _by_whole_number(comparison: ast.AST) -> bool:
    """Whether it is `x == 2`, as of a class or a token."""
    if not isinstance(comparison, ast.Compare) or not isinstance(comparison.ops[0], (ast.Eq, ast.NotEq)):
        return False
    sides = (comparison.left, comparison.comparators[0])
    return len(comparison.ops) == 1 and any([isinstance(x, ast.Constant) and type(x.value) is int for x in sides])


def _changing(comparison: Any) -> ast.expr:
    return comparison.comparators[0] if isinstance(comparison.left, ast.Constant) else comparison.left


def _lookup(index: ast.expr) -> str:
    return f"Write microgrid.lookup(table, {ast.unparse(index)}) in its place"


def _where(condition: str = "condition", a: str = "a", b: str = "b") -> str:
    return f"Write microgrid.where({condition}, {a}, {b}) in its place"


def _ends_a_loop(choice: ast.If, chain: Sequence[ast.AST]) -> bool:
    """Whether it decides how often a loop goes round, by a break or a return in it."""
    functions = [i for i, node in enumerate(chain) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    inside = chain[max(functions, default=0) : chain.index(choice)]
    if not any([isinstance(node, LOOPS) for node in inside]):
        return False
    return any([isinstance(node, (ast.Break, ast.Return)) for node in ast.walk(choice)])
