"""L_k against log p(x) where the integral can be done, and against the same weights summed in one piece."""

import pickle

import numpy as np
import pytest
import scipy.integrate
import scipy.special
import scipy.stats

from npvae.evaluation import likelihood as module
from npvae.evaluation import log_likelihood, mean_with_error
from npvae.evaluation.likelihood import LogLikelihood
from npvae.evaluation.row_noise import row_generators
from npvae.models import VAE
from npvae.parameters import Parameters
from tests.evaluation.linear_gaussian import SIGMA, Linear


def rng(seed=0):
    return np.random.default_rng(seed)


def test_linear_gaussian_in_closed_form():
    linear = Linear(n=40)
    estimate = log_likelihood(linear.model, linear.theta, linear.x, 0, k=4000)
    deviation = (estimate.log_px - linear.log_px) / estimate.standard_error
    assert (estimate.standard_error < 0.03).all()
    assert np.abs(deviation).max() < 4.5
    assert 0.6 < deviation.std() < 1.4
    gaps = estimate.log_px - estimate.elbo
    np.testing.assert_allclose(gaps, linear.gap, atol=0.1)
    np.testing.assert_allclose(gaps.mean(), linear.gap, atol=0.015)


def test_at_the_true_posterior_one_draw_is_enough():
    linear = Linear()
    estimate = log_likelihood(*linear.with_true_posterior(), linear.x, 0, k=7)
    np.testing.assert_allclose(estimate.log_px, linear.log_px, rtol=1e-12)
    np.testing.assert_allclose(estimate.elbo, linear.log_px, rtol=1e-12)
    np.testing.assert_allclose(estimate.standard_error, 0, atol=1e-7)
    np.testing.assert_allclose(estimate.effective_samples, 7, rtol=1e-12)


def test_bernoulli_decoder_by_quadrature():
    model = VAE.mlp(3, 1, (3,), "tanh")
    theta = Parameters(model.shapes, np.float64)
    theta.flat[:] = rng().standard_normal(theta.flat.size)
    x = np.array([[1, 0, 1], [0, 0, 1]], dtype=float)
    estimate = log_likelihood(model, theta, x, 1, k=20_000)
    for row, log_px, error in zip(x, estimate.log_px, estimate.standard_error, strict=True):

        def joint(z, row=row):
            p = scipy.special.expit(model.decode(theta, np.array([[z]]))[0])
            return np.prod(np.where(row == 1, p, 1 - p)) * scipy.stats.norm.pdf(z)

        exact = np.log(scipy.integrate.quad(joint, -9, 9, epsabs=1e-12)[0])
        assert 1e-4 < error < 0.05
        assert log_px == pytest.approx(exact, abs=4 * error)


@pytest.mark.parametrize("max_rows", [1, 3, 7, 8, 20, 10_000])
def test_weights_summed_in_parts_are_those_of_one_piece(max_rows):
    k, linear = 7, Linear()
    mu, log_var = np.split(linear.model.encode(linear.theta, linear.x), 2, axis=1)
    eps = np.stack([row.standard_normal((k, 2)) for row in row_generators(linear.x, 3, "latents")])
    z = mu[:, None] + np.exp(log_var / 2)[:, None] * eps
    log_px_z = scipy.stats.norm.logpdf(linear.x[:, None], z @ linear.weights + linear.bias, SIGMA).sum(axis=-1)
    log_q = scipy.stats.norm.logpdf(z, mu[:, None], np.exp(log_var / 2)[:, None]).sum(axis=-1)
    log_w = log_px_z + scipy.stats.norm.logpdf(z).sum(axis=-1) - log_q
    w = np.exp(log_w)

    estimate = log_likelihood(linear.model, linear.theta, linear.x, 3, k, max_rows)
    np.testing.assert_allclose(estimate.log_px, scipy.special.logsumexp(log_w, axis=1) - np.log(k), rtol=1e-12)
    np.testing.assert_allclose(estimate.elbo, log_w.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(estimate.standard_error, scipy.stats.sem(w, axis=1) / w.mean(axis=1), rtol=1e-9)
    np.testing.assert_allclose(estimate.effective_samples, w.sum(axis=1) ** 2 / (w * w).sum(axis=1), rtol=1e-12)


def test_standard_error_is_the_spread_over_seeds():
    linear = Linear(n=1, log_var=0)
    runs = [log_likelihood(linear.model, linear.theta, linear.x, seed, k=400) for seed in range(200)]
    spread = np.std([run.log_px[0] for run in runs])
    assert np.mean([run.standard_error[0] for run in runs]) == pytest.approx(spread, rel=0.2)


def test_more_draws_raise_the_bound_in_the_mean():
    linear = Linear(n=1)
    x = linear.x + 1e-9 * np.arange(2000)[:, None]  # equal rows would have equal draws
    means = [log_likelihood(linear.model, linear.theta, x, 0, k).mean() for k in (1, 4, 16)]
    steps = np.diff([*(mean.value for mean in means), linear.log_px[0]])
    assert (steps > [3 * mean.standard_error for mean in means]).all()
    assert means[0].value == pytest.approx(linear.log_px[0] - linear.gap, abs=4 * means[0].standard_error)


def test_far_from_all_data_nothing_over_or_underflows():
    linear = Linear(n=2)
    estimate = log_likelihood(linear.model, linear.theta, 1e3 * linear.x, 0, k=50, max_rows=20)
    assert (estimate.log_px < -1e4).all()
    assert all(np.isfinite(values).all() for values in estimate[:4])


def test_float32_parameters_lose_no_more_than_their_precision():
    linear = Linear(n=3)
    single = Parameters.from_arrays({name: value.astype(np.float32) for name, value in linear.theta.items()})
    estimate = log_likelihood(linear.model, single, linear.x, 0, k=4000)
    assert {values.dtype for values in estimate[:5]} == {np.dtype(np.float64)}
    assert (np.abs(estimate.log_px - linear.log_px) < 5 * estimate.standard_error).all()


def test_one_draw_is_the_bound_itself_and_has_no_error():
    linear = Linear()
    estimate = log_likelihood(linear.model, linear.theta, linear.x, 0, k=1)
    np.testing.assert_array_equal(estimate.log_px, estimate.elbo)
    assert np.isnan(estimate.standard_error).all()
    np.testing.assert_array_equal(estimate.effective_samples, 1)


def test_mean_by_hand():
    assert [*mean_with_error(np.array([1.0, 2.0, 3.0, 6.0]))] == pytest.approx([3, np.sqrt(14 / 3) / 2])
    value, error = LogLikelihood(np.array([2.0]), *np.zeros((5, 1))).mean()
    assert value == 2
    assert np.isnan(error)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        ({"k": 0}, ValueError, "k must be at least 1, got 0"),
        ({"k": 10.0}, TypeError, "k must be an integer, got 10.0"),
        ({"max_rows": 0}, ValueError, "max_rows must be at least 1, got 0"),
        ({"x": np.zeros((2, 3))}, ValueError, r"x must have 4 features, got shape \(2, 3\)"),
        ({"x": np.full((1, 4), np.nan)}, ValueError, "x must be finite"),
    ],
)
def test_arguments_that_cannot_be(change, error, text):
    linear = Linear()
    with pytest.raises(error, match=text):
        log_likelihood(linear.model, linear.theta, **{"x": linear.x, "seed": 0, "k": 2, **change})


