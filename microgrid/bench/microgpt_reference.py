"""microgpt (Karpathy, February 2026) as it was published, for any class of scalars: the peer of `models/microgpt.py`.

Its model, its loss, its step of Adam and its sampling, with a node for each product and each sum; written anew
for this bench.  A step has 27 000 to 121 000 nodes.
"""

import random
from collections.abc import Callable, Sequence
from typing import Any

WIDTH, HEADS, CONTEXT = 16, 4, 16
RATE, BETA1, BETA2, TINY, STEPS = 0.01, 0.85, 0.99, 1e-8, 1000


class Reference:
    """The model and its optimizer; the weights are drawn from rng in the published order.

    Arguments: value, the class of scalars; letters, without the token that ends a name; rng, a generator.

    >>> from .peers import MicrogptValue
    >>> reference = Reference(MicrogptValue, "adn", random.Random(42))
    >>> len(reference.parameters), f"{reference.step('ada'):.2f}", reference.steps
    (3456, '1.30', 1)
    """

    def __init__(self, value: Callable[[float], Any], letters: Sequence[str], rng: random.Random) -> None:
        def matrix(rows: int, columns: int) -> list[list]:
            return [[value(rng.gauss(0, 0.08)) for _ in range(columns)] for _ in range(rows)]

        self.letters, self.stop, self.rng = letters, len(letters), rng
        self.tokens = matrix(len(letters) + 1, WIDTH)
        self.positions = matrix(CONTEXT, WIDTH)
        self.head = matrix(len(letters) + 1, WIDTH)
        self.query, self.key, self.value, self.out = [matrix(WIDTH, WIDTH) for _ in range(4)]
        self.up, self.down = matrix(4 * WIDTH, WIDTH), matrix(WIDTH, 4 * WIDTH)
        matrices = (
            self.tokens, self.positions, self.head, self.query, self.key, self.value, self.out, self.up, self.down,
        )  # fmt: skip
        self.parameters = [weight for weights in matrices for row in weights for weight in row]
        self.steps = 0
        self.first, self.second = [0.0] * len(self.parameters), [0.0] * len(self.parameters)

    def logits(self, token: int, position: int, keys: list, values: list) -> list:
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

    def loss(self, name: str) -> Any:
        """The mean surprise, in nats, over the letters of a name and its end."""
        tokens = [self.stop, *[self.letters.index(letter) for letter in name], self.stop]
        keys: list = []
        values: list = []
        surprises = []
        for position in range(min(CONTEXT, len(tokens) - 1)):
            shares = softmax(self.logits(tokens[position], position, keys, values))
            surprises.append(-shares[tokens[position + 1]].log())
        return (1 / len(surprises)) * sum(surprises)

    def step(self, name: str) -> float:
        """One step of Adam on one name; returns the loss before it."""
        loss = self.loss(name)
        loss.backward()
        rate = RATE * (1 - self.steps / STEPS)
        self.steps += 1
        for i, p in enumerate(self.parameters):
            self.first[i] = BETA1 * self.first[i] + (1 - BETA1) * p.grad
            self.second[i] = BETA2 * self.second[i] + (1 - BETA2) * p.grad**2
            mean, square = self.first[i] / (1 - BETA1**self.steps), self.second[i] / (1 - BETA2**self.steps)
            p.data -= rate * mean / (square**0.5 + TINY)
            p.grad = 0
        return loss.data

    def sample(self, temperature: float = 0.5) -> str:
        """A name of its own, letter by letter."""
        keys: list = []
        values: list = []
        token, name = self.stop, ""
        for position in range(CONTEXT):
            shares = softmax([score / temperature for score in self.logits(token, position, keys, values)])
            token = self.rng.choices(range(self.stop + 1), weights=[share.data for share in shares])[0]
            if token == self.stop:
                break
            name += self.letters[token]
        return name


def dot(a: Sequence, b: Sequence) -> Any:
    return sum([x * y for x, y in zip(a, b)])


def linear(x: Sequence, weights: Sequence[Sequence]) -> list:
    return [dot(row, x) for row in weights]


def softmax(scores: Sequence) -> list:
    top = max([score.data for score in scores])
    powers = [(score - top).exp() for score in scores]
    total = sum(powers)
    return [power / total for power in powers]


def normalised(x: Sequence) -> list:
    """RMSNorm (Zhang & Sennrich 2019)."""
    scale = (sum([xi * xi for xi in x]) / len(x) + 1e-5) ** -0.5
    return [xi * scale for xi in x]
