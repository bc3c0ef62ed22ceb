"""Weighted draws of what is missing, against the conditional normal of a linear decoder."""

import numpy as np
import pytest

from npvae.distributions import Categories, Mixed
from npvae.evaluation.weighted_imputation import fill_in_by_weights
from npvae.layers import Chain, Dense, Missing
from npvae.models import VAE
from npvae.parameters import Parameters

W = np.array([[1.0, 0.5, -0.3], [0.2, -0.8, 0.6]])
B = np.array([0.1, -0.2, 0.3])
VAR = np.array([0.2, 0.3, 0.1])


def linear():
    """x = z W + b + noise, with a posterior that is the prior, whatever is seen."""
    model = VAE(3, 2, Chain(Missing((0, 1, 2)), Dense(6, 4)), Chain(Dense(2, 3)), likelihood=Mixed(reals=3))
    arrays = {name: np.zeros(shape) for name, shape in model.shapes.items()}
    arrays["decoder.0.W"], arrays["decoder.0.b"] = W, B
    arrays["decoder.1.b"] = np.log(np.expm1(np.log(VAR) + 10)) - 10  # log σ² = −10 + softplus(r + 10)
    return model, Parameters.from_arrays(arrays, np.float64)


def conditional(x):
    """Mean and variance of what is NaN in a row given what is not."""
    covariance, gone = W.T @ W + np.diag(VAR), np.isnan(x)
    gain = covariance[np.ix_(gone, ~gone)] @ np.linalg.inv(covariance[np.ix_(~gone, ~gone)])
    rest = covariance[np.ix_(gone, gone)] - gain @ covariance[np.ix_(~gone, gone)]
    return B[gone] + gain @ (x - B)[~gone], np.diag(rest)


def test_mean_spread_and_draws_are_those_of_the_conditional():
    model, theta = linear()
    x = np.array([[1.0, np.nan, 0.5], [np.nan, -0.7, np.nan]])
    filled = fill_in_by_weights(model, theta, x, seed=0, k=20_000, draws=2000)
    for i, row in enumerate(x):
        gone, (mean, variance) = np.isnan(row), conditional(row)
        np.testing.assert_allclose(filled.mean[i, gone], mean, atol=0.03)
        np.testing.assert_allclose(filled.spread[i, gone], np.sqrt(variance), rtol=0.05)
        np.testing.assert_allclose(filled.draws[:, i, gone].mean(axis=0), mean, atol=0.06)
        np.testing.assert_allclose(filled.draws[:, i, gone].std(axis=0), np.sqrt(variance), rtol=0.06)
        np.testing.assert_array_equal(filled.mean[i, ~gone], row[~gone])
        assert (filled.draws[:, i, ~gone] == row[~gone]).all()
        assert (filled.spread[i, ~gone] == 0).all()


def test_a_row_depends_on_itself_and_the_seed_alone():
    model, theta = linear()
    x = np.array([[1.0, np.nan, 0.5], [np.nan, -0.7, np.nan], [0.2, 0.1, 0.0]])
    together = fill_in_by_weights(model, theta, x, seed=3, k=50, draws=3)
    alone = fill_in_by_weights(model, theta, x[1:2], seed=3, k=50, draws=3)
    np.testing.assert_allclose(together.mean[1], alone.mean[0])
    np.testing.assert_allclose(together.draws[:, 1], alone.draws[:, 0])
    few = fill_in_by_weights(model, theta, x, seed=3, k=50, draws=3, max_rows=50)
    np.testing.assert_allclose(together.draws, few.draws)
    assert not np.allclose(together.draws[:, 1], fill_in_by_weights(model, theta, x, seed=4, k=50, draws=3).draws[:, 1])


def test_effective_share_is_one_where_all_weights_are_alike():
    model, theta = linear()
    filled = fill_in_by_weights(model, theta, np.full((1, 3), np.nan), seed=0, k=40)
    assert filled.acceptance == pytest.approx(1)
    assert np.isnan(filled.r_hat).all()


def test_a_category_is_drawn_as_often_as_it_is_likely():
    model = VAE(
        3, 1, Chain(Missing((0,)), Dense(4, 2)), Chain(Dense(1, 3)), likelihood=Mixed(categories=Categories((3,)))
    )
    arrays = {name: np.zeros(shape) for name, shape in model.shapes.items()}
    arrays["decoder.0.b"] = np.log([0.2, 0.5, 0.3])
    theta = Parameters.from_arrays(arrays, np.float64)
    filled = fill_in_by_weights(model, theta, np.full((1, 3), np.nan), seed=0, k=4000, draws=4000)
    np.testing.assert_allclose(filled.mean[0], [0.2, 0.5, 0.3])
    np.testing.assert_allclose(filled.draws[:, 0].mean(axis=0), [0.2, 0.5, 0.3], atol=0.03)
    assert set(np.unique(filled.draws)) == {0, 1}
