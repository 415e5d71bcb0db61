"""Small engines as learners write them: two that are right, and one for each bug that people really make.

The numbers are those of the list of bugs seen in published engines.
"""

import math


class Micro:
    """Right: a closure for each result, as in micrograd, with the operands in a tuple."""

    def __init__(self, data, operands=(), op=""):
        self.data = data
        self.grad = 0
        self._prev = operands
        self._op = op
        self._backward = lambda: None

    def value(self, other):
        return other if isinstance(other, Micro) else type(self)(other)

    def __add__(self, other):
        other = self.value(other)
        out = type(self)(self.data + other.data, (self, other), "+")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out

    def __mul__(self, other):
        other = self.value(other)
        out = type(self)(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out

    def __pow__(self, k):
        out = type(self)(self.data**k, (self,), f"**{k}")

        def _backward():
            self.grad += k * self.data ** (k - 1) * out.grad

        out._backward = _backward
        return out

    def relu(self):
        out = type(self)(max(0, self.data), (self,), "relu")

        def _backward():
            self.grad += (out.data > 0) * out.grad

        out._backward = _backward
        return out

    def tanh(self):
        out = type(self)(math.tanh(self.data), (self,), "tanh")

        def _backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out

    def exp(self):
        out = type(self)(math.exp(self.data), (self,), "exp")

        def _backward():
            self.grad += out.data * out.grad

        out._backward = _backward
        return out

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.data))
        out = type(self)(s, (self,), "sigmoid")

        def _backward():
            self.grad += s * (1 - s) * out.grad

        out._backward = _backward
        return out

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -self.value(other)

    def __truediv__(self, other):
        return self * self.value(other) ** -1

    def order(self):
        order, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for operand in v._prev:
                    build(operand)
                order.append(v)

        build(self)
        return order[::-1]

    def backward(self):
        self.grad = 1
        for v in self.order():
            v._backward()

    __radd__, __rmul__ = __add__, __mul__


