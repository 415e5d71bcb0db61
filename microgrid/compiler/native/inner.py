"""The loops inside of the interpreter: sums of products, tables, and the blocks of rows."""

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from .writing import Code, Loop, literal, suffix, whole_index

# A call's arrays, and how many numbers there are; "places" go with what is put out from there.
ADDRESSES = (
    "before", "before.table", "after", "after.table", "setup", "body", "table", "call", "rows", "sums",
    "totals", "totals.places",
    "parameters", "parameters.to", "arguments", "arguments.to", "inputs", "outputs", "outputs.places",
    "gradient", "gradient.places", "slopes", "slopes.places",
    "row.outputs", "row.outputs.places", "row.slopes", "row.slopes.places",
)  # fmt: skip
COUNTS = ("parameters", "arguments", "inputs", "totals", "outputs", "gradient", "slopes", "row.outputs", "row.slopes")
SUMMED = 8  # lanes of a sum over the rows: as few as there are at least, so that sums stay in the cache
FRAME = (*ADDRESSES, "begin", "end", *[f"{name}.count" for name in COUNTS])


def helpers(names: Collection[str], lanes: int, type: str) -> list[str]:
    """The functions that routines of these names call."""
    parts = []
    for kinds, users in (("rr", {"dot", "rowdot"}), ("cr", {"dot cr", "rowdot cr"})):
        parts += [_products(Code(lanes, type), kinds)] if users & set(names) else []
    for kind, user in (("r", "lookup"), ("c", "lookup rc")):
        parts += [_lookup(Code(lanes, type), kind)] if user in names else []
    return parts + ([_powers(Code(lanes, type))] if "logsumexp" in names else [])


def place_at(code: Code, address: str) -> str:
    """The place that is written at an address."""
    return code.value(f"sext i32 {code.value(f'load i32, ptr {address}')} to i64")


def address_of(code: Code, place: str, base: str = "%rows") -> str:
    """Where a number of the rows is: its lanes lie beside each other."""
    return code.value(f"getelementptr [{code.lanes} x {code.type}], ptr {base}, i64 {place}")


def number_at(code: Code, address: str, kind: str = "r") -> str:
    """The number whose place is written at an address: of the rows, or of the call ("c"), in all lanes."""
    place = place_at(code, address)
    if kind == "r":
        return code.load(address_of(code, place))
    return code.spread(code.load(code.at("%call", place), 1))


def chosen(code: Code, condition: str, yes: str, no: str) -> str:
    """For each lane the one or the other."""
    bits = "i1" if code.lanes == 1 else f"<{code.lanes} x i1>"
    return code.value(f"select {bits} {condition}, {code.vector()} {yes}, {code.vector()} {no}")


def define(result: str, name: str, arguments: str, code: Code, last: str) -> str:
    """The whole function; last, what it returns."""
    body = "\n".join([*code.lines, f"  ret {last}"])
    return f"define {result} @{name}({arguments}) nounwind {{\nentry:\n{body}\n}}"


@contextmanager
def counted(
    code: Code, start: str, stop: str, step: int = 1, carried: Sequence[tuple[str, str]] = ()
) -> Iterator[Loop]:
    """A loop over start, start + step, ... while a whole step is left, be it not once; `carried` as in `Code.loop`.

    After it `results` has the carried values, and index the first that was left out.
    """
    before, head, body, exit = code.block, code.label(), code.label(), code.label()
    code.line(f"br label %{head}")
    code.mark(head)
    line = len(code.lines)
    code.lines.append("")
    names = [f"%{head}.{number}" for number in range(len(carried))]
    loop = Loop(f"%{head}.i", names, names)
    following = code.value(f"add nsw i64 {loop.index}, {step}")
    more = code.value(f"icmp sle i64 {following}, {stop}")
    code.line(f"br i1 {more}, label %{body}, label %{exit}")
    code.mark(body)
    yield loop
    again = zip(names, carried, loop.results)
    phis = [f"  {loop.index} = phi i64 [ {start}, %{before} ], [ {following}, %{code.block} ]"]
    phis += [
        f"  {n} = phi {type} [ {first}, %{before} ], [ {last}, %{code.block} ]" for n, (type, first), last in again
    ]
    code.lines[line] = "\n".join(phis)
    code.line(f"br label %{head}")
    code.mark(exit)
    loop.results = names


