"""`pytest --microgrid-engine my_engine.py`: the check of an engine as tests, one for each topic."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest


def pytest_addoption(parser: Any) -> None:
    group = parser.getgroup("microgrid")
    group.addoption("--microgrid-engine", metavar="FILE.py[:Value]", help="an autodiff engine to check, topic by topic")
    group.addoption("--microgrid-level", metavar="LEVEL", help="plus-times, tanh or complete (default: what is there)")


class Topic(pytest.Item):
    """One topic of a check, such as `*` or "order": passes if all of its trials are right."""

    def __init__(self, *, check: Any, **more: Any) -> None:
        super().__init__(**more)
        self.check = check

    def runtest(self) -> None:
        right, many = self.check.topics[self.name]
        if right < many:
            raise Wrong(f"{right} of {many} trials are right\n{self.why()}")

    def why(self) -> str:
        """The faults of this topic; where there are none, those that it follows from in a line."""
        own = [fault for fault in self.check.faults if fault.about(self.name)]
        if own:
            return str(replace(self.check, faults=tuple(own), lacks=(), facts=()))
        return "follows from " + "; ".join([fault.title for fault in self.check.faults])

    def repr_failure(self, excinfo: Any, style: Any = None) -> Any:
        return str(excinfo.value) if isinstance(excinfo.value, Wrong) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Any, int | None, str]:
        return self.check.engine, None, f"microgrid: {self.name}"


class Wrong(Exception):
    """A topic with a trial that came out wrong."""


def _topics(session: Any, engine: str, level: str | None) -> Iterator[Topic]:
    from .checking import check

    try:
        made = check(engine, level=level)
    except (ValueError, FileNotFoundError, TypeError) as error:
        raise pytest.UsageError(str(error)) from None
    for name in made.topics:
        yield Topic.from_parent(session, name=name, check=made, nodeid=f"{engine}::{name}")


def pytest_collection_modifyitems(session: Any, config: Any, items: list[Any]) -> None:
    engine = config.getoption("--microgrid-engine")
    if engine:
        items[:0] = _topics(session, engine, config.getoption("--microgrid-level"))
