"""The densities of a model with latents, forward from data to log p(x|z), log p(z), log q(z|x) and KL, and backward.

Every bound, estimate of log p(x), imputation and check of a model goes through these functions; a bound makes a loss of
the densities and gives the upstream weight of each. `LatentVariableModel` says what a model calls its parts.
Parameters lie in the sections "encoder", "decoder" and, if the prior has any, "prior" of theta.
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from npvae.distributions import Distribution, Prior
from npvae.parameters import Parameters

__all__ = [
    "Forward",
    "LatentVariableModel",
    "decoder_backward",
    "densities",
    "encoder_backward",
    "forward",
    "log_weights",
    "prior_section",
]


class LatentVariableModel(Protocol):
    """A posterior x → q(z|x), a prior p(z) and a likelihood z → p(x|z): what can be evaluated, whatever trained it."""

    n_features: int
    latent_dim: int
    prior: Prior
    posterior: Distribution
    likelihood: Distribution

    def encode(self, theta: Parameters, x: NDArray) -> NDArray:
        """The parameters a_z of q(z|x), for x (n, n_features): a row each."""

    def decode(self, theta: Parameters, z: NDArray) -> NDArray:
        """The parameters a_x of p(x|z), for z (…, latent_dim): (…, likelihood.n_params(n_features))."""


class Forward(NamedTuple):
    """The densities of a batch by name, with what their backward needs."""

    densities: dict[str, NDArray]
    """Those that were asked for: "log_px_z", "log_pz", "log_qz_x" (L, n), "kl" (n,) or "kl_terms" (n, latent_dim)."""
    caches: dict[str, Any]
    """Caches of "encoder", "sample" and "decoder", and of every density by its name."""


def prior_section(model: LatentVariableModel, theta: Parameters) -> Parameters | None:
    """The prior's part of theta, or of a gradient; None where the prior has no parameters."""
    return theta.section("prior") if model.prior.shapes else None


def densities(
    model: LatentVariableModel,
    theta: Parameters,
    x: NDArray,
    a_z: NDArray,
    z: NDArray,
    a_x: NDArray | None,
    needs: tuple[str, ...],
    eps: NDArray | None = None,
) -> Forward:
    """The densities that `needs` names, at given latents z, and their caches.

    Parameters
    ----------
    x : (…, n_features) array
    a_z : (…, posterior.n_params(latent_dim)) array
    z : (…, latent_dim) array
    a_x : (…, likelihood.n_params(n_features)) array
        What the decoder puts out at z; None if "log_px_z" is not asked for. All leading axes broadcast.
    needs : tuple of str
        Names of `Forward.densities`.
    eps : (…, latent_dim) array, optional
        The noise of which z was made, if it was made by the posterior: log q(z|x) keeps more digits then.
    """
    prior, posterior, params = model.prior, model.posterior, prior_section(model, theta)
    of_draw = getattr(posterior, "log_prob_of_draw", None)
    known = eps is not None and of_draw is not None
    functions = {
        "log_px_z": lambda: model.likelihood.log_prob(a_x, x),
        "log_pz": lambda: prior.log_prob(z, params),
        "log_qz_x": lambda: of_draw(a_z, eps, z) if known else posterior.log_prob(a_z, z),
        "kl": lambda: posterior.kl(a_z, prior, params),
        "kl_terms": lambda: posterior.kl_terms(a_z, prior, params),
    }
    values, caches = {}, {}
    for name in needs:
        values[name], caches[name] = functions[name]()
    return Forward(values, caches)


def log_weights(
    model: LatentVariableModel,
    theta: Parameters,
    x: NDArray,
    a_z: NDArray,
    z: NDArray,
    a_x: NDArray,
    eps: NDArray | None = None,
) -> NDArray:
    """log w = log p(x|z) + log p(z) − log q(z|x), nats, summed in float64; arguments as for `densities`."""
    found = densities(model, theta, x, a_z, z, a_x, ("log_px_z", "log_pz", "log_qz_x"), eps).densities
    log_w = found["log_px_z"].astype(np.float64)
    log_w += found["log_pz"]
    log_w -= found["log_qz_x"]
    return log_w


