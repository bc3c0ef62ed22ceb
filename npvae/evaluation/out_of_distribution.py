"""Scores of how unlike the training data a datum is, and how well a score tells the two apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.validation import ArgumentError

__all__ = ["auroc", "typicality"]


def typicality(log_px: ArrayLike, log_px_train: ArrayLike) -> NDArray:
    """|−log p(x) − Ĥ| with Ĥ the mean of −log p over training data: how far a datum is from the typical set, (n,).

    The plain score is −log p(x) itself. It fails for data simpler than those trained on, which a model may find more
    likely than its own; typicality calls those strange as well. Both want `log_likelihood` with one k for all.

    References
    ----------
    Nalisnick et al., Detecting out-of-distribution inputs to deep generative models using typicality (2019), for a
    single datum.
    """
    log_px, log_px_train = _vector("log_px", log_px), _vector("log_px_train", log_px_train)
    return np.abs(log_px - log_px_train.mean())


def auroc(inside: ArrayLike, outside: ArrayLike) -> float:
    """P(score of a datum from outside > score of one from inside), ties counted half: the area under the ROC curve.

    1 tells all apart, ½ is guessing, below ½ the score runs the wrong way.

    Parameters
    ----------
    inside, outside : (n,) and (m,) arrays
        Scores that grow with strangeness, such as −log p(x).
    """
    inside, outside = np.sort(_vector("inside", inside)), _vector("outside", outside)
    below, not_above = (np.searchsorted(inside, outside, side).mean() for side in ("left", "right"))
    return float(below + not_above) / (2 * len(inside))


def _vector(argument: str, value: ArrayLike) -> NDArray:
    vector = np.asarray(value, dtype=np.float64)
    if vector.ndim != 1 or vector.size == 0 or np.isnan(vector).any():
        raise ArgumentError(argument, "be a vector of numbers, not empty and without NaN", repr(value))
    return vector
