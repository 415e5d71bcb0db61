"""One expression of Python's syntax tree, evaluated: arithmetic and the known functions, nothing else.

Nothing of it is run by Python: what is not listed here is refused by its name.
"""

import ast
import math
import operator
from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

from .. import functions
from ..engine import Value, number, power

MOST_BITS = 10_000  # of a power of whole numbers
WHOLE = 2**53  # beyond, a whole number is taken as a float: 10**10**10 has too many digits
FUNCTIONS: dict[str, Callable] = {"abs": abs, "sum": sum}
FUNCTIONS |= {name: getattr(functions, name) for name in functions.__all__}
METHODS = {name for name in FUNCTIONS if hasattr(Value, name)}
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
CONSTANTS = {"pi": math.pi, "e": math.e}
HAS = "an expression has numbers, names, + - * / **, and functions such as tanh(x)"
REFUSED = {
    ast.IfExp: "a choice with if: write where(x, a, b), which is a where x > 0, else b",
    ast.Compare: "a comparison: write step(a - b), which is 1 where a > b, else 0",
    ast.BitXor: "^: write ** for a power", ast.JoinedStr: "a text", ast.Lambda: "lambda",
    ast.ListComp: "a comprehension", ast.SetComp: "a comprehension", ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension", ast.BoolOp: "and/or", ast.Not: "not", ast.FloorDiv: "//", ast.Mod: "%",
    ast.MatMult: "@: write dot(a, b)", ast.FunctionDef: "def", ast.ClassDef: "class", ast.For: "a loop",
    ast.While: "a loop", ast.If: "if: write where(x, a, b), which is a where x > 0, else b", ast.NamedExpr: ":=",
    ast.Starred: "*", ast.Dict: "a dictionary", ast.Set: "a set", ast.AugAssign: "+= and its like: write x2 = x + 1",
    ast.Slice: "a slice: write the index, as in x[0]",
}  # fmt: skip


MEANT = {"min": "minimum", "max": "maximum", "ln": "log", "tahn": "tanh", "thanh": "tanh", "fabs": "abs"}


class BadExpression(ValueError):
    """What is wrong with an expression: one sentence that says what to write instead."""


