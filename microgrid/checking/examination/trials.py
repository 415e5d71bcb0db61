"""What is tried on an engine: a few lines of arithmetic, run with its values; and what is then read off."""

import gc
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from ... import functions
from ...engine import Value
from .face import Engine, Face, NoEngine, load

ROOT = "L"
GIVEN = 1 / 3  # whose digits no single precision, rounding or whole number keeps


@dataclass(frozen=True)
class Trial:
    """Lines of Python over named values, and what is done with them.

    Attributes: lines, of which one gives `L`, the root; inputs, numbers by name;
    backwards, how often the sweep is called; grads, set before the lines; edits, `data` set between forward and
    backward; then, lines of a second graph over the same inputs, whose grads are set to 0 before it; kind, "run", or
    "freed" (what is left of a graph), or "describe".
    """

    lines: str
    inputs: Mapping[str, float] = field(default_factory=dict)
    backwards: int = 1
    grads: Mapping[str, float] = field(default_factory=dict)
    edits: Mapping[str, float] = field(default_factory=dict)
    then: str = ""
    kind: str = "run"

    def __str__(self) -> str:
        given = ", ".join([f"{name} = {number:g}" for name, number in self.inputs.items()])
        return f"{given}; {self.lines}".replace("\n", "; ")


def observe(engine: Engine, trials: Sequence[Trial]) -> Iterator[dict[str, Any]]:
    """For each trial what the engine says: data and grads by name, or the error.  Runs in a process of its own."""
    start = time.perf_counter()
    try:
        face = load(engine)
    except NoEngine as error:
        yield {"no engine": str(error)}
        return
    except BaseException as error:
        yield {"error": _error(error, engine.path, "import")}
        return
    seconds = time.perf_counter() - start
    for trial in trials:
        yield {"describe": _described, "freed": _freed, "run": run}[trial.kind](face, trial) | {"seconds": seconds}


def run(face: Face, trial: Trial) -> dict[str, Any]:
    """The trial with values of this engine: data, a row of grads for each sweep, and the data of the inputs after."""
    phase = "forward"
    try:
        values = {name: face.make(number) for name, number in trial.inputs.items()}
        inputs = dict(values)
        for name, number in trial.grads.items():
            with suppress(AttributeError, TypeError):  # it can't be set: then nothing is there before
                setattr(values[name], face.grad, number)
        names = execute(face, trial.lines, values)
        if names[ROOT] is None:
            raise TypeError(f"{ROOT} is None: is a `return` missing?")
        data = {name: face.data_of(value) for name, value in names.items() if face.is_value(value)}
        if ROOT not in data:
            raise TypeError(f"{ROOT} is a {type(names[ROOT]).__name__}, no {face.kind.__name__}")
        for name, number in trial.edits.items():
            setattr(names[name], face.data, number)
        phase = "backward"
        rows, refused = _sweeps(face, names, [*data], trial.backwards)
        if trial.then:
            for value in inputs.values():
                with suppress(AttributeError, TypeError):
                    setattr(value, face.grad, 0.0)
            face.backward(execute(face, trial.then, inputs)[ROOT])  # type: ignore[misc]
            rows = [{name: face.grad_of(names[name]) for name in data}]
        after = {name: face.data_of(value) for name, value in inputs.items()}
        later = {name: face.data_of(names[name]) for name in data}
        return {"data": data, "grads": rows, "after": after, "later": later, "refused": refused}
    except Exception as error:
        return {"error": _error(error, face.path, phase)}


def _sweeps(face: Face, names: Mapping[str, Any], read: Sequence[str], many: int) -> tuple[list[Any], str]:
    """The grads after each sweep, and what an engine says that refuses a further one, as PyTorch does."""
    rows: list[dict[str, float]] = []
    for i in range(many if face.backward else 0):
        try:
            face.backward(names[ROOT])  # type: ignore[misc]
        except Exception as error:  # of a stranger's code
            if not i:
                raise
            return rows, f"{type(error).__name__}: {error}"
        rows.append({name: face.grad_of(names[name]) for name in read})
    return rows, ""


