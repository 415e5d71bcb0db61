"""One recording of a function: its tapes, and what runs them."""

import threading
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

from ..engine import Value, topological_order
from .arguments import Shape, flat, leaves, mapped, shape_of
from .derivatives import differentiated
from .frozen import FrozenControlFlow, explain_index, refuse, watching
from .in_python import PythonProgram
from .passes import dead_code, shortened
from .tape import Tape, record

SECOND_LOOK = 300_000  # lines up to which a function is recorded twice, to see whether it freezes a number


class Recorded:
    """A function as it is for arguments of one shape.

    Attributes: shapes, of the arguments; result, the shape of what it returns; tape, its value and, if that is one
    number, the gradient; batch, as in `compile`.
    """

    def __init__(self, tape: Tape, shapes: tuple[Shape, ...], result: Shape, batch: str | None) -> None:
        self.tape, self.shapes, self.result, self.batch = tape, shapes, result, batch
        self.operations = tape.operations
        self.runners: dict[tuple, Any] = {}
        self._lock = threading.Lock()

    @cached_property
    def value_tape(self) -> Tape:
        """The tape without its derivatives."""
        return _value_of(self.tape)

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
        """Without what is made again in no time, or holds machine code; an interpreter's list is neither."""
        kept = {key: runner for key, runner in self.runners.items() if hasattr(runner, "from_tape")}
        state = {name: x for name, x in self.__dict__.items() if name not in ("_lock", "value_tape")}
        return state | {"runners": kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.Lock())


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
    strict: bool = False,
) -> Recorded:
    """f, run once on Values, written down, and shortened.

    Arguments: arguments, of one example; names, of the arguments; strict, whether parameters were looked for, so that
    a Value which is none has been missed; by, whether the derivatives by the
    parameters and by the inputs are wanted; the rest as in `compile`.
    """
    inputs, given = _fresh(names, shapes, [flat(argument) for argument in arguments])
    answer = _watched(f, given, [*inputs, *parameters])
    result = shape_of(answer, "a function to compile returns")
    roots = [x if isinstance(x, Value) else Value(x) for x in flat_values(answer)]
    if strict:
        _refuse_strangers(f, roots, lambda: flat_values(f(*given)), [*inputs, *parameters])
    tape = record(roots, inputs, parameters)
    _look_again(f, tape, names, shapes, arguments, parameters)
    if penalty is not None:
        tape = record(roots, inputs, parameters, _called(penalty, parameters, strict))
    if len(roots) > 1 or batch == "rows":
        by = False, False
    tape = differentiated(tape, by_parameters=by[0], by_inputs=by[1], seeded=batch == "mean")
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
    f: Any,
    tape: Tape,
    names: Sequence[str],
    shapes: Sequence[Shape],
    arguments: Sequence[Any],
    own: Sequence[Value],
) -> None:
    """f on other numbers: raises ValueError where another tape comes out, so that something was frozen.

    The others are a little off, of the other sign, and, for whole numbers, one more: of all arguments, or, where f
    refuses those, since a target may have to be 1 or -1, of the first.
    """
    here = [flat(argument) for argument in arguments]
    for move in MOVES:
        for many in (len(here), 1):
            moved = [[move(x) for x in numbers] for numbers in here[:many]] + here[many:]
            if len(tape) > SECOND_LOOK or moved == here:
                break
            inputs, given = _fresh(names, shapes, moved)
            try:
                answer = f(*given)
            except (ArithmeticError, ValueError):  # it need not be defined there
                continue
            roots = [x if isinstance(x, Value) else Value(x) for x in flat_values(answer)]
            _refuse_difference(f, tape, record(roots, inputs, own))
            break


MOVES: tuple[Callable[[Any], Any], ...] = (
    lambda x: x * 1.001 + 1e-4 if type(x) is float else x,
    lambda x: -x if type(x) is float else x,
    lambda x: x + 1 if x == x // 1 and abs(x) < 1e9 else x,
)


def _refuse_difference(f: Any, tape: Tape, other: Tape) -> None:
    if _comparable(tape) == _comparable(other):
        return
    what = f"the number of operations, {tape.operations},"
    for line, (a, b) in enumerate(zip(tape, other)):
        if (a.op, a.operands, repr(a.number)) != (b.op, b.operands, repr(b.number)):
            use = next((i for i in range(line + 1, len(tape)) if line in tape[i].operands), None)
            what = f"the number {a.number!r}" if a.op == "constant" else f"the operation {a.op!r}"
            what += f", an operand of {tape[use].op!r}," if use is not None else ""
            break
    else:
        if len(tape) == len(other):
            what = "which value it returns"
    raise FrozenControlFlow(
        f"compile({_name(f)}): {what} is another for other arguments, and a program would keep it: it was decided or "
        "computed by x.data (or x.grad, or another program), or drawn by chance. Compute it from x"
    )


def _comparable(tape: Tape) -> tuple:
    """All but the labels; repr tells nan from nothing, and the zeros and 1 from 1.0."""
    return [one[:2] for one in tape], [repr(one[2]) for one in tape if one[0] == "constant"], tape.outputs


def _refuse_strangers(f: Any, roots: list[Value], again: Callable[[], list], known: list[Value]) -> None:
    """Raises ValueError where f uses a Value from around it that is no parameter: a second run has the same one."""
    mine = _leaves_below(roots) - set(known)
    if not mine:
        return
    strangers = mine & _leaves_below([x for x in again() if isinstance(x, Value)])
    if strangers:
        shown = ", ".join(sorted([f"{x!r:.60}" for x in strangers])[:3])
        more = f" and {len(strangers) - 3} more" if len(strangers) > 3 else ""
        raise ValueError(
            f"compile({_name(f)}): it uses {shown}{more}, which would be frozen: no parameter of the program, though "
            "there before the call. Write compile(f, parameters=[...]) with the models and Values that it "
            "learns, and numbers, x.data, for what it does not"
        )


def _leaves_below(roots: Sequence[Value]) -> set[Value]:
    return {node for node in topological_order(Value(0, tuple(roots)))[:-1] if not node.parents}


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
    tape = record(root, inputs, parameters, _called(penalty, parameters, False))
    tape = differentiated(tape, by_parameters=by[0] and batch != "rows", by_inputs=by[1], seeded=batch == "mean")
    return Recorded(shortened(tape, batch is not None, exact), ((),) * len(inputs), (), batch)


def _called(penalty: Any, parameters: Sequence[Value], strict: bool) -> Value | None:
    """The graph of the penalty.  Raises as `recorded`."""
    if penalty is None or isinstance(penalty, Value):
        return penalty
    if not callable(penalty):
        raise TypeError(
            f"compile(penalty=...) is a Value of the parameters, or a function that returns one, not {penalty!r:.50}"
        )
    value = _watched(penalty, [], list(parameters))
    if not isinstance(value, Value):
        raise TypeError(
            f"compile(penalty=...) is a Value of the parameters, or a function that returns one, not {value!r:.50}"
        )
    if strict:
        _refuse_strangers(penalty, [value], lambda: [penalty()], list(parameters))
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
