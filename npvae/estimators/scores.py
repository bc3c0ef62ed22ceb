"""Scores of rows: how well a model explains them, each row by itself."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import partial
from math import log
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import evaluation
from npvae.bounds import Loss
from npvae.estimators.base import by_rows, needs_fit, random_seed
from npvae.estimators.options import options_of
from npvae.estimators.outliers import OutlierMethods
from npvae.models import Model
from npvae.parameters import Parameters
from npvae.training.jobs import WORTH_WORKERS, number_of_jobs
from npvae.validation import ArgumentError, integer

__all__ = ["DensityScores", "ExactScores", "RowScores"]

REMEDIES = {"beta_schedule": "KL warm-up", "free_bits": "free bits"}
"""What may wake latents that are not in use, by the option that an estimator must have for it."""

CROSS_ENTROPY = "cross-entropy of grey pixels, not a likelihood"
"""What the reconstruction term is where the likelihood has no density for the data."""

DRAWS = 50_000
"""Draws of z between two reports of progress, about a second."""


def _log_likelihood(model: Model, theta: Parameters, seed: int, k: int, x: NDArray) -> evaluation.LogLikelihood:
    """L_k of some rows; the caller reports what is not finite."""
    with np.errstate(over="ignore", invalid="ignore"):
        return evaluation.log_likelihood(model, theta, x, seed, k)


class RowScores(OutlierMethods, ABC):
    """`loss`, `score_samples` and `score` of an estimator that scores rows.

    Hooks
    -----
    _loss(x, n_samples, seed)
        The loss of every row x (n, n_features) on the model's scale, in the units of the data.
    _posterior_numbers(x)
        What the posterior of rows is made of, in words and in numbers, for the error where a score is not finite.
    """

    loss_name = "loss"
    """What the sum of the terms is called in tables."""
    draws_latents = False
    """Whether the loss is a mean over draws of z."""

    @abstractmethod
    def _loss(self, x: NDArray, n_samples: int, seed: int) -> Loss:
        """The loss of rows."""

    def _score_rows(self, X: ArrayLike, random_state: int | np.random.Generator | None = 0) -> NDArray:
        """The rows as the score sees them."""
        return self._rows(X)

    @needs_fit
    def prepare(self, X: ArrayLike, random_state: int | np.random.Generator | None = 0) -> NDArray:
        """The rows as the loss sees them, (n, n_features): checked, scaled, and whatever else the options say."""
        return self._score_rows(X, random_state)

    @needs_fit
    def loss(self, X: ArrayLike, n_samples: int = 1, random_state: int | np.random.Generator | None = 0) -> Loss:
        """The loss of every row, lower is better, term by term; for a VAE −ELBO, in nats.

        A row's loss depends on that row, the seed and the number of draws, never on its neighbours or its place.
        """
        seed = random_seed(random_state)
        return self._loss(self._score_rows(X, seed), integer("n_samples", n_samples, at_least=1), seed)

    @needs_fit
    def score_samples(
        self, X: ArrayLike, n_samples: int = 1, random_state: int | np.random.Generator | None = 0
    ) -> NDArray:
        """Minus the loss of every row, (n,), higher is better; for a VAE the ELBO, a lower bound on log p(x), nats."""
        return -self.loss(X, n_samples, random_state).per_datum

    @needs_fit
    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Mean of `score_samples` over the rows, higher is better."""
        return float(self.score_samples(X).mean())

    def _posterior_numbers(self, x: NDArray) -> tuple[str, NDArray]:
        return "the numbers", x

    def _require_finite(self, what: str, values: NDArray, x: NDArray, first: int = 0) -> None:
        """An `ArgumentError` that says where in x, whose rows count from `first`, the model breaks down, if it does."""
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(bad.argmax())
            what_they_are, a = self._posterior_numbers(x[row : row + 1])
            numbers = f"{what_they_are} for it reach from {a.min():.3g} to {a.max():.3g}"
            rule = f"have a finite {what} under this model, which row {first + row} has not: {numbers}"
            raise ArgumentError("X", rule)


class ExactScores(RowScores):
    """Scores of a model whose loss is −log p(x) itself, without draws of latents."""

    loss_name = "negative_log_px"

    def _loss(self, x: NDArray, n_samples: int, seed: int) -> Loss:
        log_prob = by_rows(lambda rows: self.model_.log_prob(self.theta_, rows), x)
        terms = {"negative_log_px": self.scaling_.log_volume(x.shape[1]) - log_prob}
        return Loss(terms, labels={"negative_log_px": "−log p(x)"})

    def likelihood_note(self) -> str:
        """How log p(x) is known, in words."""
        return "without draws of latents"

    @needs_fit
    def log_prob(self, X: ArrayLike) -> NDArray:
        """log p(x) of every row, (n,), in nats and in the units of the data: `score_samples` by its own name."""
        return self.score_samples(X)


