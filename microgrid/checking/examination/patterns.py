"""Where in a function a bug is likely to stand: for each cause what to look for in its syntax tree."""

import ast
from collections.abc import Callable, Iterator

from .face import DATA, GRAD

Function = ast.FunctionDef | ast.AsyncFunctionDef
RECURSIVE = ("recursion", "once-per-path", "no-order")  # shown by a call of the function in itself


def matching(code: str, function: Function) -> list[int]:
    """The lines of a function that look like this cause."""
    if code in RECURSIVE:
        return [call.lineno for call in calls(function, {function.name})]
    test = _TESTS.get(code, _writes_grad)
    return [node.lineno for node in ast.walk(function) if test(node)]  # type: ignore[attr-defined]


def calls(function: Function, names: set[str]) -> Iterator[ast.Call]:
    """The calls in it of one of these functions or methods."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            called = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if called in names:
                yield node


def _is_grad(node: ast.AST) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in GRAD


def _writes_grad(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
    return any([_is_grad(target) for target in targets])


def _sets_grad(node: ast.AST) -> bool:
    """An assignment of something that is computed: not `self.grad = 0`."""
    return isinstance(node, ast.Assign) and _writes_grad(node) and not isinstance(node.value, ast.Constant)


def _multiplies_grads(node: ast.AST) -> bool:
    """A product with two grads in it, or a tuple of local gradients with one."""
    if isinstance(node, ast.AugAssign | ast.Assign) and _writes_grad(node):
        return len([1 for part in ast.walk(node.value) if _is_grad(part)]) > 1
    return isinstance(node, ast.Tuple) and any([_is_grad(part) for part in node.elts])


def _sets_data(node: ast.AST) -> bool:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
    return any([isinstance(target, ast.Attribute) and target.attr in DATA for target in targets])


def _adds_to_grad(node: ast.AST) -> bool:
    return isinstance(node, ast.AugAssign) and _is_grad(node.target)


def _is_tiny(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, float) and 0 < node.value < 1e-3


def _makes_a_set(node: ast.AST) -> bool:
    return isinstance(node, ast.Set) or (
        isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "set" and bool(node.args)
    )


def _at_least(node: ast.AST) -> bool:
    return isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.GtE | ast.LtE)


def _calls_exp(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and (getattr(node.func, "attr", "") or getattr(node.func, "id", "")) == "exp"


def _appends(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("append", "insert", "appendleft")


def _returns(node: ast.AST) -> bool:
    return isinstance(node, ast.Return)


def _starts(node: ast.AST) -> bool:
    """What sets a grad to something before the sweep."""
    return isinstance(node, ast.Assign) and _writes_grad(node)


def _is_nothing(node: ast.AST) -> bool:
    return False  # what is looked for is not there


_TESTS: dict[str, Callable[[ast.AST], bool]] = {
    "overwrites": _sets_grad,
    "grad-at-start": _starts,
    "constructor": _sets_data,
    "shared": _is_nothing,
    "grad-for-data": _multiplies_grads,
    "data-changed": _sets_data,
    "in-place-add": _sets_data,
    "epsilon": _is_tiny,
    "parents-in-a-set": _makes_a_set,
    "relu-at-0": _at_least,
    "overflow": _calls_exp,
    "visited-unused": _appends,
    "duplicates": _appends,
    "fires-early": _appends,
    "root-accumulates": _adds_to_grad,
    "reflected-minus": _returns,
    "reflected-divide": _returns,
    "not-attached": _is_nothing,
    "value": _is_nothing,
    "unexplained": _is_nothing,
    "history": _is_nothing,
    "constants-value": _returns,
    "seed": _starts,
}
