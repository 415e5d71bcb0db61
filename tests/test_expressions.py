"""Expressions as text: what is computed, what is refused and how; and the verbs `draw` and `steps`."""

import contextlib
import math
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import python_says, refusal
from test_cli import bad, microgrid

import microgrid as mg
from microgrid import Value
from microgrid.pictures.expressions import BadExpression, parse

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
EXAMPLE = re.search(r"^```python\n(.*?)^```", README, re.S | re.M)[1]
A = {"a": 2.0, "b": -3.0, "c": 10.0}
IMPORTED = "nothing can be imported but microgrid, and math and numpy for their pi and e"
HAS = "(an expression has numbers, names, + - * / **, and functions such as tanh(x))"


@pytest.mark.parametrize(
    "text",
    [
        "a*b + c", "(a*b + c).tanh()", "tanh(a*b + c)", "-a**2/b - c", "a**-2 + 2**a", "-(a - b)*1.5e-3", "abs(b)*a*c",
        "dot([a, b], [c, 2])", "softmax([a, b, 1])[0] + softmax((c, a))[-1] + b", "logsumexp([a, b, c])",
        "maximum(a, b)*minimum(b, c)", "where(b, a, c) + step(a)*b", "leaky_relu(b, slope=0.2) + elu(b, alpha=a) + c",
        "sum([a, b, c, 1])", "pi*a + e*b + c", "a*(2 + 3)*b - c", "b.sigmoid().log() + a + c",
        "lookup([a, b*c, c], step(c)) + a", "lookup([a, b, c], 2)*a*b",
    ],
)  # fmt: skip
def test_it_computes_what_python_computes(text):
    """The same text, by Python itself, on microgrid's functions."""
    values = {name: Value(x) for name, x in A.items()}
    expected = eval(text, {**vars(mg), "pi": math.pi, "e": math.e}, values)
    used = {name: x for name, x in A.items() if re.search(rf"\b{name}\b", text)}
    found = parse(text, used)
    assert found.root.data == expected.data
    found.root.backward()
    expected.backward()
    assert {name: x.grad for name, x in found.names.items()} == {name: values[name].grad for name in used}


def test_statements_give_names_to_results():
    found = parse("n = x*w + b; o = n.tanh()\nL = (o - 1)**2", {"x": 2, "w": 0.5, "b": 1})
    assert list(found.names) == ["x", "w", "b", "n", "o", "L"]
    assert found.root is found.names["L"] and found.root.data == (math.tanh(2.0) - 1) ** 2
    assert [parent.data for parent in found.root.parents] == [math.tanh(2.0) - 1, 2]  # a fixed exponent stays a number


def test_several_names_at_once_lists_and_second_names():
    found = parse("x1, x2 = 2, Value(3)\nws = [0.5, x1*x2]\nm = n = dot([x1, x2], ws)\nm")
    assert {k: v.data for k, v in found.names.items()} == {"x1": 2.0, "x2": 3.0, "ws[1]": 6.0, "m": 19.0}
    assert found.root is found.names["m"] and found.root.data == 2 * 0.5 + 3 * 6
    shares = parse("p, q = softmax([a, b]); p - q", {"a": 1, "b": 1})
    assert list(shares.names) == ["a", "b", "p", "q"] and shares.root.data == 0


def test_given_numbers_go_before_those_of_the_text_but_not_before_what_is_computed():
    text = "a = 2; b = Value(3.0, label='bias'); c = a*b"
    assert parse(text).root.data == 6 and parse(text, {"a": 5, "b": 7}).root.data == 35
    assert parse(text, {"b": 7}).names["b"].label == "bias"
    assert refusal(BadExpression, lambda: parse(text, {"c": 1})) == "c is computed here, so c=1 can't replace it"
    assert refusal(BadExpression, lambda: parse(text, {"z": 1})) == (
        "there is no z in it, so what is z=1 for? It has a, b, c"
    )


def test_the_readmes_example_is_read_as_it_is():
    found = parse(EXAMPLE)
    assert found.root.data == pytest.approx(0.13311629, abs=1e-8)
    assert list(found.names) == ["x1", "x2", "w1", "w2", "b", "n", "o", "L"]
    assert [line.split("(")[0] for line in found.skipped] == ["L.backward", "print", "mg.draw"]


