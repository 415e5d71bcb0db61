"""What is wrong with the sweep: the order of the nodes, what is added up, and a second call."""

import math
from collections.abc import Iterator, Sequence

from .apart import SECONDS
from .cases import Case, Finding, grouped, said
from .operations import first_off, gots, rights
from .plan import DEPTH, DOUBLINGS
from .source import Source
from .trials import ROOT

NO_END = f"no end within {SECONDS:g} s"
ENDLESS = ("time", "memory", "died")


def findings(cases: Sequence[Case], wrong: set[str], source: Source) -> Iterator[Finding]:
    """What the trials of several operations tell, given the operations that are wrong alone."""
    by_topic = grouped(cases)
    one_edge = list(_in_a_set(by_topic, source))
    yield from one_edge
    overwriting = list(_overwrites(by_topic, wrong, source))
    yield from overwriting
    lost = {"+"} & (wrong | {finding.operation for finding in [*one_edge, *overwriting]})
    names = [name for finding in overwriting for name in finding.operations]
    in_sets = {name for finding in one_edge for name in finding.operations} | ({"*"} if one_edge else set())
    unchained = {"*"} if any([not c.fine for c in by_topic.get("chain", []) if c.probe.operation == "*"]) else set()
    yield from _order(by_topic, wrong | set(names) | unchained | in_sets - {"+"}, bool(lost), bool(one_edge), source)
    yield from _twice(by_topic)
    for case in by_topic.get("next graph", []):
        if case.answered and not case.fine and "*" not in wrong | set(names):
            got = f"a.grad is {said(case.got['a'])}"
            yield Finding("next-graph", "backward", case.probe.trial, got, said(case.right["next"]))
    for case in by_topic.get("in place", []):
        if (
            case.answered
            and not case.fine
            and "+" not in wrong
            and not case.near(case.seen["later"]["t"], case.right["later"]["t"])
        ):
            got = f"t.data is {said(case.seen['later']['t'])} afterwards, b.grad is {said(case.got['b'])}"
            right = f"t.data is {said(case.right['later']['t'])}, b.grad is {said(case.slopes['b'])}"
            yield Finding("in-place-add", "+=", case.probe.trial, got, right)
    for case in by_topic.get("freed", []):
        if not case.fine and "left" in case.seen:
            many = case.seen["left"]
            yield Finding(
                "cycle", "backward", case.probe.trial, f"{many} values are left when the graph is let go", "0"
            )


def _in_a_set(by_topic: dict[str, list[Case]], source: Source) -> Iterator[Finding]:
    """`a + a` with one edge, or none that could be unpacked, while `a + b` has two."""
    names: list[str] = []
    first = None
    if not all([case.fine for case in by_topic.get("slope", []) if case.probe.operation == "+"]):
        return
    for case in by_topic.get("with itself", []):
        operation = case.probe.operation
        alone = [c for c in by_topic["slope"] if c.probe.operation == operation]
        again = [c for c in by_topic.get("again", []) if c.probe.operation == operation]
        if case.fine or not all([c.answered for c in alone]) or not any([c.fine for c in again]):
            continue
        if any([_left_over(c, by_topic) for c in again]):
            continue  # the second use overwrites the first, of one operand alone
        if case.answered and any([case.near(case.got["a"], part) for part in _parts(operation)]):
            pass
        elif not (case.error and case.error["phase"] == "backward"):
            continue
        first = first or case
        names.append(operation)
    if first:
        got = gots(first) if first.answered else f"{first.error['type']}: {first.error['message']}"  # type: ignore[index]
        code = "parents-in-a-set" if source.has_sets() else "counted-once"
        yield Finding(code, ", ".join(names), first.probe.trial, got, rights(first), error=first.error)


def _parts(operation: str) -> tuple[float, ...]:
    """What a gets of `a + a` (at 3) where only one of the two contributions comes."""
    return {"+": (1.0,), "-": (1.0, -1.0), "*": (3.0,), "/": (1 / 3, -1 / 3)}[operation]


def _overwrites(by_topic: dict[str, list[Case]], wrong: set[str], source: Source) -> Iterator[Finding]:
    """An operation whose second contribution is what is left: told from what it gives alone."""
    names: list[str] = []
    for case in by_topic.get("again", []):
        if case.fine or not case.answered or case.probe.operation in names or "+" in wrong:
            continue
        chains = [one for one in by_topic.get("chain", []) if one.probe.operation == case.probe.operation]
        if not all([one.fine for one in chains]) and case.probe.operation not in wrong:
            continue  # what comes in is not passed on: that is told elsewhere
        if _left_over(case, by_topic):
            names.append(case.probe.operation)
    if not names:
        return
    names = [name for name in names if not source.built_of(name) & {*names}] or names
    first = next(case for case in by_topic["again"] if case.probe.operation == names[0] and not case.fine)
    if names == ["**"]:
        trial = first.probe.trial
        yield Finding("power", "**", trial, gots(first), rights(first), "a second use of a value overwrites the first")
        return
    itself = [c for c in by_topic.get("with itself", []) if c.probe.operation == names[0] and c.answered and not c.fine]
    smallest = itself[0] if itself else first
    yield Finding("overwrites", ", ".join(names), smallest.probe.trial, gots(smallest), rights(smallest))


def _left_over(case: Case, by_topic: dict[str, list[Case]]) -> bool:
    """Whether what is used again holds what the operation alone gives it, and nothing of its other use."""
    alone = None if case.fine or not case.answered else _alone(case, by_topic)
    return bool(alone) and case.near(case.got[case.probe.trial.lines[-1]], alone)  # type: ignore[arg-type]


