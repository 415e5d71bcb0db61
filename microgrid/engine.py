"""A number that knows where it came from.

Arithmetic on `Value`s writes down a graph: each result keeps its operands (`parents`) and
a closure, `local_gradients`, that says how fast the result moves when each of them moves.
`backward()` walks the graph from the result to the leaves, multiplying along the way: that
is backpropagation (Linnainmaa 1970; Rumelhart, Hinton & Williams 1986).

>>> a, b = Value(2.0), Value(-3.0)
>>> c = a * b + a
>>> c.backward()
>>> c.data, a.grad, b.grad          # dc/da = b + 1, dc/db = a
(-4.0, -2.0, 2.0)
"""

import math
import operator
from numbers import Integral, Rational, Real


# The rules: d(out)/d(operand) for each operand, be they numbers, fractions or Values.
def add_gradients(out, a, b): return 1, 1
def subtract_gradients(out, a, b): return 1, -1
def multiply_gradients(out, a, b): return b, a
def divide_gradients(out, a, b): return type(out)(1) / b, -out / b  # 1 of its kind: fractions stay exact
def negative_gradients(out, a): return (-1,)
def absolute_gradients(out, a): return (step(a) - step(-a),)
def power_gradients(out, a, b): return b * a ** (b - 1), out * log(a)
def fixed_power_gradients(out, a, k): return (k * a ** (number(k) - 1) if number(k) else 0), 0
def log_gradients(out, x): return (1 / x,)
def step_gradients(out, x): return (0,)


class Value:
    """A real number, and its adjoint: `grad` is d(root)/d(this) after `root.backward()`."""

    __slots__ = ("data", "grad", "parents", "op", "local_gradients", "label")
    __array_ufunc__ = None  # so that NumPy leaves `numpy.float64(2) * Value(3)` to us

    def __init__(self, data, parents=(), op="", local_gradients=None, label=""):
        if not parents and type(data) is not float and type(data) is not int:  # NumPy's become Python's
            if not isinstance(data, Real):
                raise TypeError(f"Value({data!r:.50}) needs one real number, not {type(data).__name__}; for text "
                                "write Value(float(text)), for a list [Value(x) for x in numbers]")
            data = int(data) if isinstance(data, Integral) else data if isinstance(data, Rational) else float(data)
        self.data = data
        self.grad = 0
        self.parents = parents
        self.op = op
        self.local_gradients = local_gradients
        self.label = label

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), "+", add_gradients)

    def __sub__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data - other.data, (self, other), "-", subtract_gradients)

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), "*", multiply_gradients)

    def __pow__(self, other):  # a plain number as exponent is fixed: no gradient flows to it
        if isinstance(other, Value) and self.data <= 0:
            raise ValueError(f"({self.data}) ** Value: the gradient of the exponent needs log(base), "
                             "so the base must be above 0; for a fixed exponent write x ** 2")
        return apply("**", power, power_gradients if isinstance(other, Value) else fixed_power_gradients, self, other)

    def __truediv__(self, other): return apply("/", operator.truediv, divide_gradients, self, other)
    def __neg__(self): return Value(-self.data, (self,), "neg", negative_gradients)
    def __abs__(self): return Value(abs(self.data), (self,), "abs", absolute_gradients)
    def __radd__(self, other): return Value(other) + self
    def __rsub__(self, other): return Value(other) - self
    def __rmul__(self, other): return Value(other) * self
    def __rpow__(self, other): return Value(other) ** self
    def __rtruediv__(self, other): return Value(other) / self

    def __eq__(self, other): return self.data == number(other)
    def __lt__(self, other): return self.data < number(other)
    def __le__(self, other): return self.data <= number(other)
    def __gt__(self, other): return self.data > number(other)
    def __ge__(self, other): return self.data >= number(other)
    __hash__ = object.__hash__  # by identity: two Values of equal data are two keys

    def __bool__(self): raise TypeError(f"`if {self!r}` would lose a gradient: compare, as in `if x > 0`")
    def __float__(self): raise TypeError(f"float({self!r}) would lose its gradient: write microgrid.sin(x), or x.data")
    def __format__(self, spec): return format(self.data, spec) if spec else repr(self)

    def __repr__(self):
        op, label = self.op and f", op={self.op!r}", self.label and f", label={self.label!r}"
        return f"Value(data={self.data}, grad={self.grad}{op}{label})"

    def backward(self, *, create_graph=False):
        """Fill the `grad` of all that this depends on: leaves accumulate, the rest starts fresh.
        With create_graph the gradients are Values themselves, to be differentiated again."""
        order = topological_order(self)
        for node in order:
            if node.parents:
                node.grad = 0
        self.grad += 1  # d(self)/d(self)
        for node in reversed(order):
            if node.parents:
                try:
                    if create_graph:
                        gradients = node.local_gradients(node, *node.parents)
                    else:
                        gradients = node.local_gradients(node.data, *[parent.data for parent in node.parents])
                except (ArithmeticError, ValueError) as error:
                    raise type(error)(f"backward() through {node!r} of {node.parents}: {error}") from error
                for parent, local_gradient in zip(node.parents, gradients):
                    parent.grad += node.grad * local_gradient  # the chain rule


def topological_order(root):
    """Every node that root depends on, each once, operands before results."""
    order, visited, stack = [], set(), [root]
    while stack:
        node = stack.pop()
        if node is None:  # the node beneath has all its operands in order
            order.append(stack.pop())
        elif node not in visited:
            visited.add(node)
            stack += (node, None, *node.parents[::-1])
    return order


def number(x): return x.data if isinstance(x, Value) else x
def power(a, b): return a ** b if a >= 0 or b == b // 1 else math.pow(a, b)  # no complex numbers


def apply(op, function, local_gradients, *operands):
    """function(*operands): a number if all operands are numbers, else a node of the graph."""
    if not any([isinstance(x, Value) for x in operands]):
        return function(*operands)
    operands = tuple([x if isinstance(x, Value) else Value(x) for x in operands])
    try:
        return Value(function(*[x.data for x in operands]), operands, op, local_gradients)
    except (ArithmeticError, ValueError) as error:
        raise type(error)(f"{op} of {', '.join(map(repr, operands))}: {error.args[-1]}") from None


def log(x):
    """The natural logarithm of a number or Value above 0."""
    return apply("log", math.log, log_gradients, x)


def step(x):
    """1 where x > 0, else 0: the slope of relu."""
    return apply("step", lambda number: int(number > 0), step_gradients, x)
