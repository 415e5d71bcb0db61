"""Every value carries a list of (operand, pullback) pairs; a recursive walk orders them and a dict sums by id."""

import math
import sys


class Value:
    def __init__(self, data, pairs=()):
        self.data = data
        self.grad = 0.0
        self.pairs = list(pairs)
        self.depth = 1 + max((operand.depth for operand, _ in self.pairs), default=0)

    def __add__(self, other):
        if not isinstance(other, Value):
            return Value(self.data + other, [(self, lambda g: g)])
        return Value(self.data + other.data, [(self, lambda g: g), (other, lambda g: g)])

    def __mul__(self, other):
        a = self.data
        if not isinstance(other, Value):
            return Value(a * other, [(self, lambda g: g * other)])
        b = other.data
        return Value(a * b, [(self, lambda g: g * b), (other, lambda g: g * a)])

    def __sub__(self, other):
        return self + -other

    def __rsub__(self, other):
        return -self + other

    def __neg__(self):
        return Value(-self.data, [(self, lambda g: -g)])

    __radd__ = __add__
    __rmul__ = __mul__


def tanh(x):
    t = math.tanh(x.data)
    return Value(t, [(x, lambda g: g * (1.0 - t * t))])


def backward(root):
    order, seen = [], set()

    def visit(node):
        seen.add(id(node))
        for operand, _ in node.pairs:
            if id(operand) not in seen:
                visit(operand)
        order.append(node)

    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(limit + root.depth)
    try:
        visit(root)
    finally:
        sys.setrecursionlimit(limit)

    adjoints = {id(root): 1.0}
    for node in reversed(order):
        for operand, pullback in node.pairs:
            adjoints[id(operand)] = adjoints.get(id(operand), 0.0) + pullback(adjoints[id(node)])
    for node in order:
        node.grad = adjoints[id(node)]