def _products(code: Code, kinds: str) -> str:
    """x0 * y0 + x1 * y1 + ..., in four sums, of which none waits for another."""
    type, ways = code.vector(), 4 if code.lanes <= 8 else 2

    def with_term(index: str, sum: str) -> str:
        addresses = [code.value(f"getelementptr i32, ptr {side}, i64 {index}") for side in ("%left", "%right")]
        x, y = [number_at(code, address, kind) for address, kind in zip(addresses, kinds)]
        return code.multiply_add(x, y, sum)

    with counted(code, "0", "%k", ways, [(type, literal(0, code.lanes, code.type))] * ways) as loop:
        loop.again([with_term(str(code.add(loop.index, way)), sum) for way, sum in enumerate(loop.carried)])
    sums = loop.results
    while len(sums) > 1:
        sums = [code.value(f"fadd {type} {x}, {y}") for x, y in zip(sums[::2], sums[1::2])]
    with counted(code, str(loop.index), "%k", 1, [(type, sums[0])]) as rest:
        rest.again([with_term(str(rest.index), rest.carried[0])])
    arguments = "ptr %left, ptr %right, i64 %k, ptr %rows, ptr %call"
    return define(f"internal {type}", f"products.{kinds}", arguments, code, f"{type} {rest.results[0]}")


def _powers(code: Code) -> str:
    """logsumexp: the largest is taken out first; a nan counts as the largest of all."""
    type, lanes = code.vector(), code.lanes

    def elementary(name: str, x: str) -> str:
        return code.value(f"call {type} @mg.{name}.{lanes}.{code.type}({type} {x})")

    def term(loop: Loop) -> str:
        return number_at(code, code.value(f"getelementptr i32, ptr %places, i64 {loop.index}"))

    with counted(code, "0", "%k", 1, [(type, literal(-math.inf, lanes, code.type))]) as loop:
        x, top = term(loop), loop.carried[0]
        greater = chosen(code, code.value(f"fcmp ugt {type} {x}, {top}"), x, top)
        loop.again([chosen(code, code.value(f"fcmp uno {type} {top}, {top}"), top, greater)])
    top = loop.results[0]
    with counted(code, "0", "%k", 1, [(type, literal(0, lanes, code.type))]) as loop:
        power = elementary("exp", code.value(f"fsub {type} {term(loop)}, {top}"))
        loop.again([code.value(f"fadd {type} {loop.carried[0]}, {power}")])
    result = code.value(f"fadd {type} {top}, {elementary('log', loop.results[0])}")
    size = code.value(f"call {type} @llvm.fabs.{suffix(lanes, code.type)}({type} {top})")
    infinite = code.value(f"fcmp oeq {type} {size}, {literal(math.inf, lanes, code.type)}")
    result = chosen(code, infinite, top, result)
    return define(f"internal {type}", "powers", "ptr %places, i64 %k, ptr %rows", code, f"{type} {result}")


def _lookup(code: Code, kind: str) -> str:
    """For each lane one number of a table of the rows ("r") or of the call ("c"); nan outside of the table."""
    type = code.type
    with counted(code, "0", str(code.lanes)) as loop:
        x = code.load(code.at("%index", loop.index), 1)
        inside, which = whole_index(code, x, code.value(f"sitofp i64 %k to {type}"), 1)
        place = place_at(code, code.value(f"getelementptr i32, ptr %places, i64 {which}"))
        found = code.at("%from", place) if kind == "c" else code.at(address_of(code, place, "%from"), loop.index)
        number = code.load(found, 1)
        result = code.value(f"select i1 {inside}, {type} {number}, {type} {literal(math.nan, 1, type)}")
        code.store(result, code.at("%out", loop.index), 1)
    arguments = "ptr %index, ptr %places, i64 %k, ptr %from, ptr %out"
    return define("internal void", f"look_up.{kind}", arguments, code, "void")


def start(code: Code) -> str:
    """From outside: parameters and arguments into the numbers of the call, and all that needs no row."""
    _frame(code)
    for name in ("parameters", "arguments"):
        with counted(code, "0", f"%{name}.count") as loop:
            code.store(code.load(code.at(f"%{name}", loop.index), 1), code.at(f"%{name}.to", loop.index), 1)
    code.line("call void @run(ptr %before, ptr %call, ptr %call, ptr %before.table, ptr null, i64 1)")
    return define("void", "start", "ptr %frame", code, "void")


