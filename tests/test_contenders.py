"""The contenders: each gives microgrid's own value and gradient, and central differences say the same.

Nothing here asserts a time.
"""

import re
import sys
import warnings
from pathlib import Path

import pytest

np = pytest.importorskip("numpy", reason="python -m pip install numpy")

from microgrid.bench import peers_file, tables, timing  # noqa: E402
from microgrid.bench.contenders import CONTENDERS, absent, building, present, race, with_c  # noqa: E402
from microgrid.bench.contenders.with_numpy import Backprop, loops  # noqa: E402

SLOW = {"torch_compile"}  # half a minute to compile


@pytest.fixture
def as_it_was():
    """What a contender switches on for its whole process is switched off again."""
    yield
    import sys

    if jax := sys.modules.get("jax"):
        jax.config.update("jax_enable_x64", False)


def step_of(key, X, y):
    contender = CONTENDERS[key]
    if not contender.available():
        pytest.skip(f"{contender.name} is absent.  To have it: {contender.install}")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # those of other people's packages
        return contender.prepare(X, y)


def loss(p, X, y):
    """The definition, one point after the other."""
    total = 0.0
    for x, label in zip(X, y):
        h = x
        for w in (p[:48].reshape(16, 3), p[48:320].reshape(16, 17)):
            h = np.maximum(w[:, :-1] @ h + w[:, -1], 0)
        total += max(0.0, 1 - label * (p[320:336] @ h + p[336]))
    return total / len(X) + 1e-4 * sum(p * p)


@pytest.fixture(scope="module")
def expected():
    """microgrid's eager results on 23 points, held against central differences."""
    (X, y), p = race.points(23, seed=3), race.weights(5)
    value, gradient = CONTENDERS["microgrid"].prepare(X, y)(p)
    assert value == pytest.approx(loss(p, X, y), rel=1e-13)
    h = 1e-6
    slopes = [(loss(p + h * e, X, y) - loss(p - h * e, X, y)) / (2 * h) for e in np.eye(337)]
    assert gradient == pytest.approx(np.array(slopes), rel=1e-6, abs=1e-8)
    assert np.count_nonzero(np.abs(gradient) > 1e-3) > 150
    return X, y, p, [value, *gradient]


@pytest.mark.parametrize("key", [key for key in CONTENDERS if key not in SLOW])
def test_a_contender_gives_microgrids_value_and_gradient(key, expected, as_it_was):
    X, y, p, results = expected
    step = step_of(key, X, y)
    for _ in range(2):  # the second call finds what the first one left
        value, gradient = step(p)
        assert all([tables.agree(a, b) for a, b in zip(results, [value, *gradient], strict=True)])
    value, gradient = step(-p)
    assert value == pytest.approx(loss(-p, X, y), rel=1e-12)
    if step.forward:
        assert float(step.forward(step.own(p))) == pytest.approx(results[0], rel=1e-12)


@pytest.mark.parametrize(
    "key",
    [
        "c",
        "native",
        "ours_numpy",
        "python",
        "c_plain",
        "numpy",
        "casadi_sx",
        "casadi_mx",
        "jax",
        "torch",
        "autograd",
        "numba",
    ],
)
@pytest.mark.parametrize("count", [1, 4, 100, 101, 205])
def test_any_number_of_points_will_do(key, count, as_it_was):
    (X, y), p = race.points(count, seed=2), race.weights(7)
    net = Backprop(X, y, [16, 16, 1], strength=1e-4)
    assert net.forward(p) == pytest.approx(loss(p, X, y), rel=1e-13)
    value, gradient = step_of(key, X, y)(p)
    expected = net(p)
    assert value == pytest.approx(expected[0], rel=1e-12)
    assert gradient == pytest.approx(expected[1], rel=1e-10, abs=1e-14)


def test_c_runs_many_times_without_python():
    (X, y), p = race.points(12), race.weights()
    step = step_of("c", X, y)
    own = step.own(p)
    _, gradient = step.run(own)
    before, gradient[:] = gradient.copy(), np.nan
    step.inside(own, 3)
    assert (gradient == before).all()


def test_numbas_loops_are_right_as_plain_python_too(expected):
    X, y, p, results = expected
    g = np.empty(337)
    value = loops(p, X, y, g, np.empty((18, 16)), True)
    assert [value, *g] == pytest.approx(results, rel=1e-11, abs=1e-15)


