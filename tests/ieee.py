"""Every operation of a tape on floats as IEEE 754 has it, written out: Python raises where it says nan or inf.

Kahan 1996, "Lecture notes on the status of IEEE 754"; the C standard's annex F for the functions.
"""

import math
import struct

from microgrid.operations import NUMBERS, OPERATIONS

INF, NAN = math.inf, math.nan

SPECIAL = (
    NAN, INF, -INF, 0.0, -0.0, 5e-324, -5e-324, 1e-310, -2.2250738585072014e-308, 1.0, -1.0, 2.0, -2.0, 0.5, 3.0,
    -2.5, 1e-300, 1000.0, -1000.0, 1e308, -1.7976931348623157e308,
)  # fmt: skip


def divide(a, b):
    if b != 0:
        return a / b
    return NAN if a == 0 or a != a else math.copysign(INF, a) * math.copysign(1, b)


def power(a, b):
    odd = abs(b) != INF and b == b // 1 and b % 2 == 1
    if a == 0 and b < 0:
        return math.copysign(INF, a) if odd else INF
    try:
        return NUMBERS["**"](a, b)
    except OverflowError:
        return -INF if a < 0 and odd else INF
    except ValueError:  # of a negative base, by a fraction
        return NAN


def exp(x):
    return INF if x > 709.8 else math.exp(x)


def log(x):
    return -INF if x == 0 else NAN if x < 0 else math.log(x)


def sqrt(x):
    return NAN if x < 0 else math.sqrt(x)


def circular(function):
    return lambda x: NAN if abs(x) == INF else function(x)


def lookup(index, *table):
    return table[int(index)] if index in range(len(table)) else NAN


def multiply_all(*xs):
    half = len(xs) // 2
    total = 0.0
    for a, b in zip(xs[:half], xs[half:]):
        total += a * b
    return total


IEEE = {
    **OPERATIONS,
    **NUMBERS,
    "/": divide, "**": power, "exp": exp, "log": log, "sqrt": sqrt, "lookup": lookup, "dot": multiply_all,
    "sin": circular(math.sin), "cos": circular(math.cos), "tan": circular(math.tan),
}  # fmt: skip


def evaluate(tape, inputs, parameters, seed=1.0):
    """What is on each line of a tape, in floats."""
    given = dict(zip([*tape.inputs, *tape.parameters], [*inputs, *parameters], strict=True))
    if tape.seed is not None:
        given[tape.seed] = seed
    found = []
    for line, (op, operands, number, _) in enumerate(tape):
        found.append(
            float(given[line] if line in given else number if not operands else IEEE[op](*[found[i] for i in operands]))
        )
    return found


def bits(x):
    """The eight bytes of a float, the sign of a zero included; every nan is one."""
    return "nan" if x != x else struct.pack("<d", x)


def ulps(a, b):
    """How many floats lie between two; 0 and -0 are one apart, and a nan is infinitely far from a number."""
    if a != a or b != b:
        return 0 if a != a and b != b else INF
    return abs(_rank(a) - _rank(b))


def _rank(x):
    (whole,) = struct.unpack("<q", struct.pack("<d", x))
    return whole if whole >= 0 else -(2**63) - whole - 1
