"""ARM and DisARM: unbiased gradients for Bernoulli latents from a pair of draws with noise u and 1 − u."""

from __future__ import annotations

from collections.abc import Callable

from numpy.typing import NDArray

from npvae.numerics import absolute, sigmoid

__all__ = ["PAIRS", "arm", "disarm"]


def arm(f: NDArray, f_pair: NDArray, u: NDArray, a: NDArray) -> NDArray:
    """∂E[f(z)]/∂a_j = E_u[(f(z̃) − f(z)) (u_j − ½)], z = 1[u < σ(a)] and z̃ = 1[1 − u < σ(a)].

    Parameters
    ----------
    f, f_pair : (K, n) arrays
        f(z) and f(z̃), nats.
    u : (K, n, d) array
        Uniform in [0, 1).
    a : (K, n, d) or (1, n, d) array
        Logits of q.

    Returns
    -------
    (K, n, d) array
        The estimate of every sample.

    References
    ----------
    Yin & Zhou, ARM: augment-REINFORCE-merge gradient for stochastic binary networks (2019), theorem 1.
    """
    return (f_pair - f)[..., None] * (u - 0.5)


def disarm(f: NDArray, f_pair: NDArray, u: NDArray, a: NDArray) -> NDArray:
    """The mean of `arm` over all u that give the same pair: ½ (f(z) − f(z̃)) (z_j − z̃_j) σ(|a_j|).

    Where z_j = z̃_j it is zero. Its variance is never above that of `arm` (Rao-Blackwell).

    Parameters
    ----------
    f, f_pair : (K, n) arrays
        f(z) and f(z̃), nats.
    u : (K, n, d) array
        Uniform in [0, 1).
    a : (K, n, d) or (1, n, d) array
        Logits of q.

    Returns
    -------
    (K, n, d) array
        The estimate of every sample.

    References
    ----------
    Dong, Mnih & Tucker, DisARM: an antithetic gradient estimator for binary latent variables (2020), eq. (4). Yin, Ho,
    Yan, Qian & Zhou, Probabilistic best subset selection (2020), who call it U2G.
    """
    p = sigmoid(a)
    difference = (u < p).astype(u.dtype) - (1 - u < p)
    return (0.5 * (f - f_pair))[..., None] * difference * sigmoid(absolute(a))


PAIRS: dict[str, Callable[[NDArray, NDArray, NDArray, NDArray], NDArray]] = {"arm": arm, "disarm": disarm}
"""The antithetic estimators by the name that a user types."""
