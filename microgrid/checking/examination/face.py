"""An engine as the examination sees it: a class made from one number, whatever its parts are called."""

import ast
import inspect
import operator
import os
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

DATA = ("data", "value", "val", "v", "x", "number")
GRAD = ("grad", "gradient", "adjoint", "derivative", "g", "grad_value")
BACKWARD = ("backward", "backprop", "backpropagate", "backpropagation")
OPERATORS = {
    "+": "__add__", "-": "__sub__", "*": "__mul__", "/": "__truediv__", "**": "__pow__", "neg": "__neg__",
    "abs": "__abs__",
}  # fmt: skip
FUNCTIONS = {
    "exp": ("exp",), "log": ("log", "ln"), "sqrt": ("sqrt",), "sin": ("sin",), "cos": ("cos",), "tan": ("tan",),
    "tanh": ("tanh",), "sigmoid": ("sigmoid", "logistic"), "relu": ("relu", "ReLU"), "softplus": ("softplus",),
    "logsumexp": ("logsumexp", "log_sum_exp"),
}  # fmt: skip
LARGEST_TEXT = 1 << 16  # characters of a file that is looked into: Python needs a minute for 5 MB


class NoEngine(Exception):
    """What was given is no engine that could be examined; the message says what to do."""


@dataclass(frozen=True)
class Engine:
    """What is to be examined.

    Attributes: source, the file of it or the class itself; name, of the class in that file, "" to find it; data, grad,
    backward, what these are called there, "" to find them, or a function of a value; functions, where free functions
    are, None for the module of the class.
    """

    source: Any
    name: str = ""
    data: str = ""
    grad: str = ""
    backward: str | Callable[[Any], Any] = ""
    functions: Any = None

    @property
    def path(self) -> str:
        """The file that it is written in, "" where there is none."""
        if isinstance(self.source, Path):
            return str(self.source)
        if isinstance(self.source, type):
            methods = [
                m for kind in self.source.__mro__ for m in vars(kind).values() if isinstance(m, types.FunctionType)
            ]
        else:  # a function that makes values
            methods = [self.source] if isinstance(self.source, types.FunctionType) else []
        return methods[0].__code__.co_filename if methods else ""


@dataclass
class Face:
    """An engine in use: how a value of it is made, read and differentiated."""

    make: Callable[[float], Any]
    data: str
    grad: str
    backward: Callable[[Any], Any] | None
    there: dict[str, Callable[..., Any]] = field(default_factory=dict)  # the operations that it has
    kind: type = object
    path: str = ""

    def is_value(self, thing: Any) -> bool:
        """Whether it is a value of this engine: of its class, of one that it derives from, or of a sister of it."""
        own = [kind for kind in self.kind.__mro__ if kind.__module__ not in ("builtins", "abc", "typing")]
        return isinstance(thing, tuple(own))

    def number_of(self, value: Any, name: str) -> float:
        """A plain number: what an engine keeps may be None, a value of its own, or an array of one number."""
        number = getattr(value, name)
        if callable(number) and not self.is_value(number):
            number = number()
        if number is None:
            return 0.0
        if self.is_value(number):
            number = getattr(number, self.data)
        if isinstance(number, complex):
            raise TypeError(f"{name} is the complex number {number}")
        return float(number)

    def data_of(self, value: Any) -> float:
        return self.number_of(value, self.data)

    def grad_of(self, value: Any) -> float:
        return self.number_of(value, self.grad) if hasattr(value, self.grad) else 0.0


def load(engine: Engine) -> Face:
    """The engine, imported (its file is run) and tried on one number.  Raises NoEngine, and what its file raises."""
    if isinstance(engine.source, Path):
        module = _run(engine.source)
        make = _class_in(module, engine.name)
    else:
        make = engine.source
        module = sys.modules.get(getattr(make, "__module__", ""), types.ModuleType("nothing"))
    try:
        value = make(3.0)
    except Exception as error:
        raise NoEngine(f"{_called(make)}(3.0) fails with {type(error).__name__}: {error}") from error
    if value is None or isinstance(value, int | float):
        raise NoEngine(f"{_called(make)}(3.0) gives {value!r}: name the class, or a function that makes one of it")
    places = [engine.functions] if engine.functions is not None else _around(module)
    data = engine.data or _attribute(value, DATA, 3.0)
    if not data:
        kept = {name: part for name, part in vars(value).items()} if hasattr(value, "__dict__") else {}
        said = f"holds {', '.join([f'{name} = {part!r:.40}' for name, part in kept.items()]) or 'nothing'}"
        raise NoEngine(f"{_called(make)}(3.0) {said}: which is its number 3? Say --data NAME or data='NAME'")
    if hasattr(value, "requires_grad"):
        make = _requiring(make)
    grad = engine.grad or next((name for name in GRAD if hasattr(value, name)), "grad")
    face = Face(make, data, grad, _backward(engine, value, places), kind=type(value), path=engine.path)
    face.there = {sign: getattr(operator, name) for sign, name in OPERATORS.items() if hasattr(type(value), name)}
    for name, spellings in FUNCTIONS.items():
        found = _function(face, places, spellings, several=name == "logsumexp")
        if found is not None:
            face.there[name] = found
    return face


