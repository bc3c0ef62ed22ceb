"""The table of epochs, and its file."""

import csv

import numpy as np
import pytest

from npvae.bounds import Term
from npvae.training import History


def two_rows():
    history = History()
    history.append({"epoch": 1, "loss": 0.1 + 0.2, "kl": 1e-300})
    history.append({"epoch": 2, "loss": 2 / 3, "kl": 4.0})
    return history


def test_columns_grow_row_by_row():
    history = two_rows()
    assert list(history) == ["epoch", "loss", "kl"]
    assert history["kl"] == [1e-300, 4.0]
    assert history.n_rows == 2
    assert len(history) == 3
    assert history.last() == {"epoch": 2, "loss": 2 / 3, "kl": 4.0}


def test_empty():
    history = History()
    assert history.n_rows == 0
    assert history.last() == {}
    assert not history


@pytest.mark.parametrize("row", [{"epoch": 3}, {"epoch": 3, "loss": 1, "kl": 1, "val_loss": 1}])
def test_other_columns_are_refused_and_nothing_is_appended(row):
    history = two_rows()
    with pytest.raises(ValueError, match="columns epoch, loss, kl, got"):
        history.append(row)
    assert {len(column) for column in history.values()} == {2}


def test_copy_grows_by_itself():
    history = two_rows()
    copy = history.copy()
    copy.append({"epoch": 3, "loss": 1.0, "kl": 1.0})
    assert (history.n_rows, copy.n_rows) == (2, 3)


def test_given_columns_are_copied():
    columns = {"epoch": [1]}
    History(columns).append({"epoch": 2})
    assert columns == {"epoch": [1]}


def test_csv_gives_the_same_numbers_back(tmp_path):
    path = tmp_path / "history.csv"
    two_rows().to_csv(path)
    with open(path, newline="") as file:
        header, *rows = csv.reader(file)
    back = {name: [float(row[i]) for row in rows] for i, name in enumerate(header)}
    assert back == dict(two_rows())
    assert rows[0][0] == "1"  # counts stay integers


def test_csv_is_plain_enough_for_numpy(tmp_path):
    two_rows().to_csv(tmp_path / "h.csv")
    table = np.genfromtxt(tmp_path / "h.csv", delimiter=",", names=True)
    assert table.dtype.names == ("epoch", "loss", "kl")
    assert table["loss"][1] == 2 / 3


def test_repr_names_the_columns():
    assert repr(two_rows()) == "History(2 epochs: epoch, loss, kl)"


KL = Term("KL(q ‖ p)", "nats", 0.5)


def test_columns_that_are_no_bookkeeping_are_terms():
    history = History({"epoch": [1], "steps": [2], "seconds": [0.1], "loss": [3.0], "free_bits": [1.0], "kl": [4.0]})
    history.append({**history.last(), "epoch": 2}, {"kl": KL})
    assert history.terms == {"free_bits": Term("free bits", "nats", 1.0), "kl": KL}


def test_held_out_means_and_weights_are_no_terms():
    history = History(
        {"epoch": [1], "loss": [3.0], "bits": [4.0], "val_loss": [3.0], "val_bits": [4.0], "weight_bits": [1]}
    )
    assert list(history.terms) == ["bits"]
    assert history.weight_columns == ["weight_bits"]


def test_terms_survive_a_copy_and_a_file():
    history = History(
        {"epoch": [1, 2], "steps": [5, 10], "seconds": [0.5, 1.0], "loss": [3.5, 2.0], "kl": [4.0, 0.25]}, {"kl": KL}
    )
    assert history.copy().terms == {"kl": KL}
    back = History.from_file(history.to_arrays(), history.to_header())
    assert dict(back) == dict(history)
    assert back.terms == {"kl": KL}
    assert type(back["epoch"][0]) is int


def test_a_term_is_called_otherwise():
    history = two_rows()
    history.relabel("kl", "divergence")
    history.relabel("nothing", "something")
    assert history.terms == {"kl": Term("divergence")}
