"""`explain`: the paths are all there, and their products add up to what backward says."""

import math
import random
import re
from fractions import Fraction
from html.parser import HTMLParser

import pytest
import test_properties as graphs
from hypothesis import given
from refusals import python_says, refusal

import microgrid as mg
from microgrid import Value
from microgrid.checking import duals
from microgrid.pictures.explain import explain
from microgrid.pictures.names import callers_names
from microgrid.pictures.paths import count_paths
from microgrid.pictures.reading import read


def neuron():
    """The README's example: x1, x2, w1, w2, b, n, o, L, and no more."""
    x1, x2 = Value(2.0), Value(3.0)
    w1, w2, b = Value(-0.5), Value(0.25), Value(1.0)
    n = x1 * w1 + x2 * w2 + b
    o = n.tanh()
    L = (o - 1) ** 2
    return {"x1": x1, "x2": x2, "w1": w1, "w2": w2, "b": b, "n": n, "o": o, "L": L}


def walk(root, node):
    """All products along paths, by recursion over parents: a second route."""
    if root is node:
        yield 1
        return
    if root.parents:
        slopes = root.local_gradients(root.data, *[parent.data for parent in root.parents])
        for parent, slope in zip(root.parents, slopes):
            for product in walk(parent, node):
                yield slope * product


def test_one_path_with_its_formula_and_its_numbers():
    x, w = Value(3.0), Value(2.0)
    n = x * w
    L = n * n * 0.5
    L.backward()
    assert str(explain(w, L)).splitlines() == [
        "dL/dw = 18, the sum over 2 paths from L back to w:",
        "  1. L ← (n*n) ← n (operand 1) ← w",
        "     ∂L/∂(n*n) · ∂(n*n)/∂n · ∂n/∂w",
        "   = 0.5000 × 6 × 3 = 9",
        "  2. L ← (n*n) ← n (operand 2) ← w",
        "     ∂L/∂(n*n) · ∂(n*n)/∂n · ∂n/∂w",
        "   = 0.5000 × 6 × 3 = 9",
        "9 + 9 = 18 = w.grad",
    ]
    assert str(explain(n, L)).splitlines()[-1] == "3 + 3 = 6 = n.grad"
    one = explain(x, n)
    assert (one.headline, [str(path.numbers) for path in one.paths]) == (
        "dn/dx = 2, the one path from n back to x:",
        ["2"],
    )


def test_the_parts_are_there_as_numbers():
    values = neuron()
    L, w1 = values["L"], values["w1"]
    L.backward()
    found = explain(w1, L, names=values)
    (path,) = found.paths
    assert [node.value for node in path.nodes][:3] == [L, L.parents[0], values["o"]]
    assert path.nodes[-1].value is w1 and path.names[0] == "L" and path.names[-1] == "w1"
    assert path.product == pytest.approx(math.prod(path.local_gradients), rel=1e-15)
    assert found.count == 1 and found.total == path.product == pytest.approx(w1.grad, rel=1e-15)
    (entry,) = found.ledger
    assert entry.source.value is values["n"].parents[0].parents[0]
    assert entry.upstream * entry.local_gradient == entry.product == w1.grad == found.adjoint
    assert repr(found) == "<Explanation of dL/dw1 = −0.8707; print(...) shows it>"


@graphs.often
@given(graphs.CODES)
def test_paths_of_random_graphs_add_up_to_the_slopes_of_dual_numbers(code):
    """To 1e-9 of the sum of the products' sizes: paths of both signs may cancel."""
    numbers, program = graphs.read_program(code[:28], 2)
    expected = graphs.run(duals, program, duals.Jet.variables(numbers))
    leaves = [Value(x) for x in numbers]
    root = graphs.run(mg, program, leaves)
    root.backward()
    for leaf, slope in zip(leaves, expected.slopes):
        found = explain(leaf, root)
        entries = found.paths or found.ledger
        scale = max(1, sum([abs(entry.product) for entry in entries]))
        assert abs(found.total - slope) <= 1e-9 * scale and abs(found.adjoint - slope) <= 1e-9 * scale
        if found.count and root is not leaf:
            assert re.search(r" = leaves\[\d\]\.grad$", found.verdict) and not found.changed
        if found.count < 2000:
            products = list(walk(root, leaf))
            assert found.count == len(products)
            assert not found.paths or [path.product for path in found.paths] == pytest.approx(products, rel=1e-12)


