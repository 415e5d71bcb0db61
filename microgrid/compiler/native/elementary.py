"""exp, tanh, sin and their like as LLVM IR over SIMD vectors, without a processor's own names.

The methods are in `formulas`.  Where none is known there, the C library is called lane by lane, under names
(`mg.c.sin`) that `bind` makes known to LLVM.  The result of a lane never depends on its neighbours, nor on how
many there are.
"""

import ctypes
import sys
from collections.abc import Iterable

from .formulas import FAR, VECTORS
from .vectors import Body, Vector, typed

INSTALL = 'the native backend needs llvmlite: python -m pip install "microgrid[fast]"'

LIBRARY = {"sin": 1, "cos": 1, "tan": 1, "pow": 2}  # from C (angles beyond FAR only), and the number of operands
LANES = (1, 2, 4, 8, 16, 32)


def module_of(names: Iterable[str], lanes: int, type: str = "double", inlined: bool = False) -> str:
    """LLVM IR text that defines these functions, and once each what they need.

    names: of exp, log, tanh, sigmoid, sin, cos, tan, sqrt, expm1, log1p, softplus, erf, erfc, pow.  lanes: the
    length of the vectors; 1 is a scalar.  type: "double" or "float".  inlined: whether LLVM copies the functions to
    each place that calls them, which takes it some milliseconds a place, and may run up to a third faster.
    The function `@mg.<name>.<lanes>.<type>` takes one vector and gives one; pow takes two.

    >>> "define internal <4 x double> @mg.exp.4.double(<4 x double> %x)" in module_of(["exp", "log"], 4)
    True
    """
    pieces: dict[str, str] = {}
    for name in names:
        pieces |= definitions(name, lanes, type, " alwaysinline" if inlined else " noinline")
    return "\n".join(pieces.values()) + "\n"


def ir(name: str, lanes: int, type: str = "double", inlined: bool = False) -> str:
    """LLVM IR text that defines one function and what it needs; see `module_of` for several in one module.

    >>> print(ir("sqrt", 2))
    declare <2 x double> @llvm.sqrt.v2f64(<2 x double>)
    define internal <2 x double> @mg.sqrt.2.double(<2 x double> %x) nounwind alwaysinline {
    %v0 = call <2 x double> @llvm.sqrt.v2f64(<2 x double> %x)
    ret <2 x double> %v0
    }
    <BLANKLINE>
    """
    return module_of([name], lanes, type, inlined)


def definitions(name: str, lanes: int, type: str, attribute: str = " noinline") -> dict[str, str]:
    """Symbol -> text, a function after what it needs."""
    if name not in VECTORS and name != "pow":
        raise ValueError(f"ir({name!r}, ...): the functions are {', '.join([*VECTORS, 'pow'])}")
    if lanes not in LANES:
        raise ValueError(f"ir({name!r}, {lanes!r}): lanes are {', '.join([str(n) for n in LANES])}")
    if type not in ("double", "float"):
        raise ValueError(f'ir({name!r}, {lanes!r}, {type!r}): the types are "double" and "float"')
    if name == "sqrt":
        attribute = " alwaysinline"  # one instruction
    symbol = f"@mg.{name}.{lanes}.double"
    wide = by_lane(name, lanes, symbol, " noinline") if name == "pow" else vectorised(name, lanes, attribute)
    return wide | widened(name, lanes) if type == "float" else wide


def vectorised(name: str, lanes: int, attribute: str) -> dict[str, str]:
    """A function of VECTORS; far angles go to the C library, in their lanes alone."""
    body, real, symbol = Body(lanes), typed(lanes, "double"), f"@mg.{name}.{lanes}.double"
    x = Vector(body, "double", "%x")
    result, needed = VECTORS[name](x), {}
    if name in LIBRARY:
        slow, far = f"@mg.far.{name}.{lanes}.double", abs(x) > FAR
        body.lines += [f"br i1 {far.any()}, label %far, label %near", f"near:\nret {real} {result}", "far:"]
        result = far.choose(body.write("double", f"call {real} {slow}({real} %x)"), result)
        needed = by_lane(name, lanes, slow, " noinline cold")
    text = f"define internal {real} {symbol}({real} %x) nounwind{attribute} {{\n"
    text += "\n".join([*body.lines, f"ret {real} {result}", "}"])
    return body.intrinsics | needed | {symbol: text}


def by_lane(name: str, lanes: int, symbol: str, attributes: str) -> dict[str, str]:
    """A function of the C library, called for one lane after the other."""
    real, letters, c = typed(lanes, "double"), "xy"[: LIBRARY[name]], f"@mg.c.{name}"
    lines, result = [], "poison"
    for i in range(lanes):
        if lanes > 1:
            lines += [f"%{a}{i} = extractelement {real} %{a}, i32 {i}" for a in letters]
        operands = ", ".join([f"double %{a}{i if lanes > 1 else ''}" for a in letters])
        lines.append(f"%c{i} = call double {c}({operands})")
        if lanes > 1:
            lines.append(f"%r{i} = insertelement {real} {result}, double %c{i}, i32 {i}")
        result = f"%r{i}" if lanes > 1 else f"%c{i}"
    given = ", ".join([f"{real} %{a}" for a in letters])
    text = f"define internal {real} {symbol}({given}) nounwind{attributes} {{\n"
    text += "\n".join([*lines, f"ret {real} {result}", "}"])
    declared = f"declare double {c}({', '.join(['double'] * len(letters))}) nounwind readnone willreturn"
    return {c: declared, symbol: text}


def widened(name: str, lanes: int) -> dict[str, str]:
    """The function for floats: that for doubles, rounded; so it is right to the last bit but for rare ties."""
    narrow, wide, letters = typed(lanes, "float"), typed(lanes, "double"), "xy"[: LIBRARY.get(name, 1)]
    symbol, given = f"@mg.{name}.{lanes}.float", ", ".join([f"{narrow} %{a}" for a in letters])
    lines = [f"%{a}w = fpext {narrow} %{a} to {wide}" for a in letters]
    operands = ", ".join([f"{wide} %{a}w" for a in letters])
    lines.append(f"%r = call {wide} @mg.{name}.{lanes}.double({operands})")
    lines += [f"%n = fptrunc {wide} %r to {narrow}", f"ret {narrow} %n", "}"]
    return {symbol: "\n".join([f"define internal {narrow} {symbol}({given}) nounwind alwaysinline {{", *lines])}


def bind() -> None:
    """Tell LLVM where this process has the functions of the C library; needed before the code is run.

    Raises ModuleNotFoundError without llvmlite.
    """
    try:
        import llvmlite.binding as llvm
    except ModuleNotFoundError:
        raise ModuleNotFoundError(INSTALL) from None
    library = c_library()
    for name in LIBRARY:
        llvm.add_symbol(f"mg.c.{name}", ctypes.cast(getattr(library, name), ctypes.c_void_p).value)


def c_library() -> ctypes.CDLL:
    """The library with C's mathematics: ucrtbase on Windows, libm, or what the process itself has."""
    if sys.platform == "win32":
        return ctypes.CDLL("ucrtbase")
    try:
        return ctypes.CDLL("libm.so.6")
    except OSError:  # macOS, musl
        return ctypes.CDLL(None)
