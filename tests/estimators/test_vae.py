"""Fitting: what is learnt, stored, repeated, and refused."""

import numpy as np
import pytest

from npvae import VAE, datasets, training
from npvae.datasets import bernoulli_draw, threshold
from npvae.layers import Softplus

GREY = np.random.default_rng(0).random((40, 9)).astype(np.float32)
BINARY = threshold(GREY)


def tiny(**params):
    return VAE(**{"latent_dim": 2, "hidden": 4, "epochs": 2, "batch_size": 16, "random_state": 0, **params})


def test_fit_returns_self_and_sets_what_it_learnt():
    vae = tiny()
    assert vae.fit(BINARY) is vae
    assert vae.n_features_in_ == 9
    assert vae.image_shape_ is None
    assert vae.seed_ == 0
    assert vae.run_.stopped == "finished"
    assert vae.history_["epoch"] == [1, 2]
    assert vae.theta_.shapes == vae.model_.shapes
    assert vae.theta_.dtype == np.float32


def test_fit_changes_neither_parameters_nor_data():
    vae, x = tiny(hidden=[4]), GREY.copy()
    before = vae.get_params()
    vae.fit(x)
    assert vae.get_params() == before
    np.testing.assert_array_equal(x, GREY)


def test_y_is_ignored():
    np.testing.assert_array_equal(tiny().fit(BINARY, np.arange(40)).theta_.flat, tiny().fit(BINARY).theta_.flat)


def test_fitting_again_starts_anew():
    once, twice = tiny().fit(BINARY), tiny().fit(GREY).fit(BINARY)
    np.testing.assert_array_equal(once.theta_.flat, twice.theta_.flat)
    assert twice.history_.n_rows == 2


def test_hyper_parameters_reach_the_model():
    vae = tiny(latent_dim=3, hidden=(6, 5), activation="softplus", likelihood="gaussian", n_samples=2, beta=0.5).fit(
        GREY
    )
    shapes = vae.theta_.shapes
    assert [shapes[f"encoder.{i}.W"] for i in (0, 2, 4)] == [(9, 6), (6, 5), (5, 6)]
    assert [shapes[f"decoder.{i}.W"] for i in (0, 2, 4)] == [(3, 5), (5, 6), (6, 9)]
    assert (vae.model_.n_samples, vae.model_.beta) == (2, 0.5)
    assert vae.model_.encoder.layers[1] == Softplus()


@pytest.mark.parametrize(
    "change",
    [
        {"latent_dim": 3},
        {"hidden": 5},
        {"activation": "tanh"},
        {"likelihood": "gaussian"},
        {"binarize": "threshold"},
        {"binarize": "fixed"},
        {"binarize": "dynamic"},
        {"beta": 0.5},
        {"n_samples": 2},
        {"epochs": 3},
        {"batch_size": 8},
        {"optimizer": "sgd"},
        {"learning_rate": 0.01},
        {"schedule": "cosine"},
        {"init_weights": "normal"},
        {"dtype": "float64"},
        {"random_state": 1},
    ],
)
def test_every_hyper_parameter_matters(change):
    a, b = tiny().fit(GREY).theta_.flat, tiny(**change).fit(GREY).theta_.flat
    assert a.shape != b.shape or not np.array_equal(a, b) or a.dtype != b.dtype


def test_learning_rate_schedule_spans_the_run():
    vae = tiny(optimizer="sgd", learning_rate=0.5, schedule="steps", epochs=4, batch_size=10)
    optimizer = vae._optimizer(40)
    assert [round(optimizer.learning_rate(t), 6) for t in (0, 7, 8, 11, 12, 15)] == [0.5, 0.5, 0.05, 0.05, 0.005, 0.005]


