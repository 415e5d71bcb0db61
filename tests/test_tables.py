"""Tables from CSV files, the nets trained on them, their files, and all that can be wrong with each."""

import copy
import csv
import json
import math
import os
import random

import numpy as np
import pytest
from sklearn import datasets
from sklearn.metrics import confusion_matrix, mean_absolute_error, r2_score

from microgrid.training import BadInput, fit_table, load_model, predict_table, read_csv, save_model

FEW = {"epochs": 3, "hidden": (4,)}


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)  # so that messages name "t.csv", not the path of this machine


def write(text, path="t.csv", encoding="utf-8"):
    with open(path, "w", encoding=encoding, newline="") as file:
        file.write(text)
    return path


def write_rows(header, rows, path="t.csv"):
    with open(path, "w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


def refused(call, *args, **options):
    """The sentence with which the call refuses."""
    with pytest.raises(BadInput) as caught:
        call(*args, **options)
    return str(caught.value)


def pets(n=24):
    """Dogs are heavier, cats climb."""
    rng = random.Random(4)
    rows = [[rng.gauss(4, 1), rng.choice("yyn"), "cat"] for _ in range(n // 2)]
    rows += [[rng.gauss(20, 4), rng.choice("ynn"), "dog"] for _ in range(n // 2)]
    return [[f"{kilos:.3f}", climbs, kind] for kilos, climbs, kind in rows]


PETS = ["kilos", "climbs", "kind"]


# Reading


def test_columns_are_numbers_or_categories():
    write('id,note,size\n1,"a, b",-1e3\n\n2,"say ""hi""", 2.5 \n3,c\td,+.5\n')
    table = read_csv("t.csv")
    assert table.names == ["id", "note", "size"]
    assert table.kinds == {"id": "number", "note": "category", "size": "number"}
    assert table.columns == {"id": [1.0, 2.0, 3.0], "note": ["a, b", 'say "hi"', "c\td"], "size": [-1000.0, 2.5, 0.5]}
    assert table.lines == [2, 4, 5]  # the blank line counts


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_delimiters_line_ends_and_byte_order_marks(delimiter, end, encoding):
    rows = [["größe", "name, first"], ["1", "Ann; B"], ["2", "Bob\tC"]]
    text = end.join(delimiter.join(f'"{cell}"' for cell in row) for row in rows) + end
    table = read_csv(write(text, encoding=encoding))
    assert table.columns == {"größe": [1.0, 2.0], "name, first": ["Ann; B", "Bob\tC"]}


def test_a_comma_in_cells_between_semicolons_is_no_delimiter():
    table = read_csv(write("name, first;age\nBob;3\nAnn;4\n"))
    assert table.names == ["name, first", "age"]
    assert read_csv(write("age\n3\n4\n")).columns == {"age": [3.0, 4.0]}


def test_a_cell_of_several_lines_is_one_row():
    table = read_csv(write('text,n\n"one\ntwo",1\nthree,2\n'))
    assert (table.columns["text"], table.lines) == (["one\ntwo", "three"], [2, 4])


def test_what_counts_as_a_number():
    table = read_csv(write("a,b,c,d\n1_0,inf,1e999,0x1\n2_0,-inf,1e999,0x2\n"))
    assert set(table.kinds.values()) == {"category"}


MISSING_CELLS = "a,b\n1,x\n,y\n3,NA\n5,?\n"


def test_missing_cells_are_refused_or_dropped_or_filled():
    write(MISSING_CELLS)
    assert refused(read_csv, "t.csv") == (
        "t.csv, line 3, column 'a' is missing; fill it in, or choose --missing mean or --missing drop"
    )
    assert read_csv("t.csv", missing="drop").columns == {"a": [1.0], "b": ["x"]}
    assert read_csv("t.csv", missing="keep").columns == {"a": [1.0, None, 3.0, 5.0], "b": ["x", "y", None, None]}
    assert read_csv("t.csv", missing="mean").columns == {
        "a": [1.0, 3.0, 3.0, 5.0],
        "b": ["x", "y", "(missing)", "(missing)"],
    }
    assert read_csv("t.csv", missing="keep", drop=["b"]).names == ["a"]


@pytest.mark.parametrize("cell", ["", " ", "na", "NaN", "N/A", "NULL", "None", "?"])
def test_the_words_for_missing(cell):
    write(f"a,b\n1,x\n2,{cell}\n")
    assert refused(read_csv, "t.csv").startswith("t.csv, line 3, column 'b' is missing;")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "t.csv has no rows; it needs a line of column names and below it one line for each example"),
        ("a,b\n", "t.csv has no rows; it needs a line of column names and below it one line for each example"),
        ("a,b\n1,2\n1,2,3\n", "t.csv, line 3 has 3 cells where the columns are 2; correct it"),
        ("a,b\n1,2\n\n\n1\n", "t.csv, line 5 has 1 cells where the columns are 2; correct it"),
        ("a,b,a\n1,2,3\n", "t.csv, line 1: two columns have the name 'a'; rename one of them"),
        (
            ",a\n0,1\n",
            "t.csv, line 1: column 1 has no name; write one (from pandas: to_csv(path, index=False))",
        ),
        (
            "a\n1\n2\nabc\n",
            "t.csv, line 4, column 'a': 'abc' is not a number; correct it, or --drop the column",
        ),
        (
            'a,b\n1,2\n3,"4\n5,6\n',
            "t.csv, line 3 can't be read (unexpected end of data); check its quotation marks",
        ),
        (
            "a;b\n1,5;x\n2,5;y\n",
            "t.csv, line 2, column 'a': '1,5' has a comma; write numbers as 1234.5, with a point and no commas",
        ),
    ],
)
def test_a_table_that_is_wrong_is_refused_with_its_line(text, message):
    write(text)
    assert refused(read_csv, "t.csv") == message


def test_a_file_that_is_none_is_refused():
    os.mkdir("folder")
    write("a,b\n1,2\n", "iris.csv")
    assert refused(read_csv, "folder") == "folder is a folder; name a file in it"
    assert refused(read_csv, "iris.cvs") == "there is no file iris.cvs (did you mean 'iris.csv'?)"
    assert refused(read_csv, "x") == "there is no file x; check its name and the folder you are in"
    assert refused(read_csv, "no/x") == "there is no file no/x, nor a folder no; check the path"
    assert refused(read_csv, "a\0b").startswith("a\0b can't be read: ")
    with open("latin.csv", "wb") as file:
        file.write("name,n\nAnn,1\nJosé,2\n".encode("latin-1"))
    assert (
        refused(read_csv, "latin.csv") == "latin.csv, line 3 is not UTF-8 text; save it as UTF-8 (in Excel: CSV UTF-8)"
    )


def test_options_of_reading_that_are_wrong():
    write("a,b\n1,2\n")
    assert refused(read_csv, "t.csv", missing="skip") == "missing='skip' is not known: choose refuse, drop or mean"
    assert refused(read_csv, "t.csv", drop=["c"]) == "t.csv has no column 'c': its columns are 'a', 'b'"
    assert refused(read_csv, "t.csv", drop=["a", "b"]) == "no column of t.csv is left; --drop fewer"
    write("a,b\n1,\n,2\n")
    assert refused(read_csv, "t.csv", missing="drop") == (
        "t.csv has a missing cell in every row; choose --missing mean, or --drop a column"
    )
    write("a,b\n1,\n2,\n")
    assert refused(read_csv, "t.csv", missing="mean") == (
        "t.csv, column 'b' has no cell that is not missing; --drop it"
    )


# The four real tables


def write_real(name, names_of_classes):
    """A table of scikit-learn as a CSV file, its classes by name or by number."""
    data = getattr(datasets, f"load_{name}")()
    target = [data.target_names[i] for i in data.target] if names_of_classes else data.target.tolist()
    columns = [str(column) for column in data.feature_names]
    return write_rows([*columns, "target"], [[*x, y] for x, y in zip(data.data.tolist(), target)], f"{name}.csv")


@pytest.mark.parametrize(
    ("name", "names_of_classes", "task", "figure", "at_least"),
    [
        ("iris", True, "classification", "accuracy", 0.93),
        ("wine", True, "classification", "accuracy", 0.95),
        ("breast_cancer", False, "classification", "accuracy", 0.94),
        ("diabetes", False, "regression", "r2", 0.40),
    ],
)
def test_a_real_table_is_learned_with_the_defaults(name, names_of_classes, task, figure, at_least):
    path = write_real(name, names_of_classes)
    report = fit_table(path, "target")
    assert report.task == task
    assert report.test[figure] >= at_least
    assert report.test[figure] > report.baseline[figure] + 0.3
    assert report.losses[-1] < 0.8 * report.losses[0]
    n = len(getattr(datasets, f"load_{name}")().target)
    assert report.train_rows + report.test_rows == n and abs(report.test_rows - n / 4) <= 2


# Figures, splits and encodings, each by another route


def answers_of(report, path):
    """What the saved model answers for each row of the file it was trained on."""
    save_model(report.model, "model.json")
    return [p.value for p in predict_table("model.json", path)]


def test_the_figures_of_a_classification_are_those_of_scikit_learn():
    path = write_real("wine", True)
    report = fit_table(path, "target", **FEW)
    truth = read_csv(path).columns["target"]
    answers = answers_of(report, path)
    right = sum(t == a for t, a in zip(truth, answers))
    counted = report.train["accuracy"] * report.train_rows + report.test["accuracy"] * report.test_rows
    assert right == pytest.approx(counted)
    classes = report.model.classes
    assert classes == sorted(set(truth))
    whole = confusion_matrix(truth, answers, labels=classes)
    assert np.all(np.array(report.confusion) <= whole)
    assert np.trace(report.confusion) == pytest.approx(report.test["accuracy"] * report.test_rows)
    shares = np.array([truth.count(c) for c in classes]) / len(truth)
    np.testing.assert_allclose(np.sum(report.confusion, axis=1), shares * report.test_rows, atol=1)  # stratified
    assert report.baseline["accuracy"] == pytest.approx(np.max(np.sum(report.confusion, axis=1)) / report.test_rows)


def test_the_figures_of_a_regression_are_those_of_scikit_learn():
    path = write_real("diabetes", False)
    report = fit_table(path, "target", test_fraction=0.5, **FEW)
    answers = answers_of(report, path)
    truth = read_csv(path).columns["target"]
    errors = (report.train_rows, report.train), (report.test_rows, report.test)
    absolute = sum(rows * figures["mean absolute error"] for rows, figures in errors)
    assert absolute == pytest.approx(mean_absolute_error(truth, answers) * len(truth))
    assert report.confusion == [] and report.model.classes == []

    from microgrid.training.scores import regression_figures

    figures = regression_figures(truth, answers)
    assert figures["r2"] == pytest.approx(r2_score(truth, answers))
    assert figures["mean absolute error"] == pytest.approx(mean_absolute_error(truth, answers))


def test_the_model_standardises_by_the_training_rows_only():
    write_rows(["x", "y"], [[i * i, 3.0 * i] for i in range(40)])
    report = fit_table("t.csv", "y", **FEW)
    from microgrid.training import train_test_split

    rows, _, _, _ = train_test_split(range(40), range(40), 0.25, seed=0)
    x, y = np.array(rows) ** 2, 3.0 * np.array(rows)
    [column] = report.model.columns
    assert (column.mean, column.deviation) == (pytest.approx(x.mean()), pytest.approx(x.std()))
    assert (report.model.mean, report.model.deviation) == (pytest.approx(y.mean()), pytest.approx(y.std()))
    assert report.model.inputs([x[0]]) == [pytest.approx((x[0] - x.mean()) / x.std())]


def test_categories_are_one_hot_and_the_net_fits_them():
    report = fit_table(write_rows(PETS, pets()), "kind", **FEW)
    kilos, climbs = report.model.columns
    assert (kilos.name, climbs.categories) == ("kilos", ["n", "y"])
    assert report.model.inputs([kilos.mean, "y"]) == [0.0, 0.0, 1.0]
    assert report.model.net.sizes == [3, 4, 2]
    assert report.model.classes == ["cat", "dog"]


def test_a_seed_repeats_a_training_and_another_does_not():
    path = write_rows(PETS, pets())
    first, again, other = (fit_table(path, "kind", seed=seed, **FEW) for seed in (1, 1, 2))
    assert first.losses == again.losses != other.losses
    assert first.model.net.state_dict() == again.model.net.state_dict() != other.model.net.state_dict()


@pytest.mark.parametrize(
    ("target", "task", "classes"),
    [
        ([0, 1, 2] * 10, "classification", ["0", "1", "2"]),
        ([10, 9, -1] * 10, "classification", ["-1", "9", "10"]),
        (["1.0", "0.0", "-0"] * 10, "classification", ["0", "1"]),
        ([0.5, 1, 2] * 10, "regression", []),
        (list(range(30)), "regression", []),
        ([i % 21 for i in range(60)], "regression", []),
        (["a", "b", "1"] * 10, "classification", ["1", "a", "b"]),
    ],
)
def test_the_task_is_found_from_the_target(target, task, classes):
    write_rows(["x", "y"], [[i * i, y] for i, y in enumerate(target)])
    report = fit_table("t.csv", "y", epochs=1, hidden=())
    assert (report.task, report.model.classes) == (task, classes)


def test_the_task_may_be_said():
    write_rows(["x", "y"], [[i, i % 3] for i in range(30)])
    assert fit_table("t.csv", "y", task="regression", **FEW).task == "regression"
    write_rows(["x", "y"], [[i, ["1", "2", "3", "3a"][i % 4]] for i in range(40)])
    assert fit_table("t.csv", "y", task="classification", **FEW).model.classes == ["1", "2", "3", "3a"]
    write_rows(["x", "y"], [[i, i % 2 + 0.5] for i in range(40)])
    assert fit_table("t.csv", "y", task="classification", **FEW).model.classes == ["0.5", "1.5"]


def test_the_report_reads_as_a_table():
    text = str(fit_table(write_rows(PETS, pets()), "kind", **FEW))
    head, row = text.splitlines()
    assert head.split() == ["train", "test", "baseline"]
    assert row.split()[0] == "accuracy" and all(0 <= float(x) <= 1 for x in row.split()[1:])


# Missing cells in a training


def pets_with_gaps():
    rows = pets()
    rows[3][0], rows[5][1], rows[20][0] = "", "?", "NA"
    return rows


def test_missing_cells_in_a_training():
    path = write_rows(PETS, pets_with_gaps())
    assert refused(fit_table, path, "kind") == (
        "t.csv, line 5, column 'kilos' is missing; fill it in, or choose --missing mean or --missing drop"
    )
    dropped = fit_table(path, "kind", missing="drop", **FEW)
    assert (dropped.dropped_rows, dropped.train_rows + dropped.test_rows) == (3, 21)
    filled = fit_table(path, "kind", missing="mean", **FEW)
    assert (filled.dropped_rows, filled.train_rows + filled.test_rows) == (0, 24)
    assert filled.model.columns[1].categories == ["(missing)", "n", "y"]
    assert filled.model.inputs([None, None]) == [0.0, 1.0, 0.0, 0.0]
    assert fit_table(path, "kind", drop=["kilos", "climbs"][:1], missing="drop", **FEW).dropped_rows == 1


def test_a_model_of_means_takes_missing_cells_and_another_does_not():
    path = write_rows(PETS, pets_with_gaps())
    save_model(fit_table(path, "kind", missing="mean", **FEW).model, "mean.json")
    save_model(fit_table(path, "kind", missing="drop", **FEW).model, "drop.json")
    mean = load_model("mean.json").columns[0].mean
    write_rows(["climbs", "kilos"], [["y", ""], ["y", mean], ["", 3]], "new.csv")
    missing, same, _ = predict_table("mean.json", "new.csv")
    assert missing[1:] == same[1:]  # a missing number is the mean
    assert refused(predict_table, "drop.json", "new.csv") == (
        "new.csv, line 2, column 'kilos' is missing; fill it in, or train the model with --missing mean"
    )


def test_a_missing_category_that_training_never_saw_is_none_of_the_known():
    rows = pets()
    rows[0][0] = ""
    model = fit_table(write_rows(PETS, rows), "kind", missing="mean", **FEW).model
    assert model.inputs([model.columns[0].mean, None]) == [0.0, 0.0, 0.0]


# What a training refuses


def ids(n=30):
    return [f"person {i}" for i in range(n)]


@pytest.mark.parametrize(
    ("header", "rows", "target", "options", "message"),
    [
        (PETS, pets(), "knid", {}, "t.csv has no column 'knid' (did you mean 'kind'?): its columns are "
         "'kilos', 'climbs', 'kind'"),
        (PETS, pets(), "kind", {"drop": ["kind"]}, "'kind' is the target and can't be dropped; --drop another column"),
        (PETS, pets(), "kind", {"drop": ["kilos", "climbs"]},
         "t.csv has no column but 'kind': there is nothing to predict it from"),
        (PETS, pets()[:9], "kilos", {}, "t.csv has 9 rows: to learn from some and test on others takes 10"),
        (PETS, pets()[:12], "kind", {},
         "t.csv, column 'kind' has one value only, 'cat': there is nothing to tell apart; add other rows"),
        (["x", "y"], [[i, 2.5] for i in range(12)], "y", {},
         "t.csv, column 'y' has one value only, 2.5: there is nothing to tell apart; add other rows"),
        (PETS, pets(), "kind", {"task": "regression"},
         "t.csv, line 2, column 'kind': 'cat' is not a number; for classes choose --task classification"),
        (["x", "y"], [[i, i + 0.5] for i in range(60)], "y", {"task": "classification"},
         "t.csv, column 'y' has 60 different values in 60 rows; too many for classes; choose --task regression"),
        (["x", "y"], [[i, name] for i, name in enumerate(ids())], "y", {},
         "t.csv, column 'y' has 30 different values in 30 rows; too many for classes; choose another --target"),
        (["full name", "y"], [[name, i % 2] for i, name in enumerate(ids())], "y", {},
         "t.csv, column 'full name' has 30 different values in 30 rows; leave the column out with "
         '--drop "full name"'),
        (["town", "y"], [[f"town {i % 51}", i % 2] for i in range(400)], "y", {},
         "t.csv, column 'town' has 51 different values in 400 rows; leave the column out with --drop town"),
        (["x", "y"], [[i, "" if i == 7 else i % 2] for i in range(20)], "y", {"missing": "mean"},
         "t.csv, line 9, column 'y', the target, is missing; fill it in, or choose --missing drop"),
        (["x", "y"], [[i, i % 5] for i in range(10)], "y", {},
         "t.csv has too few rows of each class to test on 0.25 of them; add rows, or test on more"),
        (["x", "y"], [[i * 1e307 * (-1) ** i, i / 2] for i in range(17)], "y", {},
         "t.csv, line 3, column 'x': '-1e+307' is too large; write numbers below 1e+150"),
        (PETS, pets(), "kind", {"task": "clustering"},
         "the task 'clustering' is not known: choose classification or regression"),
        (PETS, pets(), "kind", {"missing": "keep"}, "missing='keep' is not known: choose refuse, mean or drop"),
        (PETS, pets(), "kind", {"epochs": 0}, "epochs=0 and batch_size=16: both have to be 1 or more"),
        (PETS, pets(), "kind", {"lr": -1.0}, "lr=-1.0 and l2=0.003: lr has to be above 0, as in 0.01, and l2 at "
         "least 0"),
        (PETS, pets(), "kind", {"hidden": (0,)}, "the hidden layers [0] need at least 1 neuron each, as in 16 16"),
        (PETS, pets(), "kind", {"test_fraction": 1.5},
         "the share of rows to test on is 1.5: choose one between 0 and 1, as in 0.25"),
        (["x", "y"], [[i, i / 3] for i in range(40)], "y", {"lr": 1e200},
         "the training came to no finite loss with lr=1e+200; choose --lr 1e+199"),
    ],
)  # fmt: skip
def test_a_training_that_can_not_be_is_refused(header, rows, target, options, message):
    write_rows(header, rows)
    assert refused(fit_table, "t.csv", target, **{**FEW, **options}) == message
    assert os.listdir() == ["t.csv"]


# The model's file


@pytest.fixture
def model_path():
    path = write_rows(PETS, pets())
    return save_model(fit_table(path, "kind", hidden=(4,), epochs=30).model, "model.json")


def test_a_model_comes_back_from_its_file_as_it_was(model_path):
    model = load_model(model_path)
    assert save_model(model, "again.json").read_bytes() == model_path.read_bytes()
    document = json.loads(model_path.read_text())
    assert (document["format"], document["version"]) == ("microgrid table model", 1)
    assert document["sizes"] == [3, 4, 2] and document["activation"] == "relu"
    assert list(document["parameters"])[:2] == ["layers.0.neurons.0.w0", "layers.0.neurons.0.w1"]


def test_the_file_holds_all_that_a_prediction_needs(model_path):
    """The net computed from the file with NumPy, knowing only what the JSON says."""
    document = json.loads(model_path.read_text())
    p = document["parameters"]

    def layer(i, nin, nout):
        weights = [[p[f"layers.{i}.neurons.{j}.w{k}"] for k in range(nin)] for j in range(nout)]
        return np.array(weights), np.array([p[f"layers.{i}.neurons.{j}.b"] for j in range(nout)])

    kilos, climbs = document["columns"]
    (W0, b0), (W1, b1) = layer(0, 3, 4), layer(1, 4, 2)
    for row, prediction in zip(pets(), predict_table(model_path, "t.csv")):
        x = [(float(row[0]) - kilos["mean"]) / kilos["deviation"], *(float(row[1] == c) for c in climbs["categories"])]
        logits = W1 @ np.maximum(W0 @ x + b0, 0) + b1
        shares = np.exp(logits) / np.exp(logits).sum()
        assert prediction.value == document["classes"][int(np.argmax(shares))]
        assert prediction.probability == pytest.approx(shares.max(), rel=1e-12)


def test_predictions_take_columns_in_any_order_and_pass_over_others(model_path):
    write_rows(["note", "climbs", "kilos"], [["", "n", "25"], ["text, 1", "y", "3"]], "new.csv")
    answers = predict_table(model_path, "new.csv")
    assert [(p.line, p.value) for p in answers] == [(2, "dog"), (3, "cat")]
    assert all(0.5 < p.probability <= 1 for p in answers)


def test_a_regression_answers_in_the_unit_of_its_target():
    write_rows(["x", "y"], [[i, 1000 + 3 * i] for i in range(40)])
    report = fit_table("t.csv", "y", hidden=(), epochs=100, l2=0.0)
    save_model(report.model, "model.json")
    write_rows(["x"], [[10], [30]], "new.csv")
    answers = predict_table("model.json", "new.csv")
    assert [p.value for p in answers] == [pytest.approx(1030, abs=2), pytest.approx(1090, abs=2)]
    assert [p.probability for p in answers] == [None, None]
    assert report.test["r2"] > 0.99


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        (["kilo", "climbs"], [[3, "y"]], "new.csv has no column 'kilos' (did you mean 'kilo'?): its columns are "
         "'kilo', 'climbs'"),
        (["kilos", "climbs"], [[3, "y"], ["abc", "n"]], "new.csv, line 3, column 'kilos': 'abc' is not a number; "
         "correct it"),
        (["kilos", "climbs"], [[3, "y"], [4, "Y"]], "new.csv, line 3, column 'climbs': 'Y' was not seen in training; "
         "it knew 'n', 'y'"),
        (["kilos", "climbs"], [["", "y"]], "new.csv, line 2, column 'kilos' is missing; fill it in, or train the "
         "model with --missing mean"),
        (["kilos", "climbs"], [[3, "y"], ["1e149", "y"]], None),
    ],
)  # fmt: skip
def test_a_table_that_the_model_can_not_use_is_refused(model_path, header, rows, message):
    write_rows(header, rows, "new.csv")
    if message is None:  # large, but what the net makes of it is finite
        assert all(math.isfinite(p.probability) for p in predict_table(model_path, "new.csv"))
    else:
        assert refused(predict_table, model_path, "new.csv") == message


