"""Chapter 02: the reader's engine beside the library's, a patient, and the checks of its exercises."""

import ast
import html
import inspect
import math
import textwrap

import microgrid as mg

from .lesson import close, exercise


class _Bare(ast.NodeTransformer):
    """Takes out explanations, `if ...: raise ...`, and the frame of `try` around what is tried."""

    def visit_FunctionDef(self, node):
        self.generic_visit(node)
        node.body = [x for x in node.body if not isinstance(getattr(x, "value", None), ast.Constant)]
        return node

    def visit_If(self, node):
        self.generic_visit(node)
        return None if all([isinstance(line, ast.Raise) for line in node.body]) else node

    def visit_Try(self, node):
        self.generic_visit(node)
        return node.body


def _bare(function):
    return ast.dump(_Bare().visit(ast.parse(textwrap.dedent(inspect.getsource(function)))))


def _of_engine(things):
    return {name: f for name, f in things.items() if inspect.isfunction(f) and f.__module__ == "microgrid.engine"}


def compare_texts(things, kind):
    """Holds the text of each function of the library's engine against the reader's.

    Arguments: things, the reader's functions by name, as globals() gives them; kind, the reader's class.
    Returns two lists of names: those that are the same, but for explanations and refusals of bad input; the others.
    """
    methods = {f.__qualname__: f for f in _of_engine(vars(mg.Value)).values()}
    theirs = _of_engine(vars(mg.engine)) | methods
    mine = things | {f"Value.{name}": f for name, f in vars(kind).items()}
    same = [name for name in theirs if name in mine and _bare(theirs[name]) == _bare(mine[name])]
    return same, [name for name in theirs if name not in same]


def text_of(function):
    """The text of a function, for a notebook to show; long lines scroll."""
    from IPython.display import HTML

    text = html.escape(textwrap.dedent(inspect.getsource(function)))
    return HTML(f'<pre style="white-space: pre; overflow-x: auto; font-family: monospace">{text}</pre>')


@exercise("02.1", hint="look for values that are used twice; it need not be a itself")
def overwritten(letters):
    """B and C, as text or in a list, in any order."""
    assert isinstance(letters, (str, list, tuple, set)), 'write the letters as text, such as "AC"'
    chosen = {letter for text in letters for letter in str(text).upper() if letter not in ", "}
    assert chosen, "there is at least one"
    assert chosen <= set("ABCD"), "the letters are A, B, C and D"
    too_many = sorted(chosen & set("AD"))
    assert not too_many, f"in {' and '.join(too_many)} nothing is used twice, so nothing is overwritten"
    assert len(chosen) == 2, f"{min(chosen)} is right, and it is not the only one"
    return "In B it is a that is used twice, in C it is s; a then gets only the last of two slopes."


@exercise(
    "02.2",
    hint="write c as a formula in a alone, and take its slope. Then ask which of a, b and c begin afresh with "
    "each call, "
    "and which adds up",
)
def three_calls(after_one, after_three):
    """The grads of a leaf after one and after three calls of backward, as the engine has them."""
    a = mg.Value(3.0)
    b = a + a
    c = b * a
    grads = []
    for _ in range(3):
        c.backward()
        grads.append(a.grad)
    close(after_one, grads[0], what="the slope after one call")
    close(after_three, grads[2], what="the slope after three calls")


def _slopes(given, many):
    """What a rule gives, as a tuple of so many slopes."""
    assert given is not None, "the rule gives nothing back: is there a return?"
    wanted = "one slope, in brackets and with a comma: (slope,)" if many == 1 else "two slopes: return first, second"
    assert isinstance(given, (tuple, list)) and len(given) == many, f"the rule should give {wanted}"
    return tuple(given)


