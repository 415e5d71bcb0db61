"""Checkpoints: all of a training's state in a file, so that it can go on bit for bit."""

import json
import math
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..files import write_whole
from ..nn import Module
from .bad_input import read_text
from .history import Epoch
from .task import check_settings, check_task, named_parameters

FORMAT, VERSION = "microgrid training", 1
LARGEST = sys.float_info.max


def save_checkpoint(training: Any, path: str | os.PathLike[str]) -> Path:
    """Write a training's `state_dict()` to path as JSON, whole or not at all.

    Returns the path.  Raises OSError where it can't be written, TypeError where a parameter
    is no int or float, or a metric gave what JSON can't keep.
    """
    return write_whole(path, _text(training) + "\n")


def check_before(training: Any, path: Path) -> None:
    """Raises what would be raised when a checkpoint is written, before anything is learned."""
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise FileNotFoundError(f"fit(checkpoint={str(path)!r}): there is no folder {str(folder)!r}; make it first")
    if path.is_dir():
        raise IsADirectoryError(f"fit(checkpoint={str(path)!r}) is a folder; name a file in it")
    if not os.access(folder, os.W_OK):
        raise PermissionError(f"fit(checkpoint={str(path)!r}): the folder {str(folder)!r} can't be written")
    _text(training)


def _text(training: Any) -> str:
    """The state as JSON.  Raises TypeError, in words, for what that can't keep."""
    for name, parameter in named_parameters(training):
        if not isinstance(parameter.data, (int, float)):
            raise TypeError(
                f"a checkpoint keeps ints and floats, and the parameter {name!r} is {parameter.data!r:.40}: "
                "make it a float, or train without a checkpoint"
            )
    state = training.state_dict()
    for record in state["epochs"]:
        for name, figure in {**record["validation_metrics"], **record["metrics"]}.items():
            if not _is_kept(figure):
                raise TypeError(
                    f"a checkpoint can't keep what the metric {name!r} gives, {figure!r:.40}: "
                    "let it give a number, a text or lists of them"
                )
    try:
        return json.dumps(state)
    except (TypeError, ValueError) as error:
        raise TypeError(f"a checkpoint can't keep the state of this model or optimizer: {error}") from None


def _is_kept(figure: Any) -> bool:
    if isinstance(figure, (list, tuple)):
        return all([_is_kept(item) for item in figure])
    if isinstance(figure, dict):
        return all([isinstance(key, str) and _is_kept(item) for key, item in figure.items()])
    return figure is None or isinstance(figure, (int, float, str))


def load_checkpoint(training: Any, path: str | os.PathLike[str]) -> None:
    """Let a training go on from the file that `save_checkpoint` wrote.

    Nothing in the file is run, and all of it is checked before anything is changed.
    Raises BadInput where there is no such file, ValueError for a file that is no checkpoint,
    torn, of a later version or of another training.
    """
    text = read_text(path)
    try:
        state = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} is no whole checkpoint of microgrid: it is no JSON ({error})") from None
    try:
        training.load_state_dict(state)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def state_of(training: Any) -> dict[str, Any]:
    """The state of a training; see `train.state_dict`."""
    epoch, batch, total, outputs = training._done
    within = epoch == len(training.history)
    return {
        "format": FORMAT,
        "version": VERSION,
        "task": training.task,
        "given": training.given,
        "parameters": training.last_parameters(),
        "optimizer": training.optimizer.state_dict(),
        "random": training.model.extra_state() if isinstance(training.model, Module) else {},
        "epochs": [dict(vars(epoch)) for epoch in training.history],
        "within": {"steps": batch, "total": total, "outputs": outputs} if within else None,
        "best": training.best,
    }


def restore(training: Any, state: Mapping[str, Any]) -> None:
    """Set a training to a state; see `train.load_state_dict`."""
    try:
        epochs, within, best = _checked(training, state)
    except RecursionError:
        raise ValueError("it is no whole checkpoint: it is nested too deeply") from None
    optimizer = training.optimizer
    before = optimizer.state_dict()
    try:
        optimizer.load_state_dict(state["optimizer"])
        if isinstance(training.model, Module):
            training.model.load_extra_state(state["random"])
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        optimizer.load_state_dict(before)
        raise ValueError(f"it is no whole checkpoint: {error.args[0]}") from None
    for parameter, x in zip(optimizer.parameters, state["parameters"]):
        parameter.data = x
    training.history.epochs[:] = epochs
    training.history.stopped = ""
    training.best = best
    training.given = {**training.given, **{name: x for name, x in state["given"].items() if name in training.given}}
    training.rewind()
    if within:
        training.enter(within["steps"], within["total"], within["outputs"])


