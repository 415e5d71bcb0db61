"""The vector functions of the native backend against C's, and against decimals of 50 digits.

Tolerances, in units in the last place: 2 against the C library, whose own tanh is off by 2.2; erfc has 4 there,
since C's is off by 3.1; against the decimals, which are exact, what the errors of the steps add up to.
"""

import ctypes
import functools
import math
import re
import sys
from decimal import Decimal, localcontext

import pytest
from refusals import refusal

from microgrid.compiler.native.elementary import LANES, LIBRARY, bind, definitions, ir, module_of
from microgrid.compiler.native.formulas import EXP, VECTORS
from microgrid.functions import _sigmoid, _softplus

FAST = 'python -m pip install "microgrid[fast]"'
np = pytest.importorskip("numpy", reason=FAST)
llvm = pytest.importorskip("llvmlite.binding", reason=FAST)

INF, NAN, TINY = math.inf, math.nan, 5e-324
NAMES = tuple(VECTORS)
C = {name: getattr(math, name) for name in NAMES if hasattr(math, name)} | {"sigmoid": _sigmoid, "softplus": _softplus}
ULPS = {name: 2 for name in NAMES} | {"sqrt": 0, "exp": 1, "erfc": 4, "sigmoid": 4}
PROCESSORS = ("host", "plain")  # plain: neither fused products nor wide vectors, as every processor of the kind has
# fmt: off
SPECIAL = {  # C's annex F
    "exp": [(0.0, 1.0), (-0.0, 1.0), (INF, INF), (-INF, 0.0), (710.0, INF), (1e308, INF), (-746.0, 0.0), (TINY, 1.0)],
    "log": [(0.0, -INF), (-0.0, -INF), (INF, INF), (-INF, NAN), (-1.0, NAN), (-TINY, NAN), (1.0, 0.0)],
    "tanh": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (30.0, 1.0), (TINY, TINY), (-TINY, -TINY)],
    "sigmoid": [(0.0, 0.5), (-0.0, 0.5), (INF, 1.0), (-INF, 0.0), (-745.0, TINY), (800.0, 1.0), (-800.0, 0.0)],
    "sin": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (TINY, TINY), (-TINY, -TINY)],
    "cos": [(0.0, 1.0), (-0.0, 1.0), (INF, NAN), (-INF, NAN), (TINY, 1.0)],
    "tan": [(0.0, 0.0), (-0.0, -0.0), (INF, NAN), (-INF, NAN), (TINY, TINY), (-TINY, -TINY)],
    "sqrt": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-1.0, NAN), (-INF, NAN)],
    "expm1": [(0.0, 0.0), (-0.0, -0.0), (INF, INF), (-INF, -1.0), (710.0, INF), (-50.0, -1.0), (-TINY, -TINY)],
    "log1p": [(0.0, 0.0), (-0.0, -0.0), (-1.0, -INF), (-2.0, NAN), (INF, INF), (-INF, NAN), (-TINY, -TINY)],
    "softplus": [(INF, INF), (-INF, 0.0), (1000.0, 1000.0), (-1000.0, 0.0), (-745.0, TINY)],
    "erf": [(0.0, 0.0), (-0.0, -0.0), (INF, 1.0), (-INF, -1.0), (7.0, 1.0), (-7.0, -1.0)],
    "erfc": [(0.0, 1.0), (-0.0, 1.0), (INF, 0.0), (-INF, 2.0), (28.0, 0.0), (-7.0, 2.0)],
}
POWERS = [  # C's annex F.10.4.4
    (0.0, -3.0, INF), (-0.0, -3.0, -INF), (-0.0, -2.0, INF), (0.0, -INF, INF), (-0.0, 3.0, -0.0), (-0.0, 2.5, 0.0),
    (-1.0, INF, 1.0), (-1.0, -INF, 1.0), (1.0, NAN, 1.0), (NAN, 0.0, 1.0), (NAN, -0.0, 1.0), (-8.0, 1 / 3, NAN),
    (0.5, -INF, INF), (2.0, -INF, 0.0), (0.5, INF, 0.0), (2.0, INF, INF), (-INF, -3.0, -0.0), (-INF, 3.0, -INF),
    (-INF, 2.0, INF), (INF, -1.0, 0.0), (INF, 1.0, INF), (NAN, 1.0, NAN), (2.0, NAN, NAN), (2.0, -1074.0, TINY),
    (2.0, 1024.0, INF), (-2.0, 3.0, -8.0), (9.0, 0.5, 3.0),
]
# fmt: on


