"""What a check says beside its faults: how much was right, and what is good to know of the engine."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from .cases import Case

ABOUT = {
    "order": "order", "fan-out": "order", "twice": "a second backward", "next graph": "the next graph",
    "in place": "+=", "deep": "depth", "freed": "memory",
}  # fmt: skip
EDITED = {12.0: "as it was before", 40.0: "as it is then"}  # d(a * b * a)/da at b = 2 for a = 3 and for a = 10


def topics_of(cases: Sequence[Case]) -> dict[str, tuple[int, int]]:
    """How many trials are right and how many there are, by operation or by what they are about."""
    topics: dict[str, tuple[int, int]] = {}
    for case in cases:
        if case.probe.topic != "edited":
            name = ABOUT.get(case.probe.topic, case.probe.operation)
            right, many = topics.get(name, (0, 0))
            topics[name] = (right + case.fine, many + 1)
    return topics


def facts_of(cases: Sequence[Case], first: Mapping[str, Any]) -> Iterator[str]:
    """Sentences that are good to know and no fault; first, what the engine's own process said of it."""
    for case in cases:
        if case.probe.topic == "twice" and case.probe.operation == "*" and case.fine:
            yield f"a second backward() {_again(case)}"
        if case.probe.topic == "edited" and case.answered:
            yield _edited(case)
        if case.probe.topic == "freed" and case.seen.get("kept"):
            yield "every value is kept for good (by a tape?): the memory grows with each graph"
    if first["seconds"] > 1:
        below = '`if __name__ == "__main__":`'
        yield f"running the file takes {first['seconds']:.1f} s: put what trains or prints below {below}"
    if first["single"]:
        yield "numbers have single precision (7 digits)"


def _again(case: Case) -> str:
    rows = [row["a"] for row in case.seen["grads"]]
    if len(rows) < 2:
        return f"is refused: {case.seen['refused']}"
    return "starts afresh" if rows[1] == rows[0] else "adds to the leaves' grads"


def _edited(case: Case) -> str:
    """What an engine makes of `a.data = 10` between the forward lines and backward()."""
    said = "`a.data = 10` between forward and backward()"
    got = next((words for slope, words in EDITED.items() if case.near(case.got["a"], slope)), "")
    if got:
        return f"{said} gives the slope {got}"
    return f"{said} mixes old and new numbers: run the forward lines again first"
