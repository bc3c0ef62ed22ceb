"""The parts of the KL where they are known: few far-apart rows, mixtures by quadrature, a Gaussian aggregate."""

import numpy as np
import pytest
import scipy.integrate
import scipy.stats

import npvae.evaluation.kl_decomposition as module
from npvae.distributions import FixedGaussian, FullGaussian
from npvae.evaluation import decompose_kl
from npvae.models import VAE
from tests.evaluation.table import identity_encoder


def parts(mu, log_var, seed=100):
    model, theta = identity_encoder(mu.shape[1], likelihood=FixedGaussian())
    return decompose_kl(model, theta, np.concatenate([mu, log_var], axis=1), seed)


def copies(mu, n):
    """mu n times, hardly moved: the mixture stays as it is, while equal rows would have equal draws."""
    return np.concatenate([mu + 1e-12 * i for i in range(n)])


def values(result):
    return [mean.value for mean in result]


def test_parts_add_up_to_the_kl():
    rng = np.random.default_rng(0)
    result = parts(rng.standard_normal((50, 3)), rng.standard_normal((50, 3)))
    assert result.kl.value == pytest.approx(sum(values(result)[1:]), rel=1e-12)


def test_one_row_has_neither_information_nor_correlation():
    result = parts(np.array([[1.0, 2.0]]), np.array([[0.0, -1.0]]))
    assert result.mutual_information.value == pytest.approx(0, abs=1e-12)
    assert result.total_correlation.value == pytest.approx(0, abs=1e-12)
    assert result.dimension_wise_kl.value == result.kl.value


def test_far_apart_rows_by_hand():
    """Four corners, each 100 times: log 4 nats of x; without two of them, the second latent follows the first."""
    corners = np.array([[9.0, 9.0], [-9.0, -9.0], [9.0, -9.0], [-9.0, 9.0]])
    four, two = (parts(copies(some, 100), np.zeros((100 * len(some), 2))) for some in (corners, corners[:2]))
    assert four.mutual_information.value == pytest.approx(np.log(4), abs=1e-9)
    assert four.total_correlation.value == pytest.approx(0, abs=1e-9)
    assert two.mutual_information.value == pytest.approx(np.log(2), abs=1e-9)
    assert two.total_correlation.value == pytest.approx(np.log(2), abs=1e-9)
    for result in (four, two):  # KL(½ N(9, 1) + ½ N(−9, 1) ‖ N(0, 1)) = 81/2 − log 2, twice
        expected = 81 - 2 * np.log(2)
        assert result.dimension_wise_kl.value == pytest.approx(
            expected, abs=4 * result.dimension_wise_kl.standard_error
        )


def test_overlapping_mixture_by_quadrature():
    mu, sigma = np.array([[0.5, -0.5], [-1.0, 0.3], [1.5, 1.0]]), np.array([[0.6, 0.8], [0.5, 0.9], [0.7, 0.4]])
    grid = np.linspace(-7, 7, 701)
    pdf = scipy.stats.norm.pdf(grid, mu[..., None], sigma[..., None])  # (row, latent, place)
    each = pdf.mean(axis=0)
    joint = (pdf[:, 0, :, None] * pdf[:, 1, None, :]).mean(axis=0)

    def integral(f):
        return scipy.integrate.simpson(scipy.integrate.simpson(f, x=grid), x=grid)

    correlation = integral(joint * np.log(joint / (each[0][:, None] * each[1])))
    wise = scipy.integrate.simpson(each * np.log(each / scipy.stats.norm.pdf(grid)), x=grid).sum()
    kl = 0.5 * (mu**2 + sigma**2 - 1 - np.log(sigma**2)).sum(axis=1).mean()
    assert correlation > 0.1

    n = 600  # of each row: copies leave the mixture as it is
    result = parts(copies(mu, n), np.tile(2 * np.log(sigma), (n, 1)))
    for mean, expected in zip(result, [kl, kl - correlation - wise, correlation, wise], strict=True):
        assert 0 < mean.standard_error < 0.05
        assert mean.value == pytest.approx(expected, abs=4 * mean.standard_error)


def test_gaussian_aggregate_in_closed_form():
    n, noise = 1500, 0.5
    cov = np.array([[0.8, 0.5], [0.5, 0.6]])
    mu = np.random.default_rng(0).multivariate_normal([0.3, 0.0], cov, n)
    whole = np.cov(mu.T) + noise * np.eye(2)
    information = 0.5 * (np.linalg.slogdet(whole)[1] - 2 * np.log(noise))
    correlation = 0.5 * (np.log(np.diag(whole)).sum() - np.linalg.slogdet(whole)[1])
    result = parts(mu, np.full((n, 2), np.log(noise)))
    assert result.mutual_information.value == pytest.approx(information, abs=0.04)
    assert result.total_correlation.value == pytest.approx(correlation, abs=0.04)


@pytest.mark.filterwarnings("ignore:overflow")
def test_vanishing_variances_leave_finite_parts():
    assert np.isfinite(values(parts(np.zeros((3, 2)), np.full((3, 2), -1e3)))).all()


def test_chunks_do_not_change_it(monkeypatch):
    rng = np.random.default_rng(0)
    arguments = rng.standard_normal((23, 2)), rng.standard_normal((23, 2))
    whole = values(parts(*arguments))
    for elements in (1, 23 * 2 * 5):
        monkeypatch.setattr(module, "_ELEMENTS", elements)
        assert values(parts(*arguments)) == pytest.approx(whole, rel=1e-12)


def test_correlated_posteriors_are_refused():
    model = VAE.mlp(4, 2, (), likelihood=FixedGaussian(), posterior=FullGaussian())
    rng = np.random.default_rng(0)
    with pytest.raises(TypeError, match=r"must be DiagonalGaussian.*for the decomposition of the KL"):
        decompose_kl(model, model.init(rng), np.zeros((3, 4)), 0)
