"""What a row scores depends on the row: not on its place, its neighbours or how many there are."""

import numpy as np
import pytest
import scipy.stats

from npvae.distributions import Bernoulli, FixedGaussian, FullGaussian
from npvae.evaluation import bernoulli_rows, decompose, elbo_terms, fill_in, log_likelihood
from npvae.evaluation.row_noise import row_generators, row_noise
from npvae.models import VAE

SEEN = np.arange(8) < 5


def model_and_rows(likelihood, dtype, posterior=None):
    model = VAE.mlp(8, 2, (6,), "tanh", likelihood, posterior=posterior)
    rng = np.random.default_rng(0)
    theta = model.init(rng, dtype)
    theta.flat += 0.3 * rng.standard_normal(theta.flat.size, dtype=dtype)
    x = rng.random((40, 8)).astype(dtype)
    return model, theta, (x > 0.5).astype(dtype) if isinstance(likelihood, Bernoulli) else x


SCORES = {
    "elbo": lambda model, theta, x: np.stack(list(elbo_terms(model, theta, x, 3, n_samples=2, max_rows=14).values())),
    "log-likelihood": lambda model, theta, x: np.stack(log_likelihood(model, theta, x, 3, k=30, max_rows=200)[:3]),
    "log-likelihood in parts": lambda model, theta, x: log_likelihood(model, theta, x, 3, k=30, max_rows=7).log_px[
        None
    ],
    "binarisation": lambda model, theta, x: bernoulli_rows(x, 3).T,
}


@pytest.mark.parametrize("score", SCORES.values(), ids=SCORES.keys())
@pytest.mark.parametrize(
    ("likelihood", "posterior"),
    [(Bernoulli(), None), (FixedGaussian(0.3), FullGaussian())],
    ids=["bernoulli", "gaussian"],
)
@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-3), (np.float64, 1e-11)])
def test_a_score_is_the_rows_own(score, likelihood, posterior, dtype, tolerance):
    model, theta, x = model_and_rows(likelihood, dtype, posterior)
    whole = score(model, theta, x)
    order = np.random.default_rng(1).permutation(len(x))
    np.testing.assert_allclose(score(model, theta, x[order]), whole[:, order], atol=tolerance)
    np.testing.assert_allclose(score(model, theta, x[7:9]), whole[:, 7:9], atol=tolerance)
    np.testing.assert_allclose(score(model, theta, x[[3, 5, 3, 3]]), whole[:, [3, 5, 3, 3]], atol=tolerance)


def test_an_imputation_is_the_rows_own():
    model, theta, x = model_and_rows(FixedGaussian(0.3), np.float64)
    whole = fill_in(model, theta, x, SEEN, 3, steps=20, batch_size=7)
    order = np.random.default_rng(1).permutation(len(x))
    for some in (order, [8], [3, 5, 3]):
        part = fill_in(model, theta, x[some], SEEN, 3, steps=20)
        for name in ("mean", "draw", "acceptance", "r_hat", "spread"):
            np.testing.assert_allclose(getattr(part, name), getattr(whole, name)[some], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(part.draws, whole.draws[:, some], rtol=1e-9)


def test_another_mask_or_seed_has_other_draws():
    model, theta, x = model_and_rows(FixedGaussian(0.3), np.float64)
    draws = [fill_in(model, theta, x, seen, seed, steps=4).draw for seen, seed in ((SEEN, 3), (SEEN, 4), (~SEEN, 3))]
    assert (draws[0][:, ~SEEN] != draws[1][:, ~SEEN]).all()
    assert (draws[0] != draws[2]).all()


def test_rows_have_independent_standard_normal_noise():
    x = np.arange(3000, dtype=np.float32)[:, None]
    eps = row_noise(x, 0, "latents", lambda rng: rng.standard_normal(4))
    assert scipy.stats.kstest(eps.ravel(), "norm").pvalue > 0.01
    assert np.abs(np.corrcoef(eps[:-1].T, eps[1:].T) - np.eye(8)).max() < 4.5 / np.sqrt(3000)


def test_rows_alike_but_for_the_sign_of_zero_are_equal_and_purposes_are_not():
    x = np.array([[0.0, 1.0], [-0.0, 1.0]])
    first, second = (rng.random() for rng in row_generators(x, 0, "latents"))
    assert first == second
    others = [row_generators(x, *other)[0].random() for other in ((1, "latents"), (0, "binarize"))]
    assert len({first, *others}) == 3


def test_a_row_in_any_layout_has_the_same_noise():
    x = np.random.default_rng(0).random((5, 3))
    for same in (np.asfortranarray(x), x[:, ::-1][:, ::-1], x.astype(">f8")):
        assert [rng.random() for rng in row_generators(same, 0, "a")] == [
            rng.random() for rng in row_generators(x, 0, "a")
        ]


def test_binarised_rows_have_their_grey_values_as_mean():
    x = np.random.default_rng(0).uniform(0.29, 0.31, (4000, 3)).astype(np.float32)
    b = bernoulli_rows(x, 0)
    assert b.dtype == np.float32
    assert set(np.unique(b)) == {0, 1}
    np.testing.assert_allclose(b.mean(axis=0), 0.3, atol=4 * np.sqrt(0.21 / 4000))


def test_the_error_of_a_mean_is_its_spread_over_seeds():
    model, theta, x = model_and_rows(FixedGaussian(0.3), np.float64)
    x = x[0] + 1e-9 * np.arange(400)[:, None]
    runs = [decompose(model, theta, x, seed, k=2).elbo for seed in range(60)]
    assert np.std([run.value for run in runs]) == pytest.approx(runs[0].standard_error, rel=0.35)


@pytest.mark.parametrize("seed", [-1, 1.5, None])
def test_a_seed_that_cannot_be_is_refused(seed):
    model, theta, x = model_and_rows(FixedGaussian(), np.float64)
    with pytest.raises((TypeError, ValueError), match="seed must be"):
        elbo_terms(model, theta, x, seed)
