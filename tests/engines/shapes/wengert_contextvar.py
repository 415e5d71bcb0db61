"""Wengert list: a value is an index into a tape of rows, and new leaves go to the tape held by a context variable."""

import math
from contextlib import contextmanager
from contextvars import ContextVar


class Tape:
    def __init__(self):
        self.numbers = []
        self.grads = []
        self.rows = []

    def push(self, number, row=()):
        self.numbers.append(number)
        self.grads.append(0.0)
        self.rows.append(row)
        return len(self.rows) - 1

    def sweep(self, last):
        pending = {last: 1.0}
        for index in range(last, -1, -1):
            if not pending:
                break
            if index not in pending:
                continue
            adjoint = self.grads[index] = pending.pop(index)
            for operand, partial in self.rows[index]:
                pending[operand] = pending.get(operand, 0.0) + adjoint * partial


EVERYDAY = Tape()
CURRENT = ContextVar("tape")


@contextmanager
def fresh_tape():
    """Put the leaves made inside the block on a tape of their own."""
    token = CURRENT.set(Tape())
    try:
        yield
    finally:
        CURRENT.reset(token)


def pow_rule(a, b):
    out = math.pow(a, b)
    if b == 0:
        by_base = 0.0
    elif a == 0:
        by_base = math.inf if b < 1 else float(b == 1)
    else:
        by_base = b * math.pow(a, b - 1)
    by_exponent = out * math.log(a) if a > 0 else 0.0 if a == 0 else math.nan
    return out, by_base, by_exponent


class Value:
    __slots__ = ("index", "tape")

    def __init__(self, number):
        self.tape = CURRENT.get(EVERYDAY)
        self.index = self.tape.push(float(number))

    data = property(lambda self: self.tape.numbers[self.index])
    grad = property(lambda self: self.tape.grads[self.index])

    @data.setter
    def data(self, number):
        self.tape.numbers[self.index] = float(number)

    @grad.setter
    def grad(self, number):
        self.tape.grads[self.index] = number

    def _out(self, number, *row):
        out = Value.__new__(Value)
        out.tape = self.tape
        out.index = self.tape.push(number, row)
        return out

    def _one(self, number, slope):
        return self._out(number, (self.index, slope))

    def _two(self, other, rule):
        if isinstance(other, (int, float)):
            return self._one(*rule(self.data, float(other))[:2])
        if not isinstance(other, Value):
            return NotImplemented
        if other.tape is not self.tape:
            raise ValueError("the two values live on different tapes")
        number, left, right = rule(self.data, other.data)
        return self._out(number, (self.index, left), (other.index, right))

    def __add__(self, other):
        return self._two(other, lambda a, b: (a + b, 1.0, 1.0))

    def __sub__(self, other):
        return self._two(other, lambda a, b: (a - b, 1.0, -1.0))

    def __mul__(self, other):
        return self._two(other, lambda a, b: (a * b, b, a))

    def __truediv__(self, other):
        return self._two(other, lambda a, b: (a / b, 1.0 / b, -(a / b) / b))

    def __pow__(self, other):
        return self._two(other, pow_rule)

    __radd__ = __add__
    __rmul__ = __mul__

    def __rsub__(self, other):
        return -self + other

    def __rtruediv__(self, other):
        return self._two(other, lambda b, a: (a / b, -(a / b) / b, 1.0 / b))

    def __rpow__(self, other):
        return self._two(other, lambda b, a: (math.pow(a, b), *pow_rule(a, b)[:0:-1]))

    def __neg__(self):
        return self._one(-self.data, -1.0)

    def exp(self):
        e = math.exp(self.data)
        return self._one(e, e)

    def log(self):
        return self._one(math.log(self.data), 1.0 / self.data)

    def tanh(self):
        t = math.tanh(self.data)
        return self._one(t, 1.0 - t * t)

    def relu(self):
        return self._one(max(self.data, 0.0), float(self.data > 0.0))

    def backward(self):
        self.tape.sweep(self.index)
