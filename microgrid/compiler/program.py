"""What `compile` returns: a function of numbers, with its gradient."""

import pickle
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from ..collector import without_collector
from ..engine import Value
from .arguments import Shape, any_array, flat, flat_leaves, leaves, rows_of, said, shape_of
from .calls import eager_error, in_arrays, row_shape, slopes_of, value_of
from .choice import choose
from .passes import slots
from .recorded import Recorded, recorded
from .tape import Tape


class Program:
    """A compiled function: called with numbers, it gives numbers.

    Attributes: parameters, the Values whose data are read at each call; batch, as in `compile`; backend, what
    ran last; why, in words, why that; tape, of the last shape that it was called with.
    Called with arguments like those of the function, or, for a batch, with rows of them; lists give lists, arrays
    give arrays.  Several threads may call it at once.
    """

    def __init__(
        self,
        f: Callable[..., Any] | None,
        names: Sequence[str],
        parameters: Sequence[Value],
        *,
        batch: str | None,
        penalty: Any,
        by: tuple[bool, bool],
        backend: str,
        dtype: str,
        exact: bool,
        threads: int,
        strict: bool = False,
    ) -> None:
        self.parameters, self.batch, self.dtype, self.threads = list(parameters), batch, dtype, threads
        self.backend, self.why = "", "it has not been called yet"
        self._f, self._names, self._penalty, self._by = f, list(names), penalty, by
        self._asked, self._exact, self._strict = backend, exact, strict
        self._recorded: dict[tuple[Shape, ...], Recorded] = {}
        self._last: Recorded | None = None
        self._work = self._calls = 0  # work: operations times rows, of all calls so far
        self._seconds = 0.0
        self._lock = threading.RLock()

    def __call__(self, *arguments: Any, parameters: Any = None) -> Any:
        """The value: what the function returns; for batch="rows" one for each row, for "sum" and "mean" one number.

        Arguments: those of the function, or rows of them; parameters, numbers to take in the place of the
        parameters' own.
        """
        return self._run(arguments, parameters, False, None)[0]

    def value_and_grad(self, *arguments: Any, parameters: Any = None, out: Any = None) -> tuple:
        """The value and its gradient by the parameters, by the inputs, or both, one after the other.

        Arguments: as of the call; out, a float array for the gradient by the parameters, so that none is made.
        Returns (value, gradient) or (value, gradient, input gradient).  That by the parameters is in their order,
        that by the inputs is laid out as the argument, or as a list of the arguments where there are several.
        Raises TypeError where the value is not one number.
        """
        value, *gradients = self._run(arguments, parameters, True, out)
        return (value, *[gradient for gradient, wanted in zip(gradients, self._by) if wanted])

    def backward(self, *arguments: Any) -> Any:
        """The value; its gradient is added to the `grad` of each parameter, as a graph's `backward()` does."""
        if not self._by[0]:
            raise TypeError("Program.backward fills the grad of parameters, of which it has none; use value_and_grad")
        value, gradient, _ = self._run(arguments, None, True, None)
        for parameter, slope in zip(self.parameters, flat(gradient)):
            parameter.grad += slope
        return value

    def bind(self, *arguments: Any, parameters: Any = None, out: Any = None) -> Callable[[], float]:
        """A function of nothing that computes the value and fills out, with no check and no array made at a call.

        Arguments: rows (or one example) of arrays, which are copied now, unless it is one contiguous array
        of the program's dtype; parameters, an array of that dtype, read at each call (without it the parameters'
        numbers as they are now); out, an array for the gradient by the parameters, None for the value alone.
        Returns a function that returns the value.
        """
        import numpy

        derivative = out is not None
        one, inputs, rows = self._read(arguments)
        self._scalar(one, derivative)
        if self.batch == "rows" or one.result:
            raise TypeError("Program.bind is for a program that gives one number; call this one")
        if derivative:
            self._check_out("bind", out)
        backend = "numpy" if self._asked == "python" else self._choice(one, 0, later=True)
        runner = one.runner(backend, self.dtype, derivative)
        kind = numpy.dtype(self.dtype)
        numbers = self._numbers(parameters, kind)
        if parameters is not None and numbers is not parameters:
            raise ValueError(
                f"Program.bind(parameters=...) reads one array at each call, contiguous and of {kind}; this one would "
                f"be copied once: hand in numpy.ascontiguousarray(parameters, numpy.{kind}), and change that"
            )
        values = numpy.zeros(1, kind)
        extra, matrix = in_arrays(inputs, rows, self.batch, kind)
        run = runner.bind(numbers, extra, matrix, values, out, None, self.threads)
        item = values.item

        def bound() -> float:
            run()
            return item(0)

        return bound

    def step(self, *arguments: Any) -> Any:
        """The steps of one example, for the player: what `microgrid.steps` gives for the graph of the function.

        Arguments: those of the function, also where the program takes rows.
        """
        from ..pictures.steps import steps

        shapes = tuple([shape_of(argument) for argument in arguments])
        given = [leaves(name, shape, flat(x)) for name, shape, x in zip(self._names, shapes, arguments)]
        if self._f is not None:
            return steps(self._f(*given))
        one = self._recording(arguments, shapes)
        own = [Value(p.data, label=p.label) for p in self.parameters]
        lines = one.value_tape.evaluate([leaf for argument in given for leaf in flat_leaves(argument)], own)
        return steps(lines[one.value_tape.outputs[0]])

    @property
    def tape(self) -> Tape:
        """The Wengert list: of the value and, where that is one number, of its gradient."""
        return self._known().tape

    @property
    def source(self) -> str:
        """The generated code, of what ran last."""
        backend = self.backend or ("python" if self._asked == "auto" else self._asked)
        one = self._known()
        return one.runner(backend, self.dtype, bool(one.tape.gradient or one.tape.input_gradient)).source

    def stats(self) -> dict[str, Any]:
        """Figures: operations of the tape, slots (numbers alive at once) and their bytes for one example,
        seconds of code generation, calls, and ns an operation, by rows of all calls so far."""
        one = self._known()
        count = slots(one.tape)[1]
        made = [runner.seconds for runner in one.runners.values()]
        return {
            "backend": self.backend,
            "operations": one.operations,
            "slots": count,
            "bytes": count * (4 if self.dtype == "float32" else 8),
            "code generation s": sum(made),
            "calls": self._calls,
            "ns an operation": 1e9 * self._seconds / self._work if self._calls else None,
        }

    def __repr__(self) -> str:
        tape = "not recorded yet" if self._last is None else f"{self._last.operations} operations"
        backend = self.backend or self._asked
        return f"<Program: {tape}, {len(self.parameters)} parameters, batch={self.batch!r}, {backend}>"

    def __getstate__(self) -> dict[str, Any]:
        state = {name: x for name, x in self.__dict__.items() if name != "_lock"}
        try:
            pickle.dumps((self._f, self._penalty))
        except Exception:  # a lambda, say: what has been recorded goes along, and nothing more can be
            state |= {"_f": None, "_penalty": None}
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _lock=threading.RLock())

    def _run(self, arguments: tuple, parameters: Any, derivative: bool, out: Any) -> tuple[Any, Any, Any]:
        one, inputs, rows = self._read(arguments)
        self._scalar(one, derivative)
        if out is not None:
            self._check_out("value_and_grad", out)
        backend = self._choice(one, rows)
        runner = one.runner(backend, self.dtype, derivative)
        start = time.perf_counter()
        if backend == "python":
            result = self._in_python(one, runner, inputs, rows, parameters, derivative, out)
        else:
            result = self._in_arrays(one, runner, inputs, rows, parameters, derivative, out)
        self._seconds += time.perf_counter() - start
        self._calls += 1
        return result

    def _in_python(
        self, one: Recorded, runner: Any, inputs: Any, rows: int, parameters: Any, derivative: bool, out: Any
    ) -> tuple:
        numbers = [p.data for p in self.parameters] if parameters is None else flat(parameters)
        self._check_count(len(numbers))
        given = flat(list(inputs)) if self.batch is None else rows_of(inputs)
        try:
            outputs, gradient, slopes = runner.run(numbers, given, 1 / rows)
        except (ArithmeticError, ValueError) as error:
            named = eager_error(one, numbers, self.parameters, given, derivative)
            if named is None:
                raise
            raise named from error  # which shows the line of the generated code
        arrays = any_array(inputs)
        if out is not None:
            out[:] = gradient
            gradient = out
        elif arrays:
            import numpy

            gradient = numpy.array(gradient, self.dtype)
        return value_of(one, outputs, self.dtype, arrays), gradient, slopes_of(one, slopes, self.dtype, arrays)

    def _in_arrays(
        self, one: Recorded, runner: Any, inputs: Any, rows: int, parameters: Any, derivative: bool, out: Any
    ) -> tuple:
        import numpy

        kind = numpy.dtype(self.dtype)
        extra, matrix = in_arrays(inputs, rows, self.batch, kind)
        count = len(one.tape.outputs)
        outputs = numpy.empty((rows, count) if self.batch == "rows" else count, kind)
        gradient = slopes = None
        if derivative and self._by[0]:
            gradient = numpy.empty(len(self.parameters), kind) if out is None else out
        if derivative and self._by[1]:
            slopes = numpy.empty(extra.shape[:1] if matrix is None else matrix.shape, kind)
        runner.run(self._numbers(parameters, kind), extra, matrix, outputs, gradient, slopes, self.threads)
        arrays = any_array(inputs)
        if gradient is not None and out is None and not arrays:
            gradient = gradient.tolist()
        if not arrays or self.batch is None:
            outputs, slopes = outputs.tolist(), None if slopes is None else slopes.tolist()
        return value_of(one, outputs, self.dtype, arrays), gradient, slopes_of(one, slopes, self.dtype, arrays)

    def _numbers(self, parameters: Any, kind: Any) -> Any:
        import numpy

        if parameters is None:
            return numpy.array([p.data for p in self.parameters], kind)
        numbers = numpy.ascontiguousarray(parameters, kind)
        self._check_count(len(numbers) if numbers.ndim == 1 else -1)
        return numbers

    def _check_count(self, count: int) -> None:
        if count != len(self.parameters):
            raise ValueError(
                f"Program(parameters=...) takes one list or array of {len(self.parameters)} numbers, in the order of "
                f"program.parameters; got {'something else' if count < 0 else count}"
            )

    def _check_out(self, name: str, out: Any) -> None:
        count = len(self.parameters)
        if not self._by[0]:
            raise ValueError(
                f"Program.{name}(out=...) is for the gradient by the parameters, which this one does not give"
            )
        if (
            getattr(out, "shape", None) != (count,)
            or str(out.dtype) != self.dtype
            or not out.flags.c_contiguous
            or not out.flags.writeable
        ):
            found = f"{out.dtype} of shape {out.shape}" if hasattr(out, "dtype") else f"{out!r:.40}"
            what = f"one contiguous writable array of {count} numbers, {self.dtype}"
            raise ValueError(f"Program.{name}(out=...) takes {what}, not {found}")

    def _read(self, arguments: tuple) -> tuple[Recorded, Any, int]:
        """The recording for such arguments; the arguments; how many rows."""
        if len(arguments) != len(self._names):
            raise TypeError(f"{self!r} was called with {len(arguments)} arguments; it takes {', '.join(self._names)}")
        if self.batch is None:
            shapes = tuple([shape_of(argument) for argument in arguments])
            return self._recording(arguments, shapes), arguments, 1
        counts = {
            len(argument) if hasattr(argument, "__len__") and getattr(argument, "ndim", 1) != 0 else -1
            for argument in arguments
        }
        if len(counts) != 1 or min(counts) < 1:
            found = ", ".join([f"{name}: {said(x)}" for name, x in zip(self._names, arguments)])
            raise ValueError(f"a program with batch={self.batch!r} takes as many rows of each argument; got {found}")
        shapes = tuple([row_shape(name, argument) for name, argument in zip(self._names, arguments)])
        return self._recording([argument[0] for argument in arguments], shapes), arguments, counts.pop()

    def _recording(self, example: Sequence[Any], shapes: tuple[Shape, ...]) -> Recorded:
        one = self._recorded.get(shapes)
        if one is None:
            with self._lock:
                one = self._recorded.get(shapes)
                if one is None:
                    one = self._record(example, shapes)
        self._last = one
        return one

    def _record(self, example: Sequence[Any], shapes: tuple[Shape, ...]) -> Recorded:
        if self._f is None:
            raise ValueError(
                "this program came out of a pickle without its function (or is of a graph), so it knows the shapes "
                "that it was called with before, and not this one"
            )
        one = without_collector(
            recorded, self._f, example, shapes, self._names, self.parameters, self.batch, self._by, self._penalty,
            self._exact, self._strict,
        )  # fmt: skip
        if one.result and self._penalty is not None:
            raise TypeError("compile(penalty=...) is added to one number, and this function returns a list")
        if one.result and self.batch in ("sum", "mean"):
            raise TypeError(
                f"compile(batch={self.batch!r}) adds up one number of each row, and this function returns a list; "
                'batch="rows" gives them all'
            )
        self._recorded[shapes] = one
        return one

    def _scalar(self, one: Recorded, derivative: bool) -> None:
        if derivative and (self.batch == "rows" or one.result):
            what = 'a value for each row; batch="sum" adds them up' if self.batch == "rows" else "a list"
            raise TypeError(f"the gradient is that of one number, and this program gives {what}")

    def _choice(self, one: Recorded, rows: int, later: bool = False) -> str:
        self._work += one.operations * rows
        if self._asked == "auto":
            self.backend, self.why = choose("auto", one.operations, self._work, later, rows)
        else:  # `compile` has looked whether it is there
            self.backend, self.why = self._asked, "as asked"
        return self.backend

    def _known(self) -> Recorded:
        if self._last is None:
            raise ValueError("this program has not been recorded yet: call it, or give compile(f, example=(...))")
        return self._last
