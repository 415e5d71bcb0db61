"""The whole module: what is done once a call, for each strip of rows, for each block, and once more a call."""

import re
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy

from ..rolled import Group, Operand, Rolled
from . import elementary
from .frame import ROWS, read_frame
from .layout import layout
from .loops import RowNest, Rows
from .moving import copy
from .numbers import Call, CallNest, read
from .places import Tables, walk
from .products import SumNest, tidy
from .schedule import Nest, is_straight, nests, ordered_sums, plain, spread_sums
from .strips import Strips
from .writing import Code, function

PART = 250  # groups, counted by the code they make, in one function
LONG = 300  # straight lines from which on they are compiled apart, without looking for better code


@dataclass(frozen=True)
class Plan:
    """What the caller of the machine code has to know, and is kept beside it.

    Attributes: totals, how many sums; first_sum, the place of the first; call_count and row_count, the places of the
    call and of the rows; strip, rows that are done at once; strip_size and kept_size, numbers of their memory; tables,
    an int64 array.
    """

    totals: int
    first_sum: int
    call_count: int
    row_count: int
    strip: int
    strip_size: int
    kept_size: int
    tables: Any

    def packed(self) -> bytes:
        """All as int64, the array last."""
        *numbers, tables = astuple(self)
        return numpy.concatenate([numpy.array(numbers, numpy.int64), tables]).tobytes()

    @classmethod
    def unpacked(cls, content: bytes) -> "Plan":
        """What `packed` made."""
        numbers = numpy.frombuffer(content, numpy.int64)
        names = [field.name for field in fields(cls)]
        return cls(**dict(zip(names, numbers.tolist())) | {"tables": numbers[len(names) - 1 :]})


