"""The checks of chapter 10, and what it draws."""

import math
import random
from numbers import Real

import matplotlib.pyplot as plt

import microgrid as mg

from .lesson import close, exercise
from .style import COLOURS


class Knobs(mg.Module):
    """A model that is nothing but its knobs: asked anything, it answers with all of them."""

    def __init__(self, *numbers):
        self.knobs = [mg.Value(x) for x in numbers]

    def __call__(self, _):
        return list(self.knobs)


class Counted(float):
    """A number that counts what is done with it: one for each addition and each multiplication."""

    count = 0

    @classmethod
    def give_to(cls, net):
        """Make the parameters of a net such numbers, and begin at 0."""
        for parameter in net.parameters():
            parameter.data = cls(parameter.data)
        cls.count = 0

    @classmethod
    def take_count(cls):
        """The count so far; then it begins at 0 again."""
        count, cls.count = cls.count, 0
        return count


def _counting(name):
    """An operation of floats that counts itself."""
    plain = getattr(float, name)

    def operation(a, b):
        Counted.count += 1
        return Counted(plain(a, b))

    return operation


for _name in ("__add__", "__radd__", "__sub__", "__rsub__", "__mul__", "__rmul__"):
    setattr(Counted, _name, _counting(_name))


def wavy(knobs):
    """The egg box of the chapter."""
    return sum([10 + x * x - 10 * mg.cos(2 * math.pi * x) for x in knobs])


def maps(panels, west=-5, south=-9, size=15):
    """The wavy ground from above, dark where it is low; for each title its places, and whether they are joined."""
    _, axes = plt.subplots(1, len(panels), figsize=(6.2, 0.4 + 6.2 / len(panels)), layout="constrained")
    across = [size * k / 150 for k in range(151)]
    heights = [[wavy([west + a, south + b]) for a in across] for b in across]
    east, north = west + size, south + size
    for (title, (places, joined)), axis in zip(panels.items(), axes):
        whole = (west, east, south, north)
        axis.imshow(heights, origin="lower", extent=whole, cmap="Greys_r", alpha=0.6, interpolation="bilinear")
        style = {"linewidth": 1.5, "marker": "o", "markersize": 4} if joined else {"linestyle": "", "marker": "."}
        axis.plot(*zip(*places), color=COLOURS["orange"], **style)
        axis.plot(0, 0, "*", color=COLOURS["blue"], markersize=15, markeredgecolor="white")
        axis.set(xticks=[], yticks=[], xlim=(west, east), ylim=(south, north), aspect="equal")
        axis.set_title(title, fontsize=12.5)
        axis.grid(False)
    plt.show()


STYLES = {"genetic": ("orange", "--", "^"), "swarm": ("green", "-.", "s"), "gradient": ("blue", "-", "o")}


def rounds(curves, title):
    """The losses of each method in each round, over the forward passes that they took."""
    _, axes = plt.subplots(figsize=(6.2, 3.9))
    for (method, seed), (passes, losses) in curves.items():
        colour, dash, _ = STYLES[method]
        label = method if seed == 0 else None
        axes.semilogy(passes, losses, dash, color=COLOURS[colour], linewidth=1.4, label=label)
    axes.set(xlabel="forward passes", ylabel="loss", title=title)
    axes.legend()
    plt.show()


def by_knobs(counts, reached, title):
    """What each method reached, over the number of knobs."""
    _, axes = plt.subplots(figsize=(6.2, 3.9))
    for method, losses in reached.items():
        colour, dash, marker = STYLES[method]
        axes.loglog(counts, losses, marker + dash, color=COLOURS[colour], label=method)
    axes.minorticks_off()
    axes.set(xlabel="number of knobs", ylabel="loss after 500 passes", title=title)
    axes.set_xticks(counts, counts)
    axes.legend()
    plt.show()


@exercise(
    "10.1",
    hint="the velocity has three terms: 0.5 * 1, then 0.5 * (own best - place), then 0.5 * (best of all - place).",
)
def swarm_step(velocity, place):
    """One step of one bird."""
    close(velocity, 3, what="new_velocity")
    close(place, 5, what="new_place")
    return "0.5 of its own way, 0.5 towards its memory, 2 towards the best of all."


@exercise(
    "10.2",
    hint="nudging needs one pass without a nudge, and one more for each knob. A gradient by backward() counts as 5.",
)
def price(by_nudging, times):
    """What a gradient costs, by nudging and by the way back."""
    close(by_nudging, 1186, what="passes_by_nudging")
    close(times, 1186 / 5, 0.01, what="times_cheaper")
    return "For a net of a million knobs it would be two hundred thousand."


