"""Rules of calculus as JavaScript, so that a page can evaluate a graph on other numbers.

The local gradients are not written a second time: the node's own closure is run on Values, and
the graph that it makes is printed as an expression.  What a function is worth at a number is
written here, and held against Python by tests.
"""

import math
import re
from collections.abc import Callable
from typing import Any

from .. import engine, functions
from ..engine import Value, topological_order

# The value of each function.  Those of several words are called by others as F.name.
FUNCTIONS = {
    "exp": "Math.exp", "log": "Math.log", "sqrt": "Math.sqrt", "sin": "Math.sin", "cos": "Math.cos", "tan": "Math.tan",
    "tanh": "Math.tanh", "abs": "Math.abs",
    "step": "x=>+(x>0)",
    "sigmoid": "x=>{const s=Math.exp(-Math.abs(x));return(x<0?s:1)/(1+s)}",
    "softplus": "x=>Math.max(x,0)+Math.log1p(Math.exp(-Math.abs(x)))",
    "relu": "x=>x<=0?0:x",
    "leaky_relu": "(x,s)=>x>0?x:s*x",
    "elu": "(x,a)=>x>0?x:a*Math.expm1(x)",
    "silu": "x=>x*F.sigmoid(x)",
    "gelu": "x=>x*F.erfc(-x/Math.SQRT2)/2",
    # a sum of positive terms, so that nothing cancels (DLMF 7.6.2), where it takes few
    "erf": "x=>{if(Math.abs(x)>6)return Math.sign(x);let t=x,s=x;"
           "for(let n=1;n<200;n++)s+=t*=2*x*x/(2*n+1);return 2/Math.sqrt(Math.PI)*Math.exp(-x*x)*s}",
    # the continued fraction, from its end (DLMF 7.9.2), where erf is near 1
    "erfc": "x=>{if(x<2)return 1-F.erf(x);let d=x;"
            "for(let n=120;n;n--)d=x+n/2/d;return Math.exp(-x*x)/Math.sqrt(Math.PI)/d}",
    "maximum": "(a,b)=>a>b||a!=a?a:b",
    "minimum": "(a,b)=>a<b||a!=a?a:b",
    "where": "(c,a,b)=>c>0?a:b",
    "match": "(a,b)=>+(a==b)",
    "lookup": "(i,...x)=>x[i]??NaN",
    "dot": "(...x)=>{const n=x.length/2;let s=0;for(let i=0;i<n;i++)s+=x[i]*x[n+i];return s}",
    "logsumexp": "(...x)=>{const t=Math.max(...x);return Math.abs(t)==Infinity?t:"
                 "t+Math.log(x.reduce((s,v)=>s+Math.exp(v-t),0))}",
}  # fmt: skip
INFIX = {"+": "+", "-": "-", "*": "*", "/": "/", "**": "**"}

# Of any number of operands, so there is no one expression to print.
ANY_NUMBER: dict[Callable, str] = {
    functions.dot_gradients: "(o,...x)=>x.map((_,i)=>x[(i+x.length/2)%x.length])",
    functions.logsumexp_gradients: "(o,...x)=>x.map(v=>Math.exp(v-o))",
    functions.lookup_gradients: "(o,i,...x)=>[0,...x.map((_,k)=>+(k==i))]",
}

# Whose rule is whose: an operation of the user's own that is called "tanh" need not be ours.
OURS: dict[Callable, str] = {
    getattr(module, f"{stem}_gradients"): op
    for module, stems in (
        (engine, {"add": "+", "subtract": "-", "multiply": "*", "divide": "/", "negative": "neg", "absolute": "abs",
                  "power": "**", "fixed_power": "**", "log": "log", "step": "step"}),
        (functions, {name: name for name in FUNCTIONS if hasattr(functions, f"{name}_gradients")}),
    )
    for stem, op in stems.items()
}  # fmt: skip


def rule_of(node: Value) -> str | None:
    """The node's value and its local gradients: `[(a,b)=>a*b,(o,a,b)=>[b,a]]`.

    None for an operation that is not microgrid's own.

    >>> rule_of(Value(2.0) * 3), rule_of(Value(2.0).tanh())
    ('[(a,b)=>a*b,(o,a,b)=>[b,a]]', '[(a)=>F.tanh(a),(o,a)=>[1-(o*o)]]')
    """
    gradients: Any = node.local_gradients
    op = OURS.get(gradients)
    if op is None or op != node.op:
        return None
    if gradients in ANY_NUMBER:
        return f"[F.{op},{ANY_NUMBER[gradients]}]"
    names = "abcdefgh"[: len(node.parents)]
    fixed = gradients is engine.fixed_power_gradients
    # The numbers only have to be where every function is defined; a fixed exponent is its own.
    operands = [Value(0.5 + 0.25 * i, label=name) for i, name in enumerate(names)]
    if fixed:
        operands[1] = Value(node.parents[1].data, label=names[1])
    result = gradients(Value(0.5, label="o"), *operands)
    value = _operation(op, list(names))
    return f"[({','.join(names)})=>{value},(o,{','.join(names)})=>[{','.join(map(_expression, result))}]]"


def _expression(result: Any) -> str:
    """A number, or the graph of a Value as an expression."""
    if not isinstance(result, Value):
        return _number(result)
    texts: dict[Value, str] = {}
    for node in topological_order(result):
        texts[node] = (
            _operation(node.op, [texts[parent] for parent in node.parents])
            if node.parents
            else str(node.label) or _number(node.data)
        )
    return re.sub(r"^\((.*)\)$", r"\1", texts[result]) if re.fullmatch(r"\([^()]*\)", texts[result]) else texts[result]


def _operation(op: str, operands: list[str]) -> str:
    if op in INFIX:
        return f"{_part(operands[0])}{op}{_part(operands[1])}"
    return f"-{_part(operands[0])}" if op == "neg" else f"F.{op}({','.join(operands)})"


def _part(text: str) -> str:
    """In parentheses, unless it is one thing: no order of operations has to be known."""
    return text if re.fullmatch(r"[\w.]+|F\.\w+\([^()]*\)", text) else f"({text})"


def _number(x: Any) -> str:
    x = float(x)
    if not math.isfinite(x):
        return "NaN" if x != x else "Infinity" if x > 0 else "-Infinity"
    return str(int(x)) if x == int(x) and abs(x) < 2**53 else repr(x)


def functions_for(rules: list[str]) -> str:
    """The functions that these rules call, and those that they call: `{tanh:Math.tanh}`."""
    needed: dict[str, str] = {}
    waiting = list(rules)
    while waiting:
        for name in re.findall(r"F\.(\w+)", waiting.pop()):
            if name not in needed:
                needed[name] = FUNCTIONS[name]
                waiting.append(FUNCTIONS[name])
    return "{" + ",".join([f"{name}:{text}" for name, text in sorted(needed.items())]) + "}"
