"""Cases of `npvae.numerics`."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from npvae.numerics import absolute, log_mean_exp, log_product, logit, logsumexp, sigmoid, softplus
from npvae.proofs.case import Case, N


def cases() -> Iterator[Case]:
    """Cases of functions."""

    def case(function: Callable, derivative: Callable, draw: Callable) -> Case:
        return Case(f"numerics.{function.__name__}", lambda rng: (function, derivative, (draw(rng),)), (function,))

    def normal(rng: np.random.Generator) -> NDArray:
        return 3 * rng.standard_normal((3, N))

    yield case(absolute, lambda dy, a: dy * a / absolute(a), normal)
    yield case(sigmoid, lambda dy, a: dy * sigmoid(a) * sigmoid(-a), normal)
    yield case(softplus, lambda dy, a: dy * sigmoid(a), normal)
    for function in (logsumexp, log_mean_exp):
        yield case(function, lambda dy, a: dy * np.exp(a - logsumexp(a, axis=0)), normal)
    yield case(log_product, lambda dy, f: dy[..., None] / f, lambda rng: rng.uniform(1, 2, (3, 2 * N + 3)))
    yield case(logit, lambda dy, p: dy / (p * (1 - p)), lambda rng: rng.uniform(0.05, 0.95, (3, N)))
