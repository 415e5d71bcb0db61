"""A cause told once: what only follows from another finding is left out."""

from collections.abc import Sequence
from dataclasses import replace

from .cases import Finding
from .face import FUNCTIONS
from .source import Source

MINOR = {"relu-at-0", "overflow", "epsilon", "data-changed"}  # of which the slopes elsewhere are right
GRADIENTS = {
    "swapped", "slope", "one-operand", "not-attached", "chain-rule", "raises", "grad-for-data", "value", "unbound-name",
    "overwritten-backward", "sigmoid-slope", "power", "stops", "data-changed", "epsilon",
}  # fmt: skip
EVERY_PATH = {"no-order", "once-per-path"}


def causes_alone(findings: Sequence[Finding], source: Source) -> list[Finding]:
    """The findings without those that another explains."""
    codes = {finding.code for finding in findings}
    in_sets = {name for f in findings if f.code == "parents-in-a-set" for name in f.operation.split(", ")}
    faulty = in_sets | {f.operation for f in findings if f.code in GRADIENTS}
    faulty |= {name for f in findings if f.code == "overwrites" for name in f.operation.split(", ")}

    def follows(finding: Finding) -> bool:
        if finding.code == "raises" and "constants" in codes and of_constants(finding):
            return True
        if finding.code == "recursion" and codes & EVERY_PATH:
            return True
        if finding.code == "cycle" and "recursion" in codes:
            capturing, recursive = source.circles()
            return bool(recursive) and not capturing  # only the inner function that calls itself, and should not
        if in_sets and finding.code in ("swapped", "slope", "one-operand", "duplicates", "fires-early"):
            return finding.operation.strip("`") not in FUNCTIONS  # in no order: which is which changes from run to run
        if finding.code not in GRADIENTS or not finding.operation:
            return False
        if finding.operation.startswith("`"):  # with a plain number: the operation itself is what is wrong
            return finding.code in ("slope", "value") and any([name in finding.operation for name in faulty])
        if finding.operation in in_sets:
            return True
        return bool(all_of(finding.operation, source) & faulty)

    return _joined([finding for finding in findings if not follows(finding)])


def _joined(findings: list[Finding]) -> list[Finding]:
    """One finding on `**`, whatever is wrong with it."""
    power = [finding for finding in findings if finding.code == "power"]
    if len(power) < 2:
        return findings
    whole = replace(power[0], detail="; ".join([finding.detail for finding in power]))
    return [whole if finding is power[0] else finding for finding in findings if finding not in power[1:]]


def all_of(operation: str, source: Source) -> set[str]:
    """What an operation is composed of, and what that is composed of."""
    found: set[str] = set()
    ahead = {operation}
    while ahead:
        ahead = {part for name in ahead for part in source.built_of(name)} - found - {operation}
        found |= ahead
    return found


def of_constants(finding: Finding) -> bool:
    """Whether it is the error of a plain number that was taken for a value."""
    return bool(finding.error) and finding.error["type"] in ("AttributeError", "TypeError")  # type: ignore[index]
