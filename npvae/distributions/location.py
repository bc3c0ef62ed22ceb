"""What distributions about a mean have in common, when their width is given: the way from `a` to the mean and back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from npvae.distributions.distribution import Distribution, sum_to_shape
from npvae.distributions.links import inverse_link, link_mean, link_mean_backward

__all__ = ["Location"]


class Location(Distribution):
    """x_j = m_j + w eps_j with a given width w: `a` holds the means m, or their logits.

    A subclass has the density of eps, and beside the members below

    Attributes
    ----------
    link : {"identity", "sigmoid"}
        m = a, or m = 1/(1 + e^{−a}) for data in [0, 1].
    width : float
        w, in units of x.
    """

    link: str

    @property
    def width(self) -> float:
        """What the noise is multiplied by, in units of x."""
        raise NotImplementedError

    def n_params(self, d: int) -> int:
        """One mean a dimension: d."""
        return d

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, NDArray]:
        """x = m + w eps. The cache is m."""
        mean = link_mean(self.link, a)
        return mean + self.width * eps, mean

    def sample_backward(self, cache: NDArray, dx: NDArray) -> NDArray:
        """dm = dx, summed over the axes that only eps had; da = dm, or m (1 − m) dm."""
        return link_mean_backward(self.link, cache, sum_to_shape(dx.copy(), cache.shape))

    def entropy_backward(self, cache: NDArray, dentropy: NDArray) -> NDArray:
        """da = 0: the width is not a function of a."""
        return np.zeros_like(cache)

    def mean(self, a: NDArray) -> NDArray:
        """E[x] = m (a copy)."""
        return np.array(link_mean(self.link, a))

    def mean_grad(self, a: NDArray, dmean: NDArray) -> NDArray:
        """da = dmean, or m (1 − m) dmean (a copy)."""
        return np.array(link_mean_backward(self.link, link_mean(self.link, a), dmean))

    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """The mean itself (a copy), or its logit, kept finite by 0.001 off 0 and 1."""
        return inverse_link(self.link, mean)
