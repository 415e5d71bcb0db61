"""The one look of all notebooks: fonts, sizes and colours of their plots."""

import sys

from ..training.plots import INSTALL

COLOURS = {  # told apart by the colour-blind (Okabe and Ito 2008, "Color Universal Design")
    "blue": "#0072b2", "orange": "#d55e00", "green": "#009e73", "purple": "#8c5aa8", "grey": "#9a9a9a",
    "ink": "#1b1b1b", "soft": "#555555",
}  # fmt: skip


def begin() -> None:
    """Gives all plots that follow the course's look; each notebook calls it once, in its first cell.

    Raises ModuleNotFoundError, saying what to install, without matplotlib.
    """
    try:
        import matplotlib.pyplot as plt
    except ModuleNotFoundError:
        raise ModuleNotFoundError(INSTALL) from None
    lines = [COLOURS[name] for name in ("blue", "orange", "green", "purple", "grey")]
    plt.rcParams.update({
        "axes.grid": True,
        "axes.prop_cycle": plt.cycler(color=lines),
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.titlesize": 13,
        "figure.dpi": 110,
        "figure.facecolor": "white",
        "figure.figsize": (6.2, 3.7),  # inches; on a phone its words are then over 9 pixels high
        "font.size": 12,
        "grid.alpha": 0.25,
        "lines.linewidth": 2,
        "savefig.facecolor": "white",
    })  # fmt: skip
    _describe_figures()


def _describe_figures() -> None:
    """In a notebook, gives each figure's picture its titles as the words for those who can't see it."""
    if "ipykernel" not in sys.modules:
        return
    import matplotlib_inline.backend_inline  # noqa: F401  it makes a formatter of its own when it is first imported
    from IPython import get_ipython
    from IPython.core.pylabtools import print_figure
    from matplotlib.figure import Figure

    def picture(figure: Figure) -> tuple[str, dict[str, str]]:
        titles = [figure.get_suptitle(), *[axes.get_title() for axes in figure.axes]]
        return print_figure(figure, base64=True), {"alt": ": ".join([title for title in titles if title]) or "A plot"}

    get_ipython().display_formatter.formatters["image/png"].for_type(Figure, picture)
