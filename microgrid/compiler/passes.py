"""What makes a tape shorter: functions from a tape to a tape, each checked afterwards.

All but `relaxed` keep every result to the last bit, the sign of a zero included.
Source: Aho, Lam, Sethi & Ullman 2006, chapter 8 and section 9.1.
"""

from collections.abc import Callable, Sequence
from typing import Any

from ..operations import OPERATIONS
from .tape import LEAVES, Instruction, Tape, instruction

# Operations whose result does not tell 0.0 from -0.0 in this operand.  A dot product begins with 0, so it is one.
_BLIND = frozenset(("dot", "exp", "cos", "sigmoid", "softplus", "relu", "abs", "step", "logsumexp", "log"))
_SIGNED = frozenset(("+", "-", "*", "neg"))  # whose result is a zero of another sign, at most
SHORT = 2  # terms from which a sum is written as a dot product


def dead_code(tape: Tape) -> Tape:
    """Without the lines that nothing wanted depends on; inputs and parameters stay."""
    instructions = tape.instructions
    needed = bytearray(len(instructions))
    for line in [*tape.wanted, *tape.given]:
        needed[line] = 1
    for line in range(len(instructions) - 1, -1, -1):
        if needed[line]:
            for operand in instructions[line].operands:
                needed[operand] = 1
    return _kept(tape, needed)


def common_subexpressions(tape: Tape) -> Tape:
    """With each expression computed once.

    >>> from ..engine import Value
    >>> from .tape import record
    >>> x = Value(2.0)
    >>> len(record(x * x + x * x, [x])), len(common_subexpressions(record(x * x + x * x, [x])))
    (4, 3)
    """
    seen: dict[tuple, int] = {}

    def once(instruction: Instruction, line: int) -> Instruction | int:
        op, operands, number, _ = instruction
        if op in ("input", "parameter"):
            return instruction
        if op in ("+", "*") and operands[0] > operands[1]:
            operands = operands[::-1]
        # repr tells 0.0 from -0.0, and 1 from 1.0; nan is itself here
        first = seen.setdefault((op, operands, number if number is None else (type(number), repr(number))), line)
        return instruction if first == line else first

    return _mapped(tape, once)


def constants(tape: Tape) -> Tape:
    """With what depends on constants alone computed now; what can't be, such as 1 / 0, is left for later.

    >>> from ..engine import Value
    >>> from .tape import record
    >>> x = Value(2.0, label="x")
    >>> print(dead_code(constants(record(x * (Value(2) * 3 + 1), [x]))))
    v0 = input x
    v1 = 7
    v2 = v0 * v1
    return v2
    """
    numbers: dict[int, Any] = {}

    def folded(instruction: Instruction, line: int) -> Instruction | int:
        op, operands, number, label = instruction
        if op == "constant":
            numbers[line] = number
        elif operands and all([operand in numbers for operand in operands]):
            try:
                number = OPERATIONS[op](*[numbers[operand] for operand in operands])
            except (ArithmeticError, ValueError):
                return instruction
            numbers[line] = number
            return Instruction("constant", (), number, label)
        return instruction

    return _mapped(tape, folded)


def identities(tape: Tape) -> Tape:
    """Without the operations that change nothing: 1 * x, x / 1, x - 0, x ** 1, -(-x).

    1.0 * x stays where x may be a whole number, such as a `step`: 0 has no sign, so -(1.0 * 0) is not -0.
    """
    found = {line: i.number for line, i in enumerate(tape.instructions) if i.op == "constant"}
    whole = _perhaps_whole(tape)

    def is_one(line: int, other: int, op: str) -> bool:
        number = found.get(line)
        return number == 1 and (not whole[other] or (type(number) is int and op != "/"))

    def shorter(instruction: Instruction, line: int) -> Instruction | int:
        op, operands, _, _ = instruction
        if len(operands) == 2:
            a, b = operands
            if op == "*" and is_one(a, b, op):
                return b
            if op in ("*", "/", "**") and is_one(b, a, op):
                return a
            if op == "-" and repr(found.get(b)) in ("0", "0" if whole[a] else "0.0"):
                return a
        if op == "neg" and tape.instructions[operands[0]].op == "neg":
            return tape.instructions[operands[0]].operands[0]
        return instruction

    return _followed(tape, shorter)


