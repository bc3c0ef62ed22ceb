"""Layers of Bernoulli variables, each drawn from the one before: upwards q(z|x), downwards p(x, z)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.bounds.concrete import relaxed_bits
from npvae.distributions import Bernoulli
from npvae.distributions.distribution import sum_to_shape
from npvae.layers import Chain, Rescale, mlp
from npvae.numerics import softplus
from npvae.parameters import Parameters, Shapes

__all__ = ["BottomUp", "TopDown"]

_BERNOULLI = Bernoulli()


def rows_of(z: NDArray) -> NDArray:
    """(K, n, d) as (K n, d): networks know rows only."""
    return z.reshape(-1, z.shape[-1])


def _shapes(networks: Sequence[Chain]) -> Shapes:
    return {f"{t}.{name}": shape for t, network in enumerate(networks) for name, shape in network.shapes.items()}


def _init(networks: Sequence[Chain], rng: np.random.Generator) -> dict[str, NDArray]:
    return {f"{t}.{name}": w for t, network in enumerate(networks) for name, w in network.init(rng).items()}


def bit_network(
    n_in: int, hidden: Sequence[int], n_out: int, activation: str, init_weights: str, centre: NDArray | None = None
) -> Chain:
    """A multilayer perceptron of bits: they enter as 2b − 1, or less their mean `centre` (n_in,)."""
    entry = Rescale(0.5, 2.0) if centre is None else Rescale(centre)
    return Chain(entry, *mlp(n_in, hidden, n_out, activation, init_weights).layers)


class BottomUp:
    """q(z_1, …, z_T|x) = Π_t q(z_t|z_{t−1}) with z_0 = x; the bits of a layer are independent given the layer before.

    Parameters
    ----------
    widths : sequence of int
        Those of x, z_1, …, z_T.
    hidden : sequence of int
        Widths of the hidden units between every two stochastic layers; none for linear maps.
    activation, init_weights : str
        See `npvae.layers.mlp`.
    centre : (widths[0],) array, optional
        What is subtracted from x; without it x enters as 2x − 1.
    """

    def __init__(
        self,
        widths: Sequence[int],
        hidden: Sequence[int],
        activation: str,
        init_weights: str,
        centre: NDArray | None = None,
    ) -> None:
        self.networks = tuple(
            bit_network(n_in, hidden, n_out, activation, init_weights, centre if t == 0 else None)
            for t, (n_in, n_out) in enumerate(pairwise(widths))
        )

    @property
    def shapes(self) -> Shapes:
        """Those of q(z_1|x) first, numbered from 0."""
        return _shapes(self.networks)

    def init(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """Initial values of every network."""
        return _init(self.networks, rng)

    def sample(
        self, params: Parameters, x: NDArray, noise: Sequence[NDArray], temperature: float | None = None
    ) -> tuple[list[NDArray], list[NDArray], list[Any]]:
        """z_t = 1 where u_t < σ(a_t), a_t the logits of q(z_t|z_{t−1}).

        Parameters
        ----------
        params : Parameters
        x : (n, widths[0]) array
        noise : sequence of (K, n, widths[t]) arrays
            u_t, uniform in [0, 1).
        temperature : float, optional
            With it the draws are relaxed, z_t = σ((a_t − logit u_t)/temperature), see `npvae.bounds.concrete`.

        Returns
        -------
        zs : list of (K, n, widths[t]) arrays
        logits : list of arrays
            a_1 is (1, n, widths[1]), the same for all samples, and the others are (K, n, widths[t]).
        caches : list
            Those of the networks.
        """
        below, zs, logits, caches = x[None], [], [], []
        for t, (network, u) in enumerate(zip(self.networks, noise, strict=True)):
            a, cache = network.forward(params.section(str(t)), rows_of(below))
            a = a.reshape(*below.shape[:-1], -1)
            z = _BERNOULLI.sample(a, u)[0] if temperature is None else relaxed_bits(a, u, temperature)
            zs.append(z)
            logits.append(a)
            caches.append(cache)
            below = z
        return zs, logits, caches

    def logits(self, params: Parameters, x: NDArray, zs: Sequence[NDArray]) -> tuple[list[NDArray], list[Any]]:
        """The logits of q(z_t|z_{t−1}) for given x (n, d) and z (K, n, d), and the caches of the networks."""
        logits, caches = [], []
        for t, (network, below) in enumerate(zip(self.networks, [x[None], *zs[:-1]], strict=True)):
            a, cache = network.forward(params.section(str(t)), rows_of(below))
            logits.append(a.reshape(*below.shape[:-1], -1))
            caches.append(cache)
        return logits, caches

    def log_prob(self, logits: Sequence[NDArray], zs: Sequence[NDArray]) -> tuple[NDArray, list[Any]]:
        """log q(z_t|z_{t−1}) of every layer, nats, (T, K, n). The cache is the list of the layers'."""
        terms, caches = zip(*(_BERNOULLI.log_prob(a, z) for a, z in zip(logits, zs, strict=True)), strict=True)
        return np.stack(terms), list(caches)

    def backward(
        self,
        params: Parameters,
        caches: list[Any],
        dlogits: Sequence[NDArray],
        grads: Parameters,
        dzs: Sequence[NDArray] | None = None,
        slopes: Sequence[NDArray] | None = None,
    ) -> None:
        """Write the gradient of every network.

        Parameters
        ----------
        params, caches
            As in and from `sample`.
        dlogits : sequence of arrays
            ∂loss/∂a_t at fixed z, of the shape of a_t.
        grads : Parameters
            Memory in the layout of `params`.
        dzs, slopes : sequence of (K, n, widths[t]) arrays, optional
            ∂loss/∂z_t and what is to stand for ∂z_t/∂a_t: with them the gradient also goes through the draws.
        """
        dx = 0
        for t in reversed(range(len(self.networks))):
            da = dlogits[t]
            if slopes is not None:
                da = da + sum_to_shape(slopes[t] * (dzs[t] + dx), da.shape)
            section = str(t)
            dx = self.networks[t].backward(
                params.section(section),
                caches[t],
                rows_of(da),
                grads.section(section),
                need_dx=slopes is not None and t > 0,
            )
            if dx is not None:
                dx = dx.reshape(dzs[t - 1].shape)


