"""Bits-back coding: data with latents, for the price of −ELBO.

To push a row x, a coder

    pops   z from q(z|x),   which gives log 1/q(z|x) back,
    pushes x by p(x|z),     which costs log 1/p(x|z),
    pushes z by p(z),       which costs log 1/p(z),

altogether E[log q(z|x) − log p(x|z) − log p(z)] = −ELBO. The decoder pops z, then x, and pushes z by q(z|x): that puts
the bits back that the coder had taken, and they belong to the rows before. Only the first rows have nothing to take
from: they take pseudo-random words that both sides know, and these are the first bits that a file costs on top.

**The same numbers on both sides.** Coder and decoder run the networks in float64, on batches of one shape, whatever the
number of rows. What a network puts out is rounded coarsely before it becomes frequencies, so that two machines whose
products differ by 10⁻¹³ almost always have the same frequencies. After it come only operations that IEEE 754 rounds in
one way, and exponentials of the few numbers of a grid. Where two machines still differ, the checksums of the file say
so; docs/compression.md has how often that is.

References
----------
Townsend, Bird & Barber, Practical lossless compression with latent variables using bits back coding (2019), section 2.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MethodType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.compression.ans import Message
from npvae.compression.codes import (
    FRACTION,
    Bits,
    Code,
    GaussianBins,
    LogisticBins,
    Uniform,
    bin_centres,
    pop_all,
    push_all,
)
from npvae.distributions import Bernoulli, DiagonalGaussian, DiscretizedLogistic, LogisticMixture, StandardNormal
from npvae.parameters import Parameters
from npvae.validation import ArgumentError

__all__ = ["Coder"]

LATENT_BITS = 12
"""A latent is one of 2¹² bins of equal prior probability: narrow beside any posterior that a VAE learns."""

LOGIT_GRID, MEAN_GRID, SCALE_GRID = 32, 1 << 13, 64
"""Steps a unit to which logits, means of pixels and log-scales are rounded, and means and log-variances of latents to
the last. Half a step of a logit costs at most 3.1·10⁻⁵ nats a pixel."""

MAX_LOGIT, MAX_LOG = 15.0, 60.0
"""Logits, and the logarithms of variances and scales, are cut off there and at minus that: their exponentials, to 24
bits, stay finite and above 0."""


@dataclass(frozen=True)
class Coder:
    """Pushes batches of rows on a message, and pops them.

    Parameters
    ----------
    model : object
        With `n_features`, `latent_dim`, `posterior` (diagonal Gaussian), `prior` (N(0, I)), `likelihood` (Bernoulli,
        discretised logistic or a mixture of these), ``encode(theta, x)`` and ``decode(theta, z)``.
    theta : Parameters
    batch : int
        Rows that the networks see at a time, always as many.
    lanes : int
        Lanes for each row: its pixels are dealt to them.

    Raises
    ------
    ArgumentError
        If the model has another posterior or prior, or no likelihood of discrete data.
    """

    model: Any
    theta: Parameters
    batch: int
    lanes: int

    def __post_init__(self) -> None:
        discrete = Bernoulli | DiscretizedLogistic | LogisticMixture
        for part, kinds, what in (
            ("posterior", DiagonalGaussian, "a diagonal Gaussian posterior"),
            ("prior", StandardNormal, "the prior N(0, I)"),
            ("likelihood", discrete, "a likelihood of discrete data (Bernoulli, discretised logistic)"),
        ):
            if not isinstance(found := getattr(self.model, part, None), kinds):
                named = isinstance(found, type(None) | MethodType)
                got = type(self.model).__name__ if named else type(found).__name__
                raise ArgumentError("model", f"have {what} to compress", got)
        theta = Parameters.from_flat(self.theta.shapes, self.theta.flat.astype(np.float64))
        object.__setattr__(self, "theta", theta)

    @property
    def levels(self) -> int:
        """How many values a pixel can have."""
        return getattr(self.model.likelihood, "levels", 2)

    def push(self, message: Message, rows: NDArray) -> Message:
        """Push rows (n, D) of levels 0, …, levels − 1; at most a batch of them."""
        x, active = self._filled(rows), self._active(len(rows))
        message, bins = pop_all(message, self._posterior(x), active(self.model.latent_dim))
        message = push_all(message, self._likelihood(bins), self._dealt(x), active(self.model.n_features))
        return push_all(message, Uniform(LATENT_BITS), bins, active(self.model.latent_dim))

    def pop(self, message: Message, n: int) -> tuple[Message, NDArray]:
        """Pop the n rows that were pushed last."""
        active = self._active(n)
        message, bins = pop_all(message, Uniform(LATENT_BITS), active(self.model.latent_dim))
        message, pixels = pop_all(message, self._likelihood(bins), active(self.model.n_features))
        x = self._gathered(pixels, self.model.n_features)
        return push_all(message, self._posterior(x), bins, active(self.model.latent_dim)), x[:n]

    def _posterior(self, x: NDArray) -> Code:
        """q(z|x) on the bins of the prior."""
        a = _finite(self.model.encode(self.theta, x / (self.levels - 1)), "encoder")
        mu, log_var = np.split(np.rint(a * SCALE_GRID) / SCALE_GRID, 2, axis=1)
        sigma = _exp(0.5 * np.clip(self._dealt(log_var), -MAX_LOG, MAX_LOG))
        return GaussianBins(self._dealt(mu), sigma, LATENT_BITS)

    def _likelihood(self, bins: NDArray) -> Code:
        """p(x|z) at the centres of the bins."""
        z = bin_centres(LATENT_BITS)[self._gathered(bins, self.model.latent_dim)]
        a = _finite(self.model.decode(self.theta, z), "decoder")
        if isinstance(self.model.likelihood, Bernoulli):
            logits = np.clip(np.rint(a * LOGIT_GRID) / LOGIT_GRID, -MAX_LOGIT, MAX_LOGIT)
            return Bits(self._dealt(logits))
        log_weights, mean, log_scale = self.model.likelihood.components(a)
        total = np.cumsum(_exp(np.rint(log_weights * LOGIT_GRID) / LOGIT_GRID), axis=0)
        ends = np.rint(total / total[-1] * (1 << FRACTION)).astype(np.int64)
        shares = [self._dealt(share) for share in np.diff(ends, axis=0, prepend=0)]
        means = [self._dealt(np.rint(m * MEAN_GRID) / MEAN_GRID) for m in mean]
        logs = [self._dealt(np.rint(s * SCALE_GRID) / SCALE_GRID) for s in log_scale]
        scales = [_exp(np.clip(s, -MAX_LOG, MAX_LOG)) for s in logs]
        return LogisticBins(np.stack(shares), np.stack(means), np.stack(scales), self.levels)

    def _dealt(self, values: NDArray) -> NDArray:
        """(batch, width) as (S, batch · lanes): the entries of a row go round its lanes; what is left over is 0."""
        steps = -(-values.shape[1] // self.lanes)
        whole = np.zeros((self.batch, steps * self.lanes), values.dtype)
        whole[:, : values.shape[1]] = values
        return np.ascontiguousarray(whole.reshape(self.batch, steps, self.lanes).swapaxes(0, 1)).reshape(steps, -1)

    def _gathered(self, values: NDArray, width: int) -> NDArray:
        """The inverse of `_dealt`."""
        rows = values.reshape(len(values), self.batch, self.lanes).swapaxes(0, 1).reshape(self.batch, -1)
        return np.ascontiguousarray(rows[:, :width])

    def _filled(self, rows: NDArray) -> NDArray:
        """A whole batch: rows, and below them zeros."""
        whole = np.zeros((self.batch, self.model.n_features), np.int64)
        whole[: len(rows)] = rows
        return whole

    def _active(self, n: int) -> Any:
        """Which steps and lanes have an entry of the first n rows, for a given width."""

        def of_width(width: int) -> NDArray:
            ones = np.zeros((self.batch, width), bool)
            ones[:n] = True
            return self._dealt(ones)

        return of_width


def _finite(a: NDArray, network: str) -> NDArray:
    if not np.isfinite(a).all():
        raise ArgumentError("model", f"put out finite numbers in its {network} to compress", "NaN or infinity")
    return a


def _exp(grid: NDArray) -> NDArray:
    """e^grid to 24 bits: of numbers that are steps of a grid, so few that no two exponential functions differ there."""
    return np.exp(grid).astype(np.float32).astype(np.float64)
