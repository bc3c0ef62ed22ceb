"""Hamiltonian Monte Carlo: draws from a density whose gradient is known."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae.validation import integer, number

__all__ = ["Chains", "EnergyAndGrad", "hamiltonian_monte_carlo", "leapfrog"]

EnergyAndGrad = Callable[[NDArray], "tuple[NDArray, NDArray]"]
"""z (n, d) → the energy U (n,), nats, and its gradient (n, d); the density is proportional to e^{−U}."""

ACCEPTANCE = 0.8
"""The share of accepted proposals that the step sizes are adapted to; the best one of long trajectories is 0.65 to 0.9
(Hoffman & Gelman, The no-U-turn sampler, 2014, section 3.2.1)."""

ADAPTATION = 0.1
"""What the logarithm of a step size gains by a proposal accepted where none is expected to be."""


class Chains(NamedTuple):
    """Where the chains have been after their warm-up."""

    draws: NDArray
    """(kept, n, d)."""
    acceptance: NDArray
    """Share of accepted proposals of each chain, (n,): near 0 the chain stood still."""
    step_size: NDArray
    """(n,)."""


def leapfrog(
    energy_and_grad: EnergyAndGrad, z: NDArray, p: NDArray, dU: NDArray, step: NDArray, n_steps: int
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """`n_steps` of dz/dt = p, dp/dt = −∂U/∂z in steps of `step` (n,); returns z, p, U and dU where it ends.

    It keeps volumes, and runs back to where it began when p is reversed. U + ½‖p‖² changes by O(step²).
    """
    step = step[:, None]
    p = p - 0.5 * step * dU
    for k in range(n_steps):
        z = z + step * p
        U, dU = energy_and_grad(z)
        p = p - (step if k + 1 < n_steps else 0.5 * step) * dU
    return z, p, U, dU


@np.errstate(over="ignore", invalid="ignore")  # where a trajectory runs away, it is rejected
def hamiltonian_monte_carlo(
    energy_and_grad: EnergyAndGrad,
    z: NDArray,
    rng: np.random.Generator,
    *,
    warm_up: int,
    steps: int,
    n_leapfrog: int = 10,
    step_size: float = 0.1,
    tempered: Callable[[float], EnergyAndGrad] | None = None,
) -> Chains:
    """n chains side by side, each with a step size of its own.

    A step draws a momentum p ~ N(0, I), follows the Hamiltonian flow by `leapfrog` and accepts where that ends with
    probability min(1, e^{H_old − H_new}), H = U + ½‖p‖²: then e^{−U} is left as it is, whatever the step size. The
    length of a step is drawn anew between 0.8 and 1.2 times the step size, so that no trajectory closes on itself
    every time. While warming up, the step size of each chain is moved towards an acceptance of 0.8; then it stays.

    Where the energy is infinite, or no number, there is no density. A chain that begins there takes the first proposal
    with a finite energy, and rejects the others, whose H_old − H_new is ∞ − ∞. Nothing tells it how far to go: its
    steps are a hundredth to a hundred times as long as the step size, which is not adapted there.

    Parameters
    ----------
    energy_and_grad : callable
        See `EnergyAndGrad`.
    z : (n, d) array
        Where the chains begin.
    warm_up, steps : int
        Steps that are thrown away, and steps that are kept.
    n_leapfrog : int, default 10
        Gradients a step.
    step_size : float, default 0.1
        What the chains begin with.
    tempered : callable, optional
        ``tempered(t)`` is the density to follow at the part t in (0, 1] of the warm-up, for instance one that is
        flatter at first, in which chains find the large modes.

    References
    ----------
    Neal, MCMC using Hamiltonian dynamics (2011), sections 2 and 3.
    """
    warm_up, steps = integer("warm_up", warm_up, at_least=0), integer("steps", steps, at_least=1)
    n_leapfrog, step_size = integer("n_leapfrog", n_leapfrog, at_least=1), number("step_size", step_size, above=0)
    size = np.full(len(z), step_size, z.dtype)
    accepted, draws = np.zeros(len(z)), np.empty((steps, *z.shape), z.dtype)
    for t in range(warm_up + steps):
        warming = t < warm_up
        follow = _everywhere(tempered((t + 1) / warm_up) if warming and tempered is not None else energy_and_grad)
        if t == 0 or (tempered is not None and t <= warm_up):
            U, dU = follow(z)
        p = rng.standard_normal(z.shape, dtype=z.dtype)
        lost, factor = np.isinf(U), rng.uniform(0.8, 1.2, len(z)).astype(z.dtype)
        drawn = size * np.where(lost, 10 ** (10 * (factor - 1)), factor)
        z_new, p_new, U_new, dU_new = leapfrog(follow, z, p, dU, drawn, n_leapfrog)
        gain = U - U_new + 0.5 * ((p * p).sum(axis=1) - (p_new * p_new).sum(axis=1))
        gain = np.where(np.isnan(gain), -np.inf, gain)  # ∞ − ∞, or a momentum that ran away
        yes = -rng.standard_exponential(len(z)) < gain
        z, dU = (np.where(yes[:, None], new, old) for new, old in ((z_new, z), (dU_new, dU)))
        U = np.where(yes, U_new, U)
        if warming:
            surplus = np.where(lost, 0, np.exp(np.minimum(gain, 0)) - ACCEPTANCE)
            size *= np.exp(ADAPTATION * surplus).astype(z.dtype)
        else:
            draws[t - warm_up] = z
            accepted += yes
    return Chains(draws, accepted / steps, size)


def _everywhere(energy_and_grad: EnergyAndGrad) -> EnergyAndGrad:
    """The same energy, infinite where it is no number, and a force of 0 in each direction where it is not finite.

    Every force that depends on z alone leaves `leapfrog` reversible and its volumes as they are, so the draws have the
    density e^{−U} still. One that is not finite would make all that follows NaN, and a chain could never leave.
    """

    def follow(z: NDArray) -> tuple[NDArray, NDArray]:
        U, dU = energy_and_grad(z)
        return np.where(np.isnan(U), np.inf, U), np.where(np.isfinite(dU), dU, 0)

    return follow
