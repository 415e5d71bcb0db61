"""One operation of the tape on a vector of numbers, in LLVM's intermediate language."""

import math

from .writing import Code, literal, suffix

ELEMENTARY = ("**", "log", "exp", "sin", "cos", "tan", "tanh", "erf", "sigmoid", "softplus", "elu", "silu", "gelu")
_ARITHMETIC = {"+": "fadd", "-": "fsub", "*": "fmul", "/": "fdiv"}
_COMPARED = {"maximum": "ogt", "minimum": "olt"}


def operation(code: Code, op: str, operands: list[str], lanes: int, exponent: float | None = None) -> str:
    """Write the operation on operands of so many lanes, and return the result's name.

    Arguments: exponent, the second operand of "**" where it is one constant for all.
    Raises ValueError for what is no operation.
    """
    type = code.vector(lanes)
    x = operands[0]

    def constant(number: float) -> str:
        return literal(number, lanes, code.type)

    def compared(how: str, left: str, right: str) -> str:
        return code.value(f"fcmp {how} {type} {left}, {right}")

    def chosen(condition: str, yes: str, no: str) -> str:
        bits = "i1" if lanes == 1 else f"<{lanes} x i1>"
        return code.value(f"select {bits} {condition}, {type} {yes}, {type} {no}")

    def elementary(name: str, *given: str) -> str:
        code.needs.add((name, lanes))
        return code.value(f"call {type} @mg.{name}.{lanes}.{code.type}({', '.join(f'{type} {g}' for g in given)})")

    def builtin(name: str, given: str) -> str:
        return code.value(f"call {type} @llvm.{name}.{suffix(lanes, code.type)}({type} {given})")

    if op in _ARITHMETIC:
        return code.value(f"{_ARITHMETIC[op]} {type} {x}, {operands[1]}")
    if op == "product":  # 0 + x * y, a dot product of one term
        return code.value(f"fadd {type} {constant(0)}, {code.value(f'fmul {type} {x}, {operands[1]}')}")
    if op == "copy":
        return x
    if op == "neg":
        return code.value(f"fneg {type} {x}")
    if op in ("abs", "sqrt"):
        return builtin("fabs" if op == "abs" else op, x)
    if op == "step":
        return chosen(compared("ogt", x, constant(0)), constant(1), constant(0))
    if op == "relu":
        return chosen(compared("ole", x, constant(0)), constant(0), x)
    if op == "leaky_relu":
        return chosen(compared("ogt", x, constant(0)), x, code.value(f"fmul {type} {operands[1]}, {x}"))
    if op == "elu":
        below = code.value(f"fmul {type} {operands[1]}, {elementary('expm1', x)}")
        return chosen(compared("ogt", x, constant(0)), x, below)
    if op == "silu":
        return code.value(f"fmul {type} {x}, {elementary('sigmoid', x)}")
    if op == "gelu":
        down = code.value(f"fdiv {type} {code.value(f'fneg {type} {x}')}, {constant(math.sqrt(2))}")
        half = code.value(f"fmul {type} {elementary('erfc', down)}, {constant(0.5)}")
        return code.value(f"fmul {type} {x}, {half}")
    if op in _COMPARED:
        nan = compared("uno", x, x)
        first = compared(_COMPARED[op], x, operands[1])
        bits = "i1" if lanes == 1 else f"<{lanes} x i1>"
        return chosen(code.value(f"or {bits} {first}, {nan}"), x, operands[1])
    if op == "where":
        return chosen(compared("ogt", x, constant(0)), operands[1], operands[2])
    if op == "match":
        return chosen(compared("oeq", x, operands[1]), constant(1), constant(0))
    if op == "**":
        if exponent == 1:
            return x
        if exponent in (2, 3):
            square = code.value(f"fmul {type} {x}, {x}")
            return square if exponent == 2 else code.value(f"fmul {type} {square}, {x}")
        if exponent == -1:
            return code.value(f"fdiv {type} {constant(1)}, {x}")
        if exponent == 0.5:  # pow(-0.0, 0.5) is 0.0, and pow(-inf, 0.5) is inf
            root = builtin("sqrt", code.value(f"fadd {type} {x}, {constant(0)}"))
            return chosen(compared("oeq", x, constant(-math.inf)), constant(math.inf), root)
        return elementary("pow", x, operands[1])
    if op in ELEMENTARY:
        return elementary(op, x)
    raise ValueError(f"{op!r} is no operation of one number after the other")
