"""One expression of Python's syntax tree, evaluated: arithmetic and the known functions, nothing else.

Nothing of it is run by Python: what is not listed here is refused by its name.
"""

import ast
import math
import operator
import re
from collections.abc import Callable
from typing import Any

from .. import functions
from ..engine import Value, number, power
from . import slips

MOST_LISTED = 100_000  # numbers in lists, each as often as a function is given it
MOST_NAMED = 8  # in a message
WHOLE = 2**53  # beyond, a whole number is taken as a float: 10**10**10 has too many digits
FUNCTIONS: dict[str, Callable] = {"abs": abs, "sum": sum}
FUNCTIONS |= {name: getattr(functions, name) for name in functions.__all__}
METHODS = {name for name in FUNCTIONS if hasattr(Value, name)}
OF_LISTS = ("sum", "softmax", "log_softmax", "logsumexp", "lookup", "dot")
MODULES = ("math", "numpy", "np", "cmath", "torch", "F", "tf", "jnp", "jax", "sympy", "sp", "scipy")
OPERATORS = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}
CONSTANTS = {"pi": math.pi, "e": math.e}
HAS = "an expression has numbers, names, + - * / **, and functions such as tanh(x)"
REFUSED = {
    ast.IfExp: "a choice with if: write where(x, a, b), which is a where x > 0, else b",
    ast.Compare: "a comparison: write step(a - b), which is 1 where a > b, else 0",
    ast.BitXor: "^: write ** for a power", ast.JoinedStr: "a text", ast.Lambda: "lambda",
    ast.ListComp: "a comprehension", ast.SetComp: "a comprehension", ast.DictComp: "a comprehension",
    ast.GeneratorExp: "a comprehension", ast.BoolOp: "and/or", ast.Not: "not", ast.FloorDiv: "//", ast.Mod: "%",
    ast.MatMult: "@: write dot(a, b)", ast.FunctionDef: "def: write the lines in it without it",
    ast.ClassDef: "class", ast.For: "a loop", ast.While: "a loop", ast.With: "with: write the lines in it without it",
    ast.AsyncFunctionDef: "async", ast.AsyncFor: "async", ast.AsyncWith: "async", ast.Await: "await",
    ast.Try: "try", ast.Match: "match", ast.Delete: "del", ast.Raise: "raise", ast.Global: "global",
    ast.Nonlocal: "nonlocal", ast.Yield: "yield", ast.YieldFrom: "yield", ast.Invert: "~", ast.BitAnd: "&",
    ast.BitOr: "|", ast.LShift: "<<", ast.RShift: ">>", ast.Return: "return", ast.NamedExpr: ":=",
    ast.If: "if: write where(x, a, b), which is a where x > 0, else b", ast.AnnAssign: "a declaration: write a = 2",
    ast.Starred: "*", ast.Dict: "a dictionary", ast.Set: "a set", ast.AugAssign: "+= and its like: write x2 = x + 1",
    ast.Slice: "a slice: write the index, as in x[0]",
}  # fmt: skip


class BadExpression(ValueError):
    """What is wrong with an expression: one sentence that says what to write instead."""


