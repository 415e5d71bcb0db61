"""A net for the user's own table: train it, judge it, use it."""

import math
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ..functions import dot
from ..nn import MLP
from .adaptive import Adam
from .bad_input import BadInput
from .columns import learn_column, mean_and_deviation, parsed, refuse_too_many
from .data import train_test_split
from .loop import train
from .losses import cross_entropy, mse
from .metrics import confusion_table
from .model import TableModel, load_model
from .progress import progress
from .scores import classification_figures, regression_figures
from .table import Table, is_number, read_cells, refuse_missing, typed

FEWEST_ROWS = 10
MOST_NUMBERED_CLASSES = 20  # of a target of whole numbers, to be taken for classes
EXAMPLES = 8_000  # to learn from, if the number of epochs is not said


@dataclass(frozen=True)
class Report:
    """What came of a training.

    model: to predict with, or to save with `save_model`.  path, target, task: as found.
    train_rows, test_rows, dropped_rows: how many.  losses: the mean of each epoch, with
    the part of l2.  train, test: the net's figures on the rows it learned from, and on
    those it never saw; baseline: the figures on the latter of always answering the
    training rows' commonest class, or their mean.  The figures are "accuracy" for
    classification; "r2" and "mean absolute error", in the target's unit, for regression.
    confusion: how many test rows of class i were taken for class j, as confusion[i][j];
    empty for regression.
    """

    model: TableModel
    path: str
    target: str
    task: str
    train_rows: int
    test_rows: int
    dropped_rows: int
    losses: list[float]
    train: dict[str, float]
    test: dict[str, float]
    baseline: dict[str, float]
    confusion: list[list[int]]

    def __str__(self) -> str:
        lines = [f"{'':20} {'train':>10} {'test':>10} {'baseline':>10}"]
        for name in self.test:
            figures = self.train[name], self.test[name], self.baseline[name]
            lines.append(f"{name:20} " + " ".join([f"{figure:10.4g}" for figure in figures]))
        return "\n".join(lines)


class Prediction(NamedTuple):
    """line: of the CSV file.  value: the class, or the number.  probability: of that class, else None."""

    line: int
    value: Any
    probability: float | None


def fit_table(
    path: str | os.PathLike[str],
    target: str,
    task: str | None = None,
    hidden: Sequence[int] = (16,),
    epochs: int | None = None,
    lr: float = 0.01,
    batch_size: int = 16,
    seed: int = 0,
    test_fraction: float = 0.25,
    missing: str = "refuse",
    drop: Iterable[str] = (),
    l2: float = 0.003,
) -> Report:
    """Train an MLP to predict one column of a CSV file from the others.

    Arguments: path of the file; target, the column to predict; task, "classification" or
    "regression", or None to find it (classes are texts, or at most 20 different whole
    numbers that come twice or more on average); hidden, the sizes of the hidden layers;
    epochs, None for as many as show it about 8 000 examples (10 to 200 epochs); lr, of
    Adam; batch_size; seed of the split, the net and the order; test_fraction, the share
    of rows to judge by; missing, what to do about missing cells: "refuse" them, "drop"
    their rows, or take the training rows' "mean" (for text a category of its own); drop,
    columns to leave out; l2, how much of the sum of the squared weights is added to the
    loss.
    Returns a Report.  Shows a progress bar if it takes over a second.
    Raises BadInput for what is wrong with the file or the options.
    """
    _check_options(task, hidden, epochs, lr, batch_size, test_fraction, missing, l2)
    cells, drop = read_cells(path), list(drop)
    cells.require(target, *drop)
    if target in drop:
        raise BadInput(f"{target!r} is the target and can't be dropped; --drop another column")
    mixed = [target] if task == "classification" else []
    table = typed(cells, "keep" if missing == "mean" else missing, drop, mixed)
    task = _check_target(table, target, task or _task(table, target))
    training, testing = _split(table, target, task, test_fraction, seed)

    model = _untrained(table, training, target, task, hidden, missing, seed)
    losses = _learn(model, training, epochs or _epochs(training), lr, batch_size, seed, l2)

    figures = classification_figures if task == "classification" else regression_figures
    known, truth = training.columns[target], testing.columns[target]
    answers = [value for value, _ in _answers(model, testing)]
    naive = Counter(known).most_common(1)[0][0] if model.classes else model.mean
    return Report(
        model=model,
        path=table.path,
        target=target,
        task=task,
        train_rows=len(known),
        test_rows=len(truth),
        dropped_rows=len(cells.lines) - len(table.lines),
        losses=losses,
        train=figures(known, [value for value, _ in _answers(model, training)]),
        test=figures(truth, answers),
        baseline=figures(truth, [naive] * len(truth)),
        confusion=confusion_table(truth, answers, model.classes) if model.classes else [],
    )


