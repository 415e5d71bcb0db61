"""How a column of a table becomes inputs of a net."""

from dataclasses import dataclass
from typing import Any, ClassVar

from .bad_input import BadInput, closest, listed
from .data import standardise
from .table import MISSING_CATEGORY, Table, is_number, is_too_large

MOST_CATEGORIES = 50  # each is an input of the net


@dataclass(frozen=True)
class NumberColumn:
    """A number, standardised: one input.  A missing one is the mean, so 0."""

    name: str
    mean: float
    deviation: float
    width: ClassVar[int] = 1

    def inputs(self, cell: float | None) -> list[float]:
        """The inputs for a cell.

        >>> NumberColumn("age", mean=40.0, deviation=10.0).inputs(50.0)
        [1.0]
        """
        return [0.0 if cell is None else (cell - self.mean) / self.deviation]


@dataclass(frozen=True)
class CategoryColumn:
    """One of several texts, one-hot: an input for each, 1 for the one that it is."""

    name: str
    categories: list[str]

    @property
    def width(self) -> int:
        """How many inputs it makes."""
        return len(self.categories)

    def inputs(self, cell: str | None) -> list[float]:
        """The inputs for a cell; all 0 for a missing one if none was missing in training.

        >>> CategoryColumn("size", ["L", "M", "S"]).inputs("M")
        [0.0, 1.0, 0.0]
        """
        text = MISSING_CATEGORY if cell is None else cell
        return [float(text == category) for category in self.categories]


Column = NumberColumn | CategoryColumn


def learn_column(table: Table, training: Table, name: str) -> Column:
    """What a net has to know of a column: means from the training rows, categories from all.

    Arguments: the table; training, its rows to learn from; name of the column.
    Returns a NumberColumn or a CategoryColumn.
    Raises BadInput for a column of names or the like, where nearly each row has its own.
    """
    if table.kinds[name] == "number":
        return NumberColumn(name, *mean_and_deviation(training, name))
    categories = sorted({MISSING_CATEGORY if cell is None else cell for cell in table.columns[name]})
    refuse_too_many(table, name, categories, f"leave the column out with --drop {quoted(name)}")
    return CategoryColumn(name, categories)


def mean_and_deviation(table: Table, name: str) -> tuple[float, float]:
    """The mean and the standard deviation of the numbers of a column."""
    present = [[cell] for cell in table.columns[name] if cell is not None] or [[0.0]]
    _, [mean], [deviation] = standardise(present)
    return mean, deviation


def refuse_too_many(table: Table, name: str, values: list[str], advice: str) -> None:
    """Raise BadInput with the advice where the values are too many to be categories."""
    n = len(table.lines)
    if len(values) > MOST_CATEGORIES or 10 < len(values) > 0.8 * n:
        raise BadInput(f"{table.path}, column {name!r} has {len(values)} different values in {n} rows; {advice}")


def parsed(table: Table, column: Column) -> list[Any]:
    """The cells of a table of texts as the column needs them: floats or known categories.

    Raises BadInput for text in a column of numbers, and for a category unseen in training.
    """
    cells = table.columns[column.name]
    for row, cell in enumerate(cells):
        if cell is None:
            continue
        if isinstance(column, NumberColumn) and not is_number(cell):
            wrong = "is too large" if is_too_large(cell) else "is not a number"
            raise BadInput(f"{table.cell(row, column.name)}: {cell!r} {wrong}; correct it")
        if isinstance(column, CategoryColumn) and cell not in column.categories:
            question = closest(cell, column.categories)
            raise BadInput(
                f"{table.cell(row, column.name)}: {cell!r} was not seen in training{question}; "
                f"it knew {listed(column.categories)}"
            )
    return [float(cell) if isinstance(column, NumberColumn) and cell is not None else cell for cell in cells]


def quoted(name: str) -> str:
    """The name as a shell takes it.

    >>> quoted("age"), quoted("passenger id")
    ('age', '"passenger id"')
    """
    return name if name.replace("_", "").isalnum() else f'"{name}"'