def sound(trial: Trial, answer: dict[str, Any]) -> bool:
    """Whether an answer has the form that it must have: an engine may replace all of Python in its process."""
    if "error" in answer:
        texts = [answer["error"].get(name) for name in ("type", "message", "phase", "function")]
        return all([isinstance(text, str) for text in texts]) and isinstance(answer["error"].get("line"), int)
    if "no engine" in answer:
        return isinstance(answer["no engine"], str)
    if trial.kind == "describe":
        numbers = all([isinstance(answer.get(name), int | float) for name in ("start", "given", "seconds")])
        texts = [answer.get("class"), *answer.get("there", [None]), *answer.get("shared", [None])]
        return numbers and all([isinstance(text, str) for text in texts]) and {"single", "backward"} <= answer.keys()
    if trial.kind == "freed":
        return all([isinstance(answer.get(name), int) for name in ("left", "kept")])
    wanted = {ROOT, *trial.inputs}
    tables = [answer.get("data"), answer.get("later"), *answer.get("grads", [])]
    return isinstance(answer.get("refused"), str) and len(tables) <= 2 + trial.backwards and all([
        isinstance(table, dict) and names <= table.keys() and all([type(x) is float for x in table.values()])
        for table, names in [*[(table, wanted) for table in tables], (answer.get("after"), set(trial.inputs))]
    ])  # fmt: skip


def execute(face: Face, lines: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The lines run, with the engine's functions; the names that stand for something afterwards."""
    own = {name: function for name, function in face.there.items() if name.isidentifier()}
    names: dict[str, Any] = {**own, **values}
    exec(lines, {"__builtins__": {"range": range, "sum": sum, "abs": abs}}, names)
    return {name: value for name, value in names.items() if name not in own and name != "_"}


def run_names(face: Face, trial: Trial) -> dict[str, Any]:
    """The values of a trial by name, after one sweep."""
    names = execute(face, trial.lines, {name: face.make(number) for name, number in trial.inputs.items()})
    face.backward(names[ROOT])  # type: ignore[misc]
    return {name: value for name, value in names.items() if face.is_value(value)}


def _described(face: Face, trial: Trial) -> dict[str, Any]:
    """What the engine has, to choose the trials by."""
    value, other = face.make(GIVEN), face.make(0.3)
    shared = []
    with suppress(Exception):  # it may have no sum yet
        total = face.there["+"](value, other)
        shared = [
            name for name, part in _parts(total).items()
            if isinstance(part, list | set | tuple) and any([one is value for one in part])
            and part is _parts(face.make(0.5)).get(name)
        ]  # fmt: skip
    data = face.data_of(value)
    return {
        "backward": face.backward is not None,
        "start": face.grad_of(value),
        "given": data,
        "shared": shared,
        "class": face.kind.__name__,
        "there": sorted(face.there),
        "single": 1e-12 < abs(data - GIVEN) < 1e-7,
    }


def _parts(value: Any) -> dict[str, Any]:
    """What a value holds, with what its class holds for all."""
    slots = [name for kind in type(value).__mro__ for name in vars(kind) if not name.startswith("__")]
    names = [*vars(value)] if hasattr(value, "__dict__") else []
    return {name: getattr(value, name, None) for name in [*names, *slots]}


def _freed(face: Face, trial: Trial) -> dict[str, Any]:
    """How many values are left of a graph that is let go, before the collector has run and after."""
    gc.collect()
    gc.disable()
    before = _count(face)
    seen = run(face, trial)
    if "error" in seen:
        return seen
    left = _count(face) - before
    gc.collect()
    return {"left": left, "kept": _count(face) - before}


def _count(face: Face) -> int:
    return len([1 for thing in gc.get_objects() if type(thing) is face.kind])


def _error(error: BaseException, path: str, phase: str) -> dict[str, Any]:
    """An error as it is told: its type and words, and the last line of the engine's file on the way to it."""
    line, function = 0, ""
    trace = error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line, function = trace.tb_lineno, trace.tb_frame.f_code.co_name
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno or 0
    message = f"{error}"[:300] if not isinstance(error, RecursionError) else "maximum recursion depth exceeded"
    return {"type": type(error).__name__, "message": message, "phase": phase, "line": line, "function": function}


def ours() -> Face:
    """microgrid itself, to say what is right."""
    return load(Engine(Value, functions=functions))