def test_a_net_that_overflows_says_at_which_line(model_path):
    document = json.loads(model_path.read_text())
    document["columns"][0]["deviation"] = 1e-308
    write(json.dumps(document), "model.json")
    assert refused(predict_table, "model.json", "t.csv") == (
        "t.csv, line 2 has a number too far from those of the training; correct it"
    )


BEFORE = "model.json is not a whole model of microgrid: "
AFTER = "; train one with `microgrid train`"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is no JSON at line 1"),
        ("[]", 'its "format" is not "microgrid table model"'),
        ("{}", 'its "format" is not "microgrid table model"'),
        ("[" * 100_000, "it is nested too deeply"),
        ('{"format": NaN}', "NaN stands in it for a finite number"),
        ('{"format": "microgrid table model"}', "it has no 'version'"),
        ('{"format": "microgrid table model", "version": 2}', "its version is 2, and this one reads 1"),
    ],
)
def test_a_file_that_is_no_model_is_refused(text, reason):
    write(text, "model.json")
    assert refused(load_model, "model.json") == BEFORE + reason + AFTER


def test_a_model_torn_anywhere_is_refused(model_path):
    text = model_path.read_text().rstrip()
    for end in range(0, len(text), 97):
        write(text[:end], "model.json")
        message = refused(load_model, "model.json")
        assert message.startswith(BEFORE + "it is no JSON at line ") and message.endswith(AFTER)