def _run(path: Path) -> types.ModuleType:
    """The file as a module, under its own name, with the folder that it lies in to import from."""
    name = path.stem
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    sys.argv = [str(path)]
    exec(compile(path.read_bytes(), str(path), "exec"), module.__dict__)
    return module


def _class_in(module: types.ModuleType, name: str) -> Any:
    file = os.path.basename(str(module.__file__))
    if name:
        if not hasattr(module, name):
            raise NoEngine(f"{file} has no {name}")
        return getattr(module, name)
    own = {
        key: kind for key, kind in vars(module).items()
        if isinstance(kind, type) and kind.__module__ == module.__name__
        and any([hasattr(kind, method) for method in ("__add__", "__mul__")]) and not hasattr(kind, "__len__")
    }  # fmt: skip
    if "Value" in own:
        return own["Value"]
    own = {key: kind for key, kind in own.items() if not any([base in own.values() for base in kind.__mro__[1:]])}
    if len(own) == 1:
        return next(iter(own.values()))
    imported = getattr(module, "Value", None)
    if not own and isinstance(imported, type):
        return imported
    if not own:
        raise NoEngine(f"{file} has no class with __add__ or __mul__: write the class's name, {file}:NAME")
    raise NoEngine(f"{file} has several classes with __add__ or __mul__: write one of {', '.join(own)} as {file}:NAME")


def _requiring(make: Callable[[float], Any]) -> Callable[[float], Any]:
    """A maker of values that ask for a gradient, as PyTorch's have to."""

    def made(number: float) -> Any:
        value = make(number)
        value.requires_grad = True
        return value

    return made


def _called(make: Any) -> str:
    return getattr(make, "__name__", type(make).__name__)


def _attribute(value: Any, names: tuple[str, ...], number: float) -> str:
    for name in names:
        try:
            if float(getattr(value, name)) == number:
                return name
        except (AttributeError, TypeError, ValueError):
            continue
    return ""


def _around(module: types.ModuleType) -> list[Any]:
    """The module of a class, and the packages that it lies in."""
    parts = module.__name__.split(".")
    above = [sys.modules.get(".".join(parts[:i])) for i in range(len(parts) - 1, 0, -1)]
    return [module, *[place for place in above if place is not None]]


def _backward(engine: Engine, value: Any, places: list[Any]) -> Callable[[Any], Any] | None:
    """The sweep as a function of the root, None for an engine that has none yet."""
    if callable(engine.backward):
        return engine.backward
    for name in [engine.backward] if engine.backward else BACKWARD:
        if hasattr(type(value), name):
            return _started(operator.methodcaller(name), getattr(type(value), name), name, 2)
        for place in places:
            free = getattr(place, name, None)
            if isinstance(free, types.FunctionType):
                return _started(free, free, name, 1)
    if engine.backward:
        raise NoEngine(f"there is no {engine.backward}, neither as a method nor as a function")
    return None


def _started(call: Callable[[Any], Any], function: Any, name: str, operands: int) -> Callable[[Any], Any]:
    """The call, given 1.0 to start with where the function asks for one more argument."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return call
    needed = [p for p in parameters if p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(needed) == 2:
        return lambda root: getattr(root, name)(1.0) if operands == 2 else function(root, 1.0)
    return call


def _function(face: Face, places: list[Any], names: tuple[str, ...], several: bool) -> Callable[..., Any] | None:
    """A function that the engine has: a method without further arguments, or a free function of the file."""
    for name in names:
        if not several and _takes(getattr(face.kind, name, None), 1):
            return operator.methodcaller(name)
    for name in names:
        for place in places:
            free = getattr(place, name, None)
            if isinstance(free, types.FunctionType) and _takes(free, 1) and _of_values(face, free, several):
                return free
    return None


def _of_values(face: Face, function: Callable[..., Any], several: bool) -> bool:
    """Whether a free function is one of the engine's, not a helper on plain numbers."""
    try:
        made = [function([face.make(x)] if several else face.make(x)) for x in (0.5, -0.5)]
    except Exception as error:  # of a stranger's code: what is meant for numbers fails by the type, its own otherwise
        return not isinstance(error, TypeError | AttributeError)
    return all([face.is_value(value) for value in made])


def _takes(function: Any, many: int) -> bool:
    """Whether it can be called with so many arguments."""
    if not callable(function):
        return False
    try:
        inspect.signature(function).bind(*[None] * many)
    except TypeError:
        return False
    except ValueError:  # has no signature, such as one written in C
        return True
    return True


def parsed(text: str | bytes) -> ast.Module:
    """The tree of a text, an empty one where it is no Python, or too long or too deep to be looked into."""
    try:
        return ast.parse(text if len(text) <= LARGEST_TEXT else "")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ast.Module([], [])


def imports_of(path: str) -> set[str]:
    """The packages that a file imports, by its text."""
    try:
        tree = parsed(Path(path).read_bytes())
    except OSError:
        return set()
    found = {
        alias.name.split(".")[0] for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names
    }
    return found | {
        node.module.split(".")[0]
        for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module and not node.level
    }  # fmt: skip