def test_fractions_stay_exact():
    a = Value(Fraction(1, 3), label="a")
    L = a * a * a
    L.backward()
    assert explain(a, L).total == a.grad == Fraction(1, 3)
    assert str(explain(a, L)).splitlines()[-1] == "1/9 + 1/9 + 1/9 = 1/3 = a.grad"


def doubled(times):
    x = Value(1.0, label="x")
    y = x
    for _ in range(times):
        y = y * 0.5 + y * 0.5
    return x, y


def test_thirty_paths_are_listed_and_more_become_the_ledger():
    x = Value(1.0, label="x")
    y = sum([x * i for i in range(1, 31)])
    assert len(explain(x, y).paths) == explain(x, y).count == 30
    x, y = doubled(5)
    y.backward()
    found = explain(x, y)
    assert (found.count, found.paths, found.total) == (32, [], 1.0)
    assert str(found).splitlines() == [
        "dy/dx = 1, the sum over 32 paths from y back to x: too many to list (the most is 30), so here is what each "
        "use of x adds:",
        "    from         upstream   local gradient     adds",
        "    (x*0.5000)          1           0.5000   0.5000",
        "    (x*0.5000)          1           0.5000   0.5000",
        "0.5000 + 0.5000 = 1 = x.grad",
    ]


def test_a_long_ledger_is_cut_but_adds_up():
    w = Value(2.0, label="w")
    L = sum([w * i for i in range(1, 1001)])
    L.backward()
    lines = str(explain(w, L)).splitlines()
    assert len(lines) == 1 + 1 + 30 + 1 + 1
    assert lines[-2].split() == ["970", "more", str(sum(range(1, 971)))]  # backward comes to the last use first
    assert lines[-1] == "dL/dw = 500500 = w.grad"
    assert sum([entry.product for entry in explain(w, L).ledger]) == w.grad


@pytest.mark.parametrize("times", [10, 64, 2000])
def test_paths_are_counted_not_walked(times):
    x, y = doubled(times)
    reading = read(y, {})
    assert count_paths(reading, reading.index[id(x)])[1] == explain(x, y).count == 2**times


def test_the_number_of_paths_in_a_net_is_the_product_of_its_widths():
    model = mg.MLP(3, [5, 4, 1], seed=0)
    xs = [Value(x) for x in (0.5, -1.0, 2.0)]
    assert explain(xs[0], model(xs)).count == 5 * 4


def test_very_many_paths_are_said_by_their_size():
    x, y = doubled(2000)
    assert "the sum over about 10^602 paths" in explain(x, y).headline  # 2000 log10(2) = 602.06
    x, y = doubled(20)
    assert "the sum over 1 048 576 paths" in explain(x, y).headline


def test_a_path_of_a_hundred_thousand_edges_is_printed_in_short():
    x = Value(1.0, label="x")
    y = x
    for _ in range(100_000):
        y = y + 0.0
    y.backward()
    found = explain(x, y)
    assert (found.count, len(found.paths[0].nodes), found.total) == (1, 100_001, 1)
    text = str(found)
    assert len(text) < 2000 and text.splitlines()[3] == f"   = {'1 × ' * 6}… 99988 more … × 1 × 1 × 1 × 1 × 1 × 1 = 1"