class Arithmetic:
    """Expressions of one text, and what its names stand for so far."""

    def __init__(self, text: str, given: dict[str, float]) -> None:
        self.text = text
        self.given = given  # from outside
        self.unused = set(given)
        self.values: dict[str, Any] = {}
        self.lines = re.split(r"\r\n|\r|\n", text)
        self.modules = {"mg", "microgrid"}  # the names that microgrid was imported by
        self.constants: set[str] = set()  # and math and numpy, of which pi and e are taken
        self.shown: set[str] = set()  # names of pictures and steps, which no arithmetic can use
        self.wanted: list[str] = []  # names that the text uses and gives no value to
        self.listed = 0

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
            return self.attribute(node)
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
        if name in self.shown:
            raise self.refusal(node, f"{name} is a picture, or steps: no number to compute with")
        if meant := slips.of_name(name):
            raise self.refusal(node, f"there is no value for {name}: {meant}")
        missing = [name, *[other for other in self.wanted if other != name]][:MOST_NAMED]
        known = sorted({*self.values, *self.given})[:MOST_NAMED]
        raise self.refusal(
            node, f"there is no value for {', '.join(missing)}: write {' '.join([f'{name}=10' for name in missing])} "
            "after the expression" + (f"; known are {', '.join(known)}" if known else "")
        )  # fmt: skip

    def attribute(self, node: ast.Attribute) -> Any:
        owner, name = dotted(node.value), node.attr
        if name in CONSTANTS and owner in self.constants:
            return CONSTANTS[name]
        if owner and name in CONSTANTS and self.is_foreign(owner):
            raise self.refusal(node, f"{owner}.{name} is refused: write {name} without {owner}.")
        if owner and name in METHODS and not self.is_foreign(owner):
            raise self.refusal(node, f"{owner}.{name} is refused: write {owner}.{name}(), with parentheses")
        raise self.refusal(node, f"{self.said(node)} is refused: there is no .{name} here")

    def is_foreign(self, owner: str) -> bool:
        """Whether `owner.name` is of another package, as np.exp and torch.nn.functional.relu are."""
        first = owner.split(".")[0]
        return first not in self.values and first not in self.given and first in (*MODULES, *self.constants)

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
        name, operands = self.called(node)
        if name == "Value":
            return self.leaf(node)
        if name not in FUNCTIONS:
            raise self.refusal(node, f"there is no function {name}{slips.of_function(name, FUNCTIONS)}")
        if any([keyword.arg is None for keyword in node.keywords]):
            raise self.refusal(node, f"** in a call is refused: {HAS}")
        options = {str(keyword.arg): self.scalar(keyword.value) for keyword in node.keywords}
        lists = len(operands) if name == "dot" else 1 if name in OF_LISTS else 0
        found = [self.numbers(node, name, x) if k < lists else self.scalar(x) for k, x in enumerate(operands)]
        return self.tried(node, FUNCTIONS[name], *found, **options)

    def called(self, node: ast.Call) -> tuple[str, list[ast.expr]]:
        """The name of the function, and what it is called on."""
        called, operands = node.func, node.args
        if isinstance(called, ast.Name) and called.id not in self.values and called.id not in self.given:
            return called.id, operands
        if not isinstance(called, ast.Attribute):
            factor = self.source(called) if len(self.source(called)) <= 40 else "(...)"
            raise self.refusal(node, f"{self.said(called)} can't be called: write {factor}*(...) for a product")
        owner, name = dotted(called.value), called.attr
        first = owner.split(".")[0]
        if first in self.modules and first not in (*self.values, *self.given):
            return name, operands  # mg.tanh(x)
        unknown = first not in (*self.values, *self.given, *CONSTANTS)
        if owner and unknown and (operands or self.is_foreign(owner)):
            meant = name if name in FUNCTIONS else slips.MEANT.get(name.lower(), name.lower())
            hint = f"write {meant}(…) without {owner}." if meant in FUNCTIONS else (
                f"there is no {owner} here, nor a function {name}{slips.of_function(name, FUNCTIONS)}"
            )  # fmt: skip
            raise self.refusal(node, f"{owner}.{name} is refused: {hint}")
        if name not in METHODS:
            raise self.refusal(node, f"there is no method .{name}(){slips.of_function(name, METHODS)}")
        return name, [called.value, *operands]  # x.tanh()

    def numbers(self, node: ast.Call, name: str, operand: ast.expr) -> list:
        """The list that a function of lists is given."""
        found = self.value(operand)
        if not isinstance(found, list):
            inside = ", ".join([self.source(x) for x in node.args])
            write = {"dot": "dot([a, b], [c, d])", "lookup": "lookup([a, b], i)"}.get(
                name, f"{name}([{inside if len(inside) <= 40 else 'a, b'}])"
            )
            raise self.refusal(node, f"{self.said(node)} is refused: {name} takes a list, as in {write}")
        if any([isinstance(x, list) for x in found]):
            raise self.refusal(node, f"{self.said(node)} is refused: {self.said(operand)} has a list in it")
        self.listed += len(found)
        if self.listed > MOST_LISTED:
            raise self.refusal(node, f"{self.said(node)} is refused: over {MOST_LISTED} numbers in lists are too many")
        return found

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
            found = function(*operands, **options)
            if isinstance(found, Value) and type(found.data) is int:  # else squares of squares have no end of digits
                found.data = float(found.data)
            return float(found) if type(found) is int and abs(found) > WHOLE else found
        except (ArithmeticError, ValueError, TypeError, AttributeError) as error:
            raise self.refusal(
                node, f"{self.said(node)} can't be computed: {error.args[-1] if error.args else error}"
            ) from None

    def said(self, node: ast.AST) -> str:
        text = self.source(node)
        return repr(text if len(text) <= 60 else text[:59] + "…")

    def source(self, node: ast.AST) -> str:
        """What the text has there, of several lines the first."""
        first, last = getattr(node, "lineno", 0), getattr(node, "end_lineno", 0)
        if not first:
            return ""
        line = self.lines[first - 1].encode(errors="surrogatepass")
        part = line[node.col_offset : node.end_col_offset if first == last else None]  # type: ignore[attr-defined]
        return part.decode(errors="replace").rstrip() + ("" if first == last else " …")

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


def dotted(node: ast.AST) -> str:
    """`np` or `torch.nn.functional`, or nothing for what is no name."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join([node.id, *names[::-1]]) if isinstance(node, ast.Name) else ""
