"""Cases of tables: a likelihood for every column, gaps, and the encoder of incomplete rows."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from npvae.distributions import Categories, Counts, Mixed
from npvae.distributions.log_gamma import log_factorial, log_factorial_slope
from npvae.layers import Chain, Missing, mlp
from npvae.models import VAE
from npvae.parameters import Parameters
from npvae.proofs.case import Case

COUNTS = Counts(shift=(0.7, 1.1), unit=(0.6, 0.8), rate=(1.5, 3.0))
KINDS = {
    "reals": Mixed(reals=3),
    "counts": Mixed(counts=COUNTS),
    "truth values": Mixed(truth_values=3),
    "categories": Mixed(categories=Categories((3, 2))),
    "all kinds": Mixed(2, COUNTS, 2, Categories((3, 2))),
}
SHAPES = {"": ((5,), (5,)), " of several draws": ((3, 5), (5,)), " of several rows": ((1,), (3, 5))}
"""Rows of the numbers and of the data, which broadcast."""


def cases() -> Iterator[Case]:
    """Cases of the mixed likelihood, with gaps and without, and of a model that learns from rows with gaps."""
    for kind, likelihood in KINDS.items():
        for label, (of_a, of_x) in SHAPES.items():
            yield _density(f"{kind}{label}", likelihood, of_a, of_x)
        yield _with_gaps(kind, likelihood)
    yield Case("distributions.log_factorial", _log_factorial, (), (log_factorial_slope,))
    yield Case("layers.Missing", _missing, (Missing,))
    for bound in ("elbo", "iwae"):
        yield _model(bound)


def _data(likelihood: Mixed, rng: np.random.Generator, rows: tuple[int, ...]) -> tuple[NDArray, NDArray]:
    """Numbers and data of so many rows."""
    a = rng.standard_normal((*rows, likelihood.n_params(likelihood.width)))
    return a, likelihood.sample(a, likelihood.draw_noise(rng, (*rows, likelihood.width), np.float64))[0]


def _gaps(likelihood: Mixed, rng: np.random.Generator, x: NDArray) -> NDArray:
    """X with a third of it unknown; a category is known or not as a whole."""
    unknown = rng.random(x.shape) < 1 / 3
    start = likelihood.width - likelihood.categories.n
    for size in likelihood.categories.sizes:
        unknown[..., start : start + size] = unknown[..., start : start + 1]
        start += size
    return np.where(unknown, np.nan, x)


def _density(name: str, likelihood: Mixed, of_a: tuple[int, ...], of_x: tuple[int, ...]) -> Case:
    def backward(cache: tuple, dlog_prob: NDArray) -> dict[str, NDArray]:
        return {
            "a": likelihood.log_prob_backward(cache, dlog_prob),
            "x": likelihood.log_prob_backward_x(cache, dlog_prob),
        }

    def make(rng: np.random.Generator) -> tuple:
        a, x = _data(likelihood, rng, of_a)[0], _data(likelihood, rng, of_x)[1]
        return likelihood.log_prob, backward, {"a": a, "x": x}

    return Case(f"distributions.Mixed {name}", make, (Mixed,))


def _with_gaps(name: str, likelihood: Mixed) -> Case:
    def make(rng: np.random.Generator) -> tuple:
        a, x = _data(likelihood, rng, (7,))
        x = _gaps(likelihood, rng, x)
        return lambda a: likelihood.log_prob(a, x.astype(a.real.dtype)), likelihood.log_prob_backward, (a,)

    return Case(f"distributions.Mixed {name} with gaps", make, (Mixed,))


def _log_factorial(rng: np.random.Generator) -> tuple:
    def forward(n: NDArray) -> tuple:
        return log_factorial(n), n

    return forward, lambda n, dy: log_factorial_slope(n) * dy, (rng.gamma(2, 3, (4, 4)),)


def _missing(rng: np.random.Generator) -> tuple:
    layer, unknown = Missing((0, 2)), rng.random((5, 4)) < 1 / 3
    params = Parameters({})

    def forward(x: NDArray) -> tuple:
        return layer.forward(params, np.where(unknown, np.nan, x))

    return forward, lambda known, dy: layer.backward(params, known, dy, params), (rng.standard_normal((5, 4)),)


def _model(bound: str) -> Case:
    likelihood, latents = KINDS["all kinds"], 2
    n = likelihood.width
    encoder = Chain(Missing((0, 3)), *mlp(n + 2, (4,), 2 * latents, "tanh").layers)
    model = VAE(n, latents, encoder, mlp(latents, (4,), n, "tanh"), likelihood=likelihood, bound=bound, n_samples=3)

    def make(rng: np.random.Generator) -> tuple:
        return model, _gaps(likelihood, rng, _data(likelihood, rng, (5,))[1])

    return Case(f"models.VAE mixed with gaps {bound}", make, (VAE,))
