"""The source of a rule or closure, and one line of it with numbers in place of its names."""

import ast
import inspect
import textwrap
import tokenize
from collections.abc import Callable
from functools import lru_cache
from types import CodeType
from typing import Any

from .words import MINUS, figure

Path = tuple[str, ...]  # ("out", "grad") for `out.grad`


class Sources:
    """The source lines of some functions, each read once: `lines`, by the function's name."""

    def __init__(self) -> None:
        self.lines: dict[str, list[str]] = {}
        self._keys: dict[CodeType, str] = {}
        self._sentences: dict[tuple[CodeType, int], list[Sentence]] = {}
        self._returns: dict[CodeType, int] = {}

    def key(self, code: CodeType) -> str:
        """The name under which the source of code is in `lines`: `Value.__mul__._backward`."""
        if code not in self._keys:
            name = code.co_qualname.replace(".<locals>", "")
            if name in self.lines:  # two functions of one name, as after a cell was run again
                name += f" (line {code.co_firstlineno})"
            while name in self.lines:
                name += "'"
            self._keys[code] = name
            self.lines[name] = source_of(code)
        return self._keys[code]

    def lit(self, code: CodeType, line: int) -> int:
        """The index in the source of a line of the file; -1 where there is no source."""
        index = line - code.co_firstlineno
        return index if 0 <= index < len(self.lines[self.key(code)]) else -1

    def sentences(self, code: CodeType, line: int) -> "list[Sentence]":
        """The statements on that line of the file; none where there is no source."""
        if (code, line) not in self._sentences:
            lines, index = self.lines[self.key(code)], self.lit(code, line)
            self._sentences[code, line] = sentences_of("\n".join(lines), index) if index >= 0 else []
        return self._sentences[code, line]

    def last_return(self, code: CodeType) -> int:
        """The line of the file where the function returns, its first line where it can't be told."""
        if code not in self._returns:
            tree = _parsed("\n".join(self.lines[self.key(code)]))
            returns = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Return)] if tree else []
            self._returns[code] = code.co_firstlineno + max(returns, default=1) - 1
        return self._returns[code]


def source_of(code: CodeType) -> list[str]:
    """The source lines of a function, without indentation; none for a lambda or where they are lost."""
    if code.co_name == "<lambda>":  # its lines are those of the statement around it
        return []
    try:
        lines, _ = inspect.getsourcelines(code)
    except (OSError, TypeError, SyntaxError, IndexError, tokenize.TokenError):
        return []
    return textwrap.dedent("".join(lines)).splitlines()


class Sentence:
    """One statement, in pieces: text, and the names between that a number can stand for."""

    def __init__(self, target: Path, pieces: list[tuple[str, Path | None, bool]], end: str) -> None:
        self.target = target  # what it assigns to, () for a return
        self.pieces = pieces  # text before, the path, whether a negative number needs parentheses
        self.end = end
        self.paths = [path for _, path, _ in pieces if path]

    def with_numbers(self, values: dict[Path, Any]) -> str:
        """The statement with numbers in place of those names that have one."""
        text = ""
        for before, path, factor in self.pieces:
            text += before
            if path in values:
                shown = figure(values[path])
                text += f"({shown})" if factor and shown.startswith(MINUS) else shown
            elif path:
                text += ".".join(path)
        return " ".join((text + self.end).split())


@lru_cache(64)
def _parsed(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return None


def sentences_of(source: str, index: int) -> list[Sentence]:
    """The assignments and returns on the line of that index, from left to right."""
    tree = _parsed(source)
    text = source.encode()  # as the columns of `ast` are counted
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))

    def span(node: Any) -> tuple[int, int]:
        return starts[node.lineno - 1] + node.col_offset, starts[node.end_lineno - 1] + node.end_col_offset

    found: list[tuple[int, Sentence]] = []
    for node in ast.walk(tree) if tree else []:
        if not isinstance(node, (ast.Assign, ast.AugAssign, ast.Return)) or node.value is None:
            continue
        if not node.lineno <= index + 1 <= (node.end_lineno or 0):
            continue
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
        )
        pieces: list[tuple[str, Path | None, bool]] = []
        at, end = span(node)
        start = at
        for name, path, factor in sorted(_names_in(node.value), key=lambda found: span(found[0])):
            first, last = span(name)
            pieces.append((text[at:first].decode(), path, factor))
            at = last
        found.append((start, Sentence(_path(targets[0]) if targets else (), pieces, text[at:end].decode())))
    return [sentence for _, sentence in sorted(found, key=lambda item: item[0])]


def sentence_of(source: str, index: int) -> Sentence | None:
    """The one statement on the line of that index, None where there are several or none."""
    found = sentences_of(source, index)
    return found[0] if len(found) == 1 else None


def _names_in(expression: ast.expr) -> list[tuple[Any, Path, bool]]:
    """Each name or `name.attribute` in it that is not called, and whether it is an operator's operand."""
    found: list[tuple[Any, Path, bool]] = []
    stack: list[tuple[ast.AST, bool]] = [(expression, False)]
    while stack:
        node, factor = stack.pop()
        path = _path(node)
        if path:
            found.append((node, path, factor))
            continue
        for child in ast.iter_child_nodes(node):
            if isinstance(node, ast.Call) and child is node.func:
                continue
            if not isinstance(node, (ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.SetComp, ast.DictComp)):
                stack.append((child, isinstance(node, (ast.BinOp, ast.UnaryOp))))
    return found


def _path(node: ast.AST) -> Path:
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return (node.id, *names[::-1]) if isinstance(node, ast.Name) else ()


def numbers_of_rule(rule: Callable, out: Any, operands: tuple) -> dict[Path, Any]:
    """The numbers behind the names of a rule `rule(out, *operands)`, and those that it closes over."""
    code = getattr(rule, "__code__", None)
    if code is None:
        return {}
    cells = zip(code.co_freevars, getattr(rule, "__closure__", None) or ())
    closed = {name: cell.cell_contents for name, cell in cells if not _empty(cell)}
    named = dict(zip(code.co_varnames[: code.co_argcount], (out, *operands)))
    return {(name,): value for name, value in {**closed, **named}.items() if isinstance(value, (int, float))}


def _empty(cell: Any) -> bool:
    try:
        return cell.cell_contents is cell
    except ValueError:
        return True