def test_it_leaves_all_grads_alone_and_says_what_is_wrong_with_them():
    values = neuron()
    L, w1 = values["L"], values["w1"]

    def verdict():
        before = [node.grad for node in mg.topological_order(L)]
        text = explain("w1", L, names=values).verdict
        assert [node.grad for node in mg.topological_order(L)] == before
        return text

    start = "dL/dw1 = −0.8707, as a reverse sweep says too, but w1.grad is "
    assert verdict() == start + "0: L.backward() fills it."
    L.backward()
    assert verdict() == "dL/dw1 = −0.8707 = w1.grad"
    L.backward()
    assert verdict() == start + "−1.7413, 2 times that: grads of leaves add up; set them to 0 before L.backward()."
    w1.grad = 5.0
    assert verdict() == start + "5: it is from another result, or from several; set it to 0 before L.backward()."
    w1.grad = 0
    L.backward(create_graph=True)
    assert isinstance(w1.grad, Value) and verdict() == "dL/dw1 = −0.8707 = w1.grad"


def test_what_does_not_add_up_in_floating_point_is_said():
    x = Value(1.0, label="x")
    h = x * 1e300
    L = h * 1e10 - h * 1e10  # along the paths inf - inf; backward() takes 1e10 - 1e10 first
    assert explain(x, L).verdict == (
        "Together nan, where a reverse sweep gives 0: numbers of these sizes don't add up in floating point."
    )


def test_no_dependence_and_the_root_itself():
    a, b = Value(2.0), Value(3.0)
    L = a * a
    assert str(explain(b, L)) == "L does not depend on b, so dL/db = 0."
    assert (explain(b, L).total, explain(b, L).count, explain(b, L).paths) == (0, 0, [])
    assert str(explain(L, L)) == str(explain(L)) == "dL/dL = 1: it is the root itself."
    assert explain(L)._repr_html_() == "<p>dL/dL = 1: it is the root itself.</p>"
    assert [path.product for path in explain(L).paths] == [1]


def test_the_root_is_found_among_the_variables():
    a, b = Value(2.0), Value(3.0)
    c = a * b
    L = c + 1
    assert explain(a).root is L and explain("b").root is L and explain("c").node is c
    other = a * 5
    said = "explain(a): L and other depend on it and not on each other; say which you mean, as in explain(a, other)"
    assert refusal(ValueError, lambda: _keep(a, b, c, L, other)) == said
    assert explain(a, other).total == 5


def _keep(a, b, c, L, other):
    return explain(a)


def test_a_root_that_cannot_be_told_is_asked_for():
    a = Value(2.0)
    said = "explain(a): none of your variables depends on it; write explain(a, L), L being the result"
    assert refusal(ValueError, lambda: _alone(a)) == said
    many = [a * i for i in range(9)]
    assert refusal(ValueError, lambda: _many(a, many)) == (
        "explain(a): many[0], many[1], many[2], many[3], many[4] and 4 others depend on it and not on each other; say "
        "which you mean, as in explain(a, many[8])"
    )


def _alone(a):
    return explain(a)


def _many(a, many):
    return explain(a)


def test_names_are_labels_or_variables_and_others_are_refused():
    w = Value(2.0, label="weight")
    twins = [Value(1.0, label="t"), Value(2.0, label="t")]
    L = w * twins[0] + twins[1]
    assert explain("weight", L).node is w and explain("w", L).node is w
    assert refusal(ValueError, lambda: explain("wieght", L)) == (
        "explain('wieght'): there is no value of this name; did you mean 'weight'?"
    )
    assert refusal(ValueError, lambda: explain("zzz", L)) == (
        "explain('zzz'): there is no value of this name; there are weight, t, L: write one of these, or give the "
        "value itself"
    )
    assert refusal(ValueError, lambda: explain("t", L)) == (
        "explain('t'): 2 values have this name: a leaf = 1.0000 and a leaf = 2.0000; give the value itself"
    )
    assert refusal(TypeError, lambda: explain(3.0, L)) == "explain(3.0) needs a Value or the name of one, not float"
    assert refusal(TypeError, lambda: explain(w, "L")) == (
        "explain(node, 'L'): the root is a Value, such as the loss, not str"
    )


def test_an_undefined_local_gradient_is_what_backward_says_but_only_on_the_way():
    x, y = Value(0.0, label="x"), Value(2.0, label="y")
    L = mg.sqrt(x) + y * y
    assert refusal(ZeroDivisionError, lambda: explain(x, L)) == (
        "backward() through Value(data=0.0, grad=1, op='sqrt') of (Value(data=0.0, grad=0, label='x'),): "
        + python_says(lambda: 1 / (2 * 0.0))
    )
    assert explain(y, L).total == 4.0