def test_data_from_outside_the_support_are_refused():
    model = VAE.mlp(4, 2, ())
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\]"):
        log_likelihood(model, model.init(rng()), np.full((1, 4), 2.0), 0, k=1)


def test_draws_without_weight_are_counted_and_cost_no_digits(monkeypatch):
    linear, original = Linear(n=2), module.log_weights

    def estimate(change):
        monkeypatch.setattr(module, "log_weights", lambda *arguments: change(original(*arguments)))
        return log_likelihood(linear.model, linear.theta, linear.x, 0, k=40, max_rows=80)

    usual = estimate(lambda log_w: log_w)
    for far in (-1e7, -np.inf):
        found = estimate(lambda log_w, far=far: log_w + np.array([[0.0, far]]).T)
        np.testing.assert_allclose(found.log_px, usual.log_px + np.array([0.0, far]), rtol=1e-12)
    assert found.effective_samples[1] == 0
    assert not found.reliable[1]
    even = np.arange(40) % 2 == 0
    for far in (-1e7, -np.inf):
        some = estimate(lambda log_w, far=far: np.where(even, log_w, log_w + far))
        assert (np.abs(some.log_px - usual.log_px) < 1).all()


def test_the_error_is_the_spread_over_seeds_where_it_is_called_reliable():
    """Posteriors too wide, right, too narrow by half, and so narrow that the weights have no variance."""
    for log_var, share in ((0.5, (0.95, 1)), (-0.5, (0.95, 1)), (-4.0, (0, 0.15))):
        linear = Linear(n=1, log_var=log_var)
        x = linear.x + 1e-9 * np.arange(200)[:, None]
        found = log_likelihood(linear.model, linear.theta, x, 0, k=500)
        assert share[0] <= found.reliable.mean() <= share[1]
        if found.reliable.all():
            assert found.standard_error.mean() == pytest.approx(found.log_px.std(), rel=0.2)
    assert found.standard_error.mean() < 0.6 * found.log_px.std()  # what must not be trusted
    assert found.log_px.mean() < linear.log_px[0] - 0.5


def test_an_estimate_behaves_like_its_numbers():
    one, other = (LogLikelihood(*np.arange(6.0 * 3).reshape(6, 3) + shift) for shift in (0, 5))
    np.testing.assert_array_equal(-one, [0, -1, -2])
    np.testing.assert_array_equal(one - other, [-5, -5, -5])
    np.testing.assert_array_equal(2 * one / 4 + 1, [1, 1.5, 2])
    np.testing.assert_array_equal(one > 0.5, [False, True, True])
    assert np.mean(one) == 1
    assert one._replace(log_px=other.log_px).mean() == 6


def test_a_mean_is_a_number_that_knows_its_error():
    mean = mean_with_error(np.array([1.0, 2.0, 6.0]))
    assert (mean.value, -mean, mean / 2, 10 - mean) == (3, -3, 1.5, 7)
    assert (-mean).standard_error == mean.standard_error == pytest.approx(np.sqrt(7 / 3))
    assert f"{-mean:.1f}" == "-3.0"
    np.testing.assert_array_equal(np.array([mean, -mean]), [3, -3])
    back = pickle.loads(pickle.dumps(mean))
    assert (back, back.standard_error, repr(back)) == (mean, mean.standard_error, repr(mean))
