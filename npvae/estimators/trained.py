"""What a fitted VAE can do: latents, images, scores."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import evaluation
from npvae.datasets import threshold
from npvae.distributions import FullGaussian
from npvae.estimators.estimator import Estimator, by_rows, random_seed
from npvae.evaluation import seen_mask
from npvae.models import VAE
from npvae.parameters import Parameters
from npvae.validation import DataWarning, data_matrix, integer

_DRAWS = 50_000  # of z between two reports of progress, about a second


def binarized(x: NDArray, how: str, draw: Callable[[NDArray], NDArray]) -> NDArray:
    """The rows made binary once, by the option `binarize`; `draw` makes the Bernoulli draws."""
    if how == "threshold":
        return threshold(x)
    return x if how == "none" else draw(x)


class TrainedVAE(Estimator):
    """The methods of a VAE that need it fitted."""

    params_: dict[str, Any]
    model_: VAE
    theta_: Parameters
    n_features_in_: int

    def _checked(self, X: ArrayLike) -> NDArray:
        self._require_fitted()
        x = data_matrix("X", X, self.n_features_in_, self.theta_.dtype)
        self.model_.likelihood.require_support("X", x)
        return x

    def _data(self, X: ArrayLike) -> NDArray:
        """The rows as the encoder gets them: what is random in making them binary is left to `prepare`."""
        x = self._checked(X)
        return threshold(x) if self.params_["binarize"] == "threshold" else x

    def prepare(self, X: ArrayLike, random_state: int | np.random.Generator | None = 0) -> NDArray:
        """The rows as the likelihood sees them, (n, n_features): checked, and made binary where `binarize` says so.

        Where that is by draws, they are new ones, and the same at every call with the same `random_state`; a row's draw
        depends on the row and on nothing else.
        """
        x = self._checked(X)
        seed = random_seed(random_state)
        return binarized(x, self.params_["binarize"], lambda rows: evaluation.bernoulli_rows(rows, seed))

    def encode(self, X: ArrayLike) -> tuple[NDArray, NDArray]:
        """q(z|x) of every row: its means (n, latent_dim), and what its family has beside them.

        "diagonal": the log-variances, (n, latent_dim). "full": the lower triangular factor L of the covariance L Lᵀ,
        (n, latent_dim, latent_dim). Grey values are made binary first where ``binarize="threshold"``; where it is
        "fixed" or "dynamic" they are taken as they are, here and wherever rows are encoded: `prepare` draws.
        """
        x = self._data(X)
        a = by_rows(lambda rows: self.model_.encode(self.theta_, rows), x)
        d, posterior = self.model_.latent_dim, self.model_.posterior
        return a[:, :d], posterior.factor(a) if isinstance(posterior, FullGaussian) else a[:, d:]

    def transform(self, X: ArrayLike) -> NDArray:
        """The posterior mean of every row, (n, latent_dim)."""
        x = self._data(X)
        return by_rows(lambda rows: self.model_.encode(self.theta_, rows)[:, : self.model_.latent_dim], x)

    def inverse_transform(self, Z: ArrayLike) -> NDArray:
        """The mean of p(x|z) for every row of latents (n, latent_dim): (n, n_features)."""
        self._require_fitted()
        z = data_matrix("Z", Z, self.model_.latent_dim, self.theta_.dtype)
        return by_rows(lambda rows: self.model_.likelihood.mean(self.model_.decode(self.theta_, rows)), z)

    def reconstruct(self, X: ArrayLike) -> NDArray:
        """Every row encoded to its posterior mean and decoded to the mean of p(x|z): (n, n_features)."""
        return self.inverse_transform(self.transform(X))

    def sample(self, n: int = 1, random_state: int | np.random.Generator | None = None) -> NDArray:
        """Means of p(x|z) for n latents drawn from the prior N(0, I): (n, n_features)."""
        self._require_fitted()
        rng = np.random.default_rng(random_seed(random_state))
        z = rng.standard_normal((integer("n", n, at_least=1), self.model_.latent_dim), dtype=self.theta_.dtype)
        return self.inverse_transform(z)

    def interpolate(self, x_from: ArrayLike, x_to: ArrayLike, steps: int = 10, method: str = "linear") -> NDArray:
        """Pictures on the way between two rows, through their posterior means: (steps, n_features).

        `method` is "linear" or "spherical", see `npvae.evaluation.interpolate`.
        """
        self._require_fitted()
        rows = (("x_from", x_from), ("x_to", x_to))
        x = [data_matrix(name, np.reshape(row, (1, -1)), self.n_features_in_, self.theta_.dtype) for name, row in rows]
        z = self.transform(np.concatenate(x))
        return self.inverse_transform(evaluation.interpolate(z[0], z[1], steps, method))

    def attribute_vector(self, X: ArrayLike, mask: ArrayLike) -> NDArray:
        """The way in latent space from data without an attribute to data with it: (latent_dim,).

        The posterior means of the rows where `mask` (n,) is True, on average, minus those of the others. Added to the
        latents of any datum, it is meant to give it the attribute.
        """
        z, mask = self.transform(X), np.asarray(mask)
        if mask.shape != (len(z),) or mask.dtype != bool:
            what = f"shape {mask.shape} of {mask.dtype}"
            raise ValueError(f"mask must have shape ({len(z)},) of bool, one for each row of X, got {what}")
        if mask.all() or not mask.any():
            raise ValueError(f"mask must have rows with the attribute and rows without it, got {mask[0]} for all")
        return z[mask].mean(axis=0) - z[~mask].mean(axis=0)

    def impute(
        self, X: ArrayLike, seen: ArrayLike, steps: int = 200, random_state: int | np.random.Generator | None = 0
    ) -> evaluation.Filled:
        """Fill in what of X is not `seen` (bool, of X's shape or one row's); it may be anything, NaN too.

        Returns mean and draw of p(x_missing|x_seen), each (n, n_features), and the chain's acceptance, see
        `npvae.evaluation.fill_in`; what is seen stays as it is in both. The rows that they are conditioned on are those
        of `prepare`, made binary where `binarize` says so. Grey pixels have no density under a Bernoulli likelihood:
        there the draws are binary, the mean is a way of speaking, and a DataWarning says so.
        """
        x, seed = np.asarray(X), random_seed(random_state)
        seen = seen_mask(x, seen)
        given = self._checked(np.where(seen, x, 0))
        seen, x = seen.reshape(given.shape), self.prepare(given, seed)
        if not self.model_.likelihood.is_density(x):
            message = "X has grey pixels, which have no density under a Bernoulli: draws of what is missing are 0 or 1"
            warnings.warn(message, DataWarning, stacklevel=2)
        with np.errstate(over="ignore", invalid="ignore"):  # `_require_finite` reports it
            filled = evaluation.fill_in(self.model_, self.theta_, x, seen, seed, steps)
        self._require_finite("filling in", filled.mean.sum(axis=1), x)
        mean, draw = (np.where(seen, given, whole) for whole in (filled.mean, filled.draw))
        return filled._replace(mean=mean, draw=draw)

    def elbo_terms(
        self, X: ArrayLike, n_samples: int = 1, random_state: int | np.random.Generator | None = 0
    ) -> dict[str, NDArray]:
        """The two terms of −ELBO for every row: "reconstruction" −E_q[log p(x|z)] and "kl", nats, each (n,).

        The expectation is a mean over `n_samples` draws of z, the KL the analytic one, whatever bound was trained; β,
        free bits and a prior on the weights play no part. Rows are seen as by `prepare`.
        """
        seed = random_seed(random_state)
        x = self.prepare(X, seed)
        with np.errstate(over="ignore", invalid="ignore"):  # `_require_finite` reports it
            terms = evaluation.elbo_terms(self.model_, self.theta_, x, seed, n_samples)
        self._require_finite("ELBO", terms["reconstruction"] + terms["kl"], x)
        return terms

    def log_likelihood(
        self,
        X: ArrayLike,
        k: int = 5000,
        random_state: int | np.random.Generator | None = 0,
        progress: Callable[[int], None] | None = None,
    ) -> evaluation.LogLikelihood:
        """L_k, an estimate of log p(x), for every row with its standard error, see `npvae.evaluation.log_likelihood`.

        ``vae.log_likelihood(X).mean()`` is that of the data. Rows are seen as by `prepare`; under a Bernoulli
        likelihood they have to be binary then. `progress` is called with the number of rows done, from time to time.
        """
        seed, at_once = random_seed(random_state), max(1, _DRAWS // integer("k", k, at_least=1))
        x = self.prepare(X, seed)
        if not self.model_.likelihood.is_density(x):
            raise ValueError(
                "X must be binary to have a log-likelihood under likelihood='bernoulli', got values between 0 and 1: "
                "train with binarize='dynamic', or with likelihood='continuous-bernoulli'; score gives the "
                "cross-entropy of grey pixels"
            )
        parts = []
        for start in range(0, len(x), at_once):
            rows = x[start : start + at_once]
            with np.errstate(over="ignore", invalid="ignore"):  # `_require_finite` reports it
                parts.append(evaluation.log_likelihood(self.model_, self.theta_, rows, seed, k))
            self._require_finite("log-likelihood", parts[-1].log_px + parts[-1].elbo, rows, start)
            if progress is not None:
                progress(start + len(rows))
        return evaluation.LogLikelihood(*map(np.concatenate, zip(*parts, strict=True)))

    def _require_finite(self, what: str, values: NDArray, x: NDArray, first: int = 0) -> None:
        """A ValueError that says where in x, whose rows count from `first`, the model breaks down, if it does."""
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(bad.argmax())
            a = self.model_.encode(self.theta_, x[row : row + 1])
            raise ValueError(
                f"X must have a finite {what} under this model, which row {first + row} has not: the encoder's numbers "
                f"for it reach from {a.min():.3g} to {a.max():.3g}"
            )

    def score_samples(
        self, X: ArrayLike, n_samples: int = 1, random_state: int | np.random.Generator | None = 0
    ) -> NDArray:
        """ELBO of every row, a lower bound on log p(x): nats, (n,), higher is better.

        Of grey rows under a Bernoulli likelihood it is minus the cross-entropy minus the KL, and bounds nothing.
        """
        terms = self.elbo_terms(X, n_samples, random_state)
        return -(terms["reconstruction"] + terms["kl"])

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Mean of `score_samples` over the rows, nats, higher is better."""
        return float(self.score_samples(X).mean())
