"""The text of an engine: which line a finding is about."""

import ast
import linecache
from functools import cached_property

from .face import BACKWARD, DATA, FUNCTIONS, GRAD, OPERATORS, parsed
from .patterns import Function, calls, matching

REFLECTED = {"2 - a": "__rsub__", "2 / a": "__rtruediv__", "2 + a": "__radd__", "sum(": "__radd__", "2 * a": "__rmul__"}
FREE = {
    "+": ("add",), "-": ("sub", "subtract"), "*": ("mul", "multiply"), "/": ("div", "truediv", "divide"),
    "**": ("power", "pow"), "neg": ("neg", "negate"), "abs": ("abs", "absolute"),
}  # fmt: skip


class Source:
    """The file that an engine is written in, "" where it can't be read.

    Arguments: path, of the file, or a notebook's name of a cell; kind, the name of its class.
    """

    def __init__(self, path: str, kind: str) -> None:
        self.path = path
        self.kind = kind
        linecache.checkcache(path)  # the file may have been mended since
        self.lines = linecache.getlines(path) if path else []
        self.tree = parsed("".join(self.lines))

    def text(self, line: int) -> str:
        text = self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""
        return "".join([sign if sign.isprintable() else "?" for sign in text[:200]])

    @cached_property
    def _given(self) -> dict[str, int]:
        """The lines of methods that are given by assignment: `__rsub__ = __sub__`."""
        return {
            target.id: node.lineno for kind in ast.walk(self.tree) if isinstance(kind, ast.ClassDef)
            for node in kind.body if isinstance(node, ast.Assign)
            for target in node.targets if isinstance(target, ast.Name)
        }  # fmt: skip

    @cached_property
    def _free(self) -> dict[str, Function]:
        return {node.name: node for node in self.tree.body if isinstance(node, Function)}

    @cached_property
    def _methods(self) -> dict[str, Function]:
        classes = [node for node in ast.walk(self.tree) if isinstance(node, ast.ClassDef)]
        named = [node for node in classes if node.name == self.kind] or classes
        found: dict[str, Function] = {}
        for node in [node for kind in named for node in ast.walk(kind) if isinstance(node, Function)]:
            found.setdefault(node.name, node)  # a method before a function inside one
        return found

    def function(self, *names: str) -> Function | None:
        """The method or free function of one of these names, and where it only hands on to a function: that one."""
        for name in names:
            found = self._methods.get(name) or self._free.get(name)
            if found is None:
                continue
            further = _handed_to(found)
            if further and further not in ("Value", self.kind, name):
                return self._free.get(further) or self._methods.get(further) or found
            return found
        return None

    def of(self, operation: str) -> Function | None:
        names = [OPERATORS[operation]] if operation in OPERATORS else []
        return self.function(*names, *FREE.get(operation, ()), *FUNCTIONS.get(operation, ()))

    def built_of(self, operation: str) -> set[str]:
        """The operations that this one is composed of: {"+", "neg"} for `return self + (-other)`."""
        names = ([OPERATORS[operation]] if operation in OPERATORS else []) + [*FUNCTIONS.get(operation, ())]
        found = next((self._methods.get(name) or self._free.get(name) for name in names
                      if name in self._methods or name in self._free), None)  # fmt: skip
        last = found.body[-1] if found is not None and found.body else None
        if found is None or not isinstance(last, ast.Return):
            return set()
        used: set[str] = set()
        if not isinstance(last.value, ast.BinOp | ast.UnaryOp):
            called = last.value.func if isinstance(last.value, ast.Call) else None
            name = getattr(called, "id", "") or getattr(called, "attr", "")
            used = {sign for sign, names in (FREE | FUNCTIONS).items() if name in names}
            if isinstance(last.value, ast.Name):  # `return out`, with out composed above
                made = [n for n in ast.walk(found) if isinstance(n, ast.Assign) and _names(n.targets[0], last.value.id)]
                if not made or not isinstance(made[0].value, ast.BinOp | ast.UnaryOp):
                    return used - {operation}
            else:
                return used - {operation}
        for node in ast.walk(found):
            if isinstance(node, ast.BinOp | ast.UnaryOp) and not _of_numbers(node):
                used |= {_SIGNS[type(node.op)]} if type(node.op) in _SIGNS else set()
        return used - {operation}

    @property
    def backward(self) -> Function | None:
        return self.function(*BACKWARD)

    def keeps_an_order(self) -> bool:
        """Whether backward, or what it calls, appends nodes to a list or gathers them in another way."""
        return any([
            isinstance(node, ast.Attribute) and node.attr in ("append", "insert", "appendleft", "extend")
            for function in self._swept() for node in ast.walk(function)
        ])  # fmt: skip

    def hands_down(self) -> bool:
        """Whether backward calls itself with more than the node: with the increment that is passed down a path."""
        for function in self._swept():
            for node in calls(function, {inner.name for inner in self._swept()}):
                method = isinstance(node.func, ast.Attribute)
                if len(node.args) + len(node.keywords) >= (1 if method else 2):
                    return True
        return False

    def has_sets(self) -> bool:
        """Whether a set of something is made in it."""
        functions = [*self._methods.values(), *self._free.values()]
        return any([True for f in functions for _ in matching("parents-in-a-set", f)])

    def circles(self) -> tuple[list[int], list[int]]:
        """The lines of inner functions that hold themselves: by `out`, where `out._backward` is it; by their name."""
        capturing, recursive = [], []
        for outer in [*self._methods.values(), *self._free.values()]:
            inner = {node.name: node for node in ast.walk(outer) if isinstance(node, Function) and node is not outer}
            for name, function in inner.items():
                loaded = _loaded(function)
                given = {arg.arg for arg in function.args.args}
                holders = {
                    target.value.id
                    for node in ast.walk(outer) if isinstance(node, ast.Assign) and name in _loaded(node.value)
                    for target in node.targets
                    if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
                }  # fmt: skip
                if holders & (loaded - given):
                    capturing.append(function.lineno)
                elif name in loaded:
                    recursive.append(function.lineno)
        return sorted(capturing), sorted(recursive)

    def _swept(self) -> list[Function]:
        """backward, the functions in it, and those of the file that it calls."""
        if self.backward is None:
            return []
        names = {node.func.id for node in ast.walk(self.backward)
                 if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)}  # fmt: skip
        names |= {node.func.attr for node in ast.walk(self.backward)
                  if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)}  # fmt: skip
        others = [f for name, f in (self._free | self._methods).items() if name in names and name != "_backward"]
        inner = [node for node in ast.walk(self.backward) if isinstance(node, Function)]
        return [*dict.fromkeys([self.backward, *inner, *others])]

    def line_of(self, code: str, operation: str, example: str, off: str = "") -> int:
        """The line to look at, 0 where the text does not tell; off, the operand that gets something wrong."""
        operations = operation.split(", ")
        method = ""
        if code in ("reflected-minus", "reflected-divide", "constants", "constants-value"):
            method = next((name for form, name in REFLECTED.items() if form in example), "")
            function = self._methods.get(method)
            if function is None and method not in self._given:
                function = self.of(operations[0])
        elif code == "in-place-add":
            function = self.function("__iadd__")
        elif operations[0] == "backward":
            function = self.backward
        else:
            function = self.of(operations[0])
        if function is None and code not in ("cycle", "grad-at-start", "constructor", "shared"):
            return self._given.get(method, 0) if code.startswith("reflected") else 0
        places = [function] if function is not None else []
        if code in ("visited-unused", "no-order", "fires-early", "duplicates", "once-per-path", "recursion"):
            places = self._swept()[::-1] or places
        if code == "cycle":
            return next(iter([*self.circles()[0], *self.circles()[1]]), 0)
        if code == "parents-in-a-set":
            places = [*places, *self._methods.values(), *self._free.values()]
        if code == "overwrites" and self.backward is not None:
            places = [*places, self.backward]
        if code in ("unexplained", "history"):
            return 0  # any line of it
        if operation == "__init__":
            return function.lineno if (function := self.function("__init__")) is not None else 0
        if code in ("slope", "one-operand") and off == "b" and function is not None:
            second = [n for n in matching(code, function) if not self.text(n).startswith("self.")]
            if second:
                return min(second)
        for place in places:
            found = min(matching(code, place), default=0)
            if found:
                return found
        return _made(function) if function is not None else 0


