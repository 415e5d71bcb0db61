"""One recording of a function: its tapes, and what runs them."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

from ..engine import Value
from .arguments import Shape, flat, leaves, mapped, shape_of
from .frozen import FrozenControlFlow, explain_index, refuse, watching
from .in_python import PythonProgram
from .passes import dead_code, shortened
from .recording import differentiated
from .tape import Tape, record

SECOND_LOOK = 20_000  # lines up to which a function is recorded twice, to see whether it freezes a number


class Recorded:
    """A function as it is for arguments of one shape.

    Attributes: shapes, of the arguments; result, the shape of what it returns; tape, its value and, if that is one
    number, the gradient; batch, as in `compile`.
    """

    def __init__(self, tape: Tape, shapes: tuple[Shape, ...], result: Shape, batch: str | None) -> None:
        self.tape, self.shapes, self.result, self.batch = tape, shapes, result, batch
        self.value_tape, self.operations = _value_of(tape), tape.operations
        self.runners: dict[tuple, Any] = {}
        self._lock = threading.Lock()

    def runner(self, backend: str, dtype: str, derivative: bool) -> Any:
        """What runs it: a PythonProgram, or one on arrays."""
        key = backend, dtype, derivative
        if key not in self.runners:
            with self._lock:
                if key not in self.runners:
                    self.runners[key] = self._made(backend, dtype, self.tape if derivative else self.value_tape)
        return self.runners[key]

    def _made(self, backend: str, dtype: str, tape: Tape) -> Any:
        if backend == "python":
            return PythonProgram(tape, self.batch)
        if backend == "native":
            from .native import program

            return program(tape, self.batch, dtype)
        from .in_numpy import NumpyProgram
        from .rolling import roll

        return NumpyProgram(roll(tape, self.batch), dtype)

    def __getstate__(self) -> dict[str, Any]:
        return {"tape": self.tape, "shapes": self.shapes, "result": self.result, "batch": self.batch}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def recorded(
    f: Callable[..., Any],
    arguments: Sequence[Any],
    shapes: tuple[Shape, ...],
    names: Sequence[str],
    parameters: Sequence[Value],
    batch: str | None,
    by: tuple[bool, bool],
    penalty: Any,
    exact: bool,
) -> Recorded:
    """f, run once on Values, written down, and shortened.

    Arguments: arguments, of one example; names, of the arguments; by, whether the derivatives by the
    parameters and by the inputs are wanted; the rest as in `compile`.
    """
    inputs, given = _fresh(names, shapes, [flat(argument) for argument in arguments])
    answer = _watched(f, given, [*inputs, *parameters])
    result = shape_of(answer, "a function to compile returns")
    roots = [x if isinstance(x, Value) else Value(x) for x in flat_values(answer)]
    _look_again(f, record(roots, inputs, parameters), names, shapes, arguments, parameters)
    if len(roots) > 1 or batch == "rows":
        by = False, by[1] and len(roots) == 1
    tape = differentiated(
        roots, inputs, parameters, by_parameters=by[0], by_inputs=by[1],
        seed=Value(1.0, label="1/rows") if batch == "mean" else None, penalty=_called(penalty),
    )  # fmt: skip
    return Recorded(shortened(tape, batch is not None, exact), shapes, result, batch)


def _fresh(names: Sequence[str], shapes: Sequence[Shape], numbers: Sequence[list]) -> tuple[list[Value], list]:
    """Values for the inputs: all in a row, and as the arguments of a function."""
    given = [leaves(*one) for one in zip(names, shapes, numbers)]
    return [leaf for argument in given for leaf in flat_values(argument)], given


def _watched(f: Any, given: list, leaves: list[Value]) -> Any:
    """f(*given).  Raises ValueError where it decides something by a number that changes."""
    name = f"compile({_name(f)})"
    try:
        with watching(leaves) as findings:
            answer = f(*given)
    except TypeError as error:
        better = explain_index(error, name)
        if better is error:
            raise
        raise better from error
    refuse(findings, name)
    return answer


def _look_again(
    f: Any, tape: Tape, names: Sequence[str], shapes: Sequence[Shape], arguments: Sequence[Any], own: Sequence[Value]
) -> None:
    """f on other numbers: raises ValueError where another tape comes out, so that something was frozen.

    The others are a little off, and of the other sign: of all arguments, or, where f refuses those, since a target may
    have to be 1 or -1, of the first.  Whole numbers stay: they may be there to choose by.
    """
    here = [flat(argument) for argument in arguments]
    for move in (lambda x: x * 1.001 + 1e-4, lambda x: -x):
        for many in (len(here), 1):
            moved = [[move(x) if type(x) is float else x for x in numbers] for numbers in here[:many]] + here[many:]
            if len(tape) > SECOND_LOOK or moved == here:
                return
            inputs, given = _fresh(names, shapes, moved)
            try:
                answer = f(*given)
            except (ArithmeticError, ValueError):  # it need not be defined there
                continue
            roots = [x if isinstance(x, Value) else Value(x) for x in flat_values(answer)]
            _refuse_difference(f, tape, record(roots, inputs, own))
            break


def _refuse_difference(f: Any, tape: Tape, other: Tape) -> None:
    for line, (a, b) in enumerate(zip(tape, other)):
        if (a.op, a.operands, repr(a.number)) != (b.op, b.operands, repr(b.number)):
            use = next((i for i in range(line + 1, len(tape)) if line in tape[i].operands), line)
            what = f"the number {a.number!r}" if a.op == "constant" else f"the operation {a.op!r}"
            raise FrozenControlFlow(
                f"compile({_name(f)}): {what}, an operand of {tape[use].op!r}, is another for other arguments, and a "
                "program would keep it: it was computed from x.data, or drawn by chance. Compute it from x"
            )


def _name(f: Any) -> str:
    return getattr(f, "__name__", type(f).__name__)


def of_a_graph(
    root: Value,
    inputs: Sequence[Value],
    parameters: Sequence[Value],
    batch: str | None,
    by: tuple[bool, bool],
    penalty: Any,
    exact: bool,
) -> Recorded:
    """A graph that is there already; its inputs are the arguments, one number each."""
    for leaf in inputs:
        if not isinstance(leaf, Value) or leaf.parents:
            raise TypeError(
                f"compile(inputs=...) takes leaves of the graph, Values that were not computed, not {leaf!r:.50}"
            )
    tape = differentiated(
        [root], inputs, parameters, by_parameters=by[0] and batch != "rows", by_inputs=by[1],
        seed=Value(1.0, label="1/rows") if batch == "mean" else None, penalty=_called(penalty),
    )  # fmt: skip
    return Recorded(shortened(tape, batch is not None, exact), ((),) * len(inputs), (), batch)


def _called(penalty: Any) -> Value | None:
    value = penalty() if callable(penalty) else penalty
    if value is not None and not isinstance(value, Value):
        raise TypeError(
            f"compile(penalty=...) is a Value of the parameters, or a function that returns one, not {value!r:.50}"
        )
    return value


def flat_values(thing: Any) -> list:
    """The Values and numbers in nested lists, from left to right."""
    found: list = []
    mapped(found.append, thing)
    return found


def _value_of(tape: Tape) -> Tape:
    """The tape without its derivatives."""
    twin = tape.rebuilt(tape.instructions, range(len(tape)))
    twin.gradient, twin.input_gradient, twin.penalty_gradient = [], [], []
    return dead_code(twin)