CHANGES = [
    (["task"], "guess", "its task is 'guess'"),
    (["target"], "", "its columns are wrong"),
    (["target"], 5, "its columns are wrong"),
    (["target"], "kilos", "its columns have a name twice"),
    (["target"], "\ud800", "its columns are no text"),
    (["classes"], ["cat"], "1 classes for classification"),
    (["classes"], ["cat", "cat"], "its classes have a name twice"),
    (["classes"], ["cat", 3], "its classes are wrong"),
    (["classes"], ["cat", "dog", "cow"], "its net is not one of 3 inputs and 3 outputs"),
    (["missing"], "keep", "its 'missing' is neither mean nor refuse"),
    (["columns"], [], "it has no columns"),
    (["columns"], [5], "a column of it is no object"),
    (["columns", 0], {}, "it has no 'kind'"),
    (["columns", 0, "kind"], "colour", "column 'kilos' is of no known kind"),
    (["columns", 0, "mean"], "1", "'1' stands in it for a finite number"),
    (["columns", 0, "mean"], True, "True stands in it for a finite number"),
    (["columns", 0, "deviation"], 0, "a deviation in it is not above 0"),
    (["columns", 1, "categories"], [], "column 'climbs' has no categories"),
    (["columns", 1, "categories"], ["n", "y", "z"], "its net is not one of 4 inputs and 2 outputs"),
    (["columns", 1, "categories"], {"n": 1, "y": 2}, "its categories are wrong"),
    (["mean"], None, "None stands in it for a finite number"),
    (["sizes"], "3", "its sizes are no list"),
    (["sizes"], [3, -4, 2], "its sizes are not all whole numbers above 0"),
    (["sizes"], [3, 4.0, 2], "its sizes are not all whole numbers above 0"),
    (["sizes"], [3, 10**12, 2], "it has 26 parameters and needs 6000000000002"),
    (["activation"], "__import__", "its activation is '__import__'"),
    (["activation"], "where", "its activation is 'where'"),
    (["parameters"], [], "its parameters are no object"),
    (["parameters", "layers.0.neurons.0.w0"], 10**400, "1" + 29 * "0" + " stands in it for a finite number"),
    (["parameters", "layers.0.neurons.0.w0"], "1e3", "'1e3' stands in it for a finite number"),
    (["parameters", "extra"], 1.0, "it has 27 parameters and needs 26"),
]


