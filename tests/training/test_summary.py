"""The last lines of a training, for any model's terms."""

from dataclasses import replace

import pytest

from npvae.bounds import Term
from npvae.training import History, TrainingRun, summary
from tests.training.toys import Mean

TERMS = {"error": Term("½‖x − x̂‖²"), "sparsity": Term("Σ|h|", "units", 0.01), "gap": Term("gap")}
COLUMNS = {"loss": [9.0, 8.123], "error": [8.5, 8.0], "sparsity": [50.0, 22.3], "gap": [0.5, -0.1]}


def run_with(columns, **settings):
    n = len(columns["loss"])
    history = History({"epoch": list(range(1, n + 1)), **columns}, TERMS)
    return TrainingRun(Mean().init(None), None, epoch=n, history=history, **{"stopped": "finished"} | settings)


def doubled():
    return {f"val_{name}": [2 * value for value in values] for name, values in COLUMNS.items()}


def test_every_term_stands_with_its_sign_weight_unit_and_label():
    assert summary(run_with(COLUMNS), "image") == [
        "train: 8.12 nats per image = 8.00 ½‖x − x̂‖² + 0.01 · 22.30 units Σ|h| − 0.10 gap"
    ]


def test_a_loss_of_one_term_is_told_once():
    history = History({"epoch": [1], "loss": [-0.21], "gap": [-0.21]}, {"gap": Term("F(data) − F(chains)")})
    run = TrainingRun(Mean().init(None), None, epoch=1, history=history, stopped="finished")
    assert summary(run) == ["train: -0.21 nats per row (F(data) − F(chains))"]


def test_a_negative_estimate_of_a_kl_is_remarked_upon():
    history = History(
        {"epoch": [1], "loss": [8.0], "error": [8.1], "kl": [-0.1]}, {"error": Term("e"), "kl": Term("KL")}
    )
    run = TrainingRun(Mean().init(None), None, epoch=1, history=history, stopped="callback")
    assert summary(run) == [
        "stopped: callback, after 1 epoch",
        "train: 8.00 nats per row = 8.10 e − 0.10 KL (estimated, below 0 by chance)",
    ]


def test_held_out_data_have_a_line_of_their_own():
    line = summary(run_with(COLUMNS | doubled()))[1]
    assert line.startswith("held-out: 16.25 nats per row = 16.00 ½‖x − x̂‖² + 0.01 · 44.60 units")


def test_a_weight_that_changed_in_training_is_said_to():
    train, held_out = summary(run_with(COLUMNS | doubled() | {"weight_sparsity": [0.0, 0.005]}))
    assert "+ weight(t) · 22.30 units" in train
    assert "+ 0.01 · 44.60 units" in held_out


def test_with_early_stopping_the_numbers_are_those_of_the_best_epoch():
    stopped, train = summary(run_with(COLUMNS, best=Mean().init(None), best_epoch=1, stopped="early stopping"))
    assert stopped == "stopped: early stopping, after 2 epochs"
    assert train.startswith("train: 9.00 nats")


@pytest.mark.parametrize("first", [-8.0, 8.0])
def test_a_negative_first_term_keeps_its_sign(first):
    run = run_with({"loss": [first + 1], "error": [first], "gap": [1.0]})
    assert summary(run) == [f"train: {first + 1:.2f} nats per row = {'−' * (first < 0)}8.00 ½‖x − x̂‖² + 1.00 gap"]


def test_a_run_without_epochs_says_why_alone():
    run = TrainingRun(Mean().init(None), None, stopped="interrupted")
    assert summary(run) == ["stopped: interrupted, after 0 epochs"]


def test_where_the_data_are_discrete_the_elbo_is_told_in_bits_whatever_weighs_it():
    terms = {"reconstruction": Term("−log p"), "kl": Term("KL", weight=4.0), "weights": Term("½‖theta‖²")}
    columns = {"loss": [300.0], "reconstruction": [80.0], "kl": [20.0], "weights": [140.0]}
    held_out = {f"val_{name}": [2 * value for value in values] for name, values in columns.items()}
    run = run_with(columns | held_out)
    run = replace(run, history=History({"epoch": [1], **columns, **held_out}, terms))
    train, other = summary(run, "image", dimensions=784)
    assert train.endswith("; −ELBO is 0.1840 bits a dimension")  # 100 / (784 · 0.693147)
    assert other.endswith("; −ELBO is 0.3680 bits a dimension")
    assert "bits" not in summary(run, "image")[0]
