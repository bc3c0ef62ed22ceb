"""The mixture of Gaussians as an estimator."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import memory
from npvae.datasets import Dataset
from npvae.estimators.base import Estimator, Rows, by_rows, estimator, needs_fit, random_seed
from npvae.estimators.options import option
from npvae.estimators.scores import ExactScores
from npvae.estimators.tables import as_fitted
from npvae.models import GaussianMixture as Model
from npvae.models.covariances import COVARIANCES
from npvae.models.gaussian_mixture import EMPTY
from npvae.validation import integer

__all__ = ["GaussianMixture"]


@estimator
class GaussianMixture(ExactScores, Estimator):
    """Mixture of Gaussians, fitted by expectation maximisation from a k-means start.

    With one component it is a Gaussian: factored with ``covariance="diagonal"``, with all correlations with "full".

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_, theta_ : npvae.models.GaussianMixture, Parameters
        "weights", "means" and "covariances" of the data on the model's scale.
    log_likelihood_ : list of float
        Mean log p(x) of the training rows before the first step and after each one, on the model's scale; it never
        falls. A model file does not hold it.
    converged_ : bool
        Whether the last step gained less than `tolerance`.
    n_iter_ : int
        Steps of the best start.
    emptied_ : int
        Components that lost all their rows. Such a component keeps its place and gets no weight.
    params_, history_, seed_, n_features_in_, feature_names_in_, image_shape_, scaling_
        As of every estimator.

    Examples
    --------
    >>> import numpy as np
    >>> from npvae import GaussianMixture
    >>> X = np.random.default_rng(0).standard_normal((300, 2)) + np.repeat([[0, 0], [8, 8], [0, 8]], 100, axis=0)
    >>> mixture = GaussianMixture(3, random_state=0).fit(X)
    >>> np.bincount(mixture.predict(X)).tolist(), mixture.sample(5, random_state=0).shape
    ([100, 100, 100], (5, 2))
    """

    n_components: int = option(1, "number of Gaussians", at_least=1, flag="components", metavar="K")
    covariance: str = option(
        "full", "their covariances: any, diagonal, spherical, or one for all (tied)", choices=COVARIANCES
    )
    min_variance: float = option(
        1e-6, "floor under the variance in every direction, on the model's scale", above=0, metavar="V"
    )
    tolerance: float = option(
        1e-3, "stop when a step gains less than this, nats a row", at_least=0, group="training", metavar="T"
    )
    max_iter: int = option(100, "steps at the most", at_least=1, group="training", metavar="N")
    n_init: int = option(
        1, "starts, of which the best is kept", at_least=1, group="training", flag="starts", metavar="N"
    )

    def _build(self, n_features: int, n_rows: int | None = None) -> Model:
        names = ("n_components", "covariance", "min_variance")
        return Model(n_features, *(self._option(name) for name in names))

    def _learn(self, model: Model, rows: Rows) -> dict[str, Any]:
        seed = random_seed(self.random_state)
        best = None
        for i in range(self._option("n_init")):
            theta = model.start(np.random.default_rng([seed, i]), rows.x)
            run = model.fit(theta, rows.x, self._option("tolerance"), self._option("max_iter"))
            if best is None or run.log_likelihood[-1] > best.log_likelihood[-1]:
                best = run
        return {
            "theta_": best.theta,
            "seed_": seed,
            "log_likelihood_": best.log_likelihood,
            "converged_": best.converged,
            "n_iter_": len(best.log_likelihood) - 1,
            "emptied_": int((best.theta["weights"] * len(rows.x) < EMPTY).sum()),
        }

    def _state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        return {"converged": self.converged_, "n_iter": self.n_iter_, "emptied": self.emptied_}, {}

    def _restore(self, state: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        weights = self.theta_["weights"]
        if not (weights.min() >= 0 and abs(weights.sum() - 1) < 1e-6):
            raise ValueError("weights should be probabilities")
        try:
            self.model_.log_prob(self.theta_, np.zeros((1, self.n_features_in_)))
        except np.linalg.LinAlgError:
            raise ValueError("covariances should be positive definite") from None
        self.converged_, self.emptied_ = bool(state["converged"]), integer("emptied", state["emptied"], at_least=0)
        self.n_iter_ = integer("n_iter", state["n_iter"], at_least=0)

    def summary(self) -> list[str]:
        """How it ended."""
        end = "converged" if self.converged_ else "stopped before it converged"
        steps = f"{self.n_iter_} step{'s' * (self.n_iter_ != 1)}"
        lines = [f"{end} after {steps}; log p(x) on the model's scale {self.log_likelihood_[-1]:.4f} nats"]
        if self.emptied_:
            lines.append(f"{self.emptied_} of {self.model_.n_components} components lost all their rows: use fewer")
        return lines

    def pictures(self, plots: ModuleType, shown: Dataset) -> dict[str, Any]:
        """Rows with two columns, and an ellipse for every component that has a weight."""
        if self.n_features_in_ != 2:
            return {}
        kept = self.theta_["weights"] > 0
        ax = plots.latent_scatter(shown.x, shown.labels).axes[0]
        ax.set(xlabel="x₁", ylabel="x₂")
        return {"components": plots.ellipses(self.means_[kept], self.covariances_[kept], ax)}

    @property
    @needs_fit
    def means_(self) -> NDArray:
        """The middle of every component in the units of the data, (n_components, n_features_in_)."""
        return self.scaling_.inverse(self.theta_["means"])

    @property
    @needs_fit
    def covariances_(self) -> NDArray:
        """Its covariance, whatever its kind: (n_components, n_features_in_, n_features_in_)."""
        unit = np.broadcast_to(self.scaling_.unit, (self.n_features_in_,))
        return self.model_.full_covariances(self.theta_) * unit * unit[:, None]

    @needs_fit
    def predict_proba(self, X: ArrayLike) -> NDArray:
        """The responsibilities p(k|x) of every row, (n, n_components)."""
        return by_rows(lambda rows: self.model_.e_step(self.theta_, rows)[0], self._rows(X))

    @needs_fit
    def predict(self, X: ArrayLike) -> NDArray:
        """The most probable component of every row, (n,)."""
        return self.predict_proba(X).argmax(axis=1)

    @needs_fit
    def sample(self, n: int = 1, random_state: int | np.random.Generator | None = None) -> Any:
        """New rows (n, n_features), in the units of the data; a frame if the fit was to one."""
        rng = np.random.default_rng(random_seed(random_state))
        memory.require("n", 4 * 8 * integer("n", n, at_least=1) * self.n_features_in_)
        noise = self.model_.draw_noise(rng, n)
        return as_fitted(self.scaling_.inverse(self.model_.sample(self.theta_, noise)[0]), self)

    @needs_fit
    def bic(self, X: ArrayLike) -> float:
        """Bayesian information criterion −2 Σ log p(x) + n_free log n, in the units of the data; lower is better."""
        scores = self.score_samples(X)
        return float(self.model_.n_free * np.log(len(scores)) - 2 * scores.sum())

    @needs_fit
    def aic(self, X: ArrayLike) -> float:
        """Akaike's information criterion −2 Σ log p(x) + 2 n_free, in the units of the data; lower is better."""
        return float(2 * self.model_.n_free - 2 * self.score_samples(X).sum())
