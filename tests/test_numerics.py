"""Elementary functions against scipy.special, at ordinary and at extreme arguments, real and complex."""

import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from npvae.numerics import (
    aligned_empty,
    aligned_zeros,
    column_moments,
    inverse_softplus,
    log_mean_exp,
    log_product,
    logit,
    logsumexp,
    sigmoid,
    softplus,
    with_sign_of,
)
from tests.numerical import assert_gradient

DTYPES = (np.float32, np.float64)
ORDINARY = np.concatenate([np.linspace(-30, 30, 241), [0.0, -0.0]])
EXTREME = np.array([1e3, -1e3, 1e-300, -1e-300, np.inf, -np.inf, 88.8, -88.8, 710.0, -710.0])


def scipy_softplus(a):
    return np.logaddexp(a.astype(np.float64), 0)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("a", [ORDINARY, EXTREME], ids=["ordinary", "extreme"])
def test_sigmoid_is_scipys_expit_to_the_dtypes_eps(dtype, a):
    with np.errstate(under="ignore"):
        a = a.astype(dtype)
    s = sigmoid(a)
    assert s.dtype == dtype
    np.testing.assert_allclose(s, scipy.special.expit(a.astype(np.float64)), rtol=0, atol=np.finfo(dtype).eps)
    assert ((s >= 0) & (s <= 1)).all()


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("a", [ORDINARY, EXTREME], ids=["ordinary", "extreme"])
def test_softplus_is_logaddexp_with_zero_to_a_few_relative_eps(dtype, a):
    with np.errstate(under="ignore"):
        a = a.astype(dtype)
    s = softplus(a)
    assert s.dtype == dtype
    np.testing.assert_allclose(s, scipy_softplus(a), rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)


@pytest.mark.parametrize("dtype", DTYPES)
def test_softplus_minus_its_mirror_image_is_the_argument(dtype):
    a = ORDINARY.astype(dtype)
    np.testing.assert_allclose(softplus(a) - softplus(-a), a, rtol=4 * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_logit_is_scipys_and_inverts_sigmoid(dtype):
    p = np.array([1e-30, 1e-6, 0.1, 0.5, 0.7, 1 - 1e-4], dtype)
    assert logit(p).dtype == dtype
    np.testing.assert_allclose(logit(p), scipy.special.logit(p), rtol=8 * np.finfo(dtype).eps, atol=1e-7)
    np.testing.assert_allclose(sigmoid(logit(p)), p, rtol=0, atol=2 * np.finfo(dtype).eps)


def test_inverse_softplus_is_log_of_expm1_and_inverts_softplus():
    y = np.geomspace(1e-3, 30, 60)
    np.testing.assert_allclose(inverse_softplus(y), np.log(np.expm1(y)), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(softplus(inverse_softplus(y)), y, rtol=1e-12)


def test_logit_of_0_7_by_hand():
    assert logit(np.float64(0.7)) == pytest.approx(0.8472978603872036, rel=1e-15)


@pytest.mark.parametrize("function", [sigmoid, softplus])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 1, 3)])
def test_any_shape_goes_through_and_the_argument_stays(function, shape):
    a = np.full(shape, 0.5)
    kept = a.copy()
    assert np.shape(function(a)) == shape
    np.testing.assert_array_equal(a, kept)


@pytest.mark.parametrize("function", [sigmoid, softplus])
def test_not_a_number_stays_visible(function):
    assert np.isnan(function(np.array([np.nan]))).all()


