"""What the machine code is handed: one array of addresses and of whole numbers."""

from .writing import Code

FRAME = ("call", "parameters", "arguments", "inputs", "first", "last", "outputs", "gradient", "input_gradient", "strip",
         "kept", "padded", "tables", "sums")  # fmt: skip
WHOLE = ("first", "last")  # numbers; the others are addresses
ROWS = ("%pcall", "%pstrip", "%pkept", "%ptables", "%used")  # what a function of a strip of rows is handed


def read_frame(code: Code, *names: str) -> None:
    """Write %p<name>, of an address, or %<name>, of a number."""
    for name in names:
        address = code.value(f"getelementptr i64, ptr %pframe, i64 {FRAME.index(name)}")
        whole = name in WHOLE
        code.line(f"%{'' if whole else 'p'}{name} = load {'i64' if whole else 'ptr'}, ptr {address}, align 8")
