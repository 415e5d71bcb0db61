"""Operations on any number of operands other than sums of products, on a vector of numbers."""

from typing import Any

from .operations import operation
from .writing import Code, literal, whole_index


def logsumexp(code: Code, k: int, lanes: int, term: Any) -> str:
    """top + log(sum of exp(x - top)); the top itself where it is infinite, nan where a nan is among them."""
    type, bits = code.vector(lanes), "i1" if lanes == 1 else f"<{lanes} x i1>"
    low = literal(float("-inf"), lanes, code.type)
    none = "false" if lanes == 1 else "zeroinitializer"
    with code.loop(0, k, 1, [(type, low), (bits, none)]) as loop:
        x = term(loop.index)
        more = code.value(f"fcmp ogt {type} {x}, {loop.carried[0]}")
        top = code.value(f"select {bits} {more}, {type} {x}, {type} {loop.carried[0]}")
        nan = code.value(f"fcmp uno {type} {x}, {x}")
        loop.again([top, code.value(f"or {bits} {nan}, {loop.carried[1]}")])
    top, nan = loop.results
    with code.loop(0, k, 1, [(type, literal(0, lanes, code.type))]) as loop:
        away = code.value(f"fsub {type} {term(loop.index)}, {top}")
        power = operation(code, "exp", [away], lanes)
        loop.again([code.value(f"fadd {type} {loop.carried[0]}, {power}")])
    result = code.value(f"fadd {type} {top}, {operation(code, 'log', [loop.results[0]], lanes)}")
    size = operation(code, "abs", [top], lanes)
    infinite = code.value(f"fcmp oeq {type} {size}, {literal(float('inf'), lanes, code.type)}")
    result = code.value(f"select {bits} {infinite}, {type} {top}, {type} {result}")
    return code.value(f"select {bits} {nan}, {type} {literal(float('nan'), lanes, code.type)}, {type} {result}")


def lookup(code: Code, k: int, lanes: int, index: str, term: Any) -> str:
    """The number of a table whose position is index; nan where there is none."""
    type, bits = code.vector(lanes), "i1" if lanes == 1 else f"<{lanes} x i1>"
    whole = "i64" if lanes == 1 else f"<{lanes} x i64>"
    inside, position = whole_index(code, index, literal(k, lanes, code.type), lanes)
    nan = literal(float("nan"), lanes, code.type)
    with code.loop(0, k, 1, [(type, nan)]) as loop:
        number = str(loop.index)
        if lanes > 1:
            one = code.value(f"insertelement {whole} poison, i64 {number}, i64 0")
            number = code.value(f"shufflevector {whole} {one}, {whole} poison, <{lanes} x i32> zeroinitializer")
        here = code.value(f"icmp eq {whole} {position}, {number}")
        loop.again([code.value(f"select {bits} {here}, {type} {term(loop.index)}, {type} {loop.carried[0]}")])
    return code.value(f"select {bits} {inside}, {type} {loop.results[0]}, {type} {nan}")