@exercise(
    "10.3",
    hint="ask of each: is there a slope that one can compute? Are there very many knobs? Does a place that is nearly "
    "right tell anything?",
)
def which_way(a, b, c, d):
    """Which of the four tasks is for the gradient, for a search, or for neither."""
    ways = (a, b, c, d)
    said = [str(way).strip().lower() for way in ways]
    for way, word in zip(ways, said):
        assert word in ("gradient", "search", "neither"), f'{way!r} is not "gradient", "search" or "neither"'
    right = ("gradient", "search", "neither", "gradient")
    wrong = [letter for letter, way, true in zip("ABCD", said, right) if way != true]
    assert not wrong, f"think once more about {', '.join(wrong)}"
    return "A and D have slopes, B only a number that comes out, and C says nothing until it says all."


WIND = -3.0


def throw(angle, speed, step=0.01):
    """A ball thrown over a wall of 8 m that stands 20 m away, against the wind: where it lands."""
    if not 0 < angle < 90 or not 0 < speed < 60:
        return 0.0
    x, y = 0.0, 0.0
    u, v = speed * math.cos(math.radians(angle)), speed * math.sin(math.radians(angle))
    while y >= 0:
        drag = 0.01 * math.hypot(u - WIND, v)
        u, v = u - step * drag * (u - WIND), v - step * (9.81 + drag * v)
        if x < 20 <= x + step * u and y < 8:
            return 20.0
        x, y = x + step * u, y + step * v
    return x


@exercise(
    "10.4",
    hint="outputs[0] is the list [angle, speed] of Values; their .data are numbers. Return how far from 45 "
    "the ball lands, as a number: small is good.",
)
def catapult(miss):
    """A loss with which a swarm hits the target."""
    assert callable(miss), "miss should be a function of outputs and targets"
    hits = []
    for seed in range(3):
        model = Knobs(30.0, 15.0)
        try:
            mg.evolve(model, ([0], [0]), miss, "swarm", 400, seed=seed, reach=40)
        except Exception as error:
            raise AssertionError(f"with your function the search ends in {error!r}") from None
        hits.append(throw(*[knob.data for knob in model.knobs]))
    far = max([abs(x - 45) for x in hits])
    assert far < 0.5, f"with your function three searches land at {', '.join([f'{x:.1f}' for x in hits])} m"
    return f"Three searches land at {', '.join([f'{x:.2f}' for x in hits])} m."


def play(tries, steps, lr, seed):
    """First a swarm on the wavy ground, then steps along the slope; returns where it ends."""
    rng = random.Random(seed)
    model = Knobs(rng.uniform(-4, 4), rng.uniform(-4, 4))
    mg.evolve(model, ([0], [0]), lambda outputs, _: wavy(outputs[0]), "swarm", tries, seed=seed, reach=6)
    optimizer = mg.SGD(model.parameters(), lr=lr)
    for _ in range(steps):
        loss = wavy(model(0))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return [knob.data for knob in model.knobs]


@exercise(
    "10.5",
    hint="a search needs most of the passes until it is in the right hollow, and the slope arrives in a few steps. In "
    "section 9 a learning rate of 0.002 did it.",
)
def together(tries, steps, lr):
    """A share of the budget, and a learning rate, that arrive at the star from three beginnings."""
    for name, x in (("my_tries", tries), ("my_steps", steps)):
        assert isinstance(x, Real) and x >= 1 and x % 1 == 0, f"{name} should be a whole number, 1 or more"
    assert isinstance(lr, Real) and 0 < lr < 1, "my_lr should be a number between 0 and 1"
    tries, steps = int(tries), int(steps)
    assert tries + 5 * steps <= 500, f"this takes {tries + 5 * steps} forward passes, and there are 500"
    ends = [play(tries, steps, float(lr), seed) for seed in (2, 4, 6)]
    heights = [wavy(end) for end in ends]
    told = f"three beginnings end at heights {', '.join([f'{height:.1g}' for height in heights])}"
    if max(heights) >= 1e-6:
        far = max([abs(x) for end in ends for x in end])
        why = "one has flown off" if far > 6 else "one is in a wrong hollow"
        if far < 0.5:
            why = "all are in the right hollow, but not all at its bottom"
        raise AssertionError(f"{told}: {why}")
    return told[0].upper() + told[1:] + "."
