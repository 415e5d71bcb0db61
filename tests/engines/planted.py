"""The 25 bugs that people really make, planted one or several at a time into each of three right engines.

A bug is a list of ways, the first that fits is taken; a way is a tuple of replacements (old, new) of text that stands
there exactly once, or (old, new, ALL) for each place. A replacement of a text by itself only asks that it is there.
"""

from pathlib import Path

STYLES = ("closures", "local_gradients", "free_functions")
BUGS = {
    1: "= in place of +=",
    2: "pre-order",
    3: "visited never consulted",
    4: "recursion without an order",
    5: "a sort that appends duplicates",
    6: "parents in a set",
    7: "* uses grad for data",
    8: "2 - a is a - 2",
    9: "2 / a is a / 2",
    10: "sigmoid's slope is 1 - s",
    11: "a backward never attached",
    12: "tanh overwrites its inner backward",
    13: "an unbound name in exp",
    14: "slopes of * swapped",
    15: "** without its factor",
    16: "backward once per path",
    17: "recursive sort",
    18: "results not reset",
    19: "root's grad accumulates",
    20: "+= changes data in place",
    21: "relu's slope at 0 is 1",
    22: "constants fail",
    23: "overflow at 1000",
    24: "an epsilon in log",
    25: "relu changes its operand",
}
ALL = "all"
SWEEPS = (2, 3, 4, 5, 16, 17, 18, 19)
OTHERS = (1, 7, 14, 6, 13, 12, 23, 21, 11, 25, 22, 8, 9, 10, 15, 20, 24)
ORDER = {"closures": OTHERS + SWEEPS, "local_gradients": SWEEPS + OTHERS, "free_functions": SWEEPS + OTHERS}


class Conflict(ValueError):
    """These bugs can't be had together: they are different forms of the same lines."""


def planted(style: str, *bugs: int) -> str:
    """The source text of that style's engine with these bugs in it, whatever their order; none: the right engine."""
    source = Path(__file__).with_name(f"{style}.py").read_text(encoding="utf-8")
    for bug in sorted(set(bugs), key=ORDER[style].index):
        ways = [way for way in WAYS[style][bug] if all([fits(source, *piece) for piece in way])]
        if not ways:
            raise Conflict(f"planted({style!r}, *{bugs}): bug {bug} finds no place beside the others")
        for old, new, *_ in ways[0]:
            source = source.replace(old, new)
    try:
        compile(source, style, "exec")
    except SyntaxError as error:
        raise Conflict(f"planted({style!r}, *{bugs}) is no Python: {error}") from None
    return source


def fits(source, old, new, places=1):
    return old in source if places == ALL else source.count(old) == 1


def without(*lines):
    return [(line, "") for line in lines]


# ---- micrograd's style: closures -------------------------------------------------------------------------------------

WRAP = "        other = other if isinstance(other, Value) else Value(other)\n"
RADD = "    def __radd__(self, other):\n        return self + other\n\n"
RMUL = "    def __rmul__(self, other):\n        return self * other\n\n"
IADD = """\
    def __iadd__(self, other):
        self.data += other.data if isinstance(other, Value) else other
        return self

"""
STABLE = """\
        small = math.exp(-abs(self.data))
        s = 1 / (1 + small) if self.data >= 0 else small / (1 + small)
"""
NAIVE = "        s = 1 / (1 + math.exp(-self.data))\n"
ATTACH = "\n        out._backward = _backward\n"