def over_arrays(name, lanes, type):
    """IR of a loop over arrays, and the function that it calls."""
    real, letters = (f"<{lanes} x {type}>" if lanes > 1 else type), "xy"[: LIBRARY.get(name, 1)]
    lines = [f"define void @run({', '.join([f'ptr %{a}s' for a in letters])}, ptr %results, i64 %count) {{"]
    lines += ["entry:", "br label %loop", "loop:", "%i = phi i64 [0, %entry], [%next, %loop]"]
    for a in letters:
        lines.append(f"%{a}p = getelementptr {type}, ptr %{a}s, i64 %i")
        lines.append(f"%{a} = load {real}, ptr %{a}p, align 4")
    lines.append(f"%r = call {real} @mg.{name}.{lanes}.{type}({', '.join([f'{real} %{a}' for a in letters])})")
    lines += [f"%p = getelementptr {type}, ptr %results, i64 %i", f"store {real} %r, ptr %p, align 4"]
    lines += [f"%next = add i64 %i, {lanes}", "%more = icmp slt i64 %next, %count"]
    lines += ["br i1 %more, label %loop, label %end", "end:", "ret void", "}"]
    return ir(name, lanes, type) + "\n".join(lines)


def run_text(text, processor="host"):
    """The address of `run` in this IR, and what keeps it alive."""
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    bind()
    module = llvm.parse_assembly(text)
    module.verify()
    cpu, features = ("", "")
    if processor == "host":
        cpu, features = llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()
    machine = llvm.Target.from_default_triple().create_target_machine(cpu=cpu, features=features, opt=2)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return engine.get_function_address("run"), engine


@functools.cache
def compiled(name, lanes=8, type="double", processor="host"):
    """The function over NumPy arrays of any length."""
    return callable_of(over_arrays(name, lanes, type), LIBRARY.get(name, 1), lanes, type, processor)


def callable_of(text, operands, lanes, type, processor):
    address, engine = run_text(text, processor)
    run = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * (operands + 1), ctypes.c_int64)(address)
    kind = {"double": np.float64, "float": np.float32}[type]

    def call(*arrays, alive=engine):
        count = len(arrays[0])
        padded = [np.concatenate([np.asarray(a, kind), np.ones(-count % lanes, kind)]) for a in arrays]
        results = np.empty_like(padded[0])
        run(*[a.ctypes.data for a in padded], results.ctypes.data, len(results))
        return results[:count]

    return call


def places(numbers, whole=np.int64):
    """The numbers' places in the row of all floats; both zeros have place 0."""
    bits = numbers.view(whole).astype(object)
    return np.where(bits < 0, -(bits + 2 ** (8 * numbers.itemsize - 1)), bits)


def ulps(got, expected):
    """How many floats apart; inf where only one is nan."""
    whole = np.int64 if got.itemsize == 8 else np.int32
    apart = np.abs(places(got, whole) - places(expected, whole)).astype(float)
    apart[np.isnan(got) != np.isnan(expected)] = INF
    apart[np.isnan(got) & np.isnan(expected)] = 0
    return apart


def in_c(name, x):
    """What C returns, where Python raises."""
    try:
        return C[name](x)
    except OverflowError:
        return INF
    except ValueError:
        return dict(SPECIAL[name]).get(x, NAN)


def samples(seed=0, count=4000):
    """Floats of all exponents and signs, subnormal ones too, and more where the functions bend."""
    rng = np.random.default_rng(seed)
    signs = rng.choice([-1.0, 1.0], (2, count))
    everywhere = np.ldexp(rng.uniform(1, 2, count), rng.integers(-1074, 1024, count)) * signs[0]
    middle = np.ldexp(rng.uniform(1, 2, count), rng.integers(-30, 11, count)) * signs[1]
    ranges = [(-1, 1), (-30, 30), (-750, 750), (-1e5, 1e5), (-1e6, 1e6), (0.5, 2)]
    turns = np.arange(1, 500) * (math.pi / 2)
    edges = np.array(
        [709.782712893384, 709.7827128933841, -708.4, -740.0, -745.1, 2.0**-54, 0.625, 0.75, 0.5, 1e6, 1e22]
    )
    around = [np.nextafter(edges, INF), edges, np.nextafter(edges, -INF), turns, np.nextafter(turns, INF), -turns]
    return np.concatenate([everywhere, middle, *[rng.uniform(*ends, count) for ends in ranges], *around])


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("name", NAMES)
def test_as_the_c_library_has_it(name, processor):
    x = samples()
    expected = np.array([in_c(name, v) for v in x.tolist()])
    got = compiled(name, processor=processor)(x)
    apart = ulps(got, expected)
    worst = int(np.argmax(apart))
    assert apart[worst] <= ULPS[name], (x[worst], got[worst], expected[worst])
    zeros = (got == 0) & (expected == 0)
    assert np.array_equal(np.signbit(got[zeros]), np.signbit(expected[zeros]))


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("name", NAMES)
def test_special_values(name, processor):
    x, expected = [np.array(column) for column in zip(*SPECIAL[name], (NAN, NAN))]
    got = compiled(name, processor=processor)(x)
    assert [repr(v) for v in got.tolist()] == [repr(v) for v in expected.tolist()]


