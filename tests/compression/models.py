"""Models that code, untrained, and rows for them."""

import numpy as np
import pytest

from npvae.datasets import digits
from npvae.distributions import Bernoulli, DiscretizedLogistic, LogisticMixture
from npvae.models import VAE

LIKELIHOODS = {
    "bernoulli": Bernoulli(),
    "logistic": DiscretizedLogistic("sigmoid"),
    "mixture": LogisticMixture(2),
    "five levels": DiscretizedLogistic(levels=5),
}
every_likelihood = pytest.mark.parametrize("name", LIKELIHOODS)


def model_of(likelihood, n_features=49, latent_dim=3, **options):
    model = VAE.mlp(n_features, latent_dim, (8,), likelihood=likelihood, **options)
    theta = model.init(np.random.default_rng(0), np.float32, np.full(n_features, 0.3), np.full(n_features, 0.1))
    return model, theta


def rows_of(model, n, seed=0):
    levels = getattr(model.likelihood, "levels", 2)
    small = digits(n, seed=seed).x.reshape(n, 7, 4, 7, 4).mean(axis=(2, 4)).reshape(n, 49) if n else np.empty((0, 49))
    return np.rint(small * (levels - 1)).astype(np.uint8)
