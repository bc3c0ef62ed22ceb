"""A model and an estimator that the package does not know: what a newcomer would write, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np

from npvae.bounds import Loss
from npvae.estimators.base import estimator
from npvae.estimators.gradient_fit import GradientEstimator
from npvae.estimators.latents import LatentMethods
from npvae.estimators.options import option
from npvae.estimators.scores import RowScores
from npvae.parameters import Parameters


class ToyModel:
    """x̂ = x W Wᵀ, by least squares: ½‖x − x̂‖²."""

    def __init__(self, n_features: int, latent_dim: int) -> None:
        self.n_features, self.latent_dim = n_features, latent_dim
        self.shapes = {"W": (n_features, latent_dim)}

    def init(self, rng, dtype=np.float32, mean=None, var=None):
        return Parameters.from_arrays({"W": rng.normal(0, 0.1, self.shapes["W"])}, dtype)

    def draw_noise(self, rng, n, dtype=np.float32):
        return np.zeros((n, 0), dtype)

    def loss(self, theta, x, noise):
        deviation = x - x @ theta["W"] @ theta["W"].T
        return Loss({"reconstruction": 0.5 * (deviation * deviation).sum(axis=1)}, units={"reconstruction": "squares"})

    def loss_and_grad(self, theta, x, noise):
        W, grads = theta["W"], theta.empty_like()
        deviation = x - x @ W @ W.T
        grads["W"][...] = -(x.T @ (deviation @ W) + deviation.T @ (x @ W)) / len(x)
        return self.loss(theta, x, noise), grads


@estimator
class Toy(LatentMethods, RowScores, GradientEstimator):
    """A linear autoencoder with tied weights.

    Parameters
    ----------
    {options}
    """

    width: int = option(2, "number of latents", at_least=1, metavar="D")

    def _build(self, n_features: int, n_rows: int | None = None) -> ToyModel:
        return ToyModel(n_features, self.width)

    def _latents_of(self, x: Any) -> Any:
        return x @ self.theta_["W"]

    def _means_of(self, z: Any) -> Any:
        return z @ self.theta_["W"].T

    def _draw_latents(self, rng: Any, n: int) -> Any:
        return rng.standard_normal((n, self.width), dtype=self._dtype)

    def _loss(self, x: Any, n_samples: int, seed: int) -> Loss:
        return self.model_.loss(self.theta_, x, None)