def _perhaps_whole(tape: Tape) -> bytearray:
    """Which lines may be ints, not floats, though what is given from outside is float."""
    found = bytearray(len(tape))
    for line, (op, operands, number, _) in enumerate(tape.instructions):
        if op in ("step", "match") or (op == "constant" and type(number) is not float):
            found[line] = 1
        elif op in ("where", "lookup", "maximum", "minimum", "leaky_relu", "elu"):
            found[line] = any([found[i] for i in operands])
        elif op in ("+", "-", "*", "**", "neg", "abs", "relu", "dot"):
            found[line] = all([found[i] for i in operands])
    return found


def zeros(tape: Tape, summed: bool = False) -> Tape:
    """Without the 0 + x whose only effect is that -0.0 becomes 0.0, where nobody can see which it is.

    Every adjoint begins as 0, so most of the additions of a reverse sweep are such: 0 + a * b, a dot product of
    one term, is then a * b.
    Arguments: summed, whether the gradient is added to zeros afterwards, as it is for a batch.
    """
    instructions = tape.instructions
    zero = {line for line, i in enumerate(instructions) if i.op == "constant" and repr(i.number) in ("0", "0.0")}
    one = {line for line, i in enumerate(instructions) if i.op == "constant" and i.number == 1}
    seen = bytearray(len(instructions))
    for line in tape.results if summed else tape.wanted:
        seen[line] = 1
    for line in range(len(instructions) - 1, -1, -1):
        op, operands, _, _ = instructions[line]
        if op in LEAVES or op in _BLIND or (op == "+" and (operands[0] in zero or operands[1] in zero)):
            continue
        if op == "where":
            operands = operands[1:]
        if op == "/":
            seen[operands[1]] = 1
            operands = operands[:1]
        elif op not in _SIGNED and op != "where":
            for operand in operands:
                seen[operand] = 1
            continue
        if seen[line]:
            for operand in operands:
                seen[operand] = 1

    def shorter(old: Instruction, line: int) -> Instruction | int:
        op, operands, number, label = old
        if seen[line] or len(operands) != 2:
            return old
        a, b = operands
        if op == "+" and (a in zero or b in zero):
            return b if a in zero else a
        if op == "dot":
            return b if a in one else a if b in one else instruction("*", operands, number, label)
        return old

    return _followed(tape, shorter)


def dot_products(tape: Tape) -> Tape:
    """With 0 + a*b + c*d + ... as one dot product, which is defined as just that.

    A reverse sweep is full of them: an adjoint is the sum, over all uses, of adjoint times local gradient.
    """
    instructions = tape.instructions
    uses = [0] * len(instructions)
    for _, operands, _, _ in instructions:
        for operand in operands:
            uses[operand] += 1
    for line in tape.wanted:
        uses[line] += 1
    # For each line that is a sum so far: its terms.  A sum that is used once, by the next sum, is part of that.
    terms: dict[int, list[int]] = {}
    for line, (op, operands, _, _) in enumerate(instructions):
        if op != "+":
            continue
        a, b = operands
        if a in terms and uses[a] == 1:
            terms[line] = terms.pop(a)
            terms[line].append(b)
        elif instructions[a].op == "constant" and repr(instructions[a].number) in ("0", "0.0"):
            terms[line] = [b]
    sums = {line: parts for line, parts in terms.items() if len(parts) >= SHORT}
    new = list(range(len(instructions)))
    built: list[Instruction] = []
    one = -1
    for line, (op, operands, number, label) in enumerate(instructions):
        if line in sums:
            lefts, rights = [], []
            for term in sums[line]:
                if instructions[term].op == "*" and uses[term] == 1:
                    a, b = instructions[term].operands
                    lefts.append(new[a])
                    rights.append(new[b])
                else:
                    if one < 0:
                        one = len(built)
                        built.append(Instruction("constant", (), 1))
                    lefts.append(new[term])
                    rights.append(one)
            built.append(instruction("dot", (*lefts, *rights), None, label))
        else:
            built.append(instruction(op, tuple([new[i] for i in operands]), number, label))
        new[line] = len(built) - 1
    return dead_code(tape.rebuilt(built, new))


