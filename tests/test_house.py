"""The house: what lies where, who may import whom, and what `import microgrid` costs."""

import ast
import fnmatch
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "microgrid"

FLOORS = {
    "engine": 0,
    "functions": 1, "copies": 1, "files": 1, "scopes": 1, "collector": 1, "module": 1, "initial": 1, "page": 1,
    "calculus": 2, "nn": 2, "operations": 2,
    "pictures": 3,
    "compiler": 4,
    "training": 5, "checking": 5,
    "export": 6, "models": 6,
    "classroom": 7, "bench": 7,
    "course": 8,
    "verbs": 9, "pytest_plugin": 9,
    "__main__": 10,
}  # fmt: skip

OPTIONAL = {
    "IPython", "graphviz", "hypothesis", "jax", "llvmlite", "matplotlib", "micrograd", "numpy", "onnx",
    "pygraphviz", "pymoo", "pytest", "rich", "safetensors", "sklearn", "sympy", "torch", "tqdm",
}  # fmt: skip
SLOW = {
    "asyncio", "ctypes", "email", "html", "http", "logging", "multiprocessing", "sqlite3", "ssl", "subprocess",
    "tempfile", "tkinter", "unittest", "urllib", "xml",
}  # fmt: skip


def module_name(path):
    """microgrid/training/data.py -> training.data, and microgrid/training/__init__.py -> training."""
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in sorted(PACKAGE.rglob("*.py")) if path != PACKAGE / "__init__.py"}