class TopDown:
    """p(x, z) = p(z_T) Π_t p(z_{t−1}|z_t) with z_0 = x: the bits of a layer are independent given the layer above.

    With linear maps and a learned prior that is a sigmoid belief network.

    Parameters
    ----------
    widths : sequence of int
        Those of x, z_1, …, z_T.
    hidden : sequence of int
        Widths of the hidden units between every two stochastic layers, named upwards; none for linear maps.
    activation, init_weights : str
        See `npvae.layers.mlp`.
    learned_prior : bool
        Whether p(z_T) has trained logits, which start at 0; else it is Bernoulli(½).
    """

    def __init__(
        self, widths: Sequence[int], hidden: Sequence[int], activation: str, init_weights: str, learned_prior: bool
    ) -> None:
        self.widths, self.learned_prior = tuple(widths), learned_prior
        self.networks = tuple(
            bit_network(n_in, hidden[::-1], n_out, activation, init_weights) for n_out, n_in in pairwise(widths)
        )

    @property
    def shapes(self) -> Shapes:
        """Those of p(x|z_1) first, numbered from 0; then the prior's logits, if it has any."""
        return {**_shapes(self.networks), **({"prior.b": (self.widths[-1],)} if self.learned_prior else {})}

    def init(self, rng: np.random.Generator, mean: NDArray | None = None) -> dict[str, NDArray]:
        """Initial values; with the `mean` (widths[0],) of the data, p(x|z_1) starts around it."""
        arrays = _init(self.networks, rng)
        if self.learned_prior:
            arrays["prior.b"] = np.zeros(self.widths[-1])
        if mean is not None:
            last = len(self.networks[0].layers) - 1
            arrays[f"0.{last}.b"] = _BERNOULLI.output_bias(mean, mean)
        return arrays

    def _prior(self, params: Parameters, dtype: np.dtype) -> NDArray:
        return params["prior.b"] if self.learned_prior else np.zeros(self.widths[-1], dtype)

    def log_prob(
        self, params: Parameters, x: NDArray, zs: Sequence[NDArray]
    ) -> tuple[NDArray, tuple[list[Any], list[Any]]]:
        """log p(z_{t−1}|z_t) of every layer and log p(z_T).

        Parameters
        ----------
        params : Parameters
        x : (n, widths[0]) array
        zs : sequence of (K, n, widths[t]) arrays

        Returns
        -------
        log_p : (T + 1, K, n) array
            log p(x|z_1), log p(z_1|z_2), …, log p(z_T), nats.
        cache
            For `backward`: the networks' caches and the densities'.
        """
        terms, of_networks, of_densities = [], [], []
        for t, (network, z) in enumerate(zip(self.networks, zs, strict=True)):
            a, cache = network.forward(params.section(str(t)), rows_of(z))
            term, of_density = _BERNOULLI.log_prob(a.reshape(*z.shape[:-1], -1), x if t == 0 else zs[t - 1])
            terms.append(term)
            of_networks.append(cache)
            of_densities.append(of_density)
        term, of_density = _BERNOULLI.log_prob(self._prior(params, zs[-1].dtype), zs[-1])
        return np.stack([*terms, term]), (of_networks, [*of_densities, of_density])

    def backward(
        self, params: Parameters, cache: tuple, dlog_p: NDArray, grads: Parameters, need_dz: bool = False
    ) -> list[NDArray] | None:
        """Write the gradient of every network and of the prior from ∂loss/∂log_p (T + 1, K, n).

        With `need_dz` the ∂loss/∂z_t are returned, each (K, n, widths[t]), where a z is taken as a real number.
        """
        of_networks, of_densities = cache
        dzs: list[NDArray] = []
        for t, network in enumerate(self.networks):
            da = _BERNOULLI.log_prob_backward(of_densities[t], dlog_p[t])
            section = str(t)
            dz = network.backward(
                params.section(section), of_networks[t], rows_of(da), grads.section(section), need_dx=need_dz
            )
            if need_dz:
                dz = dz.reshape(*da.shape[:-1], -1)
                dzs.append(dz + _BERNOULLI.log_prob_backward_x(of_densities[t + 1], dlog_p[t + 1]))
        if self.learned_prior:
            grads["prior.b"][...] = _BERNOULLI.log_prob_backward(of_densities[-1], dlog_p[-1])
        return dzs if need_dz else None

    def log_joint(self, params: Parameters, x: NDArray, states: NDArray) -> NDArray:
        """log p(x, z), (S, n), of n data and S states (S, d_1 + … + d_T): what `enumerate_latents` sums over."""
        zs = np.split(states, np.cumsum(self.widths[1:])[:-1], axis=1)
        a = [
            network.forward(params.section(str(t)), z)[0]
            for t, (network, z) in enumerate(zip(self.networks, zs, strict=True))
        ]
        priors = [*a[1:], self._prior(params, states.dtype)]
        above = sum(_BERNOULLI.log_prob(prior, z)[0] for prior, z in zip(priors, zs, strict=True))
        return a[0] @ x.T + (above - softplus(a[0]).sum(axis=1))[:, None]

    def mean(self, params: Parameters, z: NDArray) -> NDArray:
        """E[x|z_1] = σ(a_0), from z_1 (n, widths[1]) to (n, widths[0])."""
        return _BERNOULLI.mean(self.networks[0].forward(params.section("0"), z)[0])

    def sample(self, params: Parameters, noise: Sequence[NDArray]) -> list[NDArray]:
        """x, z_1, …, z_T drawn from the top down, (n, widths[t]) each, from uniform noise in the same shapes."""
        draws = [(noise[-1] < _BERNOULLI.mean(self._prior(params, noise[-1].dtype))).astype(noise[-1].dtype)]
        for t in reversed(range(len(self.networks))):
            a = self.networks[t].forward(params.section(str(t)), draws[0])[0]
            draws.insert(0, _BERNOULLI.sample(a, noise[t])[0])
        return draws
