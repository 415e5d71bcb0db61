"""One class per operation, with forward and backward static methods that share a context of saved numbers."""

import math


class Context:
    def __init__(self, function, inputs):
        self.function = function
        self.inputs = inputs
        self.saved = ()

    def save(self, result, *numbers):
        self.saved = numbers
        return result


class Function:
    @classmethod
    def apply(cls, *inputs):
        for item in inputs:
            if not isinstance(item, (Value, int, float)):
                return NotImplemented
        ctx = Context(cls, inputs)
        out = Value(cls.forward(ctx, *(item.data if isinstance(item, Value) else item for item in inputs)))
        out.ctx = ctx
        return out


class Add(Function):
    forward = staticmethod(lambda ctx, a, b: a + b)
    backward = staticmethod(lambda ctx, g: (g, g))


class Sub(Function):
    forward = staticmethod(lambda ctx, a, b: a - b)
    backward = staticmethod(lambda ctx, g: (g, -g))


class Mul(Function):
    forward = staticmethod(lambda ctx, a, b: ctx.save(a * b, a, b))

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved
        return g * b, g * a


class Div(Function):
    forward = staticmethod(lambda ctx, a, b: ctx.save(a / b, a, b))

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved
        return g / b, -g * (a / b) / b


class Pow(Function):
    forward = staticmethod(lambda ctx, a, b: ctx.save(math.pow(a, b), a, b))

    @staticmethod
    def backward(ctx, g):
        a, b = ctx.saved
        if a == 0:
            by_base = 0.0 if b == 0 or b > 1 else 1.0 if b == 1 else math.inf
            return g * by_base, 0.0
        return g * b * math.pow(a, b - 1), g * math.pow(a, b) * math.log(a) if a > 0 else math.nan


def elementary(name, number, slope):
    """A Function of one number; slope takes the number and the result."""

    def forward(ctx, a):
        out = number(a)
        return ctx.save(out, a, out)

    def backward(ctx, g):
        return (g * slope(*ctx.saved),)

    return type(name, (Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)})


def logistic(a):
    return 1 / (1 + math.exp(-a)) if a >= 0 else math.exp(a) / (1 + math.exp(a))


Neg = elementary("Neg", lambda a: -a, lambda a, y: -1.0)
Exp = elementary("Exp", math.exp, lambda a, y: y)
Log = elementary("Log", math.log, lambda a, y: 1 / a)
Sin = elementary("Sin", math.sin, lambda a, y: math.cos(a))
Cos = elementary("Cos", math.cos, lambda a, y: -math.sin(a))
Tanh = elementary("Tanh", math.tanh, lambda a, y: 1 - y * y)
Sigmoid = elementary("Sigmoid", logistic, lambda a, y: y * logistic(-a))
Softplus = elementary("Softplus", lambda a: max(a, 0.0) + math.log1p(math.exp(-abs(a))), lambda a, y: logistic(a))
ReLU = elementary("ReLU", lambda a: a if a > 0 else 0.0, lambda a, y: 1.0 if a > 0 else 0.0)
Abs = elementary("Abs", abs, lambda a, y: (a > 0) - (a < 0))


def method(function, swap=False):
    if swap:
        return lambda self, other: function.apply(other, self)
    return lambda *operands: function.apply(*operands)


class Value:
    def __init__(self, data):
        self.data = data
        self.grad = None
        self.ctx = None

    __add__, __radd__ = method(Add), method(Add, swap=True)
    __sub__, __rsub__ = method(Sub), method(Sub, swap=True)
    __mul__, __rmul__ = method(Mul), method(Mul, swap=True)
    __truediv__, __rtruediv__ = method(Div), method(Div, swap=True)
    __pow__, __rpow__ = method(Pow), method(Pow, swap=True)
    __neg__, __abs__ = method(Neg), method(Abs)
    exp, log, sin, cos = method(Exp), method(Log), method(Sin), method(Cos)
    tanh, sigmoid, softplus, relu = method(Tanh), method(Sigmoid), method(Softplus), method(ReLU)

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, expanded = stack.pop()
            if expanded:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack.append((node, True))
                if node.ctx:
                    stack.extend((item, False) for item in node.ctx.inputs if isinstance(item, Value))
        flow = dict.fromkeys(order, 0.0)
        flow[self] = 1.0
        for node in reversed(order):
            g = flow[node]
            if node.ctx is None:
                node.grad = g if node.grad is None else node.grad + g
                continue
            node.grad = g
            for item, part in zip(node.ctx.inputs, node.ctx.function.backward(node.ctx, g), strict=True):
                if isinstance(item, Value):
                    flow[item] += part
