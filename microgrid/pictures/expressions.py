"""An expression given as text, as a graph: arithmetic and the known functions, and nothing else.

The text is read by Python's parser and never run: each piece of it is looked at here, and what is
not arithmetic, a name, or a call of a function of ours is refused by name.

>>> found = parse("n = a*b + c; n.tanh()", {"a": 2, "b": -3, "c": 10})
>>> round(found.root.data, 4), sorted(found.names)
(0.9993, ['a', 'b', 'c', 'n'])
"""

import ast
import warnings
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..engine import Value
from .arithmetic import FUNCTIONS, Arithmetic, BadExpression, line_of, name_of

LONGEST = 100_000  # characters
SKIPPED = {"print", "display", "draw", "draw_dot", "steps", "explain", "formula", "save", "backward"}


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
        part = (error.text or "").strip()
        raise BadExpression(
            f"{line_of(text, error.lineno)}{part[:60]!r} is no expression: {error.msg}" if part else
            f"{line_of(text, error.lineno)}this is no expression: {error.msg}"
        ) from None  # fmt: skip
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
        last: Any = None
        for statement in body:
            if isinstance(statement, (ast.Import, ast.ImportFrom)):
                self.imported(statement)
            elif isinstance(statement, ast.Assign):
                last = self.assigned(statement)
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
            raise BadExpression(f"the result is a list of {len(last)}; take one of them, as in ...[0]")
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

    def imported(self, statement: ast.Import | ast.ImportFrom) -> None:
        for alias in statement.names:
            known = alias.name in (*FUNCTIONS, "Value") and alias.asname is None
            if isinstance(statement, ast.Import) and alias.name == "microgrid":
                self.modules.add(alias.asname or alias.name)
            elif not (isinstance(statement, ast.ImportFrom) and statement.module == "microgrid" and known):
                raise self.refusal(statement, f"{ast.unparse(statement)!r} is refused: nothing can be imported but "
                                              "Value and the functions of microgrid")  # fmt: skip

    def skips(self, statement: ast.Expr) -> bool:
        """Statements that show or run something: their arguments are not even looked at."""
        call: Any = statement.value
        if isinstance(call, ast.Constant) and isinstance(call.value, str):  # a docstring
            return True
        while isinstance(call, (ast.Call, ast.Attribute)):
            name = call.attr if isinstance(call, ast.Attribute) else name_of(call.func)
            if name in SKIPPED and isinstance(statement.value, ast.Call):
                self.skipped.append(ast.get_source_segment(self.text, statement) or name)
                return True
            call = call.value if isinstance(call, ast.Attribute) else call.func
        return False

    def assigned(self, statement: ast.Assign) -> Any:
        found = self.value(statement.value)
        last: Any = None
        for target in statement.targets:
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
        self.values[name.id] = found if isinstance(found, (Value, list)) else Value(self.tried(name, float, found))
        return self.values[name.id]
