"""What each verb of the command line does: a function of its arguments; returns the exit status, or None for 0."""

import argparse
import csv
import glob
import io
import json
import keyword
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from .files import write_whole
from .training import BadInput
from .training.bad_input import read_text

if TYPE_CHECKING:
    from .pictures.expressions import Parsed


def run_demo(args: argparse.Namespace) -> None:
    from .classroom.demo import demo

    demo(args.out, args.seed, args.steps)


def run_draw(args: argparse.Namespace) -> None:
    from .pictures import draw
    from .pictures.slips import in_figures

    parsed = _parsed(args)
    try:
        parsed.root.backward()
    except (ArithmeticError, ValueError) as error:
        raise BadInput(in_figures(str(error))) from None
    graph = draw(parsed.root, local_gradients=args.local_gradients, names=parsed.names)
    print(graph)
    print(f"wrote {graph.save(args.out / 'graph.svg')}", file=sys.stderr)


def run_steps(args: argparse.Namespace) -> None:
    from .pictures.steps import steps

    parsed = _parsed(args)
    try:
        lesson = steps(parsed.root, names=parsed.names)
    except (ArithmeticError, ValueError) as error:
        raise BadInput(str(error)) from None
    print(lesson)
    print(f"wrote {lesson.save(args.out / 'steps.html')}", file=sys.stderr)


def _parsed(args: argparse.Namespace) -> "Parsed":
    """The expression or file on the command line, as a graph."""
    from .pictures.expressions import BadExpression, parse

    values: dict[str, float] = {}
    for word in args.values:
        name, equals, number = [part.strip() for part in word.partition("=")]
        if not equals or not name.isidentifier() or keyword.iskeyword(name):
            raise BadInput(f"{word!r} is no value for a name: write it as in a=2")
        if name in values:
            raise BadInput(f"{name} is given twice")
        try:
            values[name] = float(number)
        except ValueError:
            raise BadInput(f"{number!r} is no number: {_number_meant(name, number)}") from None
    words = args.expression
    file = words.strip().endswith(".py") or os.path.isfile(words)
    if words.strip().endswith(".ipynb"):
        raise BadInput(f"{words.strip()} is a notebook: copy the cell with the expression into a file such as my.py")
    try:
        parsed = parse(read_text(words.strip()) if file else words, values)
    except BadExpression as error:
        raise BadInput(f"{words.strip()}, {error}" if file else str(error)) from None
    for statement in parsed.skipped:
        print(f"skipped {statement}", file=sys.stderr)
    return parsed


def _number_meant(name: str, number: str) -> str:
    """What to type in place of what is no number: `a=−2`, `a=2,b=3`, `a=0,5`."""
    from .pictures.slips import SIGNS

    plain = "".join([SIGNS.get(sign, sign) for sign in number]).rstrip(",;")
    if "=" in plain:
        return f"write {name}={' '.join(plain.replace(',', ' ').replace(';', ' ').split())}, each a word of its own"
    for meant in (plain, plain.replace(",", ".")):
        with suppress(ValueError):
            float(meant)
            return f"write {name}={meant}"
    return f"write it as in {name}=2"


def run_train(args: argparse.Namespace) -> None:
    from .classroom.report import summary, write_report
    from .training import fit_table

    report = fit_table(
        args.file, args.target, task=args.task, hidden=args.hidden, epochs=args.epochs, lr=args.lr, seed=args.seed,
        test_fraction=args.test, missing=args.missing, drop=args.drop,
    )  # fmt: skip
    print(f"{summary(report)}\n\n{report}\n")
    for path in write_report(report, args.out):
        print(f"wrote {path}")


