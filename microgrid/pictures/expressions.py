"""An expression given as text, as a graph: arithmetic and the known functions, and nothing else.

The text is read by Python's parser and never run: each piece of it is looked at here, and what is
not arithmetic, a name, or a call of a function of ours is refused by name.

>>> found = parse("n = a*b + c; n.tanh()", {"a": 2, "b": -3, "c": 10})
>>> round(found.root.data, 4), sorted(found.names)
(0.9993, ['a', 'b', 'c', 'n'])
"""

import ast
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..engine import Value
from . import slips
from .arithmetic import CONSTANTS, FUNCTIONS, METHODS, Arithmetic, BadExpression, dotted, line_of, name_of

LONGEST = 100_000  # characters
SKIPPED = {
    "print", "display", "draw", "draw_dot", "steps", "explain", "formula", "orders", "save", "backward", "zero_grad",
}  # fmt: skip
IMPORTED = "nothing can be imported but microgrid, and math and numpy for their pi and e"


@dataclass
class Parsed:
    """What `parse` returns."""

    root: Value
    names: dict[str, Value]  # of the variables and of what the text gives a name to
    skipped: list[str] = field(default_factory=list)  # statements that show or run, as `L.backward()`


def parse(text: str, variables: Mapping[str, float] | None = None) -> Parsed:
    """The graph of an expression.

    Arguments: text, an expression, or several of the form `name = expression`, one a line or
    with semicolons between, of which the last is the root; variables, the numbers that the names
    in it stand for, in place of those that the text gives.
    Returns a `Parsed`: `root`, `names`, and what was `skipped`.
    Raises BadExpression, a ValueError with one sentence, for whatever is no arithmetic.
    """
    if len(text) > LONGEST:
        raise BadExpression(f"an expression of {len(text)} characters is too long (the most is {LONGEST})")
    text = text if "\n" in text.strip() else text.strip()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            body = ast.parse(text).body
        return _Statements(text, {name: float(x) for name, x in (variables or {}).items()}).read(body)
    except SyntaxError as error:
        line = error.text or ""
        digits = "a number of thousands of digits is too long" if "integer string conversion" in error.msg else ""
        hint = slips.in_text(line, error.offset, FUNCTIONS) or digits or error.msg
        said = f"{line.strip()[:60]!r} is" if line.strip() else "this is"
        raise BadExpression(f"{line_of(text, error.lineno)}{said} no expression: {hint}") from None
    except (RecursionError, MemoryError):
        raise BadExpression("this is nested too deeply; give its parts names, as in n = a*b; L = n + c") from None
    except BadExpression:
        raise
    except ValueError as error:  # of ast.parse, about a null character
        raise BadExpression(f"this is no expression: {error}") from None


