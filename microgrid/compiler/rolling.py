"""Finds the groups in a tape: by what they do, and by how long they have to wait."""

from collections import defaultdict
from typing import Any

import numpy

from ..operations import ANY_NUMBER
from .rolled import Group, Operand, Rolled
from .tape import LEAVES, Tape

BEFORE, BODY, SUMS, AFTER = range(4)


def roll(tape: Tape, batch: str | None = None) -> Rolled:
    """The tape in groups.

    Arguments: tape; batch, None for one example, "rows" for outputs of each row, "sum" or "mean" for one
    value and gradient of all rows.  A tape for "mean" has a seed, 1 / rows.
    The arguments of the result are the inputs where there is no batch, then the seed if there is one, then, for
    a batch, the number of rows.
    """
    return _Roller(tape, batch).result()


class _Roller:
    def __init__(self, tape: Tape, batch: str | None) -> None:
        self.tape, self.batch = tape, batch
        self.groups: dict[int, list[Group]] = {BEFORE: [], BODY: [], SUMS: [], AFTER: []}
        self.place = [-1] * len(tape)  # of each line, in the array of its kind
        self.rows = bytearray(len(tape))
        self.constants: list[float] = []
        self.lines: dict[tuple[str, float], int] = {}
        self.leaves()
        self.promoted: dict[int, int] = {}  # places of numbers of the call to places of the same in each row
        self.block = [0] * self.row_count  # of each place of the rows, where its group starts
        self.waiting = self.sorted_lines()

    def leaves(self) -> None:
        """Places for what is there before anything is computed."""
        tape, place = self.tape, self.place
        for line in tape.parameters:
            place[line] = 0
        for line, instruction in enumerate(tape.instructions):
            if instruction.op == "constant":
                place[line] = self.constant(instruction.number)
        self.constant(1.0)
        n = len(self.constants)
        for i, line in enumerate(tape.parameters):
            place[line] = n + i
        n += len(tape.parameters)
        self.arguments = 0
        if self.batch is None:
            for i, line in enumerate(tape.inputs):
                place[line] = n + i
            self.arguments = len(tape.inputs)
            self.row_count = self.inputs = 0
        else:
            for i, line in enumerate(tape.inputs):
                place[line], self.rows[line] = i, 1
            self.row_count = self.inputs = len(tape.inputs)
        if tape.seed is not None:
            place[tape.seed] = n + self.arguments
            self.arguments += 1
        self.count_of_rows = n + self.arguments
        if self.batch is not None:
            self.arguments += 1
        self.call_count = n + self.arguments

    def constant(self, number: Any) -> int:
        """The place of a constant; equal ones, told apart by the sign of 0, have one."""
        number = float(number)
        key = repr(number), number if number == number else 0.0
        if key not in self.lines:
            self.lines[key] = len(self.constants)
            self.constants.append(number)
        return self.lines[key]

    def sorted_lines(self) -> dict[tuple, list[int]]:
        """The lines of each group, by section and level: how many operations it waits for."""
        tape, rows = self.tape, self.rows
        levels = [0] * len(tape)
        waiting: dict[tuple, list[int]] = defaultdict(list)
        folded = self.summed_apart()
        for line, (op, operands, _, _) in enumerate(tape.instructions):
            if op in LEAVES:
                continue
            level, row = 0, 0
            for operand in operands:
                if levels[operand] > level:
                    level = levels[operand]
                row |= rows[operand]
            rows[line] = row
            if row:
                level = max([levels[operand] for operand in operands if rows[operand]])
            levels[line] = level + 1
            if not (row and line in folded):
                waiting[row, level, op, len(operands) if op in ANY_NUMBER else 0, self.shape(op, operands)].append(line)
        return waiting

    def shape(self, op: str, operands: tuple[int, ...]) -> tuple[bool, ...]:
        """For which operands there is a number in each row."""
        if op in ANY_NUMBER:
            return ()
        kinds = tuple([bool(self.rows[operand]) for operand in operands])
        return (True, False) if op in ("+", "*") and kinds == (False, True) else kinds

    def summed_apart(self) -> set[int]:
        """The lines that only the gradient of a batch wants: products that need not be there before they are summed."""
        if self.batch is None or not self.tape.gradient:
            return set()
        uses: dict[int, int] = defaultdict(int)
        for instruction in self.tape.instructions:
            for operand in instruction.operands:
                uses[operand] += 1
        for line in self.tape.results:
            uses[line] += 1
        return {line for line in self.tape.gradient if not uses[line] and self.tape[line].op in ("*", "dot")}

    def result(self) -> Rolled:
        for key in sorted(self.waiting, key=lambda key: (key[0], key[1], key[2], key[3:])):
            row, _, op, k, shape = key
            self.group(BODY if row else BEFORE, op, k, shape, self.waiting[key])
        tape = self.tape
        gradient = input_gradient = None
        outputs = self.operand(tape.outputs, self.batch == "rows" or None)
        if tape.gradient:
            gradient = self.operand(tape.gradient) if self.batch is None else self.summed(tape.gradient)
        if tape.input_gradient:
            input_gradient = self.operand(tape.input_gradient, self.batch is not None)
        if self.batch in ("sum", "mean"):
            outputs = self.summed(tape.outputs)
            if self.batch == "mean":
                outputs = self.after("*", outputs, [self.place[tape.seed]] * len(outputs.places))  # type: ignore[index]
        if tape.penalty is not None:
            outputs = self.after("+", outputs, [self.place[tape.penalty]])
            if gradient is not None:
                gradient = self.after("+", gradient, [self.place[line] for line in tape.penalty_gradient])
        return Rolled(
            numpy.array(self.constants), len(tape.parameters), self.arguments, self.inputs, self.call_count,
            self.row_count, self.groups[BEFORE], self.groups[BODY], self.groups[SUMS], self.groups[AFTER],
            outputs, gradient, input_gradient,
        )  # fmt: skip

    def group(self, section: int, op: str, k: int, shape: tuple[bool, ...], lines: list[int]) -> None:
        """One group, in an order in which what it reads lies in order as well."""
        tape, place, row = self.tape, self.place, section == BODY
        if op in ANY_NUMBER:
            operands = self.of_any_number(op, k, lines, row)
        else:
            pairs = [tape[line].operands for line in lines]
            if op in ("+", "*"):
                pairs = [self.in_order(a, b, shape) for a, b in pairs]
            columns = numpy.array([[place[i] for i in operands] for operands in pairs])
            operands = [Operand(kind, columns[:, i]) for i, kind in enumerate(shape)]
        order = numpy.lexsort([
            column for operand in reversed(operands)
            for column in ([operand.places] if operand.places.ndim == 1 else [operand.places[:, 0]])
        ])  # fmt: skip
        operands = [Operand(operand.rows, operand.places[order]) for operand in operands]
        start = self.space(row, len(lines))
        for i, position in enumerate(order.tolist()):
            place[lines[position]] = start + i
        self.groups[section].append(Group(op, row, start, len(lines), tuple(operands)))

    def in_order(self, a: int, b: int, shape: tuple[bool, ...]) -> tuple[int, int]:
        """The operands of a sum or product, so that those of one group are alike."""
        if shape[0] != shape[1]:
            return (a, b) if self.rows[a] else (b, a)
        return (a, b) if self.place[a] <= self.place[b] else (b, a)

    def of_any_number(self, op: str, k: int, lines: list[int], row: bool) -> list[Operand]:
        """Tables of places; a table is all of the rows, or all of the call."""
        tables = numpy.array([self.tape[line].operands for line in lines])
        if op == "lookup":
            return [self.column(tables[:, 0], row), self.table(tables[:, 1:], row)]
        if op == "logsumexp":
            return [self.table(tables, row)]
        a, b = tables[:, : k // 2], tables[:, k // 2 :]
        if row:
            kind = numpy.frombuffer(self.rows, dtype=numpy.uint8)
            swap = kind[a] > kind[b]  # numbers of the call first
            a, b = numpy.where(swap, b, a), numpy.where(swap, a, b)
        return in_order_of_places(self.table(a, row), self.table(b, row))

    def column(self, lines: Any, row: bool) -> Operand:
        table = self.table(lines[:, None], row)
        return Operand(table.rows, table.places[:, 0])

    def table(self, lines: Any, row: bool) -> Operand:
        flat = lines.ravel().tolist()
        return Operand(*self._places(flat, row, lines.shape))

    def _places(self, lines: list[int], row: bool, shape: tuple[int, ...]) -> tuple[bool, Any]:
        kinds = {self.rows[line] for line in lines} if row else {0}
        if len(kinds) == 2:
            places = [self.place[line] if self.rows[line] else self.promote(self.place[line]) for line in lines]
        else:
            places = [self.place[line] for line in lines]
        return bool(max(kinds)), numpy.array(places, dtype=numpy.int64).reshape(shape)

    def promote(self, place: int) -> int:
        """A number of the call as one in each row."""
        if place not in self.promoted:
            start = self.space(True, 1)
            operand = Operand(False, numpy.array([place]))
            self.groups[BODY].append(Group("maximum", True, start, 1, (operand, operand)))
            self.promoted[place] = start
        return self.promoted[place]

    def operand(self, lines: list[int], row: bool | None = None) -> Operand:
        """Where these lines are; in each row if one of them is, or row says so."""
        row = any([self.rows[line] for line in lines]) if row is None else row
        places = [self.promote(self.place[line]) if row and not self.rows[line] else self.place[line] for line in lines]
        return Operand(row, numpy.array(places, dtype=numpy.int64))

    def summed(self, lines: list[int]) -> Operand:
        """The sums over the rows of these lines."""
        kinds: dict[tuple, list[int]] = defaultdict(list)
        for i, line in enumerate(lines):
            op, operands, _, _ = self.tape[line]
            if not self.rows[line]:
                kinds["call", 0].append(i)
            elif self.place[line] >= 0:
                kinds["rowsum", 0, self.block_of(line)].append(i)
            else:  # apart by what they multiply, so that each is one matrix product
                blocks = self.block_of(operands[0]), self.block_of(operands[len(operands) // 2])
                kinds["rowdot", len(operands), *blocks].append(i)
        places = numpy.zeros(len(lines), dtype=numpy.int64)
        for (op, k, *_), chosen in sorted(kinds.items()):
            mine = [lines[i] for i in chosen]
            if op == "call":
                result = self.after("*", self.operand(mine, False), [self.count_of_rows] * len(mine))
                places[chosen] = result.places
                continue
            if op == "rowsum":
                operands = [self.operand(mine, True)]
            else:
                tables = numpy.array([self.tape[line].operands for line in mine])
                operands = in_order_of_places(
                    self.table(tables[:, : k // 2], True), self.table(tables[:, k // 2 :], True)
                )
            start = self.space(False, len(mine))
            self.groups[SUMS].append(Group(op, False, start, len(mine), tuple(operands)))
            places[chosen] = start + numpy.arange(len(mine))
        return Operand(False, places)

    def after(self, op: str, a: Operand, b: list[int]) -> Operand:
        """A group on numbers of the call, once the sums are there."""
        start, n = self.space(False, len(a.places)), len(a.places)
        operands = a, Operand(False, numpy.array(b, dtype=numpy.int64))
        self.groups[AFTER].append(Group(op, False, start, n, operands))
        return Operand(False, start + numpy.arange(n))

    def space(self, row: bool, count: int) -> int:
        """The first of so many new places."""
        if row:
            self.block += [self.row_count] * count
            self.row_count += count
            return self.row_count - count
        self.call_count += count
        return self.call_count - count

    def block_of(self, line: int) -> int:
        """Where the group of a line starts, -1 for a number of the call."""
        return self.block[self.place[line]] if self.rows[line] else -1


def in_order_of_places(a: Operand, b: Operand) -> list[Operand]:
    """Two tables whose columns are multiplied and added up, the columns in the order in which the first row lies."""
    order = numpy.lexsort([b.places[0], a.places[0]])
    return [Operand(operand.rows, operand.places[:, order]) for operand in (a, b)]
