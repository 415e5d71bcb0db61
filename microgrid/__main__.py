"""The command line: `python -m microgrid VERB`, also installed as `microgrid`."""

import argparse
import errno
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from . import verbs
from .training import BadInput


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
    known = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    def verb(name: str, run: Callable, help: str, examples: str) -> argparse.ArgumentParser:
        sub = known.add_parser(
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

    demo = verb("demo", verbs.run_demo, "an expression, a net that learns two moons, and a page to open",
                "  microgrid demo\n  microgrid demo --seed 3 --out my-demo")  # fmt: skip
    demo.set_defaults(seed=1)
    demo.add_argument("--steps", type=_positive, default=100, help="of gradient descent (default 100)")

    draw = verb("draw", verbs.run_draw, "the graph of an expression, as text and as a picture",
                '  microgrid draw "(a*b + c).tanh()" a=2 b=-3 c=10\n'
                '  microgrid draw "n = x*w + b; L = (n - 1)**2" x=2 w=0.5 b=1 --local-gradients\n'
                "  microgrid draw my.py w=0.3 --out pictures")  # fmt: skip
    draw.add_argument("--local-gradients", action="store_true", help="d(result)/d(operand) on each edge")
    steps = verb("steps", verbs.run_steps, "forward and backward through an expression, step by step",
                 '  microgrid steps "(a*b + c).tanh()" a=2 b=-3 c=10\n  microgrid steps my.py')  # fmt: skip
    for sub in (draw, steps):
        sub.add_argument("expression", metavar="EXPRESSION", help="arithmetic and functions, or a file of it")
        sub.add_argument("values", nargs="*", metavar="NAME=NUMBER", help="what the names in it stand for")

    train = verb("train", verbs.run_train, "train a net on a table of your own",
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

    predict = verb("predict", verbs.run_predict, "use a trained model on a table",
                   "  microgrid predict microgrid-train/model.json new.csv\n"
                   "  microgrid predict model.json new.csv --out results")  # fmt: skip
    predict.add_argument("model", metavar="MODEL.json", help="what `microgrid train` wrote")
    predict.add_argument("file", metavar="FILE.csv", help="a table with the columns of the training")

    check = verb("check", verbs.run_check, "examine anybody's Value class, and name its bugs",
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

    course = verb("course", verbs.run_course, "build the course's notebooks as pages, with all that they show",
                  "  microgrid course build\n"
                  "  microgrid course build --answers notebooks/teachers.md --out for-the-teacher")  # fmt: skip
    course.add_argument("action", choices=["build"], help="run all notebooks and write a page of each")
    course.add_argument("folder", nargs="?", type=Path, default=Path("notebooks"), metavar="FOLDER",
                        help="that holds the notebooks (default %(default)s)")  # fmt: skip
    course.add_argument("--answers", type=Path, metavar="FILE.md", help="the teacher's page: answers all exercises too")
    course.add_argument(
        "--jobs", type=_positive, default=0, metavar="N", help="notebooks at a time (default: processors)"
    )

    bench = verb("bench", verbs.run_bench, "this project and its peers, side by side",
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


if __name__ == "__main__":
    sys.exit(main())
