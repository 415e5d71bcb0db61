"""What the step player's page has to know of a graph and its steps, in few bytes."""

import json
from collections.abc import Callable
from math import isfinite
from numbers import Rational
from operator import add, mul
from typing import Any

from . import layout, svg
from .boxes import Boxes
from .forward import written
from .javascript import rule_of
from .numbers import plain
from .passes import Passes, Step
from .sources import sentence_of
from .words import name_of

KINDS = {"forward": 0, "start": 1, "backward": 2}

View = tuple[int | None, str, Boxes]  # what opens it, its title, its boxes
Line = tuple[str, int, str]  # the key of a source, the index of the line in it, the template of its numbers


def payload_of(steps: Passes, title: str, views: list[View]) -> tuple[dict[str, Any], list[str]]:
    """What the page has to know, and the rules of this graph in JavaScript."""
    reading = steps.reading
    rules, rule, unknown = _rules(steps)
    why = _why(steps, unknown)
    begun = _begun(steps)
    lines: dict[Line, int] = {}
    grads = [plain(grad) for grad in begun]
    told = [_told(step, steps, grads, lines) for step in steps]
    keys = {key: n for n, (key, _, _) in enumerate(views)}
    payload = {
        "title": title,
        "why": why,
        **_graph(steps),
        "fixed": [i for i, node in enumerate(reading.nodes) if node.fixed],
        "begun": {i: _number(grad) for i, grad in enumerate(begun) if not _is_nothing(grad)},
        "rule": [] if why else rule,
        "steps": told,
        **_code(steps, lines),
        "findings": [[-1 if f.step is None else f.step, f.severity, f.message] for f in steps.findings],
        "views": [_view(boxes, name, keys) for _, name, boxes in views],
        "column": layout.CHARACTER, "padding": layout.PADDING, "margin": svg.MARGIN,
    }  # fmt: skip
    return payload, [] if why else rules


def _graph(steps: Passes) -> dict[str, Any]:
    """Names, operations, operands and values; what the page can tell from the others is left out."""
    reading = steps.reading
    order = {i: written(reading, i) for i in range(len(reading.nodes))}
    return {
        "names": steps.names,
        "titles": {i: name for i in range(len(reading.nodes)) if (name := name_of(reading, i)) != steps.names[i]},
        "ops": [node.op for node in reading.nodes],
        "operands": [list(node.operands) for node in reading.nodes],
        "values": [_number(node.data) for node in reading.nodes],
        "written": {i: list(order[i]) for i, node in enumerate(reading.nodes) if order[i] != node.operands},
    }


def _code(steps: Passes, lines: dict[Line, int]) -> dict[str, Any]:
    """The sources, and of each line in use where it stands and its template."""
    keys = list(steps.sources)
    return {
        "sources": [[name, text] for name, text in steps.sources.items()],
        "lines": [[keys.index(key) if key else -1, lit, json.loads(template)] for key, lit, template in lines],
    }


def _why(steps: Passes, unknown: str) -> str:
    """Why the page can't compute the graph again; "" if it can."""
    if not steps.reading.own:
        return "These values are another engine's, recorded as it ran: the page can't compute them again."
    return f"The page can't compute this graph again: it does not know the operation {unknown}." if unknown else ""


def _begun(steps: Passes) -> list[Any]:
    """Each grad before its first contribution, or the last one that it has if none came."""
    first: dict[int, Any] = {}
    for step in steps:
        if step.kind != "forward":
            first.setdefault(step.parent, step.before)
    return [first.get(i, grad) for i, grad in enumerate(steps.final)]


def _is_nothing(grad: Any) -> bool:
    return type(plain(grad)) is int and plain(grad) == 0


def _rules(steps: Passes) -> tuple[list[str], list[int], str]:
    """Each rule once, the rule of each node (-1 for leaves), and an operation without one."""
    rules: dict[str, int] = {}
    which: list[int] = []
    if not steps.reading.own:
        return [], [], ""
    for node in steps.reading.nodes:
        text = rule_of(node.value) if node.operands else ""
        if text is None:
            return [], [], node.op
        which.append(rules.setdefault(text, len(rules)) if text else -1)
    return list(rules), which, ""


