"""From what a network puts out to the mean of a Gaussian: itself, or a logistic function for data in [0, 1]."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.distributions.distribution import off_the_ends
from npvae.numerics import logit, sigmoid
from npvae.validation import one_of

__all__ = ["check_link", "inverse_link", "link_mean", "link_mean_backward"]


def check_link(link: str) -> None:
    """An ArgumentError unless `link` is "identity" or "sigmoid"."""
    one_of("link", link, {"identity": None, "sigmoid": None})


def link_mean(link: str, a: NDArray) -> NDArray:
    """The mean: a itself (no copy), or σ(a)."""
    return sigmoid(a) if link == "sigmoid" else a


def link_mean_backward(link: str, mean: NDArray, dmean: NDArray) -> NDArray:
    """da = dmean (no copy), or mean (1 − mean) dmean."""
    return mean * (1 - mean) * dmean if link == "sigmoid" else dmean


def inverse_link(link: str, mean: NDArray) -> NDArray:
    """The a with that mean (a copy); for the logit the mean is kept off 0 and 1 by 0.001."""
    return logit(off_the_ends(mean)) if link == "sigmoid" else np.array(mean)