def forward(model: Any, theta: Parameters, x: NDArray, eps: NDArray, needs: tuple[str, ...]) -> Forward:
    """From data and noise through both networks to the densities that `needs` names.

    Parameters
    ----------
    model
        A `LatentVariableModel` whose `encoder` and `decoder` are layers.
    x : (n, n_features) array
    eps : (L, n, latent_dim) array
        Noise of the posterior.
    """
    a_z, encoder = model.encoder.forward(theta.section("encoder"), x)
    z, sample = model.posterior.sample(a_z, eps)

    # The decoder knows rows only: the L samples of n data are L n of them.
    a_x, decoder = model.decoder.forward(theta.section("decoder"), z.reshape(-1, z.shape[-1]))
    found = densities(model, theta, x, a_z, z, a_x.reshape(*z.shape[:-1], -1), needs, eps)
    return Forward(found.densities, {"encoder": encoder, "sample": sample, "decoder": decoder, **found.caches})


def decoder_backward(
    model: Any,
    theta: Parameters,
    caches: dict[str, Any],
    upstream: dict[str, NDArray],
    dtheta: Parameters,
    need_dz: bool = True,
) -> NDArray | None:
    """Backward from log p(x|z) and log p(z) to the latents; the decoder's and the prior's gradients are written.

    Parameters
    ----------
    caches
        Those of `forward`.
    upstream : dict of str to array
        ∂loss/∂log p(x|z) as "log_px_z" and, if it counts, ∂loss/∂log p(z) as "log_pz".
    dtheta : Parameters
        Written in its sections "decoder" and "prior"; the latter only if "log_pz" counts.

    Returns
    -------
    dz : (L, n, latent_dim) array, or None where it is not needed
        ∂loss/∂z of these two densities.
    """
    da_x = model.likelihood.log_prob_backward(caches["log_px_z"], upstream["log_px_z"])
    rows, leading = da_x.reshape(-1, da_x.shape[-1]), da_x.shape[:-1]
    decoder, ddecoder = theta.section("decoder"), dtheta.section("decoder")
    dz = model.decoder.backward(decoder, caches["decoder"], rows, ddecoder, need_dx=need_dz)
    dz = dz.reshape(*leading, -1) if need_dz else None
    if "log_pz" in upstream and (need_dz or model.prior.shapes):
        of_prior = model.prior.log_prob_backward(caches["log_pz"], upstream["log_pz"], prior_section(model, dtheta))
        if need_dz:
            dz += of_prior
    return dz


def encoder_backward(
    model: Any,
    theta: Parameters,
    caches: dict[str, Any],
    upstream: dict[str, NDArray],
    dz: NDArray | None,
    dtheta: Parameters,
) -> None:
    """Backward from the latents, log q(z|x) and the KL through the encoder; its gradient is written.

    Parameters
    ----------
    caches
        Those of `forward`.
    upstream : dict of str to array
        ∂loss/∂log q(z|x) as "log_qz_x", ∂loss/∂KL as "kl" or "kl_terms", each if it counts, and the weights "path" and
        "direct" of `npvae.bounds`.
    dz : (L, n, latent_dim) array or None
        From `decoder_backward`. None, for a bound whose gradient does not go through the latents, leaves the draw out.
    dtheta : Parameters
        Written in its section "encoder", and in "prior" if a KL counts.
    """
    posterior, shares = model.posterior, []
    if dz is not None:
        if "log_qz_x" in upstream:
            dz = dz + posterior.log_prob_backward_x(caches["log_qz_x"], upstream["log_qz_x"])
        if "path" in upstream:
            dz = dz * upstream["path"][..., None]
        shares.append(posterior.sample_backward(caches["sample"], dz))
    if "log_qz_x" in upstream:
        direct = upstream.get("direct", upstream["log_qz_x"])
        shares.append(posterior.log_prob_backward(caches["log_qz_x"], direct))
    if "kl" in upstream:
        shares.append(posterior.kl_backward(caches["kl"], upstream["kl"], prior_section(model, dtheta)))
    if "kl_terms" in upstream:
        of_kl = posterior.kl_terms_backward(caches["kl_terms"], upstream["kl_terms"], prior_section(model, dtheta))
        shares.append(of_kl)
    da_z = shares[0]
    for share in shares[1:]:
        da_z += share
    encoder, dencoder = theta.section("encoder"), dtheta.section("encoder")
    model.encoder.backward(encoder, caches["encoder"], da_z, dencoder, need_dx=False)
