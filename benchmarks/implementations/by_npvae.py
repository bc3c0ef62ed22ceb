"""npvae through its public face: `npvae.training.train`, and the estimator's methods for inference."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from benchmarks.implementations import LEARNING_RATE, Workload
from npvae import VAE, models
from npvae.layers import conv, conv_transpose
from npvae.optimizers import Adam
from npvae.training import Progress, TrainingRun
from npvae.training import train as train_model
from npvae.training.term_sums import TermSums

FOR_EVER = 10**9

__all__ = ["build", "infer", "train"]


class Paced(Progress):
    """A progress display that shows nothing, and tells `pace` the loss of every step."""

    def __init__(self, pace: Callable[[float], None]) -> None:
        super().__init__(FOR_EVER)
        self.pace, self._steps, self._rows, self._total = pace, 0, 0, 0.0

    def step(self, run: TrainingRun, sums: TermSums, n: int) -> None:
        """The loss of the steps that have ended, as what they added to the sum of the epoch."""
        if sums.n > self._rows:
            total = sums.means()["loss"] * sums.n
            loss = (total - self._total) / (sums.n - self._rows)
            self._rows, self._total = sums.n, total
            self._tell(run, loss)

    def epoch(self, run: TrainingRun) -> None:
        """The steps by several processes that ended with the epoch have its mean loss."""
        self._rows, self._total = 0, 0.0
        self._tell(run, run.history["loss"][-1])

    def _tell(self, run: TrainingRun, loss: float) -> None:
        steps, self._steps = run.optimizer_state.t - self._steps, run.optimizer_state.t
        for _ in range(steps):
            self.pace(loss)


def build(workload: Workload) -> models.VAE:
    """The model of a workload."""
    n, d, hidden, activation = workload.n_features, workload.latent, workload.hidden, workload.activation
    if not workload.channels:
        return models.VAE.mlp(n, d, hidden, activation)
    image = (workload.sides[0], workload.sides[0], 1)
    encoder = conv(image, workload.channels, 2 * d, hidden, activation)
    decoder = conv_transpose(d, image, workload.channels, n, hidden, activation)
    return models.VAE(n, d, encoder, decoder)


def train(workload: Workload, x: NDArray, seed: int, variant: str, pace: Callable[[float], None]) -> None:
    """The library's own training loop, as it is, by as many processes as the variant says."""
    model = build(workload)
    theta = model.init(np.random.default_rng(seed))
    train_model(
        model,
        theta,
        x,
        optimizer=Adam(LEARNING_RATE),
        epochs=FOR_EVER,
        batch_size=workload.batch,
        seed=seed,
        progress=Paced(pace),
        n_jobs=int(variant or 1),
    )


def infer(workload: Workload, x: NDArray, seed: int, variant: str, pace: Callable[[float], None]) -> None:
    """`transform`, `inverse_transform` and `sample` of a fitted estimator."""
    vae = VAE(workload.latent, workload.hidden, workload.activation, epochs=1, random_state=seed).fit(x[:256])
    rng = np.random.default_rng(seed)
    while True:
        z = vae.transform(x[: workload.batch])
        pixels = vae.inverse_transform(z)
        samples = vae.sample(workload.batch, rng)
        pace(float(pixels[0, 0] + samples[0, 0]))