def run_predict(args: argparse.Namespace) -> None:
    from .training import predict_table

    predictions = predict_table(args.model, args.file)
    table = io.StringIO()
    writer = csv.writer(table, lineterminator="\n")
    if any([p.probability is not None for p in predictions]):
        writer.writerow(["line", "prediction", "probability"])
        writer.writerows([p.line, p.value, f"{p.probability:.4f}"] for p in predictions)
    else:
        writer.writerow(["line", "prediction"])
        writer.writerows([p.line, f"{p.value:.6g}"] for p in predictions)
    path = write_whole(args.out / "predictions.csv", table.getvalue())
    print(table.getvalue(), end="")
    print(f"wrote {path}", file=sys.stderr)


def run_check(args: argparse.Namespace) -> int:
    files = [found for word in args.files for found in _matching(word)]
    if args.csv and not args.csv.absolute().parent.is_dir():
        raise BadInput(f"--csv {args.csv}: there is no folder {args.csv.parent}")
    return _check_class(args, files) if args.csv or len(files) > 1 else _check_one(args, files[0])


def _matching(word: str) -> list[str]:
    """The files that a pattern stands for, where the shell has left it as it is."""
    if not any([sign in word for sign in "*?"]):
        return [word]
    found = sorted(glob.glob(word))
    if not found:
        raise BadInput(f"no file is like {word}")
    return found


def _check_one(args: argparse.Namespace, file: str) -> int:
    from .checking import check
    from .checking.examination.report import console

    try:
        found = check(file, level=args.level, data=args.data, grad=args.grad, backward=args.backward, seed=args.seed)
    except (FileNotFoundError, TypeError) as error:
        raise BadInput(str(error)) from None
    console().print(found)
    for name in ("report.html", "report.json"):
        print(f"wrote {found.save(args.out / name)}", file=sys.stderr)
    return 0 if found else 1


def _check_class(args: argparse.Namespace, files: list[str]) -> int:
    from .checking.examination.classes import Row, check_class, page_of, table_of

    given = {"level": args.level, "data": args.data, "grad": args.grad, "backward": args.backward, "seed": args.seed}
    options = [word for name, value in given.items() if value for word in (f"--{name}", str(value))]

    def say(row: Row) -> None:
        cells = row.cells()
        print(f"{cells[1]:>6}  {cells[0]}  {cells[6]}", flush=True)

    rows = check_class(files, args.out, options, jobs=args.jobs, done=say)
    print(f"wrote {write_whole(args.csv or args.out / 'grades.csv', table_of(rows))}", file=sys.stderr)
    print(f"wrote {write_whole(args.out / 'index.html', page_of(rows))}", file=sys.stderr)
    return 0 if args.csv else int(any([not row.report or row.report["faults"] for row in rows]))


def run_course(args: argparse.Namespace) -> int:
    from .course.building import Chapter, build, read_answers

    def say(chapter: Chapter) -> None:
        print(f"{chapter.seconds:5.0f} s  {chapter.path.name}", flush=True)
        for complaint in chapter.complaints:
            print(f"         {complaint}", flush=True)

    try:
        answers = read_answers(args.answers) if args.answers else None
        chapters = build(args.folder, args.out, answers, args.jobs, say)
    except KeyError as error:
        raise BadInput(str(error.args[0])) from None
    print(f"wrote {args.out / 'index.html'}", file=sys.stderr)
    return int(any([chapter.complaints for chapter in chapters]))


def run_bench(args: argparse.Namespace) -> int:
    from .bench import PARTS, bench, plots

    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        raise BadInput(f"there is no part {unknown[0]!r}: take {', '.join(PARTS)}")
    if args.json and not args.json.absolute().parent.is_dir():  # said before the work, which takes minutes
        raise BadInput(f"--json {args.json}: there is no folder {args.json.parent}")
    try:
        figures = bench(args.parts or list(PARTS), args.rounds, args.seed, against_all=args.against == "all")
    except ArithmeticError as error:
        print(f"microgrid bench: {error}", file=sys.stderr)
        return 1
    path = args.json or args.out / "bench.json"
    print(f"wrote {write_whole(path, json.dumps(figures, indent=1))}", file=sys.stderr)
    for path in plots(figures, args.out):
        print(f"wrote {path}", file=sys.stderr)
    return 0
