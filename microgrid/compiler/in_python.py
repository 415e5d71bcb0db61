"""A program as a Python function: the definition, which the others have to agree with.

Its text can be read, and a debugger steps through it: `linecache` knows the lines.
"""

import linecache
import time
from collections.abc import Sequence
from fractions import Fraction
from itertools import count
from typing import Any

from ..operations import NUMBERS, OPERATIONS
from .tape import INFIX, Instruction, Tape, one_line

TERMS = 40  # of a sum in one line: the parser of Python goes only so deep
_numbered = count(1)

INLINE = {
    "neg": "-{0}", "abs": "abs({0})", "step": "1 if {0} > 0 else 0", "relu": "type({0})(0) if {0} <= 0 else {0}",
    "leaky_relu": "{0} if {0} > 0 else {1} * {0}", "where": "{1} if {0} > 0 else {2}",
    "match": "1 if {0} == {1} else 0", "maximum": "{0} if {0} > {1} or {0} != {0} else {1}",
    "minimum": "{0} if {0} < {1} or {0} != {0} else {1}",
}  # fmt: skip


class PythonProgram:
    """A tape as a Python function.

    Attributes: source, its text; function, which takes (parameters, inputs, seed), all inputs of one example, or a
    list of rows of them; seconds, what making it took.
    Arguments: tape; batch, as in `roll`; name, of the function.
    """

    def __init__(self, tape: Tape, batch: str | None = None, name: str = "program") -> None:
        start = time.perf_counter()
        self.source = _Writer(tape, batch, name).text()
        self.file = f"<microgrid {name} {next(_numbered)}>"
        named = [op for op in {i.op for i in tape} if op.isidentifier()]
        space: dict[str, Any] = {"power": NUMBERS["**"], "Fraction": Fraction}
        space |= {op: NUMBERS.get(op, OPERATIONS.get(op)) for op in named}
        exec(compile(self.source, self.file, "exec"), space)
        lines = self.source.splitlines(keepends=True)
        linecache.cache[self.file] = len(self.source), None, lines, self.file  # as if it were a file
        self.function = space[name]
        self.seconds = time.perf_counter() - start

    def __del__(self) -> None:
        linecache.cache.pop(getattr(self, "file", ""), None)

    def run(self, parameters: Sequence[Any], inputs: Sequence[Any], seed: Any = 1) -> tuple[list, list, list]:
        """The outputs, the gradient and the gradient by the inputs; the first and last by rows if there are rows."""
        return self.function(parameters, inputs, seed)


