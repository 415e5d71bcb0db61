"""A program in groups as machine code: loops over its groups, SIMD lanes over the rows of the batch."""

import pickle
import time
from collections.abc import Callable
from typing import Any
from weakref import ref

import numpy

from ..rolled import Group, Rolled
from . import build
from .driver import Driver, Plan
from .frame import FRAME
from .operations import ELEMENTARY
from .running import Frame, Shared, address, aligned, bound, function_at

NAMES = ("parameters", "arguments", "inputs", "outputs", "gradient", "input_gradient")
VECTORS = 2  # in a strip of rows
ENOUGH = 700_000  # nanoseconds of work from which on threads pay: one that sleeps wakes late
PART = 50_000  # nanoseconds of work in a part that one of them takes, at least
LARGE = 20_000  # sums from which on it costs too much to have them for more parts than threads


class Generated:
    """Machine code for one program.

    Arguments: rolled; type, "double" or "float"; lanes, how many rows a vector holds, None for what the processor
    has.
    Attributes: seconds, the time that writing and compiling took; cached, whether the machine code was on disk
    already; lanes.
    Raises ModuleNotFoundError without llvmlite, ValueError for another type or number of lanes.
    """

    def __init__(self, rolled: Rolled, type: str = "double", lanes: int | None = None) -> None:
        if type not in ("double", "float"):
            raise ValueError(f'Generated(..., type={type!r}): type is "double" or "float"')
        if lanes is not None and lanes not in (1, 2, 4, 8, 16, 32):
            raise ValueError(f"Generated(..., lanes={lanes!r}): lanes is 1, 2, 4, 8, 16 or 32, or None")
        begun = time.perf_counter()
        self.rolled, self.type = rolled, type
        self.dtype = numpy.dtype(numpy.float64 if type == "double" else numpy.float32)
        bytes, self.registers = width_of_vectors()
        self.lanes = lanes or bytes // self.dtype.itemsize
        description = pickle.dumps((rolled, type, self.lanes, VECTORS, self.registers), 5)
        self.built = build.build(description, self._written)
        self.cached = self.built.cached
        self.plan = Plan.unpacked(self.built.plan)
        self.step = function_at(self.built.address("step"))
        self.each_row = sum([cost(group) for group in [*rolled.body, *rolled.sums]]) / self.lanes  # nanoseconds
        self.expected = self.shapes()
        self.free: list[_Mine] = []  # what no call has at the moment
        self.seconds = time.perf_counter() - begun

    def driver(self) -> Driver:
        """What writes the code."""
        return Driver(self.rolled, self.type, self.lanes, VECTORS, self.registers)

    @property
    def source(self) -> str:
        """The code, in LLVM's language, written once more."""
        return "\n".join(self.driver().texts)

    def _written(self) -> tuple[list[str], bytes]:
        driver = self.driver()
        return driver.texts, driver.plan.packed()

    def run(
        self, parameters: Any, arguments: Any, inputs: Any, outputs: Any, gradient: Any, input_gradient: Any,
        threads: int = 1,
    ) -> None:  # fmt: skip
        """Do the work once, on C-contiguous arrays of the type.

        Arguments: parameters and arguments; inputs, of shape (rows, inputs), None where there is no batch; outputs, of
        shape (m,), or (rows, m) where they are numbers of the rows; gradient, (parameters,), or None;
        input_gradient, (rows, inputs), or (inputs,) where there is no batch, or None; threads, how many at most.
        Raises ValueError for an array of another type or shape.
        """
        given = self.checked(parameters, arguments, inputs, outputs, gradient, input_gradient)
        try:
            mine = self.free.pop()
        except IndexError:
            mine = _Mine(self.scratch())
        if not mine.fits(given, threads):
            mine.step, mine.given = self._bind(given, mine.scratch, threads, False), {}
            mine.threads = threads
            mine.given = {name: ref(array) for name, array in given.items()}
        mine.step()
        self.free.append(mine)

    def bind(
        self, parameters: Any, arguments: Any, inputs: Any, outputs: Any, gradient: Any, input_gradient: Any,
        threads: int = 1,
    ) -> Callable[[], None]:  # fmt: skip
        """A function without arguments that runs on these very arrays, again and again, for one thread at a time."""
        given = self.checked(parameters, arguments, inputs, outputs, gradient, input_gradient)
        return self._bind(given, self.scratch(), threads)

    def _bind(
        self, given: dict[str, Any], scratch: dict[str, Any], threads: int, keep: bool = True
    ) -> Callable[[], None]:
        """What bind returns; without keep it keeps neither the arrays nor this program alive."""
        rows = len(given["inputs"]) if "inputs" in given else 0
        work = rows * self.each_row
        threads = min(threads, int(work / ENOUGH) + 1)
        if threads < 2 or not self.plan.row_count:
            return bound(self.step, self.frame(given, scratch, 0, rows), (scratch, (self, given) if keep else None))
        parts = threads if self.plan.totals > LARGE else min(4 * threads, max(threads, int(work / PART)))
        strip = self.plan.strip
        cuts = [min(-(-rows * i // (parts * strip)) * strip, rows) for i in range(parts + 1)]
        sums = [scratch["sums"]] + [aligned(self.plan.totals, self.dtype) for _ in range(parts - 1)]
        each = [scratch] + [self.scratch(False) | {"call": scratch["call"]} for _ in range(threads - 1)]
        frames = [
            [self.frame(given | {"sums": sum}, mine, *ends) for sum, *ends in zip(sums, cuts, cuts[1:])]
            for mine in each
        ]
        kept = each, sums, (self, given) if keep else None
        start, range_, finish = [function_at(self.built.address(f"only.{n}")) for n in ("start", "range", "finish")]

        first, last = bound(start, frames[0][0], kept), bound(finish, frames[0][0], kept)

        def end() -> None:
            for part in sums[1:]:
                numpy.add(sums[0], part, sums[0])
            last()

        return Shared(first, [[bound(range_, frame, kept) for frame in row] for row in frames], end)

    def scratch(self, call: bool = True) -> dict[str, Any]:
        """Memory for one call, or for another thread of it."""
        plan = self.plan
        sizes = {"strip": plan.strip_size, "kept": plan.kept_size, "padded": plan.strip * self.rolled.inputs}
        arrays = {name: aligned(size, self.dtype) for name, size in sizes.items()}
        if not call:
            return arrays
        arrays["call"] = aligned(plan.call_count, self.dtype)
        with numpy.errstate(all="ignore"):  # 1e300 is inf in float32
            arrays["call"][: len(self.rolled.constants)] = self.rolled.constants
        return arrays | {"sums": arrays["call"][plan.first_sum :]}

    def frame(self, given: dict[str, Any], scratch: dict[str, Any], first: int, last: int) -> Any:
        """What the machine code is handed: addresses of arrays, and which rows."""
        numbers = {name: address(array) for name, array in (scratch | given).items()}
        numbers |= {"tables": address(self.plan.tables), "first": first, "last": last}
        return Frame(*[numbers.get(name, 0) for name in FRAME])

    def shapes(self) -> dict[str, tuple[int, ...] | int]:
        """What shape each array has; where it has a row for each example, how long that is."""
        rolled, batch = self.rolled, self.plan.row_count > 0
        shapes: dict[str, tuple[int, ...] | int] = {
            "parameters": (rolled.parameters,), "arguments": (rolled.arguments,)
        }  # fmt: skip
        if batch:
            shapes["inputs"] = rolled.inputs
        for name, operand in (("outputs", rolled.outputs), ("gradient", rolled.gradient),
                              ("input_gradient", rolled.input_gradient)):  # fmt: skip
            if operand is not None:
                each_row = operand.rows or (batch and name == "input_gradient")
                shapes[name] = len(operand.places) if each_row else (len(operand.places),)
        return shapes

    def checked(self, *arrays: Any) -> dict[str, Any]:
        """The arrays by name, without those that are None; raises ValueError for one that doesn't fit."""
        given: dict[str, Any] = {}
        rows = 0 if arrays[2] is None else len(arrays[2])
        for name, array in zip(NAMES, arrays):
            shape = self.expected.get(name)
            if shape is None:
                continue
            if isinstance(shape, int):
                shape = rows, shape
            if array is None:
                if name in NAMES[:3]:
                    raise ValueError(f"{name} is None: it is read, so give an array of shape {shape}")
            elif array.shape != shape or array.dtype != self.dtype or not array.flags.c_contiguous:
                raise ValueError(
                    f"{name} is an array of {array.dtype}, shape {array.shape}: give a C-contiguous one of "
                    f"{self.dtype}, shape {shape}"
                )
            else:
                given[name] = array
        return given


class _Mine:
    """Scratch memory of one call, and the call before that had it: the next one is often on the same arrays."""

    def __init__(self, scratch: dict[str, Any]) -> None:
        self.scratch, self.threads = scratch, 0
        self.step: Callable[[], None] = lambda: None
        self.given: dict[str, ref[Any]] = {}

    def fits(self, given: dict[str, Any], threads: int) -> bool:
        """Whether the step that is there is on these arrays."""
        old = self.given
        return (
            threads == self.threads
            and len(old) == len(given)
            and all([name in old and old[name]() is array for name, array in given.items()])
        )


def cost(group: Group) -> float:
    """About how many nanoseconds one lane needs for a group in one row."""
    size = group.operands[-1].places.size
    if group.op in ELEMENTARY or group.op == "logsumexp":
        return 8.0 * size
    return 0.5 * size


def width_of_vectors() -> tuple[int, int]:
    """How many bytes a vector of this processor has, and how many such registers there are."""
    has = set(build.processor()[1].split(","))
    if "+avx512f" in has:
        return 64, 32
    if "+avx2" in has or "+avx" in has:
        return 32, 16
    return 16, 32 if "+neon" in has else 16
