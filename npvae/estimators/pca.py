"""Principal components as an estimator, with the density of probabilistic PCA."""

from __future__ import annotations

from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.estimators.base import Estimator, Rows, estimator, needs_fit, random_seed
from npvae.estimators.latents import LatentMethods
from npvae.estimators.options import option
from npvae.estimators.scores import ExactScores
from npvae.models import PCA as Model
from npvae.validation import ArgumentTypeError

__all__ = ["PCA"]


@estimator
class PCA(LatentMethods, ExactScores, Estimator):
    """Principal component analysis, exact; its scores are those of probabilistic PCA.

    Latents are the coordinates along the components. `score_samples` is log p(x) of the Gaussian N(m, W Wᵀ + σ² I)
    of highest likelihood, `sample` draws latents with the variances of the data and decodes them.

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_, theta_ : npvae.models.PCA, Parameters
        "mean", "components", "variances" and "noise_variance" of the data on the model's scale.
    spread_ : npvae.models.pca.Spread
        Number, mean and spread of the rows so far, which `partial_fit` adds to; a model file does not hold it.
    params_, history_, seed_, n_features_in_, n_latents_, feature_names_in_, image_shape_, scaling_
        As of every estimator.

    Examples
    --------
    >>> from npvae import PCA, datasets
    >>> X = datasets.digits(300, seed=0).x
    >>> pca = PCA(8).fit(X)
    >>> pca.transform(X[:3]).shape, pca.reconstruct(X[:3]).shape
    ((3, 8), (3, 784))
    """

    latent_dim: int = option(2, "number of components", at_least=1, flag="latent", metavar="D")
    min_variance: float = option(1e-6, "floor under variances in densities, on the model's scale", above=0, metavar="V")

    def _build(self, n_features: int, n_rows: int | None = None) -> Model:
        return Model(n_features, self._option("latent_dim"), self._option("min_variance"))

    def _learn(self, model: Model, rows: Rows) -> dict[str, Any]:
        spread = model.spread(rows.x)
        return {"theta_": model.of_spread(spread), "spread_": spread, "seed_": random_seed(self.random_state)}

    def partial_fit(self, X: ArrayLike, y: Any = None) -> PCA:
        """Learn from a chunk of data that come in chunks: what all of their rows at once would give, up to rounding.

        The first call learns the scale of all. A file does not hold what is needed to go on.
        """
        if not self.__sklearn_is_fitted__():
            return self.fit(X)
        if not hasattr(self, "spread_"):
            raise ArgumentTypeError("partial_fit", "go on with a model that was fitted here", "one from a file")
        self._check_options()
        x, names = self._rows(X), getattr(self, "feature_names_in_", None)
        rows = Rows(x, None if names is None else list(names), self.image_shape_, self.scaling_)
        decided = copy(self)
        model = decided._build(x.shape[1], len(x))
        spread = model.together(self.spread_, model.spread(x))
        decided._adopt(model, rows, {"theta_": model.of_spread(spread), "spread_": spread, "seed_": self.seed_})
        self._take_over(decided)
        return self

    def _restore(self, state: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        if min(self.theta_["variances"].min(), float(self.theta_["noise_variance"])) < 0:
            raise ValueError("variances should not be negative")

    def summary(self) -> list[str]:
        """How much the components explain."""
        share = self.model_.explained(self.theta_)
        return [f"{len(share)} components hold {share.sum():.1%} of the variance, the first {share[0]:.1%}"]

    def _latents_of(self, x: NDArray) -> NDArray:
        return self.model_.encode(self.theta_, x)

    def _means_of(self, z: NDArray) -> NDArray:
        return self.model_.decode(self.theta_, z)

    def _draw_latents(self, rng: np.random.Generator, n: int) -> NDArray:
        return rng.standard_normal((n, self.n_latents_)) * np.sqrt(self.theta_["variances"])

    @property
    @needs_fit
    def explained_variance_ratio_(self) -> NDArray:
        """The share of the variance along each component, (n_latents_,)."""
        return self.model_.explained(self.theta_)
