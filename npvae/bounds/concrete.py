"""The Concrete relaxation of a bit: a biased gradient, the exact one of another objective."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.numerics import logit, sigmoid

__all__ = ["relaxed_bits", "relaxed_slope"]


def relaxed_bits(a: NDArray, u: NDArray, temperature: float) -> NDArray:
    """z_j = σ((a_j + log u'_j − log(1 − u'_j))/τ) in (0, 1), u' = 1 − u; as τ → 0 it becomes the bit 1[u < σ(a)].

    Biased: the expectation of f at relaxed bits is not that at bits, and neither is its gradient, until τ → 0, where
    the variance grows without bound.

    Parameters
    ----------
    a : (…, d) array
        Logits of q.
    u : (…, d) array
        Uniform in [0, 1).
    temperature : float
        τ > 0.

    Returns
    -------
    (…, d) array

    References
    ----------
    Maddison, Mnih & Teh, The Concrete distribution (2017), appendix B. Jang, Gu & Poole, Categorical reparameterization
    with Gumbel-softmax (2017).
    """
    inside = np.minimum(np.maximum(u, np.finfo(u.dtype).tiny), 1 - np.finfo(u.dtype).epsneg)
    return sigmoid((a - logit(inside)) / temperature)


def relaxed_slope(z: NDArray, temperature: float) -> NDArray:
    """∂z_j/∂a_j = z_j (1 − z_j)/τ, of what `relaxed_bits` returned."""
    return z * (1 - z) / temperature