def imported(name, path, source=None):
    """The modules of this package that a module imports, anywhere in it; "" is the package itself."""
    folder = ["microgrid", *name.split(".")]
    if path.name != "__init__.py":
        folder.pop()
    for node in ast.walk(ast.parse(source if source is not None else path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found = [alias.name.split(".") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = folder[: len(folder) + 1 - node.level] if node.level else []
            base = base + (node.module.split(".") if node.module else [])
            found = [[*base, alias.name] for alias in node.names]
            found = [dotted if ".".join(dotted[1:]) in MODULES else base for dotted in found]
        else:
            continue
        yield from [".".join(dotted[1:]) for dotted in found if dotted and dotted[0] == "microgrid"]


def top(name):
    return name.split(".")[0]


def breaks_the_staircase(importer, target):
    """Down is allowed, and so is the same floor inside one folder."""
    if top(target) == top(importer):
        return False
    if target == "":
        return top(importer) != "course"  # its chapters use the package as their readers do
    return FLOORS[top(target)] >= FLOORS[top(importer)]


def test_every_module_has_a_floor():
    assert {top(name) for name in MODULES} <= FLOORS.keys()
    assert {"engine", "functions", "copies", "files", "calculus", "nn"} <= MODULES.keys()


@pytest.mark.parametrize("name", MODULES)
def test_imports_go_down_the_stairs(name):
    assert [target for target in imported(name, MODULES[name]) if breaks_the_staircase(name, target)] == []


def test_no_imports_go_in_a_circle():
    graph = {name: {target for target in imported(name, path) if target != name} for name, path in MODULES.items()}
    list(graphlib.TopologicalSorter(graph).static_order())  # CycleError names the circle


@pytest.mark.parametrize(
    "name, line, target",
    [
        ("functions", "from .nn import MLP", "nn"),
        ("functions", "from . import nn", "nn"),
        ("functions", "def f():\n    from microgrid.nn import MLP", "nn"),
        ("calculus", "import microgrid.nn", "nn"),
        ("nn", "from .calculus import grad", "calculus"),
        ("functions", "from . import copies", "copies"),
        ("engine", "import microgrid", ""),
        ("nn", "from . import Value", ""),
        ("nn", "from microgrid import Value", ""),
    ],
)
def test_an_import_up_the_stairs_would_be_seen(name, line, target):
    assert list(imported(name, MODULES[name], line)) == [target]
    assert breaks_the_staircase(name, target)


@pytest.mark.parametrize(
    "name, line, target",
    [("nn", "from . import functions", "functions"), ("calculus", "from .engine import Value", "engine")],
)
def test_an_import_down_the_stairs_is_allowed(name, line, target):
    assert list(imported(name, MODULES[name], line)) == [target]
    assert not breaks_the_staircase(name, target)


def engine():
    return (PACKAGE / "engine.py").read_text(encoding="utf-8")


def test_the_engine_imports_only_the_standard_library():
    for node in ast.walk(ast.parse(engine())):
        if isinstance(node, ast.Import):
            assert {alias.name.split(".")[0] for alias in node.names} <= sys.stdlib_module_names
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0
            assert node.module.split(".")[0] in sys.stdlib_module_names


def test_the_engine_fits_on_four_screens():
    lines = engine().splitlines()
    assert len(lines) <= 150
    assert max(map(len, lines)) <= 120


def test_the_engine_has_no_type_hints():
    for node in ast.walk(ast.parse(engine())):
        assert not isinstance(node, ast.AnnAssign)
        assert getattr(node, "annotation", None) is None
        assert getattr(node, "returns", None) is None


def test_the_chain_rule_stands_in_one_line():
    def writes_grad(target):
        return isinstance(target, ast.Attribute) and target.attr == "grad"

    tree = ast.parse(engine())
    sums = [node for node in ast.walk(tree) if isinstance(node, ast.AugAssign) and writes_grad(node.target)]
    assert sorted([ast.unparse(node) for node in sums]) == [
        "parent.grad += node.grad * local_gradient",
        "self.grad += 1",
    ]


def test_the_visible_top_level():
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").split()]
    visible = {
        path.name
        for path in ROOT.iterdir()
        if not path.name.startswith(".") and not any([fnmatch.fnmatch(path.name, pattern) for pattern in ignored])
    }
    assert visible == {"pyproject.toml", "README.md", "microgrid", "tests", "notebooks", "LICENSE"}


def loaded_by(statements, *options):
    """The modules that a fresh interpreter has after these statements and had not before them."""
    code = "import sys; sys.path.insert(0, sys.argv[1]); before = set(sys.modules)\n" + statements
    code += "\nprint(*sorted(set(sys.modules) - before))"
    command = [sys.executable, *options, "-c", code, str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.stderr == ""
    return run.stdout.splitlines()[-1].split()


def test_import_loads_the_lesson_and_nothing_optional_or_slow():
    modules = loaded_by("import microgrid")
    assert {name for name in modules if name.startswith("microgrid")} == {
        "microgrid", "microgrid.engine", "microgrid.functions", "microgrid.copies", "microgrid.calculus",
        "microgrid.module", "microgrid.initial", "microgrid.nn", "microgrid.scopes",
    }  # fmt: skip
    assert not {top(name) for name in modules} & (OPTIONAL | SLOW)


def test_microgrid_works_on_bare_python_without_any_installed_package():
    lesson = (
        "import microgrid as mg, pickle, copy\n"
        "a, b = mg.Value(2.0), mg.Value(-3.0)\n"
        "c = (a * b + 10).tanh() + mg.MLP(1, [2, 1], seed=0)([0.0])\n"
        "copy.deepcopy(pickle.loads(pickle.dumps(c))).backward()\n"
        "c.backward()\n"
        "assert round(a.grad, 4) == -0.004, a.grad\n"
        "assert mg.hessian(lambda x: x[0] ** 3)([2.0]) == [[12.0]]"
    )
    modules = loaded_by(lesson, "-I", "-S")
    assert {top(name) for name in modules} - {"microgrid"} <= sys.stdlib_module_names


def test_importing_the_engine_alone_loads_no_other_module_of_ours_but_the_package():
    """By its own path: a student may take engine.py away and use it alone."""
    statements = (
        "import importlib.util as u; spec = u.spec_from_file_location('alone', sys.argv[1] + '/microgrid/engine.py')\n"
        "alone = u.module_from_spec(spec); spec.loader.exec_module(alone)\n"
        "x = alone.Value(3.0); (x * x).backward(); assert x.grad == 6.0"
    )
    assert [name for name in loaded_by(statements, "-I", "-S") if name.startswith("microgrid")] == []
