"""Cases of `npvae.distributions`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from npvae.distributions import (
    LIKELIHOODS,
    Bernoulli,
    ContinuousBernoulli,
    DiagonalGaussian,
    DiscretizedLogistic,
    FixedGaussian,
    FullGaussian,
    LearnedBernoulli,
    LearnedGaussian,
    LogisticMixture,
    Prior,
    StandardNormal,
    UniformBernoulli,
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

    explicit = (Bernoulli, ContinuousBernoulli, FixedGaussian, LearnedGaussian)
    for name, family in LIKELIHOODS.items():
        links = ("identity", "sigmoid") if "mean_link" in family.takes else ()
        for options in [{"mean_link": link} for link in links] or [{}]:
            if family.make not in explicit:
                yield case(" ".join([name, *options.values()]), family(**options))

    # Few levels: entropies go through all of them, and the random x meet the ends and what lies between.
    for link in ("identity", "sigmoid"):
        yield case(f"DiscretizedLogistic {link}", DiscretizedLogistic(link, levels=5, min_log_scale=-0.5))
    yield case("LogisticMixture", LogisticMixture(3, levels=5, min_log_scale=-0.5))
    yield _sum_to_shape()
    for prior in (StandardNormal(), UniformBernoulli(), LearnedBernoulli(N)):
        yield _prior(prior)
    yield _kl_to_learned_bernoulli()


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


def _parameters(prior: Prior, rng: np.random.Generator) -> dict[str, NDArray]:
    return {name: value + rng.standard_normal(value.shape) for name, value in prior.init(rng).items()}


def _prior(prior: Prior) -> Case:
    def forward(z: NDArray, **params: NDArray) -> tuple:
        value, cache = prior.log_prob(z, params)
        return value, (cache, {name: np.empty_like(array) for name, array in params.items()})

    def backward(saved: tuple, dvalue: NDArray) -> dict[str, NDArray]:
        cache, grads = saved
        return {"z": prior.log_prob_backward(cache, dvalue, grads), **grads}

    def make(rng: np.random.Generator) -> tuple:
        return forward, backward, {"z": rng.standard_normal((3, N, N)), **_parameters(prior, rng)}

    return Case(f"distributions.{type(prior).__name__}", make, (type(prior),))


def _kl_to_learned_bernoulli() -> Case:
    posterior, prior = Bernoulli(), LearnedBernoulli(N)

    def forward(a: NDArray, b: NDArray) -> tuple:
        return posterior.kl(a, prior, {"b": b})

    def backward(cache: tuple, dkl: NDArray) -> dict[str, NDArray]:
        grads = {"b": np.empty(N, cache[1].dtype)}
        da = posterior.kl_backward(cache, dkl, grads)
        return {"a": da.reshape(cache[0].shape), **grads}  # None would pass for an argument without a gradient

    def make(rng: np.random.Generator) -> tuple:
        return forward, backward, {"a": rng.standard_normal((3, N)), **_parameters(prior, rng)}

    return Case("distributions.Bernoulli kl to LearnedBernoulli", make, (Bernoulli,))
