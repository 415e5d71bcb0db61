"""One small machine-code routine for each operation, which hands over to the next: a threaded interpreter.

An instruction is four 32-bit numbers: the routine's (and, above its 8 bits, how many operands k), two
places of operands, the place of the result.  A routine reads its own, works on so many lanes (rows) at a
time, and jumps to the routine of the next instruction: there is no loop in the middle, whose one jump the
processor could not foresee.

Source: Bell 1973, "Threaded code", Communications of the ACM 16(6).
"""

import re
from collections.abc import Collection

from .elementary import module_of
from .inner import SUMMED, address_of, all_blocks, define, finish, helpers, number_at, place_at, start
from .operations import operation
from .writing import Code, suffix

UNARY = (
    "neg", "abs", "exp", "log", "sqrt", "sin", "cos", "tan", "tanh", "erf", "step", "sigmoid", "softplus", "relu",
    "silu", "gelu",
)  # fmt: skip
BINARY = ("+", "-", "*", "/", "**", "leaky_relu", "elu", "maximum", "minimum", "match")
EXPONENTS = {"** 2": 2.0, "** 3": 3.0, "** -1": -1.0, "** 0.5": 0.5}
# Of the rows only.  "c" stands for an operand that is a number of the call, the same for all rows, "r" for one of the
# rows; an operation that has no such routine gets the number spread over the lanes first.
OF_THE_ROWS = (
    "spread", "+ rc", "- rc", "- cr", "* rc", "/ rc", "/ cr", "dot cr", "lookup rc",
    "rowsum", "rowmul", "rowmul cr", "rowdot", "rowdot cr",
)  # fmt: skip
ROUTINES = ("end", *UNARY, *BINARY, *EXPONENTS, "where", "dot", "logsumexp", "lookup", *OF_THE_ROWS)
NUMBER = {name: number for number, name in enumerate(ROUTINES)}

STATE = ("ip", "rows", "call", "table", "sums")  # addresses: of the instruction, and of the four parts of memory
HANDED_ON = ", ".join([f"ptr %{name}" for name in STATE]) + ", i64 %live"


def module_text(names: Collection[str], lanes: int, type: str) -> str:
    """The interpreter for so many lanes with the routines of these names, in LLVM's intermediate language."""
    names = [name for name in ROUTINES if name in names or name == "end"]
    needs = {"exp", "log"} if "logsumexp" in names else set()
    routines = [_routine(name, lanes, type, needs) for name in names]
    entries = [f"ptr @do.{NUMBER[name if name in names else 'end']}" for name in ROUTINES]
    table = f"@routines = internal constant [{len(entries)} x ptr] [{', '.join(entries)}]"
    parts = [module_of(sorted(needs), lanes, type), *helpers(names, lanes, type), *routines, table, _run()]
    parts += [f(Code(lanes, type)) for f in ((all_blocks,) if lanes > 1 else (start, finish))]
    text = "\n".join(parts)
    return "\n".join([*_declared(text, lanes, type), text])


def _declared(text: str, lanes: int, type: str) -> list[str]:
    """A declaration of each of LLVM's own functions that is used, and not declared yet."""
    names = sorted(set(re.findall(r"@llvm\.(\w+)\.(\w+)\(", text)))
    vectors = {suffix(n, type): Code(n, type).vector() for n in (1, SUMMED, lanes)}
    return [
        f"declare {vectors[end]} @llvm.{name}.{end}({', '.join([vectors[end]] * (3 if name == 'fmuladd' else 1))})"
        for name, end in names
        if end in vectors and f" @llvm.{name}.{end}(" not in "".join(re.findall("declare .*", text))
    ]


def _run() -> str:
    """Do the instructions from an address on, up to the first "end"."""
    code = Code(1, "double")
    code.line(_jump("%ip", "call"))
    return define("internal void", "run", HANDED_ON, code, "void")


def _jump(ip: str, how: str) -> str:
    """To the routine of the instruction at ip."""
    return f"""%word = load i32, ptr {ip}
%code = and i32 %word, 255
%number = zext i32 %code to i64
%slot = getelementptr ptr, ptr @routines, i64 %number
%to = load ptr, ptr %slot
{how} tailcc void %to({HANDED_ON.replace("%ip", ip)})"""


def _routine(name: str, lanes: int, type: str, needs: set[str]) -> str:
    code = Code(lanes, type)
    code.needs = set()
    if name != "end":
        code.line("%ip.next = getelementptr i32, ptr %ip, i64 4")
        _work(code, name)
        code.line(_jump("%ip.next", "musttail call"))
    needs.update([needed for needed, _ in code.needs])
    return define("internal tailcc void", f"do.{NUMBER[name]}", HANDED_ON, code, "void")


