"""The rows of a batch, in blocks that are summed at once, and strips that are worked on at once."""

from typing import Any

from ..rolled import Operand
from .frame import FRAME, ROWS, read_frame
from .moving import copy, fill_zero, picked, rounded_up, turned
from .numbers import gathered
from .writing import Code, literal


class Strips:
    """The writer of the function that does some rows, for the `Driver` that has the others."""

    def __init__(self, driver: Any) -> None:
        self.driver, self.rolled, self.layout = driver, driver.rolled, driver.layout

    def write(self) -> None:
        """The loops over blocks and strips."""
        code, kept = self.driver.code(), self.layout
        read_frame(code, *FRAME)
        if self.driver.totals:
            fill_zero(code, "%psums", self.driver.totals)
        some = code.value("icmp ult i64 %first, %last")
        with code.when(some), code.loop("%first", "%last", kept.block) as block:
            left = code.value(f"sub i64 %last, {block.index}")
            rows = code.value(f"call i64 @llvm.umin.i64(i64 {left}, i64 {kept.block})")
            with code.loop(0, rows, kept.strip) as strip:
                row = code.add(block.index, strip.index)
                room = code.value(f"sub i64 {rows}, {strip.index}")
                valid = code.value(f"call i64 @llvm.umin.i64(i64 {room}, i64 {kept.strip})")
                self.strip(code, row, valid, code.at("%pkept", strip.index))
            if self.driver.totals:
                used = rounded_up(code, rows, self.driver.lanes)
                given = f"ptr %pkept, ptr %psums, ptr %ptables, i64 {used}"
                for name in self.driver.sums:
                    code.line(f"call void @{name}({given})")
        self.driver.add("range", ("%pframe",), code)

    def strip(self, code: Code, row: Any, valid: str, kept: Any) -> None:
        """One strip of rows."""
        rolled, strip = self.rolled, self.layout.strip
        partial = code.value(f"icmp ult i64 {valid}, {strip}")
        if rolled.inputs:
            source = code.at("%pinputs", code.times(row, rolled.inputs))
            with code.when(partial):
                code.line(f"call void @padded(ptr {source}, ptr %ppadded, i64 {valid})")
            source = code.value(f"select i1 {partial}, ptr %ppadded, ptr {source}")
            target = kept if self.layout.kept[0] else "%pstrip"
            code.line(f"call void @inputs(ptr {source}, ptr {target})")
        used = rounded_up(code, valid, self.driver.lanes)
        given = f"ptr %pcall, ptr %pstrip, ptr {kept}, ptr %ptables, i64 {used}"
        for name in self.driver.body:
            code.line(f"call void @{name}({given})")
        if self.layout.kept_places:
            with code.when(partial):
                code.line(f"call void @masked(ptr {kept}, i64 {valid})")
        for name, operand in (("outputs", rolled.outputs), ("input_gradient", rolled.input_gradient)):
            if operand is not None and len(operand.places) and (operand.rows or name == "input_gradient"):
                wanted = code.value(f"icmp ne ptr %p{name}, null")
                with code.when(wanted):
                    target = code.at(f"%p{name}", code.times(row, len(operand.places)))
                    code.line(f"call void @out.{name}({given}, ptr {target}, i64 {valid})")
                self.write_out(name, operand)
        self.write_padded()
        self.write_inputs()
        self.write_masked()

    def write_out(self, name: str, operand: Operand) -> None:
        """Numbers of the rows, one row after the other."""
        code, count = self.driver.code(), len(operand.places)
        source = self.driver.rows.source(operand)
        rule = source.walk
        with code.loop(0, count) as column:
            start = code.at(source.base, code.add(rule.place(code, column.index), rule.base))
            with code.loop(0, "%valid") as row:
                one = code.load(code.at(start, row.index) if operand.rows else start, 1)
                code.store(one, code.at(code.at("%ptarget", code.times(row.index, count)), column.index), 1)
        self.driver.add(f"out.{name}", (*ROWS, "%ptarget", "%valid"), code)

    def write_padded(self) -> None:
        """The last rows, and the first of them again for the lanes that have none."""
        code, inputs = self.driver.code(), self.rolled.inputs
        with code.loop(0, self.layout.strip) as row:
            there = code.value(f"icmp ult i64 {row.index}, %valid")
            real = code.value(f"select i1 {there}, i64 {row.index}, i64 0")
            copy(
                code,
                code.at("%pfrom", code.times(real, inputs)),
                code.at("%pto", code.times(row.index, inputs)),
                inputs,
            )
        self.driver.add("padded", ("%pfrom", "%pto", "%valid"), code)

    def write_inputs(self) -> None:
        """Rows of inputs into vectors of rows."""
        code, inputs, lanes, kept = self.driver.code(), self.rolled.inputs, self.driver.lanes, self.layout
        if not inputs:
            return
        offset = int(kept.offset[0])
        pitch = kept.pitch if kept.kept[0] else kept.strip
        for vector in range(self.driver.vectors):
            rows, target = code.at("%pfrom", vector * lanes * inputs), code.at("%pto", offset + vector * lanes)
            if inputs <= 4:
                picked(code, rows, inputs, target, pitch)
            elif inputs < lanes or lanes == 1:
                with code.loop(0, inputs) as column:
                    steps = "<" + ", ".join([f"i64 {lane * inputs}" for lane in range(lanes)]) + ">"
                    numbers = gathered(code, code.at(rows, column.index), steps, lanes)
                    code.store(numbers, code.at(target, code.times(column.index, pitch)))
            else:
                turned(code, rows, inputs, target, pitch)
        self.driver.add("inputs", ("%pfrom", "%pto"), code)

    def write_masked(self) -> None:
        """Zeros in the lanes of the kept numbers that have no row."""
        code, kept, lanes = self.driver.code(), self.layout, self.driver.lanes
        if not kept.kept_places:
            return
        type, whole, bits = code.vector(), f"<{lanes} x i64>", f"<{lanes} x i1>"
        ramp = [f"<{', '.join([f'i64 {v * lanes + i}' for i in range(lanes)])}>" for v in range(self.driver.vectors)]
        limit = "%valid"
        if lanes == 1:
            whole, bits, ramp = "i64", "i1", [str(v) for v in range(self.driver.vectors)]
        else:
            one = code.value(f"insertelement {whole} poison, i64 %valid, i64 0")
            limit = code.value(f"shufflevector {whole} {one}, {whole} poison, <{lanes} x i32> zeroinitializer")
        masks = [code.value(f"icmp ult {whole} {r}, {limit}") for r in ramp]
        zero = literal(0, lanes, self.driver.type)
        with code.loop(0, kept.kept_places) as loop:
            start = code.at("%pkept", code.times(loop.index, kept.pitch))
            for vector, mask in enumerate(masks):
                address = code.at(start, vector * lanes)
                real = code.value(f"select {bits} {mask}, {type} {code.load(address)}, {type} {zero}")
                code.store(real, address)
        self.driver.add("masked", ("%pkept", "%valid"), code)
