"""Columns on the command line: chosen, left out, as classes, put in order, and their kinds from a file."""

import json

import numpy as np
import pytest

import npvae
from npvae.cli import main
from npvae.cli.columns import Selection, read_kinds, selected
from npvae.datasets import Dataset, Table

TABLE = Table(
    {
        "a": np.array([1.0, 2.0, 3.0]),
        "b": np.array([4.0, 5.0, 6.0]),
        "kind": np.array(["x", "y", "x"], dtype=object),
    }
)


def chosen(model=None, **choice):
    return selected(Dataset.from_table(TABLE), Selection(**choice), "table.csv", model)


def test_columns_are_chosen_in_the_order_asked_for():
    assert chosen(columns=["b", "a"]).table.columns == ["b", "a"]
    assert chosen(drop=["a"]).table.columns == ["b", "kind"]


def test_a_column_of_classes_becomes_labels_and_is_not_learnt():
    data = chosen(label="kind")
    np.testing.assert_array_equal(data.labels, [0, 1, 0])
    assert data.table.columns == ["a", "b"]


@pytest.mark.parametrize("option", ["columns", "drop", "label"])
def test_a_column_that_the_table_has_not_is_named(option):
    choice = {option: "c" if option == "label" else ["c"]}
    with pytest.raises(
        ValueError, match=r"--(columns|drop|label-column) must be columns of the table, a, b, kind, got 'c'"
    ):
        chosen(**choice)


def test_rows_without_names_have_no_columns_to_choose():
    with pytest.raises(ValueError, match=r"need a table with names of columns, table\.csv is none"):
        selected(Dataset(np.zeros((2, 2), np.float32)), Selection(["a"]), "table.csv")


class Fitted:
    """What a model knows of its columns."""

    def __init__(self, *names):
        self.feature_names_in_ = names


def test_another_order_is_put_right_and_said(capsys):
    assert chosen(Fitted("b", "a"), drop=["kind"]).table.columns == ["b", "a"]
    assert "the columns are put in the order of the training" in capsys.readouterr().err


def test_columns_that_lack_or_are_too_many_are_named():
    with pytest.raises(ValueError, match="it lacks c, d"):
        chosen(Fitted("a", "b", "c", "d"))
    with pytest.raises(ValueError, match="was not trained on; leave them out with --drop 'kind'"):
        chosen(Fitted("a", "b"))


def test_kinds_are_read_line_by_line(tmp_path):
    (tmp_path / "kinds").write_text(
        "# ours\n\nage: positive  # years\n'grade' = category\nx:y: real\n", encoding="utf-8"
    )
    assert read_kinds(str(tmp_path / "kinds")) == {"age": "positive", "grade": "category", "x:y": "real"}


@pytest.mark.parametrize("line", ["age: old", "positive", ": real"])
def test_a_line_that_names_no_column_or_no_kind_is_named(tmp_path, line):
    (tmp_path / "kinds").write_text(f"a: real\n{line}\n")
    with pytest.raises(ValueError, match=r"line 2 must be NAME: KIND with a kind of real, positive, .*, got "):
        read_kinds(str(tmp_path / "kinds"))


def test_kinds_from_a_file_are_those_of_the_model(here, refused):
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{rng.integers(1, 4)},{rng.choice(['n', 'y'])}" for a in rng.lognormal(size=60)]
    (here / "t.csv").write_text("\n".join(["size,stars,sold", *rows]))
    (here / "types").write_text("stars: category\nsize: real\n")
    small = ["--latent", "2", "--hidden", "4", "--epochs", "1", "--quiet", "--no-pictures"]
    assert main(["train", "t.csv", "--types", "types", "-o", "run", *small]) == 0
    kinds = {column.name: column.kind for column in npvae.load("run/model.npz").scaling_.columns}
    assert kinds == {"size": "real", "stars": "category", "sold": "yes/no"}
    (here / "types").write_text("star: category\n")
    assert "got 'star'" in refused("train", "t.csv", "--types", "types", "-o", "other", *small)


def test_a_table_with_gaps_is_filled_in_and_what_was_known_stays(here):
    rng = np.random.default_rng(0)
    rows = [f"{a:.3f},{2 * a:.3f},{'big' if a > 0 else 'small'}" for a in rng.normal(size=60)]
    rows[3], rows[4] = ",0.5,big", "-1.0,,"
    (here / "t.csv").write_text("\n".join(["a,b,size", *rows]))
    small = ["--latent", "2", "--hidden", "8", "--epochs", "5", "--quiet", "--no-pictures"]
    assert main(["train", "t.csv", "-o", "run", *small]) == 0
    assert main(["impute", "run/model.npz", "t.csv", "-o", "whole.csv", "--steps", "20"]) == 0
    lines = (here / "whole.csv").read_text().splitlines()
    assert lines[0] == "a,b,size"
    filled = [line.split(",") for line in lines[1:]]
    assert all(all(fields) for fields in filled)
    assert filled[3][1:] == ["0.5", "big"]
    assert float(filled[4][0]) == -1
    assert filled[4][2] in ("big", "small")
    assert [list(map(float, fields[:2])) for fields in filled[5:]] == [
        list(map(float, row.split(",")[:2])) for row in rows[5:]
    ]


def test_info_tells_the_kind_of_each_column(here, capsys):
    rng = np.random.default_rng(0)
    (here / "t.csv").write_text(
        "\n".join(["a,b", *(f"{rng.normal():.3f},{rng.choice(['n', 'y'])}" for _ in range(40))])
    )
    assert (
        main(["train", "t.csv", "-o", "run", "--latent", "1", "--hidden", "2", "--epochs", "1", "--no-pictures"]) == 0
    )
    assert "on the model's scale; npvae score has it in the units of the data" in capsys.readouterr().out
    assert main(["info", "run/model.npz"]) == 0
    assert capsys.readouterr().out.startswith(
        "columns\n  a  real      Gaussian, learned width\n  b  yes/no    Bernoulli; n, y\n"
    )
    assert main(["info", "run/model.npz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["columns"] == {"a": "real", "b": "yes/no"}
