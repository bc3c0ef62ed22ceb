"""Which latents a model uses, and what the bound loses without the others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.distributions import DiagonalGaussian
from npvae.evaluation.likelihood import LogLikelihood, Mean, log_likelihood, mean_with_error
from npvae.evaluation.posteriors import encode
from npvae.models import LatentVariableModel
from npvae.models.densities import prior_section
from npvae.parameters import Parameters
from npvae.validation import ArgumentError, ArgumentTypeError, number, one_of

__all__ = ["Pruned", "active_units", "activity", "collapse_message", "kl_per_unit", "prune"]


def activity(model: LatentVariableModel, theta: Parameters, x: ArrayLike) -> NDArray:
    """A_u = Var_x(E_q(z|x)[z_u]) over the rows of x, for every latent u: (latent_dim,), float64.

    References
    ----------
    Burda, Grosse & Salakhutdinov, Importance weighted autoencoders (2016), section 5.2.
    """
    return model.posterior.mean(encode(model, theta, x)).astype(np.float64).var(axis=0)


def active_units(activity: NDArray, threshold: float = 0.01) -> NDArray:
    """Where A_u > threshold: (latent_dim,), bool. The activities of a trained model lie far on either side of 0.01."""
    return np.asarray(activity) > number("threshold", threshold, at_least=0)


def kl_per_unit(model: LatentVariableModel, theta: Parameters, x: ArrayLike) -> NDArray:
    """Mean over the rows of x of KL(q(z_u|x) ‖ p(z_u)), nats, for every latent: (latent_dim,).

    An ArgumentTypeError for a posterior whose KL to the prior has no part for every latent.
    """
    posterior = model.posterior
    if not (hasattr(posterior, "kl_terms") and posterior.has_kl(model.prior)):
        rule = "have a KL to the prior for every latent, as DiagonalGaussian() has to StandardNormal()"
        raise ArgumentTypeError("the model's posterior", rule, f"{posterior!r} and {model.prior!r}")
    a = encode(model, theta, x).astype(np.float64)
    return posterior.kl_terms(a, model.prior, prior_section(model, theta))[0].mean(axis=0)


def collapse_message(active: NDArray, remedies: Sequence[str] = ("KL warm-up", "free bits")) -> str:
    """A sentence on how many latents are in use, with advice where some are not, from `active_units`.

    `remedies` are the means that the model has to wake more of them.
    """
    active = np.asarray(active, dtype=bool)
    d, used = len(active), np.flatnonzero(active).tolist()
    if len(used) == d:
        return f"all {d} latents are in use"
    message = f"{d - len(used)} of {d} latents collapsed: their posterior mean hardly depends on x; "
    if not used:
        means = ["a smaller learning rate", *remedies]
        tried = " or ".join(part for part in (", ".join(means[:-1]), means[-1]) if part)
        return f"{message}the decoder knows nothing of x: train longer, or try {tried}"
    woken = f"; {' or '.join(remedies)} may wake more" if remedies else ""
    return f"{message}in use: z[:, [{', '.join(map(str, used))}]]; fewer latents would do{woken}"


class Pruned(NamedTuple):
    """The bounds of every datum with all latents and without the inactive ones, from the same noise."""

    full: LogLikelihood
    pruned: LogLikelihood

    def change(self, bound: str = "log_px") -> Mean:
        """The mean of pruned − full over the data, nats, of "log_px" (L_k) or "elbo"; 0 where nothing was lost."""
        one_of("bound", bound, {"log_px": 0, "elbo": 0})
        return mean_with_error(getattr(self.pruned, bound) - getattr(self.full, bound))


def prune(
    model: LatentVariableModel,
    theta: Parameters,
    x: ArrayLike,
    active: NDArray,
    seed: int,
    replace_by: str = "prior",
    k: int = 100,
    max_rows: int = 500,
) -> Pruned:
    """The bound with all latents, and without the inactive ones, whose q(z_u|x) is replaced by the prior or by zero.

    Inactive latents carry no information, so that the bound hardly moves: Burda et al. find less than 0.06 nats.

    Parameters
    ----------
    active : (latent_dim,) array of bool
        From `active_units`.
    replace_by : {"prior", "zero"}
        What the decoder gets for an inactive latent: a draw from N(0, 1), or 0, as if the latent had been removed. In
        both cases it adds nothing to log p(z) − log q(z|x).
    model, theta, x, seed, k, max_rows
        As for `log_likelihood`.

    Raises
    ------
    TypeError
        If the posterior's latents are not independent.
    ValueError
        If `active` is no mask of the latents, or `replace_by` unknown.

    References
    ----------
    Burda, Grosse & Salakhutdinov, Importance weighted autoencoders (2016), section 5.2.
    """
    if not isinstance(model.posterior, DiagonalGaussian):
        rule = "be DiagonalGaussian(), of independent latents, for prune"
        raise ArgumentTypeError("the model's posterior", rule, repr(model.posterior))
    active = np.asarray(active)
    if active.shape != (model.latent_dim,) or active.dtype != bool:
        got = f"shape {active.shape} of {active.dtype}"
        raise ArgumentError("active", f"have shape ({model.latent_dim},) of bool", got)
    removed = one_of("replace_by", replace_by, {"prior": False, "zero": True})
    both = (model, _WithoutUnits(model, ~active, removed))
    return Pruned(*(log_likelihood(each, theta, x, seed, k, max_rows) for each in both))


class _WithoutUnits:
    """A model whose inactive latents have the prior as posterior and, if removed, are 0 for the decoder."""

    def __init__(self, model: LatentVariableModel, inactive: NDArray, removed: bool) -> None:
        self.n_features, self.latent_dim = model.n_features, model.latent_dim
        self.prior, self.posterior, self.likelihood = model.prior, model.posterior, model.likelihood
        self._model, self._inactive, self._removed = model, inactive, removed

    def encode(self, theta: Parameters, x: NDArray) -> NDArray:
        return np.where(np.tile(self._inactive, 2), 0, self._model.encode(theta, x))  # mu = log_var = 0

    def decode(self, theta: Parameters, z: NDArray) -> NDArray:
        return self._model.decode(theta, np.where(self._inactive, 0, z) if self._removed else z)
