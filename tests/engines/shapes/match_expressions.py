"""The graph is made of frozen dataclasses, one type per kind of expression, and one match statement differentiates."""

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Plus:
    left: "Value"
    right: "Value"


@dataclass(frozen=True)
class Times:
    left: "Value"
    right: "Value"
    a: float
    b: float


@dataclass(frozen=True)
class Power:
    base: "Value"
    a: float
    exponent: float


@dataclass(frozen=True)
class Call:
    name: str
    argument: "Value"
    a: float
    out: float


@dataclass(eq=False)
class Value:
    data: float
    grad: float = 0.0
    expression: Plus | Times | Power | Call | None = None

    def __repr__(self):
        return f"Value({self.data})"

    def __add__(self, other):
        other = lift(other)
        return Value(self.data + other.data, expression=Plus(self, other))

    def __mul__(self, other):
        other = lift(other)
        return Value(self.data * other.data, expression=Times(self, other, self.data, other.data))

    def __pow__(self, exponent):
        if isinstance(exponent, Value):
            return NotImplemented
        return Value(math.pow(self.data, exponent), expression=Power(self, self.data, exponent))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -lift(other)

    def __truediv__(self, other):
        return self * lift(other) ** -1

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return lift(other) - self

    def __rtruediv__(self, other):
        return lift(other) / self


def lift(x):
    return x if isinstance(x, Value) else Value(x)


def call(name, function, x):
    x = lift(x)
    out = function(x.data)
    return Value(out, expression=Call(name, x, x.data, out))


def exp(x):
    return call("exp", math.exp, x)


def log(x):
    return call("log", math.log, x)


def tanh(x):
    return call("tanh", math.tanh, x)


def relu(x):
    return call("relu", lambda a: max(0.0, a), x)


def operands_and_slopes(expression):
    match expression:
        case None:
            return []
        case Plus(left, right):
            return [(left, 1.0), (right, 1.0)]
        case Times(left, right, a, b):
            return [(left, b), (right, a)]
        case Power(base, _, 0):
            return [(base, 0.0)]
        case Power(base, 0, exponent) if exponent < 1:
            return [(base, math.inf)]
        case Power(base, a, exponent):
            return [(base, exponent * math.pow(a, exponent - 1))]
        case Call("exp", x, _, out):
            return [(x, out)]
        case Call("log", x, a):
            return [(x, 1 / a)]
        case Call("tanh", x, _, out):
            return [(x, 1 - out * out)]
        case Call("relu", x, a):
            return [(x, 1.0 if a > 0 else 0.0)]
    raise TypeError(f"no derivative for {type(expression).__name__}")


def backward(root):
    order, seen, stack = [], {root}, [(root, iter(operands_and_slopes(root.expression)))]
    while stack:
        node, rest = stack[-1]
        for operand, _ in rest:
            if operand not in seen:
                seen.add(operand)
                stack.append((operand, iter(operands_and_slopes(operand.expression))))
                break
        else:
            order.append(node)
            stack.pop()
    for node in order:
        node.grad = 0.0
    root.grad = 1.0
    for node in reversed(order):
        for operand, slope in operands_and_slopes(node.expression):
            operand.grad += node.grad * slope
