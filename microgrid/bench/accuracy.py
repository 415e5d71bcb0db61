"""What a net has learned of real tables: `fit`, and scikit-learn's MLP of the same size, judged on the same examples.

A quarter of a table is set aside, the inputs are standardised by the rest (a target that is a number
as well), and one hidden layer of 16 relu neurons is trained: once for each seed, which draws the
split, the first weights and the order of the examples.
"""

import importlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import starmap
from statistics import mean
from typing import Any

from ..nn import MLP
from .tables import table

TABLES = ("breast_cancer", "diabetes", "wine", "iris")  # the longest work first
HIDDEN, EPOCHS, BATCH, LR, L2 = 16, 40, 16, 0.01, 0.01
ASIDE = 0.25
POINT = 0.01
NAMES = ("microgrid", "same recipe", "own settings")
INSTALL = "python -m pip install scikit-learn"

HOW_TO_READ = f"""\
Right answers in %, for diabetes r2, on the {ASIDE:.0%} of each table set aside; means over the seeds.
Same recipe: scikit-learn's MLP with {HIDDEN} hidden neurons, {EPOCHS} epochs, batches of {BATCH}, Adam, L2 {L2}
on the weights; learning rate {LR}, the mean of ours, which falls to 0 in a line: its Adam can't.
Own settings: its defaults (learning rate 0.001, batches of 200), until the loss stays as it is.
No worse: at most one point of accuracy below both of them; r2 not below either."""


@dataclass(frozen=True)
class Split:
    """Examples to learn from and examples to judge by; classes, how many there are, 0 where targets are numbers."""

    X: list[list[float]]
    y: list[Any]
    test_X: list[list[float]]
    test_y: list[Any]
    classes: int


def split_of(X: Sequence[Sequence[float]], y: Sequence[Any], classes: int, seed: int) -> Split:
    """A table in two, every column shifted and scaled by what is to be learned from.

    Arguments: X, n rows of numbers; y, n classes from 0 on, or numbers; classes, how many, 0 for
    numbers, which are scaled as well; seed, of who is set aside, the same share of each class.
    """
    from ..training import standardise, train_test_split  # only here, so that a growth worker's process stays small

    X, test_X, y, test_y = train_test_split(X, y, ASIDE, seed, stratify=classes > 0)
    X, *scale = standardise(X)
    if not classes:
        column, *by = standardise([[number] for number in y])
        y, test_y = [row[0] for row in column], [row[0] for row in _scaled([[number] for number in test_y], *by)]
    return Split(X, y, _scaled(test_X, *scale), test_y, classes)


def net_and_loss(split: Split, seed: int) -> tuple[MLP, Callable[[list, list], Any]]:
    """Ours before it has learned anything, and what it is to make smaller."""
    from ..training import binary_cross_entropy, cross_entropy, mse

    outputs = split.classes if split.classes > 2 else 1
    losses: dict[int, Callable] = {0: mse, 2: binary_cross_entropy}
    loss = losses.get(split.classes, cross_entropy)
    return MLP(len(split.X[0]), [HIDDEN, outputs], seed=seed), loss


def penalty(model: MLP) -> Any:
    """The price on the weights that is added to the loss."""
    from ..training import l2, weights_of

    return l2(weights_of(model), L2)


def ours(split: Split, seed: int) -> float:
    """The share of right answers, or r2, of microgrid's net on what was set aside."""
    from ..training import Adam, accuracy, fit, r2, schedules

    model, loss = net_and_loss(split, seed)
    fit(
        model, (split.X, split.y), loss, Adam(model.parameters()), EPOCHS, BATCH, seed=seed,
        schedule=schedules.linear(2 * LR, 0.0, EPOCHS), penalty=penalty, show=False,
    )  # fmt: skip
    return (accuracy if split.classes else r2)([model(x) for x in split.test_X], split.test_y)


def theirs(split: Split, seed: int, **settings: Any) -> float:
    """The same figure of scikit-learn's MLPClassifier, or MLPRegressor."""
    networks = importlib.import_module("sklearn.neural_network")
    kind = networks.MLPClassifier if split.classes else networks.MLPRegressor
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", importlib.import_module("sklearn.exceptions").ConvergenceWarning)
        model = kind(hidden_layer_sizes=(HIDDEN,), random_state=seed, **settings).fit(split.X, split.y)
    return float(model.score(split.test_X, split.test_y))


def same_recipe(classes: int) -> dict[str, Any]:
    """The settings by which scikit-learn's net does as ours does.

    Its price on the weights is alpha / 2 / (examples of the batch) times their squares, beside the
    cross-entropy, or half of the mean squared error.
    """
    alpha = (2 if classes else 1) * BATCH * L2
    adam = {"learning_rate_init": LR, "batch_size": BATCH, "alpha": alpha}
    return {**adam, "max_iter": EPOCHS, "n_iter_no_change": EPOCHS + 1}  # so that it does all epochs