def test_the_numbers_of_skipped_statements_are_not_even_looked_at():
    found = parse('"""A docstring."""\na = 2\nprint(open("/etc/passwd"), 10**10**10)\nmg.steps(a).save(1/0)\na*a')
    assert found.root.data == 4 and found.skipped == ['print(open("/etc/passwd"), 10**10**10)', "mg.steps(a).save(1/0)"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a + d", "there is no value for d: write d=10 after the expression; known are a"),
        ("b*c + d", "there is no value for b, c, d: write b=10 c=10 d=10 after the expression; known are a"),
        ("tahn(a)", "there is no function tahn; write tanh"),
        ("a.sigmoyd()", "there is no method .sigmoyd(); did you mean sigmoid?"),
        ("a*tanh", "tanh is a function: write tanh(x)"),
        ("a^2", "'a^2' is refused, being ^: write ** for a power"),
        ("lookup(a, 0)", "'lookup(a, 0)' is refused: lookup takes a list, as in lookup([a, b], i)"),
        ("lookup([a], 1)", "'lookup([a], 1)' can't be computed: lookup of entry 1 in a table of 1: the entries are "
                           "0 to 0"),
        ("a // 2", f"'a // 2' is refused, being // {HAS}"),
        ("a @ a", "'a @ a' is refused, being @: write dot(a, b)"),
        ("a if a else 1", "'a if a else 1' is refused, being a choice with if: write where(x, a, b), which is a "
                          "where x > 0, else b"),
        ("a < 1", "'a < 1' is refused, being a comparison: write step(a - b), which is 1 where a > b, else 0"),
        ("a and a", f"'a and a' is refused, being and/or {HAS}"),
        ("not a", f"'not a' is refused, being not {HAS}"),
        ("[x for x in [a]]", f"'[x for x in [a]]' is refused, being a comprehension {HAS}"),
        ("lambda: a", f"'lambda: a' is refused, being lambda {HAS}"),
        ("a*'hi'", f"\"'hi'\" is refused, being a text {HAS}"),
        ("f'{a}'", f"\"f'{{a}}'\" is refused, being a text {HAS}"),
        ("True*a", f"'True' is refused, being no number {HAS}"),
        ("a.__class__", "'a.__class__' is refused: there is no .__class__ here"),
        ("a.data", "'a.data' is refused: there is no .data here"),
        ("(a:=2)", f"'a:=2' is refused, being := {HAS}"),
        ("a += 1", "'a += 1' is refused, being += and its like: write x2 = x + 1"),
        ("tanh(*[a])", f"'*[a]' is refused, being * {HAS}"),
        ("elu(a, **a)", f"** in a call is refused: {HAS[1:-1]}"),
        ("tanh(a)(a)", "'tanh(a)' can't be called: write tanh(a)*(...) for a product"),
        ("(a + 1)(2)", "'a + 1' can't be called: write (a + 1)*(...) for a product"),
        ("(lambda: 1)()", f"'lambda: 1' is refused, being lambda {HAS}"),
        ("[a, 1](2)", "'[a, 1]' is a list, which can't be called"),
        ("(a if a else 1).foo()", "'a if a else 1' is refused, being a choice with if: write where(x, a, b), which is "
                                  "a where x > 0, else b"),
        ("a[0]", "'a[0]' is refused: 'a' is no list"),
        ("softmax([a, 1])[2]", "'softmax([a, 1])[2]' is refused: 'softmax([a, 1])' is a list of 2"),
        ("softmax([a, 1])[1e400]", "'softmax([a, 1])[1e400]' is refused: 'softmax([a, 1])' is a list of 2"),
        ("[a, 1][0:1]", "'0:1' is refused, being a slice: write the index, as in x[0]"),
        ("softmax([a, 1])", "the result is a list of 2; take one of them, as in ...[0]"),
        ("[a, 1]*2", "'[a, 1]' is a list; take one of it, as in x[0], or sum(x)"),
        ("a.b = 1", "'a.b' can't be given a value; a name can, as in n = a*b"),
        ("x, y = a", "several names need as many expressions: a, b = 1, 2"),
        ("x, y = a, 1, 2", "2 names for 3 expressions"),
        ("Value(a)", "'Value(a)' is refused: Value() takes a number, and this is a Value already"),
        ("Value('3')", f"\"'3'\" is refused, being a text {HAS}"),
        ("Value(1, 2)*a", "'Value(1, 2)' is refused: write Value(2.0) or Value(2.0, label=\"a\")"),
        ("import os", f"'import os' is refused: {IMPORTED}"),
        ("from microgrid import tanh as t", "'from microgrid import tanh as t' is refused: write from microgrid "
                                            "import tanh"),
        ("from math import exp", "'from math import exp' is refused: write from microgrid import exp"),
        ("from os import *", f"'from os import *' is refused: {IMPORTED}"),
        ("from . import x", f"'from . import x' is refused: {IMPORTED}"),
        ("while True: a", f"'while True: a' is refused, being a loop {HAS}"),
        ("if a: a", "'if a: a' is refused, being if: write where(x, a, b), which is a where x > 0, else b"),
        ("def f(): a", "'def f(): a' is refused, being def: write the lines in it without it"),
        ("del a", f"'del a' is refused, being del {HAS}"),
        ("a b", "'a b' is no expression: write a*b for a product"),
        ("n = a\nm = n*(b", "line 2: 'm = n*(b' is no expression: '(' was never closed"),
        ("n = a\nm = n*b", "line 2: there is no value for b: write b=10 after the expression; known are a, "
                         "n"),
        ("tanh(a, 1)", "'tanh(a, 1)' can't be computed: tanh() takes 1 positional argument but 2 were given"),
        ("dot([a], [1, 2])", "'dot([a], [1, 2])' can't be computed: dot of 1 and 2 numbers: both lists need the same "
                             "length"),
    ],
)  # fmt: skip
def test_what_is_no_arithmetic_is_refused_by_name(text, sentence):
    assert refusal(BadExpression, lambda: parse(text, {"a": 2})) == sentence


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "there is no expression here"),
        ("print(1)", "there is no expression here"),
        ("2 + 3", "5 is a plain number"),
    ],
)
def test_what_has_no_names_is_no_graph(text, what):
    assert (
        refusal(BadExpression, lambda: parse(text)) == f'{what}; write an expression with names, as in "a*b" a=2 b=-3'
    )


