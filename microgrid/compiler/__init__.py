"""From a graph to a program: the tape, its passes, and what runs it."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from ..collector import without_collector
from ..engine import Value, topological_order
from ..module import Module
from .choice import BACKENDS, choose
from .found import found_in, parameters_of
from .program import Program
from .recorded import of_a_graph
from .tape import Instruction, Tape, record

__all__ = ["Instruction", "Program", "Tape", "compile", "record"]

BATCHES = (None, "rows", "sum", "mean")
BY = {"parameters": (True, False), "inputs": (False, True), "both": (True, True)}


def compile(
    f: Callable[..., Any] | Value,
    example: Sequence[Any] | None = None,
    *,
    parameters: Any = None,
    inputs: Sequence[Value] = (),
    batch: str | None = None,
    penalty: Any = None,
    by: str | None = None,
    backend: str = "auto",
    dtype: str = "float64",
    exact: bool = True,
    threads: int = 1,
) -> Program:
    """A function of Values as a program, with its gradient: the same numbers, without a graph at each call.

    f is run on Values (lists of them, where there are arrays) for each shape of its arguments; what it did is written
    down as a `Tape`, with its derivatives, which come from the nodes' own closures.  So an `if` on a number that
    depends on the arguments can't be in it: an error names its line.  To find what else would be frozen, such as
    x.data, f is run again on other numbers.  Checks that f makes of its arguments are made while it is recorded, not
    at each call; where Python would raise, arrays and machine code give nan or inf (IEEE 754).  A batch is added up row
    by row.
    Arguments: f, a function, a Module, or a Value, the root of a graph; example, arguments to record it
    with at once; parameters, the Values that it may learn, or Modules of them: their numbers are read at
    each call; without it all Modules and Values that f names; inputs, of a graph, the leaves that a call
    sets (of a graph, without parameters=, the parameters are the leaves with a label that are no inputs);
    batch, None if a call takes one example, "rows" for the values of many, "sum" or "mean" for one value, and
    gradient, of all; penalty, a function of nothing, or a Value, of parameters alone, that is added once;
    by, "parameters", "inputs" or "both": the gradient by what; without it by the parameters, if there are any;
    backend, "python", "numpy", "native" (machine code, by llvmlite), or "auto", which takes Python for a few
    calls, then the fastest that is installed; dtype, "float64" or "float32", of arrays and machine code;
    exact, False to allow algebra that may change the last bits; threads, of "native", for many rows.
    Returns a `Program`.
    Raises ValueError for control flow that would be frozen and for options that can't be, TypeError for what
    is no function, ModuleNotFoundError for a backend that is not installed.
    Source: Griewank & Walther 2008, chapter 4 and section 6.1; Wengert 1964.

    >>> from microgrid import sin
    >>> program = compile(lambda x, y: x * y + sin(x))
    >>> program(2.0, 3.0) == 2 * 3 + sin(2.0)
    True
    >>> value, slopes = program.value_and_grad(2.0, 3.0); slopes[1]
    2.0
    """
    _check_options(f, batch, by, backend, dtype, threads)
    for name, given, what in (("inputs", inputs, "leaves of the graph"), ("example", example, "one for each argument")):
        if given is not None and (isinstance(given, (str, Value)) or not hasattr(given, "__len__")):
            raise TypeError(f"compile({name}={given!r:.50}): {name}=[...] is a list, {what}")
    if penalty is not None and batch == "rows":
        raise ValueError('compile(batch="rows", penalty=...): a penalty is added to one number, as of batch="sum"')
    if isinstance(f, Value):
        own_inputs = {leaf for leaf in inputs if isinstance(leaf, Value)}
        chosen = [n for n in topological_order(f) if not n.parents and n.label and n not in own_inputs]
        own = parameters_of(chosen if parameters is None else parameters)
        _check_leaves(inputs, own)
        names = [str(leaf.label) or f"x{i}" for i, leaf in enumerate(inputs)]
    else:
        things = found_in(f) if parameters is None else parameters
        _refuse_chance(found_in(f))
        own = parameters_of(things)
        names = _names(f)
    if by in ("parameters", "both") and not own:
        raise ValueError(f"compile(by={by!r}): it has no parameters; give them, as in parameters=model")
    wanted = BY[by or ("parameters" if own else "inputs")]
    program = Program(
        None if isinstance(f, Value) else f, names, own,
        batch=batch, penalty=penalty, by=wanted, backend=backend, dtype=dtype, exact=exact, threads=threads,
        strict=parameters is None,
    )  # fmt: skip
    if isinstance(f, Value):
        one = without_collector(of_a_graph, f, inputs, own, batch, wanted, penalty, exact)
        program._recorded[one.shapes] = program._last = one
    elif example is not None:
        program._read(tuple(example) if batch is None else tuple([[x] for x in example]))
    return program


def _check_options(f: Any, batch: Any, by: Any, backend: Any, dtype: Any, threads: Any) -> None:
    if not callable(f) and not isinstance(f, Value):
        raise TypeError(f"compile takes a function, a Module or a Value, not {f!r:.50}")
    for name, given, known in (
        ("batch", batch, BATCHES), ("by", by, (None, *BY)), ("backend", backend, BACKENDS),
        ("dtype", dtype, ("float64", "float32")),
    ):  # fmt: skip
        if given not in known:
            raise ValueError(f"compile({name}={given!r:.50}): one of {', '.join(map(repr, known))}")
    if backend != "auto":
        choose(backend, 0, 0)
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"compile(threads={threads!r:.50}): a whole number, 1 or more")


def _check_leaves(inputs: Sequence[Any], parameters: Sequence[Value]) -> None:
    seen = set(parameters)
    for leaf in inputs:
        if not isinstance(leaf, Value) or leaf.parents:
            raise TypeError(
                f"compile(inputs=...) takes leaves of the graph, Values that were not computed, not {leaf!r:.50}"
            )
        if leaf in seen:
            raise ValueError(f"compile(inputs=...): {leaf!r:.60} is there twice, or is a parameter too")
        seen.add(leaf)


def _refuse_chance(things: list[Any]) -> None:
    for thing in things:
        if isinstance(thing, Module) and thing.training and thing.extra_state():
            where = next(iter(thing.extra_state()))
            raise ValueError(
                f"compile: {where} of {thing!r:.60} draws numbers at each call, and a program would draw them once, "
                "while it is recorded; compile it in use, after model.eval()"
            )


def _names(f: Any) -> list[str]:
    """The names of the arguments that f has to be called with."""
    call = f.__call__ if isinstance(f, Module) else f  # type: ignore[operator]
    try:
        signature = inspect.signature(call)
    except (TypeError, ValueError):
        raise TypeError(f"compile can't tell the arguments of {f!r:.50}: wrap it, as in lambda x: f(x)") from None
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    for parameter in signature.parameters.values():
        if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            said = f"compile can't tell how many arguments *{parameter.name} are"
            raise TypeError(f"{said}: wrap it, as in lambda x, y: f(x, y)")
    return [p.name for p in signature.parameters.values() if p.kind in kinds and p.default is inspect.Parameter.empty]
