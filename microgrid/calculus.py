"""Derivatives as functions, and derivatives of derivatives.

`grad(f)` is a function again, so `grad(grad(f))` is the second derivative, and so on.
There is no second set of rules: the engine's own `backward(create_graph=True)` runs the
local gradients on Values, and what comes out is a graph that can be differentiated.

Arguments may be numbers, Values, or lists and tuples of them, nested as you like; a
gradient has the shape of its argument.  Called with numbers a derivative answers in
numbers; called with Values, or inside another derivative (in the same thread), it answers
in Values.  No `grad` field of yours is changed.

What f uses without its being an argument counts as constant in a number's answer: to
differentiate once more with respect to such a Value, call with a Value.

>>> w = Value(2.0)
>>> slope = grad(lambda x: w * x * x)(Value(3.0))       # 2 w x, as a graph
>>> slope.backward(); slope.data, w.grad
(12.0, 6.0)
"""

from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from functools import update_wrapper
from numbers import Real
from typing import Any

from .engine import Value, number, topological_order

Function = Callable[..., Any]

_inside: ContextVar[bool] = ContextVar("inside a function that is being differentiated", default=False)


def grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """The gradient of f, a function that returns one number.

    Arguments: f; argnums, the position of the argument to differentiate in, or a tuple
    of positions for a tuple of gradients.
    Returns a function of f's arguments, by f's names for them; its result has the shape of that argument.
    Raises TypeError where f returns a list (use `jacobian`) or the argument is missing.
    Source: Griewank & Walther 2008, section 3.2; the names are JAX's.

    >>> cube = lambda x: x ** 3
    >>> grad(cube)(2.0), grad(grad(cube))(2.0), grad(grad(grad(cube)))(2.0)
    (12.0, 12.0, 6.0)
    >>> grad(lambda w: w[0] * w[1] ** 2)([3.0, 2.0])
    [4.0, 12.0]
    """
    return _like(f, "grad", lambda *args: value_and_grad(f, argnums)(*args)[1])


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """A function that returns the pair of f's value and its gradient, from one run of f.

    Arguments, errors and source as for `grad`.

    >>> value_and_grad(lambda x, y: x * y, argnums=(0, 1))(3.0, 4.0)
    (12.0, (4.0, 3.0))
    """

    def value_and_gradient(*args: Any) -> tuple[Any, Any]:
        value, gradient = value_and_jacobian(f, argnums, *args)
        if isinstance(value, (list, tuple)):
            raise TypeError(f"grad of {_name(f)}: it returned a {type(value).__name__}, not one number; use jacobian")
        return value, gradient

    return _like(f, "value_and_grad", value_and_gradient)


def jacobian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """All first derivatives of f, a function that returns a list of m numbers.

    Arguments and errors as for `grad`.
    Returns a function of f's arguments; its result is shaped as f's, each number replaced
    by its gradient: m rows of n for an argument of n numbers.
    Source: Griewank & Walther 2008, section 3.2, one reverse sweep for each row.

    >>> jacobian(lambda x: [x[0] * x[1], x[0] + x[1], x[0] ** 2])([3.0, 2.0])
    [[2.0, 3.0], [1, 1], [6.0, 0]]
    """
    return _like(f, "jacobian", lambda *args: value_and_jacobian(f, argnums, *args)[1])


def hessian(f: Function, argnums: int = 0) -> Function:
    """All second derivatives of f, a function that returns one number.

    Arguments and errors as for `grad`.
    Returns a function of f's arguments; its result is n rows of n for an argument of n
    numbers, and one number for a number.
    Source: Griewank & Walther 2008, section 5.1 (here reverse over reverse).

    >>> hessian(lambda x: x[0] ** 2 * x[1])([3.0, 2.0])
    [[4.0, 6.0], [6.0, 0]]
    """
    return _like(f, "hessian", jacobian(grad(f, argnums), argnums))