class Arithmetic:
    """Expressions of one text, and what its names stand for so far."""

    def __init__(self, text: str, given: dict[str, float]) -> None:
        self.text = text
        self.given = given  # from outside
        self.unused = set(given)
        self.values: dict[str, Any] = {}
        self.modules: set[str] = set()  # the names that microgrid was imported by

    def value(self, node: ast.expr) -> Any:
        """The number, Value or list that an expression is."""
        if isinstance(node, ast.Constant) and type(node.value) in (int, float):
            whole = isinstance(node.value, int) and abs(node.value) <= WHOLE
            return node.value if whole else self.tried(node, float, node.value)
        if isinstance(node, ast.Name):
            return self.variable(node)
        if isinstance(node, (ast.List, ast.Tuple)):
            return [self.value(item) for item in node.elts]
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, (ast.USub, ast.UAdd)):
            operand = self.scalar(node.operand)
            return -operand if isinstance(node.op, ast.USub) else operand
        if isinstance(node, ast.BinOp):
            return self.arithmetic(node)
        if isinstance(node, ast.Call):
            return self.call(node)
        if isinstance(node, ast.Subscript):
            return self.item(node)
        if isinstance(node, ast.Attribute):
            raise self.refusal(node, f"{ast.unparse(node)[-40:]!r} is refused: there is no .{node.attr} here")
        raise self.refusal(getattr(node, "op", node) if isinstance(node, ast.UnaryOp) else node, at=node)

    def variable(self, node: ast.Name) -> Any:
        name = node.id
        if name in self.values:
            return self.values[name]
        if name in self.given:
            self.unused.discard(name)
            self.values[name] = Value(self.given[name])
            return self.values[name]
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in FUNCTIONS or name == "Value":
            raise self.refusal(node, f"{name} is a function: write {name}(x)")
        raise self.refusal(node, f"there is no value for {name}: write {name}=10 after the expression")

    def arithmetic(self, node: ast.BinOp) -> Any:
        chain: list[ast.BinOp] = []  # a sum of a thousand terms is nested a thousand deep, to the left
        left: ast.expr = node
        while isinstance(left, ast.BinOp):
            chain.append(left)
            left = left.left
        total = self.scalar(left)
        for step in reversed(chain):
            right = self.scalar(step.right)
            if isinstance(step.op, ast.Pow):
                total = self.power(step, total, right)
            elif type(step.op) in OPERATORS:
                total = self.tried(step, OPERATORS[type(step.op)], total, right)
            else:
                raise self.refusal(step.op, at=step)
        return total

    def power(self, node: ast.BinOp, base: Any, exponent: Any) -> Any:
        if not isinstance(base, Value) and not isinstance(exponent, Value):
            return self.tried(node, power, float(base), float(exponent))
        a, b = number(base), number(exponent)
        if isinstance(a, int) and isinstance(b, int) and a.bit_length() * b > MOST_BITS:
            raise self.refusal(node, f"{self.said(node)} can't be computed: {a} ** {b} has too many digits")
        return self.tried(node, operator.pow, base, exponent)

    def scalar(self, node: ast.expr) -> Any:
        found = self.value(node)
        if isinstance(found, list):
            raise self.refusal(node, f"{self.said(node)} is a list; take one of it, as in x[0], or sum(x)")
        return found

    def item(self, node: ast.Subscript) -> Any:
        items, index = self.value(node.value), number(self.scalar(node.slice))
        if not isinstance(items, list) or index not in range(-len(items), len(items)):
            what = f"a list of {len(items)}" if isinstance(items, list) else "no list"
            raise self.refusal(node, f"{self.said(node)} is refused: {self.said(node.value)} is {what}")
        return items[int(index)]

    def call(self, node: ast.Call) -> Any:
        called, operands = node.func, [*node.args]
        if isinstance(called, ast.Attribute) and name_of(called.value) in self.modules:
            name = called.attr  # mg.tanh(x)
        elif isinstance(called, ast.Attribute):
            name = called.attr  # x.tanh()
            if name not in METHODS:
                raise self.refusal(node, f"there is no method .{name}(){_close(name, METHODS)}")
            operands = [called.value, *operands]
        elif isinstance(called, ast.Name):
            name = called.id
        else:
            raise self.refusal(node, f"{self.said(called)} can't be called; {HAS}")
        if name == "Value":
            return self.leaf(node)
        if name not in FUNCTIONS:
            raise self.refusal(node, f"there is no function {name}{_close(name, FUNCTIONS)}")
        if any([keyword.arg is None for keyword in node.keywords]):
            raise self.refusal(node, f"** in a call is refused: {HAS}")
        options = {str(keyword.arg): self.scalar(keyword.value) for keyword in node.keywords}
        return self.tried(node, FUNCTIONS[name], *[self.value(operand) for operand in operands], **options)

    def leaf(self, node: ast.Call) -> Value:
        label = [k.value for k in node.keywords if k.arg == "label" and isinstance(k.value, ast.Constant)]
        if len(node.args) != 1 or len(label) != len(node.keywords) or not all([type(c.value) is str for c in label]):
            raise self.refusal(node, f'{self.said(node)} is refused: write Value(2.0) or Value(2.0, label="a")')
        found = self.scalar(node.args[0])
        if isinstance(found, Value):
            raise self.refusal(
                node, f"{self.said(node)} is refused: Value() takes a number, and this is a Value already"
            )
        return Value(self.tried(node, float, found), label=str(label[0].value) if label else "")

    def tried(self, node: ast.AST, function: Callable, *operands: Any, **options: Any) -> Any:
        try:
            return function(*operands, **options)
        except (ArithmeticError, ValueError, TypeError, AttributeError) as error:
            raise self.refusal(
                node, f"{self.said(node)} can't be computed: {error.args[-1] if error.args else error}"
            ) from None

    def said(self, node: ast.AST) -> str:
        text = ast.get_source_segment(self.text, node) or ""
        return repr(text if len(text) <= 60 else text[:59] + "…")

    def refusal(self, node: ast.AST, sentence: str = "", at: Any = None) -> BadExpression:
        if not sentence:
            what = REFUSED.get(type(node), type(node).__name__)
            if isinstance(node, ast.Constant):
                what = "a text" if isinstance(node.value, (str, bytes)) else "no number"
            sentence = f"{self.said(at or node)} is refused, being {what}" + ("" if ": write" in what else f" ({HAS})")
        return BadExpression(line_of(self.text, getattr(at or node, "lineno", None)) + sentence)


def line_of(text: str, line: int | None) -> str:
    """Where a text of several lines has it."""
    return f"line {line}: " if line and "\n" in text else ""


def name_of(node: ast.AST) -> str:
    """The name that a node is, or nothing."""
    return node.id if isinstance(node, ast.Name) else ""


def _close(name: str, names: Any) -> str:
    if MEANT.get(name) in names:
        return f"; write {MEANT[name]}"
    close = get_close_matches(name, sorted(names), n=1)
    return f"; did you mean {close[0]}?" if close else f": there are {', '.join(sorted(names))}"
