"""What a training has come through: a record of each epoch, as a table and as curves."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from .plots import Plot, curve

MOST_ROWS = 20  # in the table of a long training


@dataclass(frozen=True)
class Epoch:
    """One pass over all examples.

    number: from 1 on.  loss: the mean over the examples, penalty included, of each batch before
    the step that it led to.  lr: the learning rate.  metrics: of the same outputs, by name.
    validation_loss, validation_metrics: on the examples that were held back, after the epoch,
    None and empty where there are none.  seconds: how long it took, validation included.
    """

    number: int
    loss: float
    lr: float
    metrics: dict[str, Any] = field(default_factory=dict)
    validation_loss: float | None = None
    validation_metrics: dict[str, Any] = field(default_factory=dict)
    seconds: float = field(default=0.0, compare=False)

    @property
    def watched(self) -> float:
        """The loss that early stopping goes by: that of the validation, where there is one."""
        return self.loss if self.validation_loss is None else self.validation_loss

    def figures(self) -> dict[str, Any]:
        """All of it by the names of the table's columns."""
        figures: dict[str, Any] = {"epoch": self.number, "loss": self.loss, **self.metrics}
        if self.validation_loss is not None:
            figures["validation loss"] = self.validation_loss
        figures.update({f"validation {name}": metric for name, metric in self.validation_metrics.items()})
        return {**figures, "lr": self.lr}

    def __str__(self) -> str:
        return "   ".join([f"{name} {_shown(figure)}" for name, figure in self.figures().items()])


@dataclass
class History:
    """The epochs of a training, in order; print it for a table, `.plot()` it for curves.

    epochs: an `Epoch` each.  stopped: why it ended, in words; "" while it goes on.
    """

    epochs: list[Epoch] = field(default_factory=list)
    stopped: str = ""
    state: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)  # where fit ended, to go on from

    @property
    def losses(self) -> list[float]:
        """The loss of each epoch."""
        return [epoch.loss for epoch in self.epochs]

    @property
    def validation_losses(self) -> list[float]:
        """The loss of each epoch on the examples that were held back; empty where there are none."""
        return [epoch.validation_loss for epoch in self.epochs if epoch.validation_loss is not None]

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def __getitem__(self, i: int) -> Epoch:
        return self.epochs[i]

    def plot(self, metric: str | None = None, *, title: str = "") -> Plot:
        """The losses as curves over the epochs, or a metric.

        Arguments: metric, the name of one that was asked for, such as "accuracy"; title, above the plot.
        Returns a `Plot`.  Raises ValueError for an empty history or a metric that is not
        there, ModuleNotFoundError, naming the command, where matplotlib is not.
        """
        if not self.epochs:
            raise ValueError("history.plot(): no epoch has been finished yet")
        if metric is None:
            curves = {"training": self.losses, "validation": self.validation_losses}
            return curve({name: numbers for name, numbers in curves.items() if numbers}, title=title)
        there = [name for name in self.epochs[0].metrics if all([_is_figure(e.metrics.get(name)) for e in self.epochs])]
        if metric not in there:
            shown = ", ".join(there) or "none"
            raise ValueError(f"history.plot({metric!r}): the metrics of this training to be drawn are: {shown}")
        curves = {"training": [epoch.metrics[metric] for epoch in self.epochs]}
        if all([_is_figure(epoch.validation_metrics.get(metric)) for epoch in self.epochs]):
            curves["validation"] = [epoch.validation_metrics[metric] for epoch in self.epochs]
        return curve(curves, ylabel=metric, title=title)

    def __str__(self) -> str:
        if not self.epochs:
            return self.stopped or "no epoch has been finished yet"
        every = -(-len(self.epochs) // MOST_ROWS)
        shown = [epoch for epoch in self.epochs if epoch.number % every == 0 or epoch is self.epochs[-1]]
        columns = [name for name, figure in shown[0].figures().items() if not isinstance(figure, list)]
        rows = [[_shown(epoch.figures().get(name, "")) for name in columns] for epoch in shown]
        widths = [max(map(len, column)) for column in zip(columns, *rows)]
        lines = ["  ".join([cell.rjust(width) for cell, width in zip(row, widths)]) for row in [columns, *rows]]
        return "\n".join([*lines, *([self.stopped] if self.stopped else [])])


def _is_figure(x: Any) -> bool:
    return isinstance(x, (int, float))


def _shown(figure: Any) -> str:
    return f"{figure:.4g}" if isinstance(figure, float) else str(figure)