def predict_table(model_path: str | os.PathLike[str], csv_path: str | os.PathLike[str]) -> list[Prediction]:
    """What a saved model predicts for each row of a CSV file.

    Arguments: model_path, a file that `save_model` wrote; csv_path, a table with the
    columns that the model was trained on, in any order; others are passed over.
    Returns a Prediction for each row.
    Raises BadInput for a model or a table that is wrong: a column that is missing, a text
    in a column of numbers, a category unseen in training, a missing cell (unless the
    model was trained with missing="mean").
    """
    model = load_model(model_path)
    cells = read_cells(csv_path)
    names = [column.name for column in model.columns]
    cells.require(*names)
    table = Table(cells.path, names, cells.kinds, {name: cells.columns[name] for name in names}, cells.lines)
    if model.missing == "refuse":
        refuse_missing(table, "fill it in, or train the model with --missing mean")
    for column in model.columns:
        table.columns[column.name] = parsed(table, column)
    return [Prediction(line, *answer) for line, answer in zip(table.lines, _answers(model, table))]


def _task(table: Table, target: str) -> str:
    """Classification for texts and for few different whole numbers, else regression."""
    if table.kinds[target] == "category":
        return "classification"
    numbers = {cell for cell in table.columns[target] if cell is not None}
    few = len(numbers) <= min(MOST_NUMBERED_CLASSES, len(table.lines) / 2)
    return "classification" if few and all([x.is_integer() for x in numbers]) else "regression"


def _check_target(table: Table, target: str, task: str) -> str:
    """The task, if the target is fit for it.  The classes of a target of numbers become texts."""
    cells, what = table.columns[target], f"{table.path}, column {target!r}"
    if None in cells:
        place = table.cell(cells.index(None), target)
        raise BadInput(f"{place}, the target, is missing; fill it in, or choose --missing drop")
    if len(cells) < FEWEST_ROWS:
        raise BadInput(f"{table.path} has {len(cells)} rows: to learn from some and test on others takes {FEWEST_ROWS}")
    if len(set(cells)) == 1:
        raise BadInput(f"{what} has one value only, {cells[0]!r}: there is nothing to tell apart; add other rows")
    if task == "classification":
        table.columns[target] = [str(int(x) if isinstance(x, float) and x.is_integer() else x) for x in cells]
        classes = list(set(table.columns[target]))
        advice = "choose --task regression" if table.kinds[target] == "number" else "choose another --target"
        refuse_too_many(table, target, classes, f"too many for classes; {advice}")
    elif table.kinds[target] == "category":
        text = next(cell for cell in cells if not is_number(cell))
        place = table.cell(cells.index(text), target)
        raise BadInput(f"{place}: {text!r} is not a number; for classes choose --task classification")
    return task


def _split(table: Table, target: str, task: str, test_fraction: float, seed: int) -> tuple[Table, Table]:
    """The rows to learn from and the rows to judge by; the classes are shared out evenly."""
    rows = range(len(table.lines))
    try:
        training, testing, _, _ = train_test_split(
            rows, table.columns[target], test_fraction, seed, stratify=task == "classification"
        )
    except ValueError:
        raise BadInput(
            f"{table.path} has too few rows of each class to test on {test_fraction} of them; add rows, or test on more"
        ) from None
    return table.rows(training), table.rows(testing)


