"""The command line: `python -m microgrid VERB`, also installed as `microgrid`."""

import argparse
import csv
import errno
import glob
import io
import json
import keyword
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from .files import write_whole
from .training import BadInput
from .training.bad_input import read_text

if TYPE_CHECKING:
    from .pictures.expressions import Parsed


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a verb; returns the exit status: 0, 2 for a mistake in the input, 130 for Ctrl-C."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that lacks a letter shows its number
            stream.reconfigure(errors="backslashreplace")
    args = _parser().parse_args(_expressions_first(sys.argv[1:] if argv is None else argv))
    try:
        with _folder(args.out):
            return args.run(args) or 0
    except (BadInput, ModuleNotFoundError) as error:
        print(f"microgrid {args.verb}: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"microgrid {args.verb}: {error.filename or 'a file'}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print(f"\nmicrogrid {args.verb}: stopped", file=sys.stderr)
        return 130


def _expressions_first(words: Sequence[str]) -> list[str]:
    """With a space before an expression such as -a*b, which argparse would take for an option."""
    if words[:1] not in (["draw"], ["steps"]):
        return list(words)
    return [f" {word}" if re.match(r"-(?!h$|-$|-[a-z])", word) else word for word in words]


@contextmanager
def _folder(out: Path) -> Iterator[None]:
    """The folder to write to, tried before the work and not left behind empty."""
    made = not out.exists()
    out.mkdir(parents=True, exist_ok=True)
    try:
        if not os.access(out, os.W_OK):
            raise PermissionError(errno.EACCES, "this folder can't be written; choose another --out", str(out))
        yield
    finally:
        if made and not any(out.iterdir()):
            out.rmdir()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="microgrid",
        description="Backpropagation, number by number.",
        epilog="microgrid VERB --help shows an example.",
    )
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Callable, help: str, examples: str) -> argparse.ArgumentParser:
        sub = verbs.add_parser(
            name,
            help=help,
            description=help[0].upper() + help[1:] + ".",
            epilog=f"examples:\n{examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        sub.set_defaults(run=run)
        sub.add_argument(
            "--out",
            type=Path,
            metavar="DIR",
            default=Path(f"microgrid-{name}"),
            help="where to write (default %(default)s)",
        )
        sub.add_argument("--seed", type=int, default=0, help="of everything random (default %(default)s)")
        return sub

    demo = verb("demo", _demo, "an expression, a net that learns two moons, and a page to open",
                "  microgrid demo\n  microgrid demo --seed 3 --out my-demo")  # fmt: skip
    demo.set_defaults(seed=1)
    demo.add_argument("--steps", type=_positive, default=100, help="of gradient descent (default 100)")

    draw = verb("draw", _draw, "the graph of an expression, as text and as a picture",
                '  microgrid draw "(a*b + c).tanh()" a=2 b=-3 c=10\n'
                '  microgrid draw "n = x*w + b; L = (n - 1)**2" x=2 w=0.5 b=1 --local-gradients\n'
                "  microgrid draw my.py w=0.3 --out pictures")  # fmt: skip
    draw.add_argument("--local-gradients", action="store_true", help="d(result)/d(operand) on each edge")
    steps = verb("steps", _steps, "forward and backward through an expression, step by step",
                 '  microgrid steps "(a*b + c).tanh()" a=2 b=-3 c=10\n  microgrid steps my.py')  # fmt: skip
    for sub in (draw, steps):
        sub.add_argument("expression", metavar="EXPRESSION", help="arithmetic and functions, or a file of it")
        sub.add_argument("values", nargs="*", metavar="NAME=NUMBER", help="what the names in it stand for")

    train = verb("train", _train, "train a net on a table of your own",
                 "  microgrid train iris.csv --target species\n"
                 "  microgrid train houses.csv --target price --task regression --missing mean --drop id")  # fmt: skip
    train.add_argument("file", metavar="FILE.csv", help="a table with a header")
    train.add_argument("--target", required=True, metavar="COLUMN", help="the column to predict")
    train.add_argument("--task", choices=["classification", "regression"], help="found from the target if not said")
    train.add_argument("--missing", choices=["refuse", "mean", "drop"], default="refuse",
                       help="about missing cells: refuse the table, take the mean, or drop the row")  # fmt: skip
    train.add_argument("--drop", action="append", default=[], metavar="COLUMN", help="leave a column out; repeatable")
    train.add_argument("--hidden", type=_sizes, default="16", metavar="N,N", help="sizes of the hidden layers, as in "
                       "16,16; 0 for none (default %(default)s)")  # fmt: skip
    train.add_argument("--epochs", type=_positive, help="passes over the rows (default: by their number)")
    train.add_argument("--lr", type=float, default=0.01, help="learning rate of Adam (default 0.01)")
    train.add_argument(
        "--test", type=float, default=0.25, metavar="SHARE", help="of the rows for the test (default 0.25)"
    )

    predict = verb("predict", _predict, "use a trained model on a table",
                   "  microgrid predict microgrid-train/model.json new.csv\n"
                   "  microgrid predict model.json new.csv --out results")  # fmt: skip
    predict.add_argument("model", metavar="MODEL.json", help="what `microgrid train` wrote")
    predict.add_argument("file", metavar="FILE.csv", help="a table with the columns of the training")

    check = verb("check", _check, "examine anybody's Value class, and name its bugs",
                 "  microgrid check my_engine.py\n  microgrid check my_engine.py:Number --level plus-times\n"
                 "  microgrid check submissions/*.py --csv grades.csv")  # fmt: skip
    check.add_argument("files", nargs="+", metavar="FILE.py[:CLASS]", help="an engine, or several")
    check.add_argument("--level", choices=["plus-times", "tanh", "complete"],
                       help="how far it should be: what is missing is a fault (default: what is there)")  # fmt: skip
    check.add_argument(
        "--csv", type=Path, metavar="FILE", help="a line for each engine; the exit status is then 0, whatever they are"
    )
    for part in ("data", "grad", "backward"):
        check.add_argument(f"--{part}", default="", metavar="NAME", help=f"what {part} is called there, if not {part}")
    check.add_argument("--jobs", type=_positive, default=0, metavar="N", help="engines at a time (default: processors)")

    bench = verb("bench", _bench, "this project and its peers, side by side",
                 "  microgrid bench\n  microgrid bench moons --rounds 20\n"
                 "  microgrid bench moons scaling --against all --out bench")  # fmt: skip
    bench.add_argument("parts", nargs="*", metavar="PART", help="moons, expression, chain, digits, microgpt, scaling, "
                       "fit, growth or accuracy (default: all)")  # fmt: skip
    bench.add_argument("--rounds", type=_positive, default=5, metavar="N", help="turns of everybody (default 5)")
    bench.add_argument("--against", choices=["all"], help="everybody that is installed, at full length: it takes long")
    bench.add_argument("--json", type=Path, metavar="FILE", help="of the figures (default bench.json in --out)")

    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number of at least 1")
    return int(text)


def _sizes(text: str) -> list[int]:
    return [] if text == "0" else [_positive(size) for size in text.split(",")]


def _demo(args: argparse.Namespace) -> None:
    from .classroom.demo import demo

    demo(args.out, args.seed, args.steps)


def _draw(args: argparse.Namespace) -> None:
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


def _steps(args: argparse.Namespace) -> None:
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


def _train(args: argparse.Namespace) -> None:
    from .classroom.report import summary, write_report
    from .training import fit_table

    report = fit_table(
        args.file, args.target, task=args.task, hidden=args.hidden, epochs=args.epochs, lr=args.lr, seed=args.seed,
        test_fraction=args.test, missing=args.missing, drop=args.drop,
    )  # fmt: skip
    print(f"{summary(report)}\n\n{report}\n")
    for path in write_report(report, args.out):
        print(f"wrote {path}")


def _predict(args: argparse.Namespace) -> None:
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


def _check(args: argparse.Namespace) -> int:
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


def _bench(args: argparse.Namespace) -> int:
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


if __name__ == "__main__":
    sys.exit(main())
