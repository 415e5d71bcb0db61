"""microgpt (Karpathy, February 2026) with `microgrid.Value` in the place of its own class.

The hardest popular program for a scalar engine: a GPT of one layer, width 16, four heads
and 4192 parameters that learns names, written here from its description.  A step has
27 000 to 121 000 nodes.
"""

import math
import random
from pathlib import Path

import pytest

from microgrid import Value

NAMES = Path(__file__).parents[2] / "shared" / "data" / "names.txt"
A_FEW_NAMES = ("ada", "emmy", "sofia", "maryam", "grace", "jo")

WIDTH, HEADS, CONTEXT = 16, 4, 16
RATE, BETA1, BETA2, TINY, STEPS = 0.01, 0.85, 0.99, 1e-8, 1000


class Plain:
    """The reference: local gradients are numbers, worked out on the way forward, and `backward`
    multiplies along the edges.  Its depth is the recursion limit's, so the sort is a loop."""

    __slots__ = ("below", "data", "grad", "slopes")

    def __init__(self, data, below=(), slopes=()):
        self.data, self.grad, self.below, self.slopes = data, 0, below, slopes

    def __add__(self, other):
        other = other if isinstance(other, Plain) else Plain(other)
        return Plain(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Plain) else Plain(other)
        return Plain(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, k):
        return Plain(self.data**k, (self,), (k * self.data ** (k - 1),))

    def exp(self):
        power = math.exp(self.data)
        return Plain(power, (self,), (power,))

    def log(self):
        return Plain(math.log(self.data), (self,), (1 / self.data,))

    def relu(self):
        return Plain(max(0, self.data), (self,), (float(self.data > 0),))

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + (-other)

    def __truediv__(self, other):
        return self * other**-1

    __radd__, __rmul__ = __add__, __mul__

    def backward(self):
        order, seen, todo = [], set(), [(self, False)]
        while todo:
            node, done = todo.pop()
            if done:
                order.append(node)
            elif node not in seen:
                seen.add(node)
                todo.append((node, True))
                todo.extend([(child, False) for child in reversed(node.below)])
        self.grad = 1
        for node in reversed(order):
            for child, slope in zip(node.below, node.slopes):
                child.grad += slope * node.grad


class MicroGPT:
    """The model: its weights, drawn in the published order, and the losses of its training."""

    def __init__(self, value, letters):
        self.letters = letters
        self.stop = len(letters)

        def matrix(rows, columns):
            return [[value(random.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]

        self.tokens = matrix(len(letters) + 1, WIDTH)
        self.positions = matrix(CONTEXT, WIDTH)
        self.head = matrix(len(letters) + 1, WIDTH)
        self.query, self.key, self.value, self.out = [matrix(WIDTH, WIDTH) for _ in range(4)]
        self.up, self.down = matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH)
        matrices = (
            self.tokens, self.positions, self.head, self.query, self.key, self.value, self.out, self.up, self.down,
        )  # fmt: skip
        self.parameters = [weight for weights in matrices for row in weights for weight in row]

    def logits(self, token, position, keys, values):
        """The scores of the next letter; keys and values of the letters before are added to."""
        x = normalised([t + p for t, p in zip(self.tokens[token], self.positions[position])])
        before, x = x, normalised(x)
        query = linear(x, self.query)
        keys.append(linear(x, self.key))
        values.append(linear(x, self.value))
        heard = []
        size = WIDTH // HEADS
        for start in range(0, WIDTH, size):
            part = slice(start, start + size)
            scores = [dot(query[part], key[part]) / size**0.5 for key in keys]
            shares = softmax(scores)
            heard += [sum([s * v[i] for s, v in zip(shares, values)]) for i in range(start, start + size)]
        x = [a + b for a, b in zip(linear(heard, self.out), before)]
        before, x = x, normalised(x)
        x = [hidden.relu() for hidden in linear(x, self.up)]
        x = [a + b for a, b in zip(linear(x, self.down), before)]
        return linear(x, self.head)

    def loss(self, name):
        """The mean surprise, in nats, over the letters of a name and its end."""
        tokens = [self.stop, *[self.letters.index(letter) for letter in name], self.stop]
        keys, values, surprises = [], [], []
        for position in range(min(CONTEXT, len(tokens) - 1)):
            shares = softmax(self.logits(tokens[position], position, keys, values))
            surprises.append(-shares[tokens[position + 1]].log())
        return (1 / len(surprises)) * sum(surprises)

    def train(self, names, steps):
        """The loss before each of the first steps of Adam, on one name each."""
        first, second, losses = [0.0] * len(self.parameters), [0.0] * len(self.parameters), []
        for step in range(steps):
            loss = self.loss(names[step % len(names)])
            loss.backward()
            losses.append(loss.data)
            rate = RATE * (1 - step / STEPS)
            for i, p in enumerate(self.parameters):
                first[i] = BETA1 * first[i] + (1 - BETA1) * p.grad
                second[i] = BETA2 * second[i] + (1 - BETA2) * p.grad**2
                mean, square = first[i] / (1 - BETA1 ** (step + 1)), second[i] / (1 - BETA2 ** (step + 1))
                p.data -= rate * mean / (square**0.5 + TINY)
                p.grad = 0
        return losses


def dot(a, b):
    return sum([x * y for x, y in zip(a, b)])


def linear(x, weights):
    return [dot(row, x) for row in weights]


def softmax(scores):
    top = max([score.data for score in scores])
    powers = [(score - top).exp() for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def normalised(x):
    """RMSNorm (Zhang & Sennrich 2019)."""
    scale = (sum([xi * xi for xi in x]) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]


def losses(value, names, steps):
    names = list(names)
    random.seed(42)
    random.shuffle(names)
    model = MicroGPT(value, sorted(set("".join(names))))
    return model, model.train(names, steps)


def test_microgpt_learns_a_few_names_with_the_losses_of_the_reference():
    _, expected = losses(Plain, A_FEW_NAMES, 7)
    model, got = losses(Value, A_FEW_NAMES, 7)
    assert len(model.parameters) == 2 * WIDTH * len(set("".join(A_FEW_NAMES) + ".")) + WIDTH * 16 + 12 * WIDTH**2
    assert got == pytest.approx(expected, rel=0, abs=1e-9)
    assert got[6] < got[0]  # the same name again, after a step on each


@pytest.mark.skipif(not NAMES.exists(), reason="the 32 033 names of microgpt are not beside this repository")
def test_the_first_twenty_losses_of_microgpt_are_the_published_ones():
    names = NAMES.read_text(encoding="utf-8").split()
    assert len(names) == 32033
    model, got = losses(Value, names, 20)
    assert len(model.parameters) == 4192
    assert [f"{loss:.4f}" for loss in got[:5]] == ["3.3660", "3.4243", "3.1778", "3.0664", "3.2209"]
    _, expected = losses(Plain, names, 20)
    assert got == pytest.approx(expected, rel=0, abs=1e-9)