def _told(step: Step, steps: Passes, grads: list[Any], lines: dict[Line, int]) -> list[Any]:
    """[kind, node, operand, local gradient, line, what differs from the chain rule, if anything does]."""
    if step.kind == "forward":
        return [0, step.node]
    template, numbers = _template(step, steps)
    line = lines.setdefault((step.source, step.lit, json.dumps(template)), len(lines))
    odd = _odd(step, steps, grads)
    if numbers is not None:
        odd["numbers"] = numbers
    grads[step.parent] = plain(step.after)
    local = step.local_gradient
    if type(plain(step.product)) is int and isinstance(local, float) and local.is_integer():
        local = int(local)  # another engine's: told from the product
    told = [KINDS[step.kind], step.node, step.operand, None if step.kind == "start" else _number(local), line]
    return [*told, odd] if odd else told


def _odd(step: Step, steps: Passes, grads: list[Any]) -> dict[str, Any]:
    """Where the step is not what the chain rule makes of the grads before it."""
    start = step.kind == "start"
    upstream = 1 if start else grads[step.node] if step.node >= 0 else None
    product = 1 if start else _both(mul, upstream, step.local_gradient)
    product_told = 1 if start else step.product
    pairs = {
        "upstream": (upstream, 1 if start else step.upstream),
        "product": (product, product_told),
        "before": (grads[step.parent], step.before),
        "after": (_both(add, plain(step.before), product_told), step.after),
    }
    odd = {name: _number(is_) for name, (expected, is_) in pairs.items() if not _same(expected, is_)}
    if not start and not _along_its_operand(step, steps):
        odd["parent"] = step.parent
    if step.overwrote:
        odd["overwrote"] = 1
    return odd


def _along_its_operand(step: Step, steps: Passes) -> bool:
    operands = steps.reading.nodes[step.node].operands if step.node >= 0 else ()
    return operands[step.operand : step.operand + 1] == (step.parent,)


def _both(operation: Callable[[Any, Any], Any], a: Any, b: Any) -> Any:
    return None if a is None or b is None else operation(a, b)


def _template(step: Step, steps: Passes) -> tuple[list | None, str | None]:
    """The lit line in pieces that the page can put numbers in; else the line as it was recorded."""
    if not steps.reading.own or step.kind == "start" or not step.source or step.lit < 0:
        return None, step.numbers
    node = steps.reading.nodes[step.node]
    code = getattr(node.value.local_gradients, "__code__", None)
    sentence = sentence_of("\n".join(steps.sources[step.source]), step.lit)
    if code is None or code.co_flags & 4:
        return None, None
    if sentence is None:
        return None, step.numbers
    slots = {(name,): k for k, name in enumerate(code.co_varnames[: code.co_argcount])}
    numbers = [node.data, *[steps.reading.nodes[j].data for j in node.operands]]
    if sentence.with_numbers({path: numbers[k] for path, k in slots.items()}) != step.numbers:
        return None, step.numbers
    pieces: list[Any] = []
    text = ""
    for before, path, factor in sentence.pieces:
        if path in slots:
            pieces += [text + before, [slots[path], int(factor)]]
            text = ""
        else:
            text += before + ".".join(path or ())
    return [*pieces, text + sentence.end], None


def _same(a: Any, b: Any) -> bool:
    a, b = plain(a), plain(b)
    return a is b or (a is not None and b is not None and (a == b or (a != a and b != b)))


def _number(x: Any) -> Any:
    """As JSON: floats to full precision; whole numbers as text, so that 3 stays 3 and 3.0 stays 3.0."""
    x = plain(x)
    if x is None:
        return None
    if isinstance(x, Rational) and x.denominator == 1:
        return str(x.numerator)
    try:
        x = float(x)
    except OverflowError:
        return "Infinity" if x > 0 else "-Infinity"
    return x if isfinite(x) else "NaN" if x != x else "Infinity" if x > 0 else "-Infinity"


def _view(boxes: Boxes, title: str, keys: dict[int | None, int]) -> dict[str, Any]:
    listed: list[Any] = []
    for box in boxes.boxes:
        if box.kind == "value":
            listed.append(box.nodes[0])
        else:
            kind = 2 if box.kind == "outside" else 1
            key = -1 if box.opens is None else keys[box.opens]
            listed.append([kind, box.nodes, box.shown, key, box.title, *([box.times] if box.times > 1 else [])])
    return {
        "title": title,
        "boxes": listed,
        "edges": [[n for link in edge.links for n in link] for edge in boxes.edges],
    }