def test_backprop_by_hand_with_softmax_has_the_slopes_of_its_loss():
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=(9, 5)), rng.integers(0, 3, 9)
    net = Backprop(X, y, [7, 4, 3], "softmax")
    p = rng.uniform(-1, 1, net.gradient.size)
    value, gradient = net(p)
    gradient = gradient.copy()
    h, w = X, p
    for a, b in ((7, 6), (4, 8), (3, 5)):
        layer, w = w[: a * b].reshape(a, b), w[a * b :]
        h = h @ layer[:, :-1].T + layer[:, -1]
        h = np.maximum(h, 0) if a > 3 else h
    expected = np.mean([-np.log(np.exp(row[label]) / np.exp(row).sum()) for row, label in zip(h, y)])
    assert value == pytest.approx(expected, rel=1e-13) and net.forward(p) == pytest.approx(expected, rel=1e-13)
    slopes = [(net.forward(p + 1e-6 * e) - net.forward(p - 1e-6 * e)) / 2e-6 for e in np.eye(p.size)]
    assert gradient == pytest.approx(np.array(slopes), rel=1e-5, abs=1e-8)


def test_scikit_learns_mlp_has_the_same_softmax_loss():
    networks = pytest.importorskip("sklearn.neural_network", reason="python -m pip install scikit-learn")
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(40, 6)), np.arange(40) % 4
    model = networks.MLPClassifier((8,), max_iter=1, alpha=0.0, random_state=1, batch_size=40)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(X, y)
    layers = [np.column_stack([w.T, b]) for w, b in zip(model.coefs_, model.intercepts_)]
    value = Backprop(X, y, [8, 4], "softmax").forward(np.concatenate([w.ravel() for w in layers]))
    shares = model.predict_proba(X)
    assert value == pytest.approx(-np.log(shares[np.arange(40), y]).mean(), rel=1e-12)


# Who is here.


def test_who_is_absent_is_listed_with_what_brings_it(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "jax", None)
    monkeypatch.delenv("CODIPACK", raising=False)
    missing = absent()
    assert missing["JAX, vectorised, jit"] == "python -m pip install jax"
    assert missing["C++ CoDiPack, records each time"] == (
        "git clone SciCompKL/CoDiPack from GitHub, a C++ compiler, and CODIPACK=its folder include"
    )
    assert "jax" not in present(anew=False) and {"microgrid", "microgpt"} <= present(anew=True).keys()
    here = {it.name for anew in (False, True) for it in present(anew).values()}
    assert not here & missing.keys() and len(here) + len(missing) == len(CONTENDERS)


def test_without_a_compiler_c_is_absent(monkeypatch):
    monkeypatch.setenv("CC", "no-such-compiler")
    assert absent()["C by hand, SIMD"] == with_c.INSTALL
    with pytest.raises(OSError, match=r"^moons.c needs a compiler, one of cc, gcc, clang; there is none on the PATH$"):
        building.built("moons.c")


def test_a_compiler_that_refuses_is_quoted(monkeypatch):
    monkeypatch.setenv("CC", sys.executable)  # which takes no -O3
    with pytest.raises(OSError, match=r"^.*refused moons.c: "):
        building.built("moons.c")


def test_the_file_of_peers_names_every_package_that_a_contender_imports():
    listed = set(re.findall(r"^([\w-]+)[=>]=", peers_file().read_text(encoding="utf-8"), re.MULTILINE))
    assert {package for it in CONTENDERS.values() for package in it.needs} - {"micrograd_rust"} <= listed


# Timing.


def test_a_turn_has_as_many_calls_as_make_it_long_enough():
    now = [0.0]

    def call():
        now[0] += 1e-5 if now[0] else 10.0  # the first call compiles, say

    assert timing.repetitions(call, 0.003, clock=lambda: now[0]) == 300

    def slow():
        now[0] += 1.0

    assert timing.repetitions(slow, 0.003, clock=lambda: now[0]) == 1


def test_turns_give_the_seconds_of_one_call(monkeypatch):
    now, calls = [0.0], []

    def call(name, seconds):
        calls.append(name)
        now[0] += seconds

    monkeypatch.setattr(timing, "clock_for", lambda threads: lambda: now[0])
    fast, slow = (lambda: call("fast", 1e-4)), (lambda: call("slow", 2e-3))
    found = timing.by_turns({"fast": fast, "slow": slow}, 3, "test")  # in turns of 5 ms
    assert found == {"fast": pytest.approx([1e-4] * 3), "slow": pytest.approx([2e-3] * 3)}
    assert "".join("f" if name == "fast" else "s" for name in calls).endswith(("f" * 50 + "ss") * 3)


