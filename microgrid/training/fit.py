"""`fit`: a training with all that one wants around it."""

import inspect
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .bad_input import closest
from .checkpoint import check_before, load_checkpoint, save_checkpoint
from .history import Epoch, History
from .live import LivePlot
from .loop import Examples, train
from .optim import Optimizer
from .progress import progress


def fit(
    model: Callable[[Any], Any],
    data: Examples,
    loss: Callable[[list, list], Any],
    optimizer: Optimizer,
    epochs: int = 100,
    batch_size: int | None = None,
    *,
    checkpoint: str | os.PathLike[str] | None = None,
    every: int = 1,
    resume: bool | History = False,
    show: bool = True,
    live: bool = False,
    **options: Any,
) -> History:
    """Train a model: `train` to its end, with a progress bar, checkpoints, and a way back after Ctrl-C.

    Ctrl-C ends it after the last whole step: model and optimizer can be used, the history
    so far is returned, and `fit(..., resume=history)` goes on to the same numbers, bit for
    bit, as if nothing had happened: random generators included, if they are inside of a Module,
    and that is the model itself, not a part of a function that is handed in as the model.
    Arguments: model, data, loss, optimizer, epochs, batch_size, and as options shuffle,
    seed, validation, metrics, penalty, schedule, clip_norm, clip_value, threshold, patience
    and backend, all as in `train`; checkpoint, a file (JSON) to write the state to after
    every so many epochs, at the end and at Ctrl-C, each time whole or not at all; resume,
    True to go on from that file if it is there, or a history of fit to go on from, whether
    Ctrl-C ended it or more epochs are wanted; show, whether a bar with loss and speed is shown
    on stderr once it takes over a second; live, whether a notebook shows the growing curve of
    the loss.
    Returns a `History`.  The model is left as after `model.eval()`.
    Raises as `train`; FileExistsError for a checkpoint that is there and resume=False;
    ValueError for one of another training; FileNotFoundError, IsADirectoryError or
    PermissionError for one that could not be written, and TypeError for a parameter that it
    could not keep, before anything is learned.

    >>> from microgrid import MLP
    >>> from microgrid.training import Adam, hinge, make_moons
    >>> X, y = make_moons(40, seed=1)
    >>> model = MLP(2, [16, 1], seed=1)
    >>> optimizer = Adam(model.parameters(), lr=0.05)
    >>> history = fit(model, (X, [2 * c - 1 for c in y]), hinge, optimizer, 40, 10, metrics="accuracy")
    >>> history[-1].metrics
    {'accuracy': 1.0}

    The same through programs, without a graph at each step (backend="numpy" or "native" is faster still):

    >>> compiled = MLP(2, [16, 1], seed=1)
    >>> optimizer = Adam(compiled.parameters(), lr=0.05)
    >>> data = X, [2 * c - 1 for c in y]
    >>> again = fit(compiled, data, hinge, optimizer, 40, 10, backend="python")
    >>> abs(again[-1].loss - history[-1].loss) < 1e-10
    True
    """
    _check_options(options)
    training = train(model, data, loss, optimizer, epochs, batch_size, **options)
    if isinstance(every, bool) or not isinstance(every, int) or every < 1:
        raise ValueError(f"fit(every={every!r:.30}): after how many epochs a checkpoint is written, 1 or more")
    path = None if checkpoint is None else Path(checkpoint)
    if path:
        check_before(training, path)
    _resume(training, path, resume)
    plot = LivePlot(training.history) if live else None
    try:
        for epoch in _shown(training) if show else training:
            if plot:
                plot.update()
            if path and epoch.number % every == 0:
                save_checkpoint(training, path)
    except KeyboardInterrupt:
        pass
    _end(training, path, plot)
    if show and "after epoch" not in training.history.stopped:  # nan, or Ctrl-C
        print(training.history.stopped, file=sys.stderr)
    return training.history


def _end(training: train, path: Path | None, plot: LivePlot | None) -> None:
    """What is done last, done again where Ctrl-C comes, but for the drawing, which may be left out."""
    while True:
        try:
            training.close()
            if path:
                save_checkpoint(training, path)
            if plot:
                plot.finish()
            return
        except KeyboardInterrupt:
            plot = None


def _check_options(options: dict[str, Any]) -> None:
    """Raises TypeError for an option that `train` does not have."""
    names = [*inspect.signature(train).parameters, *inspect.signature(fit).parameters]
    names.remove("options")
    for name, option in options.items():
        if name not in names:
            hint = closest(name, names)
            if name in ("lr", "learning_rate"):
                hint = f"; the optimizer has the learning rate, as in SGD(model.parameters(), lr={option!r:.20})"
            raise TypeError(f"fit({name}={option!r:.30}): there is no option {name}{hint}")


def _resume(training: train, path: Path | None, resume: Any) -> None:
    if isinstance(resume, History):
        if not resume.state:
            raise ValueError("fit(resume=history): this history is not of fit, so there is no state to go on from")
        try:
            training.load_state_dict(resume.state)
        except ValueError as error:
            raise ValueError(f"fit(resume=history): {error}") from None
        return
    if not isinstance(resume, bool):
        file = repr(str(resume)) if isinstance(resume, (str, os.PathLike)) else '"run.json"'
        raise TypeError(
            f"fit(resume={resume!r:.50}): True or a history; to go on from a file, write checkpoint={file}, resume=True"
        )
    if resume and path is None:
        raise ValueError('fit(resume=True) goes on from a file: say which, as in checkpoint="run.json"')
    if path is None or not path.exists():
        return
    if not resume:
        raise FileExistsError(f"fit(checkpoint={str(path)!r}): it is there; resume=True goes on from it, or delete it")
    load_checkpoint(training, path)


def _shown(training: train) -> Iterator[Epoch]:
    """The epochs, while a bar shows loss and speed."""
    begun = len(training.history)
    return progress(training, training.count, "training", said=_said, done=begun)


def _said(epoch: Epoch) -> str:
    held = "" if epoch.validation_loss is None else f", validation {epoch.validation_loss:.4g}"
    return f"loss {epoch.loss:.4g}{held}"
