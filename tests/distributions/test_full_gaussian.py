"""The Gaussian with a full covariance against SciPy's multivariate normal, its own diagonal case, and by hand."""

import numpy as np
import pytest
import scipy.stats

from npvae.distributions import DiagonalGaussian, FullGaussian

Q = FullGaussian()
RNG = np.random.default_rng(0)
N, D = 5, 4
A = 0.7 * RNG.standard_normal((N, Q.n_params(D)))


def mean_and_covariance(a, d):
    """Entry by entry, from the order in which `a` holds them."""
    below = iter(a[2 * d :])
    factor = np.diag(np.exp(a[d : 2 * d]))
    for i in range(d):
        for j in range(i):
            factor[i, j] = next(below)
    return a[:d], factor @ factor.T


NORMALS = [scipy.stats.multivariate_normal(*mean_and_covariance(a, D)) for a in A]


@pytest.mark.parametrize(("d", "n"), [(1, 2), (2, 5), (3, 9), (50, 1325)])
def test_mean_diagonal_and_triangle_are_counted(d, n):
    assert Q.n_params(d) == n
    assert Q.mean(np.zeros((2, n))).shape == (2, d)


def test_log_prob_and_entropy_are_scipys():
    x = RNG.standard_normal((N, D))
    expected = [normal.logpdf(row) for normal, row in zip(NORMALS, x, strict=True)]
    np.testing.assert_allclose(Q.log_prob(A, x)[0], expected, rtol=1e-11)
    np.testing.assert_allclose(Q.entropy(A)[0], [normal.entropy() for normal in NORMALS], rtol=1e-12)


def test_kl_is_the_formula_with_trace_and_determinant():
    for kl, a in zip(Q.kl(A)[0], A, strict=True):
        mu, cov = mean_and_covariance(a, D)
        expected = 0.5 * (np.trace(cov) + mu @ mu - D - np.linalg.slogdet(cov)[1])
        assert kl == pytest.approx(expected, rel=1e-12)


def test_two_dimensions_by_hand():
    # L = [[2, 0], [3, 1]], so z = [1 + 2·0.5, −1 + 3·0.5 + 1·2] and Σ = [[4, 6], [6, 10]]
    a = np.array([[1, -1, np.log(2), 0, 3]])
    z, cache = Q.sample(a, np.array([[0.5, 2.0]]))
    np.testing.assert_allclose(z, [[2, 2.5]], rtol=1e-15)
    np.testing.assert_allclose(Q.sample_backward(cache, np.array([[1.0, 10.0]])), [[1, 10, 1, 20, 5]], rtol=1e-15)
    # ½ (4 + 10 + 1 + 1 − 2 − log 4)
    assert Q.kl(a)[0][0] == pytest.approx(7 - np.log(2), rel=1e-14)


def test_draws_have_the_mean_and_the_covariance():
    n = 100_000
    z, _ = Q.sample(A, Q.draw_noise(np.random.default_rng(1), (n, N, D), np.float64))
    for i in range(N):
        mu, cov = mean_and_covariance(A[i], D)
        variances = np.diag(cov)
        assert (abs(z[:, i].mean(axis=0) - mu) <= 4 * np.sqrt(variances / n)).all()
        error = np.sqrt((np.outer(variances, variances) + cov**2) / n)
        assert (abs(np.cov(z[:, i].T) - cov) <= 4.5 * error).all()


def test_without_correlation_it_is_the_diagonal_gaussian():
    same = DiagonalGaussian()
    mu, log_var = RNG.standard_normal((2, N, D))
    b = np.concatenate([mu, log_var], axis=1)
    a = np.concatenate([mu, log_var / 2, np.zeros((N, Q.n_params(D) - 2 * D))], axis=1)
    x, u = RNG.standard_normal((2, 3, N, D))
    for name, arguments, upstream in (
        ("sample", (x,), u),
        ("log_prob", (x,), u[..., 0]),
        ("entropy", (), u[0, :, 0]),
        ("kl", (), u[0, :, 0]),
    ):
        (value, cache), (other, other_cache) = getattr(Q, name)(a, *arguments), getattr(same, name)(b, *arguments)
        np.testing.assert_allclose(value, other, rtol=1e-12)
        da, db = (
            getattr(Q, f"{name}_backward")(cache, upstream),
            getattr(same, f"{name}_backward")(other_cache, upstream),
        )
        np.testing.assert_allclose(da[:, : 2 * D], db * np.repeat([1, 2], D), rtol=1e-11, atol=1e-13)


def test_the_density_of_a_draw_is_the_noises_density_less_the_log_scales():
    d, n = 50, 20
    a = 0.3 * RNG.standard_normal((n, Q.n_params(d)))
    eps = RNG.standard_normal((2, n, d))
    z, _ = Q.sample(a, eps)
    expected = scipy.stats.norm.logpdf(eps).sum(axis=-1) - a[:, d : 2 * d].sum(axis=-1)
    np.testing.assert_allclose(Q.log_prob(a, z)[0], expected, rtol=1e-6)


def test_near_the_prior_the_kl_keeps_its_digits():
    # ½ (e^{2s} − 1 − 2s) = s² + 2s³/3 + …
    s = np.array([1e-4, -1e-5, 1e-6])
    a = np.stack([np.zeros(3), s], axis=1)
    np.testing.assert_allclose(Q.kl(a)[0], s**2 + 2 * s**3 / 3, rtol=1e-8)


def test_the_output_bias_has_the_mean_and_the_variances():
    bias = Q.output_bias(np.array([0.2, -3.0]), np.array([0.0, 4.0]))
    np.testing.assert_allclose(bias, [0.2, -3, 0, np.log(2), 0], rtol=1e-15)
    np.testing.assert_allclose(Q.factor(bias), [[1, 0], [0, 2]], rtol=1e-15)


@pytest.mark.filterwarnings("ignore:overflow")
@pytest.mark.parametrize("log_diag", [-1e3, 1e3])
def test_where_numbers_overflow_the_values_are_infinite(log_diag):
    a = np.array([[0, 0, log_diag, 0, 3.0]])
    narrow, wide = Q.log_prob(a, np.ones((1, 2)))[0][0], Q.kl(a)[0][0]
    assert (narrow == -np.inf) == (log_diag < 0)
    assert (wide == np.inf) == (log_diag > 0)
    # At the mean itself the density is e^{1000}, or e^{−1000}, times that of the other dimension.
    assert Q.log_prob(a, np.zeros((1, 2)))[0][0] == pytest.approx(-log_diag - np.log(2 * np.pi), rel=1e-12)


def test_the_factor_is_lower_triangular_and_its_square_the_covariance():
    a = np.array([[0.5, -1, 2, *np.log([2, 3, 4]), 5, 6, 7]])
    np.testing.assert_allclose(FullGaussian().factor(a), [[[2, 0, 0], [5, 3, 0], [6, 7, 4]]], rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_gradient_at_a_huge_spread_is_that_of_the_normaliser_alone(dtype):
    a = np.zeros((1, 5), dtype)
    a[0, 2:4] = 1e3
    log_prob, cache = FullGaussian().log_prob(a, np.ones((1, 2), dtype))
    np.testing.assert_allclose(log_prob, -np.log(2 * np.pi) - 2000, rtol=1e-6)
    np.testing.assert_array_equal(FullGaussian().log_prob_backward(cache, np.ones(1, dtype)), [[0, 0, -1, -1, 0]])