def relaxed(tape: Tape) -> Tape:
    """With algebra that is right for real numbers but may change the last bits, or what becomes of nan and inf.

    x * 0 = 0, 0 + x = x (so that a dot product of one term is a product), x - x = 0,
    x / c = x * (1 / c), x ** 2 = x * x, x ** 0.5 = sqrt(x), x ** -1 = 1 / x.
    """
    found = {line: i.number for line, i in enumerate(tape.instructions) if i.op == "constant"}
    built: list[Instruction] = []
    new: list[int] = []

    def constant(number: Any) -> int:
        built.append(Instruction("constant", (), number))
        return len(built) - 1

    for op, operands, number, label in tape.instructions:
        a, b = operands if len(operands) == 2 and op != "lookup" else (-1, -1)
        known = found.get(b)
        places = tuple([new[i] for i in operands])
        line: int | None = None
        if (op == "*" and (known == 0 or found.get(a) == 0)) or (op == "-" and a == b):
            line = constant(0)
        elif op == "+" and (known == 0 or found.get(a) == 0):
            line = new[a] if known == 0 else new[b]
        elif op == "/" and known:
            built.append(Instruction("*", (new[a], constant(1 / known)), None, label))
        elif op == "**" and known == 2:
            built.append(Instruction("*", (new[a], new[a]), None, label))
        elif op == "**" and known == 0.5:
            built.append(Instruction("sqrt", (new[a],), None, label))
        elif op == "dot" and len(operands) == 2:
            built.append(Instruction("*", (new[a], new[b]), None, label))
        elif op == "**" and known == -1:
            built.append(Instruction("/", (constant(1), new[a]), None, label))
        else:
            built.append(Instruction(op, places, number, label))
        new.append(len(built) - 1 if line is None else line)
    return tape.rebuilt(built, new)


def shortened(tape: Tape, summed: bool = False, exact: bool = True) -> Tape:
    """All passes in a row, each result checked.

    Arguments: tape; summed, as in `zeros`; exact, whether every bit has to stay as it is.
    """
    passes: Sequence[Callable[[Tape], Tape]] = [
        constants,
        *([] if exact else [relaxed, constants]),
        identities,
        common_subexpressions,
        dot_products,
        lambda tape: zeros(tape, summed),
        dead_code,
    ]
    for one in passes:
        tape = one(tape).check()
    return tape


def slots(tape: Tape) -> tuple[list[int], int]:
    """A slot for each line, used again once nobody needs what is in it; and how many there are.

    What is set from outside, constants and what is wanted keep theirs.
    """
    last = [-1] * len(tape)
    for line, (_, operands, _, _) in enumerate(tape.instructions):
        for operand in operands:
            last[operand] = line
    for line in [*tape.wanted, *[line for line, one in enumerate(tape.instructions) if one[0] in LEAVES]]:
        last[line] = len(tape)
    chosen: list[int] = []
    free: list[int] = []
    count = 0
    for line, (_, operands, _, _) in enumerate(tape.instructions):
        for operand in operands:
            if last[operand] == line:
                last[operand] = -1
                free.append(chosen[operand])
        if free and operands:
            chosen.append(free.pop())
        else:
            chosen.append(count)
            count += 1
    return chosen, count


def _kept(tape: Tape, needed: bytearray) -> Tape:
    new = [-1] * len(tape)
    built: list[Instruction] = []
    for line, (op, operands, number, label) in enumerate(tape.instructions):
        if needed[line]:
            new[line] = len(built)
            built.append(instruction(op, tuple([new[i] for i in operands]), number, label))
    return tape.rebuilt(built, new)


def _mapped(tape: Tape, function: Callable[[Instruction, int], Instruction | int]) -> Tape:
    """function(instruction, its line) for each: an instruction to stand in its place, or a line that has the result."""
    new: list[int] = []
    built: list[Instruction] = []
    for old in tape.instructions:
        op, operands, number, label = old
        placed = instruction(op, tuple([new[i] for i in operands]), number, label) if operands else old
        result = function(placed, len(built))
        if type(result) is int:
            new.append(result)
        else:
            new.append(len(built))
            built.append(result)  # type: ignore[arg-type]
    return tape.rebuilt(built, new)


def _followed(tape: Tape, function: Callable[[Instruction, int], Instruction | int]) -> Tape:
    """The same, but function sees lines of the old tape."""
    new: list[int] = []
    built: list[Instruction] = []
    for line, old in enumerate(tape.instructions):
        result = function(old, line)
        if type(result) is int:
            new.append(new[result])
        else:
            op, operands, number, label = result  # type: ignore[misc]
            new.append(len(built))
            built.append(instruction(op, tuple([new[i] for i in operands]), number, label) if operands else result)  # type: ignore[arg-type]
    return tape.rebuilt(built, new)
