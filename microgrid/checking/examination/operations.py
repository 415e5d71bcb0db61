"""What is wrong with one operation, by the numbers that it gives alone."""

import math
from collections.abc import Callable, Iterator, Sequence

from .cases import Case, Finding, grouped, said
from .trials import ROOT

NAMES = ("NameError", "UnboundLocalError")
MEANT = {  # slopes that people write, of x and of what the operation gave
    "sigmoid": (("1 - s", lambda x, s: 1 - s), ("s", lambda x, s: s), ("x * (1 - x)", lambda x, s: x * (1 - x))),
    "tanh": (
        ("1 - t", lambda x, t: 1 - t), ("1 - x ** 2", lambda x, t: 1 - x * x), ("t ** 2", lambda x, t: t * t),
        ("1 + t ** 2", lambda x, t: 1 + t * t), ("1 - 2 * t", lambda x, t: 1 - 2 * t),
    ),
    "exp": (("x * exp(x - 1)", lambda x, e: x * math.exp(x - 1)), ("x", lambda x, e: x), ("1", lambda x, e: 1.0)),
    "log": (("log(x)", lambda x, y: y), ("x", lambda x, y: x), ("1 / log(x)", lambda x, y: 1 / y)),
    "sqrt": (("1 / sqrt(x)", lambda x, r: 1 / r), ("0.5 * sqrt(x)", lambda x, r: r / 2)),
    "sin": (("-cos(x)", lambda x, s: -math.cos(x)), ("sin(x)", lambda x, s: s)),
    "cos": (("sin(x)", lambda x, c: math.sin(x)), ("cos(x)", lambda x, c: c)),
    "relu": (("x", lambda x, r: max(x, 0.0)), ("1 everywhere", lambda x, r: 1.0)),
    "softplus": (("softplus(x)", lambda x, y: y),),
}  # fmt: skip
INSIDE = (  # what exp inside a composed function multiplies a slope by
    lambda x: 2 * math.exp(2 * x), lambda x: math.exp(x), lambda x: -math.exp(-x), lambda x: math.exp(-x),
    lambda x: -2 * math.exp(-2 * x), lambda x: 2.0,
)  # fmt: skip


def findings(operation: str, cases: Sequence[Case]) -> Iterator[Finding]:
    """What is wrong with it; `again` and order are looked at elsewhere, when all operations are known."""
    by_topic = grouped(cases)
    slopes = by_topic.get("slope", [])
    wrong = [case for case in slopes if not case.fine and case.stopped != "not run"]
    tiny = [case for case in by_topic.get("tiny", []) if not case.fine]
    found = list(_told(operation, slopes, wrong, by_topic)) if wrong else []
    if not any([finding.code in ("epsilon", "value") for finding in found]):
        found += _epsilon(operation, tiny)
    yield from found
    for case in by_topic.get("edge", []):
        if not case.fine and not found and case.stopped != "not run":
            failing = not case.answered or not math.isfinite(case.value) or not math.isfinite(case.got["a"])
            yield _at(case, "overflow" if failing else "slope" if case.values_right else "value", operation)
            break
    for case in by_topic.get("at 0", []):
        if not case.fine and case.answered and not [one for one in wrong if one.kept]:
            yield _at(case, "relu-at-0", operation, said(case.got["a"]))


def _told(operation: str, slopes: list[Case], wrong: list[Case], by_topic: dict[str, list[Case]]) -> Iterator[Finding]:
    changed = next((case for case in slopes if case.answered and not case.kept), None)
    if changed:
        name = next(n for n, x in changed.probe.trial.inputs.items() if not changed.near(changed.seen["after"][n], x))
        got, right = (said(x) for x in (changed.seen["after"][name], changed.probe.trial.inputs[name]))
        yield Finding("data-changed", operation, changed.probe.trial, f"{name}.data is {got} afterwards", right)
        wrong = [case for case in wrong if case is not changed and case.kept]
        if not wrong:
            return
    first = wrong[0]
    if operation == "**" and len(wrong) < len(slopes) and not all([case.answered for case in wrong]):
        yield _power(next(case for case in wrong if not case.answered))
        return
    if not first.answered:
        yield failed(first, operation)
        return
    if not first.values_right:
        epsilon = list(_epsilon(operation, wrong))
        yield from epsilon or [_at(first, "value", operation)]
        return
    yield _slope(operation, wrong, by_topic)


def _slope(operation: str, wrong: list[Case], by_topic: dict[str, list[Case]]) -> Finding:
    """The cause of a wrong local gradient, by what it is in place of the right one."""
    first = wrong[0]
    got = {name: first.got[name] for name in first.slopes}
    if len(got) == 2:
        a, b = got
        for case in by_topic.get("grad set", []):
            if case.answered and _made_of_grad(case, first):
                return _at(first, "grad-for-data", operation)
        right = first.slopes
        if all([_swapped(case) for case in wrong]) and not first.near(right[a], right[b]):
            return _at(first, "swapped", operation)
        if any(got.values()) and any([not got[n] and right[n] for n in got]):
            return _at(first, "one-operand", operation)
    if all([not any(case.got[n] for n in case.slopes) for case in wrong]):
        return _at(first, "not-attached", operation)
    if operation == "**":
        return _power(first)
    pairs = [(case.probe.trial.inputs["a"], case.value, case.got["a"], case.slopes["a"], case) for case in wrong]
    for text, slope in MEANT.get(operation, ()):
        if all([_is(case, got, slope, x, y) for x, y, got, _, case in pairs]):
            code = "sigmoid-slope" if text == "1 - s" else "slope"
            return _at(first, code, operation, f": it comes out as {text}")
    for inside in INSIDE:
        if operation in ("tanh", "sigmoid", "softplus") and all(
            [case.near(got, right * inside(x)) for x, _, got, right, case in pairs]
        ):
            return _at(first, "overwritten-backward", operation)
    return _at(first, "slope", operation)


