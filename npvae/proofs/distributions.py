"""Cases of `npvae.distributions`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from npvae.distributions import (
    Bernoulli,
    ContinuousBernoulli,
    DiagonalGaussian,
    DiscretizedLogistic,
    FixedGaussian,
    FullGaussian,
    LearnedGaussian,
    LogisticMixture,
    standard_normal,
)
from npvae.distributions.distribution import sum_to_shape
from npvae.distributions.links import link_mean_backward
from npvae.proofs.case import Case, N

NARROW = ((), (1,), (N,), (1, N), (1, 1), (3, 1), (1, 1, N), (1, 3, N))
WHOLE = ((2, 3, N), (1, 3, N))
"""Shapes that are broadcast, and those they are broadcast to."""


def cases() -> Iterator[Case]:
    """Cases of distributions, the prior, and summing over what was broadcast."""

    def case(name: str, dist: object) -> Case:
        backwards = (link_mean_backward,) if hasattr(dist, "link") else ()
        return Case(f"distributions.{name}", lambda rng: dist, (type(dist),), backwards)

    yield case("Bernoulli", Bernoulli())
    yield case("ContinuousBernoulli", ContinuousBernoulli())
    yield case("DiagonalGaussian", DiagonalGaussian())
    yield case("FullGaussian", FullGaussian())
    yield case("FixedGaussian σ=1", FixedGaussian())
    yield case("FixedGaussian σ=0.7", FixedGaussian(0.7))
    yield case("FixedGaussian sigmoid", FixedGaussian(0.7, "sigmoid"))
    for shared in (False, True):
        for link in ("identity", "sigmoid"):
            name = f"LearnedGaussian {link}" + (" shared" if shared else "")
            yield case(name, LearnedGaussian(shared, link, min_log_var=-0.5))

    # Few levels: entropies go through all of them, and the random x meet the ends and what lies between.
    for link in ("identity", "sigmoid"):
        yield case(f"DiscretizedLogistic {link}", DiscretizedLogistic(link, levels=5, min_log_scale=-0.5))
    yield case("LogisticMixture", LogisticMixture(3, levels=5, min_log_scale=-0.5))
    yield _sum_to_shape()
    yield _prior()


def _sum_to_shape() -> Case:
    def broadcast(*tensors: NDArray) -> tuple:
        whole = tuple(np.broadcast_to(tensor, shape).copy() for shape in WHOLE for tensor in tensors)
        return whole, [tensor.shape for tensor in tensors]

    def sum_back(shapes: list, dy: tuple) -> list[NDArray]:
        n = len(shapes)
        return [sum_to_shape(dy[i], shapes[i]) + sum_to_shape(dy[n + i], shapes[i]) for i in range(n)]

    def make(rng: np.random.Generator) -> tuple:
        return broadcast, sum_back, tuple(np.asarray(rng.standard_normal(shape)) for shape in NARROW)

    return Case("distributions.sum_to_shape", make, (), (sum_to_shape,))


def _prior() -> Case:
    def make(rng: np.random.Generator) -> tuple:
        return standard_normal.log_prob, standard_normal.log_prob_backward, (rng.standard_normal((3, N, 2)),)

    return Case("distributions.standard_normal", make, (), (standard_normal.log_prob_backward,))