def test_what_cannot_be_computed_says_why():
    assert refusal(BadExpression, lambda: parse("a/(b - 1)", {"a": 1, "b": 1})) == (
        "'a/(b - 1)' can't be computed: 1 / 0: " + python_says(lambda: 1.0 / 0.0).removeprefix("float ")
    )
    assert refusal(BadExpression, lambda: parse("log(a)", {"a": -1.5})) == (
        "'log(a)' can't be computed: log(−1.5000): " + python_says(lambda: math.log(-1.5))
    )
    assert refusal(BadExpression, lambda: parse("a*(-8)**0.5", {"a": 1})) == (
        "'(-8)**0.5' can't be computed: " + python_says(lambda: math.pow(-8, 0.5))
    )


ALL = (
    "there are abs, cos, dot, elu, erf, exp, gelu, leaky_relu, log, log_softmax, logsumexp, lookup, maximum, minimum, "
    "relu, sigmoid, silu, sin, softmax, softplus, sqrt, step, sum, tan, tanh, where"
)
METHODS = "there are cos, elu, erf, exp, gelu, leaky_relu, log, relu, sigmoid, silu, sin, softplus, sqrt, tan, tanh"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("np.exp(a)", "np.exp is refused: write exp(…) without np."),
        ("math.exp(a)", "math.exp is refused: write exp(…) without math."),
        ("torch.nn.functional.relu(a)", "torch.nn.functional.relu is refused: write relu(…) without "
                                        "torch.nn.functional."),
        ("np.max(a, 1)", "np.max is refused: write maximum(…) without np."),
        ("np.array([a])", f"np.array is refused: there is no np here, nor a function array: {ALL}"),
        ("np.pi*a", "np.pi is refused: write pi without np."),
        ("import os; os.system('x')", f"'import os' is refused: {IMPORTED}"),
        ("2a", "'2a' is no expression: write 2*a for a product"),
        ("a + 1.5a**2", "'a + 1.5a**2' is no expression: write 1.5*a for a product"),
        ("(a + 1)a", "'(a + 1)a' is no expression: write )*a for a product"),
        ("2(a + 1)", "'2' can't be called: write 2*(...) for a product"),
        ("a(a + 1)", "'a' can't be called: write a*(...) for a product"),
        ("tanh a", "'tanh a' is no expression: write tanh(a)"),
        ("|a|", "'|a|' is no expression: write abs(a)"),
        ("a − 1", "'a − 1' is no expression: for the sign − type -"),
        ("a – 1", "'a – 1' is no expression: for the sign – type -"),
        ("a × 2", "'a × 2' is no expression: for the sign × type *"),
        ("a ÷ 2", "'a ÷ 2' is no expression: for the sign ÷ type /"),
        ("a ⋅ 2", "'a ⋅ 2' is no expression: for the sign ⋅ type *"),
        ("a·b", "there is no value for a·b: for the sign · type *"),
        ("a²", "'a²' is no expression: for the sign ² type **2"),
        ("√a", "'√a' is no expression: for the sign √ type sqrt(x)"),
        ("π*a", "there is no value for π: write pi"),
        ("a\u00a0+ 1", "'a\\xa0+ 1' is no expression: for the sign U+00A0, a wide or narrow space, type a plain space"),
        ("e^a", "'e^a' is refused, being ^: write ** for a power"),
        ("sum(a, 1)", "'sum(a, 1)' is refused: sum takes a list, as in sum([a, 1])"),
        ("softmax(a)", "'softmax(a)' is refused: softmax takes a list, as in softmax([a])"),
        ("dot(a, a)", "'dot(a, a)' is refused: dot takes a list, as in dot([a, b], [c, d])"),
        ("tanh([a])", "'[a]' is a list; take one of it, as in x[0], or sum(x)"),
        ("a*1,5", "the result is a list of 2; take one of them, as in ...[0], or for a decimal point write a dot, as "
                  "in 1.5"),
        ("max(a, 1)", "there is no function max; write maximum"),
        ("ReLU(a)", "there is no function ReLU; write relu"),
        ("pow(a, 2)", "there is no function pow; write a**b for a power"),
        ("sign(a)", "there is no function sign; write step(x) - step(-x)"),
        ("foo(a)", f"there is no function foo: {ALL}"),
        ("a.item()", f"there is no method .item(): {METHODS}"),
        ("a.tanh", "a.tanh is refused: write a.tanh(), with parentheses"),
    ],
)  # fmt: skip
def test_what_learners_type_is_answered_with_what_to_type_instead(text, sentence):
    assert refusal(BadExpression, lambda: parse(text, {"a": 2})) == sentence


