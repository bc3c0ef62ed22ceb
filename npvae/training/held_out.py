"""The loss on data that are not trained on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import Term
from npvae.models import Model, State
from npvae.parameters import Parameters
from npvae.training.term_sums import TermSums


def evaluate(
    model: Model,
    theta: Parameters,
    x: NDArray,
    rng: np.random.Generator,
    batch_size: int = 1000,
    state: State | None = None,
) -> dict[str, float]:
    """Mean "loss" over the rows of x (n, d), and the mean of each of its terms by name, nats.

    The rows go through the model `batch_size` at a time, which bounds the memory. The same seed of `rng`, the source of
    the noise, gives the same value. A model with state between steps needs its `state`.
    """
    return held_out(model, theta, x, rng, batch_size, state)[0]


def held_out(
    model: Model, theta: Parameters, x: NDArray, rng: np.random.Generator, batch_size: int, state: State | None
) -> tuple[dict[str, float], dict[str, Term]]:
    """What `evaluate` returns, and label, unit and weight of every term."""
    sums, terms = TermSums(), {}
    after = () if state is None else (state,)
    for start in range(0, len(x), batch_size):
        rows = np.asarray(x[start : start + batch_size], dtype=theta.dtype)
        loss = model.loss(theta, rows, model.draw_noise(rng, len(rows), theta.dtype), *after)
        sums.add(loss)
        terms = terms or loss.described()
    return sums.means(), terms
