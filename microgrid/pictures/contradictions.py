"""Local gradients that a central difference contradicts, with the mistake that each looks like."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from numbers import Real
from typing import Any

from ..engine import Value
from .findings import Finding, finite, said, steps_of
from .forward import CLOSE, by_our_rule, either_order, follows, function_of, kept_slopes, slope
from .numbers import plain
from .reading import Reading
from .words import figure, spoken


@dataclass(frozen=True, slots=True)
class Told:
    """The local gradient that a node claims to have in one operand, along all edges between the two."""

    node: int
    operand: int  # the index of the operand
    slope: float
    upstream: float = 1  # what it was multiplied with when it was sent
    rounding: float = 0  # how far off it may be
    write: int = -1  # the number of the write that sent it


def measured(reading: Reading, i: int, j: int) -> tuple[float, float] | None:
    """d(node i)/d(node j) along all edges between them, by a central difference, and how far off it may be."""
    function, holds, _ = follows(reading, i)
    node = reading.nodes[i]
    if function is None or not holds or either_order(reading, i):
        return None
    return slope(
        function, [reading.nodes[k].data for k in node.operands], [k for k, p in enumerate(node.operands) if p == j]
    )


def by_other_rules(reading: Reading) -> Iterator[Told]:
    """What the rules say that are not microgrid's own: a user's, or the slopes that another engine keeps."""
    for i, node in enumerate(reading.nodes):
        if not node.operands or (reading.own and by_our_rule(node.value)):
            continue
        slopes = reading.local_gradients(i) if reading.own else kept_slopes(reading, i)
        if slopes is None or not all([finite(x) for x in slopes]):
            continue
        for j in dict.fromkeys(node.operands):
            if not reading.nodes[j].fixed:
                along = [plain(x) for k, x in zip(node.operands, slopes) if k == j]
                yield Told(i, j, float(sum(along)))


def static_contradictions(reading: Reading) -> Iterator[Finding]:
    """Wrong local gradients, as far as they can be told without running backward()."""
    told, steps = list(by_other_rules(reading)), steps_of(reading)
    for wrong, message in contradicted(reading, told):
        yield Finding("slope", wrong.node, steps[wrong.node], message)
    for one, message in at_kinks(reading, told):
        yield Finding("kink", one.node, steps[one.node], message, "note")


def contradicted(reading: Reading, told: Iterable[Told]) -> Iterator[tuple[Told, str]]:
    """Those that a central difference contradicts, and in what words."""
    wrong: list[tuple[Told, float]] = []
    for one in told:
        expected = measured(reading, one.node, one.operand)
        if expected is not None:
            near, off = expected
            off = 10 * off + 1e-3 * max(abs(one.slope), abs(near)) + 1e-9 + one.rounding
            if abs(one.slope - near) > off:
                wrong.append((one, near))
    for _, group in groupby(wrong, key=lambda pair: pair[0].node):
        pairs = list(group)
        looks = [[_wrong_sign(*pair), _no_upstream(*pair), _swapped(reading, *pair)] for pair in pairs]
        common = next((k for k in range(3) if all([look[k] for look in looks])), None)
        for (one, near), look in zip(pairs, looks):
            hint = look[common] if common is not None else next(filter(None, look), "look at its derivative")
            yield one, _words(reading, one, near, hint)


def _words(reading: Reading, one: Told, near: float, hint: str) -> str:
    who, name, receiver = said(reading, one.node), spoken(reading, one.node), spoken(reading, one.operand)
    if hint == MISSING:
        return (
            f"{who} sends {figure(_round(one.slope * one.upstream))} to {receiver}, which is the local gradient alone: "
            f"the upstream out.grad is missing, which is {figure(one.upstream)}; multiply by it"
        )
    return (
        f"{who} sends to {receiver} with the local gradient {figure(one.slope)}, but moving {receiver} a little "
        f"moves {name} by {figure(_round(near))} times that: {hint}"
    )


MISSING = "the upstream out.grad is missing"


def _wrong_sign(one: Told, near: float) -> str:
    if not _near(one.slope, -near):
        return ""
    return "the sign is wrong" + (f", or {MISSING}" if one.upstream == -1 else "")


def _no_upstream(one: Told, near: float) -> str:
    return MISSING if one.upstream != 1 and _near(one.slope * one.upstream, near) else ""


def _swapped(reading: Reading, one: Told, near: float) -> str:
    others = [k for k in reading.nodes[one.node].operands if k != one.operand]
    other = measured(reading, one.node, others[0]) if len(others) == 1 else None
    if other is None or not _near(other[0], one.slope):
        return ""
    return f"it is the one for {spoken(reading, others[0])}, so the two may be swapped"


def _near(x: float, y: float) -> bool:
    return bool(x) and abs(x - y) <= 1e-3 * abs(x) + 1e-9


def _round(x: float) -> float:
    return float(f"{x:.6g}")  # a central difference has no more digits


def at_kinks(reading: Reading, told: Iterable[Told]) -> Iterator[tuple[Told, str]]:
    """Relus that take 1 for their slope at exactly 0, where none is right and PyTorch takes 0."""
    for one in told:
        if reading.nodes[one.node].op.lower() == "relu" and reading.nodes[one.operand].data == 0 and one.slope == 1:
            message = (
                f"{said(reading, one.node)} takes 1 for its slope where {spoken(reading, one.operand)} is exactly 0: "
                "at this kink no slope is right, but PyTorch and microgrid take 0; write > in place of >="
            )
            yield one, message


def not_checked(reading: Reading) -> Iterator[Finding]:
    """One note on the operations of which it isn't known what they compute."""
    unknown: dict[str, int] = {}
    for i, node in enumerate(reading.nodes):
        if node.operands and not (reading.own and by_our_rule(node.value)) and function_of(reading, i) is None:
            unknown.setdefault(node.op, i)
    if not unknown:
        return
    names = [op for op in unknown if op != "?"]
    message = f"not checked: {', '.join(names)}: what they compute isn't known here"
    if "?" in unknown:
        message = (
            f"not checked: {', '.join([*names, 'the operations without a name'])}: give each result an _op, as '*'"
        )
    yield Finding("not-checked", -1, None, message + ", to have its value and slopes looked at", "note")