_SIGNS: dict[type, str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**", ast.USub: "neg",
}  # fmt: skip


def _loaded(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _names(target: ast.AST, name: str) -> bool:
    return isinstance(target, ast.Name) and target.id == name


def _of_numbers(node: ast.AST) -> bool:
    """Whether it is arithmetic on the numbers inside, or on plain ones, and not on values."""
    parts = [*ast.walk(node)]
    numbers = any([isinstance(part, ast.Attribute) and part.attr in (*DATA, *GRAD) for part in parts])
    return numbers or not any([isinstance(part, ast.Name) for part in parts])


def _handed_to(function: Function) -> str:
    """The function that this one only hands its arguments to: "mul" for `return mul(self, other)`."""
    last = function.body[-1]
    if not isinstance(last, ast.Return) or not isinstance(last.value, ast.Call):
        return ""
    simple = all([isinstance(part, ast.Name | ast.Constant) for part in last.value.args])
    called = last.value.func
    return (getattr(called, "id", "") or getattr(called, "attr", "")) if simple and len(function.body) <= 2 else ""


def _made(function: Function) -> int:
    """The line in which a result is made, of a function that only makes one; else its first."""
    last = function.body[-1]
    return last.lineno if isinstance(last, ast.Return) and isinstance(last.value, ast.Call) else function.lineno