def test_the_html_is_a_table_that_nothing_can_break_out_of():
    a = Value(2.0, label="</td><script>alert(1)</script>")
    L = a * a + a
    L.label = '"><img src=x onerror=alert(1)>'
    tags = []

    class Tags(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert not attrs
            tags.append(tag)

    page = explain(a, L)._repr_html_()
    Tags().feed(page)
    assert set(tags) == {"p", "table", "thead", "tbody", "tr", "th", "td"} and tags.count("tr") == 4
    assert tags.count("td") == 9 and "&lt;/td&gt;" in page
    x, y = doubled(6)
    tags.clear()
    Tags().feed(explain(x, y)._repr_html_())
    assert tags.count("th") == 4 and tags.count("td") == 8


def test_edges_are_named_by_the_shared_words():
    """What a node without a name is called is the business of `words`: each is whole in the formula."""
    x = Value(0.3, label="x")
    y = ((x * 2).tanh() + x.exp() * x.sin() + 1).tanh()
    for path in explain(x, y).paths:
        assert path.formula.count("∂") == 2 * len(path.local_gradients)
        assert re.fullmatch(r"(∂.+/∂.+ · )*∂.+/∂x", path.formula)


def test_random_orders_of_use_give_the_ledger_in_the_order_of_backward():
    """So that the sum has the very bits of grad."""
    dice = random.Random(3)
    w = Value(0.1, label="w")
    L = sum([w * dice.gauss(0, 1) * (10 ** dice.uniform(-8, 8)) for _ in range(200)])
    L.backward()
    found = explain(w, L)
    assert found.total == w.grad == found.adjoint and callers_names(0)


def test_root_and_node_in_the_wrong_order_are_told_apart():
    x = Value(3.0, label="x")
    y = x * x
    assert refusal(ValueError, lambda: mg.explain(y, x)) == (
        "explain(y, x): x does not depend on y, but y on x; the root comes second: explain(x, y)"
    )


def test_other_engines_values_among_the_variables_are_passed_over():
    from micrograd.engine import Value as Theirs

    theirs = Theirs(2.0) * 3
    x = Value(3.0)
    y = x * x
    assert mg.explain(x).root is y and theirs.data == 6.0


def test_a_fixed_exponent_has_no_derivative_to_explain():
    x = Value(3.0, label="x")
    y = x**2
    assert refusal(ValueError, lambda: mg.explain(y.parents[1], y)) == (
        "explain(2): it is the fixed exponent of a power, a plain number to which no gradient flows; "
        "for a derivative in the exponent make it a Value"
    )


def test_another_engines_value_is_told_where_to_go():
    from micrograd.engine import Value as Theirs

    a = Theirs(2.0)
    assert refusal(TypeError, lambda: mg.explain(a, a * 3)) == (
        "explain works on microgrid's own Values, and Value is another engine's; "
        "steps(root) shows what each node sends and adds up"
    )


def test_data_changed_after_the_forward_pass_is_named():
    """As after a training step: the grads are those of the old weight, the data are of two kinds."""
    w, x, b = Value(2.0), Value(3.0), Value(1.0)
    n = w * w * x + b
    L = n * n
    L.backward()
    assert explain(w, L).changed == []
    w.data = 1.5
    found = explain(w, L)
    stale = [
        "(w*w).data is 4, but 1.5000 × 1.5000 is 2.2500 now: some data was changed after (w*w) was computed, so "
        "compute it anew before backward()",
    ]
    assert found.changed == stale and str(found).splitlines()[-1:] == stale
    assert w.grad == 2 * 13 * 3 * 2 * 2.0 and found.total == 2 * 13 * 3 * 2 * 1.5  # old w; new w in the old n
    assert found.verdict == (
        "58.5000 + 58.5000 + 58.5000 + 58.5000 = 234, as a reverse sweep says too, but w.grad is 312: "
        "data was changed after it was computed, so compute L anew, then L.backward()."
    )
    assert "<p>(w*w).data is 4, but 1.5000 × 1.5000 is 2.2500 now" in found._repr_html_()
    n = w * w * x + b
    L = n * n
    w.grad = 0
    L.backward()
    assert explain(w, L).changed == [] and explain(w, L).verdict.endswith(" = w.grad")
    assert explain(w, L).total == w.grad == 2 * (1.5**2 * 3 + 1) * 3 * 2 * 1.5


def test_data_changed_where_the_derivative_does_not_look_is_no_matter():
    w, x = Value(2.0), Value(3.0)
    n = w * x
    L = n * n
    L.backward()
    w.data = 1.0
    assert explain(n, L).changed == [] and explain(n, L).verdict == "6 + 6 = 12 = n.grad"
    assert len(explain(x, L).changed) == 1
    n.data = 5.0
    assert [line.split(", but ")[0] for line in explain(x, L).changed] == ["n.data is 5", "L.data is 36"]


def test_a_grad_of_something_else_is_told_by_what_it_is():
    x = Value(2.0)
    n = x * x
    L = n * 3
    other = n * n
    L.backward()
    other.backward()
    start = "dL/dn = 3, as a reverse sweep says too, but n.grad is 8: "
    assert explain(n, L).verdict == start + "it is from another backward(); L.backward() makes it new."
    assert explain(x, L).verdict == (
        "6 + 6 = 12, as a reverse sweep says too, but x.grad is 44: it is from another result, or from several; "
        "set it to 0 before L.backward()."
    )
    assert x.grad == 12 + 4 * 2.0**3


def test_a_derivative_explained_again():
    """The second derivative of x³ + tanh x, against its formula."""
    x = Value(0.5)
    y = x**3 + x.tanh()
    y.backward(create_graph=True)
    g = x.grad
    found = explain(x, g)
    t = math.tanh(0.5)
    assert found.total == pytest.approx(6 * 0.5 - 2 * t * (1 - t * t), rel=1e-14)
    assert found.verdict.endswith(
        ", as a reverse sweep says too, but x.grad is 1.5364, being g itself: set it to 0 before g.backward() adds "
        "the next derivative."
    )
    assert y.data > 0
    x.grad = 0
    g.backward()
    assert explain(x, g).verdict.endswith(" = x.grad")


def test_items_of_lists_have_their_names_in_the_verdict():
    ws = [Value(2.0), Value(3.0)]
    L = ws[0] * ws[1]
    L.backward()
    assert explain(ws[0], L).verdict == "dL/dws[0] = 3 = ws[0].grad"


def test_what_a_derivative_made_a_copy_of_is_called_by_its_name():
    x = Value(3.0)
    g = mg.grad(lambda t: t**3)(x)
    g.backward()
    assert str(explain(x, g)).splitlines() == [
        "dg/dx = 18, the one path from g back to x:",
        "  1. g ← * #8 ← (3*(x**2)) ← (x**2) ← x",
        "     ∂g/∂(* #8) · ∂(* #8)/∂(3*(x**2)) · ∂(3*(x**2))/∂(x**2) · ∂(x**2)/∂x",
        "   = 1 × 1 × 3 × 6 = 18",
        "dg/dx = 18 = x.grad",
    ]
    twice = mg.grad(lambda t: mg.grad(lambda u: u * u * mg.sin(u))(t))(x)
    found = explain(x, twice)
    assert found.adjoint == pytest.approx(-18 * math.sin(3) - 3 * math.cos(3), rel=1e-14)
    assert "copy" not in str(found)
    assert sum(walk(twice, x)) == pytest.approx(found.total, rel=1e-14)
    copied, _ = mg.value_and_grad(lambda t: t)(x)
    [copy] = [node for node in mg.engine.topological_order(g) if node.op == "copy"]
    assert explain(x, copied).headline == "dcopied/dx = 1, the one path from copied back to x:"
    assert explain(copy, g).total == 18 and explain(x, copy, names={"copy": copy}).total == 1