def grads_off(reading: Reading) -> Iterator[Finding]:
    """Grads of a backward() that has run, which are not the sum of what the users of each node send to it."""
    nodes = reading.nodes
    root = plain(nodes[reading.root].grad)
    if not isinstance(root, Real) or root != 1:
        return
    for j, node in enumerate(nodes[:-1]):
        got = plain(node.grad)
        zeroed = got == 0 and not node.operands and (reading.own or not node.name)  # as by zero_grad()
        if node.fixed or zeroed or not _a_number(got) or (reading.own and reading.constant(j)):
            continue
        sent = [_sent(reading, i, j) for i in dict.fromkeys(reading.consumers[j])]
        known = [one for one in sent if one is not None]
        if len(known) == len(sent):
            yield from _off(reading, j, got, known)


@dataclass(frozen=True, slots=True)
class _Sent:
    node: int  # the sender
    product: Any  # its grad times its slope
    off: float  # how far off that may be


def _sent(reading: Reading, i: int, j: int) -> _Sent | None:
    """What node i has to send to node j, by the grad that it has now; None where it is not known."""
    node = reading.nodes[i]
    upstream = plain(node.grad)
    if not _a_number(upstream) or not follows(reading, i)[1]:  # not where data was changed since
        return None
    if reading.own:
        slopes = [plain(x) for k, x in zip(node.operands, reading.local_gradients(i) or ()) if k == j]
        if not slopes or not all(map(_a_number, slopes)):
            return None
        local, off = sum(slopes), 1e-9 * sum(map(abs, slopes))
    else:
        found = measured(reading, i, j)
        if found is None:
            return None
        numbers = [node.data, upstream, *[reading.nodes[k].data for k in node.operands]]
        rounding = max([CLOSE.get(type(x).__name__, 1e-6) for x in numbers])
        local, off = found[0], 10 * found[1] + rounding * abs(found[0])
    product = upstream * local
    return _Sent(i, product, float(abs(upstream)) * float(off)) if _a_number(product) else None


def _a_number(x: Any) -> bool:
    """Whether it is a finite number, and no larger than a float."""
    try:
        return isinstance(x, Real) and finite(float(x))
    except OverflowError:
        return False


def _off(reading: Reading, j: int, got: Any, sent: list[_Sent]) -> Iterator[Finding]:
    total, room = sum([one.product for one in sent]), sum([one.off for one in sent]) + 1e-300
    if not _a_number(total) or abs(got - total) <= room + 1e-9 * abs(got):
        return
    name, root = spoken(reading, j), reading.nodes[reading.root].value
    alone = [one.node for one in sent if abs(got - one.product) <= room] if len(sent) > 1 and got else []
    ours = reading.own and type(root).backward is Value.backward
    if alone and not ours:
        others = list(dict.fromkeys([spoken(reading, one.node) for one in sent if one.node != alone[0]]))
        what = ", ".join([*others[:3], *["…"][: len(others) > 3]])
        message = (
            f"{name}.grad is {figure(got)}, which is what {spoken(reading, alone[0])} sent alone; "
            f"what {what} sent is lost: = in place of +=?"
        )
        yield Finding("grad-off", j, None, message)
        return
    message = f"{name}.grad is {figure(got)}, but what uses it sends {figure(_round(float(total)))}: "
    if ours:
        message += "it was not 0 before, or something else sent to it or changed it since"
    elif got == 0:
        message += "is a backward function attached, and called? steps(...) shows each +="
    else:
        message += "it was not 0 before, or a local gradient or the order is wrong; steps(...) shows each +="
    yield Finding("grad-off", j, None, message, "note")
