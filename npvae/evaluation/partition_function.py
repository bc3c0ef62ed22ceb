"""Exact partition functions, likelihoods and gradients of small Boltzmann machines, by enumeration."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from npvae.evaluation.enumeration import binary_state_blocks
from npvae.models.rbm import RBM
from npvae.numerics import logsumexp
from npvae.parameters import Parameters
from npvae.validation import ArgumentError, integer

__all__ = ["MOST_UNITS", "exact_expected_gradient", "exact_gradient", "exact_log_partition"]

MOST_UNITS = 20
"""Units enumerated without being asked twice: 2²⁰ states take about a second for each hundred of the other units."""


def exact_log_partition(model: RBM, theta: Parameters, most_units: int = MOST_UNITS) -> float:
    """log Z, nats, in float64: the hidden units are enumerated and the visible ones summed out in closed form.

    Z = Σ_h e^{bᵀh} Σ_v e^{−e(v) + s(v) W h}, where the inner sum factorises over the visible units. A machine of binary
    units whose visible side is the smaller is enumerated there, Z = Σ_v e^{−F(v)}.

    Parameters
    ----------
    most_units : int, default 20
        Enumerations of more units than that are refused.

    Raises
    ------
    ValueError
        If more units than `most_units` would have to be enumerated; it says what that would cost.
    """
    theta, side = theta.astype(np.float64), _enumerated(model, most_units)
    return float(logsumexp(np.array([logsumexp(-F) for _, F in _free_energies(model, theta, side)])))


def exact_gradient(model: RBM, theta: Parameters, x: NDArray, most_units: int = MOST_UNITS) -> tuple[float, Parameters]:
    """−mean log p(x) over the rows of x (n, n_features), nats, and its exact gradient: what chains estimate.

    Raises
    ------
    ValueError
        See `exact_log_partition`.
    """
    theta = theta.astype(np.float64)
    F, cache = model.free_energy(theta, np.asarray(x, np.float64))
    dtheta = model.free_energy_backward(theta, cache, np.full_like(F, 1 / len(F)))
    log_z = exact_log_partition(model, theta, most_units)
    dtheta.flat -= exact_expected_gradient(model, theta, log_z, most_units).flat
    return float(F.mean()) + log_z, dtheta


def exact_expected_gradient(model: RBM, theta: Parameters, log_z: float, most_units: int = MOST_UNITS) -> Parameters:
    """E[∂F(v)/∂theta] under the model, which is −∂log Z/∂theta, in float64; `log_z` is that of theta.

    Where hidden units are enumerated it is Σ_h p(h) ∂G(h)/∂theta with G(h) = −bᵀh − log_normalizer(W h).
    """
    theta = theta.astype(np.float64)
    total, units, side = theta.zeros_like(), theta.zeros_like(), _enumerated(model, most_units)
    for states, F in _free_energies(model, theta, side):
        p = np.exp(-F - log_z)
        if side == "visible":
            total.flat += model.free_energy_backward(theta, model.free_energy(theta, states)[1], p).flat
            continue
        dfield = model.visible.log_normalizer_backward(theta, states @ theta["W"].T, -p, units)
        total.flat += units.flat
        total["W"][...] += dfield.T @ states
        total["b"][...] -= p @ states
    return total


def _enumerated(model: RBM, most_units: int) -> str:
    """The side whose states are gone through."""
    integer("most_units", most_units, at_least=1)
    side = "visible" if model.visible.binary and model.n_features < model.n_hidden else "hidden"
    units = model.n_features if side == "visible" else model.n_hidden
    if units > most_units:
        cost = f"2^{units} = {float(2**units):.1e} states" if units < 1000 else f"2^{units} states"
        raise ArgumentError(
            "model",
            f"have at most {most_units} units on the side that is enumerated",
            f"{units} {side} units: {cost}",
            "2^20 take seconds; estimate log Z by annealed importance sampling instead",
        )
    return side


def _free_energies(model: RBM, theta: Parameters, side: str) -> Iterator[tuple[NDArray, NDArray]]:
    """The states of one side in blocks, and their free energies with the other side summed out."""
    for states in binary_state_blocks(model.n_features if side == "visible" else model.n_hidden):
        if side == "visible":
            yield states, model.free_energy(theta, states)[0]
        else:
            yield states, -(states @ theta["b"]) - model.visible.log_normalizer(theta, states @ theta["W"].T)
