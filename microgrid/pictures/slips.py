"""What learners type that is no Python, or not ours, and what to type in its place.

>>> in_text("a − 2", 3), in_text("2a + b", 2), in_text("(a + b)c", 8)
('for the sign − type -', 'write 2*a for a product', 'write )*c for a product')
>>> of_function("Tanh", ["tanh"]), of_function("pow", ["tanh"]), of_function("max", ["maximum"])
('; write tanh', '; write a**b for a power', '; write maximum')
"""

import keyword
import re
from collections.abc import Collection
from difflib import get_close_matches

from .words import factor, formula

LONGEST = 300  # characters of a line that is looked at as a whole
SIGNS = {
    **dict.fromkeys("−–—‒‐‑－", "-"), **dict.fromkeys("×∗·⋅∙•✕＊", "*"), **dict.fromkeys("÷∕⁄／", "/"),
    **dict.fromkeys("“”„«»", '"'), **dict.fromkeys("‘’", "'"), **dict.fromkeys("\u00a0\u2009\u202f", "a plain space"),
    "²": "**2", "³": "**3", "√": "sqrt(x)", "（": "(", "）": ")", "＋": "+", "，": ",", "ˆ": "**", "∑": "sum([a, b])",
}  # fmt: skip
MEANT = {
    "min": "minimum", "max": "maximum", "ln": "log", "tahn": "tanh", "thanh": "tanh", "fabs": "abs", "absolute": "abs",
    "logistic": "sigmoid", "expit": "sigmoid", "swish": "silu", "heaviside": "step", "lrelu": "leaky_relu",
    "leakyrelu": "leaky_relu", "logsoftmax": "log_softmax",
}  # fmt: skip
INSTEAD = {
    "pow": "a**b for a power", "power": "a**b for a power", "square": "x**2", "sinh": "(exp(x) - exp(-x))/2",
    "cosh": "(exp(x) + exp(-x))/2", "sign": "step(x) - step(-x)", "sgn": "step(x) - step(-x)",
    "log2": "log(x)/log(2)", "log10": "log(x)/log(10)", "mean": "sum([a, b])/2", "neg": "-x",
}  # fmt: skip
NUMBER_THEN_NAME = re.compile(r"(?<![\w.])(\d+\.?\d*|\.\d+)\s*([^\W\d]\w*)")
TWO_NAMES = re.compile(r"(?<![\w.])([^\W\d]\w*) +([^\W\d]\w*)")
BRACKET_THEN = re.compile(r"\)\s*([\w.]+)")
FAILED = re.compile(r"(\S+) of (Value\(data=.*\)): (?:float )?(.*)", re.DOTALL)
FAILED_BACK = re.compile(r"through Value\(.*?op='(.+?)'.*?\) of \((Value\(data=.*\)),?\): (?:float )?(.*)", re.DOTALL)
BARS = re.compile(r"\|\s*([^|]+?)\s*\|")


def in_text(line: str, place: int | None, functions: Collection[str] = ()) -> str:
    """What to type in a line that Python's parser refuses at this place, counted from 1; "" if that can't be told."""
    sign = line[place - 1 : place] if place else ""
    sign = sign if sign in SIGNS else next((c for c in line if c in SIGNS), "")
    if sign:
        shown = sign if sign.isprintable() else f"U+{ord(sign):04X}, a wide or narrow space,"
        return f"for the sign {shown} type {SIGNS[sign]}"
    if len(line) > LONGEST:
        return ""
    if bars := BARS.search(line):
        return f"write abs({bars[1]})"
    if not re.fullmatch(r"[\w\s.+\-*/()=,;\[\]]*", line):
        return ""
    for found in NUMBER_THEN_NAME.finditer(line):
        if not keyword.iskeyword(found[2]):
            return f"write {found[1]}*{found[2]} for a product"
    for found in TWO_NAMES.finditer(line):
        first, second = found.groups()
        if first in functions:
            return f"write {first}({second})"
        if not any(map(keyword.iskeyword, (first, second))) and first not in ("print", "type", "match", "case"):
            return f"write {first}*{second} for a product"
    found_bracket = BRACKET_THEN.search(line)
    if found_bracket and not keyword.iskeyword(found_bracket[1]):
        return f"write )*{found_bracket[1]} for a product"
    return ""


def of_function(name: str, known: Collection[str]) -> str:
    """What to write in place of a function or method that is not there: a known one, or all of those."""
    simple = name.lower()
    if simple in INSTEAD:
        return f"; write {INSTEAD[simple]}"
    meant = simple if simple in known else MEANT.get(simple)
    if meant in known:
        return f"; write {meant}"
    close = get_close_matches(name, sorted(known), n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else f": there are {', '.join(sorted(known))}"


def of_name(name: str) -> str:
    """What to write in place of a name that has no value: `π` or `a·b`; "" if nothing is known."""
    if name == "π":
        return "write pi"
    sign = next((c for c in name if c in SIGNS), "")
    return f"for the sign {sign} type {SIGNS[sign]}" if sign else ""


def in_figures(message: str) -> str:
    """An error of the engine with numbers in the place of its Values.

    >>> in_figures("/ of Value(data=1.0, grad=0), Value(data=0.0, grad=0): float division by zero")
    '1 / 0: division by zero'
    >>> in_figures("backward() through Value(data=0.0, grad=1, op='sqrt') of (Value(data=0.0, grad=0),): no slope")
    'backward() through sqrt(0): no slope'
    """
    if back := FAILED_BACK.search(message):
        return f"{message[: back.start()]}through {_figured(back[1], back[2])}: {back[3]}"
    if failed := FAILED.search(message):
        return f"{message[: failed.start()]}{_figured(failed[1], failed[2])}: {failed[3]}"
    return message


def _figured(op: str, values: str) -> str:
    """`1 / 0` for an operation and its Values as the engine writes them."""
    return formula(op, [factor(float(x)) for x in re.findall(r"Value\(data=([^,()]+), grad", values)], True)
