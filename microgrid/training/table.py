"""Reading a table from a CSV file, with words for all that can be wrong with it."""

import csv
import io
import math
import os
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

from .bad_input import BadInput, closest, listed, read_text
from .data import standardise

MISSING = ("", "na", "n/a", "nan", "null", "none", "?")  # in any case
MISSING_CATEGORY = "(missing)"
LARGEST = 1e150  # of the numbers in a table or a model: its square is still finite


@dataclass(frozen=True)
class Table:
    """A CSV file by columns.

    path: where it came from.  names: the columns, in the file's order.  kinds: "number"
    or "category" for each name.  columns: for each name its cells, floats or texts, None
    where one is missing.  lines: the line of the file that each row begins at.
    """

    path: str
    names: list[str]
    kinds: dict[str, str]
    columns: dict[str, list[Any]]
    lines: list[int]

    def require(self, *names: str) -> None:
        """Raise BadInput if a name is no column."""
        for name in names:
            if name not in self.names:
                question = closest(name, self.names)
                raise BadInput(f"{self.path} has no column {name!r}{question}: its columns are {listed(self.names)}")

    def rows(self, chosen: Iterable[int]) -> "Table":
        """The table of the chosen rows, counted from 0."""
        chosen = list(chosen)
        columns = {name: [cells[i] for i in chosen] for name, cells in self.columns.items()}
        return Table(self.path, self.names, self.kinds, columns, [self.lines[i] for i in chosen])

    def cell(self, row: int, name: str) -> str:
        """Where a cell stands in the file, for a message."""
        return f"{self.path}, line {self.lines[row]}, column {name!r}"


def read_csv(
    path: str | os.PathLike[str], missing: str = "refuse", drop: Iterable[str] = (), mixed: Iterable[str] = ()
) -> Table:
    """A table from a CSV file, its columns found to be numbers or categories.

    The file is UTF-8 text (a byte order mark is passed over) with the columns' names in
    its first line and `,` or `;` or a tab between cells; blank lines are passed over.  A
    column is of numbers if all its cells are finite numbers, and of categories if at most
    half are; what lies between is taken for a mistake.  A cell is missing if it is empty
    or one of NA, N/A, NaN, null, none and ?.
    Arguments: path; missing, what to do about missing cells: "refuse" them, "drop" their
    rows, fill in the "mean" (of a number; a category gets one of its own, "(missing)"),
    or "keep" them as None; drop, the columns to leave out; mixed, columns where text
    among numbers is meant, so that they are categories.
    Returns a Table.  Raises BadInput, which names the line and the column.
    Source: RFC 4180, as Python's csv module reads it.

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "cats.csv")
    >>> _ = path.write_text("name,kilos\\nMimi,4.5\\nTom,6\\n")
    >>> table = read_csv(path)
    >>> table.kinds, table.columns
    ({'name': 'category', 'kilos': 'number'}, {'name': ['Mimi', 'Tom'], 'kilos': [4.5, 6.0]})
    """
    return typed(read_cells(path), missing, drop, mixed)


def typed(table: Table, missing: str = "refuse", drop: Iterable[str] = (), mixed: Iterable[str] = ()) -> Table:
    """The table of `read_cells` with its columns found to be numbers or categories, as `read_csv` says."""
    if missing not in ("refuse", "drop", "mean", "keep"):
        raise BadInput(f"missing={missing!r} is not known: choose refuse, drop or mean")
    table = _without(table, drop)
    table.require(*mixed)
    if missing == "refuse":
        refuse_missing(table, "fill it in, or choose --missing mean or --missing drop")
    if missing == "drop":
        whole = [i for i in range(len(table.lines)) if None not in [table.columns[name][i] for name in table.names]]
        if not whole:
            raise BadInput(f"{table.path} has a missing cell in every row; choose --missing mean, or --drop a column")
        table = table.rows(whole)
    kinds = {name: _kind(table, name, name in mixed) for name in table.names}
    columns = {name: _converted(table.columns[name], kinds[name]) for name in table.names}
    if missing == "mean":
        columns = {name: _filled(columns[name], kinds[name]) for name in table.names}
    return Table(table.path, table.names, kinds, columns, table.lines)


