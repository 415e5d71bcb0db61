"""The Wengert list: a graph written down as a list of single assignments.

Source: Wengert 1964, "A simple automatic derivative evaluation program"; Griewank & Walther 2008,
section 2.2.

>>> x, y = Value(2.0, label="x"), Value(3.0, label="y")
>>> print(record(x * y + 1, inputs=[x, y]))
v0 = input x
v1 = input y
v2 = v0 * v1
v3 = 1
v4 = v2 + v3
return v4
"""

import sys
import zlib
from array import array
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Any, NamedTuple

from ..calculus import copy_gradients
from ..engine import Value, multiply_gradients, topological_order
from ..operations import ANY_NUMBER, OPERATIONS, RULES

LEAVES = ("input", "parameter", "constant")
INFIX = ("+", "-", "*", "/", "**")
TWO = (*INFIX, "maximum", "minimum", "match", "leaky_relu", "elu")
COUNTS = {**dict.fromkeys(OPERATIONS, 1), **dict.fromkeys(TWO, 2), "where": 3}


class Instruction(NamedTuple):
    """One line: op, of the operands (numbers of lines above); number, if it is a constant; label, to show."""

    op: str
    operands: tuple[int, ...] = ()
    number: Any = None
    label: str = ""


def instruction(op: str, operands: tuple[int, ...] = (), number: Any = None, label: str = "") -> Instruction:
    """An Instruction, made in half the time: a tape may have millions."""
    return tuple.__new__(Instruction, (op, operands, number, label))


