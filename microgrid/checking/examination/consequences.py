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
ORDER = {"fires-early", "visited-unused", "duplicates"} | EVERY_PATH
ONE_EDGE = {"parents-in-a-set", "counted-once"}
OF_GRADIENTS = ORDER | ONE_EDGE | {
    "swapped", "slope", "one-operand", "not-attached", "chain-rule", "grad-for-data", "overwritten-backward",
    "sigmoid-slope", "power", "overwrites", "interior-not-reset", "root-accumulates", "next-graph", "unexplained",
    "constants-value", "relu-at-0", "overflow", "history",
}  # fmt: skip
SPOILS = {  # causes that are everywhere, and what only follows from them
    "seed": OF_GRADIENTS,
    "grad-at-start": OF_GRADIENTS,
    "constructor": OF_GRADIENTS | {"value", "data-changed", "epsilon", "reflected-minus", "reflected-divide"},
    "shared": ORDER | {"unexplained"},
}
UNORDERED = {"swapped", "slope", "duplicates", "fires-early", "constants-value", "next-graph"}  # with sets for parents
ALIKE = {"chain-rule", "not-attached", "raises", "unbound-name"}  # told once for all operations that have it


def causes_alone(findings: Sequence[Finding], source: Source) -> list[Finding]:
    """The findings without those that another explains."""
    codes = {finding.code for finding in findings}
    in_sets = {name for f in findings if f.code in ONE_EDGE for name in f.operations}
    faulty = in_sets | {f.operation for f in findings if f.code in GRADIENTS}
    faulty |= {name for f in findings if f.code == "overwrites" for name in f.operations}
    lost = any([f.code == "chain-rule" and f.operation == "+" for f in findings])  # nothing goes through two sums
    spoilt = {code for cause in codes & SPOILS.keys() for code in SPOILS[cause]}

    def follows(finding: Finding) -> bool:
        if finding.code in spoilt:
            return True
        if finding.code == "raises" and "constants" in codes and of_constants(finding):
            return True
        if finding.code in ORDER and lost:
            return True
        if finding.code == "overwrites" and codes & ORDER:
            return all([all_of(name, source) for name in finding.operations])
        if finding.code == "recursion" and codes & EVERY_PATH:
            return True
        if finding.code == "cycle" and "recursion" in codes:
            capturing, recursive = source.circles()
            return bool(recursive) and not capturing  # only the inner function that calls itself, and should not
        if in_sets and finding.code in UNORDERED:
            return finding.operation not in FUNCTIONS  # in no order: which is which changes from run to run
        if finding.code == "constants-value":
            return bool({*finding.operations} & faulty) or bool(codes & ORDER)
        if finding.code not in GRADIENTS or not finding.operation:
            return False
        if finding.operation in in_sets:
            return True
        parts = all_of(finding.operation, source)
        return bool(parts & faulty) or bool(parts and codes & ORDER)

    return _joined([finding for finding in findings if not follows(finding)])


def _joined(findings: list[Finding]) -> list[Finding]:
    """One finding for what is the same in several operations, and one on `**`, whatever is wrong with it."""
    joined: dict[tuple[str, str], Finding] = {}
    for finding in findings:
        key = (finding.code, finding.detail if finding.code in ALIKE else finding.operation)
        key = ("power", "") if finding.code == "power" else key
        if key not in joined:
            joined[key] = finding
        elif finding.code == "power":
            joined[key] = replace(joined[key], detail=f"{joined[key].detail}; {finding.detail}")
        elif finding.code in ALIKE:
            joined[key] = replace(joined[key], operation=f"{joined[key].operation}, {finding.operation}")
        else:
            joined[finding.code, f"{len(joined)}"] = finding
    return [*joined.values()]


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