def hvp(f: Function) -> Function:
    """The Hessian of f times a vector, without the Hessian.

    Arguments: f, a function of one argument (a list of n numbers) that returns one number.
    Returns a function of (x, v), both lists of n numbers; its result is a list of n.
    Raises ValueError where x and v differ in length.
    Source: Pearlmutter 1994, "Fast exact multiplication by the Hessian".

    >>> hvp(lambda x: x[0] ** 2 * x[1])([3.0, 2.0], [1.0, 0.0])
    [4.0, 6.0]
    """

    def product(x: Sequence[Any], v: Sequence[Any]) -> Any:
        if len(x) != len(v):
            raise ValueError(f"hvp at {len(x)} numbers in a direction of {len(v)}: both need the same length")
        return grad(lambda y: sum([g * vi for g, vi in zip(grad(f)(y), v)]))(x)

    return product


def value_and_jacobian(f: Function, argnums: int | Sequence[int], *args: Any) -> tuple[Any, Any]:
    """f(*args), and the same shape with each number replaced by its gradient."""
    positions = (argnums,) if isinstance(argnums, int) else tuple(argnums)
    if not all([-len(args) <= i < len(args) for i in positions]):
        raise TypeError(f"the derivative of {_name(f)} in argument {argnums} was called with {len(args)}: count from 0")
    given = tuple([args[i] for i in positions])
    in_values = _inside.get() or any([isinstance(x, Value) for x in _flat(given)])

    # f runs on fresh leaves, twins of what was given.  What f gets hold of by another way
    # (a variable around it) is another node, so derivatives of two levels can't mix.
    twins = _map(lambda x: Value(number(x)), given)
    inner = list(args)
    for i, twin in zip(positions, twins):
        inner[i] = twin
    token = _inside.set(True)
    try:
        result = f(*inner)
    finally:
        _inside.reset(token)

    def gradient(output: Any) -> Any:
        if not isinstance(output, (Value, Real)):
            raise TypeError(f"grad of {_name(f)}: it returned {output!r:.40}, not a number; is its `return` missing?")
        adjoints = _adjoints(output, twins, in_values)
        return adjoints[0] if isinstance(argnums, int) else adjoints

    gradients = _map(gradient, result)
    if not in_values:
        return _map(number, result), gradients
    for twin, x in zip(_flat(twins), _flat(given)):
        if isinstance(x, Value):  # now that the sweep below the twins is done, tie them to what was given
            twin.parents, twin.op, twin.local_gradients = (x,), "copy", copy_gradients
    return result, gradients


def copy_gradients(out, x):
    return (1,)


def _adjoints(output: Any, twins: Any, in_values: bool) -> Any:
    """d(output)/d(twin) for each twin; every `grad` field is as before afterwards."""
    nodes = topological_order(output) if isinstance(output, Value) else []
    before = [node.grad for node in nodes]
    try:
        if nodes:
            output.backward(create_graph=in_values)
        return _map(lambda twin: _as_value(twin.grad) if in_values else twin.grad, twins)
    finally:
        for node, adjoint in zip(nodes, before):
            node.grad = adjoint


def _as_value(x: Any) -> Any:
    return x if isinstance(x, Value) else Value(x)


def _map(function: Callable[[Any], Any], tree: Any) -> Any:
    """The same lists and tuples, with function(leaf) for each leaf."""
    if isinstance(tree, (list, tuple)):
        return type(tree)([_map(function, branch) for branch in tree])
    return function(tree)


def _flat(tree: Any) -> Iterator[Any]:
    """The leaves of nested lists and tuples, from left to right."""
    if isinstance(tree, (list, tuple)):
        for branch in tree:
            yield from _flat(branch)
    else:
        yield tree


def _like(f: Function, what: str, derivative: Function) -> Function:
    """The derivative, called `grad(f)` and with f's signature, which `inspect.signature` finds."""
    derivative.__name__ = derivative.__qualname__ = f"{what}({_name(f)})"
    return update_wrapper(derivative, f, assigned=(), updated=())


def _name(f: Function) -> str:
    return getattr(f, "__name__", repr(f))