def _is(case: Case, got: float, slope: Callable[[float, float], float], x: float, y: float) -> bool:
    try:
        return case.near(got, slope(x, y))
    except (ArithmeticError, ValueError):
        return False


def _swapped(case: Case) -> bool:
    (a, b), right = case.slopes, case.slopes
    return case.near(case.got[a], right[b]) and case.near(case.got[b], right[a])


def _made_of_grad(case: Case, clean: Case) -> bool:
    """Whether an operand got the other's grad: what that was before, or what it is by now."""
    before, got, right = case.probe.trial.grads, case.got, case.slopes
    for name, other in (("a", "b"), ("b", "a")):
        if any([case.near(got[name] - start, clean.got[name]) for start in (0.0, before[name])]):
            continue  # what comes in is the same whatever the grads were before
        for start in (0.0, before[name]):
            if case.near(got[name] - start, right[name]):
                break
        else:
            theirs = (before[other], got[other], got[other] - before[other])
            if any([case.near(got[name] - start, grad) for start in (0.0, before[name]) for grad in theirs]):
                return True
    return False


def _power(case: Case) -> Finding:
    x, text = case.probe.trial.inputs["a"], case.probe.trial.lines
    k = float(text.rsplit(" ", 1)[1])
    if not case.answered:
        where = "exponent 0" if k == 0 else f"x = {said(x)}"
        return _at(case, "power", "**", f"it fails for {where}")
    if x and case.near(case.got["a"], x ** (k - 1)):
        return _at(case, "power", "**", "the factor k is missing in its slope")
    if x and case.near(case.got["a"], k * x**k):
        return _at(case, "power", "**", "the exponent is not lowered by 1 in its slope")
    return _at(case, "power", "**", "its slope is wrong")


def _epsilon(operation: str, wrong: Sequence[Case]) -> Iterator[Finding]:
    """A small number that was added: found from what came out."""
    for case in wrong:
        if not case.answered:
            continue
        x, y = case.probe.trial.inputs["a"], case.value
        try:
            if operation == "log":
                added, text = math.exp(y) - x, "log(x + {:.0e})"
            elif operation == "sqrt":
                added, text = y * y - x, "sqrt(x + {:.0e})"
            elif operation == "/":
                added, text = x / y - case.probe.trial.inputs["b"], "a / (b + {:.0e})"
            else:
                return
        except ArithmeticError:
            continue
        if 1e-15 < added < 1e-2:
            yield _at(case, "epsilon", operation, f"as if it were {text.format(added)}")
            return


def chained(operation: str, cases: Sequence[Case], healthy: set[str]) -> Iterator[Finding]:
    """Whether it multiplies by the adjoint that comes in, told by operations that are right themselves."""
    told = [
        case for case in cases
        if case.probe.topic == "chain" and case.probe.needs[0] in healthy and case.answered
    ]  # fmt: skip
    alone = next((case for case in cases if case.probe.topic == "slope"), None)
    if told and alone and alone.fine and all([_alone(case, alone) for case in told]):
        yield _at(told[0], "chain-rule", operation)


def _alone(case: Case, alone: Case) -> bool:
    """Whether what is wrong is the local gradient, without what came in."""
    off = [name for name in alone.slopes if name in case.got and not case.near(case.got[name], case.slopes[name])]
    return bool(off) and all([case.near(case.got[name], alone.got[name]) for name in off])


def failed(case: Case, operation: str) -> Finding:
    """A trial without an answer: what Python said, or how it was stopped."""
    if case.error:
        error = case.error
        code = "unbound-name" if error["type"] in NAMES else "raises"
        words = f"{error['type']}: {error['message']}" if error["message"] else error["type"]
        return Finding(code, operation, case.probe.trial, words, rights(case), words, error)
    why = {
        "time": "it does not come to an end",
        "memory": "it eats all memory",
        "died": "it ends the whole program",
    }.get(case.stopped, "there was no time left for it")
    return Finding("stops", operation, case.probe.trial, why, rights(case), why)


def _at(case: Case, code: str, operation: str, detail: str = "") -> Finding:
    if not case.answered:
        one = failed(case, operation)
        return Finding(code, operation, one.trial, one.got, one.right, detail or one.detail, one.error)
    return Finding(code, operation, case.probe.trial, gots(case), rights(case), detail)


def gots(case: Case) -> str:
    """What the engine said where it is wrong: the value, or the first grad that is off."""
    if not case.values_right:
        name = first_off(case)
        return f"{name} is {said(case.seen['data'].get(name, math.nan), case.right['data'][name])}"
    return f"{off(case)}.grad is {said(case.got[off(case)], case.slopes[off(case)])}"


def rights(case: Case) -> str:
    if not case.answered:
        slopes = ", ".join([f"{name}.grad {said(x)}" for name, x in case.slopes.items()])
        return f"{ROOT} is {said(case.right['data'][ROOT])}, {slopes}"
    if not case.values_right:
        name = first_off(case)
        return said(case.right["data"][name], case.seen["data"].get(name, math.nan))
    return said(case.slopes[off(case)], case.got[off(case)])


def first_off(case: Case) -> str:
    """The first name whose value is wrong, else the root, which is off by less."""
    wrong = [n for n, x in case.right["data"].items() if not case.near(case.seen["data"].get(n, math.nan), x)]
    return wrong[0] if wrong else ROOT


def off(case: Case) -> str:
    """The input whose grad is wrong, the first in the alphabet."""
    return next((name for name, slope in case.slopes.items() if not case.near(case.got[name], slope)), "a")