class Tape:
    """A list of instructions, operands before results, and which of them are wanted.

    Attributes: instructions; inputs and parameters, the lines that are set from outside; outputs, the lines
    that are the result; gradient, for each parameter the line of its derivative, and input_gradient, for
    each input, both empty until `differentiated`; seed, the line of the input that these derivatives are
    multiplied by, or None; penalty and penalty_gradient, the same for a term of the parameters alone.
    Indexable (`tape[3]`), iterable, and printable; a long one prints its two ends.
    """

    def __init__(self) -> None:
        self.instructions: list[Instruction] = []
        self.inputs: list[int] = []
        self.parameters: list[int] = []
        self.outputs: list[int] = []
        self.gradient: list[int] = []
        self.input_gradient: list[int] = []
        self.seed: int | None = None
        self.penalty: int | None = None
        self.penalty_gradient: list[int] = []

    def append(self, op: str, operands: tuple[int, ...] = (), number: Any = None, label: str = "") -> int:
        """A new last line; returns its number."""
        self.instructions.append(Instruction(op, operands, number, label))
        line = len(self.instructions) - 1
        if op == "input":
            self.inputs.append(line)
        elif op == "parameter":
            self.parameters.append(line)
        return line

    @property
    def wanted(self) -> list[int]:
        """All lines that somebody asked for."""
        return [*self.gradient, *self.results]

    @property
    def results(self) -> list[int]:
        """All but `gradient`, which is summed over the rows of a batch."""
        penalty = [] if self.penalty is None else [self.penalty]
        return [*self.outputs, *self.input_gradient, *penalty, *self.penalty_gradient]

    @property
    def given(self) -> list[int]:
        """All lines that are set from outside."""
        return [*self.inputs, *self.parameters, *([] if self.seed is None else [self.seed])]

    def rebuilt(self, instructions: list[Instruction], new: Any) -> "Tape":
        """Another tape of these instructions, in which line i is called new[i]."""
        tape = Tape()
        tape.instructions = instructions
        for name in ("inputs", "parameters", "outputs", "gradient", "input_gradient", "penalty_gradient"):
            setattr(tape, name, [new[line] for line in getattr(self, name)])
        for name in ("seed", "penalty"):
            line = getattr(self, name)
            setattr(tape, name, None if line is None else new[line])
        return tape

    def __getstate__(self) -> dict[str, Any]:
        """The instructions packed: of a million lines, tuples would take half a gigabyte."""
        state = {name: x for name, x in self.__dict__.items() if name != "instructions"}
        return state | {"packed": state.get("packed") or _packed(self.instructions)}

    def __getattr__(self, name: str) -> Any:
        packed = self.__dict__.get("packed")
        if name != "instructions" or packed is None:
            raise AttributeError(f"a Tape has no attribute {name!r}")
        self.instructions = _unpacked(packed)  # of a tape that was pickled, when it is first looked at
        return self.instructions

    def __len__(self) -> int:
        return len(self.instructions)

    def __getitem__(self, line: Any) -> Any:
        return self.instructions[line]

    def __iter__(self) -> Iterator[Instruction]:
        return iter(self.instructions)

    @property
    def operations(self) -> int:
        """How many lines compute something."""
        return sum([instruction.op not in LEAVES for instruction in self.instructions])

    def text(self, most: int | None = None) -> str:
        """The lines as text; most, how many of them, the middle left out."""
        lines = [f"v{line} = {_said(instruction)}" for line, instruction in _ends(self.instructions, most)]
        if most is not None and len(self) > most:
            lines.insert(most // 2, f"... {len(self) - most} lines more")
        lines.append(f"return {', '.join([f'v{line}' for line in self.outputs])}")
        names = {line: one_line(self[line].label) or f"v{line}" for line in [*self.inputs, *self.parameters]}
        for leaves, slopes in ((self.parameters, self.gradient), (self.inputs, self.input_gradient)):
            shown = list(zip(leaves, slopes))[: None if most is None else most // 4]
            lines += [f"d/d{names[leaf]} = v{slope}" for leaf, slope in shown]
        return "\n".join(lines)

    def __str__(self) -> str:
        return self.text(200)

    def __repr__(self) -> str:
        return (
            f"<Tape of {len(self)} lines: {len(self.inputs)} inputs, {len(self.parameters)} parameters, "
            f"{self.operations} operations>"
        )

    def check(self) -> "Tape":
        """The tape itself.  Raises AssertionError where an operand is not above its result, or an operation unknown."""
        for line, one in enumerate(self.instructions):
            for operand in one[1]:
                assert 0 <= operand < line, f"v{line}: needs v{operand}, which is not above it"
        ops, operands, numbers, _ = zip(*self.instructions) if self.instructions else ((),) * 4
        for op, many, kind in {*zip(ops, map(len, operands), map(type, numbers))}:
            wrong = _wrong(op, many, kind is type(None))
            if wrong:
                found = enumerate(self.instructions)
                line = next(i for i, one in found if (one[0], len(one[1]), type(one[2])) == (op, many, kind))
                raise AssertionError(f"v{line}: {wrong}")
        given = [self[line].op for line in self.given]
        expected = ["input"] * len(self.inputs) + ["parameter"] * len(self.parameters) + ["input"]
        assert given == expected[: len(given)], "a line that is set from outside and is no leaf"
        assert not self.gradient or len(self.gradient) == len(self.parameters), "a derivative for each parameter"
        assert not self.input_gradient or len(self.input_gradient) == len(self.inputs), "a derivative for each input"
        assert all([0 <= line < len(self) for line in self.wanted]), "a result that is no line"
        return self

    def evaluate(self, inputs: Sequence[Any], parameters: Sequence[Any] = (), seed: Any = 1) -> list[Any]:
        """What is on each line, for these inputs and parameters: numbers, or Values, which make a graph."""
        given = dict(zip([*self.inputs, *self.parameters], [*inputs, *parameters], strict=True))
        if self.seed is not None:
            given[self.seed] = seed
        results: list[Any] = []
        for line, (op, operands, number, _) in enumerate(self.instructions):
            if op == "constant":
                results.append(number)
            elif op in LEAVES:
                results.append(given[line])
            else:
                results.append(OPERATIONS[op](*[results[i] for i in operands]))
        return results


def record(
    roots: Value | Sequence[Value],
    inputs: Sequence[Value] = (),
    parameters: Sequence[Value] = (),
    penalty: Value | None = None,
) -> Tape:
    """The graph of roots as a tape.

    Arguments: roots, one Value or several; inputs and parameters, the leaves that are to be set from
    outside; every other leaf is a constant; penalty, one more root, of parameters alone.
    Raises ValueError for an operation that is not microgrid's own, and for a leaf that is given twice.

    >>> x = Value(3.0)
    >>> record(x * x, [x])[1]
    Instruction(op='*', operands=(0, 0), number=None, label='')
    """
    roots = [roots] if isinstance(roots, Value) else list(roots)
    tape = Tape()
    given: dict[Value, int] = {}
    for op, leaves in (("input", inputs), ("parameter", parameters)):
        for leaf in leaves:
            if leaf in given:
                raise ValueError(f"record: {leaf!r:.60} is given twice among the inputs and parameters")
            given[leaf] = tape.append(op, label=str(leaf.label))
    instructions = tape.instructions
    known: dict[tuple, int] = {}

    def constant(number: Any, label: str = "") -> int:
        key = type(number), number or repr(number), label  # equal constants are one line; 0.0 is not -0.0
        if key not in known:
            known[key] = len(instructions)
            instructions.append(instruction("constant", (), number, label))
        return known[key]

    def write(wanted: Sequence[Value]) -> list[int]:
        """The lines of a graph, in the order of its own sweep: what a penalty shares is there twice."""
        lines = dict(given)
        for node in topological_order(Value(0, tuple(wanted)))[:-1]:
            if node in lines:
                continue
            parents, rule, label = node.parents, node.local_gradients, str(node.label) if node.label else ""
            if not parents:
                number = node.data
                lines[node] = constant(number if type(number) in (int, float) else Value(number).data, label)
                continue
            operands = tuple([lines[parent] for parent in parents])
            if rule is copy_gradients:  # it has an adjoint of its own, as x * 1 has
                rule, operands = multiply_gradients, (*operands, constant(1))
            if rule not in RULES:
                raise ValueError(_unknown(node))
            lines[node] = len(instructions)
            instructions.append(instruction(RULES[rule], operands, None, label))
        return [lines[node] for node in wanted]

    tape.outputs = write(roots)
    if penalty is not None:
        [tape.penalty] = write([penalty])
    return tape


def _unknown(node: Value) -> str:
    known = ", ".join(sorted(OPERATIONS))
    return (
        f"compile: the operation {node.op!r} of {node!r:.80} has a rule that is not microgrid's, so there is nothing "
        f"to compute it with again; write it with {known}"
    )


def _said(instruction: Instruction) -> str:
    op, operands, number, label = instruction
    names = [f"v{i}" for i in operands]
    comment = f"  # {one_line(label)}" if label else ""
    if op == "constant":
        return f"{number!r}{comment}"
    if op in LEAVES:
        return f"{op} {one_line(label)}".rstrip()
    if op in INFIX:
        return f"{names[0]} {op} {names[1]}{comment}"
    if op == "neg":
        return f"-{names[0]}{comment}"
    if op == "dot":
        half = len(names) // 2
        if half == 1:
            return f"0 + {names[0]} * {names[1]}{comment}"
        return f"dot([{', '.join(names[:half])}], [{', '.join(names[half:])}]){comment}"
    return f"{op}({', '.join(names)}){comment}"


def one_line(label: str) -> str:
    """A label as it may stand behind a line: no new line, and no character that does not print."""
    text = " ".join(label.split())
    return text if text.isprintable() else "".join([c if c.isprintable() else ascii(c)[1:-1] for c in text])


def _wrong(op: str, count: int, empty: bool) -> str:
    """What is wrong with a line of so many operands, and with or without a number; nothing if it may be."""
    if op in LEAVES:
        if count:
            return "a leaf with operands"
        return "" if empty == (op != "constant") else "a constant has a number, nothing else has"
    if op not in OPERATIONS:
        return f"no operation is called {op!r}"
    if not count:
        return "an operation without operands"
    return "" if _countable(op, count) else f"{op} of {count} operands"


def _countable(op: str, count: int) -> bool:
    """Whether the operation can have so many operands."""
    if op == "dot":
        return count % 2 == 0
    return count > (op == "lookup") if op in ANY_NUMBER else count == COUNTS[op]


def _packed(instructions: list[Instruction]) -> tuple:
    """All operations, how many operands each has, how far above these are, and what else is on a line."""
    names = sorted({one[0] for one in instructions})
    number = {name: i for i, name in enumerate(names)}
    columns = (
        array("B", [number[one[0]] for one in instructions]),
        array("i", [len(one[1]) for one in instructions]),
        array("i", [line - operand for line, one in enumerate(instructions) for operand in one[1]]),
    )
    rest = {line: one[2:] for line, one in enumerate(instructions) if one[2] is not None or one[3]}
    return names, [_compressed(column) for column in columns], rest


def _compressed(column: array) -> bytes:
    if sys.byteorder == "big":
        column.byteswap()
    return zlib.compress(column, 1)  # graphs repeat themselves, so that this makes a tenth of it, or less


def _unpacked(packed: tuple) -> list[Instruction]:
    names, compressed, rest = packed
    columns = [array(kind) for kind in "Bii"]
    for column, content in zip(columns, compressed):
        column.frombytes(zlib.decompress(content))
        if sys.byteorder == "big":
            column.byteswap()
    ops, counts, distances = columns
    far = iter(distances)
    return [
        instruction(names[op], tuple([line - distance for distance in islice(far, count)]), *rest.get(line, ()))
        for line, (op, count) in enumerate(zip(ops, counts))
    ]


def _ends(things: list, most: int | None) -> list[tuple[int, Any]]:
    numbered = list(enumerate(things))
    return numbered if most is None or len(things) <= most else numbered[: most // 2] + numbered[-(most - most // 2) :]
