"""Operators and functions are compiled from a table of rule strings and hung on the class by a loop with setattr."""

import math

# name: (the result y, its slope in a, its slope in b)
BINARY = {
    "add": ("a + b", "1.0", "1.0"),
    "sub": ("a - b", "1.0", "-1.0"),
    "mul": ("a * b", "b", "a"),
    "truediv": ("a / b", "1.0 / b", "-y / b"),
    "pow": ("pow(a, b)", "power_slope(a, b)", "y * log(a) if a > 0 else 0.0 if a == 0 else nan"),
}
UNARY = {
    "__neg__": ("-a", "-1.0"),
    "__pos__": ("a", "1.0"),
    "__abs__": ("fabs(a)", "0.0 if a == 0 else copysign(1.0, a)"),
    "exp": ("exp(a)", "y"),
    "log": ("log(a)", "1.0 / a"),
    "log1p": ("log1p(a)", "1.0 / (1.0 + a)"),
    "sqrt": ("sqrt(a)", "0.5 / y if y else inf"),
    "sin": ("sin(a)", "cos(a)"),
    "cos": ("cos(a)", "-sin(a)"),
    "tan": ("tan(a)", "1.0 + y * y"),
    "atan": ("atan(a)", "1.0 / (1.0 + a * a)"),
    "sinh": ("sinh(a)", "cosh(a)"),
    "cosh": ("cosh(a)", "sinh(a)"),
    "tanh": ("tanh(a)", "1.0 - y * y"),
    "sigmoid": ("0.5 + 0.5 * tanh(0.5 * a)", "y * (1.0 - y)"),
    "relu": ("a if a > 0 else 0.0", "1.0 if a > 0 else 0.0"),
}


def power_slope(a, b):
    if b == 0:
        return 0.0
    return math.inf if a == 0 and b < 1 else b * math.pow(a, b - 1)


NAMES = {**vars(math), "power_slope": power_slope}


class Value:
    def __init__(self, data):
        self.data = data
        self.grad = 0.0
        self._trace = None

    def backward(self):
        order, seen, stack = [], set(), [self]
        while stack:
            node = stack.pop()
            if node is None:
                order.append(stack.pop())
            elif node not in seen:
                seen.add(node)
                stack += [node, None]
                stack += [operand for operand, _ in node._trace or () if operand not in seen]
        for node in order:
            if node._trace:
                node.grad = 0.0
        self.grad = (self.grad or 0.0) + 1.0
        for node in reversed(order):
            for operand, slope in node._trace or ():
                operand.grad = (operand.grad or 0.0) + node.grad * slope


def compiled(text):
    return eval(f"lambda a, b=None, y=None: {text}", NAMES)


def build(rules, reflected=False):
    result, *slopes = map(compiled, rules)

    def operation(*operands):
        for x in operands:
            if not isinstance(x, (Value, int, float)):
                return NotImplemented
        if reflected:
            operands = operands[::-1]
        numbers = [x.data if isinstance(x, Value) else x for x in operands]
        out = Value(result(*numbers))
        out._trace = [
            (x, slope(*numbers, y=out.data)) for x, slope in zip(operands, slopes, strict=True) if isinstance(x, Value)
        ]
        return out

    return operation


for name, rules in BINARY.items():
    setattr(Value, f"__{name}__", build(rules))
    setattr(Value, f"__r{name}__", build(rules, reflected=True))
for name, rules in UNARY.items():
    setattr(Value, name, build(rules))