def test_same_seed_same_bits():
    a, b, c = (tiny(random_state=s).fit(GREY).theta_.flat for s in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


def test_none_is_fresh_and_its_seed_repeats_it():
    first, second = tiny(random_state=None).fit(GREY), tiny(random_state=None).fit(GREY)
    assert first.seed_ != second.seed_
    again = tiny(random_state=first.seed_).fit(GREY)
    np.testing.assert_array_equal(again.theta_.flat, first.theta_.flat)


def test_a_generator_moves_on_from_fit_to_fit():
    vae = tiny(random_state=np.random.default_rng(5))
    first = vae.fit(GREY).theta_.flat
    assert not np.array_equal(vae.fit(GREY).theta_.flat, first)
    np.testing.assert_array_equal(tiny(random_state=np.random.default_rng(5)).fit(GREY).theta_.flat, first)


def test_no_two_purposes_share_random_numbers(monkeypatch):
    seeds, original = [], np.random.default_rng

    def spy(seed):
        seeds.append(tuple(seed))
        return original(seed)

    monkeypatch.setattr(np.random, "default_rng", spy)
    tiny(random_state=7, binarize="fixed", epochs=2).fit(GREY, X_val=GREY)
    # Initial weights, one binarisation, two epochs' shuffling and noise; the held-out noise is the same in each.
    assert len(seeds) == 2 + 2 * 2 + 2
    assert len(set(seeds)) == 2 + 2 * 2 + 1


def test_verbose_prints_progress_to_standard_error(capsys):
    tiny(verbose=True).fit(BINARY)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert len(captured.err.splitlines()) == 2
    tiny().fit(BINARY)
    assert capsys.readouterr() == ("", "")


def recorded(monkeypatch, vae, x, **arguments):
    """What `fit` hands to the training loop."""
    handed = {}
    original = training.train

    def spy(model, start, rows, **settings):
        handed.update(settings, x=rows)
        return original(model, start, rows, **settings)

    monkeypatch.setattr(training, "train", spy)
    vae.fit(x, **arguments)
    return dict(handed)  # a later spy calls this one


def test_no_binarisation_trains_on_grey(monkeypatch):
    handed = recorded(monkeypatch, tiny(), GREY, X_val=GREY)
    np.testing.assert_array_equal(handed["x"], GREY)
    np.testing.assert_array_equal(handed["x_val"], GREY)
    assert handed["transform"] is None


def test_threshold(monkeypatch):
    handed = recorded(monkeypatch, tiny(binarize="threshold"), GREY, X_val=GREY)
    np.testing.assert_array_equal(handed["x"], GREY > 0.5)
    np.testing.assert_array_equal(handed["x_val"], GREY > 0.5)
    assert handed["transform"] is None


def test_fixed_is_one_draw_of_each(monkeypatch):
    x = np.full((400, 9), 0.3, np.float32)
    x[:, 0] += np.linspace(0, 1e-3, 400)  # equal rows would have equal draws
    handed = recorded(monkeypatch, tiny(binarize="fixed"), x, X_val=x)
    for rows in (handed["x"], handed["x_val"]):
        assert set(np.unique(rows)) == {0, 1}
        assert abs(rows.mean() - 0.3) < 4 * np.sqrt(0.21 / rows.size)
    assert not np.array_equal(handed["x"], handed["x_val"])
    assert handed["transform"] is None
    vae = tiny(binarize="fixed")
    again = recorded(monkeypatch, vae, x)
    np.testing.assert_array_equal(handed["x"], again["x"])
    np.testing.assert_array_equal(handed["x_val"], vae.prepare(x))  # what score sees of the same rows


def test_dynamic_draws_in_the_loop_and_once_for_held_out(monkeypatch):
    handed = recorded(monkeypatch, tiny(binarize="dynamic"), GREY, X_val=GREY)
    np.testing.assert_array_equal(handed["x"], GREY)
    assert handed["transform"] is bernoulli_draw
    assert set(np.unique(handed["x_val"])) == {0, 1}


@pytest.mark.parametrize(
    ("x", "params", "grey"),
    [
        (GREY, {}, True),
        (BINARY, {}, False),
        (GREY, {"binarize": "threshold"}, False),
        (GREY, {"binarize": "fixed"}, False),
        (GREY, {"binarize": "dynamic"}, False),
        (GREY, {"likelihood": "gaussian"}, False),
    ],
)
def test_grey_flag(x, params, grey):
    assert tiny(epochs=1, **params).fit(x).grey_ is grey


@pytest.mark.parametrize(
    ("shape", "features", "image_shape"),
    [((5, 4, 7), 28, (4, 7)), ((5, 6), 6, None), ((5, 2, 2, 3), 12, (2, 2, 3)), ((5, 25), 25, (5, 5))],
)
def test_images_become_rows(shape, features, image_shape):
    x = np.random.default_rng(0).random(shape)
    vae = tiny(epochs=1).fit(x)
    assert (vae.n_features_in_, vae.image_shape_) == (features, image_shape)
    assert vae.reconstruct(x).shape == x.shape
    assert vae.reconstruct(x.reshape(5, -1)).shape == (5, features)
    np.testing.assert_array_equal(vae.transform(x), vae.transform(x.reshape(5, -1)))


@pytest.mark.parametrize(
    "x", [BINARY.astype(bool), BINARY.astype(np.uint8), BINARY.tolist(), BINARY.astype(np.float16)]
)
def test_other_numbers_are_the_same_numbers(x):
    np.testing.assert_array_equal(tiny(epochs=1).fit(x).theta_.flat, tiny(epochs=1).fit(BINARY).theta_.flat)


def test_float64():
    vae = tiny(dtype="float64").fit(GREY)
    assert vae.theta_.dtype == np.float64
    assert vae.transform(GREY).dtype == np.float64
    assert vae.sample(2).dtype == np.float64


def test_output_bias_starts_at_the_mean():
    x = np.zeros((100, 4), np.float32)
    x[:25, 0] = 1
    x[:, 1] = 1
    vae = tiny(epochs=1, learning_rate=1e-12).fit(x)
    bias = vae.theta_["decoder.2.b"]
    np.testing.assert_allclose(1 / (1 + np.exp(-bias)), [0.25, 0.999, 0.001, 0.001], rtol=1e-4)


def test_output_bias_starts_at_the_mean_of_what_is_trained_on():
    vae = tiny(epochs=1, learning_rate=1e-12, binarize="threshold").fit(np.full((100, 3), [0.4, 0.6, 0.4]))
    np.testing.assert_allclose(1 / (1 + np.exp(-vae.theta_["decoder.2.b"])), [0.001, 0.999, 0.001], rtol=1e-4)


@pytest.mark.parametrize("likelihood", ["gaussian-shared", "gaussian-pixel"])
def test_learned_variances_start_at_those_of_the_data(likelihood):
    x = np.random.default_rng(0).normal(5, [0.1, 3, 0.1, 3], (500, 4))
    vae = tiny(likelihood=likelihood, epochs=1, learning_rate=1e-12, scale="none").fit(x)
    r = vae.theta_["decoder.3.b"] if likelihood == "gaussian-shared" else vae.theta_["decoder.2.b"][4:]
    expected = x.var(axis=0).mean(keepdims=True) if likelihood == "gaussian-shared" else x.var(axis=0)
    np.testing.assert_allclose(np.exp(r), expected, rtol=0.01)  # so far above the floor, r is the log-variance


def test_held_out_data_and_patience():
    vae = tiny(epochs=50, patience=1, learning_rate=0.5).fit(BINARY[:20], X_val=BINARY[20:])
    assert vae.run_.stopped == "early stopping"
    losses = vae.history_["val_loss"]
    assert vae.run_.best_epoch == 1 + int(np.argmin(losses))
    np.testing.assert_array_equal(vae.theta_.flat, vae.run_.best.flat)


def test_callbacks_see_the_run_and_can_end_it():
    vae = tiny(epochs=9).fit(BINARY, callbacks=[lambda run: run.epoch == 3])
    assert (vae.run_.stopped, vae.history_.n_rows) == ("callback", 3)


def test_what_is_saved_are_the_settings_of_the_fit(tmp_path):
    vae = tiny(latent_dim=2).fit(GREY)
    before = vae.sample(5, 0)
    vae.set_params(latent_dim=3, likelihood="gaussian").save(tmp_path / "m.npz")
    again = VAE.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(again.sample(5, 0), before)
    assert again.params_ == vae.params_
    assert again.params_["latent_dim"] == 2


def test_a_fitted_model_does_not_change_with_its_settings(tmp_path):
    hidden = [4]
    vae = tiny(hidden=hidden, binarize="threshold").fit(GREY)
    before, bits = vae.transform(GREY), vae.prepare(GREY)
    hidden[0] = 5
    vae.set_params(binarize="none", likelihood="gaussian")
    np.testing.assert_array_equal(vae.transform(GREY), before)
    np.testing.assert_array_equal(vae.prepare(GREY), bits)
    vae.save(tmp_path / "m.npz")
    np.testing.assert_array_equal(VAE.load(tmp_path / "m.npz").transform(GREY), before)


def test_digits_beat_every_model_of_independent_pixels():
    train, test = datasets.digits(2000, seed=0).x, datasets.digits(500, seed=1).x
    vae = VAE(10, 128, epochs=8, batch_size=64, learning_rate=0.002, random_state=0).fit(train)
    # The best that independent pixels can do, even told the mean of the test images: the entropy at that mean.
    p = np.clip(test.mean(axis=0, dtype=np.float64), 1e-12, 1 - 1e-12)
    baseline = -(p * np.log(p) + (1 - p) * np.log(1 - p)).sum()
    assert 150 < baseline < 200
    assert -vae.score(test) < baseline - 50
    assert vae.history_["loss"][-1] < vae.history_["loss"][0] - 50
