"""A program done by an interpreter: nothing is generated for it, so that any length is ready at once.

Its instructions are read one after the other (`kernels.py`): for numbers of the call one at a time, for numbers
of the rows a block of rows at a time.  For programs too long for generated code.
"""

import time
from collections.abc import Callable
from ctypes import c_void_p
from dataclasses import replace
from functools import lru_cache, partial
from itertools import pairwise
from typing import Any

import numpy as np

from ...collector import without_collector
from ..rolled import Operand, Rolled
from . import build
from .inner import SUMMED
from .instructions import instructions, listing
from .kernels import ROUTINES, module_text
from .memory import Memory
from .running import Shared, Work, address, function_at
from .sections import Section, Sections, in_sections, section

ROOM = 2**21  # bytes for the numbers of a block of 32 rows; beyond, blocks of 8 keep them near
NANOSECONDS = 1.5  # roughly, for one instruction and eight rows
WORTH_A_THREAD = 350_000  # nanoseconds; two from 0.7 ms on, since a sleeping one may take long to wake


class Interpreter:
    """A program that runs without code of its own.

    Arguments: rolled, the program, in groups or in sections; type, "double" or "float".
    Attributes: source, the instructions as text; seconds, what it took to get ready.
    Raises ModuleNotFoundError without llvmlite.
    """

    def __init__(self, rolled: Rolled | Sections, type: str = "double") -> None:
        started = time.perf_counter()
        program = without_collector(in_sections, rolled) if isinstance(rolled, Rolled) else rolled
        self._number = np.dtype({"double": np.float64, "float": np.float32}[type])
        constants, rows = program.constants, program.row_count if program.row_count else None
        before, after = [instructions(part, constants, None) for part in (program.before, program.after)]
        body = instructions(program.body, constants, rows)
        nothing = section([], False)
        self._program = replace(program, before=nothing, body=nothing, after=nothing)
        self._parts, self._routines = [before, body, after], ROUTINES
        self._ready()
        self.seconds = time.perf_counter() - started

    def _ready(self) -> None:
        """The routines for these instructions, as machine code."""
        if self._routines != ROUTINES:
            raise RuntimeError("this program was pickled by another version of microgrid: compile it again")
        before, body, after = self._parts
        type = {8: "double", 4: "float"}[self._number.itemsize]
        self._lanes = 32 if body.places * 32 * self._number.itemsize <= ROOM else 8
        self._start, self._finish = _functions(before.routines() | after.routines(), 1, type)
        self._blocks = _functions(body.routines(), self._lanes, type)[0] if self._program.row_count else None
        self._spare: list[Memory] = []

    def __getstate__(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in ("_program", "_parts", "_routines", "_number", "seconds")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)  # the machine code comes with the first call

    def __getattr__(self, name: str) -> Any:
        if name not in ("_start", "_finish", "_blocks", "_lanes", "_spare"):
            raise AttributeError(f"an Interpreter has no attribute {name!r}")
        self._ready()
        return self.__dict__[name]

    @classmethod
    def from_tape(
        cls, ops: Any, a: Any, b: Any, c: Any, table: Any = (), *, constants: Any, parameters: int = 0,
        arguments: int = 0, results: Any = None, outputs: Any, gradient: Any = None, input_gradient: Any = None,
        type: str = "double",
    ) -> "Interpreter":  # fmt: skip
        """The program of a tape without a batch, from arrays.

        Arguments: ops, uint8, each a number of `sections.CODE`; a, b, c, int32, the places of the operands, and
        table, int32, where an operation takes any number of them (see `Section`); constants, parameters and
        arguments as in `Rolled`; they have the places 0, 1, ..., and the results of the operations follow, unless
        results, int32, says where each goes (a place may be used again); outputs, gradient and input_gradient, the
        places of what is wanted.

        >>> from microgrid.compiler.native.sections import CODE
        >>> program = Interpreter.from_tape(  # x * 3 + 3
        ...     [CODE["*"], CODE["+"]], [1, 2], [0, 0], [0, 0], constants=[3.0], arguments=1, outputs=[3]
        ... )
        >>> result = np.zeros(1)
        >>> program.run(np.zeros(0), np.array([2.0]), None, result)
        >>> result
        array([9.])
        """
        constants = np.asarray(constants, np.float64)
        given = len(constants) + parameters + arguments
        if results is None:
            results = np.arange(given, given + len(ops), dtype=np.int32)
        arrays = [np.asarray(array, np.int32) for array in (a, b, c, results, table)]
        wanted = [
            None if places is None else Operand(False, np.asarray(places, np.int64))
            for places in (gradient, input_gradient)
        ]
        values = Operand(False, np.asarray(outputs, np.int64))
        count = max(given, int(arrays[3].max(initial=-1)) + 1)
        listed, nothing = Section(np.asarray(ops, np.uint8), *arrays), section([], False)
        counts = (parameters, arguments, 0, count, 0)
        return cls(Sections(constants, *counts, listed, nothing, nothing.a, nothing, values, *wanted), type)

    @property
    def source(self) -> str:
        """The instructions as text, the first of each part."""
        titles = ("Once:", f"For each {self._lanes} rows:", "After all rows:")
        parts = [(title, part) for title, part in zip(titles, self._parts) if len(part.body) > 1]
        return "\n".join([f"{title}\n{listing(part, title.startswith('For'))}" for title, part in parts])

    @property
    def bytes(self) -> int:
        """What the instructions, and the numbers of one call in one thread, take."""
        program, size = self._program, self._number.itemsize
        numbers = program.call_count + self._parts[1].places * self._lanes + len(program.sums) * (SUMMED + 1)
        return (
            sum([array.nbytes for part in self._parts for array in (part.setup, part.body, part.table)])
            + numbers * size
        )

    def run(
        self, parameters: Any, arguments: Any, inputs: Any, outputs: Any, gradient: Any = None,
        input_gradient: Any = None, threads: int = 1,
    ) -> None:  # fmt: skip
        """Compute, into the arrays handed in; from several threads at once too.

        Arguments: NumPy arrays of the program's type, in C's order: parameters and arguments, flat; inputs, of
        shape (rows, inputs), or None without a batch; outputs, of shape (m,), or (rows, m) where there are
        values for each row; gradient, of shape (parameters,), or None; input_gradient, of shape (rows, inputs),
        flat without a batch, or None; threads, at most how many to use.
        Raises ValueError for an array of another type or shape.
        """
        memory = self._spare.pop() if self._spare else self._memory()
        given = [parameters, arguments, inputs, outputs, gradient, input_gradient]
        self._bound(memory, given, threads)()
        self._spare.append(memory)

    def bind(
        self, parameters: Any, arguments: Any, inputs: Any, outputs: Any, gradient: Any = None,
        input_gradient: Any = None, threads: int = 1,
    ) -> Callable[[], None]:  # fmt: skip
        """A function that runs on these arrays, and reads them anew at each call; arguments as for `run`."""
        return self._bound(self._memory(), [parameters, arguments, inputs, outputs, gradient, input_gradient], threads)

    def _memory(self) -> Memory:
        return Memory(self._program, self._parts, self._number, self._lanes)

    def _bound(self, memory: Memory, given: list[Any], threads: int) -> Callable[[], None]:
        rows = 0 if given[2] is None else len(given[2])
        self._check(rows, given)
        frames = memory.frames(self._shares(rows, threads), given[:3], given[3:])
        pointers = [c_void_p(address(frame)) for frame in frames]
        start, finish = partial(self._start, pointers[0]), partial(self._finish, pointers[0])
        wanted, batch = self._program.input_gradient, self._program.row_count > 0
        same = given[5] if batch and wanted is not None and not wanted.rows else None

        def end(kept: Any = (memory, frames, given)) -> None:
            memory.add_totals(len(frames))
            finish()
            if same is not None:
                same[1:] = same[:1]

        def alone() -> None:
            start()
            end()

        if self._blocks is None:
            return alone
        shares: list[Work] = [partial(self._blocks, pointer) for pointer in pointers]
        return Shared(start, [shares] * len(shares), end)

    def _shares(self, rows: int, threads: int) -> list[tuple[int, int]]:
        """The rows from where to where that each thread does; a thread has to be worth it."""
        blocks = -(-rows // self._lanes)
        work = len(self._parts[1].body) * blocks * self._lanes / 8 * NANOSECONDS
        count = max(1, min(threads, blocks, int(work / WORTH_A_THREAD)))
        bounds = [min(rows, self._lanes * (blocks * share // count)) for share in range(count + 1)]
        return list(pairwise(bounds))

    def _check(self, rows: int, given: list[Any]) -> None:
        """What doesn't fit would be read or written beyond its end."""
        program = self._program
        batch = program.row_count > 0
        shapes: dict[str, tuple[int, ...]] = {"parameters": (program.parameters,), "arguments": (program.arguments,)}
        shapes["inputs"] = (rows, program.inputs)
        for name, wanted in (("outputs", program.outputs), ("gradient", program.gradient)):
            count = 0 if wanted is None else len(wanted.places)
            shapes[name] = (rows, count) if wanted is not None and wanted.rows else (count,)
        count = 0 if program.input_gradient is None else len(program.input_gradient.places)
        shapes["input_gradient"] = (rows, count) if batch else (count,)
        for (name, shape), array in zip(shapes.items(), given):
            if array is None and name in ("gradient", "input_gradient", *(() if batch else ("inputs",))):
                continue
            if not isinstance(array, np.ndarray) or array.shape != shape or array.dtype != self._number:
                came = f"{array.dtype} of shape {array.shape}" if isinstance(array, np.ndarray) else f"{array!r:.60}"
                raise ValueError(f"run: {name} is {came}; expected an array of {self._number}, of shape {shape}")
            if not array.flags.c_contiguous:
                raise ValueError(f"run: {name} doesn't lie in C's order; hand in np.ascontiguousarray({name})")


@lru_cache(64)
def _functions(routines: frozenset[str], lanes: int, type: str) -> list[Any]:
    """The interpreter with these routines: start and finish for one lane, else blocks."""
    text = module_text(routines, lanes, type)
    built = build.build(text.encode(), lambda: ([text], b""))
    functions: list[Any] = []
    for name in ("start", "finish") if lanes == 1 else ("blocks",):
        functions.append(function_at(built.address(name)))
        functions[-1].built = built  # the code lives as long as the function
    return functions
