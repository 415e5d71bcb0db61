"""Expressions as text: what is computed, what is refused and how; and the verbs `draw` and `steps`."""

import math
import re
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
HAS = "(an expression has numbers, names, + - * / **, and functions such as tanh(x))"


@pytest.mark.parametrize(
    "text",
    [
        "a*b + c", "(a*b + c).tanh()", "tanh(a*b + c)", "-a**2/b - c", "a**-2 + 2**a", "-(a - b)*1.5e-3", "abs(b)*a*c",
        "dot([a, b], [c, 2])", "softmax([a, b, 1])[0] + softmax((c, a))[-1] + b", "logsumexp([a, b, c])",
        "maximum(a, b)*minimum(b, c)", "where(b, a, c) + step(a)*b", "leaky_relu(b, slope=0.2) + elu(b, alpha=a) + c",
        "sum([a, b, c, 1])", "pi*a + e*b + c", "a*(2 + 3)*b - c", "b.sigmoid().log() + a + c",
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
        ("a + d", "there is no value for d: write d=10 after the expression"),
        ("tahn(a)", "there is no function tahn; write tanh"),
        ("a.sigmoyd()", "there is no method .sigmoyd(); did you mean sigmoid?"),
        ("a*tanh", "tanh is a function: write tanh(x)"),
        ("a^2", "'a^2' is refused, being ^: write ** for a power"),
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
        ("tanh(a)(a)", f"'tanh(a)' can't be called; {HAS[1:-1]}"),
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
        ("import os", "'import os' is refused: nothing can be imported but Value and the functions of microgrid"),
        ("from microgrid import nn", "'from microgrid import nn' is refused: nothing can be imported but Value and the "
                                     "functions of microgrid"),
        ("while True: a", f"'while True: a' is refused, being a loop {HAS}"),
        ("if a: a", "'if a: a' is refused, being if: write where(x, a, b), which is a where x > 0, else b"),
        ("def f(): a", f"'def f(): a' is refused, being def {HAS}"),
        ("del a", f"'del a' is refused, being Delete {HAS}"),
        ("a b", "'a b' is no expression: invalid syntax"),
        ("n = a\nm = n*(b", "line 2: 'm = n*(b' is no expression: '(' was never closed"),
        ("n = a\nm = n*b", "line 2: there is no value for b: write b=10 after the expression"),
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
        "'a/(b - 1)' can't be computed: / of Value(data=1.0, grad=0), Value(data=0.0, grad=0, op='-'): "
        + python_says(lambda: 1.0 / 0.0)
    )
    assert refusal(BadExpression, lambda: parse("a*(-8)**0.5", {"a": 1})) == (
        "'(-8)**0.5' can't be computed: " + python_says(lambda: math.pow(-8, 0.5))
    )


DEEP = "this is nested too deeply; give its parts names, as in n = a*b; L = n + c"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("10**10**10*a", "'10**10**10' can't be computed: " + python_says(lambda: 10.0**1e10)),
        ("9"*400 + "*a", f"'{'9' * 59}…' can't be computed: int too large to convert to float"),
        ("step(a)*10**1 + 0 + maximum(a, 10)**maximum(a, 10)**maximum(a, 10)", "'maximum(a, 10)**maximum(a, 10)**"
         "maximum(a, 10)' can't be computed: 10 ** 10000000000 has too many digits"),
        ("-"*5000 + "a", DEEP),
        ("tanh("*150 + "a" + ")"*150 + "+tanh("*90 + "a" + ")"*90, None),
        ("a" + "**a"*3000, DEEP),
        ("a" + "+a"*90_000, "an expression of 180001 characters is too long (the most is 100000)"),
    ],
    ids=["powers", "digits", "powers of Values", "minus signs", "brackets", "towers", "length"],
)  # fmt: skip
def test_nothing_hangs_or_breaks(text, sentence):
    if sentence is None:
        assert parse(text, {"a": 1}).root.data > 0
    else:
        assert refusal(BadExpression, lambda: parse(text, {"a": 1})) == sentence


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
    assert [line.strip("│├└─ ").split()[0] for line in out.splitlines()] == ["tanh", "+", "*", "a", "b", "c"]
    assert f"a   2.0000   grad −{3 * slope:.4f}" in out
    assert {"a", "b", "c", "tanh"} <= set(texts(tmp_path / picture))


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
    assert page.lower().startswith("<!doctype html>") and "tanh" in page


@pytest.mark.parametrize("verb", ["draw", "steps"])
@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["a*b", "a=2"], "there is no value for b: write b=10 after the expression"),
        (["a*b", "a=2", "b"], "'b' is no value for a name: write it as in a=2"),
        (["a*b", "a=2", "b=two"], "'two' is no number: write it as in b=2"),
        (["a*b", "a=2", "b=1", "b=2"], "b is given twice"),
        (["a", "a=2", "lambda=1"], "'lambda=1' is no value for a name: write it as in a=2"),
        (["nowhere.py"], "there is no file nowhere.py"),
        (["log(a)", "a=-1"], "'log(a)' can't be computed: log of Value(data=-1.0, grad=0)"),
        (["__import__('os').system('ls')"], "there is no method .system()"),
    ],
)
def test_mistakes_are_told_in_one_sentence(tmp_path, verb, words, sentence):
    bad(tmp_path, [verb, *words], f"microgrid {verb}: {sentence}")


def test_draw_says_where_backward_breaks(tmp_path):
    bad(tmp_path, ["draw", "sqrt(a)", "a=0"], "microgrid draw: backward() through Value(data=0.0, grad=1, op='sqrt')")


def test_mistakes_in_a_file_have_their_line(tmp_path):
    (tmp_path / "my.py").write_text("import microgrid as mg\na = mg.Value(2)\nb = open('x')\n")
    bad(tmp_path, ["draw", "my.py"], "microgrid draw: my.py, line 3: there is no function open")


@pytest.mark.parametrize("verb", ["draw", "steps"])
def test_the_verbs_have_help_with_an_example(tmp_path, verb):
    status, out, _ = microgrid(verb, "--help", cwd=tmp_path)
    assert status == 0 and f"examples:\n  microgrid {verb}" in out and "--seed" in out and "--out DIR" in out
