"""What a graph's operations and numbers are in sympy, and how its expressions are shortened and written.

Forward only: derivatives come from the nodes' own closures.  sympy is handed in, loaded late.
"""

import math
import operator
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

DIGITS = 6  # of a number, in text and LaTeX
PLAIN = 800  # numbers and operations: larger expressions are written down as they are
COMPARED = 100  # and the comparisons of those larger than this
SMALL = 250  # operations: the factors of a larger expression take too long to find
STEEP = 10  # the largest power that is simplified: it is multiplied out on the way
BRANCHED = 80  # and with branches in it: all of it may be written once for each
BRANCHES = 2  # the most that are put together: each doubles the work
WRITTEN_TWICE = {"leaky_relu": 0, "elu": 0, "silu": 0, "gelu": 0, "where": 2}  # an operand that is, below
OF_ONE = re.compile(r"\\(?!mathrm)[A-Za-z]+|_\{[^}]*\}")  # Greek letters and indices in LaTeX
ESCAPES = {
    " ": r"\ ", "\\": r"\backslash{}", "<": "<{}", ">": ">{}", "^": r"\wedge{}", "~": r"\sim{}",
    **{c: f"\\{c}{{}}" for c in "$%&#_{}"},
}  # fmt: skip


def functions_of(sympy: Any, written: int) -> dict[str, Callable]:
    """Each operation as a function of sympy expressions.

    Those of a large expression are not evaluated: sympy asks itself whether tanh(...) is zero or
    which of max(...) is larger, and multiplies everything out to find the answer.
    """

    def plain(name: str, most: int = PLAIN) -> Callable:
        keep = {} if written <= most else {"evaluate": False}
        return lambda *operands: getattr(sympy, name)(*operands, **keep)

    def where(condition: Any, a: Any, b: Any) -> Any:
        if sympy.sympify(condition).has(sympy.Piecewise):  # sympy would write out every pair of branches
            return b + (a - b) * heaviside(condition, 0)
        return sympy.Piecewise((a, sympy.StrictGreaterThan(condition, 0)), (b, True))

    def match(index: Any, i: Any) -> Any:
        return sympy.Piecewise((sympy.Integer(1), sympy.Eq(index, i)), (sympy.Integer(0), True))

    def lookup(index: Any, *table: Any) -> Any:
        chosen = [(entry, sympy.Eq(index, i)) for i, entry in enumerate(table[:-1])]
        return sympy.Piecewise(*chosen, (table[-1], True))

    def power(base: Any, exponent: Any) -> Any:
        if base.is_number and exponent.is_number:  # 10**10**10 has too many digits
            return sympy.Pow(base, exponent, evaluate=bool(abs(exponent) <= STEEP))
        return base**exponent

    exp, log, heaviside = plain("exp"), plain("log"), plain("Heaviside", COMPARED)
    greater, less = plain("Max", COMPARED), plain("Min", COMPARED)
    one_name = ("exp", "log", "sin", "cos", "tan", "tanh", "erf")
    return {
        "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "neg": operator.neg,
        "**": power, "abs": plain("Abs"), "sqrt": sympy.sqrt, **{name: plain(name) for name in one_name},
        "sigmoid": lambda x: 1 / (1 + exp(-x)),
        "softplus": lambda x: log(1 + exp(x)),
        "silu": lambda x: x / (1 + exp(-x)),
        "gelu": lambda x: x * (1 + plain("erf")(x / sympy.sqrt(2))) / 2,
        "relu": lambda x: greater(x, 0),
        "leaky_relu": lambda x, slope: greater(x, 0) + slope * less(x, 0),
        "elu": lambda x, alpha: greater(x, 0) + alpha * (exp(less(x, 0)) - 1),
        "maximum": greater, "minimum": less,
        "step": lambda x: where(x, sympy.Integer(1), sympy.Integer(0)), "where": where,
        "match": match, "lookup": lookup,
        "dot": lambda *xs: sum([a * b for a, b in zip(xs, xs[len(xs) // 2 :])]),
        "logsumexp": lambda *xs: log(sum([exp(x) for x in xs])),
    }  # fmt: skip


def number_of(sympy: Any, x: Any) -> Any:
    """A number of the graph, exact: 0.1 is a tenth, and a rule's math.sqrt(2) the root of 2."""
    pi, root = sympy.pi, sympy.sqrt
    known = {
        math.pi: pi, math.e: sympy.E, math.sqrt(2): root(2), 2 / math.sqrt(math.pi): 2 / root(pi),
        math.sqrt(2 * math.pi): root(2 * pi),
    }  # fmt: skip
    if x != x or abs(x) == math.inf:
        return sympy.Symbol(str(x), real=True)
    if x in known:
        return known[x]
    if isinstance(x, float) and 1e-15 < abs(x) < 1e15:
        return sympy.Rational(repr(x))
    exact = Fraction(x)
    short = abs(exact.numerator) < 10**15 and exact.denominator < 10**15
    return sympy.Rational(exact.numerator, exact.denominator) if short else sympy.Float(str(x), 17)


def simplified(sympy: Any, expression: Any) -> Any:
    """The expression in a short form, in functions that were there: 1 - tanh² stays what it is.

    `sympy.simplify` would write 1/cosh², and may take minutes; factors and common denominators
    of a few hundred operations take a second.
    """
    if expression.has(sympy.log) and expression.count_ops() <= SMALL:  # a softmax divides by a sum that is 1
        expression = expression.replace(sympy.log, lambda x: sympy.log(_rational(sympy, x)))
    if expression.count_ops() > SMALL or any(
        [p.exp.is_number and abs(p.exp) > STEEP for p in expression.atoms(sympy.Pow)]
    ):
        return expression
    if 0 < len(expression.atoms(sympy.Piecewise)) <= BRANCHES and expression.count_ops() <= BRANCHED:
        folded = sympy.piecewise_fold(expression)
        if isinstance(folded, sympy.Piecewise):
            branches = [(value, condition) for value, condition in folded.args if not _never(sympy, condition)]
            return sympy.Piecewise(*[(_rational(sympy, value), condition) for value, condition in branches])
    return _rational(sympy, expression)


def _never(sympy: Any, condition: Any) -> bool:
    """Whether it is u > 0 and u < 0 at once, as in the slope of abs, step(x) - step(-x), or i == 0 and i == 1."""
    if not isinstance(condition, sympy.And):
        return False
    pairs = [(r.lhs, r.rhs) for r in condition.args if isinstance(r, sympy.StrictGreaterThan)]
    chosen = [r.lhs for r in condition.args if isinstance(r, sympy.Eq) and r.rhs.is_number]
    return len(chosen) > len(set(chosen)) or any([sympy.StrictLessThan(a, b) in condition.args for a, b in pairs])


def _rational(sympy: Any, expression: Any) -> Any:
    """The shortest of some forms of it as a fraction of polynomials, in which each function is a symbol."""
    parts = expression.atoms(sympy.Function, sympy.Max, sympy.Min)
    parts |= {p for p in expression.atoms(sympy.Pow) if not p.exp.is_Integer}
    symbols: dict[Any, Any] = {}
    back: dict[Any, Any] = {}
    for part in sorted(parts, key=sympy.default_sort_key):  # so that every run says the same
        times, rest = part.args[0].as_coeff_Mul() if isinstance(part, sympy.exp) else (1, part)
        sign = -1 if times < 0 else 1
        base = sympy.exp(sign * rest) if isinstance(part, sympy.exp) and times == int(times) else part
        dummy = back.setdefault(base, sympy.Dummy(real=True))
        symbols[part] = dummy ** abs(times) if base is not part else dummy
    there = expression.xreplace(symbols)
    forms = [sympy.factor_terms(there), there, sympy.factor(sympy.together(there))]
    best = min(forms, key=lambda form: form.count_ops())
    return best.xreplace({dummy: base for base, dummy in back.items()})


def shortened(sympy: Any, expression: Any) -> Any:
    """With 0.125 for 1/8, but 1/3 as it is."""
    decimals = {}
    for r in expression.atoms(sympy.Rational):
        finite = 10**20 % r.q == 0
        if r.q > 9 and (finite or len(str(r)) > 8):
            decimals[r] = sympy.Float(r, 17)
    return expression.xreplace(decimals)


def texts_of(sympy: Any, expression: Any, latex_names: dict[Any, str]) -> tuple[str, str]:
    """Text, in Python's own words, and LaTeX, with numbers of six digits."""

    class Printer(sympy.printing.str.StrPrinter):
        def _print_Piecewise(self, found: Any) -> str:
            *branches, last = found.args
            words = [f"{self._print(value)} if {self._print(condition)} else " for value, condition in branches]
            if last.cond != sympy.true:  # sympy knows no other case, as for x > 0 or x <= 0
                words.append(f"{self._print(last.expr)} if {self._print(last.cond)} else ")
                return f"({''.join(words)}nan)"
            return f"({''.join(words)}{self._print(last.expr)})"

        def _print_Equality(self, found: Any) -> str:
            return f"{self._print(found.lhs)} == {self._print(found.rhs)}"

        def _print_Function(self, found: Any) -> str:
            name = {"Max": "max", "Min": "min", "Abs": "abs", "Heaviside": "step"}.get(found.func.__name__)
            operands = found.args[:1] if name == "step" else found.args
            return f"{name}({self.stringify(operands, ', ')})" if name else super()._print_Function(found)

        _print_Max = _print_Min = _print_Abs = _print_Heaviside = _print_Function

    rounded = expression.xreplace({x: sympy.Float(x, DIGITS) for x in expression.atoms(sympy.Float)})
    words = any([re.search(r"\\mathrm|[A-Za-z]{2}", OF_ONE.sub("", name)) for name in latex_names.values()])
    space = r" \, " if words else None  # else two names of several letters would be one word
    latex = sympy.latex(rounded, symbol_names=latex_names, full_prec=False, mul_symbol=space)
    return Printer({"full_prec": False}).doprint(rounded), latex


def latex_of(sympy: Any, name: str) -> str:
    r"""A name in LaTeX: `w1` with its index below, `alpha` as the letter, anything else sign for sign.

    >>> import sympy
    >>> latex_of(sympy, "w0_1"), latex_of(sympy, "xs[0]"), latex_of(sympy, "a b$")
    ('w_{0,1}', '{xs}_{0}', '\\mathrm{a\\ b\\${}}')
    """
    if re.fullmatch(r"[A-Za-z]+[0-9]*(_[A-Za-z0-9]+)*", name):
        return re.sub(r"(?<=\d) (?=\d)", ",", sympy.latex(sympy.Symbol(name)))  # w0_1: not w with the index 01
    if item := re.fullmatch(r"([A-Za-z]\w*)\[(\d+)\]", name, re.ASCII):
        return f"{{{latex_of(sympy, item[1])}}}_{{{item[2]}}}"
    return rf"\mathrm{{{''.join([ESCAPES.get(c, c) for c in name])}}}"