FILES = {
    "a star, a picture with a name": (
        'from microgrid import *\na = Value(2.0)\nb = Value(-3.0)  # a leaf\nL = tanh(a*b)\nL.backward()\n'
        's = steps(L)\nprint(s)\ndraw(L).save("x.svg")\ns',
        math.tanh(-6), ["L.backward()", "s = steps(L)", "print(s)", 'draw(L).save("x.svg")', "s"],
    ),
    "the name of a function taken": (
        "import microgrid as mg\na = mg.Value(2)\nL = a*a\nsteps = mg.steps(L)\nsteps.save('s.html')\n"
        "steps[3].draw()\n", 4, ["steps = mg.steps(L)", "steps.save('s.html')", "steps[3].draw()"],
    ),
    "main": (
        '"""About."""\nfrom __future__ import annotations\nfrom microgrid.engine import Value\n'
        'if __name__ == "__main__":\n    a: Value = Value(3)\n    a.label = "alpha"\n    L = a*a\n    a.grad = 0\n'
        "    assert L.data == 9\n    print(\n      L)\n", 9, ["assert L.data == 9", "print( …"],
    ),
    "constants": (
        "import math\nimport numpy as np\nfrom math import pi, e\nimport microgrid\nx = microgrid.Value(math.pi)\n"
        "L = microgrid.functions.cos(x)*np.e/e*pi", math.cos(math.pi) * math.pi, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize("text", [*FILES])
def test_files_as_learners_write_them(text):
    source, root, skipped = FILES[text]
    found = parse(source)
    assert found.root.data == pytest.approx(root, rel=1e-15) and found.skipped == skipped
    assert found.root is found.names["L"]
    if "label" in source:
        assert found.names["a"].label == "alpha"


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ("import matplotlib.pyplot as plt", f"line 2: 'import matplotlib.pyplot as plt' is refused: {IMPORTED}"),
        ("from micrograd.engine import Value", "line 2: 'from micrograd.engine import Value' is refused: write from "
                                               "microgrid import Value"),
        ("def f(x):\n    return x", "line 2: 'def f(x): …' is refused, being def: write the lines in it without it"),
        ("for i in range(9):\n    a = a*a", f"line 2: 'for i in range(9): …' is refused, being a loop {HAS}"),
        ("with scope('x'):\n    b = a", "line 2: 'with scope('x'): …' is refused, being with: write the lines in it "
                                        "without it"),
        ("a.data -= 0.1*a.grad", "line 2: 'a.data -= 0.1*a.grad' is refused: one forward and one backward pass are "
                                 "read, and no training; take the line out"),
        ("a.data = 3", "line 2: 'a.data' can't be given a value; a name can, as in n = a*b"),
        ("s = steps(a)\nL = s*2", "line 3: s is a picture, or steps: no number to compute with"),
        ("if a:\n    b = a", "line 2: 'if a: …' is refused, being if: write where(x, a, b), which is a where x > 0, "
                            "else b"),
        ("try:\n    b = a\nexcept: pass", f"line 2: 'try: …' is refused, being try {HAS}"),
        ("b: Value", "line 2: 'b: Value' is refused, being a declaration: write a = 2"),
        ("m = MLP(2, [1])", f"line 2: there is no function MLP: {ALL}"),
    ],
)  # fmt: skip
def test_what_a_file_may_not_have_is_refused_with_its_line(lines, sentence):
    said = refusal(BadExpression, lambda: parse(f"a = Value(2.0)\n{lines}\nL = a*a\n"))
    assert said.replace('"', "'") == sentence.replace('"', "'")


