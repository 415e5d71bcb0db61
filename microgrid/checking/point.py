"""A function at the numbers where it is examined, and near them."""

import inspect
from collections.abc import Callable, Sequence
from itertools import accumulate, pairwise
from numbers import Integral
from typing import Any

from ..calculus import hvp
from ..compiler.arguments import flat, flat_leaves, leaves, shape_of, shaped, size
from ..compiler.tape import record
from ..engine import Value, topological_order
from . import duals

Function = Callable[..., Any]


class Point:
    """A function of numbers, as one of a flat list.

    Arguments: who, what errors begin with; f, the function of Values; inputs, its arguments, numbers or lists of them.
    Attributes: numbers, all of them; names, of each; moving, the positions of those that are no whole numbers: an
    index, a class or a count is not moved; value, of the function; size, of the largest result on the way there, which
    says how much is lost to rounding.
    Raises TypeError for what is no list of arguments, and where f returns another thing than one number, ValueError
    without a number that can be moved.
    """

    def __init__(self, who: str, f: Function, inputs: Sequence[Any]) -> None:
        if not callable(f) or isinstance(f, Value):
            raise TypeError(f"{who} takes a function and its arguments, as in {who}(f, [2.0, 3.0]), not {f!r:.50}")
        if (
            isinstance(inputs, (str, Value))
            or not hasattr(inputs, "__getitem__")
            or isinstance(inputs, dict)
            or getattr(inputs, "ndim", 1) == 0
        ):
            raise TypeError(f"{who}(f, {inputs!r:.50}): the arguments of f are a list, as in {who}(f, [2.0, 3.0])")
        self.who, self.f = who, f
        self.shapes = [shape_of(one, f"{who} takes") for one in inputs]
        arguments = _names(f, len(inputs))
        if arguments is None:
            call = ", ".join([f"{one!r:.20}" for one in inputs])
            raise TypeError(
                f"{who}(f, inputs) calls f({call}), and f takes another number of arguments; for one list of numbers "
                f"write {who}(f, [[2.0, 3.0]])"
            )
        self.arguments = arguments
        self.numbers = [x for one in inputs for x in flat(one)]
        self.moving = [i for i, x in enumerate(self.numbers) if not isinstance(x, Integral)]
        if not self.moving:
            what = "all arguments are whole numbers, which are not moved" if self.numbers else "there is no argument"
            raise ValueError(f"{who}: {what}; write 3.0 for what may move")
        root, own = self.graph(self.numbers)
        self.names = [str(leaf.label) for leaf in own]
        self.value = root.data
        self.size = max([abs(node.data) for node in topological_order(root) if node.parents], default=0.0)

    def graph(self, numbers: Sequence[Any]) -> tuple[Value, list[Value]]:
        """The result at these numbers, and the leaves."""
        given = [
            leaves(name, shape, part) for name, shape, part in zip(self.arguments, self.shapes, self.parts(numbers))
        ]
        answer = self.f(*given)
        if isinstance(answer, (list, tuple)) or not isinstance(answer, (Value, int, float)):
            raise TypeError(
                f"{self.who}: f returned {answer!r:.50}, not one number; take one of them, or is its `return` missing?"
            )
        return answer if isinstance(answer, Value) else Value(answer), [x for one in given for x in flat_leaves(one)]

    def value_at(self, numbers: Sequence[Any]) -> float:
        """The result alone."""
        return self.graph(numbers)[0].data

    def gradient(self, numbers: Sequence[Any]) -> list[float]:
        """By the engine, of those that move."""
        root, own = self.graph(numbers)
        before = [(node, node.grad) for node in topological_order(root)]  # f may use Values that are not ours
        try:
            root.backward()
            return [own[i].grad for i in self.moving]
        finally:
            for node, grad in before:
                node.grad = grad

    def moved(self, steps: Sequence[float]) -> list[Any]:
        """The numbers, those that move moved by so much."""
        numbers = list(self.numbers)
        for i, step in zip(self.moving, steps):
            numbers[i] += step
        return numbers

    def jet(self, direction: Sequence[float]) -> duals.Jet:
        """The result in forward mode: its slope and its curvature in a direction of those that move."""
        root, own = self.graph(self.numbers)
        tape = record(root, own)
        steps = dict(zip(self.moving, direction))
        variables = duals.along(self.numbers, [steps.get(i, 0.0) for i in range(len(self.numbers))])
        given, lines = dict(zip(tape.inputs, variables)), list[Any]()
        for line, (op, operands, number, _) in enumerate(tape):
            if not operands:
                lines.append(given[line] if op == "input" else duals.Jet(number, (0,)))
                continue
            jets = [lines[i] for i in operands]
            if op == "**" and tape[operands[1]].op == "constant":
                jets[1] = tape[operands[1]].number  # a fixed exponent needs no logarithm of the base
            lines.append(duals.OPERATIONS[op](*jets))
        return lines[tape.outputs[0]]

    def curvature(self, direction: Sequence[float]) -> float:
        """Direction times Hessian times direction, by the engine: a derivative of its derivative."""

        def of_a_list(xs: list) -> Any:
            numbers: list[Any] = [Value(x) for x in self.numbers]  # as in graph: all are Values
            for i, x in zip(self.moving, xs):
                numbers[i] = x
            return self.f(*[shaped(part, shape) for part, shape in zip(self.parts(numbers), self.shapes)])

        product = hvp(of_a_list)([float(self.numbers[i]) for i in self.moving], list(direction))
        return sum([a * b for a, b in zip(direction, product)])

    def written(self, numbers: Sequence[Any]) -> str:
        """The numbers as somebody would type them: [2.0, [0.5, 1.5]]."""
        laid = [shaped(part, shape) for part, shape in zip(self.parts(numbers), self.shapes)]
        return repr(laid)

    def parts(self, numbers: Sequence[Any]) -> list[list]:
        """The numbers of each argument."""
        ends = list(accumulate([size(shape) for shape in self.shapes], initial=0))
        return [list(numbers[begin:end]) for begin, end in pairwise(ends)]


def _names(f: Function, count: int) -> list[str] | None:
    """What f calls its arguments; None where it does not take so many."""
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):
        return [f"x{i}" for i in range(count)] if count > 1 else ["x"]
    try:
        bound = signature.bind(*range(count))
    except TypeError:
        return None
    names = []
    for name, value in bound.arguments.items():
        names += [f"{name}[{i}]" for i in range(len(value))] if isinstance(value, tuple) else [name]
    return names
