"""Using a fitted model: latents, images, and what the scores are."""

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats

from npvae import VAE

RNG = np.random.default_rng(0)
BINARY = (RNG.random((60, 5)) < [0.1, 0.3, 0.5, 0.7, 0.9]).astype(np.float64)
BINARY[:, 4] = BINARY[:, 0]  # something for the latent to explain
GREY = RNG.random((60, 5))


@pytest.fixture(scope="module")
def vae():
    return VAE(1, 4, "tanh", epochs=60, batch_size=20, learning_rate=0.02, dtype="float64", random_state=0).fit(BINARY)


@pytest.fixture(scope="module")
def gaussian():
    return VAE(
        1, 4, "tanh", "gaussian", epochs=20, learning_rate=0.02, dtype="float64", random_state=0, scale="none"
    ).fit(3 * GREY)


def networks(vae):
    """Encoder and decoder, written out."""
    theta = vae.theta_

    def mlp(part, x):
        h = np.tanh(x @ theta[f"{part}.0.W"] + theta[f"{part}.0.b"])
        return h @ theta[f"{part}.2.W"] + theta[f"{part}.2.b"]

    return (lambda x: mlp("encoder", x)), (lambda z: mlp("decoder", z))


def exact(vae, x, log_px_z):
    """log p(x) and the ELBO of one row, both by integration over the latent."""
    encoder, decoder = networks(vae)
    mu, log_var = encoder(x[None])[0]
    sigma = np.exp(log_var / 2)

    def log_joint(z):
        return log_px_z(decoder(np.array([[z]]))[0], x) + scipy.stats.norm.logpdf(z)

    def bound(z):
        q = scipy.stats.norm.logpdf(z, mu, sigma)
        return np.exp(q) * (log_joint(z) - q)

    evidence = scipy.integrate.quad(lambda z: np.exp(log_joint(z)), -9, 9, epsabs=0, points=[mu])[0]
    return np.log(evidence), scipy.integrate.quad(bound, mu - 9 * sigma, mu + 9 * sigma)[0]


def bernoulli(a, x):
    return scipy.stats.bernoulli.logpmf(x, scipy.special.expit(a)).sum()


def gauss(a, x):
    return scipy.stats.norm.logpdf(x, a, 1).sum()


@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_score_is_the_elbo_in_nats_and_below_the_evidence(vae, gaussian, likelihood):
    model, x, log_px_z = (vae, BINARY[:4], bernoulli) if likelihood == "bernoulli" else (gaussian, 3 * GREY[:4], gauss)
    scores = model.score_samples(x, n_samples=20_000)
    assert scores.shape == (4,)
    for row, score in zip(x, scores, strict=True):
        evidence, bound = exact(model, row, log_px_z)
        assert score == pytest.approx(bound, abs=0.03)
        assert bound < evidence
        assert score < evidence + 0.03


def test_score_is_minus_the_sum_of_the_terms(vae):
    terms = vae.elbo_terms(BINARY, 3, random_state=4)
    assert list(terms) == ["reconstruction", "kl"]
    scores = vae.score_samples(BINARY, 3, random_state=4)
    np.testing.assert_allclose(scores, -(terms["reconstruction"] + terms["kl"]), rtol=1e-12)
    assert (scores < 0).all()
    assert vae.score(BINARY) == pytest.approx(vae.score_samples(BINARY).mean())
    assert isinstance(vae.score(BINARY), float)


def test_kl_term_is_the_analytic_one(vae):
    mu, log_var = vae.encode(BINARY)
    kl = 0.5 * (mu**2 + np.exp(log_var) - 1 - log_var).sum(axis=1)
    np.testing.assert_allclose(vae.elbo_terms(BINARY)["kl"], kl, rtol=1e-9)


def test_better_data_score_higher(vae):
    likely, unlikely = np.array([[0.0, 0, 0, 1, 0]]), np.array([[1.0, 0, 0, 0, 0]])
    assert vae.score(likely) > vae.score(unlikely) + 1


def test_scores_repeat_by_default_and_vary_with_the_seed(vae):
    np.testing.assert_array_equal(vae.score_samples(BINARY), vae.score_samples(BINARY))
    assert not np.array_equal(vae.score_samples(BINARY), vae.score_samples(BINARY, random_state=1))
    rng = np.random.default_rng(0)
    assert not np.array_equal(vae.score_samples(BINARY, random_state=rng), vae.score_samples(BINARY, random_state=rng))