DEEP = "this is nested too deeply; give its parts names, as in n = a*b; L = n + c"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("10**10**10*a", "'10**10**10' can't be computed: " + python_says(lambda: 10.0**1e10)),
        ("9"*400 + "*a", f"'{'9' * 59}…' can't be computed: int too large to convert to float"),
        ("maximum(a, 10)**maximum(a, 10)**maximum(a, 10)", "'maximum(a, 10)**maximum(a, 10)**maximum(a, 10)' can't be "
         "computed: 10 ** 1.00e+10: "
         + python_says(lambda: 10.0**1e10)),
        ("9**9**9**9*a", "'9**9**9' can't be computed: " + python_says(lambda: 9.0**387420489.0)),
        ("dot([[a]], [1000000000])", "'dot([[a]], [1000000000])' is refused: '[[a]]' has a list in it"),
        ("x = [" + "a,"*20_000 + "]" + "; y = softmax(x)"*9, "'softmax(x)' is refused: over 100000 numbers in lists "
         "are too many"),
        ("[a]*10**9", "'[a]' is a list; take one of it, as in x[0], or sum(x)"),
        ("a" + ".tanh()"*8000, DEEP),
        ("a" + "[0]"*8000, DEEP),
        ("lambda: "*3000 + "a", DEEP),
        ("9"*5000 + "*a", f"'{'9' * 60}' is no expression: a number of thousands of digits is too long"),
        ("+".join(["a"]*5_000_000), "an expression of 9999999 characters is too long (the most is 100000)"),
        ("x=maximum(a, 10)" + "; x=x*x"*60, math.inf),
        ("x=[99999999*99999999]" + "; x=[x[0]*x[0]]"*60 + "; x[0]*a", math.inf),
        ("-"*5000 + "a", DEEP),
        ("tanh("*150 + "a" + ")"*150 + "+tanh("*90 + "a" + ")"*90, None),
        ("a" + "**a"*3000, DEEP),
        ("a" + "+a"*90_000, "an expression of 180001 characters is too long (the most is 100000)"),
    ],
    ids=["powers", "digits", "powers of Values", "four nines", "lists times numbers", "lists of lists", "a billion",
         "methods", "items", "lambdas", "a number", "ten million", "squares", "squares in lists",
         "minus signs", "brackets", "towers", "length"],
)  # fmt: skip
def test_nothing_hangs_or_breaks(text, sentence):
    if sentence is None or sentence == math.inf:
        assert 0 < parse(text, {"a": 1}).root.data <= (sentence or 1)
        assert sentence is None or parse(text, {"a": 1}).root.data == math.inf  # a float, not a number without end
    else:
        assert refusal(BadExpression, lambda: parse(text, {"a": 1})) == sentence


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os').system('touch pwned')", "().__class__.__bases__[0].__subclasses__()*a", "a.__init__()",
        "a.tanh.__globals__['os'].system('touch pwned')", "eval('a')", "exec('a')", "getattr(a, 'data')",
        "open('pwned', 'w')", "[open('pwned', 'w') for x in [1]]", "(lambda: open('pwned', 'w'))()", "(q := a)*q",
        "f'{open(\"pwned\", \"w\")}'", "mg.engine.math.exp(a)*Value.__init__", "Value(a.__class__)",
        "Value(2, label=open('pwned', 'w'))", "tanh(a, **{'x': open('pwned', 'w')})", "sum([a], open('pwned', 'w'))",
        "@print\ndef f(): open('pwned', 'w')", "class A: open('pwned', 'w')", "del tanh", "a = b = open('pwned', 'w')",
        "print(open('pwned', 'w'))", "steps = mg.steps(open('pwned', 'w'))", "assert open('pwned', 'w')",
        "a.label = open('pwned', 'w')", "a: open('pwned', 'w') = 3", "if __name__ == '__main__': open('pwned', 'w')",
        "mg.draw(a, names=open('pwned', 'w')).save('pwned')", "import antigravity",
        "from microgrid import *; open('x')",
    ],
)  # fmt: skip
def test_nothing_of_the_text_is_run(text, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    modules, before = set(sys.modules), dict(vars(Value))
    with contextlib.suppress(BadExpression):
        parse(text + "\na*a", {"a": 2})
    assert not any(tmp_path.iterdir()) and "antigravity" not in sys.modules and set(sys.modules) == modules
    assert dict(vars(Value)) == before


def test_a_long_sum_is_fine():
    assert parse("a" + "+a" * 900, {"a": 1}).root.data == 901


@settings(max_examples=500)
@given(st.text(alphabet="ab12.+-*/()[]=;,\n tanhe_'\"\\:{}@^~!%&|<>\0\ud800é", max_size=40))
def test_any_text_is_computed_or_refused(text):
    try:
        assert isinstance(parse(text, {"a": 2}).root, Value)
    except BadExpression as error:
        assert str(error) and "Traceback" not in str(error)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(
    ["a", "b", "2", "0", "-", "+", "*", "/", "**", "(", ")", "[", "]", ",", "tanh(", "softmax(", "sum(", ".exp()",
     "[0]", "Value(", "dot([", "where(", "; b = ", "10", "a.", "1e999"]), max_size=16))  # fmt: skip