class _Writer:
    """What writes the text: what is computed once a call, then what is computed for each row."""

    def __init__(self, tape: Tape, batch: str | None, name: str) -> None:
        self.tape, self.batch, self.name = tape, batch, name
        self.rows = bytearray(len(tape))
        if batch is not None:
            for line in tape.inputs:
                self.rows[line] = 1
        for line, instruction in enumerate(tape.instructions):
            if any([self.rows[operand] for operand in instruction.operands]):
                self.rows[line] = 1

    def text(self) -> str:
        tape = self.tape
        inputs = "inputs" if self.batch is None else "rows"
        seed = "seed" if tape.seed is None else f"v{tape.seed}"
        lines = [f"def {self.name}(parameters, {inputs}, {seed}=1):"]
        lines += _unpacked(tape, tape.parameters, "parameters")
        if self.batch is None:
            lines += [*_unpacked(tape, tape.inputs, "inputs"), *self.written(0)]
            lines.append(f"    return {self.once()}, {_list(tape.input_gradient)}")
        else:
            lines += [*self.written(0), *self.over_rows()]
        return "\n".join(lines) + "\n"

    def once(self) -> str:
        """The outputs and the gradient where there are no rows, the penalty added."""
        tape = self.tape
        if tape.penalty is None:
            return f"{_list(tape.outputs)}, {_list(tape.gradient)}"
        sums = [f"v{line} + v{more}" for line, more in zip(tape.gradient, tape.penalty_gradient)]
        return f"[v{tape.outputs[0]} + v{tape.penalty}], [{', '.join(sums)}]"

    def over_rows(self) -> list[str]:
        """The loop over the rows, and what is returned after it."""
        tape = self.tape
        sums = [f"g{i}" for i in range(len(tape.gradient))]
        reduced = self.batch in ("sum", "mean")
        lines = [f"    {name} = 0" for name in (["value"] if reduced else [])]
        lines += [f"    {' = '.join(sums[i : i + 20])} = 0  # the gradient, summed" for i in range(0, len(sums), 20)]
        lines += ["    outputs, input_gradient = [], []", "    for row in rows:"]
        body = [*_unpacked(tape, tape.inputs, "row"), *self.written(1)]
        body += [f"    value += v{tape.outputs[0]}" if reduced else f"    outputs.append({_list(tape.outputs)})"]
        body += [f"    {name} += v{line}" for name, line in zip(sums, tape.gradient)]
        if tape.input_gradient:
            body.append(f"    input_gradient.append({_list(tape.input_gradient)})")
        lines += [f"    {line}" for line in body]
        if reduced:
            scaled = "value" if tape.seed is None else f"value * v{tape.seed}"
            penalty = "" if tape.penalty is None else f" + v{tape.penalty}"
            lines.append(f"    outputs = [{scaled}{penalty}]")
        if tape.penalty is not None:
            lines += [f"    {name} += v{line}" for name, line in zip(sums, tape.penalty_gradient)]
        return [*lines, f"    return outputs, [{', '.join(sums)}], input_gradient"]

    def written(self, row: int) -> list[str]:
        """The lines that are computed in each row, or those that are not."""
        found: list[str] = []
        for line, instruction in enumerate(self.tape.instructions):
            if self.rows[line] != row or instruction.op in ("input", "parameter"):
                continue
            comment = f"  # {one_line(instruction.label)}" if instruction.label else ""
            *first, last = self.assigned(line, instruction)
            found += [*first, last + comment]
        return found

    def assigned(self, line: int, instruction: Instruction) -> list[str]:
        op, operands, number, _ = instruction
        names = [self.named(i) for i in operands]
        if op == "dot":
            half = len(names) // 2
            terms = [_product(a, b) for a, b in zip(names[:half], names[half:])]
            parts = [" + ".join(terms[i : i + TERMS]) for i in range(0, half, TERMS)]
            return [f"    v{line} = {f'v{line}' if i else 0} + {part}" for i, part in enumerate(parts)]
        return [f"    v{line} = {self.expression(op, operands, names, number)}"]

    def expression(self, op: str, operands: tuple[int, ...], names: list[str], number: Any) -> str:
        if op == "constant":
            return _number(number)
        if op == "**":
            fixed = self.tape[operands[1]].number
            whole = fixed is not None and fixed == fixed // 1
            return f"{names[0]} ** {names[1]}" if whole else f"power({names[0]}, {names[1]})"
        if op in INFIX:
            return f"{names[0]} {op} {names[1]}"
        return INLINE[op].format(*names) if op in INLINE else f"{op}({', '.join(names)})"

    def named(self, line: int) -> str:
        """A line's variable, or its number if that is a short constant."""
        instruction = self.tape[line]
        text = _number(instruction.number) if instruction.op == "constant" else ""
        return text if text and len(text) <= 6 and text[0] != "-" else f"v{line}"


def _unpacked(tape: Tape, lines: list[int], name: str) -> list[str]:
    if not lines:
        return []
    labels = [tape[line].label for line in lines]
    found = []
    for i in range(0, len(lines), 10):
        names = ", ".join([f"v{line}" for line in lines[i : i + 10]])
        comment = ", ".join([one_line(label) or "?" for label in labels[i : i + 10]])
        part = name if len(lines) <= 10 else f"{name}[{i}:{i + 10}]"
        found.append(f"    {names}, = {part}" + (f"  # {comment}" if any(labels) else ""))
    return found


def _list(lines: list[int]) -> str:
    return f"[{', '.join([f'v{line}' for line in lines])}]"


def _product(a: str, b: str) -> str:
    return b if a == "1" else a if b == "1" else f"{a} * {b}"


def _number(x: Any) -> str:
    return f"float({str(x)!r})" if x != x or abs(x) == float("inf") else repr(x)
