"""A program as a list of NumPy calls: each group of equal operations is one, over all rows of a block."""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy

from .rolled import Group, Operand, Rolled

BLOCK = 1024  # rows at a time, so that memory does not grow with the batch


def _sigmoid(x: Any) -> Any:
    small = numpy.exp(-numpy.abs(x))
    return numpy.where(x >= 0, 1 / (1 + small), small / (1 + small))


def _power(a: Any, b: Any) -> Any:
    found = numpy.power(a, b)
    root = b == 0.5  # NumPy may take sqrt, which differs for these two
    if numpy.any(root):
        found = numpy.where(root & (a == 0), 0.0, numpy.where(root & (a == -numpy.inf), numpy.inf, found))
    return found


def _logsumexp(xs: Any) -> Any:  # over the axis of the operands, which is 1
    top = xs.max(axis=1)
    with_top = numpy.where(numpy.isfinite(top), top, 0.0)
    total = numpy.exp(xs - with_top[:, None]).sum(axis=1)
    return numpy.where(numpy.isinf(top), top, with_top + numpy.log(total))


def _of_each(function: Callable[[float], float]) -> Callable[[Any], Any]:
    """A function of the standard library, number by number: NumPy does not have it."""
    return numpy.vectorize(function, otypes=[float])


_erf, _erfc = _of_each(math.erf), _of_each(math.erfc)

# The value of each operation on arrays; how fast it moves is not said here.
FUNCTIONS: dict[str, Callable[..., Any]] = {
    "+": numpy.add, "-": numpy.subtract, "*": numpy.multiply, "/": numpy.divide, "**": _power,
    "neg": numpy.negative, "abs": numpy.abs, "exp": numpy.exp, "log": numpy.log, "sqrt": numpy.sqrt,
    "sin": numpy.sin, "cos": numpy.cos, "tan": numpy.tan, "tanh": numpy.tanh, "erf": _erf, "sigmoid": _sigmoid,
    "softplus": lambda x: numpy.maximum(x, 0.0) + numpy.log1p(numpy.exp(-numpy.abs(x))),
    "relu": lambda x: numpy.where(x <= 0, 0.0, x),
    "leaky_relu": lambda x, slope: numpy.where(x > 0, x, slope * x),
    "elu": lambda x, alpha: numpy.where(x > 0, x, alpha * numpy.expm1(x)),
    "silu": lambda x: x * _sigmoid(x),
    "gelu": lambda x: x * (_erfc(-x / math.sqrt(2)) / 2),
    "maximum": lambda a, b: numpy.where((a > b) | (a != a), a, b),
    "minimum": lambda a, b: numpy.where((a < b) | (a != a), a, b),
    "where": lambda c, a, b: numpy.where(c > 0, a, b),
    "match": lambda a, b: (a == b).astype(float),
    "step": lambda x: (x > 0).astype(float),
}  # fmt: skip