SORT = """\
        topo, visited, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                topo.append(node)
            elif node not in visited:
                visited.add(node)
                stack.append((node, True))
                stack += [(child, False) for child in node._prev]
"""
UNCHECKED = SORT.replace("elif node not in visited:", "else:")
PREORDER = """\
        topo, visited, stack = [], set(), [self]
        while stack:
            node = stack.pop()
            if node not in visited:
                visited.add(node)
                topo.append(node)
                stack += node._prev
"""
DUPLICATES = UNCHECKED.replace("in node._prev]", "in node._prev if child not in visited]")
RECURSIVE = """\
        topo, visited = [], set()

        def build_topo(v):
            if v not in visited:
                visited.add(v)
                for child in v._prev:
                    build_topo(child)
                topo.append(v)

        build_topo(self)
"""
RECURSIVE_UNCHECKED = """\
        topo, visited = [], set()

        def build_topo(v):
            visited.add(v)
            for child in v._prev:
                build_topo(child)
            topo.append(v)

        build_topo(self)
"""
RECURSIVE_PREORDER = """\
        topo, visited = [], set()

        def build_topo(v):
            if v not in visited:
                visited.add(v)
                topo.append(v)
                for child in v._prev:
                    build_topo(child)

        build_topo(self)
"""
RESET = """\
        for node in topo:
            if node._prev:
                node.grad = 0.0
"""
FIRE = """\
        for node in reversed(topo):
            if node._backward:
                node._backward(node)
"""
BACKWARD = "    def backward(self):\n" + SORT + RESET + "        self.grad = 1.0\n" + FIRE
CLEAR = """\
    def _clear(self):
        if self._prev:
            self.grad = 0.0
        for child in self._prev:
            child._clear()

"""
AT_ONCE = """\
    def _send(self):
        if self._backward:
            self._backward(self)
        for child in self._prev:
            child._send()

    def backward(self):
        self._clear()
        self.grad = 1.0
        self._send()
"""
PER_PATH = """\
    def _send(self, grad):
        self.grad += grad
        if self._backward:
            self._backward(self, grad)

    def backward(self):
        self._clear()
        self.grad = 0.0
        self._send(1.0)
"""
PASS_ON = (
    (".grad += ", "._send(", ALL),
    ("out.grad\n", "grad)\n", ALL),
    ("def _backward(out):", "def _backward(out, grad):", ALL),
)
CLEAR_BELOW = "        for child in self._prev:\n            child._clear()\n"


def both(assign):
    return f"            self.grad {assign} out.grad\n            other.grad {assign} out.grad"


def product(assign, first="other.data", second="self.data"):
    return f"            self.grad {assign} {first} * out.grad\n            other.grad {assign} {second} * out.grad"


def from_the_set(assign):
    loop = f"            for operand in out._prev:\n                operand.grad {assign} out.grad"
    picked = "            operands = list(out._prev)\n" + product(assign, "operands[-1].data", "operands[0].data")
    return (("tuple(_prev)", "set(_prev)"), (both(assign), loop)), ((product(assign), picked),)


CLOSURES = {
    1: [((both("+="), both("=")), (product("+="), product("=")))],
    2: [((SORT, PREORDER), ("in reversed(topo)", "in topo"))],
    3: [((SORT, UNCHECKED),)],
    4: [((BACKWARD, CLEAR + AT_ONCE),)],
    5: [((SORT, DUPLICATES),)],
    6: [way for op in ("+=", "=") for init, rest in [from_the_set(op)] for way in (init + rest, init)],
    7: [(("other.data * out.grad", "other.grad * out.grad"),)],
    8: [
        (("def __add__(self, other):\n        out", "def __add__(self, other):\n        out"),
         ("return (-self) + other", "return self - Value(other)")),
        (("return (-self) + other", "return self - other"),),
    ],
    9: [(("return self**-1 * other", "return self / other"),)],
    10: [(("out.data * (1 - out.data)", "(1 - out.data)"),)],
    11: [
        (("(self.data > 0) * out.grad\n" + ATTACH, "(self.data > 0) * out.grad\n\n"),),
        (("(1 - out.data) * out.grad\n" + ATTACH, "(1 - out.data) * out.grad\n\n"),),
    ],
    12: [
        (("+= e * out.grad", "+= e * out.grad"),
         ('out = Value(math.tanh(self.data), (self,), "tanh")',
          "exp2x = math.e ** (self * 2)\n        out = (exp2x - Value(1)) / (exp2x + Value(1))"),
         ("self.grad += (1 - out.data**2)", "exp2x.grad += (1 - out.data**2)")),
        (('out = Value(math.tanh(self.data), (self,), "tanh")',
          "e = (self * 2).exp()\n        out = (e - Value(1)) / (e + Value(1))"),
         ("self.grad += (1 - out.data**2)", "e.grad += (1 - out.data**2)")),
    ],
    13: [(("out.data * out.grad", "e * out.grad"),)],
    14: [
        ((product(op, first), product(op, "self.data", first)),)
        for op in ("+=", "=")
        for first in ("other.data", "other.grad")
    ],
    15: [(("self.grad += (k * self.data ** (k - 1) if k else 0.0)", "self.grad = self.data ** (k - 1)"),)],
    16: [
        ((both("="), both("+=")), (product("="), product("+=")),
         *PASS_ON, (BACKWARD, CLEAR + PER_PATH.replace("grad += grad", "grad = grad"))),
        (("self.grad = self.data ** (k - 1)", "self.grad += self.data ** (k - 1)"),
         *PASS_ON, (BACKWARD, CLEAR + PER_PATH)),
        (*PASS_ON, (BACKWARD, CLEAR + PER_PATH)),
    ],
    17: [((SORT, RECURSIVE),), ((UNCHECKED, RECURSIVE_UNCHECKED),), ((PREORDER, RECURSIVE_PREORDER),)],
    18: [without(RESET), without(CLEAR, "        self._clear()\n")],
    19: [
        ((RESET, RESET.replace("if node._prev", "if node._prev and node is not self")),
         ("self.grad = 1.0", "self.grad += 1.0")),
        (("        self._clear()\n        self.grad = 1.0", CLEAR_BELOW + "        self.grad += 1.0"),),
        (("        self._clear()\n        self.grad = 0.0\n", CLEAR_BELOW),),
        (("        self.grad = 0.0\n        self._send(1.0)", "        self._send(1.0)"),),
        (("self.grad = 1.0", "self.grad += 1.0"),),
    ],
    20: [(("    def __neg__", IADD + "    def __neg__"),)],
    21: [(("(self.data > 0) *", "(self.data >= 0) *"),)],
    22: [((WRAP + "        out = Value(self.data + ", "        out = Value(self.data + "), (RADD, ""), (RMUL, ""))],
    23: [
        (("out = Value(math.tanh(self.data),", "e = math.exp(2 * self.data)\n        out = Value((e - 1) / (e + 1),"),),
        ((STABLE, NAIVE),),
    ],
    24: [(("math.log(self.data),", "math.log(self.data + 1e-8),"), ("1 / self.data *", "1 / (self.data + 1e-8) *"))],
    25: [
        (("out = Value(self.data if self.data > 0 else 0.0,",
          "slope = self.data >= 0\n        self.data = max(0.0, self.data)\n        out = Value(self.data,"),
         ("(self.data >= 0) *", "slope *")),
        (("out = Value(self.data if self.data > 0 else 0.0,",
          "self.data = max(0.0, self.data)\n        out = Value(self.data,"),),
    ],
}  # fmt: skip


