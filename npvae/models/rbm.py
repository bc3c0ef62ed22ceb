"""The restricted Boltzmann machine: energy, free energy, block Gibbs sampling, contrastive divergence."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import Loss
from npvae.models.model import State, require_rows
from npvae.models.visible_units import BinaryUnits, VisibleUnits
from npvae.numerics import sigmoid, softplus
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError, integer, number

__all__ = ["RBM", "GibbsNoise", "centred"]


LABELS = {"free_energy_gap": "F(data) − F(chains), no likelihood", "weights": "½‖W‖²"}


class GibbsNoise(NamedTuple):
    """The random numbers of k steps of block Gibbs sampling of C chains."""

    hidden: NDArray
    """(k, C, n_hidden), uniform in [0, 1)."""
    visible: NDArray
    """(k, C, n_features), as the visible units draw it."""


@dataclass(frozen=True)
class RBM:
    """p(v, h) = e^{−E(v, h)}/Z with E(v, h) = e(v) − bᵀh − s(v) W h and binary h; e and s are the visible units'.

    The hidden units are summed out in closed form: p(v) = e^{−F(v)}/Z with the free energy
    F(v) = e(v) − Σ_j softplus(b_j + (s(v) W)_j). The gradient of −log p(v) is ∂F(v)/∂theta less its expectation under
    the model, and that expectation is what chains are drawn for. They begin at the batch (contrastive divergence,
    CD-k) or where they were left at the step before (persistent, PCD-k).

    Parameters
    ----------
    n_features, n_hidden : int
        Widths of v and of h.
    visible : VisibleUnits, default BinaryUnits()
    k : int, default 1
        Gibbs steps between two gradients.
    n_chains : int, default 100
        C, the persistent chains; 0 is contrastive divergence, whose chains begin at the rows of the batch.
    centring : bool, default True
        See `centred`.
    weight_decay : float, default 0.0
        λ, the weight of a term "weights" ½‖W‖²; biases do not decay.

    Raises
    ------
    TypeError, ValueError
        If a width or k is no positive integer, or `n_chains` or `weight_decay` is negative.

    References
    ----------
    Hinton, Training products of experts by minimizing contrastive divergence (2002). Tieleman, Training restricted
    Boltzmann machines using approximations to the likelihood gradient (2008). Melchior, Fischer & Wiskott, How to
    center deep Boltzmann machines (2016).
    """

    n_features: int
    n_hidden: int
    visible: VisibleUnits = field(default_factory=BinaryUnits)
    k: int = 1
    n_chains: int = 100
    centring: bool = True
    weight_decay: float = 0.0

    def __post_init__(self) -> None:
        for name, least in (("n_features", 1), ("n_hidden", 1), ("k", 1), ("n_chains", 0)):
            integer(name, getattr(self, name), at_least=least)
        number("weight_decay", self.weight_decay, at_least=0)

    @property
    def shapes(self) -> Shapes:
        """W (n_features, n_hidden), the hidden biases b, and the visible units' a (and log_var or r)."""
        return {
            "W": (self.n_features, self.n_hidden),
            "b": (self.n_hidden,),
            **self.visible.shapes(self.n_features),
        }

    def init(
        self,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        mean: NDArray | None = None,
        var: NDArray | None = None,
    ) -> Parameters:
        """W ~ N(0, 0.01²), b = 0, and visible units with the `mean` and `var` (n_features,) of the data.

        Without them the units are as if the mean were ½ and the variance 1.
        """
        theta = Parameters(self.shapes, dtype)
        theta["W"][...] = 0.01 * rng.standard_normal(self.shapes["W"])
        half, ones = np.full(self.n_features, 0.5), np.ones(self.n_features)
        self.visible.start(theta, half if mean is None else mean, ones if var is None else var)
        return theta

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> GibbsNoise:
        """For k steps of the persistent chains, or of n chains where there are none."""
        return self.gibbs_noise(rng, self.k, self.n_chains or n, dtype)

    def gibbs_noise(self, rng: np.random.Generator, k: int, n: int, dtype: DTypeLike = np.float32) -> GibbsNoise:
        """For k steps of n chains."""
        hidden = rng.random((k, n, self.n_hidden), dtype=dtype)
        return GibbsNoise(hidden, self.visible.draw_noise(rng, (k, n, self.n_features), dtype))

    def begin_state(self, rng: np.random.Generator, dtype: DTypeLike = np.float32) -> State:
        """What lives between steps, before the first.

        Returns
        -------
        dict of arrays
            "v" (n_chains, n_features), the chains: draws of visible units with mean ½ or 0, which they soon forget.
            "visible_offset" (n_features,) and "hidden_offset" (n_hidden,), running means for `centred`, and "batches"
            (), how many went into them.
        """
        eps = self.visible.draw_noise(rng, (self.n_chains, self.n_features), dtype)
        chains = self.visible.sample(Parameters(self.visible.shapes(self.n_features), dtype), np.zeros_like(eps), eps)
        offsets = {"visible_offset": np.zeros(self.n_features, dtype), "hidden_offset": np.zeros(self.n_hidden, dtype)}
        return {"v": chains, **offsets, "batches": np.zeros((), np.int64)}

    def hidden_input(self, theta: Parameters, v: NDArray) -> NDArray:
        """b + s(v) W, (n, n_hidden): the logits of p(h = 1|v)."""
        return self.visible.scaled(theta, v) @ theta["W"] + theta["b"]

    def hidden_mean(self, theta: Parameters, v: NDArray) -> NDArray:
        """p(h_j = 1|v), (n, n_hidden)."""
        return sigmoid(self.hidden_input(theta, v))

    def visible_mean(self, theta: Parameters, h: NDArray) -> NDArray:
        """E[v|h], (n, n_features), of hidden units h (n, n_hidden), which may be probabilities."""
        return self.visible.mean(theta, h @ theta["W"].T)

    def gibbs(self, theta: Parameters, v: NDArray, noise: GibbsNoise) -> NDArray:
        """The chains v after as many steps h ~ p(h|v), v ~ p(v|h) as the noise is made for.

        Parameters
        ----------
        v : (C, n_features) array
        noise : GibbsNoise
            From `gibbs_noise`.

        Returns
        -------
        (C, n_features) array
        """
        for u, eps in zip(noise.hidden, noise.visible, strict=True):
            h = (u < self.hidden_mean(theta, v).real).astype(u.dtype)
            v = self.visible.sample(theta, h @ theta["W"].T, eps)
        return v

    def energy(self, theta: Parameters, v: NDArray, h: NDArray) -> NDArray:
        """E(v, h), nats, (n,)."""
        return self.visible.energy(theta, v) - (h * self.hidden_input(theta, v)).sum(axis=-1)

    def free_energy(self, theta: Parameters, v: NDArray) -> tuple[NDArray, tuple]:
        """F(v) = −log Σ_h e^{−E(v, h)} = e(v) − Σ_j softplus(b_j + (s(v) W)_j).

        Parameters
        ----------
        v : (n, n_features) array

        Returns
        -------
        F : (n,) array
            Nats; −F is log p(v) + log Z.
        cache
            For `free_energy_backward`: v and the logits b + s(v) W.
        """
        logits = self.hidden_input(theta, v)
        return self.visible.energy(theta, v) - softplus(logits).sum(axis=-1), (v, logits)

    def free_energy_backward(self, theta: Parameters, cache: tuple, dF: NDArray) -> Parameters:
        """dtheta of Σ_n dF_n F(v_n): with p = p(h = 1|v), db = −Σ_n dF_n p_n and dW = −Σ_n dF_n s(v_n)ᵀ p_n.

        The visible units add their own: their input from the hidden ones is the field p Wᵀ.
        """
        v, logits = cache
        p = sigmoid(logits)
        dtheta = theta.empty_like()
        weighted = p * -dF[:, None]
        dtheta["b"][...] = weighted.sum(axis=0)
        dtheta["W"][...] = self.visible.scaled(theta, v).T @ weighted
        field = p @ theta["W"].T if self.visible.reads_field else None
        self.visible.energy_backward(theta, v, dF, field, dtheta)
        return dtheta

    def loss(self, theta: Parameters, x: NDArray, noise: GibbsNoise, state: State) -> Loss:
        """How far the data lie above the chains: no likelihood, but the function whose gradient is descended.

        Returns
        -------
        Loss
            "free_energy_gap" F(x) − mean F(v) over the chains v after k more steps, nats, (n,); where weights decay
            also "weights".
        """
        gap = self.free_energy(theta, x)[0] - self.free_energy(theta, self._chains(theta, x, noise, state))[0].mean()
        return self._with_decay(gap, theta)

    def loss_and_grad(
        self, theta: Parameters, x: NDArray, noise: GibbsNoise, state: State
    ) -> tuple[Loss, Parameters, State]:
        """The same as `loss`, the estimate of the gradient of −mean log p(x), and the state after it.

        The estimate is ∂/∂theta of the loss with the chains held fixed; with centring, `centred` of that. Probabilities
        of the hidden units stand in both of its phases, samples of them only within the chains.
        """
        n, v = len(x), self._chains(theta, x, noise, state)
        F, cache = self.free_energy(theta, np.concatenate([x, v]))
        dF = np.empty_like(F)
        dF[:n], dF[n:] = 1 / n, -1 / len(v)
        dtheta = self.free_energy_backward(theta, cache, dF)
        if self.weight_decay > 0:  # before the centring, or the two together would have no common point of rest
            dtheta["W"][...] += self.weight_decay * theta["W"]
        after = self._state_after(theta, x, cache[1][:n], v, state)
        if self.centring:
            dtheta = centred(dtheta, after["visible_offset"], after["hidden_offset"])
        return self._with_decay(F[:n] - F[n:].mean(), theta), dtheta, after

    def _chains(self, theta: Parameters, x: NDArray, noise: GibbsNoise, state: State) -> NDArray:
        """The chains after k more steps, which begin at x where none persist."""
        require_rows(x, self.n_features)
        if self.n_chains and state["v"].shape != (self.n_chains, self.n_features):
            raise ArgumentError("state", f"have {self.n_chains} chains of {self.n_features} units", state["v"].shape)
        return self.gibbs(theta, state["v"] if self.n_chains else x, noise)

    def _state_after(self, theta: Parameters, x: NDArray, logits: NDArray, v: NDArray, state: State) -> State:
        """The chains where they are now, and the offsets with this batch: means of all at first, of about 100 later."""
        batches = state["batches"] + 1
        rate = max(1 / float(batches), 0.01)
        s, h = self.visible.scaled(theta, x), sigmoid(logits)
        means = {"visible_offset": s.mean(axis=0), "hidden_offset": h.mean(axis=0)}
        offsets = {name: state[name] + (mean - state[name]) * rate for name, mean in means.items()}
        return {"v": v if self.n_chains else state["v"], **offsets, "batches": np.asarray(batches)}

    def _with_decay(self, gap: NDArray, theta: Parameters) -> Loss:
        if self.weight_decay == 0:
            return Loss({"free_energy_gap": gap}, labels=LABELS)
        weights = np.full_like(gap, 0.5 * (theta["W"] * theta["W"]).sum())
        return Loss({"free_energy_gap": gap, "weights": weights}, {"weights": self.weight_decay}, LABELS)


def centred(dtheta: Parameters, mu: NDArray, lam: NDArray) -> Parameters:
    """The gradient by the parameters of the centred machine, as a step of the plain one's parameters.

    The centred machine has the energy e(v) with bias a' − (h − λ)ᵀb' − (s − μ) W (h − λ): the same distributions, with
    a = a' − W λ and b = b' − Wᵀμ. A step down its gradient moves the plain parameters by

        dW_c = dW − μ dbᵀ − da λᵀ,   da_c = da − dW_c λ,   db_c = db − dW_cᵀ μ.

    It does not depend on whether a pixel or its complement is called 1, and it is J Jᵀ times the plain gradient, so
    that both vanish at the same points. With μ = 0 and λ = 0 it is the plain gradient.

    Parameters
    ----------
    dtheta : Parameters
        "W", "b", "a" and what else the visible units have, which stays as it is.
    mu, lam : (n_features,) and (n_hidden,) arrays
        Offsets of s(v) and of h; their means over the data are usual.
    """
    step = dtheta.copy()
    dW = step["W"]
    dW -= np.stack([mu, dtheta["a"]], axis=1) @ np.stack([dtheta["b"], lam])
    step["a"][...] -= dW @ lam
    step["b"][...] -= dW.T @ mu
    return step
