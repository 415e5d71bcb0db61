"""What a training is of: what has to be the same where one goes on from a checkpoint."""

import functools
import json
from collections.abc import Iterable, Mapping
from typing import Any
from zlib import crc32

from ..engine import Value
from ..nn import Module
from .blueprint import blueprint_of

AGAIN = "a training goes on with the same model, data, loss, penalty, clipping, optimizer, batch_size, seed and metrics"


def task_of(training: Any) -> dict[str, Any]:
    """What has to be the same, by its name in a message."""
    model, held = training.model, training.held_back
    blueprint = blueprint_of(model) if isinstance(model, Module) else None
    return {
        "parameters": [name for name, _ in named_parameters(training)],
        "model": _name(model),
        "blueprint": json.loads(json.dumps(blueprint)),
        "optimizer": type(training.optimizer).__name__,
        "loss": _name(training.loss),
        "penalty": None if training.penalty is None else _name(training.penalty),
        "clip_norm": None if training.clip_norm is None else float(training.clip_norm),
        "clip_value": None if training.clip_value is None else float(training.clip_value),
        "examples": len(training.X),
        "batch_size": training.batch_size,
        "shuffle": training.shuffle,
        "seed": training.seed,
        "metrics": list(training.metrics),
        "validation": len(held[0]) if held else 0,
        "data": crc32(repr(_plain([training.X, training.y, held])).encode()),
    }


def check_task(here: Mapping[str, Any], there: Mapping[str, Any]) -> None:
    """Raises ValueError with the first thing that is not the same."""
    for name, mine in here.items():
        its = there.get(name)
        if its == mine and type(its) is type(mine):
            continue
        said = f"its {name} is {its!r:.200}, and here it is {mine!r:.200}"
        if name == "parameters":
            said = _other_parameters(mine, its)
        if name == "data":
            said = "its data are not these"
        raise ValueError(f"it is of another training: {said}; {AGAIN}")


def settings_of(training: Any) -> dict[str, Any]:
    """The numbers that the optimizer was given, as they are before the training; no lr where a schedule sets it."""
    state = {name: x for name, x in training.optimizer.state_dict().items() if not isinstance(x, list)}
    left_out = ("steps",) if training.schedule is None else ("steps", "lr")
    return {name: list(x) if isinstance(x, tuple) else x for name, x in state.items() if name not in left_out}


def check_settings(here: Mapping[str, Any], there: Mapping[str, Any], lr: Any) -> None:
    """Raises ValueError where the optimizer was given other numbers.

    Arguments: here and there, `settings_of` both trainings; lr, the learning rate that will be gone on
    with, which an optimizer that was in that training still has.
    """
    for name, mine in here.items():
        if name == "lr" and (name not in there or mine == lr):
            continue
        its = there.get(name)
        if its != mine or isinstance(its, bool) is not isinstance(mine, bool):
            other = f"; for another lr, take schedule=constant({mine})" if name == "lr" else ""
            raise ValueError(
                f"it is of another training: its {name} is {its!r:.40}, and here it is {mine!r}: "
                f"to go on, make the optimizer with {name}={its!r:.40}{other}"
            )


def named_parameters(training: Any) -> list[tuple[str, Value]]:
    """The optimizer's parameters by their names in the model, or by number where they have none."""
    model, parameters = training.model, training.optimizer.parameters
    names = {id(p): name for name, p in model.named_parameters()} if isinstance(model, Module) else {}
    return [(names.get(id(p), str(i)), p) for i, p in enumerate(parameters)]


def _other_parameters(mine: list[str], its: Any) -> str:
    if not isinstance(its, list) or len(its) != len(mine):
        many = len(its) if isinstance(its, list) else f"{its!r:.20}"
        return f"its {many} parameters are not these {len(mine)}"
    i, its_name, name = next((i, a, b) for i, (a, b) in enumerate(zip(its, mine)) if a != b)
    return f"its parameter {i} is {its_name!r:.60}, and here it is {name!r}"


def _name(thing: Any) -> str:
    """Of a function its own name, with what a partial has filled in; of anything else the name of its class."""
    if isinstance(thing, functools.partial):
        filled = [*[repr(x) for x in thing.args], *[f"{key}={x!r}" for key, x in thing.keywords.items()]]
        return f"{_name(thing.func)}({', '.join(filled)})"
    return getattr(thing, "__qualname__", type(thing).__qualname__)


def _plain(data: Any) -> Any:
    """Data as lists of numbers and texts, whose repr is the same in each process."""
    if hasattr(data, "tolist"):
        return data.tolist()
    if isinstance(data, Value):
        return _plain(data.data)
    if data is None or isinstance(data, (str, bytes, int, float)):
        return data
    if isinstance(data, Mapping):
        return [[_plain(key), _plain(value)] for key, value in data.items()]
    if isinstance(data, Iterable):
        return [_plain(item) for item in data]
    shown = repr(data)
    return type(data).__qualname__ if " at 0x" in shown else shown
