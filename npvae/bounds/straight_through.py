"""The straight-through estimate: biased, because it differentiates a step as if it were the probability behind it."""

from __future__ import annotations

from numpy.typing import NDArray

from npvae.numerics import sigmoid

__all__ = ["straight_through_slope"]


def straight_through_slope(a: NDArray) -> NDArray:
    """σ'(a_j) = σ(a_j)(1 − σ(a_j)), put in the place of ∂z_j/∂a_j, which is zero or does not exist.

    Biased: E[∂f(z)/∂z_j] σ'(a_j) is the gradient of E[f(z)] only where f is linear in each z_j by itself.

    Parameters
    ----------
    a : (…, d) array
        Logits of q.

    Returns
    -------
    (…, d) array

    References
    ----------
    Bengio, Léonard & Courville, Estimating or propagating gradients through stochastic neurons for conditional
    computation (2013), section 4, there without the factor σ'(a).
    """
    return sigmoid(a) * sigmoid(-a)
