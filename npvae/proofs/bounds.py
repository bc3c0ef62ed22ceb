"""Cases of `npvae.bounds`."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from npvae import bounds
from npvae.proofs.case import Case, N
from npvae.proofs.definitions import require_definition


def cases() -> Iterator[Case]:
    """Cases of every bound, by the definition of its value and by its upstream weights."""

    def case(bound: Callable, *shapes: tuple[int, ...], **options: float) -> Case:
        names = list(inspect.signature(bound).parameters)[: len(shapes)]

        def forward(*densities: NDArray) -> tuple:
            loss, upstream = bound(*densities, **options)
            require_definition(bound, densities, loss, upstream, **options)
            return (loss.value, loss.per_datum), upstream

        def backward(upstream: dict[str, NDArray], dy: tuple) -> list[NDArray]:
            dvalue, dloss = dy
            # The weights are those of the mean over n; of every single datum they are n times as large. einsum does not
            # broadcast: they must have the shape of what they weigh.
            return [np.einsum("...n,n->...n", upstream[name], dvalue + N * dloss) for name in names]

        def make(rng: np.random.Generator) -> tuple:
            return forward, backward, tuple(rng.standard_normal(shape) for shape in shapes)

        settings = "".join(f" {name}={value:g}" for name, value in options.items()).replace("beta", "β")
        return Case(f"bounds.{bound.__name__} L={shapes[0][0]}{settings}", make, (), (bound,))

    for n_samples, beta in ((1, 1.0), (3, 1.7)):
        sampled = (n_samples, N)
        yield case(bounds.elbo, sampled, (N,), beta=beta)
        for bound in (bounds.monte_carlo_elbo, bounds.sticking_the_landing, bounds.score_function):
            yield case(bound, sampled, sampled, sampled, beta=beta)
        for bound in (bounds.iwae, bounds.dreg):
            yield case(bound, sampled, sampled, sampled)

    def free_bits(log_px_z: NDArray, kl_terms: NDArray) -> tuple:
        options = {"bits": 0.7, "beta": 1.7}
        loss, upstream = bounds.free_bits(log_px_z, kl_terms, **options)
        require_definition(bounds.free_bits, (log_px_z, kl_terms), loss, upstream, **options)
        return loss.value, {name: upstream[name] for name in ("log_px_z", "kl_terms")}

    def free_bits_backward(upstream: dict[str, NDArray], dvalue: NDArray) -> dict[str, NDArray]:
        return {name: dvalue * weight for name, weight in upstream.items()}

    def densities(rng: np.random.Generator) -> tuple:
        # The means of two latents lie below the free bits and of one above, none near.
        return rng.standard_normal((3, N)), np.array([0.2, 0.5, 2.0]) * rng.uniform(0.8, 1.2, (N, 3))

    yield Case("bounds.free_bits", lambda rng: (free_bits, free_bits_backward, densities(rng)), (), (bounds.free_bits,))