def _untrained(
    table: Table, training: Table, target: str, task: str, hidden: Sequence[int], missing: str, seed: int
) -> TableModel:
    columns = [learn_column(table, training, name) for name in table.names if name != target]
    if not columns:
        raise BadInput(f"{table.path} has no column but {target!r}: there is nothing to predict it from")
    if task == "classification":
        classes, mean, deviation = sorted(set(table.columns[target]), key=_by_number), 0.0, 1.0
    else:
        classes, (mean, deviation) = [], mean_and_deviation(training, target)
    net = MLP(sum([column.width for column in columns]), [*hidden, len(classes) or 1], seed=seed)
    missing = "mean" if missing == "mean" else "refuse"
    return TableModel(task, target, columns, classes, mean, deviation, missing, net)


def _learn(
    model: TableModel, training: Table, epochs: int, lr: float, batch_size: int, seed: int, l2: float
) -> list[float]:
    """Train the model's net on the rows; the loss of each epoch."""
    X = [model.inputs(cells) for cells in model.rows(training)]
    answers = training.columns[model.target]
    if model.classes:
        y = [model.classes.index(answer) for answer in answers]
    else:
        y = [(answer - model.mean) / model.deviation for answer in answers]
    weights = [parameter for name, parameter in model.net.named_parameters() if not name.endswith(".b")]

    def loss(outputs: list, targets: list) -> Any:
        misfit = cross_entropy(outputs, targets) if model.classes else mse(outputs, targets)
        return misfit + l2 * dot(weights, weights)

    optimizer = Adam(model.net.parameters(), lr)
    learning = train(model.net, (X, y), loss, optimizer, epochs, batch_size, seed=seed)
    losses = [epoch.loss for epoch in progress(learning, epochs, "training")]
    if len(losses) < epochs:  # a loss that is not finite ended it
        raise BadInput(f"the training came to no finite loss with lr={lr}; choose --lr {lr / 10:g}")
    return losses


def _epochs(training: Table) -> int:
    return min(max(EXAMPLES // len(training.lines), 10), 200)


def _answers(model: TableModel, table: Table) -> list[tuple[Any, float | None]]:
    """What the model predicts for each row of a typed table."""
    answers = []
    for cells, line in zip(progress(model.rows(table), len(table.lines), "predicting"), table.lines):
        value, probability = model.predict(cells)
        if not math.isfinite(value if probability is None else probability):
            raise BadInput(f"{table.path}, line {line} has a number too far from those of the training; correct it")
        answers.append((value, probability))
    return answers


def _check_options(
    task: str | None,
    hidden: Sequence[int],
    epochs: int | None,
    lr: float,
    batch_size: int,
    test_fraction: float,
    missing: str,
    l2: float,
) -> None:
    if task not in (None, "classification", "regression"):
        raise BadInput(f"the task {task!r} is not known: choose classification or regression")
    if missing not in ("refuse", "mean", "drop"):
        raise BadInput(f"missing={missing!r} is not known: choose refuse, mean or drop")
    if not 0 < test_fraction < 1:
        raise BadInput(f"the share of rows to test on is {test_fraction}: choose one between 0 and 1, as in 0.25")
    if not all([size >= 1 for size in hidden]):
        raise BadInput(f"the hidden layers {list(hidden)} need at least 1 neuron each, as in 16 16")
    if (epochs is not None and epochs < 1) or batch_size < 1:
        raise BadInput(f"epochs={epochs} and batch_size={batch_size}: both have to be 1 or more")
    if not (0 < lr < math.inf and 0 <= l2 < math.inf):
        raise BadInput(f"lr={lr} and l2={l2}: lr has to be above 0, as in 0.01, and l2 at least 0")


def _by_number(name: str) -> tuple[float, str]:
    """Class names that are numbers in their order, before those that are none."""
    return (float(name), name) if is_number(name) else (math.inf, name)
