"""Estimates of the encoder's gradient for latents that are bits, by one interface: densities in, weights out.

The densities are those of a model with T stochastic layers, K samples and n data: log_p (T + 1, K, n) holds
log p(x|z_1), log p(z_1|z_2), …, log p(z_T), and log_q (T, K, n) holds log q(z_t|z_{t−1}), all in nats.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae.bounds.baselines import leave_one_out
from npvae.validation import ArgumentError

__all__ = ["ESTIMATORS", "Estimator", "learning_signals", "score_weights"]


class Estimator(NamedTuple):
    """How the encoder's gradient is estimated."""

    kind: str
    """"score": each sample's loss less a baseline weighs its score; "vimco"; "pair": see `npvae.bounds.antithetic`;
    "path": through the draws, which is biased."""
    least_samples: int = 1
    leave_one_out: bool = False
    network: bool = False
    """Whether a network C(z_{t−1}) of its own predicts the loss."""
    running: bool = False
    """Whether the running average of the loss is subtracted."""
    normalised: bool = False
    """Whether what is left is divided by max(1, its running standard deviation)."""

    @property
    def averages(self) -> tuple[str, ...]:
        """Names of the running averages that the estimate takes from the steps before."""
        return ("mean", "variance") if self.running or self.normalised else ()

    @property
    def biased(self) -> bool:
        """Whether the mean of the estimate is another than the gradient of the bound."""
        return self.kind == "path"


ESTIMATORS: dict[str, Estimator] = {
    "no-baseline": Estimator("score"),
    "running-average": Estimator("score", running=True),
    "leave-one-out": Estimator("score", 2, leave_one_out=True),
    "input-baseline": Estimator("score", network=True),
    "nvil": Estimator("score", network=True, running=True, normalised=True),
    "vimco": Estimator("vimco", 2),
    "arm": Estimator("pair"),
    "disarm": Estimator("pair"),
    "straight-through": Estimator("path"),
    "concrete": Estimator("path"),
}
"""Estimators of the encoder's gradient by the name that a user types. The last two are biased."""


def learning_signals(log_p: NDArray, log_q: NDArray) -> NDArray:
    """f_t = Σ_{s≥t} [log q(z_s|z_{s−1}) − log p(z_s|z_{s+1})] − log p(z_{t−1}|z_t): what z_t has a part in.

    f_1 is the whole loss of a sample. The terms that are left out of f_t do not depend on z_t given z_{t−1}, so they
    are a baseline of mean zero and of nothing but variance.

    Parameters
    ----------
    log_p : (T + 1, K, n) array
    log_q : (T, K, n) array

    Returns
    -------
    (T, K, n) array
        Nats.

    References
    ----------
    Mnih & Gregor, Neural variational inference and learning in belief networks (2014), section 3.3.
    """
    own = log_q - log_p[1:]
    return np.cumsum(own[::-1], axis=0)[::-1] - log_p[:-1]


def score_weights(
    how: Estimator, signals: NDArray, predicted: NDArray | float = 0.0, state: Mapping[str, NDArray] | None = None
) -> NDArray:
    """The weight (f_t − c_t)/(s_t K n) of ∂log q(z_t|z_{t−1}), of every layer and sample; the loss is a mean over n.

    Parameters
    ----------
    how : Estimator
        One of kind "score".
    signals : (T, K, n) array
        f_t, nats.
    predicted : (T, K, n) array, or 0
        C_t(z_{t−1}) of the baseline networks, nats.
    state : mapping of str to (T,) array, optional
        Running averages from before this step, see `npvae.bounds.baselines.update_running`.

    Returns
    -------
    (T, K, n) array
        c_t = C_t, plus the running mean, or the mean of the other samples. With `how.normalised`
        s_t = max(1, √(running variance)), which is known before the draw: the estimate then is unbiased for the
        gradient divided by s_t. Else s_t = 1.

    Raises
    ------
    ValueError
        If the estimator needs running averages that `state` has not.
    """
    missing = [name for name in how.averages if name not in (state or {})]
    if missing:
        rule = f"hold the running {' and '.join(missing)} of every layer for this estimator"
        advice = "begin with npvae.bounds.baselines.begin_running, which a model's begin_state returns"
        raise ArgumentError("state", rule, "None" if state is None else f"a mapping with {list(state)}", advice)
    rest = signals - predicted
    if how.leave_one_out:
        rest = rest - np.moveaxis(leave_one_out(np.moveaxis(rest, 1, 0)), 0, 1)
    if how.running:
        rest = rest - of_layers(state["mean"], rest)
    if how.normalised:
        rest = rest / of_layers(np.maximum(1, np.sqrt(state["variance"])), rest)
    return rest / (rest.shape[1] * rest.shape[2])


def of_layers(values: NDArray, signals: NDArray) -> NDArray:
    """A number a layer, (T,), as a (T, 1, 1) array of the real dtype of `signals`."""
    return np.asarray(values, signals.real.dtype)[:, None, None]