def test_special_powers():
    bases, exponents, expected = [list(column) for column in zip(*POWERS)]
    got = compiled("pow")(bases, exponents)
    assert [repr(v) for v in got.tolist()] == [repr(v) for v in expected]


def test_powers_are_those_of_c():
    rng = np.random.default_rng(1)
    bases, exponents = rng.uniform(0.1, 10, 1001), rng.uniform(-300, 300, 1001)
    expected = [math.pow(a, b) for a, b in zip(bases.tolist(), exponents.tolist())]
    assert compiled("pow")(bases, exponents).tolist() == expected


@pytest.mark.parametrize("name", [*NAMES, "pow"])
def test_a_lane_does_not_depend_on_how_many_there_are(name):
    x = [samples(seed, 100) for seed in range(2, 2 + LIBRARY.get(name, 1))]
    bits = compiled(name, 8)(*x).view(np.int64)
    for lanes in LANES:
        assert np.array_equal(compiled(name, lanes)(*x).view(np.int64), bits), lanes


def pi_of(digits):
    """pi = 16 arctan(1/5) - 4 arctan(1/239) (Machin 1706)."""

    def arctan_of_inverse(n):
        return sum([Decimal((-1) ** k) / ((2 * k + 1) * Decimal(n) ** (2 * k + 1)) for k in range(digits)])

    return 16 * arctan_of_inverse(5) - 4 * arctan_of_inverse(239)


def sine_of(x, quarters=0):
    """sin(x + quarters pi/2) by its power series, x being turned back first."""
    pi = pi_of(90)
    x = x + quarters * pi / 2
    x -= 2 * pi * (x / (2 * pi)).to_integral_value()
    return sum([(-1) ** k * x ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(35)])


def erf_of(x):
    """The power series (DLMF 7.6.1)."""
    terms = [(-1) ** k * x ** (2 * k + 1) / (math.factorial(k) * (2 * k + 1)) for k in range(140)]
    return 2 / pi_of(90).sqrt() * sum(terms)


EXACT = {  # by decimals, and the ulps that each step of ours may cost: half of one, rarely more, a rounding that counts
    "exp": (lambda x: x.exp(), (-745, 709.7), 1.0),
    "log": (lambda x: x.ln(), (1e-300, 10), 1.0),
    "tanh": (lambda x: 1 - 2 / ((2 * x).exp() + 1), (-20, 20), 1.5),
    "sigmoid": (lambda x: 1 / (1 + (-x).exp()), (-700, 40), 2.0),
    "expm1": (lambda x: x.exp() - 1, (-30, 30), 1.0),
    "log1p": (lambda x: (1 + x).ln(), (-0.99, 10), 1.0),
    "softplus": (lambda x: (1 + x.exp()).ln(), (-30, 30), 2.0),
    "sin": (sine_of, (-1e6, 1e6), 1.0),
    "cos": (lambda x: sine_of(x, 1), (-1e6, 1e6), 1.0),
    "tan": (lambda x: sine_of(x) / sine_of(x, 1), (-1e6, 1e6), 2.5),
    "erf": (erf_of, (-5, 5), 1.5),
    "erfc": (lambda x: 1 - erf_of(x), (-5, 5), 3.0),
}