@pytest.mark.parametrize(("keys", "value", "reason"), CHANGES)
def test_a_model_changed_by_hand_is_refused(model_path, keys, value, reason):
    document = json.loads(model_path.read_text())
    part = document
    for key in keys[:-1]:
        part = part[key]
    part[keys[-1]] = value
    write(json.dumps(document), "model.json")
    assert refused(load_model, "model.json") == BEFORE + reason + AFTER


def test_no_random_change_of_a_model_does_worse_than_a_refusal(model_path):
    """Any value of the file, anywhere, replaced by any other: a model, or one sentence."""
    document = json.loads(model_path.read_text())
    rng = random.Random(0)
    strange = [None, True, -1, 0, 1e308, 10**30, "", "x", "\ud800", [], [[]], {}, {"kind": "number"}]
    outcomes = set()
    for _ in range(400):
        changed = copy.deepcopy(document)
        part, key = changed, rng.choice(list(changed))
        while isinstance(part[key], (dict, list)) and part[key] and rng.random() < 0.7:
            part = part[key]
            key = rng.choice(list(part) if isinstance(part, dict) else range(len(part)))
        if rng.random() < 0.2:
            del part[key]
        else:
            part[key] = rng.choice(strange)
        write(json.dumps(changed), "model.json")
        try:
            predict_table("model.json", "t.csv")
            outcomes.add("a model")
        except BadInput as error:
            assert "\n" not in str(error)
            outcomes.add("a refusal")
    assert outcomes == {"a model", "a refusal"}


def test_parameters_of_another_net_are_refused(model_path):
    document = json.loads(model_path.read_text())
    document["parameters"]["layers.9.neurons.0.b"] = document["parameters"].pop("layers.1.neurons.0.b")
    write(json.dumps(document), "model.json")
    assert refused(load_model, "model.json") == (BEFORE + "its parameters don't have the names of the net's" + AFTER)


def test_a_failed_write_leaves_nothing_behind(model_path, monkeypatch):
    model, before = load_model(model_path), model_path.read_bytes()

    def full(*_):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk, pytest.raises(OSError):
        disk.setattr(os, "replace", full)
        save_model(model, model_path)
    assert sorted(os.listdir()) == ["model.json", "t.csv"] and model_path.read_bytes() == before
    model.net.parameters()[0].data = math.nan
    with pytest.raises(ValueError):
        save_model(model, model_path)
    assert model_path.read_bytes() == before