class _Statements(Arithmetic):
    """The statements of one text."""

    def __init__(self, text: str, given: dict[str, float]) -> None:
        super().__init__(text, given)
        self.skipped: list[str] = []

    def read(self, body: list[ast.stmt]) -> Parsed:
        body = [line for statement in body for line in _lines_of(statement)]
        self.wanted = self.without_value(body)
        last: Any = None
        for statement in body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                self.imported(statement)
            elif isinstance(statement, (ast.Assign, ast.AnnAssign)) and statement.value:
                last = self.assigned(statement, last)
            elif isinstance(statement, (ast.Pass, ast.Assert)):
                self.skipped += [self.source(statement)] * isinstance(statement, ast.Assert)
            elif isinstance(statement, ast.AugAssign) and isinstance(statement.target, ast.Attribute):
                raise self.refusal(statement, f"{self.said(statement)} is refused: one forward and one backward pass "
                                              "are read, and no training; take the line out")  # fmt: skip
            elif not isinstance(statement, ast.Expr):
                raise self.refusal(statement)
            elif not self.skips(statement):
                last = self.value(statement.value)
        if self.unused:
            name = min(self.unused)
            others = sorted({n for n in self.values if isinstance(self.values[n], Value)})
            raise BadExpression(f"there is no {name} in it, so what is {name}={self.given[name]:g} for? It has "
                                f"{', '.join(others) or 'no names'}")  # fmt: skip
        if isinstance(last, list):
            decimal = ", or for a decimal point write a dot, as in 1.5" if re.search(r"\d,\d", self.text) else ""
            raise BadExpression(f"the result is a list of {len(last)}; take one of them, as in ...[0]{decimal}")
        if not isinstance(last, Value):
            what = "there is no expression here" if last is None else f"{last:g} is a plain number"
            raise BadExpression(f'{what}; write an expression with names, as in "a*b" a=2 b=-3')
        names: dict[Value, str] = {}  # a Value with two names has the first
        for name, found in self.values.items():
            items = {f"{name}[{i}]": x for i, x in enumerate(found)} if isinstance(found, list) else {name: found}
            for key, x in items.items():
                if isinstance(x, Value):
                    names.setdefault(x, key)
        return Parsed(last, {name: x for x, name in names.items()}, self.skipped)

    def called(self, node: ast.Call) -> tuple[str, list[ast.expr]]:
        """As of all arithmetic; but first it is looked at what is called, which may be refused itself."""
        called = node.func
        if isinstance(called, ast.Attribute):
            if called.attr not in METHODS and not dotted(called.value):
                self.value(called.value)
        elif not isinstance(called, ast.Name) and isinstance(self.value(called), list):
            raise self.refusal(node, f"{self.said(called)} is a list, which can't be called")
        elif isinstance(called, ast.BinOp):
            factor = self.source(called) if len(self.source(called)) <= 40 else "..."
            raise self.refusal(node, f"{self.said(called)} can't be called: write ({factor})*(...) for a product")
        return super().called(node)

    def tried(self, node: ast.AST, function: Callable, *operands: Any, **options: Any) -> Any:
        try:
            return super().tried(node, function, *operands, **options)
        except BadExpression as error:
            raise BadExpression(slips.in_figures(str(error))) from None

    def without_value(self, body: list[ast.stmt]) -> list[str]:
        """The names of numbers that the text doesn't give, so that a message has all of them."""
        lines = [line for line in body if isinstance(line, (ast.Assign, ast.Expr)) and not self.is_shown(line.value)]
        nodes = [node for line in lines for node in ast.walk(line)]
        inside = {id(node.value) for node in nodes if isinstance(node, ast.Attribute)}
        inside |= {id(node.func) for node in nodes if isinstance(node, ast.Call)}
        names = [node for node in nodes if isinstance(node, ast.Name) and id(node) not in inside]
        has = {name.id for name in names if isinstance(name.ctx, ast.Store)} | self.given.keys()
        has |= {"Value", *FUNCTIONS, *CONSTANTS}
        return sorted({name.id for name in names} - has)

    def imported(self, statement: ast.Import | ast.ImportFrom) -> None:
        source = getattr(statement, "module", "") or ""
        for alias in statement.names:
            module, name = (source or alias.name).split(".")[0], alias.asname or alias.name
            if isinstance(statement, ast.Import) and module in ("microgrid", "math", "numpy"):
                (self.modules if module == "microgrid" else self.constants).add(name)
                continue
            ours = module == "microgrid" or (module in ("math", "numpy") and alias.name in CONSTANTS)
            if isinstance(statement, ast.ImportFrom) and not statement.level and module == "__future__":
                continue
            if not source or statement.level or not ours or alias.asname:  # type: ignore[union-attr]
                better = alias.name in (*FUNCTIONS, "Value") and source
                hint = f"write from microgrid import {alias.name}" if better else IMPORTED
                raise self.refusal(statement, f"{self.said(statement)} is refused: {hint}")

    def skips(self, statement: ast.Expr) -> bool:
        """Statements that show or run something: their arguments are not even looked at."""
        if isinstance(statement.value, ast.Constant) and isinstance(statement.value.value, str):  # a docstring
            return True
        if not self.is_shown(statement.value):
            return False
        self.skipped.append(self.source(statement))
        return True

    def is_shown(self, call: Any) -> bool:
        """Whether it is a call such as mg.draw(L).save(...), or a picture that has a name, or a call of its methods."""
        called = isinstance(call, ast.Call)
        while isinstance(call, (ast.Call, ast.Attribute)):
            name = call.attr if isinstance(call, ast.Attribute) else name_of(call.func)
            if name in SKIPPED and called:
                return True
            call = call.value if isinstance(call, ast.Attribute) else call.func
        return name_of(call) in self.shown

    def assigned(self, statement: ast.Assign | ast.AnnAssign, last: Any) -> Any:
        """What the statement gives a name to; for labels, pictures and grads set to 0, what was there before."""
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        if self.is_shown(statement.value):
            self.shown |= {name_of(target) for target in targets}
            self.skipped.append(self.source(statement))
            return last
        if len(targets) == 1 and isinstance(targets[0], ast.Attribute) and isinstance(statement.value, ast.Constant):
            owner, constant = self.values.get(name_of(targets[0].value)), statement.value.value
            if isinstance(owner, Value) and targets[0].attr == "grad" and constant == 0:
                return last
            if isinstance(owner, Value) and targets[0].attr == "label" and isinstance(constant, str):
                owner.label = constant
                return last
        return self.named_all(statement, targets)

    def named_all(self, statement: ast.Assign | ast.AnnAssign, targets: list) -> Any:
        found = self.value(statement.value)  # type: ignore[arg-type]
        last: Any = None
        for target in targets:
            names, results = [target], [found]
            if isinstance(target, (ast.Tuple, ast.List)):
                names, results = list(target.elts), found
                if not isinstance(found, list):
                    raise self.refusal(statement, "several names need as many expressions: a, b = 1, 2")
                if len(names) != len(found):
                    raise self.refusal(statement, f"{len(names)} names for {len(found)} expressions")
            for name, result in zip(names, results):
                if not isinstance(name, ast.Name):
                    raise self.refusal(name, f"{ast.unparse(name)!r} can't be given a value; a name can, as in n = a*b")
                last = self.named(name, result)
        return last

    def named(self, name: ast.Name, found: Any) -> Any:
        if name.id in self.given:
            known = any([found is value for value in self.values.values()])
            if isinstance(found, list) or (isinstance(found, Value) and (found.parents or known)):
                said = f"{name.id}={self.given[name.id]:g} can't replace it"
                raise self.refusal(name, f"{name.id} is computed here, so {said}")
            label = found.label if isinstance(found, Value) else ""
            found = self.variable(name)
            found.label = found.label or label
        self.shown.discard(name.id)
        self.values[name.id] = found if isinstance(found, (Value, list)) else Value(self.tried(name, float, found))
        return self.values[name.id]


def _lines_of(statement: ast.stmt) -> list[ast.stmt]:
    """The statement; of `if __name__ == "__main__":` what is in it."""
    if isinstance(statement, ast.If) and isinstance(statement.test, ast.Compare) and not statement.orelse:
        test = statement.test
        if name_of(test.left) == "__name__" and ast.dump(test.comparators[0]) == "Constant(value='__main__')":
            return statement.body
    return [statement]