def judged(name: str, seed: int) -> list[float]:
    """The three figures of a table, in the order of `NAMES`, for one seed."""
    data = getattr(importlib.import_module("sklearn.datasets"), f"load_{name}")()
    classes = len(getattr(data, "target_names", ()))
    split = split_of(data.data.tolist(), data.target.tolist(), classes, seed)
    return [ours(split, seed), theirs(split, seed, **same_recipe(classes)), theirs(split, seed, max_iter=2000)]


def measure(rounds: int, seed: int = 1, names: Iterable[str] = TABLES, processes: int | None = None) -> dict[str, Any]:
    """Train on each table as often as there are rounds, with a seed of its own each time, on all cores.

    Returns {"absent": {name: command that installs it}, "seeds": [seed, seed + 1, ...], "figures":
    {table: {who: one figure for each seed}}, "difference": {table: {whom: ours less theirs, by
    means}}, "no worse": {table: whether}}; without scikit-learn, which has the tables, the last three
    are empty.
    """
    seeds = list(range(seed, seed + rounds))
    figures: dict[str, dict[str, list[float]]] = {}
    absent = _absent()
    if not absent:
        tasks = [(name, seed) for name in names for seed in seeds]
        for (name, _), found in zip(tasks, in_processes(judged, tasks, processes), strict=True):
            for who, figure in zip(NAMES, found, strict=True):
                figures.setdefault(name, {}).setdefault(who, []).append(figure)
    difference = {name: _difference(found) for name, found in figures.items()}
    return {
        "absent": absent,
        "seeds": seeds,
        "figures": figures,
        "difference": difference,
        "no worse": {name: no_worse(name, found) for name, found in difference.items()},
    }


def in_processes(work: Callable[..., Any], tasks: Sequence[tuple], processes: int | None) -> Iterator[Any]:
    """work(*task) for each task, in their order: here for processes=1, else in so many, None for as many as cores."""
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    from ..training.progress import progress

    with ExitStack() as stack:
        if processes == 1:
            answers: Iterable[Any] = starmap(work, tasks)
        else:
            answers = stack.enter_context(ProcessPoolExecutor(processes, get_context("spawn"))).map(work, *zip(*tasks))
        yield from progress(answers, len(tasks), "accuracy")


def no_worse(name: str, difference: Mapping[str, float]) -> bool:
    """Whether ours is at most a point of accuracy below, or for r2 not below at all.

    >>> no_worse("iris", {"same recipe": -0.009}), no_worse("diabetes", {"same recipe": -0.001})
    (True, False)
    """
    return min(difference.values()) >= (0 if name == "diabetes" else -POINT - 1e-9)  # 0.90 - 0.91 is a digit below


def _difference(found: Mapping[str, Sequence[float]]) -> dict[str, float]:
    return {who: mean(found[NAMES[0]]) - mean(found[who]) for who in NAMES[1:]}


def _absent() -> dict[str, str]:
    try:
        importlib.import_module("sklearn.neural_network")
    except ImportError:
        return {"scikit-learn": INSTALL}
    return {}


def _scaled(rows: Iterable[Sequence[float]], means: Sequence[float], deviations: Sequence[float]) -> list[list[float]]:
    return [[(x - m) / d for x, m, d in zip(row, means, deviations, strict=True)] for row in rows]


def show(figures: dict[str, Any]) -> str:
    """The table of what `measure` returned."""
    seeds = ", ".join(map(str, figures["seeds"]))
    absent = [f"{name}, which has the tables, is absent.  To have it: {it}" for name, it in figures["absent"].items()]
    lines = [
        _line(name, found, figures["difference"][name], figures["no worse"][name])
        for name, found in reversed(figures["figures"].items())
    ]
    header = ["", "microgrid", "same recipe", "ours less", "own settings", "ours less", "no worse"]
    body = ["", table(header, lines), "", HOW_TO_READ] if lines else []
    return "\n".join(
        [f"Accuracy: one hidden layer, on real tables, beside scikit-learn's; seeds {seeds}.", *body, *absent]
    )


def _line(name: str, found: Mapping[str, Sequence[float]], difference: Mapping[str, float], fine: bool) -> list[str]:
    scale, digits = (1, 3) if name == "diabetes" else (100, 2)
    cells = [f"{scale * mean(found[NAMES[0]]):.{digits}f}"]
    for who, less in difference.items():
        cells += [f"{scale * mean(found[who]):.{digits}f}", f"{scale * less:+.{digits}f}"]
    return [name.replace("_", " "), *cells, "yes" if fine else "no"]
