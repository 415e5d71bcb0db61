"""How the places of a group's operands go: in even steps, all the same, or from a table.

A group of 16 dot products over 16 parameters each reads places base + 17 * r + t for its r-th result and
t-th term: two even walks, of which the code needs three numbers and no table.
"""

from dataclasses import dataclass, field
from typing import Any

from .writing import Code


@dataclass(frozen=True)
class Walk:
    """Places base + stride * i, or base + table[i] where they follow no such rule."""

    base: int
    stride: int = 0
    table: int | None = None  # where its numbers begin in the program's one array of tables

    @property
    def is_fixed(self) -> bool:
        """Whether all are the same."""
        return self.table is None and self.stride == 0

    def place(self, code: Code, index: str | int) -> str | int:
        """The code for the place at an index, without base."""
        if self.table is None:
            return code.times(index, self.stride)
        address = code.value(f"getelementptr i64, ptr %ptables, i64 {code.add(index, self.table)}")
        return code.value(f"load i64, ptr {address}, align 8")


@dataclass(frozen=True)
class Grid:
    """Places of shape (count, k): rows[r] + terms[t], or all from one table where they don't come apart."""

    rows: Walk
    terms: Walk
    whole: Walk | None = None


@dataclass
class Tables:
    """The numbers of all tables of a program, one after the other."""

    parts: list[Any] = field(default_factory=list)
    length: int = 0
    known: dict[bytes, int] = field(default_factory=dict)

    def add(self, numbers: Any) -> int:
        """Where these numbers lie; equal ones are kept once."""
        key = numbers.tobytes()
        if key not in self.known:
            self.known[key] = self.length
            self.parts.append(numbers.ravel())
            self.length += numbers.size
        return self.known[key]


def walk(places: Any, tables: Tables) -> Walk:
    """The rule that an array of places, of shape (count,), follows."""
    base = int(places[0])
    if len(places) == 1:
        return Walk(base)
    stride = int(places[1]) - base
    if len(places) == 2 or (places[1:] - places[:-1] == stride).all():
        return Walk(base, stride)
    return Walk(base, 0, tables.add(places - base))


def grid(places: Any, tables: Tables) -> Grid:
    """The rule that an array of places, of shape (count, k), follows."""
    across, down = places[0], places[:, 0]
    if (places - across - down[:, None] + places[0, 0] == 0).all():
        return Grid(walk(down, tables), walk(across - places[0, 0], tables))
    return Grid(Walk(0), Walk(0), Walk(0, 0, tables.add(places)))