class NumpyProgram:
    """A rolled tape, to be run by NumPy.

    Attributes: source, the calls as text; seconds, what making it took.
    """

    def __init__(self, rolled: Rolled, type: str = "float64") -> None:
        start = time.perf_counter()
        self.rolled, self.type = rolled, numpy.dtype(type)
        with numpy.errstate(all="ignore"):
            self.constants = rolled.constants.astype(self.type)
        parts = rolled.before, rolled.body, rolled.sums, rolled.after
        self.before, self.body, self.sums, self.after = [[_call(group) for group in part] for part in parts]
        calls = [*self.before, *self.body, *self.sums, *self.after]
        self.source = "\n".join([call.text for call in calls])
        self.seconds = time.perf_counter() - start

    def run(
        self,
        parameters: Any,
        arguments: Any,
        inputs: Any = None,
        outputs: Any = None,
        gradient: Any = None,
        input_gradient: Any = None,
        threads: int = 1,
    ) -> None:
        """Fill outputs, gradient and input_gradient, those that are not None.

        Arguments: parameters and arguments, one array each; inputs, of shape (rows, inputs), None where there is no
        batch; outputs, (outputs,), or (rows, outputs); gradient, (parameters,); input_gradient, as the inputs.
        """
        rolled = self.rolled
        call = numpy.empty(rolled.call_count, self.type)
        n = len(self.constants)
        call[:n] = self.constants
        call[n : n + rolled.parameters] = parameters
        n += rolled.parameters
        call[n : n + rolled.arguments] = arguments
        with numpy.errstate(all="ignore"):
            for one in self.before:
                call[one.results] = one.compute(call, None)
            if inputs is not None:
                for one in self.sums:
                    call[one.results] = 0
                for start in range(0, len(inputs), BLOCK):
                    self._block(call, inputs, slice(start, start + BLOCK), outputs, input_gradient)
            for one in self.after:
                call[one.results] = one.compute(call, None)
        for result, operand in ((outputs, rolled.outputs), (gradient, rolled.gradient)):
            if result is not None and operand is not None and not operand.rows:
                result[:] = call[operand.places]
        if input_gradient is not None and rolled.input_gradient and not rolled.input_gradient.rows:
            input_gradient[:] = call[rolled.input_gradient.places]

    def _block(self, call: Any, inputs: Any, block: slice, outputs: Any, input_gradient: Any) -> None:
        given = inputs[block]
        rows = numpy.empty((self.rolled.row_count, len(given)), self.type)
        rows[: self.rolled.inputs] = given.T
        for one in self.body:
            rows[one.results] = one.compute(call, rows)
        for one in self.sums:
            call[one.results] += one.compute(call, rows)
        for result, operand in ((outputs, self.rolled.outputs), (input_gradient, self.rolled.input_gradient)):
            if result is not None and operand is not None and operand.rows:
                result[block] = rows[operand.places].T

    def bind(self, *arrays: Any) -> Callable[[], None]:
        """`run` with these arrays, to be called again and again."""
        return lambda: self.run(*arrays)


class _Call:
    """One NumPy call: where the results go, what computes them, and how it reads."""

    def __init__(self, group: Group, compute: Callable[[Any, Any], Any], text: str) -> None:
        self.results = slice(group.start, group.start + group.count)
        self.compute = compute
        memory, sign = "rows" if group.rows else "call", "+=" if group.op in ("rowsum", "rowdot") else "="
        self.text = f"{memory}[{_shown(self.results)}] {sign} {text}"


def _call(group: Group) -> _Call:
    op, operands = group.op, group.operands
    if op in ("dot", "rowdot"):
        return _product(group)
    if op == "rowsum":
        read = _reader(operands[0], True)
        return _Call(group, lambda call, rows: read(call, rows).sum(axis=1), f"sum({_named(operands[0])})")
    readers = [_reader(operand, group.rows) for operand in operands]
    text = f"{op}({', '.join([_named(operand) for operand in operands])})"
    if op == "logsumexp":
        return _Call(group, lambda call, rows: _logsumexp(readers[0](call, rows)), text)
    if op == "lookup":
        return _Call(group, lambda call, rows: _looked_up(*[read(call, rows) for read in readers]), text)
    function = FUNCTIONS[op]
    if len(readers) == 1:
        only = readers[0]
        return _Call(group, lambda call, rows: function(only(call, rows)), text)
    if len(readers) == 2:
        left, right = readers
        return _Call(group, lambda call, rows: function(left(call, rows), right(call, rows)), text)
    return _Call(group, lambda call, rows: function(*[read(call, rows) for read in readers]), text)


def _looked_up(index: Any, table: Any) -> Any:
    k = table.shape[1]
    whole = (index == numpy.floor(index)) & (index >= 0) & (index < k)
    chosen = numpy.where(whole, index, 0).astype(numpy.int64)
    if index.ndim == 2 and table.shape[2] == 1:
        table = numpy.broadcast_to(table, (*table.shape[:2], index.shape[1]))
    return numpy.where(whole, numpy.take_along_axis(table, chosen[:, None], axis=1)[:, 0], numpy.nan)


