"""Numbers from one place to another, as lines of LLVM's language."""

from .writing import Code


def copy(code: Code, source: str, target: str, count: int) -> None:
    """So many numbers from one place to another."""
    if count:
        code.line(f"call void @llvm.memcpy.p0.p0.i64(ptr {target}, ptr {source}, i64 {count * code.bytes}, i1 false)")


def rounded_up(code: Code, number: str, unit: int) -> str:
    """The number, or the next one that is so many units, a power of two."""
    return code.value(f"and i64 {code.value(f'add i64 {number}, {unit - 1}')}, {-unit}")


def picked(code: Code, rows: str, columns: int, target: str, pitch: int) -> None:
    """A few columns of as many rows as there are lanes, each as a vector."""
    lanes = code.lanes
    wide = code.load(rows, lanes * columns)
    type = code.vector(lanes * columns)
    for column in range(columns):
        if lanes * columns == 1:
            one = wide
        elif lanes == 1:
            one = code.value(f"extractelement {type} {wide}, i64 {column}")
        else:
            picks = ", ".join([f"i32 {column + lane * columns}" for lane in range(lanes)])
            one = code.value(f"shufflevector {type} {wide}, {type} poison, <{lanes} x i32> <{picks}>")
        code.store(one, code.at(target, column * pitch))


def turned(code: Code, rows: str, columns: int, target: str, pitch: int) -> None:
    """Many columns of as many rows as there are lanes, each as a vector; the last ones maybe twice."""
    lanes, type = code.lanes, code.vector()
    with code.loop(0, columns, lanes) as loop:
        last = code.value(f"icmp ugt i64 {loop.index}, {columns - lanes}")
        column = code.value(f"select i1 {last}, i64 {columns - lanes}, i64 {loop.index}")
        start = code.at(rows, column)
        level = [code.load(code.at(start, lane * columns)) for lane in range(lanes)]
        width = 1
        while width < lanes:
            following = [""] * lanes
            for i in range(lanes):
                if not i & width:
                    a, b = level[i], level[i + width]
                    for up in (0, width):
                        picks = [up + lane if not lane & width else lanes + up + lane - width for lane in range(lanes)]
                        text = ", ".join([f"i32 {pick}" for pick in picks])
                        following[i + up] = code.value(
                            f"shufflevector {type} {a}, {type} {b}, <{lanes} x i32> <{text}>"
                        )
            level = following
            width *= 2
        first = code.at(target, code.times(column, pitch))
        for lane, numbers in enumerate(level):
            code.store(numbers, code.at(first, lane * pitch))


def fill_zero(code: Code, target: str, count: int) -> None:
    """So many zeros."""
    code.line(f"call void @llvm.memset.p0.i64(ptr {target}, i8 0, i64 {count * code.bytes}, i1 false)")
