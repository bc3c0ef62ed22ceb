"""A ring in the plane: a simple map makes a complicated density out of a Gaussian."""

from __future__ import annotations

import numpy as np

from npvae.datasets.dataset import Dataset
from npvae.validation import integer


def ring(n: int, rng: np.random.Generator) -> Dataset:
    """Draw points of a ring, x = z/10 + z/‖z‖ with z ~ N(0, I) in the plane.

    Returns
    -------
    Dataset
        `x` (n, 2) float32; `factors` has the coordinates of z, `z1` and `z2`, (n,) float64. The distance of a point
        from the origin is 1 + ‖z‖/10: 1.125 on average.

    Raises
    ------
    TypeError, ValueError
        If `n` is no positive integer.

    Notes
    -----
    C. Doersch, Tutorial on Variational Autoencoders (2016), figure 2.

    Examples
    --------
    >>> ring(3, np.random.default_rng(0)).x.shape
    (3, 2)
    """
    z = rng.standard_normal((integer("n", n, at_least=1), 2))
    length = np.sqrt((z * z).sum(axis=1, keepdims=True))
    x = z / 10 + z / length
    return Dataset(x.astype(np.float32), factors={"z1": z[:, 0].copy(), "z2": z[:, 1].copy()}, name="ring")
