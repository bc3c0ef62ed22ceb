import numpy as np
import pytest
from matplotlib.figure import Figure

from npvae import plots
from npvae.bounds import Term
from npvae.training import History
from tests.plots.test_images import texts

EPOCHS = np.arange(1, 41)
TRAINING = {"epoch": EPOCHS, "loss": 90 + 9 / EPOCHS, "reconstruction": 80 + 10 / EPOCHS, "kl": 10 - 1 / EPOCHS}
HELD_OUT = {"val_loss": 95 + 9 / EPOCHS, "val_reconstruction": 84 + 10 / EPOCHS, "val_kl": 11 - 1 / EPOCHS}


def lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_terms_and_their_sum_stand_in_two_panels():
    upper, lower = plots.learning_curves(TRAINING | HELD_OUT).axes
    assert list(lines(upper)) == [
        "loss, training",
        "loss, held-out",
        "reconstruction, training",
        "reconstruction, held-out",
    ]
    assert list(lines(lower)) == ["kl, training", "kl, held-out"]
    for ax in (upper, lower):
        assert texts(ax.get_legend().get_texts()) == list(lines(ax))
        assert ax.get_ylabel() == "nats per datum"
    assert lower.get_xlabel() == "epoch"
    found = lines(upper) | lines(lower)
    for term, label in {"loss": "loss", "reconstruction": "reconstruction", "kl": "kl"}.items():
        for kind, data in {"training": TRAINING[term], "held-out": HELD_OUT[f"val_{term}"]}.items():
            np.testing.assert_array_equal(found[f"{label}, {kind}"].get_xydata(), np.stack([EPOCHS, data], axis=1))
            assert found[f"{label}, {kind}"].get_linestyle() == ("-" if kind == "training" else "--")


def test_without_held_out_data_there_is_no_held_out_line():
    upper, lower = plots.learning_curves(TRAINING).axes
    assert list(lines(upper)) == ["loss, training", "reconstruction, training"]
    assert list(lines(lower)) == ["kl, training"]


def test_an_annealed_weight_has_an_axis_of_its_own():
    beta = np.minimum(1, EPOCHS / 10)
    _, lower, right = plots.learning_curves(TRAINING | {"weight_kl": beta}).axes
    np.testing.assert_array_equal(right.get_lines()[0].get_xydata(), np.stack([EPOCHS, beta], axis=1))
    assert right.get_ylabel().startswith("weight")
    assert list(lines(lower)) == ["kl, training"]


def test_gaps_are_bridged_and_empty_columns_left_out():
    sparse = np.where(EPOCHS % 10 == 0, 95.0, np.nan)
    nothing = np.full(40, np.nan)
    history = TRAINING | {"val_loss": sparse, "val_reconstruction": nothing, "val_kl": nothing}
    upper, lower = plots.learning_curves(history).axes
    np.testing.assert_array_equal(lines(upper)["loss, held-out"].get_xdata(), [10, 20, 30, 40])
    assert "reconstruction, held-out" not in lines(upper)
    assert "kl, held-out" not in lines(lower)


def test_a_single_epoch_is_seen():
    figure = plots.learning_curves({name: values[:1] for name, values in TRAINING.items()})
    upper, lower = figure.axes
    assert all(line.get_marker() == "." for line in (*upper.get_lines(), *lower.get_lines()))
    first, last = lower.get_xlim()
    assert [tick for tick in lower.get_xticks() if first <= tick <= last] == [1]


def test_epochs_are_whole_numbers():
    lower = plots.learning_curves({name: values[:3] for name, values in TRAINING.items()}).axes[1]
    np.testing.assert_array_equal(lower.get_xticks(), np.round(lower.get_xticks()))


def history_of(terms, columns):
    return History({"epoch": EPOCHS.tolist()} | {name: list(values) for name, values in columns.items()}, terms)


def test_terms_are_called_what_they_are_and_drawn_as_they_count():
    terms = {"reconstruction": Term("cross-entropy"), "kl": Term("KL", "nats", 4.0)}
    upper, lower = plots.learning_curves(History(TRAINING, terms)).axes
    assert list(lines(upper)) == ["loss, training", "cross-entropy, training"]
    np.testing.assert_array_equal(lines(lower)["4 · KL, training"].get_ydata(), 4 * TRAINING["kl"])


def test_every_term_of_any_model_is_drawn_in_a_panel_of_its_unit():
    terms = {
        "energy": Term("energy"),
        "sparsity": Term("sparsity", "units"),
        "gap": Term("gap"),
        "bits": Term("b", "bits"),
    }
    columns = {name: EPOCHS * i for i, name in enumerate(["loss", *terms], 1)}
    upper, *lower = plots.learning_curves(history_of(terms, columns)).axes
    assert list(lines(upper)) == ["loss, training", "energy, training"]
    assert [list(lines(ax)) for ax in lower] == [["sparsity, training"], ["gap, training"], ["b, training"]]
    assert [ax.get_ylabel() for ax in lower] == ["units per datum", "nats per datum", "bits per datum"]


def test_a_loss_of_one_term_has_one_panel():
    figure = plots.learning_curves(history_of({"energy": Term("energy")}, {"loss": EPOCHS, "energy": EPOCHS}))
    assert len(figure.axes) == 1
    assert figure.axes[0].get_xlabel() == "epoch"


def test_takes_the_history_of_a_training():
    history = History({name: values.tolist() for name, values in (TRAINING | {"steps": EPOCHS * 10}).items()})
    np.testing.assert_array_equal(
        lines(plots.learning_curves(history).axes[1])["kl, training"].get_ydata(), TRAINING["kl"]
    )


def test_draws_into_the_given_figure():
    figure = Figure()
    assert plots.learning_curves(TRAINING, figure) is figure
    assert len(figure.axes) == 2
    with pytest.raises(TypeError, match="figure must be a matplotlib figure, got Axes"):
        plots.learning_curves(TRAINING, figure.axes[0])


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({"epoch": [1], "kl": [2.0]}, "history must have the columns epoch and loss, it lacks loss"),
        ({"epoch": [1], "loss": [2.0]}, "history must have a column for each term of the loss, got epoch, loss"),
        (TRAINING | {"weight_x": EPOCHS}, "history must have a column for the term of 'weight_x'"),
        ({name: [] for name in TRAINING}, "history must have at least one epoch, got none"),
        (TRAINING | {"kl": [1.0]}, r"history\['kl'\] must have 40 entries, one for each epoch, got \(1,\)"),
        (TRAINING | {"val_kl": [1.0]}, r"history\['val_kl'\] must have 40 entries"),
    ],
)
def test_histories_that_cannot_be_drawn(history, message):
    with pytest.raises(ValueError, match=message):
        plots.learning_curves(history)


def test_a_loss_of_one_term_is_drawn_once():
    history = History({"epoch": [1, 2], "loss": [0.4, -0.2], "gap": [0.4, -0.2]}, {"gap": Term("F(data) − F(chains)")})
    (ax,) = plots.learning_curves(history).axes
    assert [line.get_label() for line in ax.lines] == ["F(data) − F(chains), training"]


def test_a_long_name_of_a_term_stays_within_the_picture():
    name = "reconstruction (cross-entropy of grey pixels, not a likelihood)"
    history = History({"epoch": [1, 2], "loss": [2.0, 1.0], "reconstruction": [1.5, 0.8], "kl": [0.5, 0.2]})
    history.relabel("reconstruction", name)
    figure = plots.learning_curves(history)
    figure.draw_without_rendering()
    for ax in figure.axes:
        assert ax.get_legend().get_window_extent().x1 <= figure.bbox.x1