@exercise("02.3", hint="out is the root already, and on Values too; what is the slope, written with out?")
def rule_of_root(rule, sqrt, kind):
    """A rule for the root that is right on numbers and on Values."""
    assert callable(rule), "sqrt_gradients is a function: write it with def"
    _slopes(rule(3.0, 9.0), 1)
    for x in (0.25, 2.0, 9.0):
        value = kind(x)
        result = 3 * sqrt(value)
        result.backward()
        close(value.grad, 1.5 / math.sqrt(x), what=f"the slope of 3 * sqrt(x) at {x:g}")
    value = kind(4.0)
    try:
        sqrt(value).backward(create_graph=True)
        slope, value.grad = value.grad, 0
        slope.backward()
    except (TypeError, AttributeError):
        raise AssertionError("right for plain numbers, but it fails on Values") from None
    close(value.grad, -0.25 * 4.0**-1.5, what="the slope of the slope at 4")
    return "And the slope of its slope is right as well."


@exercise(
    "02.4",
    hint="the report of check names the operation and says what its slopes are, and what is right. By what do the two "
    "differ? And where do you see a / b in the right one?",
)
def patient_and_rule(operation, rule):
    """The operation that check names, and its rule made of out and b."""
    assert isinstance(operation, str), 'write the operation as text, such as "+"'
    assert operation.strip() in ("/", "a / b", "a/b", "__truediv__"), f"{operation!r} is not the one that check names"
    assert callable(rule), "mended_gradients is a function: write it with def"
    for a, b in ((3.0, 5.0), (-2.0, 0.5)):
        try:
            given = rule(a / b, None, b)
        except TypeError:
            raise AssertionError("the rule should be made of out and b alone, without a") from None
        first, second = _slopes(given, 2)
        close(first, 1 / b, what=f"the slope of a / b in a, at a = {a:g}, b = {b:g},")
        close(second, -a / b**2, what=f"the slope of a / b in b, at a = {a:g}, b = {b:g},")
    return "The patient can go home."


class Patient:
    """An engine with one wrong rule."""

    def __init__(self, data, parents=(), slopes=()):
        self.data, self.grad, self.parents, self.slopes = data, 0.0, parents, slopes

    def __add__(self, other):
        return made(lambda a, b: a + b, lambda a, b: (1, 1), self, other)

    def __sub__(self, other):
        return made(lambda a, b: a - b, lambda a, b: (1, -1), self, other)

    def __mul__(self, other):
        return made(lambda a, b: a * b, lambda a, b: (b, a), self, other)

    def __truediv__(self, other):
        return made(lambda a, b: a / b, lambda a, b: (1 / b, -a / b), self, other)

    def __pow__(self, k):
        return made(lambda a: a**k, lambda a: (k * a ** (k - 1) if k else 0.0,), self)

    def __neg__(self):
        return made(lambda a: -a, lambda a: (-1,), self)

    def __radd__(self, other):
        return Patient(other) + self

    def __rsub__(self, other):
        return Patient(other) - self

    def __rmul__(self, other):
        return Patient(other) * self

    def __rtruediv__(self, other):
        return Patient(other) / self

    def exp(self):
        return made(math.exp, lambda a: (math.exp(a),), self)

    def log(self):
        return made(math.log, lambda a: (1 / a,), self)

    def tanh(self):
        return made(math.tanh, lambda a: (1 - math.tanh(a) ** 2,), self)

    def sigmoid(self):
        return made(logistic, lambda a: (logistic(a) * (1 - logistic(a)),), self)

    def relu(self):
        return made(lambda a: max(a, 0.0), lambda a: (float(a > 0),), self)

    def backward(self):
        order = mg.topological_order(self)
        for node in order:
            if node.parents:
                node.grad = 0.0
        self.grad += 1
        for node in reversed(order):
            for parent, slope in zip(node.parents, node.slopes):
                parent.grad += node.grad * slope


def made(function, rule, *operands):
    """A Patient, of a function of its operands' numbers and a rule that gives their slopes."""
    operands = tuple([x if isinstance(x, Patient) else Patient(x) for x in operands])
    numbers = [x.data for x in operands]
    return Patient(function(*numbers), operands, rule(*numbers))


def logistic(x):
    """1 / (1 + e^-x)."""
    return 0.5 * (1 + math.tanh(x / 2))