def _alone(case: Case, by_topic: dict[str, list[Case]]) -> float | None:
    """What the operation itself gives the input that is used again."""
    used = case.probe.trial.lines[-1]
    for one in by_topic["slope"]:
        if one.probe.operation == case.probe.operation and one.answered and used in one.got:
            same = one.probe.trial.inputs[used] == case.probe.trial.inputs[used]
            power = case.probe.operation != "**" or one.probe.trial.lines.endswith("** 3")
            if same and power:
                return one.got[used]
    return None


def _order(
    by_topic: dict[str, list[Case]], wrong: set[str], lost: bool, sets: bool, source: Source
) -> Iterator[Finding]:
    """Firing too early, too often, or once for every path."""
    clean = [
        case for case in by_topic.get("order", [])
        if not {case.probe.operation, *case.probe.needs} & wrong and not (sets and "a + a" in case.probe.trial.lines)
    ]  # fmt: skip
    over = [case for case in clean if case.answered and case.values_right and case.got["a"] > case.slopes["a"] + 1e-6]
    under = [case for case in clean if case.answered and case.values_right and case.got["a"] < case.slopes["a"] - 1e-6]
    fan_out = [case for case in by_topic.get("fan-out", []) if not case.answered]
    endless = [c for c in fan_out if c.stopped in ENDLESS or (c.error and c.error["type"] == "MemoryError")]
    deep = [c for c in by_topic.get("deep", []) if not c.answered]
    if endless:
        listed, passed = source.keeps_an_order(), source.hands_down()
        if over or (lost and not passed):
            code = "visited-unused" if listed else "no-order"
        else:
            code = "visited-unused" if lost and listed else "once-per-path"
        example = over[0] if over else endless[0]
        got = gots(example) if over else NO_END
        yield Finding(code, "backward", example.probe.trial, got, rights(example) if over else said(2.0**DOUBLINGS))
    elif over:
        yield Finding("duplicates", "backward", over[0].probe.trial, gots(over[0]), rights(over[0]))
    elif under:
        yield Finding("fires-early", "backward", under[0].probe.trial, gots(under[0]), rights(under[0]))
    for case in deep:
        recursive = case.error and case.error["type"] == "RecursionError"
        if recursive or case.stopped == "died":
            got = "RecursionError" if recursive else "the program ends"
            yield Finding("recursion", "backward", case.probe.trial, got, rights(case), error=case.error)
        elif case.stopped == "time" and not endless:
            yield Finding("slow", "backward", case.probe.trial, NO_END, rights(case), f"{DEPTH}")


def _twice(by_topic: dict[str, list[Case]]) -> Iterator[Finding]:
    """A second and a third sweep over `L = (a + k) + m`, which has one path: told from the root's grads and a's."""
    chain = next((case for case in by_topic.get("twice", []) if case.probe.operation == "+"), None)
    if chain is None or not chain.answered or chain.fine or len(chain.seen["grads"]) < 2:
        return
    root = [row["L"] for row in chain.seen["grads"]]
    between = [row["b"] for row in chain.seen["grads"]]
    first = root[0] or 1.0
    grows = chain.near(root[1] - root[0], first)
    products = [case for case in by_topic["twice"] if case.probe.operation == "*" and case.answered and not case.fine]
    whole = [c for c in products if len(c.seen["grads"]) > 1 and c.near(c.got["a"], c.slopes["a"])]
    example = [*whole, chain][0]
    rows = [row["a"] for row in example.seen["grads"]]
    slope = example.slopes["a"]
    got = f"a.grad is {said(rows[0])}, after a second backward() {said(rows[1])}"
    right = f"{said(slope)}, then {said(2 * slope)} (added up) or {said(slope)} (afresh)"
    if grows:
        yield Finding("root-accumulates", "backward", example.probe.trial, got, right)
    if (not grows and chain.near(between[1], 2 * between[0])) or (grows and between[1] > 2.5 * between[0]):
        yield Finding("interior-not-reset", "backward", example.probe.trial, got, right)


def unexplained(case: Case) -> Finding:
    """A trial that is wrong where each operation alone is right: told by the first wrong node."""
    trial = case.probe.trial
    lines = dict([line.split(" = ", 1) for line in trial.lines.split("\n") if " = " in line])
    if not case.answered:
        return Finding("unexplained", "backward", trial, _stopped(case), rights(case), _stopped(case))
    if not case.kept:
        name = next(n for n, x in trial.inputs.items() if not case.near(case.seen["after"][n], x))
        after = f"{name}.data is {said(case.seen['after'][name])} afterwards"
        return Finding("data-changed", case.probe.operation or "backward", trial, after, said(trial.inputs[name]))
    if len(lines) == 1 and case.probe.operation:
        code = "slope" if case.values_right else "value"
        return Finding(code, case.probe.operation, trial, gots(case), rights(case))
    if not case.values_right:
        return Finding("unexplained", "backward", trial, gots(case), rights(case), f"{first_off(case)} is")
    wrong = {n: x for n, x in case.right["grads"][0].items() if not case.near(case.got.get(n, math.nan), x)}
    first = [*wrong][-1] if wrong else ROOT
    got, right = case.got.get(first, math.nan), case.right["grads"][0][first]
    above = bool(wrong) and got > right and all([" + " in line for line in lines.values()])  # whose slopes are 1
    code = "duplicates" if above else "unexplained"
    detail = f"{first}.grad is the first wrong one from the root"
    return Finding(code, "backward", trial, f"{first}.grad is {said(got, right)}", said(right, got), detail)


def _stopped(case: Case) -> str:
    return f"{case.error['type']}: {case.error['message']}" if case.error else "it does not come to an end"
