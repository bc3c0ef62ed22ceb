"""Black and white from grey: three ways, whose log-likelihoods differ by whole nats and must not be compared.

- *Threshold*: a pixel is 1 where its grey value exceeds a level; deterministic.
- *Fixed* binarisation: one draw b ~ Bernoulli(x) before the training, `bernoulli_draw` called once.
- *Dynamic* binarisation: a fresh draw at every visit of a datum, `bernoulli_draw` called on every minibatch.
"""

from __future__ import annotations

import numpy as np


def threshold(x: np.ndarray, at: float = 0.5) -> np.ndarray:
    """Return 1 where x > `at` and 0 elsewhere, in the shape and dtype of `x`, grey values in [0, 1].

    Raises
    ------
    TypeError, ValueError
        If `x` is no float32 or float64 array, or `x` or `at` leaves [0, 1] or is NaN.

    Examples
    --------
    >>> threshold(np.array([0.2, 0.5, 0.7]))
    array([0., 0., 1.])
    """
    _check_grey(x)
    if not 0 <= at <= 1:
        raise ValueError(f"at must lie in [0, 1], got {at}")
    return np.greater(x, at).astype(x.dtype)


def bernoulli_draw(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw b ~ Bernoulli(x), so E[b] = x, for every grey value in [0, 1] of `x`, in its shape and dtype.

    Raises
    ------
    TypeError, ValueError
        If `x` is no float32 or float64 array, leaves [0, 1] or has NaN.

    Examples
    --------
    >>> bernoulli_draw(np.array([0.0, 1.0]), np.random.default_rng(0))
    array([0., 1.])
    """
    _check_grey(x)
    u = rng.random(x.shape, dtype=x.dtype)
    return np.less(u, x, out=u)


def is_binary(x: np.ndarray) -> bool:
    """Return whether all values are 0 or 1."""
    return bool(((x == 0) | (x == 1)).all())


def _check_grey(x: np.ndarray) -> None:
    if not isinstance(x, np.ndarray) or x.dtype not in (np.float32, np.float64):
        kind = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"x must be a float32 or float64 array, got {kind}")
    if x.size and not (x.min() >= 0 and x.max() <= 1):  # so that NaN, which compares false, is refused
        raise ValueError(f"x must lie in [0, 1], got values from {x.min()} to {x.max()}")
