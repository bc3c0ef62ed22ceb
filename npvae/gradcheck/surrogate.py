"""What a gradient estimate is the exact derivative of, where that is not the value of the loss.

Part of the registry `npvae.gradcheck.cases`: it knows the package's models.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from npvae.distributions import standard_normal
from npvae.models import GaussianVAE, WakeSleep, WakeSleepNoise
from npvae.parameters import Parameters


def surrogate(model: GaussianVAE, theta: Parameters, x: NDArray, eps: NDArray) -> Callable:
    """``value_and_grad`` at `theta` of the sum of densities, each weighted as the model's bound says, whose exact
    derivative by decoder and encoder the model's gradient claims to be.

    The weights are constants, and so is in each of the three parts what it does not look through: the latents, for the
    decoder and for the direct way into q; the parameters of the densities, for the way through the latents.
    """

    def draw(at: Parameters) -> tuple[NDArray, NDArray]:
        a_z = model.encode(at, x)
        return a_z, model.posterior.sample(a_z, eps)[0]

    def log_px(at: Parameters, z: NDArray) -> NDArray:
        a_x = model.decode(at, z.reshape(-1, z.shape[-1]))
        return model.likelihood.log_prob(a_x.reshape(*z.shape[:-1], -1), x)[0]

    def log_pz(z: NDArray) -> NDArray:
        return standard_normal.log_prob(z)[0]

    def log_q(a_z: NDArray, z: NDArray) -> NDArray:
        return model.posterior.log_prob(a_z, z)[0]

    a0, z0 = draw(theta)
    _, weight = model.objective.function(log_px_z=log_px(theta, z0), log_pz=log_pz(z0), log_qz_x=log_q(a0, z0))
    path, direct = weight.get("path", 1.0), weight.get("direct", weight["log_qz_x"])

    def value_and_grad(at: Parameters) -> tuple[np.number, Parameters]:
        a, z = draw(at)
        through = (
            weight["log_px_z"] * log_px(theta, z) + weight["log_pz"] * log_pz(z) + weight["log_qz_x"] * log_q(a0, z)
        )
        value = weight["log_px_z"] * log_px(at, z0) + path * through + direct * log_q(a, z0)
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
    dream, _ = vae.likelihood.sample(vae.decode(theta, noise.z), noise.u)

    def value(at: Parameters) -> np.number:
        if phase == "sleep":
            return -vae.posterior.log_prob(vae.encode(at, dream), noise.z)[0].mean()
        return -np.mean([vae.likelihood.log_prob(vae.decode(at, one), x)[0] for one in z])

    def value_and_grad(network: Parameters) -> tuple[np.number, Parameters]:
        at = theta.astype(network.dtype)
        at.section(part).flat[:] = network.flat
        return value(at), model.loss_and_grad(at, x, noise)[1].section(part)

    return value_and_grad, theta.section(part).copy()