def test_more_samples_spread_less(vae):
    def spread(n_samples):
        return np.std([vae.score_samples(BINARY, n_samples, random_state=s) for s in range(60)], axis=0).mean()

    assert spread(16) == pytest.approx(spread(1) / 4, rel=0.25)


def test_beta_and_training_samples_play_no_part_in_the_score():
    plain = VAE(1, 4, epochs=1, random_state=0).fit(BINARY)
    heavy = VAE(1, 4, epochs=1, random_state=0, beta=5.0, n_samples=3).fit(BINARY)
    heavy.theta_.flat[:] = plain.theta_.flat
    np.testing.assert_array_equal(heavy.score_samples(BINARY), plain.score_samples(BINARY))


@pytest.mark.parametrize("binarize", ["threshold", "fixed", "dynamic"])
def test_grey_rows_are_scored_as_the_model_saw_them(binarize):
    vae = VAE(1, 4, epochs=1, random_state=0, binarize=binarize).fit(GREY)
    scores = np.array([vae.score_samples(GREY[:1], random_state=s)[0] for s in range(40)])
    patterns = np.array([[int(b) for b in f"{i:05b}"] for i in range(32)], float)
    if binarize == "threshold":
        patterns = (GREY[:1] > 0.5).astype(float)
    possible = [vae.score_samples(patterns, random_state=s) for s in range(40)]
    centre, width = np.mean(possible, axis=0), np.ptp(possible, axis=0).max()
    assert (np.abs(scores[:, None] - centre).min(axis=1) < width).all()
    grey = VAE(1, 4, epochs=1, random_state=0).fit(GREY)
    grey.theta_.flat[:] = vae.theta_.flat
    assert not np.allclose(grey.score_samples(GREY), vae.score_samples(GREY))


def test_use_changes_nothing(vae):
    theta, x = vae.theta_.flat.copy(), BINARY.copy()
    vae.sample(3)
    vae.reconstruct(x)
    vae.score_samples(x, 2)
    vae.interpolate(x[0], x[1])
    np.testing.assert_array_equal(vae.theta_.flat, theta)
    np.testing.assert_array_equal(x, BINARY)


def test_log_likelihood_is_that_of_integration(vae):
    estimate = vae.log_likelihood(BINARY[:4], k=20_000)
    for row, value, error in zip(BINARY[:4], estimate.log_px, estimate.standard_error, strict=True):
        assert value == pytest.approx(exact(vae, row, bernoulli)[0], abs=max(5 * error, 1e-4))
    again, other = (vae.log_likelihood(BINARY[:4], 10, random_state=s).log_px for s in (0, 1))
    np.testing.assert_array_equal(vae.log_likelihood(BINARY[:4], 10).log_px, again)
    assert not np.array_equal(again, other)


def test_grey_pixels_have_no_log_likelihood_under_a_bernoulli(vae, gaussian):
    with pytest.raises(ValueError, match=r"X must be binary .* binarize='dynamic', or with the continuous Bernoulli"):
        vae.log_likelihood(GREY, k=2)
    assert np.isfinite(gaussian.log_likelihood(GREY, k=2).log_px).all()
    dynamic = VAE(1, 4, epochs=1, random_state=0, binarize="dynamic").fit(GREY)
    expected = dynamic.log_likelihood(dynamic.prepare(GREY, random_state=3), k=2, random_state=3).log_px
    np.testing.assert_array_equal(dynamic.log_likelihood(GREY, k=2, random_state=3).log_px, expected)
    with pytest.raises(ValueError, match="k must be at least 1, got 0"):
        dynamic.log_likelihood(GREY, k=0)


def test_imputing_keeps_what_is_seen_and_fills_in_the_rest(vae):
    x, seen = BINARY.copy(), np.array([True, True, True, True, False])
    x[:, 4] = np.nan
    filled = vae.impute(x, seen, steps=600)
    np.testing.assert_array_equal(filled.mean[:, :4], BINARY[:, :4])
    # p(x_4 = 1 | x_0 … x_3) by integration of both joint probabilities.
    for i in range(3):
        log_p = [exact(vae, np.append(BINARY[i, :4], bit), bernoulli)[0] for bit in (0.0, 1.0)]
        assert filled.mean[i, 4] == pytest.approx(scipy.special.expit(log_p[1] - log_p[0]), abs=0.1)
    assert set(np.unique(filled.draw)) <= {0, 1}
    np.testing.assert_array_equal(vae.impute(x, np.tile(seen, (60, 1)), steps=600).mean, filled.mean)


