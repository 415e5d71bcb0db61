"""A trained net with all that it takes to use it on a table, and its file: JSON, no pickle."""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from ..files import write_whole
from ..functions import softmax
from ..nn import ACTIVATIONS, MLP
from .bad_input import BadInput, read_text
from .columns import CategoryColumn, Column, NumberColumn
from .documents import check, document_of
from .table import LARGEST, Table

FORMAT, VERSION = "microgrid table model", 1


@dataclass(frozen=True)
class TableModel:
    """A net that predicts one column of a table from others.

    task: "classification" or "regression".  target: the column predicted.  columns: those
    that it is predicted from.  classes: their names, for classification.  mean, deviation:
    of the target in training, for regression.  missing: "mean" if a missing cell is taken
    for the mean, else "refuse".  net: the MLP.
    """

    task: str
    target: str
    columns: list[Column]
    classes: list[str]
    mean: float
    deviation: float
    missing: str
    net: MLP

    def rows(self, table: Table) -> list[tuple]:
        """The cells of `columns`, row by row."""
        return list(zip(*[table.columns[column.name] for column in self.columns]))

    def inputs(self, cells: Sequence[Any]) -> list[float]:
        """The net's inputs for a row: one cell for each of `columns`."""
        return [x for column, cell in zip(self.columns, cells) for x in column.inputs(cell)]

    def predict(self, cells: Sequence[Any]) -> tuple[Any, float | None]:
        """(class, its probability), or (number, None), for a row: one cell for each of `columns`."""
        outputs = self.net(self.inputs(cells))
        if self.task == "regression":
            return self.mean + self.deviation * outputs.data, None
        probabilities = softmax([output.data for output in outputs])
        best = max(range(len(probabilities)), key=probabilities.__getitem__)
        return self.classes[best], probabilities[best]


def save_model(model: TableModel, path: str | os.PathLike[str]) -> Path:
    """Write the model to path as JSON, whole or not at all.

    Returns the path.  Raises OSError where it can't be written.
    """
    document = {
        "format": FORMAT,
        "version": VERSION,
        "task": model.task,
        "target": model.target,
        "classes": model.classes,
        "mean": model.mean,
        "deviation": model.deviation,
        "missing": model.missing,
        "columns": [{"kind": _kind(column), **asdict(column)} for column in model.columns],
        "sizes": model.net.sizes,
        "activation": model.net.activation,
        "parameters": model.net.state_dict(),
    }
    return write_whole(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def load_model(path: str | os.PathLike[str]) -> TableModel:
    """The model that `save_model` wrote to path.

    Nothing in the file is run, and all of it is checked before it is used.
    Raises BadInput for a file that is none of ours, torn, changed or of a later version.
    """
    text = read_text(path)
    try:
        return _model(document_of(text))
    except KeyError as error:
        reason = f"it has no {error}"
    except ValueError as error:
        reason = str(error)
    raise BadInput(f"{path} is not a whole model of microgrid: {reason}; train one with `microgrid train`")


def _model(document: Any) -> TableModel:
    """The model of a document from anywhere.  Raises ValueError or KeyError with what is wrong."""
    check(isinstance(document, dict) and document.get("format") == FORMAT, f'its "format" is not "{FORMAT}"')
    check(
        type(document["version"]) is int and document["version"] == VERSION,
        f"its version is {document['version']!r:.20}, and this one reads {VERSION}",
    )
    task, target, classes = document["task"], document["target"], document["classes"]
    check(task in ("classification", "regression"), f"its task is {task!r:.30}")
    _check_names(classes, "classes")
    check(len(classes) >= 2 if task == "classification" else not classes, f"{len(classes)} classes for {task}")
    check(document["missing"] in ("mean", "refuse"), "its 'missing' is neither mean nor refuse")
    check(isinstance(document["columns"], list) and len(document["columns"]) > 0, "it has no columns")
    columns = [_column(column) for column in document["columns"]]
    _check_names([target] + [column.name for column in columns], "columns")
    mean, deviation = _number(document["mean"]), _positive(document["deviation"])

    sizes, parameters = document["sizes"], document["parameters"]
    check(isinstance(sizes, list) and len(sizes) >= 2, "its sizes are no list")
    check(all([type(size) is int and size >= 1 for size in sizes]), "its sizes are not all whole numbers above 0")
    ends = [sum([column.width for column in columns]), len(classes) or 1]
    check([sizes[0], sizes[-1]] == ends, f"its net is not one of {ends[0]} inputs and {ends[1]} outputs")
    check(document["activation"] in ACTIVATIONS, f"its activation is {document['activation']!r:.30}")
    check(isinstance(parameters, dict), "its parameters are no object")
    needed = sum([(nin + 1) * nout for nin, nout in pairwise(sizes)])
    check(len(parameters) == needed, f"it has {len(parameters)} parameters and needs {needed}")  # bounds the net, too
    net = MLP(sizes[0], sizes[1:], document["activation"], seed=0)
    check(parameters.keys() == net.state_dict().keys(), "its parameters don't have the names of the net's")
    net.load_state_dict({name: _number(x) for name, x in parameters.items()})
    return TableModel(task, target, columns, classes, mean, deviation, document["missing"], net)


def _column(column: Any) -> Column:
    check(isinstance(column, dict), "a column of it is no object")
    kind, name = column["kind"], column["name"]
    if kind == "number":
        return NumberColumn(name, _number(column["mean"]), _positive(column["deviation"]))
    check(kind == "category", f"column {name!r:.30} is of no known kind")
    _check_names(column["categories"], "categories")
    check(len(column["categories"]) > 0, f"column {name!r:.30} has no categories")
    return CategoryColumn(name, column["categories"])


def _kind(column: Column) -> str:
    return "number" if isinstance(column, NumberColumn) else "category"


def _number(x: Any) -> float:
    check(type(x) in (int, float) and abs(x) < LARGEST, f"{x!r:.30} stands in it for a finite number")
    return float(x)


def _positive(x: Any) -> float:
    check(_number(x) > 0, "a deviation in it is not above 0")
    return float(x)


def _check_names(names: Any, what: str) -> None:
    check(isinstance(names, list) and all([isinstance(name, str) and name for name in names]), f"its {what} are wrong")
    check(all([name == name.encode(errors="ignore").decode() for name in names]), f"its {what} are no text")
    check(len(set(names)) == len(names), f"its {what} have a name twice")
