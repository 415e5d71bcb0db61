"""From LLVM's text to machine code, kept on disk for the next time."""

import contextlib
import hashlib
import os
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from ...files import write_whole
from . import elementary

INSTALL = elementary.INSTALL
LIMIT = 200 * 2**20  # bytes of machine code in the cache; beyond, the oldest go
HEAD = b"microgrid machine code 2\n"

_lock = threading.Lock()  # LLVM's tables of symbols and targets are one each process
_prepared = False


@dataclass
class Built:
    """Machine code in memory: addresses of functions, as long as this lives; plan, what was kept beside it."""

    cached: bool
    plan: bytes
    engine: Any = field(repr=False)

    def address(self, name: str) -> int:
        """Where a function begins."""
        return self.engine.get_function_address(name)


def llvm() -> Any:
    """llvmlite's binding, ready for this machine; raises ModuleNotFoundError where it isn't installed."""
    global _prepared
    try:
        import llvmlite.binding as binding
    except ModuleNotFoundError:
        raise ModuleNotFoundError(INSTALL) from None
    with _lock:
        if not _prepared:
            binding.initialize_native_target()
            binding.initialize_native_asmprinter()
            elementary.bind()
            _prepared = True
    return binding


def processor() -> tuple[str, str]:
    """The processor's name and what it can do, as LLVM says it."""
    binding = llvm()
    return binding.get_host_cpu_name(), binding.get_host_cpu_features().flatten()


def folder() -> Path | None:
    """Where machine code is kept: $MICROGRID_CACHE, or the user's folder for such things; None if that is empty."""
    chosen = os.environ.get("MICROGRID_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen else None
    try:
        home = Path.home()
    except RuntimeError:  # nobody's, as in some containers
        return Path(os.environ["XDG_CACHE_HOME"]) / "microgrid" if os.environ.get("XDG_CACHE_HOME") else None
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "microgrid" / "Cache"
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "microgrid"
    return Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache") / "microgrid"


def build(description: bytes, written: Callable[[], tuple[list[str], bytes]]) -> Built:
    """Machine code, from the cache or compiled now.

    Arguments: description, all that the code depends on, but for this project's version, LLVM and the processor;
    written, a function that writes LLVM's modules, of which the second is compiled in a hurry, and what is to be kept
    beside the code.
    Raises ModuleNotFoundError without llvmlite, RuntimeError where LLVM can't read a text.
    """
    binding = llvm()
    key = _key(binding, description)
    found = _read(key)
    cached = found is not None
    if found is None:
        texts, plan = written()
        found = [plan, *[_compiled(binding, text, 0 if number else 2) for number, text in enumerate(texts)]]
        _write(key, found)
    plan, *objects = found
    with _lock:
        target = binding.Target.from_default_triple().create_target_machine(opt=0, jit=True)
        engine = binding.create_mcjit_compiler(binding.parse_assembly(""), target, use_lmm=False)
        for code in objects:
            engine.add_object_file(binding.ObjectFileRef.from_data(code))
        engine.finalize_object()
    return Built(cached, plan, engine)


def _compiled(binding: Any, text: str, level: int) -> bytes:
    """An object file."""
    name, features = processor()
    machine = binding.Target.from_default_triple().create_target_machine(
        cpu=name, features=features, opt=level, reloc="static", codemodel="large", jit=True
    )
    return machine.emit_object(binding.parse_assembly(text))  # the text is written so that no pass has to improve it


def _key(binding: Any, description: bytes) -> str:
    """What the machine code depends on: LLVM, the processor, who writes the code, and of what."""
    import llvmlite

    parts = [llvmlite.__version__, str(binding.llvm_version_info), *processor(), sys.platform, _writers()]
    return hashlib.sha256("\0".join(parts).encode() + b"\0" + description).hexdigest()


@cache
def _writers() -> str:
    """This folder's files as they are now: a name, a size and a time of each."""
    found = [(path.name, path.stat()) for path in sorted(Path(__file__).parent.glob("*.py"))]
    return str([(name, status.st_size, status.st_mtime_ns) for name, status in found])


def _read(key: str) -> list[bytes] | None:
    """What is kept under that key, if it is there and whole: the plan, and object files."""
    place = folder()
    if place is None:
        return None
    path = place / f"{key}.o"
    try:
        content = path.read_bytes()
    except OSError:
        return None
    size = len(HEAD) + 32
    body = content[size:]
    if content[: len(HEAD)] != HEAD or hashlib.sha256(body).digest() != content[len(HEAD) : size]:
        return None
    with contextlib.suppress(OSError):
        os.utime(path)  # used now, so among the last to go
    objects = []
    while body:
        end = 8 + int.from_bytes(body[:8], "little")
        objects.append(body[8:end])
        body = body[end:]
    return objects


def _write(key: str, objects: list[bytes]) -> None:
    """Keep the plan and the object files, unless that can't be done."""
    place = folder()
    if place is None:
        return
    body = b"".join([len(code).to_bytes(8, "little") + code for code in objects])
    try:
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = place / f"{key}.o"
        write_whole(path, HEAD + hashlib.sha256(body).digest() + body)
        os.chmod(path, 0o600)
        _tidy(place)
    except OSError:
        return


def _tidy(place: Path) -> None:
    """Take the oldest away while there is too much."""
    files = []
    for path in place.glob("*.o"):
        with contextlib.suppress(OSError):
            status = path.stat()
            files.append((status.st_mtime, status.st_size, path))
    total = sum([size for _, size, _ in files])
    for _, size, path in sorted(files):
        if total <= LIMIT:
            return
        with contextlib.suppress(OSError):
            path.unlink()
        total -= size
