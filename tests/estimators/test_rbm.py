"""The Boltzmann machine as an estimator: likelihoods that sum to one, chains that are kept, refusals."""

import numpy as np
import pytest
import scipy.special

import npvae
from npvae import RBM, storage, training
from npvae.cli import main
from npvae.estimators.partition_function import AIS
from npvae.evaluation import LogPartition, annealed_importance_sampling, exact_log_partition
from tests.models.machines import rows

BARS = np.repeat([[1.0, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1]], 30, axis=0)


def small(**options):
    return RBM(**{"n_hidden": 4, "epochs": 20, "batch_size": 20, "random_state": 0, **options})


def never(*given, **named):
    raise AssertionError("this is not to be called")


def large(**options):
    """More units on both sides than are enumerated unasked."""
    x = np.tile(BARS, (1, 3))[:, :14]
    return small(n_hidden=13, n_chains=30, ais_steps=300, **options).fit(x), x


def test_a_small_machine_has_an_exact_likelihood():
    rbm = small().fit(BARS)
    assert rbm.log_z_ == pytest.approx(exact_log_partition(rbm.model_, rbm.theta_))
    assert np.exp(rbm.score_samples(rows(6))).sum() == pytest.approx(1, rel=1e-5)
    assert "exactly, by enumeration" in rbm.loss(BARS).labels["negative_log_px"]


def test_training_raises_the_likelihood():
    few, many = small(epochs=1).fit(BARS), small(epochs=200, learning_rate=0.1).fit(BARS)
    assert few.score(BARS) < -3
    assert many.score(BARS) > -2


def test_a_larger_one_has_an_estimate_that_says_so_and_lies_in_its_error_bars():
    rbm, x = large()
    exact = exact_log_partition(rbm.model_, rbm.theta_)
    for found in (rbm.log_z_, rbm.log_z_reverse_):
        assert isinstance(found, LogPartition)
        low, high = found.interval
        assert low < exact < high
    F, _ = rbm.model_.free_energy(rbm.theta_, x.astype(np.float32))
    np.testing.assert_allclose(rbm.score_samples(x), -F - rbm.log_z_.log_z, rtol=1e-6)
    told = rbm.loss(x).labels["negative_log_px"]
    assert "by annealed importance sampling, 300 steps" in told
    assert "in reverse" in told
    assert any("log Z = " in line for line in rbm.summary())
    assert rbm.likelihood_note() in told


def test_the_estimates_begin_at_the_base_rates_of_the_data():
    rbm, x = large()
    for mean, same in ((x.mean(axis=0), True), (None, False)):
        rng = np.random.default_rng([0, 0, AIS])
        found = annealed_importance_sampling(rbm.model_, rbm.theta_, rng, mean, 300, rbm.ais_runs)
        assert np.array_equal(found.log_weights, rbm.log_z_.log_weights) == same


def test_without_an_estimate_there_is_no_score():
    x = np.tile(BARS, (1, 3))
    rbm = small(n_hidden=13, ais_steps=0).fit(x)
    assert rbm.log_z_ is None
    with pytest.raises(ValueError, match="log Z must be known for a likelihood, got no estimate; call estimate_log_z"):
        rbm.score(x)
    with pytest.raises(ValueError, match="ais_steps must be at least 2 for an estimate, got 0"):
        rbm.estimate_log_z()
    assert rbm.sample(2, 0).shape == (2, 18)


def test_an_estimate_can_be_made_afterwards_and_is_kept_in_the_file(tmp_path):
    rbm, x = large()
    exact = exact_log_partition(rbm.model_, rbm.theta_)
    later = small(n_hidden=13, n_chains=30, ais_steps=0).fit(x).set_params(ais_steps=300).estimate_log_z(5)
    np.testing.assert_array_equal(later.theta_.flat, rbm.theta_.flat)
    for found in (later.log_z_, later.log_z_reverse_):
        assert found.interval[0] < exact < found.interval[1]
    later.save(tmp_path / "rbm.npz")
    np.testing.assert_array_equal(npvae.load(tmp_path / "rbm.npz").score_samples(x), later.score_samples(x))
    assert not np.array_equal(later.log_z_.log_weights, rbm.log_z_.log_weights)
    same = npvae.load(tmp_path / "rbm.npz").set_params(ais_steps=300).estimate_log_z(5)
    np.testing.assert_array_equal(same.log_z_.log_weights, later.log_z_.log_weights)


def test_chunks_of_data_are_learned_without_an_estimate_that_the_next_one_makes_worthless(monkeypatch):
    rbm, x = large()
    monkeypatch.setattr(npvae.evaluation, "annealed_importance_sampling", never)
    for chunk in (x[:30], x[30:]):
        rbm.partial_fit(chunk)
        assert rbm.log_z_ is None
        assert rbm.log_z_reverse_ is None
    monkeypatch.undo()
    assert np.isfinite(rbm.estimate_log_z().score(x))
    exact = small().partial_fit(BARS)
    assert exact.log_z_ == pytest.approx(exact_log_partition(exact.model_, exact.theta_))
    assert exact.estimate_log_z().log_z_ == exact.log_z_