def _product(group: Group) -> _Call:
    """Dot products as a matrix product, where each row of one table meets each of the other; else one by one."""
    a, b = group.operands
    (mine, which_a), (yours, which_b) = _distinct(a.places), _distinct(b.places)
    m, n = len(mine), len(yours)
    summed = group.op == "rowdot"
    left, right = Operand(a.rows, mine), Operand(b.rows, yours)
    if m * n > 2 * group.count:  # too few of all the pairs
        read_a, read_b = _reader(a, group.rows or summed), _reader(b, group.rows or summed)
        axes = (1, 2) if summed else 1
        return _Call(
            group, lambda call, rows: (read_a(call, rows) * read_b(call, rows)).sum(axis=axes),
            f"sum({_named(a)} * {_named(b)})",
        )  # fmt: skip
    straight = m * n == group.count and bool((which_a * n + which_b == numpy.arange(group.count)).all())
    across = m * n == group.count and bool((which_b * m + which_a == numpy.arange(group.count)).all())
    read_a, read_b = _reader(left, a.rows), _reader(right, b.rows)

    def product(call: Any, rows: Any) -> Any:
        x, y = read_a(call, rows), read_b(call, rows)
        if summed and x.ndim != y.ndim:  # one is the same in all rows
            x, y = (x, y.sum(axis=2)) if x.ndim == 2 else (x.sum(axis=2), y)
        if summed or x.ndim == y.ndim == 2:
            table = x.reshape(m, -1) @ y.reshape(n, -1).T
        elif x.ndim == y.ndim:  # numbers of the rows, of both kinds
            table = numpy.einsum("mkr,nkr->mnr", x, y)
        elif x.ndim == 2:
            table = numpy.matmul(x, y).swapaxes(0, 1)  # (n, m, rows)
        else:
            table = numpy.matmul(y, x)
        if straight:
            return table.reshape(group.count, *table.shape[2:])
        if across:
            return table.swapaxes(0, 1).reshape(group.count, *table.shape[2:])
        return table[which_a, which_b]

    return _Call(group, product, f"{_named(left)} @ {_named(right)}")


def _distinct(table: Any) -> tuple[Any, Any]:
    """The different rows of a table of places, in the order in which they come, and which of them each row is."""
    seen: dict[bytes, int] = {}
    which = numpy.array([seen.setdefault(row.tobytes(), len(seen)) for row in table])
    first = numpy.zeros(len(seen), dtype=numpy.int64)
    first[which[::-1]] = numpy.arange(len(table))[::-1]
    return table[first], which


def _reader(operand: Operand, row: bool) -> Callable[[Any, Any], Any]:
    """What reads the operands of a group: a view where they lie in order.  A number of the call is for all rows."""
    places = operand.places
    flat = places.ravel()
    if len(flat) > 1:
        stride = int(flat[1] - flat[0])
        even = stride > 0 and bool((numpy.diff(flat) == stride).all())
    else:
        stride, even = 1, True
    if places.ndim == 1 and len(flat) > 1 and (flat == flat[0]).all():  # one for all: NumPy repeats it
        where, even = slice(int(flat[0]), int(flat[0]) + 1), True
    elif even:
        where = slice(int(flat[0]), int(flat[-1]) + 1, stride)
    if even:
        shape = places.shape if places.ndim == 2 else (-1,)
        if operand.rows:
            return (lambda call, rows: rows[where]) if places.ndim == 1 else (
                lambda call, rows: rows[where].reshape(*shape, -1)
            )  # fmt: skip
        full = (*shape, 1) if row else shape
        return lambda call, rows: call[where].reshape(full)
    if operand.rows:
        return lambda call, rows: rows[places]
    if row:
        return lambda call, rows: call[places][..., None]
    return lambda call, rows: call[places]


def _named(operand: Operand) -> str:
    flat = operand.places.ravel()
    name = "rows" if operand.rows else "call"
    if len(flat) == 1 or (numpy.diff(flat) == 1).all():
        return f"{name}[{_shown(slice(int(flat[0]), int(flat[-1]) + 1))}]"
    some = ", ".join(map(str, flat[:6].tolist()))
    return f"{name}[[{some}{', ...' if len(flat) > 6 else ''}]]"


def _shown(places: slice) -> str:
    return f"{places.start}" if places.stop == places.start + 1 else f"{places.start}:{places.stop}"