def _checked(training: Any, state: Any) -> tuple[list[Epoch], dict[str, Any] | None, tuple | None]:
    """The epochs, the place within the next, and the best.  Raises ValueError with what is wrong with a state."""
    _check(isinstance(state, Mapping) and state.get("format") == FORMAT, f'its "format" is not "{FORMAT}"')
    version = state.get("version")
    _check(type(version) is int and version == VERSION, f"its version is {version!r:.20}, and this one reads {VERSION}")
    for key in ("task", "given", "parameters", "optimizer", "random", "epochs", "within", "best"):
        _check(key in state, f"it has no {key!r}")
    _check(isinstance(state["task"], Mapping), "its task is no object")
    check_task(training.task, state["task"])
    count = len(training.optimizer.parameters)
    _check(_numbers(state["parameters"], count), f"its parameters are not {count} finite numbers")
    _check_optimizer(training.optimizer.state_dict(), state["optimizer"])
    _check(isinstance(state["given"], Mapping), "what its optimizer was given is no object")
    check_settings(training.given, state["given"], state["optimizer"].get("lr"))
    _check(isinstance(state["random"], Mapping), "its random generators are no object")
    _check(isinstance(state["epochs"], list), "its epochs are no list")
    epochs = [_epoch(training, i, record) for i, record in enumerate(state["epochs"], start=1)]
    return epochs, _within(training, state["within"]), _best(state["best"], len(epochs), count)


def _check_optimizer(here: Mapping[str, Any], there: Any) -> None:
    """Each number for a number, each list for a list; what they may be is the optimizer's to say."""
    _check(isinstance(there, Mapping), "its optimizer is no object")
    for name, mine in here.items():
        _check(name in there, f"its optimizer has no {name!r}")
        its = there[name]
        if isinstance(mine, (list, tuple)):
            _check(_numbers(its, len(mine), math.inf), f"the {name} of its optimizer are not {len(mine)} numbers")
        elif isinstance(mine, (bool, int, float)):
            alike = type(its) is bool if isinstance(mine, bool) else _numbers([its], 1)
            _check(alike, f"the {name} of its optimizer is {its!r:.20}")


def _within(training: Any, within: Any) -> dict[str, Any] | None:
    if within is None:
        return None
    _check(isinstance(within, Mapping) and type(within.get("steps")) is int, "its step is no number")
    _check(0 <= within["steps"] <= training.steps, f"its step is {within['steps']} of {training.steps}")
    _check(_numbers([within.get("total")], 1), "its step has no loss")
    outputs, done = within.get("outputs"), min(within["steps"] * training.batch_size, len(training.X))
    needed = done if training.metrics else 0
    _check(isinstance(outputs, list) and len(outputs) == needed, f"its step has not the outputs of {needed} examples")
    _check(all([_is_output(output) for output in outputs]), "an output in it is no number")
    return dict(within)


def _best(best: Any, epochs: int, count: int) -> tuple | None:
    if best is None:
        return None
    _check(isinstance(best, (list, tuple)) and len(best) == 3 and _is_number(best[0]), "its best is none")
    _check(type(best[1]) is int and 1 <= best[1] <= epochs + 1, f"its best epoch is {best[1]!r:.20} of {epochs}")
    _check(_numbers(best[2], count), f"its best parameters are not {count} finite numbers")
    return tuple(best)


def _epoch(training: Any, number: int, record: Any) -> Epoch:
    named = isinstance(record, Mapping) and type(record.get("number")) is int and record["number"] == number
    _check(named, f"its epoch {number} is not the next")
    _check(_numbers([record.get(name) for name in ("loss", "lr", "seconds")], 3), f"its epoch {number} has no loss")
    held = record.get("validation_loss")
    _check(_is_number(held) if training.held_back else held is None, f"the validation of its epoch {number} is no loss")
    for name, there in (("metrics", True), ("validation_metrics", training.held_back is not None)):
        names = set(training.metrics) if there else set()
        _check(
            isinstance(record.get(name), Mapping) and set(record[name]) == names,
            f"the {name} of its epoch {number} are not {', '.join(sorted(names)) or 'none'}",
        )
    try:
        return Epoch(**record)
    except TypeError as error:
        raise ValueError(f"it is no whole checkpoint: its epoch {number}: {error}") from None


def _numbers(numbers: Any, count: int, largest: float = LARGEST) -> bool:
    """Whether they are so many, from -largest to largest."""
    return (
        isinstance(numbers, (list, tuple))
        and len(numbers) == count
        and all([_is_number(x) and -largest <= x <= largest for x in numbers])
    )


def _is_number(x: Any) -> bool:
    return type(x) in (int, float)


def _is_output(x: Any) -> bool:
    return len(x) > 0 and all([_is_output(item) for item in x]) if isinstance(x, list) else _is_number(x)


def _check(condition: bool, reason: str) -> None:
    if not condition:
        raise ValueError(f"it is no whole checkpoint: {reason}")