# ---- microgpt's style: local gradients -------------------------------------------------------------------------------


def renamed(text):
    """The same lines as the closures' style has, with this style's names."""
    for old, new in (("node", "v"), ("._prev", "._children"), ("0.0", "0"), ("1.0", "1")):
        text = text.replace(old, new)
    return text


GPT_SORT = """\
        topo, visited, stack = [], set(), [self]
        while stack:
            v = stack.pop()
            if v is None:
                topo.append(stack.pop())
            elif v not in visited:
                visited.add(v)
                stack += (v, None, *v._children)
"""
GPT_UNCHECKED = GPT_SORT.replace("elif v not in visited:", "else:")
GPT_DUPLICATES = GPT_UNCHECKED.replace("*v._children)", "*[child for child in v._children if child not in visited])")
GPT_RESET, GPT_CLEAR, GPT_CLEAR_BELOW = renamed(RESET), renamed(CLEAR), renamed(CLEAR_BELOW)
GPT_FIRE = """\
        for v in reversed(topo):
            for child, local_grad in zip(v._children, v._local_grads):
                child.grad += local_grad * v.grad
"""
GPT_BACKWARD = "    def backward(self):\n" + GPT_SORT + GPT_RESET + "        self.grad = 1\n" + GPT_FIRE
GPT_AT_ONCE = """\
    def _send(self):
        for child, local_grad in zip(self._children, self._local_grads):
            child.grad += local_grad * self.grad
        for child in self._children:
            child._send()

    def backward(self):
        self._clear()
        self.grad = 1
        self._send()
"""
GPT_PER_PATH = """\
    def _send(self, grad):
        self.grad += grad
        for child, local_grad in zip(self._children, self._local_grads):
            child._send(local_grad * grad)

    def backward(self):
        self._clear()
        self.grad = 0
        self._send(1)
"""
TANH = "        t = math.tanh(self.data)\n        return Value(t, (self,), (1 - t * t,))\n"
TANH_OF_EXP = """\
        e = (self * 2).exp()
        t = (e - Value(1)) / (e + Value(1))
        t._children, t._local_grads = (e,), (1 - t.data**2,)
        return t
"""
RELU = "        return Value(max(0, self.data)"
RELU_IN_PLACE = "        self.data = max(0, self.data)\n        return Value(self.data"

