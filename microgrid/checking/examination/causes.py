"""What goes wrong in engines that people write: the causes that are told by name, with what to type instead.

The numbers are those of the list of 25 bugs seen in published engines that this project keeps; 0 is for what that list
does not have.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Cause:
    """A bug by name: its number in the list, what it is in a sentence, and the change to make, if it is not clear."""

    number: int
    title: str
    advice: str
    topic: str = ""
    place: int = 0  # in the report: first wrong numbers, then (1) a second sweep, then (2) limits


SLOPES = {
    "+": "1 and 1", "-": "1 and -1", "*": "b by a, and a by b", "/": "1 / b by a, and -a / b ** 2 by b", "neg": "-1",
    "**": "k * x ** (k - 1)", "abs": "1 for x > 0 and -1 for x < 0", "exp": "exp(x)", "log": "1 / x",
    "sqrt": "1 / (2 * sqrt(x))", "sin": "cos(x)", "cos": "-sin(x)", "tan": "1 + tan(x) ** 2",
    "tanh": "1 - tanh(x) ** 2", "sigmoid": "s * (1 - s)", "relu": "1 for x > 0, else 0", "softplus": "sigmoid(x)",
    "logsumexp": "the softmax of what goes in",
}  # fmt: skip
SAFE = {
    "tanh": "take math.tanh",
    "sigmoid": "1 / (1 + exp(-x)) for x >= 0, else exp(x) / (1 + exp(x))",
    "softplus": "max(x, 0) + log1p(exp(-abs(x)))",
    "logsumexp": "take the largest out first, m + log(sum of exp(x - m))",
}

CAUSES = {
    "overwrites": Cause(
        1,
        "{operation}: a second use of a value overwrites what the first one left",
        "add up: write += in place of = where the backward of {operation} sets a grad",
    ),
    "fires-early": Cause(
        2,
        "backward: a node passes its grad on before all of it has come in",
        "sort first: append a node to the order after its operands, and go through the order from the back",
        "order",
    ),
    "visited-unused": Cause(
        3,
        "backward: nodes are put into the order again for every path",
        "look before you go in: `if node not in visited:`, then visited.add(node)",
        "order",
    ),
    "no-order": Cause(
        4,
        "backward: there is no topological order; a node passes on parts of its grad, again for each path",
        "first sort all nodes (operands before results), then let each fire once, from the root on",
        "order",
    ),
    "duplicates": Cause(
        5,
        "backward: a node is in the order twice, and fires twice",
        "mark a node as visited in the moment that it is appended, and skip it if it is marked",
        "order",
    ),
    "parents-in-a-set": Cause(
        6,
        "{operation}: the operands are kept in a set, which holds a value once and in no order",
        "keep them in a tuple: (self, other)",
    ),
    "grad-for-data": Cause(
        7,
        "{operation}: a local gradient is made of .grad where .data is meant",
        "the slope of a * b by a is b.data: write other.data * out.grad",
    ),
    "reflected-minus": Cause(8, "`2 - a` is computed as a - 2", "in __rsub__ write Value(other) - self", "-"),
    "reflected-divide": Cause(9, "`2 / a` is computed as a / 2", "in __rtruediv__ write Value(other) / self"),
    "sigmoid-slope": Cause(10, "sigmoid: the slope is written 1 - s", "it is s * (1 - s), with s what sigmoid gave"),
    "not-attached": Cause(
        11,
        "{operation}: nothing flows back",
        "attach its backward to its result (out._backward = _backward), or hand over the operands and local gradients; "
        "if that is there: can its slope be anything but 0?",
    ),
    "overwritten-backward": Cause(
        12,
        "{operation} is built of other operations, and its own backward replaces that of the last of them",
        "do one or the other: a new Value of math.{operation} with self as operand and its slope, or the composed "
        "operations left as they are",
    ),
    "unbound-name": Cause(
        13, "{operation}: a name is used that is not there", "is it self.data, other.data or out? And is it imported?"
    ),
    "swapped": Cause(
        14,
        "{operation}: the two local gradients are swapped",
        "a * b moves with a as fast as b: self gets other.data, other gets self.data",
    ),
    "power": Cause(15, "**: {detail}", "the slope of x ** k is k * x ** (k - 1), added with +=; for k = 0 it is 0"),
    "once-per-path": Cause(
        16,
        "backward: the work is done once for every path, and their number doubles at each `y = y + y`",
        "sort the nodes first, and let each fire once, when its grad is complete",
        "order",
    ),
    "recursion": Cause(
        17,
        "backward: it calls itself, and Python stops it in deep graphs",
        "sort with a list as a stack in place of the recursion",
        "depth",
        2,
    ),
    "interior-not-reset": Cause(
        18,
        "backward: a second call finds the grads of the first still there, on the results in the middle",
        "before the sweep set the grad of every node that has operands to 0",
        "a second backward",
        1,
    ),
    "root-accumulates": Cause(
        19,
        "backward: the root's grad grows by 1 at each call",
        "start with self.grad = 1, not += 1",
        "a second backward",
        1,
    ),
    "in-place-add": Cause(
        20,
        "`+=` changes the old value's data, and no gradient flows to what was added",
        "delete __iadd__: Python then makes a += b of a = a + b",
        "+=",
    ),
    "relu-at-0": Cause(
        21, "relu: the slope at 0 is {detail}, and is taken to be 0", "write > in place of >=: (x.data > 0) * out.grad"
    ),
    "constants": Cause(
        22,
        "plain numbers do not mix with values: no answer to {detail}",
        "begin with `other = other if isinstance(other, Value) else Value(other)`, and write __radd__ and its like",
    ),
    "overflow": Cause(
        23,
        "{operation}: it fails for large numbers",
        "never take exp of a large number: {safe}",
        "",
        2,
    ),
    "epsilon": Cause(
        24, "{operation}: a small number is added silently, {detail}", "leave it out: it changes the mathematics"
    ),
    "data-changed": Cause(
        25,
        "{operation}: it changes the data of its operand",
        "put the result in a new Value: what has used the old data already now has slopes of another number",
    ),
    "chain-rule": Cause(
        0, "{operation}: the local gradient is passed on alone", "multiply it by out.grad: that is the chain rule"
    ),
    "one-operand": Cause(
        0, "{operation}: only one of the two operands gets a gradient", "write both; its slopes are {slope}"
    ),
    "slope": Cause(0, "{operation}: the local gradient is wrong{detail}", "its slope is {slope}"),
    "value": Cause(0, "{operation}: the value itself is wrong", "look at what is computed forward"),
    "raises": Cause(0, "{operation}: {detail}", "run that line by itself and read the error"),
    "stops": Cause(0, "{operation}: {detail}", "run this line by itself, and stop it with Ctrl-C"),
    "unexplained": Cause(
        0,
        "a graph of several operations comes out wrong: {detail}",
        "go through it by hand, node by node",
        "random graphs",
    ),
    "cycle": Cause(
        0,
        "each graph is a circle of references: only the garbage collector can free it",
        "let each backward take its result as an argument, def _backward(out), and call node._backward(node): then no "
        "inner function holds what holds it; one inside backward that calls itself is better a loop with a list",
        "memory",
        2,
    ),
    "exponent": Cause(
        0,
        "**: the slopes of {detail} are wrong",
        "of a ** b they are b * a ** (b - 1) and a ** b * log(a), and of 2 ** a it is 2 ** a * log(2); or refuse such "
        "exponents",
    ),
    "slow": Cause(
        0,
        "backward: a chain of {detail} operations does not come to an end in time",
        "the work should grow as the number of operations: look for `in` on a list, and for a sort in a loop",
        "depth",
        2,
    ),
    "not-run": Cause(
        0,
        "{detail} trials were not made: the time was over",
        'put what trains, asks or prints below `if __name__ == "__main__":`, and look for what takes so long',
        "",
        2,
    ),
    "import": Cause(
        0,
        "the file can't be run: {detail}",
        'run it by itself, and put what trains, asks or prints below `if __name__ == "__main__":`',
        "import",
    ),
    "no-engine": Cause(0, "{detail}", "", "import"),
    "grad-at-start": Cause(0, "a new value has a grad of {detail} already", "in __init__ write self.grad = 0"),
    "constructor": Cause(
        0, "the constructor changes the number: {detail}", "keep it as it is: self.data = data, without int and round"
    ),
    "seed": Cause(
        0,
        "backward: it does not begin with a grad of 1 at the root",
        "before the sweep write self.grad = 1: a result moves as fast as itself",
    ),
    "shared": Cause(
        0,
        "all values share one {detail}",
        "make it in __init__ (self._prev = ...): what stands in the class, or as a default argument, is made once",
    ),
    "next-graph": Cause(
        0,
        "backward: a new graph over the same leaves gets gradients of the old one",
        "make the order (or empty the tape) inside backward, so that nothing of the last graph is left",
        "the next graph",
    ),
    "counted-once": Cause(
        0,
        "{operation}: an operand that stands on both sides gets one of its two contributions",
        "send one for each side, also where both are the same value",
    ),
    "constants-value": Cause(
        0, "with plain numbers something else comes out: {detail}", "the result has to be the same as with Value(2)"
    ),
    "history": Cause(
        0,
        "the same lines give another result after others have run",
        "let no list, cache or counter of the class or the file outlive a graph",
        "random graphs",
    ),
    "lacks": Cause(0, "{detail} is not there", "write it"),
}