def test_imputing_pictures_that_are_made_binary_first():
    x = RNG.random((10, 2, 3))
    vae = VAE(2, 4, epochs=1, random_state=0, binarize="threshold").fit(x)
    seen = np.array([[True, True, False], [False, True, True]])
    filled = vae.impute(np.where(seen, x, np.nan), seen, steps=4)
    kept = np.ravel(seen)
    for whole in (filled.mean, filled.draw):  # as they came, and not as they were made
        np.testing.assert_array_equal(whole[:, kept], x.reshape(10, 6).astype(np.float32)[:, kept])
    assert set(np.unique(filled.draw[:, ~kept])) <= {0, 1}
    black_and_white = vae.impute(x > 0.5, seen, steps=4)  # which is what the chain sees
    np.testing.assert_array_equal(filled.mean[:, ~kept], black_and_white.mean[:, ~kept])
    with pytest.raises(ValueError, match=r"seen must be of bool and have shape \(10, 2, 3\) or \(2, 3\), got"):
        vae.impute(x, np.ones(6, bool))


@pytest.mark.parametrize(
    "params", [{"bound": "iwae", "n_samples": 3}, {"free_bits": 0.5}, {"weight_prior": 1.0}, {"bound": "stl"}]
)
def test_the_score_is_the_elbo_whatever_was_trained(params):
    plain = VAE(1, 4, epochs=1, random_state=0).fit(BINARY)
    other = VAE(1, 4, epochs=1, random_state=0, **params).fit(BINARY)
    other.theta_.flat[:] = plain.theta_.flat
    np.testing.assert_array_equal(other.score_samples(BINARY), plain.score_samples(BINARY))


@pytest.mark.parametrize("posterior", ["diagonal", "full"])
@pytest.mark.parametrize("part", ["encoder", "decoder"])
@pytest.mark.parametrize("log_var", [1e3, -1e3])
def test_log_variances_beyond_the_dtype_give_numbers_or_a_clear_word_but_no_nan(posterior, part, log_var):
    x, settings = BINARY.astype(np.float32), {"posterior": posterior, "likelihood": "gaussian-pixel"}
    vae = VAE(2, 4, epochs=1, random_state=0, **settings).fit(x)
    vae.theta_[f"{part}.2.b"][2 if part == "encoder" else 5 :] = log_var
    words = []
    for use in (vae.score_samples, lambda x: vae.log_likelihood(x, k=3).log_px):
        try:
            assert np.isfinite(use(x)).all()
        except ValueError as error:
            words.append(str(error))
    assert len(words) == {"encoder": 2 if log_var > 0 else 0, "decoder": 0}[part]
    for text in words:
        assert "under this model, which row 0 has not: the encoder's numbers for it" in text
        assert "1e+03" in text


def test_filling_in_that_overflows_is_refused_and_not_nan():
    wide = VAE(2, 8, likelihood="gaussian-pixel", epochs=1, random_state=0).fit(GREY)
    with pytest.raises(ValueError, match="X must have a finite filling in under this model, which row 0 has not"):
        wide.impute(np.full((2, 5), 1e6), np.array([True, True, True, False, False]), steps=4)


def test_a_long_estimate_is_shared_by_processes_and_gives_the_same(monkeypatch):
    monkeypatch.setattr("npvae.estimators.scores.WORTH_WORKERS", 0)
    monkeypatch.setattr("npvae.estimators.scores.DRAWS", 100)
    x = (np.random.default_rng(0).random((40, 6)) < 0.4).astype(np.float32)
    vae = VAE(2, 8, epochs=1, random_state=0).fit(x)
    alone, done = vae.log_likelihood(x, k=20), []
    vae.set_params(n_jobs=2)
    shared = vae.log_likelihood(x, k=20, progress=done.append)
    np.testing.assert_allclose(shared.log_px, alone.log_px, rtol=1e-5)
    assert done == [5, 10, 15, 20, 25, 30, 35, 40]
