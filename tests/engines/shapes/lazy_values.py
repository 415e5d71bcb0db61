"""Numbers are worked out only when they are asked for, cached, and worked out anew once some leaf has been assigned."""

import math


class Value:
    _clock = 0

    def __init__(self, number=None, rule=None, operands=()):
        self._number = number
        self._rule = rule
        self._operands = operands
        self._stamp = -1
        self.grad = None

    def _fresh(self):
        return self._rule is None or self._stamp == Value._clock

    @property
    def data(self):
        stack = [self]
        while stack:
            node = stack[-1]
            stale = [] if node._fresh() else [x for x in node._operands if not x._fresh()]
            if stale:
                stack.extend(stale)
                continue
            stack.pop()
            if not node._fresh():
                node._number = node._rule[0](*(x._number for x in node._operands))
                node._stamp = Value._clock
        return self._number

    @data.setter
    def data(self, number):
        self._number, self._rule, self._operands = number, None, ()
        Value._clock += 1

    def __add__(self, other):
        return defer(ADD, self, other)

    def __radd__(self, other):
        return defer(ADD, other, self)

    def __sub__(self, other):
        return defer(SUB, self, other)

    def __rsub__(self, other):
        return defer(SUB, other, self)

    def __mul__(self, other):
        return defer(MUL, self, other)

    def __rmul__(self, other):
        return defer(MUL, other, self)

    def __truediv__(self, other):
        return defer(DIV, self, other)

    def __rtruediv__(self, other):
        return defer(DIV, other, self)

    def __neg__(self):
        return defer(NEG, self)

    def tanh(self):
        return defer(TANH, self)

    def exp(self):
        return defer(EXP, self)

    def softplus(self):
        return defer(SOFTPLUS, self)

    def backward(self):
        self.data  # noqa: B018 - reading it fills every cache below
        counts, stack = {self: 0}, [self]
        while stack:
            for x in stack.pop()._operands:
                if x not in counts:
                    counts[x] = 0
                    stack.append(x)
                counts[x] += 1
        sums = dict.fromkeys(counts, 0.0)
        sums[self] = 1.0
        ready = [self]
        while ready:
            node = ready.pop()
            if node._rule is None:
                node.grad = (node.grad or 0.0) + sums[node]
                continue
            node.grad = sums[node]
            slopes = node._rule[1](*(x._number for x in node._operands))
            for x, slope in zip(node._operands, slopes, strict=True):
                sums[x] += node.grad * slope
                counts[x] -= 1
                if counts[x] == 0:
                    ready.append(x)


def defer(rule, *operands):
    return Value(rule=rule, operands=tuple(x if isinstance(x, Value) else Value(x) for x in operands))


ADD = (lambda a, b: a + b, lambda a, b: (1.0, 1.0))
SUB = (lambda a, b: a - b, lambda a, b: (1.0, -1.0))
MUL = (lambda a, b: a * b, lambda a, b: (b, a))
DIV = (lambda a, b: a / b, lambda a, b: (1.0 / b, -a / b / b))
NEG = (lambda a: -a, lambda a: (-1.0,))
TANH = (math.tanh, lambda a: (1.0 - math.tanh(a) ** 2,))
EXP = (math.exp, lambda a: (math.exp(a),))
SOFTPLUS = (
    lambda a: max(a, 0.0) + math.log1p(math.exp(-abs(a))),
    lambda a: (1 / (1 + math.exp(-a)) if a > 0 else math.exp(a) / (1 + math.exp(a)),),
)