class Gpt:
    """Right: local gradients on the way forward and one place that multiplies, as in microgpt."""

    __slots__ = ("_children", "_local_grads", "data", "grad")

    def __init__(self, data, children=(), local_grads=()):
        self.data = data
        self.grad = 0
        self._children = children
        self._local_grads = local_grads

    def value(self, other):
        return other if isinstance(other, Gpt) else type(self)(other)

    def __add__(self, other):
        other = self.value(other)
        return type(self)(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = self.value(other)
        return type(self)(self.data * other.data, (self, other), (other.data, self.data))

    def tanh(self):
        t = math.tanh(self.data)
        return type(self)(t, (self,), (1 - t * t,))

    def relu(self):
        return type(self)(max(0, self.data), (self,), (float(self.data > 0),))

    def __pow__(self, k):
        return type(self)(self.data**k, (self,), (k * self.data ** (k - 1),))

    def exp(self):
        e = math.exp(self.data)
        return type(self)(e, (self,), (e,))

    def __sub__(self, other):
        return self + self.value(other) * -1

    def order(self):
        order, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for child in v._children:
                    build(child)
                order.append(v)

        build(self)
        return order[::-1]

    def backward(self):
        self.grad = 1
        for v in self.order():
            for child, local in zip(v._children, v._local_grads):
                child.grad += local * v.grad

    __radd__, __rmul__ = __add__, __mul__


class Terse:
    """Right: in few lines, with slots, and with another name for the operands."""

    __slots__ = ("_backward", "data", "grad", "op", "parents")

    def __init__(self, data, parents=(), op=""):
        self.data, self.grad, self.parents, self.op, self._backward = data, 0.0, parents, op, None

    def __add__(self, other):
        out = Terse(self.data + other.data, (self, other), "+")

        def _backward(): self.grad += out.grad; other.grad += out.grad  # fmt: skip  # noqa: E702

        out._backward = _backward
        return out

    def __mul__(self, other):
        out = Terse(self.data * other.data, (self, other), "*")

        def _backward(): self.grad += other.data * out.grad; other.grad += self.data * out.grad  # fmt: skip  # noqa: E702

        out._backward = _backward
        return out

    def order(self):
        order, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                for operand in v.parents:
                    build(operand)
                order.append(v)

        build(self)
        return order[::-1]

    def backward(self):
        order = self.order()
        for v in order:
            v.grad = 0.0
        self.grad = 1.0
        for v in order:
            if v._backward:
                v._backward()


class Returns(Terse):
    """Right: each closure returns the gradients, and one loop adds them, in the order of a queue."""

    __slots__ = ()

    def __add__(self, other):
        out = Returns(self.data + other.data, (self, other), "+")
        out._backward = lambda grad: (grad, grad)
        return out

    def __mul__(self, other):
        out = Returns(self.data * other.data, (self, other), "*")
        out._backward = lambda grad: (grad * other.data, grad * self.data)
        return out

    def backward(self):
        missing = {}
        for v in self.order():
            for parent in v.parents:
                missing[parent] = missing.get(parent, 0) + 1
        self.grad, queue = 1.0, [self]
        while queue:
            v = queue.pop()
            grad = v.grad
            for parent, sent in zip(v.parents, v._backward(grad) if v._backward else ()):
                parent.grad = parent.grad + sent
                missing[parent] -= 1
                if not missing[parent]:
                    queue.append(parent)


class Overwrites(Micro):
    """Bug 1: = in place of +=."""

    def __mul__(self, other):
        other = self.value(other)
        out = type(self)(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad = other.data * out.grad
            other.grad = self.data * out.grad

        out._backward = _backward
        return out


class PreOrder(Micro):
    """Bug 2: a node fires when it is first seen."""

    def order(self):
        order, visited = [], set()

        def build(v):
            if v not in visited:
                visited.add(v)
                order.append(v)
                for operand in v._prev:
                    build(operand)

        build(self)
        return order


class NeverVisited(Micro):
    """Bug 3: `visited` is declared and not consulted."""

    def order(self):
        order, visited = [], set()

        def build(v):
            visited.add(v)
            for operand in v._prev:
                build(operand)
            order.append(v)

        build(self)
        return order[::-1]


class Recursive(Micro):
    """Bug 4: no order at all; each node fires whenever it is reached."""

    def backward(self):
        self.grad = 1
        self.fire()

    def fire(self):
        self._backward()
        for operand in self._prev:
            operand.fire()


class Duplicates(Micro):
    """Bug 5: a sort with a loop, which appends a node for each path that leads to it."""

    def order(self):
        order, stack = [], [self]
        while stack:
            v = stack.pop(0)
            order.append(v)
            stack += v._prev
        return order


class InASet(Gpt):
    """Bug 6: the operands are kept in a set, so a + a has one edge."""

    __slots__ = ("_op",)

    def __init__(self, data, children=(), local_grads=(), op=""):
        super().__init__(data, set(children), local_grads)
        self._op = op

    def __add__(self, other):
        other = self.value(other)
        return type(self)(self.data + other.data, (self, other), (1, 1), "+")


class GradForData(Micro):
    """Bug 7: `*` uses .grad where it means .data."""

    def __mul__(self, other):
        other = self.value(other)
        out = type(self)(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.grad * out.grad
            other.grad += self.data * out.grad

        out._backward = _backward
        return out


class HalfSigmoid(Micro):
    """Bug 10: sigmoid's derivative is written 1 - s."""

    def sigmoid(self):
        s = 1 / (1 + math.exp(-self.data))
        out = type(self)(s, (self,), "sigmoid")

        def _backward():
            self.grad += (1 - s) * out.grad

        out._backward = _backward
        return out


class NotAttached(Micro):
    """Bug 11: relu's backward is defined and never attached."""

    def relu(self):
        out = type(self)(max(0, self.data), (self,), "relu")

        def _backward():
            self.grad += (out.data > 0) * out.grad

        return out


class Composite(Micro):
    """Bug 12: tanh is built from exp, and then overwrites the backward of its last operation."""

    def tanh(self):
        e = (self * 2).exp()
        out = (e + -1) * (e + 1) ** -1

        def _backward():
            self.grad += (1 - out.data**2) * out.grad

        out._backward = _backward
        return out


class UnboundOut(Micro):
    """Bug 13: `out` is not there when exp's backward needs it."""

    def exp(self):
        result = type(self)(math.exp(self.data), (self,), "exp")

        def _backward():
            self.grad += out.data * out.grad  # noqa: F821

        result._backward = _backward
        return result


class Swapped(Micro):
    """Bug 14: the two local gradients of `*` are swapped."""

    def __mul__(self, other):
        other = self.value(other)
        out = type(self)(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += self.data * out.grad
            other.grad += other.data * out.grad

        out._backward = _backward
        return out


class BadPower(Micro):
    """Bug 15: `**` writes = and drops the exponent's factor."""

    def __pow__(self, k):
        out = type(self)(self.data**k, (self,), f"**{k}")

        def _backward():
            self.grad = self.data ** (k - 1) * out.grad

        out._backward = _backward
        return out


class EveryPath(Gpt):
    """Bug 16: backward once for each path; right, and never done."""

    __slots__ = ()

    def backward(self, grad=1):
        self.grad += grad
        for child, local in zip(self._children, self._local_grads):
            child.backward(local * grad)


class RootAddsUp(Micro):
    """Bug 19: the root's grad adds up over calls."""

    def backward(self):
        self.grad += 1
        for v in self.order():
            v._backward()


class NeverStarts(Micro):
    """Nobody sets the root's grad to 1."""

    def backward(self):
        for v in self.order():
            v._backward()


class Elsewhere(Gpt):
    """Right: adds up in a dict, and writes each grad once."""

    __slots__ = ()

    def backward(self):
        grads = {self: 1}
        for v in self.order():
            for child, local in zip(v._children, v._local_grads):
                grads[child] = grads.get(child, 0) + local * grads[v]
        for v, grad in grads.items():
            v.grad = grad


class NoUpstream(Micro):
    """`*` sends its local gradients without the factor out.grad."""

    def __mul__(self, other):
        other = self.value(other)
        out = type(self)(self.data * other.data, (self, other), "*")

        def _backward():
            self.grad += other.data
            other.grad += self.data

        out._backward = _backward
        return out


class WrongSign(Micro):
    """`-` sends to both operands alike."""

    def __sub__(self, other):
        other = self.value(other)
        out = type(self)(self.data - other.data, (self, other), "-")

        def _backward():
            self.grad += out.grad
            other.grad += out.grad

        out._backward = _backward
        return out


class ReluAtZero(Micro):
    """Bug 21: relu's slope at 0 is taken as 1."""

    def relu(self):
        out = type(self)(max(0, self.data), (self,), "relu")

        def _backward():
            self.grad += (self.data >= 0) * out.grad

        out._backward = _backward
        return out


class Classes(Micro):
    """An operation is a class of its own and has no name; `*` has its local gradients swapped."""

    def __mul__(self, other):
        return Mul(self, other)


class Mul(Classes):
    """The product of two, as a class."""

    def __init__(self, a, b):
        super().__init__(a.data * b.data, (a, b))
        self._backward = self.send

    def send(self):
        a, b = self._prev
        a.grad += a.data * self.grad
        b.grad += b.data * self.grad


class WritesNothing(Micro):
    """backward() sorts the nodes, and that is all."""

    def backward(self):
        self.order()


class Kept(Gpt):
    """Keeps the local gradients beside the operands, and the operation's name."""

    __slots__ = ("_op",)

    def __init__(self, data, children=(), local_grads=(), op=""):
        super().__init__(data, children, local_grads)
        self._op = op
