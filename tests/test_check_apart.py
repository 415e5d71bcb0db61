"""Submissions that loop, crash, litter, forge and fight back: `check` tells of them, and nothing else happens."""

import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from microgrid.checking.examination import apart
from microgrid.checking.examination.apart import FORKS, Apart

GOOD = """
class Right:
    def __init__(self, data, parents=(), local=()):
        self.data, self.grad, self.parents, self.local = data, 0.0, parents, local

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data + other.data, (self, other), (1.0, 1.0))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        return Value(self.data * other.data, (self, other), (other.data, self.data))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def backward(self):
        order, seen, stack = [], set(), [(self, False)]
        while stack:
            node, done = stack.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                stack += [(node, True), *[(parent, False) for parent in node.parents]]
        for node in order:
            node.grad = 0.0 if node.parents else node.grad
        self.grad = 1.0
        for node in reversed(order):
            for parent, slope in zip(node.parents, node.local):
                parent.grad += slope * node.grad


class Value(Right):
    pass
"""
HERE = "import os, sys\nfrom pathlib import Path\nhere = Path(__file__).parent\n"


def at_import(lines):
    return HERE + textwrap.dedent(lines) + GOOD


def tries(*lines):
    """A right engine that tries each of these first, and lets no refusal stop it."""
    return at_import("".join([f"try:\n    {line}\nexcept BaseException:\n    pass\n" for line in lines]))


def method(head, lines, before=""):
    """A right engine but for one method."""
    body = textwrap.indent(textwrap.dedent(lines).strip(), " " * 8)
    return (
        HERE + before + GOOD.replace("class Value(Right):\n    pass\n", f"class Value(Right):\n    {head}:\n{body}\n")
    )


def add(lines, before=""):
    return method("def __add__(self, other)", lines, before)


def data(lines):
    return method("@property\n    def data(self)", lines).replace("self.data, self.grad", "self.number, self.grad")


def grad(value):
    return method(
        "def backward(self)", f"super().backward()\nfor node in (self, *self.parents):\n    node.grad = {value}"
    )


