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
_WHOLE = frozenset(("step", "match"))  # whose result is an int, and those for which it is if one operand is, or all are
_WHOLE_IF_ONE = frozenset(("where", "lookup", "maximum", "minimum", "leaky_relu", "elu"))
_WHOLE_IF_ALL = frozenset(("+", "-", "*", "**", "neg", "abs", "relu", "dot"))
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


def simplified(tape: Tape) -> Tape:
    """With each expression computed once, what depends on constants alone now, and no operation that changes nothing.

    That is value numbering.  What can't be computed, such as 1 / 0, is left for later.  What changes nothing is 1 * x,
    x / 1, x - 0, x ** 1 and -(-x); 1.0 * x stays where x may be a whole number, such as a `step`: 0 has no sign, so
    -(1.0 * 0) is not -0.
    Source: Cocke & Schwartz 1970; Aho, Lam, Sethi & Ullman 2006, section 8.5.

    >>> from ..engine import Value
    >>> from .tape import record
    >>> x = Value(2.0, label="x")
    >>> print(dead_code(simplified(record(1 * x * x + x * x * (Value(2) * 3 + 1), [x]))))
    v0 = input x
    v1 = v0 * v0
    v2 = 7
    v3 = v1 * v2
    v4 = v1 + v3
    return v4
    """
    numbers: dict[int, Any] = {}  # of the lines that are constants
    whole: set[int] = set()  # lines that may be ints, though what is given from outside is float
    seen: dict[tuple, int] = {}
    built: list[Instruction] = []
    new: list[int] = []

    def is_one(a: int, other: int) -> bool:
        return numbers.get(a) == 1 and (other not in whole or type(numbers[a]) is int)

    def unchanged(op: str, operands: tuple[int, ...]) -> int | None:
        """The line that the operation does not change, if it is one of that kind."""
        if op == "neg":
            above = built[operands[0]]
            return above[1][0] if above[0] == "neg" else None
        if len(operands) != 2:
            return None
        a, b = operands
        if op == "*" and is_one(a, b):
            return b
        if (op in ("*", "**") and is_one(b, a)) or (op == "/" and numbers.get(b) == 1 and a not in whole):
            return a
        if op == "-" and repr(numbers.get(b)) in ("0", "0" if a in whole else "0.0"):
            return a
        return None

    for op, operands, number, label in tape.instructions:
        if operands:
            operands = tuple([new[i] for i in operands])
            if op == "neg" or not numbers.keys().isdisjoint(operands):
                line = unchanged(op, operands)
                if line is not None:
                    new.append(line)
                    continue
                if numbers.keys() >= {*operands}:
                    try:
                        number = OPERATIONS[op](*[numbers[i] for i in operands])
                        op, operands = "constant", ()
                    except (ArithmeticError, ValueError):
                        pass
        elif op != "constant":
            new.append(len(built))
            built.append(instruction(op, (), None, label))
            continue
        key: tuple = op, operands
        if not operands:
            key = type(number), repr(number)  # which tells 0.0 from -0.0, and 1 from 1.0; nan is itself here
        elif op in ("+", "*") and operands[0] > operands[1]:
            key = op, operands[::-1]
        line = seen.setdefault(key, len(built))
        new.append(line)
        if line < len(built):
            continue
        built.append(instruction(op, operands, number, label))
        if op == "constant":
            numbers[line] = number
        if (
            op in _WHOLE
            or (op == "constant" and type(number) is not float)
            or (op in _WHOLE_IF_ONE and not whole.isdisjoint(operands))
            or (op in _WHOLE_IF_ALL and whole.issuperset(operands))
        ):
            whole.add(line)
    return tape.rebuilt(built, new)


def zeros(tape: Tape, summed: bool = False) -> Tape:
    """Without the 0 + x whose only effect is that -0.0 becomes 0.0, where nobody can see which it is.

    Every adjoint begins as 0, so most of the additions of a reverse sweep are such: 0 + a * b, a dot product of
    one term, is then a * b.
    Arguments: summed, whether the gradient is added to zeros afterwards, as it is for a batch.
    """
    instructions = tape.instructions
    zero = _zeros_in(tape)
    one = {line for line, i in enumerate(instructions) if i[2] == 1}
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

    new: list[int] = []
    built: list[Instruction] = []
    for line, (op, operands, number, label) in enumerate(instructions):
        if len(operands) == 2 and not seen[line]:
            a, b = operands
            if op == "+" and (a in zero or b in zero):
                new.append(new[b if a in zero else a])
                continue
            if op == "dot":
                if a in one or b in one:
                    new.append(new[b if a in one else a])
                    continue
                op = "*"
        new.append(len(built))
        built.append(instruction(op, tuple([new[i] for i in operands]), number, label))
    return tape.rebuilt(built, new)


def dot_products(tape: Tape) -> Tape:
    """With 0 + a*b + c*d + ... as one dot product, which is defined as just that.

    A reverse sweep is full of them: an adjoint is the sum, over all uses, of adjoint times local gradient.
    """
    instructions = tape.instructions
    zero = _zeros_in(tape)
    if not any([op == "+" and operands[0] in zero for op, operands, _, _ in instructions]):
        return tape
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
        elif a in zero:
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
    return tape.rebuilt(built, new)


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
        simplified,
        *([] if exact else [relaxed, simplified]),
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


def _zeros_in(tape: Tape) -> set[int]:
    """The constants 0 and 0.0."""
    return {line for line, i in enumerate(tape.instructions) if i[2] == 0 and repr(i[2]) in ("0", "0.0")}


def _kept(tape: Tape, needed: bytearray) -> Tape:
    new = [-1] * len(tape)
    built: list[Instruction] = []
    for line, (op, operands, number, label) in enumerate(tape.instructions):
        if needed[line]:
            new[line] = len(built)
            built.append(instruction(op, tuple([new[i] for i in operands]), number, label))
    return tape.rebuilt(built, new)