class DensityScores(RowScores):
    """Scores of a model with a density p(x|z), a posterior and a prior.

    Densities are those of the data in their own units: where a continuous likelihood sees scaled data, the logarithm
    of the units is subtracted, so that nats are comparable whatever the scale.
    """

    loss_name = "negative_elbo"
    draws_latents = True

    def _units(self, x: NDArray) -> NDArray | float:
        """What scaling takes from the log-density of scaled rows x, nats; 0 where x|z is discrete."""
        return 0.0 if self.model_.likelihood.discrete else self.scaling_.log_volumes(x)

    @needs_fit
    def elbo_terms(
        self, X: ArrayLike, n_samples: int = 1, random_state: int | np.random.Generator | None = 0
    ) -> dict[str, NDArray]:
        """The two terms of −ELBO for every row: "reconstruction" −E_q[log p(x|z)] and "kl", nats, each (n,).

        The expectation is a mean over `n_samples` draws of z, the KL the analytic one where there is one, whatever
        bound was trained; β, free bits and a prior on the weights play no part. Rows are seen as by `prepare`.
        """
        return dict(self.loss(X, n_samples, random_state).terms)

    @needs_fit
    def bits_per_dimension(self, nats: float, x: NDArray) -> float | None:
        """Nats a row, such as the mean of −ELBO, in bits for every column: nats/(n_features log 2).

        That is what lossless compression comes to. None where there is none, since rows like x, as from `prepare`,
        have no probability under the likelihood but a density, or neither.
        """
        likelihood = self.model_.likelihood
        return nats / (self.n_features_in_ * log(2)) if likelihood.discrete and likelihood.is_density(x) else None

    def _coded_dimensions(self) -> int | None:
        if "reconstruction" not in self.history_.terms:  # the run broke down in its first epoch
            return None
        grey = CROSS_ENTROPY in self.history_.terms["reconstruction"].label
        return self.n_features_in_ if self.model_.likelihood.discrete and not grey else None

    def _terms(self, x: NDArray, n_samples: int, seed: int) -> dict[str, NDArray]:
        """The two terms of −ELBO of every row on the model's scale."""
        return evaluation.elbo_terms(self.model_, self.theta_, x, seed, n_samples)

    def _loss(self, x: NDArray, n_samples: int, seed: int) -> Loss:
        with np.errstate(over="ignore", invalid="ignore"):  # the check below reports it
            terms = self._terms(x, n_samples, seed)
        self._require_finite("ELBO", terms["reconstruction"] + terms["kl"], x)
        density = self.model_.likelihood.is_density(x)
        labels = {"reconstruction": "−log p(x|z)" if density else CROSS_ENTROPY}
        return Loss({**terms, "reconstruction": terms["reconstruction"] + self._units(x)}, labels=labels)

    @needs_fit
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
        Where the work is long, `n_jobs` processes share the rows.
        """
        from npvae.evaluation.processes import over_blocks  # which needs much of the standard library

        seed, at_once = random_seed(random_state), max(1, DRAWS // integer("k", k, at_least=1))
        x = self._score_rows(X, seed)
        self._require_density(x)
        operations = 2 * self.theta_.flat.size * len(x) * k
        jobs = number_of_jobs(-1 if self.n_jobs == "auto" else self.n_jobs) if operations >= WORTH_WORKERS else 1
        starts = range(0, len(x), at_once)
        of_rows = partial(_log_likelihood, self.model_, self.theta_, seed, k)
        parts = []
        for start, part in zip(starts, over_blocks(of_rows, [x[i : i + at_once] for i in starts], jobs), strict=True):
            parts.append(part)
            rows = x[start : start + at_once]
            self._require_finite("log-likelihood", part.log_px + part.elbo, rows, start)
            if progress is not None:
                progress(start + len(rows))
        whole = evaluation.LogLikelihood(*map(np.concatenate, zip(*parts, strict=True)))
        units = self._units(x)
        return whole._replace(log_px=whole.log_px - units, elbo=whole.elbo - units)

    def collapse_message(self, active: NDArray) -> str:
        """A sentence on how many latents are in use, with advice that this estimator has options for."""
        return evaluation.collapse_message(active, self._remedies())

    def _remedies(self) -> list[str]:
        """What may wake latents that are not in use, of what this estimator has."""
        return [words for name, words in REMEDIES.items() if name in options_of(self)]

    def _require_density(self, x: NDArray) -> None:
        """An `ArgumentError` if the likelihood has no density for such rows."""
        if not self.model_.likelihood.is_density(x):
            raise ArgumentError(
                "X",
                "be binary to have a log-likelihood under {likelihood}",
                "values between 0 and 1",
                "train with {binarize}, or with the continuous Bernoulli; score gives the cross-entropy of grey pixels",
                settings={"likelihood": self.params_["likelihood"], "binarize": "dynamic"},
            )

    def _posterior_numbers(self, x: NDArray) -> tuple[str, NDArray]:
        return "the encoder's numbers", self.model_.encode(self.theta_, x)