def test_any_sentence_of_these_words_is_computed_or_refused(words):
    try:
        assert isinstance(parse("".join(words), {"a": 2}).root, Value)
    except BadExpression as error:
        assert str(error)


def texts(path):
    return [element.text for element in ET.parse(path).iter("{http://www.w3.org/2000/svg}text")]


def test_draw_prints_the_tree_after_backward_and_writes_the_picture(tmp_path):
    status, out, err = microgrid("draw", "(a*b + c).tanh()", "a=2", "b=-3", "c=10", cwd=tmp_path)
    picture = Path("microgrid-draw") / "graph.svg"
    assert (status, err) == (0, f"wrote {picture}\n")
    slope = 1 - math.tanh(4.0) ** 2
    assert [line.strip("│├└─ ").split()[0] for line in out.splitlines()] == ["result", "+", "*", "a", "b", "c"]
    assert f"a   2.0000   grad −{3 * slope:.4f}" in out
    assert {"a", "b", "c", "result = tanh"} <= set(texts(tmp_path / picture))


def test_draw_with_names_local_gradients_and_a_folder(tmp_path):
    words = ["n = x*w; L = n**2", "x=2", "w=0.5", "--local-gradients", "--out", "p"]
    status, out, _ = microgrid("draw", *words, cwd=tmp_path)
    assert status == 0 and out.splitlines()[0] == "L = **   1.0000   grad +1"
    assert {"n = *", "+0.5000", "+2.0000"} <= set(texts(tmp_path / "p" / "graph.svg"))