@pytest.mark.parametrize(
    ("function", "derivative", "a"),
    [
        (sigmoid, lambda a: scipy.special.expit(a) * scipy.special.expit(-a), np.linspace(-15, 15, 61)),
        (softplus, scipy.special.expit, np.linspace(-30, 30, 61)),
        (logit, lambda p: 1 / (p * (1 - p)), np.linspace(0.01, 0.99, 50)),
    ],
)
def test_complex_step_gives_the_derivative_of_each_elementary_function(function, derivative, a):
    numeric = function(a + 1e-30j).imag / 1e-30
    np.testing.assert_allclose(numeric, derivative(a), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("function", [sigmoid, softplus])
def test_complex_step_at_huge_arguments_gives_the_limit_of_the_derivative(function):
    numeric = function(np.array([1e3, -1e3]) + 1e-30j).imag / 1e-30
    expected = [0, 0] if function is sigmoid else [1, 0]
    np.testing.assert_array_equal(numeric, expected)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_logsumexp_is_scipys(dtype, axis):
    a = (10 * np.random.default_rng(0).standard_normal((4, 5, 3))).astype(dtype)
    value = logsumexp(a, axis=axis)
    assert value.dtype == dtype
    np.testing.assert_allclose(value, scipy.special.logsumexp(a, axis=axis), rtol=8 * np.finfo(dtype).eps)


@pytest.mark.parametrize(
    ("a", "expected"),
    [
        ([1e3, 1e3], 1e3 + np.log(2)),
        ([-1e3, -1e3], -1e3 + np.log(2)),
        ([1e3, -1e3], 1e3),
        ([1e-300, -1e-300], np.log(2)),
        ([-np.inf, 3.0], 3.0),
        ([-np.inf, -np.inf], -np.inf),
        ([np.inf, -np.inf], np.inf),
        ([np.inf, 1e3], np.inf),
        ([np.inf, np.inf], np.inf),
        ([np.nan, 1.0], np.nan),
    ],
)
def test_logsumexp_of_extreme_entries(a, expected):
    assert logsumexp(np.array(a)) == pytest.approx(expected, rel=1e-15, nan_ok=True)


def test_log_mean_exp_of_equal_entries_is_the_entry():
    np.testing.assert_allclose(log_mean_exp(np.full((7, 2), [-1234.5, 3.25])), [-1234.5, 3.25], rtol=1e-15)


@pytest.mark.parametrize("dtype", DTYPES)
def test_log_mean_exp_is_the_logarithm_of_the_mean(dtype):
    a = np.random.default_rng(1).standard_normal((4, 3)).astype(dtype)
    assert log_mean_exp(a, axis=1).dtype == dtype
    np.testing.assert_allclose(log_mean_exp(a, axis=1), np.log(np.exp(a).mean(axis=1)), rtol=0, atol=1e-6)


@pytest.mark.parametrize("function", [logsumexp, log_mean_exp])
def test_the_gradient_of_logsumexp_is_softmax_also_beside_minus_infinity(function):
    rng = np.random.default_rng(2)
    a, weights = 3 * rng.standard_normal((4, 3)), rng.standard_normal(3)
    assert_gradient(lambda a: (function(a) * weights).sum(), a, scipy.special.softmax(a, axis=0) * weights)

    nothing = np.array([-np.inf, 0.0, 1.0]) + 0j
    nothing[2] += 1e-30j
    assert function(nothing).imag / 1e-30 == pytest.approx(scipy.special.expit(1.0), rel=1e-14)


@given(n=st.integers(1, 300), dtype=st.sampled_from([np.float32, np.float64, np.complex128]))
def test_aligned_vectors_start_on_a_cache_line_and_have_their_size(n, dtype):
    for vector in (aligned_empty(n, dtype), aligned_zeros(n, dtype)):
        assert vector.ctypes.data % 64 == 0
        assert (vector.shape, vector.dtype) == ((n,), dtype)
        assert vector.flags.writeable
        assert vector.flags.c_contiguous


def test_aligned_zeros_are_zero():
    dirty = [aligned_empty(1000) for _ in range(5)]
    for vector in dirty:
        vector[:] = 7
    del dirty, vector
    assert not aligned_zeros(1000).any()


@pytest.mark.parametrize("dtype", [*DTYPES, np.complex128])
@pytest.mark.parametrize("d", [1, 2, 3, 64, 65, 127, 784])
def test_log_product_is_the_sum_of_the_logarithms(dtype, d):
    factors = np.random.default_rng(d).uniform(1, 2, (4, d)).astype(dtype)
    factors[0], factors[1] = 1, 2
    kept = factors.copy()
    value = log_product(factors)
    assert value.dtype == dtype
    expected = np.log(factors.astype(np.complex128)).sum(axis=-1)
    np.testing.assert_allclose(value, expected, rtol=4 * np.finfo(dtype).eps, atol=d * np.finfo(dtype).eps)
    np.testing.assert_array_equal(factors, kept)


@pytest.mark.parametrize("dtype", [*DTYPES, np.complex128])
def test_with_sign_of_takes_the_sign_of_the_real_part(dtype):
    a, b = np.array([-2.0, 0.0, 3.0]).astype(dtype), np.array([0.5, 0.25, 0.125]).astype(dtype)
    if dtype == np.complex128:
        a, b = a - 1e-20j, b + 1j
    signed = with_sign_of(a, b)
    assert signed.dtype == dtype
    np.testing.assert_array_equal(signed, [-b[0], b[1], b[2]])


def test_column_moments_keep_their_digits_far_from_zero():
    x = np.random.default_rng(0).normal([1e4, 0, -3], [0.5, 0, 2], (2345, 3)).astype(np.float32)
    mean, var = column_moments(x, block=1000)
    assert mean.dtype == var.dtype == np.float32
    np.testing.assert_allclose(mean, x.astype(np.float64).mean(axis=0), rtol=1e-7)
    np.testing.assert_allclose(var, x.astype(np.float64).var(axis=0), rtol=1e-6)


def test_the_variance_of_a_constant_column_is_zero():
    mean, var = column_moments(np.full((1000, 2), [0.1, -1e9 / 3]))
    np.testing.assert_allclose(mean, [0.1, -1e9 / 3], rtol=1e-13)
    np.testing.assert_array_equal(var, 0)