LOCAL_GRADIENTS = {
    1: [(("child.grad += ", "child.grad = "),), (("self.grad += grad", "self.grad = grad"),)],
    2: [((GPT_SORT, renamed(PREORDER)), ("in reversed(topo)", "in topo"))],
    3: [((GPT_SORT, GPT_UNCHECKED),)],
    4: [((GPT_BACKWARD, GPT_CLEAR + GPT_AT_ONCE),)],
    5: [((GPT_SORT, GPT_DUPLICATES),)],
    6: [(("self._children = children", "self._children = set(children)"),)],
    7: [(("(other.data, self.data)", "(other.grad, self.data)"),)],
    8: [
        (("def __add__(self, other):\n        return", "def __add__(self, other):\n        return"),
         ("return other + (-self)", "return self - Value(other)")),
        (("return other + (-self)", "return self - other"),),
    ],
    9: [(("return other * self**-1", "return self / other"),)],
    10: [(("(s * (1 - s),)", "(1 - s,)"),)],
    11: [
        (("max(0, self.data), (self,), (float(self.data > 0),)", "max(0, self.data)"),),
        (("Value(s, (self,), (s * (1 - s),))", "Value(s)"),),
    ],
    12: [
        (("(out.data,)", "(out.data,)"), (TANH, TANH_OF_EXP.replace("(self * 2).exp()", "math.e ** (self * 2)"))),
        ((TANH, TANH_OF_EXP),),
    ],
    13: [(("        e = math.exp(self.data)\n        return Value(e, (self,), (e,))",
           "        return Value(math.exp(self.data), (self,), (out.data,))"),)],
    14: [
        (("(other.data, self.data)", "(self.data, other.data)"),),
        (("(other.grad, self.data)", "(self.data, other.grad)"),),
    ],
    15: [(("(k * self.data ** (k - 1) if k else 0,)", "(self.data ** (k - 1),)"),)],
    16: [((GPT_BACKWARD, GPT_CLEAR + GPT_PER_PATH),)],
    17: [
        ((GPT_SORT, renamed(RECURSIVE)),),
        ((GPT_UNCHECKED, renamed(RECURSIVE_UNCHECKED)),),
        ((renamed(PREORDER), renamed(RECURSIVE_PREORDER)),),
    ],
    18: [without(GPT_RESET), without(GPT_CLEAR, "        self._clear()\n")],
    19: [
        ((GPT_RESET, GPT_RESET.replace("if v._children", "if v._children and v is not self")),
         ("self.grad = 1\n", "self.grad += 1\n")),
        (("        self._clear()\n        self.grad = 1\n", GPT_CLEAR_BELOW + "        self.grad += 1\n"),),
        (("        self._clear()\n        self.grad = 0\n", GPT_CLEAR_BELOW),),
        (("        self.grad = 0\n        self._send(1)", "        self._send(1)"),),
        (("self.grad = 1\n", "self.grad += 1\n"),),
    ],
    20: [(("    def __neg__", IADD + "    def __neg__"),)],
    21: [(("float(self.data > 0)", "float(self.data >= 0)"),)],
    22: [((WRAP + "        return Value(self.data + ", "        return Value(self.data + "), (RADD, ""), (RMUL, ""))],
    23: [
        (("t = math.tanh(self.data)", "e = math.exp(2 * self.data)\n        t = (e - 1) / (e + 1)"),),
        ((STABLE, NAIVE),),
    ],
    24: [(("math.log(self.data), (self,), (1 / self.data,)",
           "math.log(self.data + 1e-8), (self,), (1 / (self.data + 1e-8),)"),)],
    25: [
        ((RELU, "        slope = float(self.data >= 0)\n" + RELU_IN_PLACE),
         ("(float(self.data >= 0),)", "(slope,)")),
        ((RELU, RELU_IN_PLACE),),
    ],
}  # fmt: skip


# ---- a tape and free functions ---------------------------------------------------------------------------------------