@pytest.mark.parametrize("expression", ["-a*b", "-(a*b)", "-2*a - b", " -a + b", "-tanh(a)*b"])
def test_an_expression_may_begin_with_a_minus(tmp_path, expression):
    status, out, err = microgrid("draw", expression, "a=2", "b=-3", cwd=tmp_path)
    assert status == 0, err
    assert "a   2.0000" in out and "b   −3.0000" in out


def test_draw_reads_a_file_and_says_what_it_skips(tmp_path):
    (tmp_path / "my.py").write_text(EXAMPLE)
    status, out, err = microgrid("draw", "my.py", "w1=0.3", cwd=tmp_path)
    assert status == 0 and "w1   0.3000" in out and "L = **" in out
    assert [line.split("(")[0] for line in err.splitlines()] == [
        "skipped L.backward", "skipped print", "skipped mg.draw", f"wrote {Path('microgrid-draw') / 'graph.svg'}",
    ]  # fmt: skip
    assert not (tmp_path / "L.svg").exists()
    (tmp_path / "expression.txt").write_text("a*b")
    assert microgrid("draw", "expression.txt", "a=1", "b=2", cwd=tmp_path)[0] == 0


def test_steps_prints_the_table_and_writes_the_player(tmp_path):
    status, out, err = microgrid("steps", "(a*b + c).tanh()", "a=2", "b=-3", "c=10", cwd=tmp_path)
    assert status == 0, err
    assert "2 × (−3) = −6" in out and "= tanh(4) = 0.9993" in out
    assert err == f"wrote {Path('microgrid-steps') / 'steps.html'}\n"
    page = (tmp_path / "microgrid-steps" / "steps.html").read_text(encoding="utf-8")
    assert page.lower().startswith("<!doctype html>")
    parsed = parse("(a*b + c).tanh()", A)
    assert mg.steps(parsed.root, names=parsed.names).save(tmp_path / "x.html").read_text(encoding="utf-8") == page


@pytest.mark.parametrize("verb", ["draw", "steps"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a*b", "a=2"], "there is no value for b: write b=10 after the expression"),
        (["a*b", "a=2", "b"], "'b' is no value for a name: write it as in a=2"),
        (["a*b", "a=2", "b=two"], "'two' is no number: write it as in b=2"),
        (["a*b", "a=2", "b=1", "b=2"], "b is given twice"),
        (["a*b", "a=2", "b=−3"], "'−3' is no number: write b=-3"),
        (["a*b", "a=0,5", "b=3"], "'0,5' is no number: write a=0.5"),
        (["a*b", "a=2,b=3"], "'2,b=3' is no number: write a=2 b=3, each a word of its own"),
        (["a*b + c"], "there is no value for a, b, c: write a=10 b=10 c=10 after the expression"),
        (["my.ipynb"], "my.ipynb is a notebook: copy the cell with the expression into a file such as my.py"),
        (["np.exp(a)", "a=1"], "np.exp is refused: write exp(…) without np."),
        (["a", "a=2", "lambda=1"], "'lambda=1' is no value for a name: write it as in a=2"),
        (["nowhere.py"], "there is no file nowhere.py"),
        (["log(a)", "a=-1"], "'log(a)' can't be computed: log(−1): " + python_says(lambda: math.log(-1.0))),
        (["__import__('os').system('ls')"], "there is no function __import__: there are abs, cos, dot"),
    ],
)
def test_mistakes_are_told_in_one_sentence(tmp_path, verb, words, sentence):
    bad(tmp_path, [verb, *words], f"microgrid {verb}: {sentence}")


def test_draw_says_where_backward_breaks(tmp_path):
    bad(tmp_path, ["draw", "sqrt(a)", "a=0"], "microgrid draw: backward() through sqrt(0): division by zero")


def test_mistakes_in_a_file_have_their_line(tmp_path):
    (tmp_path / "my.py").write_text("import microgrid as mg\na = mg.Value(2)\nb = open('x')\n")
    bad(tmp_path, ["draw", "my.py"], "microgrid draw: my.py, line 3: there is no function open")


@pytest.mark.parametrize("verb", ["draw", "steps"])
def test_the_verbs_have_help_with_an_example(tmp_path, verb):
    status, out, _ = microgrid(verb, "--help", cwd=tmp_path)
    assert status == 0 and f"examples:\n  microgrid {verb}" in out and "--seed" in out and "--out DIR" in out
