"""A curve that grows in a notebook while the net learns."""

import time
from typing import Any

from .history import History
from .plots import INSTALL as INSTALL_PLOTS

INSTALL = "live=True needs a notebook: pip install jupyterlab"
PAUSE = 0.5  # seconds between two pictures, so that they don't take longer than the learning


class LivePlot:
    """Shows `history.plot()` and shows it anew, at most twice a second.

    Raises ModuleNotFoundError, naming the command, where there is no IPython or no matplotlib,
    RuntimeError outside of a notebook.
    """

    def __init__(self, history: History) -> None:
        try:
            from IPython import get_ipython
            from IPython.display import display
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(INSTALL) from error
        if get_ipython() is None:
            raise RuntimeError("live=True shows its curve in a notebook, and this is none: leave it out")
        try:
            import matplotlib  # noqa: F401
        except ModuleNotFoundError as error:
            raise ModuleNotFoundError(INSTALL_PLOTS) from error
        self.history = history
        self._display: Any = display
        self._handle: Any = None
        self._last = 0.0

    def update(self) -> None:
        """After an epoch."""
        if time.monotonic() - self._last >= PAUSE:
            self.finish()
            self._last = time.monotonic()

    def finish(self) -> None:
        """Whatever the time, with all epochs."""
        if not self.history.epochs:
            return
        if self._handle is None:
            self._handle = self._display(self.history.plot(), display_id=True)
        else:
            self._handle.update(self.history.plot())