TAPE_SORT = """\
    topo, reached = [], {root}
    for entry in reversed(TAPE):
        out, operands, _ = entry
        if out in reached:
            topo.append(entry)
            reached.update(operands)
"""
ENTRIES = "    entries = {entry[0]: entry for entry in TAPE}\n"
TAPE_PREORDER = (
    ENTRIES
    + """\
    topo, visited, stack = [], set(), [root]
    while stack:
        node = stack.pop()
        if node in entries and node not in visited:
            visited.add(node)
            topo.append(entries[node])
            stack += entries[node][1]
"""
)
TAPE_UNCHECKED = (
    ENTRIES
    + """\
    topo, visited, stack = [], set(), [(root, False)]
    while stack:
        node, done = stack.pop()
        if done:
            topo.append(entries[node])
        elif node in entries:
            visited.add(node)
            stack.append((node, True))
            stack += [(operand, False) for operand in entries[node][1]]
    topo.reverse()
"""
)
TAPE_DUPLICATES = TAPE_UNCHECKED.replace("entries[node][1]]", "entries[node][1] if operand not in visited]")
TAPE_RECURSIVE = (
    ENTRIES
    + """\
    topo, visited = [], set()

    def build_topo(node):
        if node in entries and node not in visited:
            visited.add(node)
            for operand in entries[node][1]:
                build_topo(operand)
            topo.append(entries[node])

    build_topo(root)
    topo.reverse()
"""
)
TAPE_RECURSIVE_UNCHECKED = TAPE_RECURSIVE.replace(" and node not in visited", "")
TAPE_RECURSIVE_PREORDER = (
    ENTRIES
    + """\
    topo, visited = [], set()

    def build_topo(node):
        if node in entries and node not in visited:
            visited.add(node)
            topo.append(entries[node])
            for operand in entries[node][1]:
                build_topo(operand)

    build_topo(root)
"""
)
TAPE_RESET = "    for out, _, _ in topo:\n        out.grad = 0.0\n"
TAPE_FIRE = """\
    for out, operands, slopes in topo:
        for operand, slope in zip(operands, slopes):
            operand.grad += out.grad * slope
"""
TAPE_BACKWARD = "def backward(root):\n" + TAPE_SORT + TAPE_RESET + "    root.grad = 1.0\n" + TAPE_FIRE
TAPE_CLEAR = """\
def clear(out, entries):
    if out in entries:
        out.grad = 0.0
        for operand in entries[out][1]:
            clear(operand, entries)


"""
TAPE_AT_ONCE = """\
def send(out, entries):
    if out in entries:
        _, operands, slopes = entries[out]
        for operand, slope in zip(operands, slopes):
            operand.grad += out.grad * slope
        for operand in operands:
            send(operand, entries)


def backward(root):
    entries = {entry[0]: entry for entry in TAPE}
    clear(root, entries)
    root.grad = 1.0
    send(root, entries)
"""
TAPE_PER_PATH = """\
def send(out, grad, entries):
    out.grad += grad
    if out in entries:
        _, operands, slopes = entries[out]
        for operand, slope in zip(operands, slopes):
            send(operand, grad * slope, entries)


def backward(root):
    entries = {entry[0]: entry for entry in TAPE}
    clear(root, entries)
    root.grad = 0.0
    send(root, 1.0, entries)
"""
TAPE_CLEAR_ROOT = "    clear(root, entries)\n"
TAPE_CLEAR_BELOW = "    for operand in entries[root][1]:\n        clear(operand, entries)\n"
TAPE_IADD = """\
    def __iadd__(self, other):
        self.data += number(other).data
        return self

"""
TAPE_WRAP = "    a, b = number(a), number(b)\n"
TAPE_TANH = "    t = math.tanh(a.data)\n    return write(t, (a,), (1 - t * t,))\n"
TAPE_TANH_OF_EXP = """\
    e = exp(mul(a, 2.0))
    t = div(sub(e, Number(1.0)), add(e, Number(1.0)))
    TAPE[-1] = (t, (e,), (1 - t.data**2,))
    return t
"""
TAPE_EXP = "    e = math.exp(2 * a.data)\n    e = write(e, (a,), (2 * e,))\n"
TAPE_RELU = "    return write(max(0.0, a.data)"
TAPE_SLOPE = "(1.0 if a.data > 0 else 0.0,)"