def _work(code: Code, name: str) -> None:
    """What the routine does before it jumps on."""
    op, _, kinds = name.partition(" ")
    if op in ("rowsum", "rowmul", "rowdot"):
        _add_up(code, op, kinds or "rr")
    elif op == "lookup":
        _look_up(code, kinds or "rr")
    elif op == "spread":
        _keep(code, _operand(code, 1, "c"))
    elif op == "dot":
        _keep(code, _products(code, kinds or "rr"))
    elif op == "logsumexp":
        given = f"ptr {_in_table(code, 1)}, i64 {_count(code)}, ptr %rows"
        _keep(code, code.value(f"call {code.vector()} @powers({given})"))
    elif op == "where":
        rest = _in_table(code, 2)
        pair = [number_at(code, code.value(f"getelementptr i32, ptr {rest}, i64 {i}")) for i in (0, 1)]
        _keep(code, operation(code, op, [_operand(code, 1), *pair], code.lanes))
    elif name in EXPONENTS:
        _keep(code, operation(code, op, [_operand(code, 1)], code.lanes, EXPONENTS[name]))
    else:
        kinds = kinds or "r" * (2 if op in BINARY else 1)
        operands = [_operand(code, field + 1, kind) for field, kind in enumerate(kinds)]
        _keep(code, operation(code, op, operands, code.lanes))


def _field(code: Code, field: int) -> str:
    """The address of a part of the instruction: 0 the routine and k, 1 and 2 the operands, 3 the result."""
    return code.value(f"getelementptr i32, ptr %ip, i64 {field}")


def _operand(code: Code, field: int, kind: str = "r") -> str:
    return number_at(code, _field(code, field), kind)


def _keep(code: Code, result: str) -> None:
    code.store(result, address_of(code, place_at(code, _field(code, 3))))


def _count(code: Code) -> str:
    high = code.value(f"lshr i32 {code.value('load i32, ptr %ip')}, 8")
    return code.value(f"zext i32 {high} to i64")


def _in_table(code: Code, field: int) -> str:
    """The address in the table that an operand stands for."""
    return code.value(f"getelementptr i32, ptr %table, i64 {place_at(code, _field(code, field))}")


def _products(code: Code, kinds: str) -> str:
    given = f"ptr {_in_table(code, 1)}, ptr {_in_table(code, 2)}, i64 {_count(code)}, ptr %rows, ptr %call"
    return code.value(f"call {code.vector()} @products.{kinds}({given})")


def _add_up(code: Code, op: str, kinds: str) -> None:
    """To the sum over the rows, in `SUMMED` lanes, without the lanes that are no row."""
    type = code.vector(SUMMED)
    place = code.value(f"getelementptr {type}, ptr %sums, i64 {place_at(code, _field(code, 3))}")
    sum = code.load(place, SUMMED)
    if op == "rowdot":
        factors = [[part] for part in _parts(code, _products(code, kinds))]
    else:
        operands = [_in_parts(code, field + 1, kind) for field, kind in enumerate("r" if op == "rowsum" else kinds)]
        factors = [list(parts) for parts in zip(*operands)]
    whole = f"<{SUMMED} x i32>"
    one = code.value(f"insertelement {whole} poison, i32 {code.value('trunc i64 %live to i32')}, i64 0")
    live = code.value(f"shufflevector {whole} {one}, {whole} poison, {whole} zeroinitializer")
    for first, xs in zip(range(0, code.lanes, SUMMED), factors):
        if len(xs) == 1:
            more = code.value(f"fadd {type} {sum}, {xs[0]}")
        else:
            more = code.multiply_add(xs[0], xs[1], sum, SUMMED)
        numbers = ", ".join([f"i32 {lane}" for lane in range(first, first + SUMMED)])
        counts = code.value(f"icmp ult {whole} <{numbers}>, {live}")
        sum = code.value(f"select <{SUMMED} x i1> {counts}, {type} {more}, {type} {sum}")
    code.store(sum, place, SUMMED)


def _in_parts(code: Code, field: int, kind: str) -> list[str]:
    """An operand, `SUMMED` lanes at a time."""
    place = place_at(code, _field(code, field))
    if kind == "c":
        return [code.spread(code.load(code.at("%call", place), 1), SUMMED)] * (code.lanes // SUMMED)
    start = address_of(code, place)
    return [code.load(code.at(start, first), SUMMED) for first in range(0, code.lanes, SUMMED)]


def _parts(code: Code, x: str) -> list[str]:
    """A vector, `SUMMED` lanes at a time."""
    parts = []
    for first in range(0, code.lanes, SUMMED):
        lanes = ", ".join([f"i32 {lane}" for lane in range(first, first + SUMMED)])
        parts.append(
            code.value(f"shufflevector {code.vector()} {x}, {code.vector()} poison, <{SUMMED} x i32> <{lanes}>")
        )
    return parts


def _look_up(code: Code, kinds: str) -> None:
    index, result = [address_of(code, place_at(code, _field(code, field))) for field in (1, 3)]
    table = "%rows" if kinds == "rr" else "%call"
    given = f"ptr {index}, ptr {_in_table(code, 2)}, i64 {_count(code)}, ptr {table}, ptr {result}"
    code.line(f"call void @look_up.{kinds[1]}({given})")