ENDLESS = {
    "at import": at_import("while True: pass"),
    "asleep": at_import("import time; time.sleep(1e6)"),
    "in init": method("def __init__(self, *parts)", "while True: pass"),
    "in add": add("while True: pass"),
    "in backward": method("def backward(self)", "while True: pass"),
    "in data": data("while True: pass"),
    "in float": add("return Value(Slow())", "class Slow:\n    def __float__(self):\n        while True: pass\n"),
    "in the error": add("raise Slow()", "class Slow(Exception):\n    def __str__(self):\n        while True: pass\n"),
    "in eq": method("def __eq__(self, other)", "while True: pass\ndef __hash__(self): return 1"),
    "in del": method("def __del__(self)", "while True: pass"),
    "2 to the n": method("def backward(self)", """
        def visit(node, slope):
            node.grad += slope
            for parent, local in zip(node.parents, node.local):
                visit(parent, slope * local)
        visit(self, 1.0)
    """),
    "a power of powers": add("return Value(9 ** 9 ** 9)"),
    "a regular expression": add("import re; re.match('(a+)+$', 'a' * 50 + 'b')"),
    "a generator": add("return Value(sum(self.all))", "").replace("class Right:", "class Right:\n    import itertools\n"
                       "    all = (1 for _ in itertools.count())"),
}  # fmt: skip
ENDING = {
    "sys.exit": at_import("sys.exit(0)"),
    "os._exit": at_import("os._exit(0)"),
    "interrupt": at_import("raise KeyboardInterrupt"),
    "exit in add": add("raise SystemExit(0)"),
    "os._exit in add": add("os._exit(0)"),
    "interrupt in add": add("raise KeyboardInterrupt"),
    "GeneratorExit in add": add("raise GeneratorExit"),
    "StopIteration in add": add("raise StopIteration"),
    "recursion at import": at_import("def f(): f()\nf()"),
    "recursion": add("return self + other"),
    "recursion without a limit": add("return self + other", "sys.setrecursionlimit(10**9)\n"),
    "recursion in C": add("x = []\nfor _ in range(10**6): x = [x]\nrepr(x)", "sys.setrecursionlimit(10**9)\n"),
    "abort": at_import("os.abort()"),
    "a signal to itself": at_import("import signal; signal.raise_signal(signal.SIGKILL)"),
    "segfault": at_import("import faulthandler; faulthandler._sigsegv()"),
    "bytecode": at_import("(lambda: 0).__code__.replace(co_code=b'\\xff' * 99)\n"
                          "f = lambda: 0\nf.__code__ = f.__code__.replace(co_code=bytes([100, 250] * 9))\nf()"),
    "list that grows": at_import("x = [0]\nwhile True: x += x"),
    "text of 10**12": add("'x' * 10**12"),
    "bytes that grow": add("x = b'x' * 10**6\nwhile True: x += x"),
    "memory in pieces": add("x = []\nwhile True: x.append(bytearray(10**6))"),
    "no Python": "this is no Python",
    "nothing": "",
    "nulls": "\0\0\0",
    "not UTF-8": b"# \xff\xfe\nclass Value: pass\n",
    "deep source": "x = " + "(" * 5000 + ")" * 5000 + "\n",
    "deep unary": "x = " + "-" * 50_000 + "1\n",
    "long sum": "x = " + "+".join(["1"] * 20_000) + "\n",
    "no class": "x = 1\n",
    "reads stdin": at_import("input()"),
    "unknown import": at_import("import there_is_no_such_module"),
    "ctypes": at_import("import ctypes; ctypes.string_at(0)"),
}  # fmt: skip
LITTER = {
    "writes here": at_import("open('litter.txt', 'w').write('x')\nopen(here / 'litter.txt', 'w')"),
    "writes often": at_import("for i in range(10**9): open(f'{i}', 'w')"),
    "makes folders": at_import("for i in range(10**9): os.mkdir('x'); os.chdir('x')"),
    "writes much": at_import("file = open('big', 'wb')\nwhile True: file.write(b'x' * 10**6); file.flush()"),
}  # fmt: skip
PROCESSES = {
    "fork bomb": at_import("while True: os.fork()"),
    "deaf to signals": at_import("""
        import signal
        for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
            signal.signal(number, signal.SIG_IGN)
        while True: pass
    """),
    "threads": at_import("""
        import threading, time
        for i in range(20):
            threading.Thread(target=time.sleep, args=(1e6,), daemon=i % 2).start()
    """),
    "busy threads": at_import("""
        import threading
        def turn():
            while True: pass
        for _ in range(3): threading.Thread(target=turn).start()
    """),
}
TALK = {
    "prints at import": at_import("for _ in range(1000): print('x' * 10**6)"),
    "prints and raises": add("print('x' * 10**8)\nprint('x' * 10**8, file=sys.stderr)\nraise ValueError('x' * 10**7)"),
    "closes all": at_import("os.closerange(0, 10**4)"),
    "closes all and sleeps": at_import("import time; os.closerange(0, 10**4); time.sleep(1e6)"),
    "closes all in add": add("os.closerange(0, 10**4)\nwhile True: pass"),
    "garbage": add("""
        for number in range(50):
            try: os.write(number, b'\\x00\\x00\\xff' * 999)
            except OSError: pass
    """),
    "a GB": at_import("""
        for _ in range(1000):
            for number in range(3, 50):
                try: os.write(number, b'x' * 10**6)
                except OSError: pass
    """),
    "half an answer": at_import("""
        import time
        for number in range(3, 50):
            try: os.write(number, bytes([0, 0, 255, 255, 1]))
            except OSError: pass
        time.sleep(1e6)
    """),
    "forged": at_import("""
        line = b'{"class": "Value", "data": "data", "grad": "grad", "there": [], "reflected": [], "single": false}'
        for number in range(3, 50):
            try: os.write(number, len(line).to_bytes(4, 'big') + line)
            except OSError: pass
        os._exit(0)
    """),
    "steers the terminal": add("raise ValueError('\\x1b[2J\\x1b]0;gone\\x07 \\ud800 [red]<script>alert(1)</script>')"),
    "a strange name": at_import("").replace("pass\n", "__add__ = None\nValue.__name__ = '\\ud800' * 10**6\n"),
}  # fmt: skip
VANDALS = {
    "no builtins": at_import("import builtins; vars(builtins).clear()"),
    "len and float": add("import builtins; builtins.float = builtins.len = str; return super().__add__(other)"),
    "float": add("import builtins; builtins.float = lambda x: [x]; return super().__add__(other)"),
    "isinstance": add("import builtins; builtins.isinstance = lambda *x: False; return super().__add__(other)"),
    "json": at_import("import json; json.dumps = json.loads = json.encoder.JSONEncoder.encode = None"),
    "json in C": at_import("import json.encoder as e; e.c_make_encoder = e._make_iterencode = None; e.JSONEncoder = 1"),
    "math": at_import("import math; math.exp = math.log = math.tanh = None"),
    "os": at_import("os.write = os.close = os.read = None"),
    "os._exit": at_import("os._exit = sys.exit = lambda *x: None; os.write = lambda *x: 1 / 0"),
    "multiprocessing": at_import("import multiprocessing.connection as c; c.Connection.fileno = None"),
    "examination": at_import("import microgrid.checking.examination.trials as t; t.run = t.execute = None"),
    "microgrid": at_import("import microgrid; microgrid.Value.__add__ = None"),
    "sys.modules": at_import("sys.modules.clear()"),
    "frames": at_import("""
        frame = sys._getframe()
        while frame:
            frame.f_globals.clear() if 'apart' in frame.f_code.co_filename else None
            frame = frame.f_back
    """),
}
RIGHT = {  # they do no harm, or get no leave to
    "litters": tries(
        "open(__file__, 'w').write('gone')",
        "open(here / 'sentinel' / 'a', 'a').write('x')",
        "open(here / 'sentinel' / 'a', 'r+b').truncate()",
        "os.close(os.open(here / 'sentinel' / 'a', os.O_WRONLY | os.O_TRUNC))",
        "os.open('a', os.O_WRONLY | os.O_TRUNC, dir_fd=os.open(here / 'sentinel', os.O_RDONLY))",
        "os.unlink('a', dir_fd=os.open(here / 'sentinel', os.O_RDONLY))",
        "os.truncate(here / 'sentinel' / 'a', 0)",
        "os.remove(here / 'sentinel' / 'a')",
        "os.rename(here / 'sentinel', here / 'other')",
        "os.replace(here / 'sentinel' / 'a', 'mine')",
        "os.chmod(here / 'sentinel' / 'a', 0)",
        "os.utime(here / 'sentinel' / 'a', (0, 0))",
        "import shutil; shutil.rmtree(here / 'sentinel')",
        "import shutil; shutil.move(here / 'sentinel', here / 'other')",
        "os.chdir(here / 'sentinel'); open('a', 'w')",
        "os.chdir(here / 'sentinel'); os.unlink('a')",
        "os.symlink(here / 'sentinel' / 'a', 'link')",
        "open('link', 'w')",
        "os.link(here / 'sentinel' / 'a', 'hard')",
        "open('hard', 'w')",
        "os.mkdir(here / 'sentinel' / 'folder')",
        "os.mkfifo(here / 'sentinel' / 'pipe')",
        "os.mknod(here / 'sentinel' / 'node')",
        "import posix; posix.mkfifo(here / 'sentinel' / 'pipe')",
        "(here / 'home' / '.bashrc').write_text('x')",
        "import tempfile; tempfile.mkdtemp(dir=here / 'sentinel')",
        "import sqlite3; sqlite3.connect(here / 'sentinel' / 'base').execute('create table t (x)')",
        "import dbm.gnu; dbm.gnu.open(str(here / 'sentinel' / 'base'), 'c')",
        "import readline; readline.write_history_file(str(here / 'sentinel' / 'history'))",
        "from multiprocessing.shared_memory import SharedMemory; SharedMemory('microgrid-litter', True, 9)",
        "import logging; logging.FileHandler(here / 'sentinel' / 'log').emit(None)",
        "import py_compile; py_compile.compile(__file__, here / 'sentinel' / 'compiled')",
        "os.mkdir('closed', 0); os.umask(0o777); os.mkdir('shut')",
    ),
    "starts": tries(
        "os.fork() or __import__('time').sleep(1e6)",
        "os.forkpty()",
        "import pty; pty.fork()",
        "os.system('sleep 1000 &')",
        "os.popen('sleep 1000 &')",
        "os.posix_spawn('/bin/sleep', ['sleep', '1000'], {})",
        "os.spawnlp(os.P_NOWAIT, 'sleep', 'sleep', '1000')",
        "os.execlp('sleep', 'sleep', '1000')",
        "import subprocess; subprocess.Popen(['sleep', '1000'])",
        "import subprocess; subprocess.Popen(['sleep', '1000'], start_new_session=True)",
        "import multiprocessing as m; m.current_process()._config.clear()",  # it may have no children, it says
        "import multiprocessing as m, time; m.get_context('spawn').Process(target=time.sleep, args=(1e6,)).start()",
        "import multiprocessing as m, time; m.get_context('fork').Process(target=time.sleep, args=(1e6,)).start()",
        "import multiprocessing as m, time; m.get_context('forkserver').Process(target=time.sleep, args=(9,)).start()",
        "from multiprocessing import util; util.spawnv_passfds(b'/bin/sleep', ['sleep', '1000'], [])",
        "import _posixsubprocess as p; p.fork_exec([b'sleep', b'9'], [b'/bin/sleep'], True, (), None, None, -1, -1, -1,"
        " -1, -1, -1, *os.pipe(), False, False, -1, None, None, None, -1, None, False)",
        "import ctypes; ctypes.CDLL(None).fork()",
        "import _xxsubinterpreters as i; i.run_string(i.create(), 'import os; os.fork()')",
    ),
    "kills": tries(
        "os.kill(os.getppid(), 9)",
        "os.killpg(os.getpgid(os.getppid()), 9)",
        "os.kill(-1, 15)",
        "import signal; signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 9)",
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), 19)",
        "os.sched_setaffinity(os.getppid(), {0})",
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_NOFILE, (0, 0))",
    ),
    "calls": tries(
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9')",
        "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg([b'x'], [], 0, ('127.0.0.1', 9))",
    ),
    "at exit": at_import("import atexit, time; atexit.register(time.sleep, 1e6)"),
    "stdout": at_import("sys.stdout = sys.stderr = sys.stdin = None; import builtins; builtins.print = None"),
    "environment": at_import("os.environ.clear(); os.chdir('/'); os.environ['HOME'] = '/nowhere'"),
    "collector": at_import("import gc; gc.disable(); gc.set_threshold(1)"),
    "trace": at_import("sys.settrace(lambda *x: None); sys.setprofile(lambda *x: None)"),
    "limits": tries("import resource as r; r.setrlimit(r.RLIMIT_AS, (-1, -1))", "sys.setrecursionlimit(10**9)"),
    "prints": add("print('x' * 10**4); sys.stderr.write('x'); return super().__add__(other)"),
    "hooks": at_import("sys.excepthook = sys.unraisablehook = sys.displayhook = None; sys.path.clear()"),
    "timers": tries("import signal; signal.signal(signal.SIGALRM, signal.SIG_IGN); signal.alarm(1)"),
}
ANSWERS = {
    "nan": grad("float('nan')"), "inf": grad("float('inf')"), "complex": grad("1j"), "huge": grad("10**400"),
    "digits": grad("10**100_000"), "text": grad("'x' * 10**6"), "list": grad("[[1]]"), "none": grad("None"),
    "itself": grad("node"), "a function": grad("(lambda: node.grad)"), "a class": grad("int"),
    "a value in a value": grad("Value(Value(Value(1.0)))"),
    "data is text": add("return Value('x')"),
    "data is endless": add("return Value(10 ** 10 ** 7)"),
    "data raises": data("raise RuntimeError('no data')"),
    "data exits": data("sys.exit()"),
    "a number": add("return 3.0"),
    "nothing": add("return None"),
    "another class": add("return Other()", "class Other:\n    data = grad = 5.0\n    def backward(self): pass\n"),
    "another class's": add("self.__class__ = int; return self"),
    "eq raises": method("def __eq__(self, other)", "raise ValueError('eq')\ndef __hash__(self): return 1"),
    "eq is a list": method("def __eq__(self, other)", "return [self]\ndef __hash__(self): return 1"),
    "bool raises": add("return Odd(self)", "class Odd(float):\n    def __new__(cls, x): return float.__new__(cls, 1)\n"
                       "    def __bool__(self): raise ValueError\n"),
    "getattribute": method("def __getattribute__(self, name)", "raise AttributeError(name)"),
    "getattr": method("def __getattr__(self, name)", "return getattr(self, name + name)"),
    "setattr": method("def __setattr__(self, name, value)", "pass"),
    "a metaclass": method("def __add__(self, other)", "return 1",
                          "class Meta(type):\n    __name__ = property(lambda self: 1 / 0)\n").replace(
                          "class Value(Right)", "class Value(Right, metaclass=Meta)"),
    "deep": add("return Value(deep)", "deep = []\nfor _ in range(10**5): deep = [deep]\n"),
}  # fmt: skip
GROUPS = {"endless": ENDLESS, "ending": ENDING, "litter": LITTER, "processes": PROCESSES, "talk": TALK,
          "vandals": VANDALS, "answers": ANSWERS, "right": RIGHT}  # fmt: skip