def read_cells(path: str | os.PathLike[str]) -> Table:
    """The table as the file has it: each cell a text, stripped of spaces, or None if missing."""
    text = read_text(path)
    reader = _reader(text, _delimiter(text), strict=True)
    names: list[str] = []
    rows: list[list[str]] = []
    lines: list[int] = []
    while True:
        line = reader.line_num + 1
        try:
            row = [cell.strip() for cell in next(reader)]
        except StopIteration:
            break
        except csv.Error as error:
            raise BadInput(f"{path}, line {line} can't be read ({error}); check its quotation marks") from None
        if not any(row):
            continue
        if not names:
            names = _checked_names(path, line, row)
        elif len(row) != len(names):
            raise BadInput(f"{path}, line {line} has {len(row)} cells where the columns are {len(names)}; correct it")
        else:
            rows.append(row)
            lines.append(line)
    if not rows:
        raise BadInput(f"{path} has no rows; it needs a line of column names and below it one line for each example")
    cells = [[None if cell.lower() in MISSING else cell for cell in column] for column in zip(*rows)]
    return Table(str(path), names, dict.fromkeys(names, "text"), dict(zip(names, cells)), lines)


def refuse_missing(table: Table, advice: str) -> None:
    """Raise BadInput with the advice if a cell is missing, for the topmost."""
    for i in range(len(table.lines)):
        for name in table.names:
            if table.columns[name][i] is None:
                raise BadInput(f"{table.cell(i, name)} is missing; {advice}")


def is_number(text: str) -> bool:
    """Whether text is a number, as people write one, whose square is finite.

    >>> is_number("-1.5e3"), is_number("inf"), is_number("1_000"), is_number("1,5"), is_number("1e200")
    (True, False, False, False, False)
    """
    try:
        return abs(float(text)) < LARGEST and "_" not in text
    except ValueError:
        return False


def is_too_large(text: str) -> bool:
    """Whether text is a finite number, but not one that `is_number` takes."""
    try:
        return LARGEST <= abs(float(text)) < math.inf
    except ValueError:
        return False


def _without(table: Table, drop: Iterable[str]) -> Table:
    drop = list(drop)
    table.require(*drop)
    names = [name for name in table.names if name not in drop]
    if not names:
        raise BadInput(f"no column of {table.path} is left; --drop fewer")
    return Table(table.path, names, table.kinds, {name: table.columns[name] for name in names}, table.lines)


def _kind(table: Table, name: str, mixed: bool) -> str:
    present = [(i, cell) for i, cell in enumerate(table.columns[name]) if cell is not None]
    if not present:
        raise BadInput(f"{table.path}, column {name!r} has no cell that is not missing; --drop it")
    texts = [(i, cell) for i, cell in present if not is_number(cell)]
    if not texts:
        return "number"
    for row, text in texts:
        if is_too_large(text):
            raise BadInput(f"{table.cell(row, name)}: {text!r} is too large; write numbers below {LARGEST:g}")
    row, text = texts[0]
    if not mixed and 2 * len(texts) < len(present):
        raise BadInput(f"{table.cell(row, name)}: {text!r} is not a number; correct it, or --drop the column")
    if all([is_number(cell.replace(",", "")) for _, cell in texts]):
        raise BadInput(
            f"{table.cell(row, name)}: {text!r} has a comma; write numbers as 1234.5, with a point and no commas"
        )
    return "category"


def _converted(cells: list[Any], kind: str) -> list[Any]:
    return [cell if cell is None or kind == "category" else float(cell) for cell in cells]


def _filled(cells: list[Any], kind: str) -> list[Any]:
    filler: Any = MISSING_CATEGORY
    if kind == "number":
        _, [filler], _ = standardise([[cell] for cell in cells if cell is not None])
    return [filler if cell is None else cell for cell in cells]


def _checked_names(path: str | os.PathLike[str], line: int, names: list[str]) -> list[str]:
    seen: set[str] = set()
    for i, name in enumerate(names):
        if not name:
            raise BadInput(
                f"{path}, line {line}: column {i + 1} has no name; write one (from pandas: to_csv(path, index=False))"
            )
        if name in seen:
            raise BadInput(f"{path}, line {line}: two columns have the name {name!r}; rename one of them")
        seen.add(name)
    return names


def _reader(text: str, delimiter: str, strict: bool = False) -> Any:
    return csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, skipinitialspace=True, strict=strict)


def _delimiter(text: str) -> str:
    """Which of , ; and tab cuts the first rows into the most even and the most cells."""

    def evenness(delimiter: str) -> tuple[float, int]:
        rows = [row for row in islice(_reader(text, delimiter), 20) if any(row)]
        width = len(rows[0]) if rows else 0
        return (sum([len(row) == width for row in rows]) / len(rows) if width > 1 else 0.0, width)

    try:
        return max(",;\t", key=evenness)
    except csv.Error:  # a cell without end: the real reader will say where
        return ","