def test_the_clock_counts_one_thread_and_waits_for_more():
    from time import perf_counter

    assert timing.clock_for(2) is perf_counter


def square(number):
    if number < 0:
        raise ArithmeticError(f"{number} is below 0")
    return {"square": number * number}


def test_a_function_runs_in_a_process_of_its_own(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    assert timing.in_a_process("test_contenders:square", {"number": 3}, threads=1) == {"square": 9}
    with pytest.raises(ArithmeticError, match=r"^-3 is below 0$"):
        timing.in_a_process("test_contenders:square", {"number": -3})
    with pytest.raises(RuntimeError, match=r"^its process ended with status 1: TypeError: "):
        timing.in_a_process("test_contenders:square", {"number": None})


def folder_of_kept_code():
    import os

    return {"folder": os.environ.get("MICROGRID_CACHE")}


def test_a_process_may_keep_its_native_code_elsewhere(monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    monkeypatch.setenv("MICROGRID_CACHE", "here")
    asked = "test_contenders:folder_of_kept_code"
    assert timing.in_a_process(asked, {}) == {"folder": "here"}
    assert timing.in_a_process(asked, {}, cache=str(tmp_path)) == {"folder": str(tmp_path)}


def test_a_first_call_of_native_leaves_its_code_where_it_was_told_to(tmp_path):
    step_of("native", *race.points(2))  # skips where it can't run
    found = race.first_call("native", count=6, cache=str(tmp_path))
    X, y = race.points(6)
    assert found["results"][0] == pytest.approx(loss(race.weights(), X, y), rel=1e-12)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*.o")}
    again = race.first_call("native", count=6, cache=str(tmp_path))  # another process asks for the same code
    assert files and files == {path: path.read_bytes() for path in tmp_path.rglob("*.o")}
    assert again["results"] == found["results"]


@pytest.mark.parametrize("pair", [("native", "native_threads"), ("c", "c_threads")])
def test_threads_give_the_numbers_of_one(monkeypatch, pair):
    X, y = race.points(5000)
    p = race.weights()
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    (one, by_one), (two, by_two) = [step_of(key, X, y)(p) for key in pair]
    assert step_of(pair[1], X[:1], y[:1])(p)[0] == pytest.approx(loss(p, X[:1], y[:1]), rel=1e-12)
    assert two == pytest.approx(one, rel=1e-12) and by_two == pytest.approx(by_one, rel=1e-10, abs=1e-14)


def test_the_race_compares_and_then_times_everybody():
    found = race.race(["numpy", "microgpt"], count=6, rounds=2)
    assert found["results"] == 338
    assert {name: len(times) for name, times in found["seconds"].items()} == {
        "NumPy, backprop by hand": 2, "microgpt's design": 2,
    }  # fmt: skip
    assert list(found["forward"]) == ["NumPy, backprop by hand"] and found["inside"] == {}  # nobody


def test_a_first_call_comes_from_a_fresh_process():
    found = race.first_call("numpy", count=6)
    X, y = race.points(6)
    assert found["results"][0] == pytest.approx(loss(race.weights(), X, y), rel=1e-12)
    assert len(found["results"]) == 338 and found["import"] >= 0 and found["first"] > 0
    with pytest.raises(RuntimeError, match=r"^its process ended with status 1: KeyError: 'nobody'$"):
        race.first_call("nobody")


def test_nothing_is_timed_when_contenders_differ(monkeypatch):
    right, wrong = CONTENDERS["numpy"], CONTENDERS["microgpt"]

    def lied(X, y):
        step = right.prepare(X, y)
        return type(step)(lambda p: (step.run(p)[0], -step.run(p)[1]))

    monkeypatch.setitem(race.CONTENDERS, "microgpt", type(wrong)("a liar", lied))
    monkeypatch.setattr(race, "by_turns", lambda *_: pytest.fail("timed"))
    with pytest.raises(ArithmeticError, match=r"^moons: gradient 1 of 337 is .+ by NumPy, .+ by a liar; nothing was"):
        race._race(["numpy", "microgpt"], count=4, rounds=1, threads=1, seed=1)