class Driver:
    """The text of a program's module, and what its caller has to know.

    Attributes: texts, of one module or two; plan.
    """

    def __init__(self, rolled: Rolled, type: str, lanes: int, vectors: int, registers: int) -> None:
        self.rolled, self.sum_places = ordered_sums(spread_sums(plain(rolled)), tidy)
        rolled = self.rolled
        self.totals = sum([group.count for group in rolled.sums])
        self.first_sum = rolled.call_count - self.totals
        self.type, self.lanes, self.vectors = type, lanes, vectors
        self.tables = Tables()
        self.functions: list[str] = []
        self.straight: list[str] = []  # functions without a loop, which LLVM may compile in a hurry
        self.needs: set[tuple[str, int]] = set()
        body = nests(rolled.body, rolled.row_count, True, self.wanted_of_rows())
        bytes = 8 if type == "double" else 4
        self.layout = layout(rolled, body, lanes, vectors, bytes, self.wanted_at_end())
        self.rows = Rows(self.layout, self.tables, rolled.constants, registers)
        self.call = Call(self.tables, rolled.constants)
        before, after = [nests(groups, rolled.call_count, False, self.wanted_of_call(groups)) for groups in
                         (rolled.before, rolled.after)]  # fmt: skip
        lines = sum([len(nest.groups) for nest in [*before, *body, *after] if is_straight(nest)])
        self.long = self.rows.narrow = lines > LONG
        self.before, self.after = self.of_call("before", before), self.of_call("after", after)
        self.body = self.of_rows(body)
        self.sums = self.of_sums()
        self.has_rows = bool(rolled.row_count)
        if self.has_rows:
            Strips(self).write()
        self.write_start()
        self.write_finish()
        self.write_step()
        self.texts = [text for text in (self.module(), self.second_module()) if text]
        tables = numpy.concatenate([numpy.zeros(0, numpy.int64), *self.tables.parts])
        self.plan = Plan(
            self.totals, self.first_sum, rolled.call_count, rolled.row_count,
            self.layout.strip, self.layout.strip_size, self.layout.kept_size, tables,
        )  # fmt: skip

    def wanted_at_end(self) -> Any:
        """The places of the rows that go out."""
        out = [o.places for o in (self.rolled.outputs, self.rolled.input_gradient) if o is not None and o.rows]
        return numpy.concatenate([numpy.zeros(0, dtype=numpy.int64), *out])

    def wanted_of_call(self, groups: list[Group]) -> Any:
        """Which places of the call are read by others than these groups."""
        rolled = self.rolled
        wanted = numpy.zeros(rolled.call_count, dtype=bool)
        others = [*([] if groups is rolled.before else rolled.before), *rolled.body,
                  *([] if groups is rolled.after else rolled.after)]  # fmt: skip
        read = [operand for group in others for operand in group.operands]
        for operand in [*read, rolled.outputs, rolled.gradient, rolled.input_gradient]:
            if operand is not None and not operand.rows:
                wanted[operand.places.ravel()] = True
        return wanted

    def wanted_of_rows(self) -> Any:
        """Which places of the rows are read after the body."""
        wanted = numpy.zeros(self.rolled.row_count, dtype=bool)
        wanted[self.wanted_at_end()] = True
        for group in self.rolled.sums:
            for operand in group.operands:
                wanted[operand.places.ravel()] = True
        return wanted

    def code(self) -> Code:
        """An empty function."""
        return Code(self.lanes, self.type)

    def add(self, name: str, arguments: Any, code: Code, public: bool = False, straight: bool = False) -> None:
        """A finished function."""
        text = function(name, arguments, code, not public and not self.long)
        (self.straight if straight else self.functions).append(text)
        self.needs |= code.needs

    def in_parts(self, name: str, arguments: Any, writers: list[tuple[int, bool, Any]]) -> list[str]:
        """Functions that together do all this; writers are (length, whether it is straight, function of a Code)."""
        names: list[str] = []
        length, before, code = 0, False, self.code()
        for size, straight, writer in [*writers, (PART, False, None)]:
            if length and (length + size > PART or straight != before):
                names.append(f"{name}.{len(names)}")
                self.add(names[-1], arguments, code, False, before and self.long)
                length, code = 0, self.code()
            if writer is not None:
                writer(code)
                length, before = length + size, straight
        return names

    def of_call(self, name: str, made: list[Nest]) -> list[str]:
        """Functions for groups on numbers of the call."""
        writers = [
            (3 + len(nest.groups), is_straight(nest), lambda code, nest=nest: CallNest(self.call, nest, code).write())
            for nest in made
        ]
        return self.in_parts(name, ("%pcall", "%ptables"), writers)

    def of_rows(self, body: list[Nest]) -> list[str]:
        """Functions for groups on numbers of the rows."""
        writers = [
            (10 + len(nest.groups), is_straight(nest), lambda code, nest=nest: RowNest(self.rows, nest, code).write())
            for nest in body
        ]
        return self.in_parts("rows", ROWS, writers)

    def of_sums(self) -> list[str]:
        """Functions for sums over the rows."""
        writers = [
            (40, False, lambda code, group=group, at=at: SumNest(self.rows, group, at - self.first_sum, code).write())
            for group, at in zip(self.rolled.sums, self.sum_places)
        ]
        return self.in_parts("sums", ("%pkept", "%psums", "%ptables", "%used"), writers)

    def call_all(self, code: Code, names: list[str], arguments: Any) -> None:
        """Call functions one after the other."""
        given = ", ".join([f"{'i64' if a == '%used' else 'ptr'} {a}" for a in arguments])
        for name in names:
            code.line(f"call void @{name}({given})")

    def write_start(self) -> None:
        """Parameters and arguments into the array of the call, and all that needs no row."""
        rolled, code = self.rolled, self.code()
        read_frame(code, "call", "parameters", "arguments", "tables")
        start = len(rolled.constants)
        copy(code, "%pparameters", code.at("%pcall", start), rolled.parameters)
        copy(code, "%parguments", code.at("%pcall", start + rolled.parameters), rolled.arguments)
        self.call_all(code, self.before, ("%pcall", "%ptables"))
        self.add("start", ("%pframe",), code)

    def write_finish(self) -> None:
        """The sums into the array of the call, all that needs them, and the results out."""
        rolled, code = self.rolled, self.code()
        read_frame(code, "call", "outputs", "gradient", "input_gradient", "tables")
        self.call_all(code, self.after, ("%pcall", "%ptables"))
        for name, operand in (("outputs", rolled.outputs), ("gradient", rolled.gradient),
                              ("input_gradient", rolled.input_gradient)):  # fmt: skip
            each_row = operand is not None and (operand.rows or (name == "input_gradient" and self.has_rows))
            if operand is not None and not each_row and len(operand.places):
                wanted = code.value(f"icmp ne ptr %p{name}, null")
                with code.when(wanted):
                    self.copy_out(code, operand, f"%p{name}")
        self.add("finish", ("%pframe",), code)

    def copy_out(self, code: Code, operand: Operand, target: str) -> None:
        """Numbers of the call, one after the other."""
        rule, count = walk(operand.places, self.tables), len(operand.places)
        whole = count - count % self.lanes
        for first, end, lanes in ((0, whole, self.lanes), (whole, count, 1)):
            if end > first:
                with code.loop(first, end, lanes) as loop:
                    code.store(read(code, rule, loop.index, lanes), code.at(target, loop.index), lanes)

    def write_step(self) -> None:
        """Everything, for one thread; and the three parts of it, for several."""
        code = self.code()
        self.call_all(code, ["start", *(["range"] if self.has_rows else []), "finish"], ("%pframe",))
        self.add("step", ("%pframe",), code, True)
        for name in ("start", "finish", "range"):
            if name != "range" or self.has_rows:
                code = self.code()
                self.call_all(code, [name], ("%pframe",))
                self.add(f"only.{name}", ("%pframe",), code, True)

    def module(self) -> str:
        """The text of it all, or of all but the straight functions."""
        pieces: dict[str, str] = {}
        for name, lanes in sorted(self.needs):
            pieces |= elementary.definitions(name, lanes, self.type)
        functions = [text.replace("define internal", "define") if self.long else text for text in pieces.values()]
        return "\n".join(
            [*functions, *self.functions, *self.declared(self.straight, self.functions), self.attributes(), ""]
        )

    def second_module(self) -> str:
        """The text of the straight functions, empty where there is no need for a second module."""
        if not self.straight:
            return ""
        pieces: dict[str, str] = {}
        for name, lanes in sorted(self.needs):
            pieces |= elementary.definitions(name, lanes, self.type)
        mine = [text for text in pieces.values() if text.startswith("define")]
        return "\n".join([*self.declared(mine, self.straight), *self.straight, self.attributes(), ""])

    def declared(self, definitions: list[str], users: list[str]) -> list[str]:
        """Declarations of functions that another module defines."""
        heads = [text[text.index("define") : text.index("{")] for text in definitions]
        return [
            re.sub("define (internal )?(.*?)( #0| nounwind.*)? *$", r"declare \2", head.strip())
            for head in heads
        ] if users else []  # fmt: skip

    def attributes(self) -> str:
        """What LLVM has to know about the vectors."""
        bits = self.lanes * (64 if self.type == "double" else 32)
        return f'attributes #0 = {{ nounwind "min-legal-vector-width"="{bits}" "prefer-vector-width"="{bits}" }}'
