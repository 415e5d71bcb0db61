"""The reverse sweep, written below the tape: the derivatives of its result.

The local gradients are those of the nodes' own closures. For each operation the closure is run once, on Values;
what it did is a short tape, and the sweep writes that down again for each line that is such an operation.
"""

from collections.abc import Sequence
from typing import Any

from ..engine import Value, fixed_power_gradients
from ..operations import LOCAL_GRADIENTS
from .tape import Instruction, Tape, instruction, record


def differentiated(tape: Tape, *, by_parameters: bool = True, by_inputs: bool = False, seeded: bool = False) -> Tape:
    """The tape with the derivatives of its one output, and of its penalty.

    Arguments: tape; by_parameters and by_inputs, which derivatives are wanted (of several outputs there are none);
    seeded, whether there is to be one more input, that the derivatives of the output are multiplied by.

    >>> x = Value(3.0, label="x")
    >>> print(differentiated(record(x * x, [x]), by_inputs=True))
    v0 = input x
    v1 = v0 * v0
    v2 = 1
    v3 = dot([v2, v2], [v0, v0])
    return v1
    d/dx = v3
    """
    result = tape.rebuilt([*tape.instructions], range(len(tape)))
    if seeded:
        result.seed = result.append("input", label="1/rows")
        result.inputs.pop()
    leaves = [*(tape.parameters if by_parameters else ()), *(tape.inputs if by_inputs else ())]
    if leaves and len(tape.outputs) == 1:
        slopes = _Sweep(result).gradient(tape.outputs[0], leaves, result.seed)
        count = len(tape.parameters) if by_parameters else 0
        result.gradient, result.input_gradient = slopes[:count], slopes[count:]
    if tape.penalty is not None and by_parameters:
        result.penalty_gradient = _Sweep(result).gradient(tape.penalty, tape.parameters, None)
    return result


class _Sweep:
    """What is written on, and what is known while it is: constants that are there, and the rules so far."""

    def __init__(self, tape: Tape) -> None:
        self.instructions = tape.instructions
        self.constants: dict[tuple, int] = {}
        self.rules: dict[tuple, tuple[list[Instruction], list[int]]] = {}
        self.moving: set[int] = set()

    def gradient(self, root: int, leaves: Sequence[int], seed: int | None) -> list[int]:
        """The lines of d(root)/d(leaf) for each leaf, times the seed, if there is one.

        What `backward()` does, for what depends on the leaves: a constant's adjoint would be half of the work. An
        adjoint is a sum, over all uses, of adjoint times local gradient, from 0 on and in the order of the sweep: that
        is how a dot product is defined.
        """
        instructions, one = self.instructions, self.constant(1)
        moving = self.moving = set(leaves)
        for line in range(root + 1):
            if not moving.isdisjoint(instructions[line][1]):
                moving.add(line)
        sent: dict[int, tuple[list[int], list[int]]] = {line: ([], []) for line in moving}
        sent[root] = [one], [one if seed is None else seed]  # adjoints, and local gradients
        for line in range(root, -1, -1):
            op, operands, _, _ = instructions[line]
            if not operands or line not in moving or not sent[line][0]:
                continue
            adjoint = self.dot(*sent.pop(line))
            which, slopes = self.local_gradients(line, op, operands)
            for i, slope in zip(which, slopes):
                adjoints, factors = sent[operands[i]]
                adjoints.append(adjoint)
                factors.append(slope)
        return [self.dot(*sent[leaf]) if sent[leaf][0] else self.constant(0) for leaf in leaves]

    def local_gradients(self, line: int, op: str, operands: tuple[int, ...]) -> tuple[tuple[int, ...], list[int]]:
        """Which operands move, and for each of them the line of d(this line)/d(operand)."""
        instructions, moving = self.instructions, self.moving
        which = tuple([i for i, operand in enumerate(operands) if operand in moving])
        exponent = instructions[operands[1]].number if op == "**" else None
        key = op, len(operands), which, type(exponent), exponent
        if key not in self.rules:
            self.rules[key] = _rule(op, len(operands), which, exponent)
        body, slopes = self.rules[key]
        places = [line, *operands]
        for op, inner, number, _ in body:
            if op == "constant":
                places.append(self.constant(number))
            else:
                places.append(len(instructions))
                instructions.append(instruction(op, tuple([places[i] for i in inner])))
        return which, [places[i] for i in slopes]

    def dot(self, a: list[int], b: list[int]) -> int:
        """The line of an adjoint. 0 + x * 1 is x, which is 1 or an adjoint too: no -0.0, for it began with 0."""
        if b == [self.constant(1)]:
            return a[0]
        self.instructions.append(instruction("dot", (*a, *b)))
        return len(self.instructions) - 1

    def constant(self, number: Any) -> int:
        key = type(number), repr(number)
        if key not in self.constants:
            self.constants[key] = len(self.instructions)
            self.instructions.append(Instruction("constant", (), number))
        return self.constants[key]


def _rule(op: str, count: int, which: Sequence[int], exponent: Any) -> tuple[list[Instruction], list[int]]:
    """The local gradients of an operation on so many operands, by those of them that move.

    Returns the instructions of a tape whose first lines are the result and the operands, without these, and the lines
    of the gradients. No closure has a branch on a number of its operands, but on a fixed exponent, and, at a tie of a
    maximum, on whether it is a fraction: a program says 0.5.
    """
    out, *operands = given = [Value(1.0) for _ in range(count + 1)]  # every function is defined at 1
    if exponent is None:
        slopes = LOCAL_GRADIENTS[op](out, *operands)
    else:
        slopes = fixed_power_gradients(out, operands[0], Value(exponent))
    slopes = [x if isinstance(x, Value) else Value(x) for x in slopes]
    tape = record([slopes[i] for i in which], given)
    return tape.instructions[len(given) :], tape.outputs
