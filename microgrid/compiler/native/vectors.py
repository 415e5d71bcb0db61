"""Vectors whose arithmetic writes LLVM IR: formulas over SIMD lanes that read as formulas."""

import struct
from typing import Any


class Body:
    """The lines of a function over vectors of so many lanes, and the intrinsics that they call."""

    def __init__(self, lanes: int):
        self.lines: list[str] = []
        self.intrinsics: dict[str, str] = {}
        self.suffix = f"v{lanes}f64" if lanes > 1 else "f64"
        self.lanes, self.types = lanes, {scalar: typed(lanes, scalar) for scalar in ("double", "i64", "i1")}

    def write(self, kind: str, text: str) -> "Vector":
        """A new vector: the result of this instruction."""
        self.lines.append(f"%v{len(self.lines)} = {text}")
        return Vector(self, kind, f"%v{len(self.lines) - 1}")

    def call(self, name: str, *operands: "Vector") -> "Vector":
        """An intrinsic of doubles, as `llvm.sqrt`."""
        real, symbol = self.types["double"], f"@llvm.{name}.{self.suffix}"
        self.intrinsics[symbol] = f"declare {real} {symbol}({', '.join([real] * len(operands))})"
        return self.write("double", f"call {real} {symbol}({', '.join([f'{real} {a}' for a in operands])})")


class Vector:
    """A name in a `Body`, and arithmetic that writes a line there; a number on either side is a constant."""

    def __init__(self, body: Body, kind: str, name: str):
        self.body, self.kind, self.name = body, kind, name

    def __str__(self) -> str:
        return self.name

    def constant(self, number: "Vector | float") -> "Vector":
        """The number in each lane, of this vector's kind."""
        if isinstance(number, Vector):
            return number
        bits = f"0x{struct.pack('>d', number).hex().upper()}" if self.kind == "double" else str(int(number))
        return Vector(self.body, self.kind, repeated(self.body.lanes, f"{self.kind} {bits}"))

    def _with(self, instruction: str, other: "Vector | float", kind: str = "", swap: bool = False) -> "Vector":
        a, b = (self.constant(other), self) if swap else (self, self.constant(other))
        return self.body.write(kind or self.kind, f"{instruction} {self.body.types[self.kind]} {a}, {b}")

    # fmt: off
    def __add__(self, other): return self._with("fadd" if self.kind == "double" else "add", other)
    def __sub__(self, other): return self._with("fsub" if self.kind == "double" else "sub", other)
    def __rsub__(self, other): return self._with("fsub", other, swap=True)
    def __mul__(self, other): return self._with("fmul", other)
    def __truediv__(self, other): return self._with("fdiv", other)
    def __rtruediv__(self, other): return self._with("fdiv", other, swap=True)
    def __and__(self, other): return self._with("and", other)
    def __or__(self, other): return self._with("or", other)
    def __xor__(self, other): return self._with("xor", other)
    def __lshift__(self, other): return self._with("shl", other)
    def __rshift__(self, other): return self._with("lshr", other)
    def __lt__(self, other): return self._with("fcmp olt", other, "i1")
    def __gt__(self, other): return self._with("fcmp ogt", other, "i1")
    def __ge__(self, other): return self._with("fcmp oge", other, "i1")
    def equals(self, other): return self._with("fcmp oeq" if self.kind == "double" else "icmp eq", other, "i1")
    def __abs__(self): return self.body.call("fabs", self)
    def sqrt(self): return self.body.call("sqrt", self)
    def bits(self): return self._cast("i64")
    def real(self): return self._cast("double")
    # fmt: on

    __radd__, __rmul__ = __add__, __mul__

    def _cast(self, kind: str) -> "Vector":
        return self.body.write(kind, f"bitcast {self.body.types[self.kind]} {self} to {self.body.types[kind]}")

    def any(self) -> "Vector":
        """Whether this truth holds in a lane: a truth for the whole."""
        if self.body.lanes == 1:
            return self
        symbol, truth = f"@llvm.vector.reduce.or.v{self.body.lanes}i1", self.body.types["i1"]
        self.body.intrinsics[symbol] = f"declare i1 {symbol}({truth})"
        return self.body.write("i1", f"call i1 {symbol}({truth} {self})")

    def signed_as(self, other: "Vector") -> "Vector":
        """This magnitude with the other's sign."""
        return self.body.call("copysign", self, other)

    def choose(self, yes: "Vector | float", no: "Vector | float") -> "Vector":
        """In each lane `yes` where this truth holds, else `no`; at least one of them is a vector of doubles."""
        like = yes if isinstance(yes, Vector) else no
        assert isinstance(like, Vector)
        truth, real = self.body.types["i1"], self.body.types["double"]
        operands = f"{truth} {self}, {real} {like.constant(yes)}, {real} {like.constant(no)}"
        return self.body.write("double", f"select {operands}")


def fma(a: Vector, b: Vector | float, c: Vector | float) -> Vector:
    """a b + c, rounded once where the processor can, else twice."""
    return a.body.call("fmuladd", a, a.constant(b), a.constant(c))


def polynomial(x: Vector, coefficients: tuple[float, ...]) -> Vector:
    """c0 + c1 x + c2 x^2 + ..., in pairs, so that few products wait for another (Estrin 1960)."""
    terms: list[Any] = list(coefficients)
    while len(terms) > 1:
        pairs = [fma(x, b, a) if isinstance(b, float) else fma(b, x, a) for a, b in zip(terms[::2], terms[1::2])]
        terms = pairs + terms[len(pairs) * 2 :]
        x = x * x if len(terms) > 1 else x
    return terms[0]


def typed(lanes: int, scalar: str) -> str:
    """The type of a vector, or of a scalar for one lane."""
    return f"<{lanes} x {scalar}>" if lanes > 1 else scalar


def repeated(lanes: int, constant: str) -> str:
    """A typed constant in each lane, without the type of the whole."""
    return f"<{', '.join([constant] * lanes)}>" if lanes > 1 else constant.split(" ")[1]