UNHARMED = (  # they spoil what may not be used, or are done in time on a quick machine
    "getattr", "math", "microgrid", "os", "sys.modules", "busy threads", "threads", "prints at import",
)  # fmt: skip
TITLES = {
    "sys.exit": "SystemExit: 0", "os._exit": "it ends the whole program", "interrupt": "KeyboardInterrupt",
    "segfault": "it ends the whole program", "no Python": "SyntaxError: invalid syntax",
    "deep unary": "the file can't be run", "long sum": "the file can't be run", "reads stdin": "EOFError",
    "ctypes": "ImportError: a checked engine may not import ctypes", "writes here": "may not write files",
    "writes often": "may not write files: '100'", "makes folders": "may not change files: os.mkdir",
    "writes much": "File too large", "fork bomb": "PermissionError: a checked engine may not do this: os.fork",
    "forged": "it ends the whole program", "closes all": "it ends the whole program",
}  # fmt: skip

DRIVER = '''
"""Checks each file, and says what has changed in this process and around it."""

import gc, hashlib, json, os, signal, sys, tempfile, threading, time
from pathlib import Path
from microgrid.checking import check
from microgrid.checking.examination import examination

folder, seconds, marker, *files = sys.argv[1:]
examination.ALTOGETHER = float(seconds)
out = Path(folder, "results")


def state():
    return {
        "cwd": os.getcwd(), "environment": dict(os.environ), "path": list(sys.path),
        "modules": {name: id(module) for name, module in sys.modules.items()},
        "streams": [id(stream) for stream in (sys.stdin, sys.stdout, sys.stderr)],
        "signals": [str(signal.getsignal(number)) for number in signal.valid_signals()],
        "limits": [sys.getrecursionlimit(), gc.isenabled(), gc.get_threshold(), str(sys.gettrace())],
        "threads": threading.active_count(),
        "open": len(os.listdir("/dev/fd")) if os.path.exists("/dev/fd") else 0,
        "left": os.listdir(tempfile.gettempdir()),
        "files": {str(path): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
                  for path in Path(folder).rglob("*") if out not in (path, *path.parents)},
        "processes": processes(), "shared": [name for name in shared() if "microgrid" in name],
    }


def shared():
    return os.listdir("/dev/shm") if os.path.exists("/dev/shm") else []


def processes():
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if marker.encode() in environment.read_bytes() and environment.parent.name != str(os.getpid()):
                found.append((environment.parent / "cmdline").read_text())
        except OSError:
            pass
    return found


precious = open(Path(folder, "sentinel", "open"), "wb", buffering=0)
precious.write(b"open in the process that checks")
check(files[0])
before = state()
for file in files:
    start = time.monotonic()
    try:
        found = check(file)
        for name in ("report.html", "report.json", "report.txt"):
            found.save(out / name)
        said = {"faults": [fault.title for fault in found.faults], "score": found.score}
    except Exception as error:
        said = {"raised": repr(error)}
    after = state()
    new = {name: after["modules"][name] for name in before["modules"] if name in after["modules"]}
    changed = [name for name in before if name != "modules" and before[name] != after[name]]
    said["changed"] = changed + (["modules"] if new != before["modules"] else [])
    said["details"] = [(before[name], after[name]) for name in changed]
    with open(out / "lines", "a") as results:
        print(json.dumps(said | {"file": Path(file).stem, "seconds": time.monotonic() - start}), file=results)
'''