@pytest.mark.parametrize("way", ["annealed_importance_sampling", "reverse_annealing"])
@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError])
def test_what_was_trained_is_kept_whatever_befalls_the_annealing(monkeypatch, way, error):
    trained, x = large()

    def fails(*given):
        raise error

    monkeypatch.setattr(npvae.evaluation, way, fails)
    rbm = small(n_hidden=13, n_chains=30, ais_steps=300)
    if error is KeyboardInterrupt:
        assert rbm.fit(x) is rbm
    else:
        with pytest.raises(error):
            rbm.fit(x)
    np.testing.assert_array_equal(rbm.theta_.flat, trained.theta_.flat)
    np.testing.assert_array_equal(rbm.chains_, trained.chains_)
    assert rbm.log_z_ is None
    assert rbm.log_z_reverse_ is None
    assert rbm.summary()[-1] == "log Z was not estimated"
    monkeypatch.undo()
    assert np.isfinite(rbm.estimate_log_z().score(x))


@pytest.mark.parametrize("broken", [np.nan, 3e38])
def test_a_broken_machine_is_refused_and_not_scored_as_nan(broken):
    rbm = small().fit(BARS)
    rbm.theta_["W"][0] = broken  # the last thirty rows have no pixel there
    message = "X must have a finite log-likelihood under this model, which row 0 has not: the logits of the hidden "
    with pytest.raises(ValueError, match=message):
        rbm.score_samples(BARS)


def test_an_untrained_machine_scores_nothing():
    with pytest.raises(npvae.estimators.conventions.NotFittedError, match="this RBM is not fitted yet"):
        small().score_samples(BARS)


def test_a_file_keeps_log_z_and_the_chains(tmp_path):
    for rbm, x in (large(), (small().fit(BARS), BARS)):
        rbm.save(tmp_path / "rbm.npz")
        again = npvae.load(tmp_path / "rbm.npz")
        np.testing.assert_array_equal(again.score_samples(x), rbm.score_samples(x))
        np.testing.assert_array_equal(again.sample(5, random_state=1), rbm.sample(5, random_state=1))
        assert again.facts() == rbm.facts()
        np.testing.assert_array_equal(again.chains_, rbm.run_.state["v"])


def test_a_resumed_run_goes_on_with_its_chains(tmp_path):
    whole = small(epochs=6).fit(BARS)
    half = small(epochs=3).fit(BARS)
    training.save_checkpoint(tmp_path / "checkpoint.npz", half.run_)
    resumed = small(epochs=6).fit(BARS, resume_from=training.load_checkpoint(tmp_path / "checkpoint.npz"))
    np.testing.assert_array_equal(resumed.theta_.flat, whole.theta_.flat)
    np.testing.assert_array_equal(resumed.chains_, whole.chains_)


def test_samples_and_chains_are_probabilities_of_pixels():
    rbm = small(epochs=200, learning_rate=0.1).fit(BARS)
    samples = rbm.sample(400, random_state=0)
    assert samples.shape == (400, 6)
    bars = samples.round()
    share = np.mean([(bar == bars).all(axis=1).mean() for bar in (BARS[0], BARS[-1])])
    assert 2 * share > 0.8
    np.testing.assert_array_equal(samples, rbm.sample(400, random_state=0))
    chain = rbm.chain(BARS[:3], length=5, every=2)
    assert chain.shape == (3, 5, 6)
    assert chain.min() >= 0
    assert chain.max() <= 1


def test_samples_and_chains_walk_as_many_gibbs_steps_as_they_say(monkeypatch):
    rbm, walked = small(epochs=1).fit(BARS), []
    gibbs = type(rbm.model_).gibbs
    monkeypatch.setattr(type(rbm.model_), "gibbs", lambda *given: walked.append(1) or gibbs(*given))
    rbm.chain(BARS[:3], length=5, every=3)
    assert len(walked) == 15
    rbm.sample(2, random_state=0)
    assert len(walked) == 15 + 200


def test_hidden_probabilities_are_the_latents():
    rbm = small(learning_rate=0.3).fit(BARS)
    z = rbm.transform(BARS)
    assert z.std() > 0.1
    W, b = rbm.theta_["W"].astype(float), rbm.theta_["b"].astype(float)
    np.testing.assert_allclose(z, scipy.special.expit(b + BARS @ W), rtol=0, atol=1e-6)
    assert rbm.n_latents_ == 4
    assert rbm.reconstruct(BARS).shape == BARS.shape


