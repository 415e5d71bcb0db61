"""What `train` leaves: the model, the loss curve and a report to open."""

from importlib.util import find_spec
from pathlib import Path

from .. import page
from ..files import write_whole
from ..training import Report, save_model
from ..training.plots import INSTALL, curve


def write_report(report: Report, out: Path) -> list[Path]:
    """Write model.json, curve.svg and report.html into the folder out, which is made.

    Without matplotlib the curve is left out, and the report says so.
    Returns the paths, the report's last.  Raises OSError where the folder can't be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = [save_model(report.model, out / "model.json")]
    loss = page.paragraph(f"No curve: {INSTALL}.")
    if find_spec("matplotlib"):
        written.append(curve({"training loss": report.losses}).save(out / "curve.svg"))
        loss = page.picture("curve.svg", "The mean loss of each epoch of training")
    classes = report.model.classes
    parts = [
        page.paragraph(verdict(report)),
        page.paragraph(summary(report)),
        page.heading("How good it is"),
        page.paragraph(
            "Train: the rows it learned from. Test: rows it has never seen; believe these. Baseline: always answering "
            + ("the commonest class." if classes else "the mean. r2 is the share of the differences between rows that ")
            + ("" if classes else "is explained: 1 is perfect, 0 is no better than the mean.")
        ),
        page.table(["", "train", "test", "baseline"], figures(report)),
    ]
    if classes:
        rows = [[name, *map(str, row)] for name, row in zip(classes, report.confusion)]
        parts += [
            page.heading("What was taken for what"),
            page.paragraph("Test rows: the true class down the side, the predicted one across the top."),
            page.table(["", *classes], rows),
        ]
    parts += [
        page.heading("The loss while learning"),
        loss,
        page.heading("Use it"),
        page.code(f"python -m microgrid predict {out / 'model.json'} FILE.csv"),
    ]
    return [
        *written,
        write_whole(out / "report.html", page.page(f"{report.target}, from {Path(report.path).name}", parts)),
    ]


def verdict(report: Report) -> str:
    """One sentence on how good it is."""
    if report.model.classes:
        right, naive = (round(part["accuracy"] * report.test_rows) for part in (report.test, report.baseline))
        return f"Of {report.test_rows} rows never seen before it got {right} right; the commonest class alone, {naive}."
    error, naive_error = (part["mean absolute error"] for part in (report.test, report.baseline))
    return f"On rows that it had never seen, it is off by {error:.4g} on average; the mean alone, by {naive_error:.4g}."


def summary(report: Report) -> str:
    """One sentence on what was trained on what."""
    dropped = f" ({report.dropped_rows} rows with missing cells were left out)" if report.dropped_rows else ""
    kind = f"classification into {len(report.model.classes)} classes" if report.model.classes else "regression"
    return (
        f"{report.model.net}, for {kind}, learned {report.target!r} from {len(report.model.columns)} columns and "
        f"{report.train_rows} rows in {len(report.losses)} epochs; tested on {report.test_rows} others{dropped}."
    )


def figures(report: Report) -> list[list[str]]:
    """A row for each figure: its name, and on the training rows, the test rows, and naively."""
    return [
        [name, *(f"{part[name]:.4g}" for part in (report.train, report.test, report.baseline))] for name in report.test
    ]