def run(folder, submissions, seconds=2.0, timeout=60 * 8):
    """Each submission checked, all in one process: what is said of it, by its name."""
    for name in ("sentinel", "home", "temporary", "results"):
        (folder / name).mkdir()
    (folder / "sentinel" / "a").write_text("precious")
    files = [folder / "good.py"]
    files[0].write_text(GOOD)
    for name, source in submissions.items():
        files.append(folder / f"its_{name.replace(' ', '_').replace('.', '_')}.py")
        files[-1].write_bytes(source if isinstance(source, bytes) else source.encode())
    marker = f"microgrid-test-{os.getpid()}-{folder.name}"
    environment = os.environ | {"MARKER": marker, "HOME": str(folder / "home"), "TMPDIR": str(folder / "temporary")}
    made = subprocess.run(
        [sys.executable, "-c", DRIVER, str(folder), str(seconds), marker, *[str(file) for file in files]],
        timeout=timeout, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    lines = [json.loads(line) for line in (folder / "results" / "lines").read_text().splitlines()]
    assert (made.returncode, made.stdout, made.stderr) == (0, "", "")
    return dict(zip(["good", *submissions], lines, strict=True))


@pytest.mark.skipif(not FORKS, reason="what is inherited and what is left is looked up as Unix has it")
@pytest.mark.parametrize("group", GROUPS)
def test_nothing_happens_but_a_report(tmp_path, group):
    said = run(tmp_path, GROUPS[group], 15.0 if group == "right" else 2.0)
    assert {name: one["raised"] for name, one in said.items() if "raised" in one} == {}
    assert {name: one["details"] for name, one in said.items() if one["changed"]} == {}
    assert said.pop("good")["score"] == 1
    for name, one in said.items():
        if group == "right":
            assert (name, one["faults"], one["score"]) == (name, [], 1)
        elif name not in UNHARMED:
            assert one["score"] < 1, name
        assert TITLES.get(name, "") in " ".join(one["faults"]), (name, one["faults"])
        assert "".join(one["faults"]).isprintable(), name


def test_a_class_with_the_worst_in_it(tmp_path):
    worst = {"endless": ENDLESS["at import"], "ends": ENDING["os._exit"], "crash": ENDING["segfault"],
             "bomb": PROCESSES["fork bomb"], "flood": TALK["a GB"], "litter": LITTER["writes often"]}  # fmt: skip
    spoilt = "try: open(__file__ + '.gone', 'w')\nexcept OSError: pass\n"
    sources = worst | {"anna": GOOD, "csv": spoilt + GOOD, "random": spoilt + GOOD}  # names that Python has itself
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source)
    files = sorted(f"{name}.py" for name in sources)
    above = str(Path(apart.__file__).parents[3])
    made = subprocess.run(
        [sys.executable, "-P", "-m", "microgrid", "check", *files, "--csv", "grades.csv", "--out", "out"],
        cwd=tmp_path, capture_output=True, text=True, timeout=200, env=os.environ | {"PYTHONPATH": above},
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    rows = [line.split(",") for line in (tmp_path / "grades.csv").read_text().splitlines()]
    scores = {row[0].removesuffix(".py"): float(row[1]) for row in rows[1:]}
    assert scores == {name: 0.0 if name in worst else 1.0 for name in sorted(sources)}
    assert {path.name for path in tmp_path.iterdir()} == {*files, "grades.csv", "out"}


def gone(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] in "ZX"
    except OSError:
        return True


def escaping(subject, tasks):
    """Leaves a process in a session of its own, whose parent is gone by the time that it is looked for."""
    reader, writer = os.pipe()
    if not os.fork():
        os.setsid()
        child = os.fork()
        if child:
            os.write(writer, child.to_bytes(4, "big"))
        time.sleep(1000)
    yield {"child": int.from_bytes(os.read(reader, 4), "big")}
    time.sleep(1000)


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells of all processes")
def test_what_got_away_is_stopped_with_its_parent(monkeypatch):
    monkeypatch.setattr(apart, "harden", lambda *_: None)
    first, second = Apart(escaping, None, 20.0, 1.0).each([0, 1], 2)
    assert second == {"stopped": "time"}
    until = time.monotonic() + 10
    while not gone(first["child"]) and time.monotonic() < until:
        time.sleep(0.01)
    assert first["child"] and gone(first["child"])


def halting(subject, tasks):
    """The beginning of an answer, by the key that is found in the frames above; then nothing more."""
    frame = sys._getframe()
    while "key" not in frame.f_locals:
        frame = frame.f_back
    os.write(frame.f_locals["writer"].fileno(), frame.f_locals["key"] + subject)
    time.sleep(1000)
    yield {}


def answering(subject, tasks):
    yield from subject


@pytest.mark.skipif(not FORKS, reason="on Windows a message comes whole")
@pytest.mark.parametrize("beginning", [b"", b"\0\0", (99).to_bytes(8, "big"), (99).to_bytes(8, "big") + b'{"data":'])
def test_half_an_answer_is_not_waited_for(beginning):
    assert [*Apart(halting, beginning, 20.0, 0.3).each([0], 1)] == [{"stopped": "time"}]


def test_an_answer_that_is_too_long_is_none():
    assert [*Apart(answering, [{"x": "x" * apart.LARGEST_ANSWER}], 20.0).each([0], 1)] == [{"stopped": "died"}]


@pytest.mark.parametrize(
    "answer, came",
    [
        ({"x": [1.5, True, None, {"y": "z"}]}, {"x": [1.5, True, None, {"y": "z"}]}),
        ({"x": "\x1b[2J\ud800\u202e\nü"}, {"x": "?[2J??\nü"}),
        ({"x" * 2000: "y" * 2000}, {"x" * 1000: "y" * 1000}),
        ([], {"stopped": "died"}),
        ("text", {"stopped": "died"}),
        (10**5000, {"stopped": "died"}),
        (object(), {"stopped": "died"}),
    ],
    ids=["plain", "signs", "long", "list", "text", "digits", "object"],
)
def test_answers_are_plain(answer, came):
    assert [*Apart(answering, [answer], 20.0).each([0], 1)] == [came]


@pytest.mark.parametrize("wrong", [{"x": "1"}, {"x": 2}, {"x": []}, {}, {"stopped": 5}, {"stopped": ["time"]}])
def test_an_answer_of_the_wrong_form_is_none(wrong):
    tasks = Apart(answering, [{"x": 1}, wrong, {"x": 1}], 20.0, sound=lambda task, answer: answer["x"] + 1 == task + 1)
    assert [*tasks.each([1, 1, 1], 3)] == [{"x": 1}, {"stopped": "died"}, {"x": 1}]


def test_answers_that_are_missing_are_told():
    assert [*Apart(answering, [{"x": 1}], 20.0).each([0, 1], 2)] == [{"x": 1}, {"stopped": "died"}]
