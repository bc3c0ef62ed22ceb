"""Mutual information between latents and factors that are copies, mixtures and strangers of one another."""

import numpy as np
import pytest

from npvae import datasets
from npvae.evaluation import factor_matrix, mig

RNG = np.random.default_rng(0)
N = 40_000
U = RNG.random((N, 3))


def test_copies_know_all_and_strangers_nothing():
    z = np.stack([-3 * U[:, 1], U[:, 0] + 10, U[:, 2]], axis=1)
    factors = {"a": U[:, 0], "b": U[:, 1], "class": (4 * U[:, 1]).astype(int)}
    matrix = factor_matrix(z, factors)
    bias = 19 * 19 / (2 * N) / np.log(20)  # of the entries that are 0
    np.testing.assert_allclose(matrix, [[0, 1, 0], [1, 0, 0], [1, 0, 0]], atol=3 * bias)
    assert mig(matrix) == pytest.approx(1, abs=3 * bias)


def test_counts_by_hand():
    """Joint counts of bit z and bit v: 3 1 / 1 3, so I = log 2 − H(¼)."""
    z = np.array([0.0, 0, 0, 0, 1, 1, 1, 1])[:, None]
    v = np.array([0, 0, 0, 1, 0, 1, 1, 1])
    information = 1 + (0.25 * np.log2(0.25) + 0.75 * np.log2(0.75))
    np.testing.assert_allclose(factor_matrix(z, {"v": v, "w": 0.1 * v, "t": v == 1}), [[information]] * 3)


def test_shared_and_constant_latents():
    shared = {"v": U[:, 0]}
    z = np.stack([U[:, 0], -U[:, 0], np.ones(N)], axis=1)
    matrix = factor_matrix(z, shared)
    np.testing.assert_allclose(matrix, [[1, 1, 0]], atol=1e-12)
    assert mig(matrix) == pytest.approx(0, abs=1e-12)


def test_uniform_noise_in_closed_form():
    """z = v + w of uniform v, w: h(z) = ½ nats and h(z|v) = 0, so I(z; v) = ½; fine bins come near."""
    z = (U[:, 0] + U[:, 1])[:, None]
    matrix = factor_matrix(z, {"v": U[:, 0]}, n_bins=40)
    assert matrix[0, 0] * np.log(40) == pytest.approx(0.5, abs=0.04)


def test_factors_of_the_embedded_digits():
    digits = datasets.digits(500, seed=0)
    z = np.stack([digits.factors["slant"], digits.labels], axis=1)
    matrix = dict(zip(digits.factors, factor_matrix(z, digits.factors), strict=True))
    assert matrix["slant"][0] == pytest.approx(1)
    assert matrix["class"][1] == pytest.approx(1)
    assert matrix["style"][1] > 0.1


@pytest.mark.parametrize(
    ("factors", "error", "text"),
    [
        ({}, ValueError, "factors must not be empty"),
        ({"v": U[:-1, 0]}, ValueError, r"factors\['v'\] must have shape \(40000,\), one for each row of z"),
        ({"v": np.ones(N)}, ValueError, r"factors\['v'\] must take at least two values"),
        ({"v": np.full(N, np.nan)}, ValueError, r"factors\['v'\] must be finite"),
    ],
)
def test_factors_that_cannot_be(factors, error, text):
    with pytest.raises(error, match=text):
        factor_matrix(U, factors)


def test_other_arguments_that_cannot_be():
    with pytest.raises(ValueError, match="n_bins must be at least 2, got 1"):
        factor_matrix(U, {"v": U[:, 0]}, 1)
    with pytest.raises(
        ValueError, match=r"matrix must have at least 2 columns, one for each latent, got shape \(5, 1\)"
    ):
        mig(np.zeros((5, 1)))