FREE_FUNCTIONS = {
    1: [(("operand.grad += ", "operand.grad = "),), (("out.grad += grad", "out.grad = grad"),)],
    2: [((TAPE_SORT, TAPE_PREORDER),)],
    3: [((TAPE_SORT, TAPE_UNCHECKED),)],
    4: [((TAPE_BACKWARD, TAPE_CLEAR + TAPE_AT_ONCE),)],
    5: [((TAPE_SORT, TAPE_DUPLICATES),)],
    6: [(("(out, operands, slopes))", "(out, set(operands), slopes))"),)],
    7: [(("(b.data, a.data)", "(b.grad, a.data)"),)],
    8: [(("sub(other, self)", "sub(self, other)"),)],
    9: [(("div(other, self)", "div(self, other)"),)],
    10: [(("(s * (1 - s),)", "(1 - s,)"),)],
    11: [
        ((TAPE_RELU + ", (a,), " + TAPE_SLOPE, "    return Number(max(0.0, a.data)"),),
        (("write(s, (a,), (s * (1 - s),))", "Number(s)"),),
    ],
    12: [
        (("(out.data,)", "(out.data,)"),
         (TAPE_TANH, TAPE_TANH_OF_EXP.replace("    e = exp(mul(a, 2.0))\n", TAPE_EXP))),
        ((TAPE_TANH, TAPE_TANH_OF_EXP),),
    ],
    13: [(("    e = math.exp(a.data)\n    return write(e, (a,), (e,))",
           "    return write(math.exp(a.data), (a,), (out.data,))"),)],
    14: [(("(b.data, a.data)", "(a.data, b.data)"),), (("(b.grad, a.data)", "(a.data, b.grad)"),)],
    15: [(("(k * a.data ** (k - 1) if k else 0.0,)", "(a.data ** (k - 1),)"),)],
    16: [((TAPE_BACKWARD, TAPE_CLEAR + TAPE_PER_PATH),)],
    17: [
        ((TAPE_SORT, TAPE_RECURSIVE),),
        ((TAPE_UNCHECKED, TAPE_RECURSIVE_UNCHECKED),),
        ((TAPE_PREORDER, TAPE_RECURSIVE_PREORDER),),
    ],
    18: [without(TAPE_RESET), without(TAPE_CLEAR, TAPE_CLEAR_ROOT)],
    19: [
        ((TAPE_RESET, "    for out, _, _ in topo:\n        if out is not root:\n            out.grad = 0.0\n"),
         ("root.grad = 1.0", "root.grad += 1.0")),
        ((TAPE_CLEAR_ROOT + "    root.grad = 1.0", TAPE_CLEAR_BELOW + "    root.grad += 1.0"),),
        ((TAPE_CLEAR_ROOT + "    root.grad = 0.0\n", TAPE_CLEAR_BELOW),),
        (("    root.grad = 0.0\n    send(root, 1.0", "    send(root, 1.0"),),
        (("root.grad = 1.0", "root.grad += 1.0"),),
    ],
    20: [(("    def __neg__", TAPE_IADD + "    def __neg__"),)],
    21: [((TAPE_SLOPE, "(1.0 if a.data >= 0 else 0.0,)"),)],
    22: [((TAPE_WRAP + "    return write(a.data + ", "    return write(a.data + "),
          ("    def __radd__(self, other):\n        return add(other, self)\n\n", ""),
          ("    def __rmul__(self, other):\n        return mul(other, self)\n\n", ""))],
    23: [
        (("t = math.tanh(a.data)", "e = math.exp(2 * a.data)\n    t = (e - 1) / (e + 1)"),),
        (("    small = math.exp(-abs(a.data))\n    s = 1 / (1 + small) if a.data >= 0 else small / (1 + small)\n",
          "    s = 1 / (1 + math.exp(-a.data))\n"),),
    ],
    24: [(("math.log(a.data), (a,), (1 / a.data,)", "math.log(a.data + 1e-8), (a,), (1 / (a.data + 1e-8),)"),)],
    25: [
        ((TAPE_RELU, "    slope = 1.0 if a.data >= 0 else 0.0\n    a.data = max(0.0, a.data)\n    return write(a.data"),
         ("(1.0 if a.data >= 0 else 0.0,)", "(slope,)")),
        ((TAPE_RELU, "    a.data = max(0.0, a.data)\n    return write(a.data"),),
        (("    return Number(max(0.0, a.data)", "    a.data = max(0.0, a.data)\n    return Number(a.data"),),
    ],
}  # fmt: skip

WAYS: dict[str, dict] = {"closures": CLOSURES, "local_gradients": LOCAL_GRADIENTS, "free_functions": FREE_FUNCTIONS}
