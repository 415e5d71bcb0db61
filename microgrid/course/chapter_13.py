"""The checks of chapter 13, its data and its larger pictures."""

import csv

import matplotlib.pyplot as plt

from .lesson import close, exercise
from .style import COLOURS

SIZE = (6, 3.8)  # inches: small, so that words stay large on a phone


def seattle():
    """The weather of Seattle, 2012 to 2015: a dictionary for each day, its numbers as numbers."""
    from vega_datasets import local_data

    with open(local_data.seattle_weather.filepath) as file:
        rows = list(csv.DictReader(file))
    names = {"highest": "temp_max", "lowest": "temp_min", "rain": "precipitation", "wind": "wind"}
    return [
        {"date": row["date"].replace("/", "-")} | {name: float(row[old]) for name, old in names.items()} for row in rows
    ]


def show_years(days, first):
    """All days, those before `first` in grey."""
    highest = [day["highest"] for day in days]
    _, axes = plt.subplots(figsize=SIZE)
    axes.plot(range(first), highest[:first], color=COLOURS["grey"], linewidth=0.8)
    axes.plot(range(first, len(days)), highest[first:], color=COLOURS["orange"], linewidth=0.8)
    axes.set_xticks([183, 549, 914, 1279], ["2012", "2013", "2014", "2015"])
    axes.set_ylabel("highest of the day, °C")
    axes.set_title("Learn from the grey, be judged on the orange")
    plt.show()


def show_forecasts(days, where, forecasts):
    """Some days as they were (dots), and forecasts of them (lines)."""
    _, axes = plt.subplots(figsize=(6, 4.2))
    places = range(len(where))
    axes.plot(places, [days[t]["highest"] for t in where], "o", color=COLOURS["ink"], markersize=4, label="as it was")
    for (name, forecast), colour in zip(forecasts.items(), ("blue", "orange")):
        axes.plot(places, [forecast(t) for t in where], color=COLOURS[colour], label=name)
    axes.set(xlabel=f"days from {days[where[0]]['date']}", ylabel="°C")
    axes.set_title("The net bends with the weather")
    axes.legend(loc="upper left", bbox_to_anchor=(-0.08, -0.17), ncols=3, frameon=False, columnspacing=1.2)
    plt.show()


def show_reach(last, taught, a_year_ago, usual):
    """Mean errors of four forecasts: two by how many days ahead, and two that are the same for each distance."""
    _, axes = plt.subplots(figsize=SIZE)
    ahead = list(last)
    axes.plot(ahead, [a_year_ago] * len(ahead), color=COLOURS["blue"], label="as a year ago")
    axes.plot(ahead, last.values(), "s--", color=COLOURS["orange"], label="as on the last day")
    axes.plot(ahead, [usual] * len(ahead), "-.", color=COLOURS["green"], label="as usual")
    axes.plot(ahead, taught.values(), "D-", color=COLOURS["purple"], label="net")
    axes.set(xlabel="days ahead", ylabel="mean error, °C", ylim=(0, 4.2), xticks=ahead)
    axes.set_title("After some days, the calendar knows as much")
    axes.legend(loc="lower right")
    plt.show()


def percents(axis):
    """Ticks of a logarithmic axis as percents."""
    axis.set_major_formatter(lambda x, _: f"{100 * x:g} %")


def show_costs(thresholds, costs, right):
    """What each threshold costs, and the one that the two prices give."""
    _, axes = plt.subplots(figsize=SIZE)
    axes.semilogx(thresholds, costs)
    axes.axvline(right, color=COLOURS["orange"], linestyle="--", label="check / miss = 1 / 30")
    axes.set(xlabel="check from this probability on", ylabel="euros per 1000 payments", ylim=(0, None))
    percents(axes.xaxis)
    axes.set_title("The two prices say where to part them")
    axes.legend(loc="upper right")
    plt.show()


