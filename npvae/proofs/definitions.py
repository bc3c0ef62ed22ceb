"""What the bounds are by definition, and what their gradient estimates are exact derivatives of.

A value that is wrong has a gradient that fits it, and an estimate need not be the derivative of the value: both are
held against what is written out here.

"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import Loss
from npvae.models import VAE, WakeSleep, WakeSleepNoise
from npvae.models.densities import densities, prior_section
from npvae.parameters import Parameters


def require_definition(
    bound: Callable, densities: tuple, loss: Loss, upstream: dict, beta: float = 1.0, bits: float = 0.0
) -> None:
    """A ValueError unless loss, terms, "path" and "direct" weights of a bound are what they are by definition."""
    found = {"loss": loss.per_datum, **loss.terms}
    found |= {name: upstream[name] for name in ("path", "direct") if name in upstream}
    expected = _definition(bound.__name__, *(density.real for density in densities), beta=beta, bits=bits)
    weighted = {"reconstruction": 1, "kl": beta, "free_bits": beta, "tightening": 1}
    expected["loss"] = sum(weight * expected[name] for name, weight in weighted.items() if name in expected)
    tolerance = 1e-4 if loss.per_datum.dtype == np.float32 else 1e-9
    for name in found.keys() | expected.keys():
        if name not in found or name not in expected or np.shape(found[name]) != expected[name].shape:
            raise ValueError(f"{name} of {bound.__name__} is missing, too many, or of another shape")
        if not np.allclose(found[name].real, expected[name], tolerance, tolerance * abs(expected[name]).max()):
            raise ValueError(f"{name} of {bound.__name__} is not what it is by definition")


def _definition(name: str, log_px_z: NDArray, *others: NDArray, beta: float, bits: float) -> dict[str, NDArray]:
    L, n = log_px_z.shape
    nothing, found = np.zeros((L, n)), {"reconstruction": -log_px_z.sum(axis=0) / L}
    if len(others) == 1:
        (kl,) = others
        if kl.ndim == 1:
            return {**found, "kl": kl}
        surplus = sum(max(bits - float(kl_j.sum()) / n, 0) for kl_j in kl.T)
        return {**found, "kl": kl.sum(axis=1), "free_bits": np.full(n, surplus)}
    log_pz, log_qz_x = others
    found["kl"] = (log_qz_x - log_pz).sum(axis=0) / L
    w = np.exp(log_px_z + log_pz - log_qz_x)
    if name in ("iwae", "dreg"):
        found["tightening"] = np.log(w).sum(axis=0) / L - np.log(w.sum(axis=0) / L)
    if name == "dreg":
        found |= {"path": w / w.sum(axis=0), "direct": nothing}
    if name == "sticking_the_landing":
        found["direct"] = nothing
    if name == "score_function":
        f = beta * (log_qz_x - log_pz) - log_px_z
        others_mean = [np.delete(f, i, axis=0).mean(axis=0) if L > 1 else 0 for i in range(L)]
        found |= {"path": nothing, "direct": (f - np.array(others_mean).reshape(L, -1)) / (L * n)}
    return found


def surrogate(model: VAE, theta: Parameters, x: NDArray, eps: NDArray) -> Callable:
    """``value_and_grad`` at `theta` of the sum of densities, each weighted as the model's bound says, whose exact
    derivative by decoder and encoder the model's gradient claims to be.

    The weights are constants, and so is in each of the three parts what it does not look through: the latents, for the
    decoder and for the direct way into q; the parameters of the densities, for the way through the latents.
    """

    def draw(at: Parameters) -> tuple[NDArray, NDArray]:
        a_z = model.encode(at, x)
        return a_z, model.posterior.sample(a_z, eps)[0]

    def logs(at: Parameters, a_z: NDArray, z: NDArray) -> dict[str, NDArray]:
        names = ("log_px_z", "log_pz", "log_qz_x")
        return densities(model, at, x, a_z, z, model.decode(at, z), names).densities

    a0, z0 = draw(theta)
    _, weight = model.objective.function(**logs(theta, a0, z0))
    path, direct = weight.get("path", 1.0), weight.get("direct", weight["log_qz_x"])

    def value_and_grad(at: Parameters) -> tuple[np.number, Parameters]:
        a, z = draw(at)
        fixed, moved = logs(at, a, z0), logs(theta, a0, z)
        through = sum(weight[name] * density for name, density in moved.items())
        own = sum(weight[name] * fixed[name] for name in ("log_px_z", "log_pz"))
        value = own + path * through + direct * fixed["log_qz_x"]
        return value.sum(), model.loss_and_grad(at, x, eps)[1]

    return value_and_grad


def phase_of_wake_sleep(
    model: WakeSleep, phase: str, theta: Parameters, x: NDArray, noise: WakeSleepNoise
) -> tuple[Callable, Parameters]:
    """``value_and_grad`` of one phase by the network that learns in it, and that network's parameters.

    The value is the mean of −log p(x|z) or of −log q(z|x); what the other network draws does not depend on it.
    """
    vae = model.vae
    part = "decoder" if phase == "wake" else "encoder"
    z, _ = vae.posterior.sample(vae.encode(theta, x), noise.eps)
    imagined = vae.prior.sample(noise.z, prior_section(vae, theta))
    dream, _ = vae.likelihood.sample(vae.decode(theta, imagined), noise.u)

    def value(at: Parameters) -> np.number:
        if phase == "sleep":
            return -vae.posterior.log_prob(vae.encode(at, dream), imagined)[0].mean()
        return -np.mean([vae.likelihood.log_prob(vae.decode(at, one), x)[0] for one in z])

    def value_and_grad(network: Parameters) -> tuple[np.number, Parameters]:
        at = theta.astype(network.dtype)
        at.section(part).flat[:] = network.flat
        loss, dtheta = model.loss_and_grad(at, x, noise)
        if (loss.per_datum != model.loss(at, x, noise).per_datum).any():
            raise ValueError("loss_and_grad gives another loss than loss")
        return value(at), dtheta.section(part)

    return value_and_grad, theta.section(part).copy()