def test_real_data_get_gaussian_units_and_a_density_in_their_own_units():
    rng = np.random.default_rng(0)
    x = 100 + 5 * rng.standard_normal((400, 2)) @ np.array([[1, 0.5], [0, 1]])
    rbm = small(epochs=5).fit(x)
    assert rbm.params_["visible"] == "gaussian"
    side = np.linspace(60, 140, 161)
    grid = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    integral = np.exp(rbm.score_samples(grid)).sum() * 0.5**2
    assert integral == pytest.approx(1, abs=1e-3)
    assert 90 < rbm.sample(50, random_state=0).mean() < 110


def test_learned_variances_follow_the_columns_and_are_kept_in_the_file(tmp_path):
    x = np.random.default_rng(0).standard_normal((400, 2)) * [1, 0.3]
    rbm = small(n_hidden=2, visible="gaussian-learned", scale="none", learning_rate=0.05, epochs=60).fit(x)
    assert np.diff(rbm.model_.visible.log_var(rbm.theta_))[0] < -1
    rbm.save(tmp_path / "rbm.npz")
    again = npvae.load(tmp_path / "rbm.npz")
    np.testing.assert_array_equal(again.score_samples(x), rbm.score_samples(x))
    np.testing.assert_array_equal(again.sample(5, random_state=1), rbm.sample(5, random_state=1))


def test_contrastive_divergence_needs_no_chains():
    rbm = small(n_chains=0, k=3).fit(BARS)
    assert rbm.sample(3, 0).shape == (3, 6)
    assert len(rbm.chains_) == len(BARS)


@pytest.mark.parametrize("units", [{"visible": "gaussian"}, {"binarize": "dynamic"}])
def test_without_persistent_chains_a_file_holds_samples_of_the_model_and_no_rows_of_the_data(tmp_path, units):
    x = np.random.default_rng(1).random((300, 12))
    rbm = small(n_chains=0, ais_runs=200, learning_rate=1e-6, **units).fit(x)
    chains = rbm.chains_
    assert chains.shape == (200, 12)
    shown = x[:200] if "visible" in units else x[:200] > 0.5
    # The machine has learned next to nothing, so its samples know nothing of the row that they began at.
    assert abs(np.corrcoef(chains.ravel(), shown.ravel())[0, 1]) < 0.1
    rbm.save(tmp_path / "rbm.npz")
    rows = {row.tobytes() for row in x.astype(np.float32)}
    for array in storage.load(tmp_path / "rbm.npz")[1].values():
        if array.ndim == 2 and array.shape[1] == 12:
            assert not rows & {row.tobytes() for row in array.astype(np.float32)}
    assert units != {"binarize": "dynamic"} or set(np.unique(chains)) == {0, 1}


def test_grey_pixels_are_made_binary_or_refused_with_the_way_to_do_it():
    grey = np.random.default_rng(0).random((40, 6))
    message = "X must be 0 or 1 for binary visible units, got 0.[0-9]+; train with binarize='dynamic', which makes"
    with pytest.raises(ValueError, match=message):
        small(visible="binary").fit(grey)
    assert small().fit(grey).params_["visible"] == "gaussian"
    rbm = small(binarize="dynamic").fit(grey)
    assert set(np.unique(rbm.prepare(grey))) == {0, 1}
    with pytest.raises(ValueError, match=r"X must lie in \[0, 1\] for binary visible units, got 2"):
        small(visible="binary").fit(2 * BARS)
    with pytest.raises(ValueError, match="binarize must be 'none' with visible='gaussian'"):
        small(visible="gaussian", binarize="dynamic").fit(grey)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"k": 0}, "k must be at least 1, got 0"),
        ({"ais_steps": 1, "n_hidden": 20}, "ais_steps must be 0 or at least 2, got 1"),
        ({"patience": 5}, "patience must be None: the loss is no likelihood, since every epoch has another log Z"),
    ],
)
def test_options_that_cannot_be_are_refused_before_a_step_is_made(monkeypatch, options, message):
    monkeypatch.setattr(training, "train", never)
    x = np.tile(BARS, (1, 3))
    for learn in (lambda rbm: rbm.fit(x, X_val=x), lambda rbm: rbm.partial_fit(x)):
        with pytest.raises(ValueError, match=message):
            learn(small(**options))


def test_a_machine_that_is_enumerated_needs_no_annealing():
    assert isinstance(small(ais_steps=1).fit(BARS).log_z_, float)


def test_the_command_line_offers_no_patience(capsys):
    with pytest.raises(SystemExit):
        main(["train", "--model", "rbm", "--help"])
    assert "--patience" not in capsys.readouterr().out


def test_filters_and_chains_are_pictures():
    plots = pytest.importorskip("npvae.plots")
    pytest.importorskip("matplotlib")
    x = np.tile(BARS, (1, 5))[:, :25]
    rbm = small(ais_steps=0, n_hidden=14).fit(x)
    drawn = rbm.pictures(plots, npvae.datasets.Dataset(x.astype(np.float32)))
    assert set(drawn) == {"filters", "chains"}