@pytest.mark.parametrize("processor", PROCESSORS)
@pytest.mark.parametrize("name", EXACT)
def test_as_decimals_have_it(name, processor):
    exact, ends, tolerance = EXACT[name]
    rng = np.random.default_rng(3)
    near = np.ldexp(rng.uniform(1, 2, 60), rng.integers(-40, 2, 60)) * (
        1 if name == "log" else rng.choice([-0.49, 0.49], 60)
    )
    x = np.concatenate([rng.uniform(*ends, 60), near, np.array([1, 2, 333, 4000]) * math.pi / 2])
    x = x[(x >= ends[0]) & (x <= ends[1])]
    with localcontext() as context:
        context.prec = 80
        for a, got in zip(x.tolist(), compiled(name, processor=processor)(x).tolist()):
            truth = exact(Decimal(a))
            assert abs(Decimal(got) - truth) <= Decimal(tolerance) * Decimal(math.ulp(float(truth))), (a, got)


@pytest.mark.parametrize("name", ["sin", "cos", "tan"])
def test_far_angles_are_those_of_c_and_leave_the_near_ones_alone(name):
    far, near = np.array([1e7, -1e15, 1e22, 1.7e308] * 4), np.linspace(-3, 3, 16)
    mixed = np.where(np.arange(16) % 3 == 0, far, near)
    got, alone = compiled(name)(mixed), compiled(name)(near)
    expected = [C[name](a) if abs(a) > 1e6 else b for a, b in zip(mixed.tolist(), alone.tolist())]
    assert got.tolist() == expected


@pytest.mark.parametrize("name", NAMES)
def test_floats_to_one_ulp(name):
    with np.errstate(over="ignore", under="ignore"):
        x = samples(4).astype(np.float32)
        expected = np.array([in_c(name, v) for v in x.tolist()]).astype(np.float32)
    got = compiled(name, 16, "float")(x)
    assert ulps(got, expected).max() <= 1
    zeros = (got == 0) & (expected == 0)
    assert np.array_equal(np.signbit(got[zeros]), np.signbit(expected[zeros]))


def test_powers_of_floats():
    bases, exponents = np.linspace(0.1, 9, 33, dtype=np.float32), np.linspace(-20, 20, 33, dtype=np.float32)
    expected = [math.pow(a, b) for a, b in zip(bases.tolist(), exponents.tolist())]
    assert compiled("pow", 16, "float")(bases, exponents).tolist() == np.array(expected).astype(np.float32).tolist()


def test_a_planted_error_is_seen():
    text = over_arrays("exp", 8, "double")
    fifth = f"0x{np.float64(EXP[4]).view(np.uint64):016X}"
    wrong = f"0x{np.float64(EXP[4] * (1 + 1e-9)).view(np.uint64):016X}"
    assert fifth in text
    x = np.linspace(-1, 1, 1001)
    apart = ulps(callable_of(text.replace(fifth, wrong), 1, 8, "double", "host")(x), np.array([math.exp(v) for v in x]))
    assert apart.max() > ULPS["exp"]


@pytest.mark.parametrize("inlined", [False, True])
@pytest.mark.parametrize("type", ["double", "float"])
@pytest.mark.parametrize("lanes", LANES)
def test_all_in_one_module(lanes, type, inlined):
    text = module_of([*NAMES, "pow", "exp"], lanes, type, inlined)
    llvm.parse_assembly(text).verify()
    symbols = re.findall(r"^(?:declare|define internal) [^@]*@([\w.]+)\(", text, re.M)
    assert len(symbols) == len(set(symbols))
    assert {f"mg.{name}.{lanes}.{type}" for name in [*NAMES, "pow"]} <= set(symbols)
    assert {name for name in symbols if name.startswith("mg.c.")} == {f"mg.c.{name}" for name in LIBRARY}


def test_pieces_can_be_put_together():
    both = definitions("exp", 4, "double") | definitions("sigmoid", 4, "double")
    assert "\n".join(both.values()) + "\n" == module_of(["exp", "sigmoid"], 4)


def test_what_is_refused():
    names = "exp, log, tanh, sigmoid, sin, cos, tan, sqrt, expm1, log1p, softplus, erf, erfc, pow"
    assert refusal(ValueError, lambda: ir("sinh", 8)) == f"ir('sinh', ...): the functions are {names}"
    assert refusal(ValueError, lambda: ir("exp", 3)) == "ir('exp', 3): lanes are 1, 2, 4, 8, 16, 32"
    assert refusal(ValueError, lambda: ir("exp", 8, "half")) == (
        "ir('exp', 8, 'half'): the types are \"double\" and \"float\""
    )


def test_without_llvmlite(monkeypatch):
    monkeypatch.setitem(sys.modules, "llvmlite.binding", None)
    assert refusal(ModuleNotFoundError, bind) == f"the native backend needs llvmlite: {FAST}"
