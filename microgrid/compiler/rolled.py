"""A tape in groups: equal operations that don't wait for each other, to be done in one go.

A net of scalars is full of operations that do the same thing beside each other: the 16 dot products
of a layer, their 16 relus, the 256 products of the way back.  `roll` finds them in the tape, so that
the size of a program follows the number of layers, not of weights.

There are two kinds of places.  Numbers of the call (constants, parameters, what is computed from
those alone, sums over the batch, and everything where there is no batch) are one each; numbers of the
rows are one for each row of the batch.
"""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Operand:
    """Where the operands of a group lie.

    Attributes: rows, whether they are numbers of the rows; places, an int64 array: of shape (count,), or
    (count, k) for a group whose operation takes any number of operands.
    """

    rows: bool
    places: Any


@dataclass(frozen=True)
class Group:
    """So many equal operations, none of which waits for another of them.

    Attributes: op, as in the tape; rows, whether the results are numbers of the rows; start and count:
    the results lie at start, start + 1, ..., start + count - 1; operands, one `Operand` for each
    operand of a function with a fixed number of them ("+", "tanh", "where"); for "dot" two of shape
    (count, k), and for "logsumexp" one of that shape; for "lookup" the index of shape (count,), then the
    tables of shape (count, k).  Two operations stand in groups only: "rowsum", one operand of shape
    (count,), its sum over the rows, and "rowdot", two of shape (count, k), the sum over the rows and over k
    of their products.  Their results are numbers of the call.
    """

    op: str
    rows: bool
    start: int
    count: int
    operands: tuple[Operand, ...]


@dataclass(frozen=True)
class Rolled:
    """A program in groups.

    The numbers of the call lie in one array: constants, then parameters, then arguments (the inputs
    where there is no batch, and the seed, 1 / rows for a mean), then results.  The numbers of the rows
    lie in another, of shape (row_count, rows): inputs, then results.

    Attributes: constants, a float64 array; parameters, arguments and inputs, how many there are;
    call_count and row_count, the lengths of the two; before, groups on numbers of the call; body, groups on
    numbers of the rows (and of the call); sums, groups of "rowsum" and "rowdot", which have to be added up
    over all blocks of rows; after, groups on numbers of the call again, which may read the sums; outputs, an
    Operand, the program's values; gradient, an Operand, the derivative by each parameter, or None;
    input_gradient, the same by each input.
    """

    constants: Any
    parameters: int
    arguments: int
    inputs: int
    call_count: int
    row_count: int
    before: list[Group] = field(default_factory=list)
    body: list[Group] = field(default_factory=list)
    sums: list[Group] = field(default_factory=list)
    after: list[Group] = field(default_factory=list)
    outputs: Operand | None = None
    gradient: Operand | None = None
    input_gradient: Operand | None = None
