"""Chapter 04: names for Values, the picture of an order, and the checks of its exercises."""

import random
from collections import Counter

import microgrid as mg
from microgrid import Value

from .lesson import close, exercise
from .style import COLOURS


def label(**nodes):
    """Writes its name on each Value."""
    for name, node in nodes.items():
        node.label = name


def line_up(orders):
    """Orders of Values, as {title: list}, each in a row, with an arrow from each operand to its result.

    An arrow that points to the right is a grey arc above the row, one that points back an orange one below it.
    """
    import matplotlib.pyplot as plt

    longest = max([len(order) for order in orders.values()])
    figure, rows = plt.subplots(len(orders), 1, figsize=(6.4, 1.9 * len(orders)), squeeze=False)
    for axes, (title, order) in zip(rows[:, 0], orders.items()):
        place = {id(node): k for k, node in enumerate(order)}
        links = Counter([(place[id(p)], place[id(node)]) for node in order for p in node.parents if id(p) in place])
        for (start, end), times in links.items():
            for again in range(times):
                _arc(axes, start, end, 0.35 + 1.1 * abs(end - start) / longest + 0.22 * again)
        for k, node in enumerate(order):
            axes.text(
                k, 0, node.label or f"{node.data:g}", ha="center", va="center", fontsize=15 if longest < 8 else 12
            )
        axes.set(xlim=(-0.6, longest - 0.4), ylim=(-0.95 if len(orders) > 1 else -0.3, 1.55), title=title)
        axes.axis("off")
    figure.tight_layout(h_pad=0.6)
    plt.show()


def _arc(axes, start, end, height):
    """An arrow from one place in a row to another, as an arc."""
    back = start > end
    colour, width, side = (COLOURS["orange"], 2.8, -1) if back else (COLOURS["grey"], 1.6, 1)
    steps = [k / 40 for k in range(41)]
    x = [start + (end - start) * (0.04 + 0.92 * s) for s in steps]
    y = [side * (0.22 + height * 4 * s * (1 - s)) for s in steps]
    axes.plot(x[:-1], y[:-1], color=colour, linewidth=width, solid_capstyle="butt")
    axes.annotate("", (x[-1], y[-1]), (x[-3], y[-3]), arrowprops={
        "arrowstyle": "-|>,head_width=0.28,head_length=0.55", "color": colour, "linewidth": width, "shrinkA": 0,
        "shrinkB": 0})  # fmt: skip


def keeps_rule(order):
    """Whether each sender comes after all in the order that use it."""
    place = {id(node): k for k, node in enumerate(order)}
    return all([place[id(node)] < place[id(p)] for node in order for p in node.parents if id(p) in place])


@exercise("04.1", hint="out is first, since nothing uses it. Then ask of each: have all that use it sent already?")
def order_of_senders(names):
    """An order of f, g, h, k and out in which each comes after all that use it, as text or in a list."""
    assert isinstance(names, (str, list, tuple)), 'write the names in one text, with spaces, such as "f g h k out"'
    if not isinstance(names, str):
        names = " ".join([str(name) for name in names])
    names = names.replace(",", " ").split()
    users = {"out": [], "h": ["out"], "k": ["out"], "g": ["h", "k"], "f": ["g", "h"]}
    assert sorted(names) == sorted(users), "each of f, g, h, k and out has to be there once, and nothing else"
    for k, name in enumerate(names):
        late = [user for user in users[name] if user not in names[:k]]
        assert not late, f"{name} sends before {late[0]} has sent to it"
    return "There are two right orders: h and k may change places."


@exercise("04.2", hint="one doubling takes 2 steps, two take 2 + 4, and ten took 2 + 4 + 8 and so on up to "
                       "1024. Go on, or "
                       "let Python add up")  # fmt: skip
def steps_for_doublings(steps):
    """The steps of the recursion for 40 doublings, 2 + 4 + ... + 2**40."""
    sends = 0
    for _ in range(40):
        sends = 2 * sends + 2  # twice what one doubling less takes, and two more
    close(steps, sends, 1e-13, "the number of steps")
    return "At ten million steps a second that is more than two days, for 80 steps of real work."


@exercise("04.3", hint="breadth first goes wrong where there is a short way to b and a long one. Depth first "
                       "goes wrong only "
                       "if it takes the short way first, and it begins with the left operand")  # fmt: skip
def graph_for_depth_first(root):
    """A graph on which breadth first is wrong and depth first, at first sight, is right."""
    assert isinstance(root, Value), f"L should be a Value, and is of the type {type(root).__name__}"
    assert root.parents, "L is made of nothing yet"
    lab = mg.orders(root)
    right = {order.name: all([lab.is_right(order, i) for i in lab.leaves]) for order in lab.rows}
    depth, breadth = right["depth first, at first sight"], right["breadth first"]
    assert depth or breadth, "breadth first is wrong, as it should be, but depth first is wrong too"
    assert not breadth, f"breadth first is right here, and depth first {'too' if depth else 'is wrong'}"
    return "Turn the operands around and look at the table again."


@exercise("04.4", hint="the box that you took off `ready` goes into `order`. Then each of its parents has one "
                       "use less to wait "
                       "for; what if that was the last?")  # fmt: skip
def order_by_counting(by_counting):
    """A function that gives all boxes of a graph, each after all that use it."""
    assert callable(by_counting), "by_counting is a function: write it with def"
    rng = random.Random(4)
    for size in (1, 2, 5, 20, 60):
        pool = [Value(rng.uniform(-1, 1)) for _ in range(3)]
        for _ in range(size):
            p, q = rng.choice(pool[-6:]), rng.choice(pool)
            pool.append(p * q if rng.random() < 0.5 else p + q)
        order = by_counting(pool[-1])
        everything = {id(node) for node in mg.topological_order(pool[-1])}
        assert order is not None, "by_counting gives nothing back: is there a return?"
        assert isinstance(order, (list, tuple)), f"by_counting should give a list, and gives {type(order).__name__}"
        assert all([isinstance(node, Value) for node in order]), "the list should hold boxes, which are Values"
        assert order, "the list is empty: nothing has been put into `order`"
        ids = {id(node) for node in order}
        assert len(ids) == len(order), "a box is in the order twice"
        assert ids == everything, f"the order has {len(ids)} boxes, and the graph {len(everything)}"
        assert keeps_rule(order), "a box comes before one that uses it"
    return "This is Kahn's way of 1962, and there is no recursion in it."
