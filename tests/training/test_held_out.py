"""The loss on a whole data set against a direct computation."""

import numpy as np
import pytest

from npvae.bounds import Loss
from npvae.models import VAE
from npvae.training import evaluate
from npvae.training.term_sums import TermSums
from tests.training.toys import Mean, binary_rows, small_vae


def test_equals_the_direct_computation():
    x = np.arange(12.0).reshape(4, 3)
    model = Mean()
    theta = model.init(None, np.float64)
    theta["m"][:] = [1, 2, 3]
    noise = np.random.default_rng(5).standard_normal(4)
    distance = np.mean([0.5 * ((row - [1, 2, 3]) ** 2).sum() for row in x])
    got = evaluate(model, theta, x, np.random.default_rng(5))
    assert got == pytest.approx(
        {"loss": distance + 0.1 * noise.mean(), "distance": distance, "noise": 0.1 * noise.mean()}
    )


def test_unequal_batches_weigh_by_their_rows():
    x, model = np.arange(30.0).reshape(10, 3) ** 2, Mean()
    theta = model.init(None, np.float64)
    whole = evaluate(model, theta, x, np.random.default_rng(0))
    for batch_size in (1, 4, 9, 10):
        assert evaluate(model, theta, x, np.random.default_rng(0), batch_size) == pytest.approx(whole)


def test_weighted_terms_are_reported_unweighted():
    x = binary_rows()
    model, theta = small_vae()
    heavy = VAE.mlp(6, 2, (5,), "tanh", beta=3.0)
    terms = evaluate(heavy, theta, x, np.random.default_rng(0))
    plain = evaluate(model, theta, x, np.random.default_rng(0))
    assert terms["kl"] == pytest.approx(plain["kl"])
    assert terms["loss"] == pytest.approx(plain["reconstruction"] + 3 * plain["kl"])


def test_same_seed_same_value_other_seed_other_value():
    model, theta = small_vae()
    x = binary_rows()
    a, b, c = (evaluate(model, theta, x, np.random.default_rng(seed))["loss"] for seed in (1, 1, 2))
    assert a == b
    assert a != c


def test_many_small_numbers_are_added_in_float64():
    sums = TermSums()
    for value in [1e8] + [1.0] * 1000:
        sums.add(Loss({"t": np.array([value], np.float32)}))
    assert sums.means()["t"] == (1e8 + 1000) / 1001
