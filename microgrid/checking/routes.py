"""`truth(f, inputs)`: each derivative by every route there is, in one table."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from ..compiler.tape import Tape, record
from ..pictures.formula import formula
from .inputs import in_columns, in_table, row_of
from .libraries import gradients
from .point import Function, Point

MOST = 20  # inputs for which formulas are looked for
FIGURES = 12  # digits in which routes are shown
WRAPPED = 'style="white-space: pre-wrap; overflow-wrap: anywhere"'  # a formula may have no space to break at


@dataclass(frozen=True)
class Truth:
    """Each derivative by every route; `print` shows a table, and so does a notebook.

    Attributes: value, of f; names, of the inputs; formulas, the derivatives as text, "" where there is none; routes,
    for each route its numbers, None where it has none.
    """

    value: float
    names: tuple[str, ...]
    formulas: tuple[str, ...]
    routes: dict[str, tuple[float | None, ...]]

    def __str__(self) -> str:
        said = [f"d/d{name} = {text}" for name, text in zip(self.names, self.formulas) if text]
        return "\n".join([*said, *([""] if said else []), *in_columns(self._cells())])

    def _repr_html_(self) -> str:
        said = "".join([
            f"<p>d/d{escape(name)} = <code {WRAPPED}>{escape(text)}</code></p>"
            for name, text in zip(self.names, self.formulas) if text
        ])  # fmt: skip
        return f"{said}{in_table(self._cells())}"

    def _cells(self) -> list[list[str]]:
        lines = [
            [f"d/d{name}", *[_digits(numbers[i]) for numbers in self.routes.values()]]
            for i, name in enumerate(self.names)
        ]
        return [["", *self.routes], *lines]


def truth(f: Function, inputs: Sequence[Any]) -> Truth:
    """The derivatives of f by its formula, the engine, central differences, dual numbers, and PyTorch and JAX if there.

    Arguments: f, a function of Values that returns one number; inputs, a list of its arguments, numbers or lists of
    them; whole numbers are not moved.
    Returns a `Truth`.
    Raises TypeError where f or inputs can't be such, ValueError where no number can be moved, and what f raises.
    Source: Griewank & Walther 2008, chapters 2 and 3; Nocedal & Wright 2006, section 8.1.

    >>> print(truth(lambda a, b: a * b + a, [2.0, -3.0]).routes["engine"])
    (-2.0, 2.0)
    """
    point = Point("truth", f, inputs)
    _root, _own = point.graph(point.numbers)
    try:
        tape: Tape | None = record(_root, _own)
    except ValueError:  # an operation that is not microgrid's: only the engine and differences know it
        tape = None
    names = tuple([point.names[i] for i in point.moving])
    formulas, by_formula = _formulas(_root, [_own[i] for i in point.moving])
    routes: dict[str, tuple[float | None, ...]] = {}
    if any(formulas):
        routes["formula"] = by_formula
    try:
        routes["engine"] = tuple(point.gradient(point.numbers))
    except (ArithmeticError, ValueError):  # none here: the square root at 0
        routes["engine"] = (None,) * len(names)
    rows = [row_of(point, i, slope) for i, slope in enumerate(routes["engine"])]
    routes["central differences"] = tuple([row.central.slope if row.central else None for row in rows])
    routes["dual numbers"] = tuple([row.dual for row in rows])
    for library, numbers in ({} if tape is None else gradients(tape, point.numbers, point.moving)).items():
        routes[library] = tuple(numbers)
    return Truth(point.value, names, formulas, routes)


def _formulas(
    _root: Any, _leaves: Sequence[Any]
) -> tuple[tuple[str, ...], tuple[float | None, ...]]:  # names that begin with _ are no names in a formula
    """The derivatives as text and their numbers; none without sympy, or for what has no short formula."""
    _texts, _numbers = [], list[float | None]()
    for _leaf in _leaves:
        try:
            if len(_leaves) > MOST:
                raise ValueError("nobody would read them")
            _one = formula(_root, _leaf)
            _numbers.append(float(_one.expression.subs(_one.values)))
            _texts.append(_one.text)
        except (ModuleNotFoundError, ValueError, TypeError, ArithmeticError):
            _texts.append("")
            _numbers.append(None)
    return tuple(_texts), tuple(_numbers)


def _digits(x: float | None) -> str:
    return "-" if x is None else f"{float(x):.{FIGURES}g}"