def finish(code: Code) -> str:
    """From outside: the sums into the numbers of the call, all that needs them, and the results out."""
    _frame(code)
    with counted(code, "0", "%totals.count") as loop:
        place = place_at(code, code.value(f"getelementptr i32, ptr %totals.places, i64 {loop.index}"))
        code.store(code.load(code.at("%totals", loop.index), 1), code.at("%call", place), 1)
    code.line("call void @run(ptr %after, ptr %call, ptr %call, ptr %after.table, ptr null, i64 1)")
    for name in ("outputs", "gradient", "slopes"):
        with counted(code, "0", f"%{name}.count") as loop:
            place = place_at(code, code.value(f"getelementptr i32, ptr %{name}.places, i64 {loop.index}"))
            code.store(code.load(code.at("%call", place), 1), code.at(f"%{name}", loop.index), 1)
    return define("void", "finish", "ptr %frame", code, "void")


def all_blocks(code: Code) -> str:
    """From outside: the rows from begin to end of a frame, a block of lanes at a time, and their sums.

    A block takes its inputs, one column a place (the last row fills what is left of the last block), runs the
    body, and gives the outputs and slopes of its rows back.
    """
    _frame(code)
    state = "ptr %rows, ptr %call, ptr %table, ptr %sums"
    with counted(code, "0", "%totals.count") as loop:
        zero = literal(0, SUMMED, code.type)
        code.store(zero, code.value(f"getelementptr {code.vector(SUMMED)}, ptr %sums, i64 {loop.index}"), SUMMED)
    code.line(f"call void @run(ptr %setup, {state}, i64 0)")
    stop = code.value(f"add i64 %end, {code.lanes - 1}")
    with counted(code, "%begin", stop, code.lanes) as block:
        left = code.value(f"sub i64 %end, {block.index}")
        full = code.value(f"icmp sgt i64 {left}, {code.lanes}")
        live = code.value(f"select i1 {full}, i64 {code.lanes}, i64 {left}")
        with counted(code, "0", str(code.lanes)) as lane:
            inside = code.value(f"icmp slt i64 {lane.index}, {live}")
            last = code.value(f"sub i64 {live}, 1")
            row = code.add(block.index, code.value(f"select i1 {inside}, i64 {lane.index}, i64 {last}"))
            first = code.at("%inputs", code.times(row, "%inputs.count"))
            with counted(code, "0", "%inputs.count") as column:
                here = code.at(address_of(code, str(column.index)), lane.index)
                code.store(code.load(code.at(first, column.index), 1), here, 1)
        code.line(f"call void @run(ptr %body, {state}, i64 {live})")
        for name in ("row.outputs", "row.slopes"):
            _give(code, name, block.index, live)
    type = code.vector(SUMMED)
    add = f"llvm.vector.reduce.fadd.{suffix(SUMMED, code.type)}"
    with counted(code, "0", "%totals.count") as loop:
        sums = code.load(code.value(f"getelementptr {type}, ptr %sums, i64 {loop.index}"), SUMMED)
        zero = literal(0, 1, code.type)
        total = code.value(f"call reassoc {code.type} @{add}({code.type} {zero}, {type} {sums})")
        code.store(total, code.at("%totals", loop.index), 1)
    declared = f"declare {code.type} @{add}({code.type}, {type})\n"
    return declared + define("void", "blocks", "ptr %frame", code, "void")


def _frame(code: Code) -> None:
    for number, name in enumerate(FRAME):
        address = code.value(f"getelementptr i64, ptr %frame, i64 {number}")
        code.line(f"%{name} = load {'ptr' if name in ADDRESSES else 'i64'}, ptr {address}")


def _give(code: Code, name: str, first: str | int, live: str) -> None:
    """Numbers of a block of rows, from their places into an array of one line for each row."""
    with counted(code, "0", live) as lane:
        line = code.at(f"%{name}", code.times(code.add(first, lane.index), f"%{name}.count"))
        with counted(code, "0", f"%{name}.count") as column:
            place = place_at(code, code.value(f"getelementptr i32, ptr %{name}.places, i64 {column.index}"))
            number = code.load(code.at(address_of(code, place), lane.index), 1)
            code.store(number, code.at(line, column.index), 1)