def show_honesty(said, happened, more=None):
    """Said probabilities against what happened; `more` is a second pair of lists."""
    _, axes = plt.subplots(figsize=SIZE)
    axes.loglog([0.0008, 1], [0.0008, 1], color=COLOURS["grey"], linewidth=1, label="exactly as said")
    axes.loglog(said, happened, "o", markersize=8, label="plain")
    if more:
        axes.loglog(*more, "^", markersize=8, label="each fraud counted 20 times")
    axes.set(xlabel="probability that the net says", ylabel="share that was fraud")
    percents(axes.xaxis)
    percents(axes.yaxis)
    axes.set_title("Counting frauds 20 times bends it" if more else "What it says is nearly what happens")
    axes.legend(loc="upper left")
    plt.show()


@exercise(
    "13.1",
    hint="a season is what comes round again: here it is a week. And the errors are sizes, so they have no signs.",
)
def seasonal_naive(forecast, error):
    """The sales of a week before, and their mean error."""
    assert not isinstance(forecast, str) and hasattr(forecast, "__len__"), "my_forecast should be a list"
    assert len(forecast) == 3, "my_forecast should have three numbers, one for each of this week's days"
    for day, got, right in zip(("Friday", "Saturday", "Sunday"), forecast, (22, 28, 13)):
        close(got, right, what=f"the forecast for {day}")
    close(error, 3, what="my_error")
    return "The errors are 2, 4 and 3."


@exercise(
    "13.2",
    hint="ask of each number: on the evening before, has it been measured already? Ask it of each number inside a mean "
    "too.",
)
def leaks(letters):
    """The letters of the inputs that are not known in time, in any order and form."""
    assert isinstance(letters, (str, set, list, tuple)), 'the_leaks should be letters, as in "AB"'
    assert all([isinstance(letter, str) for letter in letters]), 'the_leaks should be letters, as in "AB"'
    found = set("".join(letters).upper()) - set(" ,")
    assert found and found <= set("ABCDEF"), "the letters are A to F"
    missing, wrong = set("BDF") - found, found - set("BDF")
    assert not wrong, f"of your letters, {len(wrong)} can be known on the evening before"
    assert not missing, f"there {'is one more' if len(missing) == 1 else f'are {len(missing)} more'}"
    return "D has tomorrow in its mean, and F has all of the days that you want to be judged on."


@exercise(
    "13.3",
    hint="to look after it costs 2 for certain. Not to do it costs 80 with the probability p, so 80 times p on "
    "average. At which p are they equal?",
)
def threshold(probability, to_check):
    """The limit from the two prices, and who is above it."""
    close(probability, 0.025, what="from_probability")
    assert isinstance(to_check, (list, tuple, set)), "to_check should be a list of probabilities"
    assert all([p in (0.01, 0.02, 0.03, 0.2) for p in to_check]), "to_check should have some of the four numbers"
    assert sorted(to_check) == [0.03, 0.2], "look after those that are above your probability, and no others"
    return "2 / 80 = 0.025. All of them are far below one half."


@exercise(
    "13.4",
    hint="a fraud that you miss costs amount + 10. What does it cost on average not to check? And what does the check "
    "cost?",
)
def by_amount(check):
    """The decision, for some payments."""
    assert callable(check), "worth_a_check should be a function"
    for p, amount in ((0.5, 20), (0.01, 2000), (0.01, 100), (0.001, 6000), (0.03, 90), (0.03, 200), (0.9, 2)):
        got = check(p, amount)
        assert got in (True, False), "worth_a_check should return True or False"
        assert got == (p * (amount + 10) > 5), f"not right yet for p = {p} and {amount} euros"
    return "1 % of 2000 euros is worth a call, and 3 % of 90 is not."


@exercise(
    "13.5",
    hint="odds are p / (1 - p). Turn p into odds, divide them by times, and turn them back: p = odds / (1 + odds).",
)
def undone(honest):
    """Honest probabilities, by the odds."""
    assert callable(honest), "honest should be a function"
    for p in (0.01, 0.2, 0.5, 0.9):
        for times in (1, 5, 20):
            got = honest(p, times)
            odds = p / (1 - p) / times
            close(got, odds / (1 + odds), what=f"honest({p}, {times})")
    return "A said one half, with frauds counted 20 times, is 1 in 21."
