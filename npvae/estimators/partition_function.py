"""The log Z of a fitted Boltzmann machine: exact where that is quick, estimated at the end of a fit or when asked."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from npvae import evaluation
from npvae.estimators.base import random_seed
from npvae.estimators.gradient_fit import Visits
from npvae.models import RBM
from npvae.validation import ArgumentError, integer, number

__all__ = ["PartitionFunction", "enumerable"]

P = TypeVar("P", bound="PartitionFunction")

ENUMERATED = 12
"""Units on one side up to which log Z is computed exactly: 4,096 states take milliseconds."""

BURN_IN = 1000
"""Gibbs steps before the reverse annealing begins."""

AIS, REVERSE = 8, 9
"""Streams of random numbers, beside those of the training."""


def enumerable(model: RBM) -> bool:
    """Whether log Z is computed exactly unasked."""
    smaller = min(model.n_hidden, model.n_features) if model.visible.binary else model.n_hidden
    return smaller <= ENUMERATED


class PartitionFunction:
    """`log_z_` and `log_z_reverse_` of an estimator with `chains_` and the options `ais_steps` and `ais_runs`."""

    def _measure(self, visits: Visits) -> None:
        if self.log_z_ is None and self.ais_steps > 0 and self.theta_["W"].any():
            with suppress(KeyboardInterrupt):
                self._anneal(visits[0].mean(axis=0), self.seed_)

    def estimate_log_z(self: P, random_state: int | np.random.Generator | None = 0) -> P:
        """Estimate log Z with `ais_steps` and `ais_runs`, by annealing that begins at the mean of `chains_`.

        `fit` does so by itself, from the mean of the data. This is for a machine that has no estimate yet, see
        `log_z_`, or is to have another one; where log Z is known exactly nothing changes.

        Returns
        -------
        self
            With `log_z_` and `log_z_reverse_`, which `save` writes as well.
        """
        self._require_fitted()
        seed, steps = random_seed(random_state), self._option("ais_steps")
        if not enumerable(self.model_):
            if steps < 2:
                raise ArgumentError("ais_steps", "be at least 2 for an estimate", steps, "set_params changes it")
            self._anneal(self.chains_.mean(axis=0), seed)
        return self

    def _anneal(self, mean: NDArray, seed: int) -> None:
        """Set `log_z_` and `log_z_reverse_` by annealing both ways, from and to a machine with that mean."""
        model, theta, steps, runs = self.model_, self.theta_, self._option("ais_steps"), self._option("ais_runs")
        start = self.chains_[np.arange(runs) % len(self.chains_)]
        forward, backward = (np.random.default_rng([seed, 0, stream]) for stream in (AIS, REVERSE))
        log_z = evaluation.annealed_importance_sampling(model, theta, forward, mean, steps, runs)
        reverse = evaluation.reverse_annealing(model, theta, start, backward, mean, steps, BURN_IN)
        self.log_z_, self.log_z_reverse_ = log_z, reverse

    def _known_log_z(self) -> float:
        """log Z, or an `ArgumentError` that says how to get an estimate."""
        if self.log_z_ is None:
            advice, settings = "call estimate_log_z, or fit with {ais_steps}", {"ais_steps": self.ais_steps or 1000}
            raise ArgumentError("log Z", "be known for a likelihood", "no estimate", advice, settings)
        return self.log_z_ if isinstance(self.log_z_, float) else self.log_z_.log_z

    def likelihood_note(self) -> str:
        """The log Z in −log p(x) = F(x) + log Z, and where it is from."""
        return f"log Z {'' if self.log_z_ is None else '= '}{self._told()}"

    def _told(self) -> str:
        """log Z in words."""
        forward, reverse = self.log_z_, self.log_z_reverse_
        if forward is None:
            return "was not estimated"
        if isinstance(forward, float):
            return f"{forward:.2f} nats, exactly, by enumeration"
        low, high = forward.interval
        estimate = f"{forward.log_z:.2f} nats ({low:.2f} to {high:.2f})"
        way = f"by annealed importance sampling, {forward.steps:,} steps"
        return f"{estimate} {way}; {reverse.log_z:.2f} in reverse"

    # ---- one file ----------------------------------------------------------------------------------------------------

    def _log_z_state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """What a file holds of log Z: for its header, and arrays."""
        told, arrays = {}, {}
        for name, found in (("log_z", self.log_z_), ("log_z_reverse", self.log_z_reverse_)):
            if isinstance(found, evaluation.LogPartition):
                arrays[name], told[f"{name}_steps"] = found.log_weights, found.steps
            elif found is not None:
                told[f"{name}_exact"] = found
        return told, arrays

    def _restore_log_z(self, state: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        """Set what `_log_z_state` told; a ValueError if it cannot be."""
        found: dict[str, Any] = {}
        for name, direction in (("log_z", "forward"), ("log_z_reverse", "reverse")):
            if name in arrays:
                steps, weights = integer("steps", state[f"{name}_steps"], at_least=2), arrays[name]
                if weights.ndim != 1 or not weights.size or not np.isfinite(weights).all():
                    raise ValueError(f"{name} should be finite, one number a run, got shape {weights.shape}")
                found[name] = evaluation.LogPartition(weights, direction, steps)
            else:
                found[name] = number(name, state[f"{name}_exact"]) if f"{name}_exact" in state else None
        self.log_z_, self.log_z_reverse_ = found["log_z"], found["log_z_reverse"]
