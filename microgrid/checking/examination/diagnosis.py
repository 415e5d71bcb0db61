"""What is told of all trials together: numbers beside values, causes that are everywhere, and what is left over."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from . import operations, sweeps
from .cases import Case, Finding, said
from .causes import CAUSES
from .consequences import MINOR, ONE_EDGE, ORDER, SPOILS, all_of, causes_alone
from .plan import LATER, STANDARD
from .source import Source
from .trials import GIVEN, ROOT, Trial


def diagnosis(cases: list[Case], there: set[str], source: Source, first: Mapping[str, Any]) -> list[Finding]:
    """The findings, each cause once.

    Arguments: cases; there, the operations that the engine has; source; first, what was seen of a new value.
    """
    by_operation = {name: [case for case in cases if case.probe.operation == name] for name in there}
    alone = [f for name in sorted(there, key=place) for f in operations.findings(name, by_operation[name])]
    wrong = {finding.operation for finding in alone if finding.code not in MINOR}
    swept = [*sweeps.findings(cases, wrong, source)]
    spoilt = wrong | {name for finding in swept for name in finding.operations}
    chained = [
        finding for name in sorted(there - spoilt, key=place)
        for finding in operations.chained(name, by_operation[name], there - spoilt)
    ]  # fmt: skip
    everywhere = [*_everywhere(cases, first)]
    told = causes_alone([*everywhere, *_constants(cases), *alone, *chained, *swept], source)
    if first["shared"] and {finding.code for finding in told} & SPOILS["shared"]:
        kept = ", ".join([f"`{name}`" for name in first["shared"]])
        told = causes_alone([Finding("shared", "__init__", Trial(""), "", "", kept), *told], source)
    return told + _untold(cases, told, source)


def _everywhere(cases: list[Case], first: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with every value, and so with all that follows."""
    start, given = first["start"], first["given"]
    if start:
        yield Finding("grad-at-start", "__init__", Trial(""), "", "", f"{start:g}")
    if not first["single"] and abs(given - GIVEN) > 1e-12:
        yield Finding("constructor", "__init__", Trial(""), "", "", f"that of 1 / 3 is {said(given, GIVEN)}")
    sent = [case for case in cases if case.probe.topic == "slope" and case.answered and case.seen["grads"]]
    roots = [case.got[ROOT] for case in sent]
    scaled = all([case.near(case.got[n], g * x) for case, g in zip(sent, roots) for n, x in case.slopes.items()])
    if sent and scaled and any([abs(g - 1) > 1e-6 for g in roots]):
        case = next(case for case, g in zip(sent, roots) if abs(g - 1) > 1e-6)
        got = f"L.grad is {case.got['L']:g}, {operations.gots(case)}"
        yield Finding("seed", "backward", case.probe.trial, got, f"L.grad is 1, {operations.rights(case)}")


def _untold(cases: Sequence[Case], told: Sequence[Finding], source: Source) -> list[Finding]:
    """The first trial that failed and that no finding speaks of."""
    named = {name for f in told if CAUSES[f.code].place < 2 for name in f.operations}
    named |= {f.operation for f in told if f.code == "overflow"}
    limits = {f.code for f in told}
    if any([finding.code in ORDER | ONE_EDGE | SPOILS.keys() for finding in told]):
        return []
    for case in cases:
        topic, operation = case.probe.topic, case.probe.operation
        about = {
            "constant": f"`{case.probe.form}`",
            "twice": "backward",
            "next graph": "backward",
        }.get(topic, operation)
        spoken = {finding.code for finding in told} & {"constants", "constants-value"} if topic == "constant" else set()
        if topic in ("order", "fan-out", "deep", "freed", "in place", "with itself", "again"):
            about = "backward" if told else "nothing"
        if topic == "freed" or (topic == "deep" and limits & {"recursion", "slow"}):
            continue
        if case.fine or case.stopped == "not run" or about in named or spoken or all_of(operation, source) & named:
            continue
        if named & {operation, "+", "*"} or (about == "backward" and named):
            continue
        return [sweeps.unexplained(case)]
    return []


def _constants(cases: list[Case]) -> Iterator[Finding]:
    """Plain numbers beside values: those that fail, and those that come out otherwise, the reflected ones by name."""
    failing = [case for case in cases if case.probe.topic == "constant" and not case.fine and case.stopped != "not run"]
    alone = {case.probe.operation for case in cases if case.probe.topic == "slope" and not case.fine}
    raised = [case for case in failing if not case.answered and case.probe.operation not in alone]
    if raised:
        first = operations.failed(raised[0], raised[0].probe.operation)
        yield replace(first, code="constants", detail=_forms(raised))
    other = []
    for case in failing:
        form, right = case.probe.form, case.right["data"]["L"]
        if not case.answered or (case.probe.operation in alone and form not in ("2 - a", "2 / a")):
            continue
        if form == "2 - a" and case.near(case.value, -right):
            yield _about(case, "reflected-minus")
        elif form == "2 / a" and case.near(case.value, 1 / right):
            yield _about(case, "reflected-divide")
        elif case.probe.operation not in alone:
            other.append(case)
    if other:
        names = ", ".join(dict.fromkeys([case.probe.operation for case in other]))
        yield replace(_about(other[0], "constants-value"), operation=names, detail=_forms(other))


def _forms(cases: list[Case]) -> str:
    return ", ".join([f"`{case.probe.form}`" for case in cases])


def _about(case: Case, code: str) -> Finding:
    form = case.probe.form
    return Finding(code, f"`{form}`", case.probe.trial, operations.gots(case), operations.rights(case))


def place(name: str) -> tuple[int, str]:
    """Where an operation stands in a report."""
    order = [*STANDARD[1], *STANDARD[2], *LATER]
    return order.index(name) if name in order else len(order), name
