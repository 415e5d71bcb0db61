"""Text of LLVM's intermediate language, line by line: names, loops, vectors."""

import math
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache


@dataclass
class Loop:
    """A loop while it is written: its index, the values it carries, and what they are after it."""

    index: str | int
    carried: list[str]
    results: list[str] = field(default_factory=list)

    def again(self, values: Sequence[str]) -> None:
        """Say what the next round, or what comes after the loop, finds in the carried values."""
        self.results = list(values)


class Code:
    """The body of one function; every method that computes writes a line and returns the name of its result."""

    def __init__(self, lanes: int, type: str) -> None:
        self.lanes, self.type = lanes, type
        self.lines: list[str] = []
        self.numbers = 0
        self.block = "entry"
        self.needs: set[tuple[str, int]] = set()  # elementary functions, and for how many lanes

    def line(self, text: str) -> None:
        """Write a line that has no result."""
        self.lines.append("  " + text)

    def comment(self, text: str) -> None:
        """Write a comment."""
        self.lines.append("  ; " + text)

    def value(self, text: str) -> str:
        """Write a line that computes something, and return its name."""
        self.numbers += 1
        name = f"%v{self.numbers}"
        self.lines.append(f"  {name} = {text}")
        return name

    def label(self) -> str:
        """A new name for a block."""
        self.numbers += 1
        return f"b{self.numbers}"

    def mark(self, label: str) -> None:
        """Begin the block of that name."""
        self.lines.append(f"{label}:")
        self.block = label

    def vector(self, lanes: int | None = None) -> str:
        """The type of so many numbers beside each other."""
        lanes = self.lanes if lanes is None else lanes
        return self.type if lanes == 1 else f"<{lanes} x {self.type}>"

    @property
    def bytes(self) -> int:
        """How long a number is."""
        return 8 if self.type == "double" else 4

    def at(self, base: str, index: str | int) -> str:
        """The address so many numbers after base."""
        return base if index == 0 else self.value(f"getelementptr {self.type}, ptr {base}, i64 {index}")

    def load(self, address: str, lanes: int | None = None, align: int | None = None) -> str:
        """The numbers at address."""
        return self.value(f"load {self.vector(lanes)}, ptr {address}, align {align or self.bytes}")

    def store(self, value: str, address: str, lanes: int | None = None, align: int | None = None) -> None:
        """Put numbers at address."""
        self.line(f"store {self.vector(lanes)} {value}, ptr {address}, align {align or self.bytes}")

    def spread(self, value: str, lanes: int | None = None) -> str:
        """One number in all lanes."""
        lanes = self.lanes if lanes is None else lanes
        if lanes == 1:
            return value
        type = self.vector(lanes)
        one = self.value(f"insertelement {type} poison, {self.type} {value}, i64 0")
        return self.value(f"shufflevector {type} {one}, {type} poison, <{lanes} x i32> zeroinitializer")

    def add(self, left: str | int, right: str | int) -> str | int:
        """The sum of two whole numbers."""
        if isinstance(left, int) and isinstance(right, int):
            return left + right
        if left == 0 or right == 0:
            return right if left == 0 else left
        return self.value(f"add nsw i64 {left}, {right}")

    def times(self, left: str | int, right: str | int) -> str | int:
        """The product of two whole numbers."""
        if isinstance(left, int) and isinstance(right, int):
            return left * right
        if left == 0 or right == 0:
            return 0
        if left == 1 or right == 1:
            return right if left == 1 else left
        return self.value(f"mul nsw i64 {left}, {right}")

    def multiply_add(self, left: str, right: str, sum: str, lanes: int | None = None) -> str:
        """sum + left * right, rounded once where the processor can."""
        type = self.vector(lanes)
        name = f"llvm.fmuladd.{suffix(self.lanes if lanes is None else lanes, self.type)}"
        return self.value(f"call {type} @{name}({type} {left}, {type} {right}, {type} {sum})")

    @contextmanager
    def loop(
        self, start: str | int, stop: str | int, step: int = 1, carried: Sequence[tuple[str, str]] = ()
    ) -> Iterator[Loop]:
        """A loop that runs at least once; `carried` are (type, first value).  One round is written without a loop."""
        if isinstance(start, int) and isinstance(stop, int) and start + step >= stop:
            once = Loop(start, [first for _, first in carried], [first for _, first in carried])
            yield once
            return
        before, label, exit = self.block, self.label(), self.label()
        self.line(f"br label %{label}")
        self.mark(label)
        head = len(self.lines)
        self.lines.append("")
        names = [f"%{label}.{number}" for number in range(len(carried))]
        loop = Loop(f"%{label}.i", names, names)
        yield loop
        following = self.value(f"add nuw nsw i64 {loop.index}, {step}")
        more = self.value(f"icmp ult i64 {following}, {stop}")
        phis = [f"  {loop.index} = phi i64 [ {start}, %{before} ], [ {following}, %{self.block} ]"]
        phis += [
            f"  {name} = phi {type} [ {first}, %{before} ], [ {last}, %{self.block} ]"
            for name, (type, first), last in zip(names, carried, loop.results)
        ]
        self.lines[head] = "\n".join(phis)
        self.line(f"br i1 {more}, label %{label}, label %{exit}")
        self.mark(exit)

    @contextmanager
    def when(self, condition: str) -> Iterator[None]:
        """What is done only where the condition holds."""
        then, after = self.label(), self.label()
        self.line(f"br i1 {condition}, label %{then}, label %{after}")
        self.mark(then)
        yield
        self.line(f"br label %{after}")
        self.mark(after)


def suffix(lanes: int, type: str) -> str:
    """How LLVM's own functions name a type: v8f64."""
    short = "f64" if type == "double" else "f32"
    return short if lanes == 1 else f"v{lanes}{short}"


@cache
def literal(number: float, lanes: int, type: str) -> str:
    """A constant as text, in all lanes."""
    if lanes > 1 and number == 0 and math.copysign(1, number) > 0:
        return "zeroinitializer"
    if type == "float":
        number = struct.unpack("f", struct.pack("f", number))[0]
    one = "0x" + struct.pack(">d", number).hex().upper()
    return one if lanes == 1 else "<" + ", ".join([f"{type} {one}"] * lanes) + ">"


def function(name: str, arguments: Sequence[str], code: Code, internal: bool = True) -> str:
    """The whole function around its body."""
    pointers = ", ".join(f"ptr noalias nocapture {a}" if a.startswith("%p") else f"i64 {a}" for a in arguments)
    head = f"define {'internal ' if internal else ''}void @{name}({pointers}) #0 {{\nentry:"
    return "\n".join([head, *code.lines, "  ret void", "}", ""])


def whole_index(code: Code, index: str, count: str, lanes: int) -> tuple[str, str]:
    """Whether an index is a whole number from 0 to below count, a number of the type; and it, else 0, as i64."""
    type = code.vector(lanes)
    bits, whole = ("i1", "i64") if lanes == 1 else (f"<{lanes} x i1>", f"<{lanes} x i64>")
    above = code.value(f"fcmp ogt {type} {index}, {literal(-1, lanes, code.type)}")
    inside = code.value(f"and {bits} {above}, {code.value(f'fcmp olt {type} {index}, {count}')}")
    safe = code.value(f"select {bits} {inside}, {type} {index}, {type} {literal(0, lanes, code.type)}")
    position = code.value(f"fptosi {type} {safe} to {whole}")
    exact = code.value(f"fcmp oeq {type} {safe}, {code.value(f'sitofp {whole} {position} to {type}')}")
    return code.value(f"and {bits} {inside}, {exact}"), position
