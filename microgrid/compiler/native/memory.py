"""What a call of the interpreter works in, and the frame that says where everything is."""

from typing import Any

import numpy as np

from ..rolled import Operand
from .inner import FRAME, SUMMED
from .instructions import Instructions
from .running import address, aligned
from .sections import Sections

AT = {name: number for number, name in enumerate(FRAME)}
RESULTS = ("outputs", "gradient", "slopes")


class Memory:
    """The numbers of the call, and for each thread those of a block of rows; for one call at a time.

    Arguments: program, of which the operations are not needed any more; parts, its instructions: before, of the
    rows, and after; number, the NumPy type; lanes, how many rows are in a block.
    """

    def __init__(self, program: Sections, parts: list[Instructions], number: Any, lanes: int) -> None:
        before, rows, after = parts
        self.number, count = number, len(program.sums)
        self.sizes = {"rows": rows.places * lanes, "sums": count * SUMMED, "totals": count}
        self.call = aligned(program.call_count, number)
        first = len(program.constants)
        with np.errstate(all="ignore"):  # 1e300 is inf in float32
            self.call[:first] = program.constants
        self.results = dict(zip(RESULTS, (program.outputs, program.gradient, program.input_gradient)))
        self.arrays = {
            "before": before.body, "before.table": before.table, "after": after.body, "after.table": after.table,
            "setup": rows.setup, "body": rows.body, "table": rows.table, "call": self.call,
            "parameters.to": self.call[first:], "arguments.to": self.call[first + program.parameters :],
            "totals.places": np.ascontiguousarray(program.sums, np.int32),
        }  # fmt: skip
        for name, wanted in self.results.items():
            if wanted is not None:
                self.arrays[f"{_kind(name, wanted)}.places"] = np.ascontiguousarray(wanted.places, np.int32)
        self.fixed = np.zeros(len(FRAME), np.int64)
        self.put(self.fixed, self.arrays)
        counts = {"parameters": program.parameters, "arguments": program.arguments, "inputs": program.inputs}
        for name, number_of in (counts | {"totals": count}).items():
            self.fixed[AT[f"{name}.count"]] = number_of
        self.threads: list[dict[str, Any]] = []

    def put(self, frame: Any, arrays: dict[str, Any]) -> None:
        """The arrays' addresses into a frame."""
        for name, array in arrays.items():
            frame[AT[name]] = 0 if array is None else address(array)

    def of_thread(self, number: int) -> dict[str, Any]:
        """The arrays of one thread."""
        if number == len(self.threads):
            self.threads.append({name: aligned(size, self.number) for name, size in self.sizes.items()})
        return self.threads[number]

    def frames(self, shares: list[tuple[int, int]], given: list[Any], results: list[Any]) -> list[Any]:
        """A frame for each thread: addresses and numbers in the order of FRAME.

        Arguments: shares, from which row to which each goes; given: parameters, arguments and inputs; results:
        outputs, gradient and input_gradient.
        """
        common = self.fixed.copy()
        self.put(common, dict(zip(("parameters", "arguments", "inputs"), given)))
        for (name, wanted), array in zip(self.results.items(), results):
            if wanted is not None and array is not None and array.size:
                self.put(common, {_kind(name, wanted): array})
                common[AT[f"{_kind(name, wanted)}.count"]] = len(wanted.places)
        frames = []
        for number, (begin, end) in enumerate(shares):
            frames.append(common.copy())
            self.put(frames[-1], self.of_thread(number))
            frames[-1][AT["begin"]], frames[-1][AT["end"]] = begin, end
        return frames

    def add_totals(self, threads: int) -> None:
        """The sums of all threads, where the first has its own."""
        for thread in self.threads[1:threads]:
            self.threads[0]["totals"] += thread["totals"]


def _kind(name: str, wanted: Operand) -> str:
    return f"row.{name}" if wanted.rows else name
