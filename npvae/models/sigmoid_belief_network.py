"""The sigmoid belief network with a mean-field posterior for every datum: variational EM without an encoder."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import Loss
from npvae.bounds.loss import LABELS
from npvae.bounds.softplus_bound import UnitByUnit, better_xi, softplus_bound, softplus_bound_backward
from npvae.distributions import Bernoulli
from npvae.models.bit_layers import BitLayers
from npvae.models.model import require_rows
from npvae.numerics import sigmoid, softplus
from npvae.parameters import Parameters, Shapes
from npvae.validation import integer

__all__ = ["MeanField", "SigmoidBeliefNetwork"]

_BERNOULLI = Bernoulli()

SWEEP = 10_000
"""A sweep of the E step takes a core as long for each weight as so many operations of a matrix product."""

ROWS = 16
"""Data whose bound is computed at once: some arrays of rows · parents · children numbers."""


class MeanField(NamedTuple):
    """q(z) = Π_t Π_j μ_tj^{z_tj} (1 − μ_tj)^{1 − z_tj} of every datum, and what bounds its intractable term."""

    mu: tuple[NDArray, ...]
    """(n, d_t) of every layer."""
    xi: tuple[NDArray, ...]
    """(n, d_{t−1}) of every layer's children, see `npvae.bounds.softplus_bound`."""

    def rows(self, part: slice) -> MeanField:
        """The same of some data."""
        return MeanField(tuple(m[part] for m in self.mu), tuple(v[part] for v in self.xi))


@dataclass(frozen=True)
class SigmoidBeliefNetwork(BitLayers):
    """p(x, z) = p(z_T) Π_t p(z_{t−1}|z_t), p(z_{t−1,i} = 1|z_t) = σ(b_i + Σ_j z_tj W_ji), with z_0 = x.

    The posterior is approximated datum by datum, with numbers μ of its own for each. The bound of log p(x) is

        Σ_t Σ_i [m_{t−1,i} E[a_i] − g_i(ξ_i)] + Σ_j [m_Tj b_j − softplus(b_j)] + H(q),

    m the means (of z_0 the datum itself), a_i the logits and g_i ≥ E[log(1 + e^{a_i})] the bound of Saul, Jaakkola &
    Jordan. In one μ_j it is H(μ_j) + c μ_j − Σ_i log(α_i + β_i μ_j) and a constant. The last sum is convex, so it lies
    above its tangent at the present μ_j, and the maximum of what the tangent leaves,

        μ_j ← σ(c − Σ_i β_i/(α_i + β_i μ_j)),

    is no lower than the present bound. One unit at a time, then, the fixed-point updates never lower the bound; all
    at once they might. The E step sweeps over the units so and then improves every ξ; the M step is a gradient at q.

    Parameters
    ----------
    n_features : int
        Width of a row of x, bits.
    latent_dims : int or sequence of int, default (64,)
        Widths of z_1, …, z_T.
    sweeps : int, default 10
        Sweeps of an E step, which has the same start for every datum.

    Raises
    ------
    TypeError, ValueError
        If a width or `sweeps` is no positive integer.

    References
    ----------
    Neal, Connectionist learning of belief networks (1992). Saul, Jaakkola & Jordan, Mean field theory for sigmoid
    belief networks (1996), eq. (14) for the fixed point.
    """

    n_features: int
    latent_dims: int | Sequence[int] = (64,)
    sweeps: int = 10

    def __post_init__(self) -> None:
        self._require_widths()
        integer("sweeps", self.sweeps, at_least=1)

    @property
    def operations(self) -> int:
        """Operations of a gradient for each row, nearly all of them of the E step."""
        return SWEEP * self.sweeps * sum(map(prod, self.shapes.values()))

    @property
    def shapes(self) -> Shapes:
        """W (d_t, d_{t−1}) and b (d_{t−1},) of p(z_{t−1}|z_t), numbered from 0, and the prior's logits b (d_T,)."""
        shapes: dict[str, tuple[int, ...]] = {}
        for t, (below, above) in enumerate(pairwise(self.widths)):
            shapes |= {f"{t}.W": (above, below), f"{t}.b": (below,)}
        return {**shapes, "prior.b": (self.widths[-1],)}

    def init(
        self,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        mean: NDArray | None = None,
        var: NDArray | None = None,
    ) -> Parameters:
        """Weights from N(0, 0.01), biases 0; with the `mean` of the data p(x|z_1) starts there. `var` is not used."""
        theta = Parameters(self.shapes, dtype)
        for t in range(self.n_layers):
            theta[f"{t}.W"][...] = 0.1 * rng.standard_normal(theta[f"{t}.W"].shape)
        if mean is not None:
            theta["0.b"][...] = _BERNOULLI.output_bias(mean, mean)
        return theta

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> tuple:
        """None: a mean-field E step draws nothing."""
        return ()

    def begin(self, theta: Parameters, x: NDArray) -> MeanField:
        """Where every E step starts: μ the means of the layers where those above are at ½, and ξ = ½."""
        mu = [np.broadcast_to(sigmoid(theta["prior.b"]), (len(x), self.widths[-1]))]
        for t in reversed(range(1, self.n_layers)):
            mu.insert(0, sigmoid(mu[0] @ theta[f"{t}.W"] + theta[f"{t}.b"]))
        xi = tuple(np.full((len(x), d), 0.5, theta.dtype) for d in self.widths[:-1])
        return MeanField(tuple(np.array(m) for m in mu), xi)

    def e_step(self, theta: Parameters, x: NDArray, q: MeanField, sweeps: int | None = None) -> MeanField:
        """q after some sweeps: every unit's fixed-point update in turn, then every ξ. The bound of no datum falls.

        Parameters
        ----------
        theta : Parameters
        x : (n, n_features) array
            Bits.
        q : MeanField
            It is not changed.
        sweeps : int, optional
            Those of the model, if not given.
        """
        require_rows(x, self.n_features)
        parts = []
        for start in range(0, len(x), ROWS):
            part = slice(start, start + ROWS)
            mu, xi = (list(values) for values in q.rows(part))
            for _ in range(self.sweeps if sweeps is None else sweeps):
                for t in range(self.n_layers):
                    mu[t] = self._update_layer(theta, t, x[part], mu, xi)
                for t in range(self.n_layers):
                    xi[t] = better_xi(mu[t], theta[f"{t}.W"], theta[f"{t}.b"], xi[t])
            parts.append(MeanField(tuple(mu), tuple(xi)))
        joined = [[np.concatenate(layer) for layer in zip(*(p[i] for p in parts), strict=True)] for i in (0, 1)]
        return MeanField(tuple(joined[0]), tuple(joined[1]))

    def _update_layer(self, theta: Parameters, t: int, x: NDArray, mu: list[NDArray], xi: list[NDArray]) -> NDArray:
        """μ of layer t + 1 after one fixed-point update of each of its units, one after the other."""
        W, b = theta[f"{t}.W"], theta[f"{t}.b"]
        child, own = x if t == 0 else mu[t - 1], mu[t].copy()
        top = t + 1 == self.n_layers
        from_above = theta["prior.b"] if top else mu[t + 1] @ theta[f"{t + 1}.W"] + theta[f"{t + 1}.b"]
        linear = np.broadcast_to(from_above, own.shape) + (child - xi[t]) @ W.T
        below = UnitByUnit(own, W, b, xi[t])
        for j in range(len(W)):
            own[:, j] = sigmoid(linear[:, j] - below.slope(j, own[:, j]))
            below.move(j, own[:, j])
        return own

    def posterior(self, theta: Parameters, x: NDArray) -> MeanField:
        """The E step of every datum from its start."""
        return self.e_step(theta, x, self.begin(theta, x))

    def bound(self, theta: Parameters, x: NDArray, q: MeanField) -> Loss:
        """−bound of every row at q.

        Returns
        -------
        Loss
            Terms "reconstruction", −(the bound of E_q[log p(x|z_1)]), and "kl", what the layers above and the entropy
            of q make of KL(q ‖ p(z)), each (n,), nats; with more than one layer the latter is a bound as well.
        """
        return self._bound_and_grad(theta, x, q, None)

    def bound_and_grad(self, theta: Parameters, x: NDArray, q: MeanField) -> tuple[Loss, Parameters]:
        """The same, and the gradient of its mean by theta with q held fixed: what the M step follows.

        Where the E step has come to its end, the bound's derivative by q is zero, so that this is the whole gradient.
        """
        dtheta = theta.zeros_like()
        return self._bound_and_grad(theta, x, q, dtheta), dtheta

    def _bound_and_grad(self, theta: Parameters, x: NDArray, q: MeanField, dtheta: Parameters | None) -> Loss:
        require_rows(x, self.n_features)
        layers = np.zeros((self.n_layers, len(x)), theta.dtype)
        for start in range(0, len(x), ROWS):
            part = slice(start, start + ROWS)
            mu, xi = q.rows(part)
            for t in range(self.n_layers):
                child = x[part] if t == 0 else mu[t - 1]
                layers[t, part] = self._layer(theta, t, child, mu[t], xi[t], len(x), dtheta)
        b = theta["prior.b"]
        if dtheta is not None:
            dtheta["prior.b"][...] = sigmoid(b) - q.mu[-1].mean(axis=0)
        top = q.mu[-1] @ b - softplus(b).sum()
        kl = -(layers[1:].sum(axis=0) + top + sum(map(_entropy, q.mu)))
        return Loss({"reconstruction": -layers[0], "kl": kl}, labels=LABELS)

    def _layer(
        self, theta: Parameters, t: int, child: NDArray, mu: NDArray, xi: NDArray, n: int, dtheta: Parameters | None
    ) -> NDArray:
        """Σ_i [m_i E[a_i] − g_i] of some rows; −1/n times its gradient is added to dtheta."""
        W, b = theta[f"{t}.W"], theta[f"{t}.b"]
        g, cache = softplus_bound(mu, W, b, xi)
        if dtheta is not None:
            _, dW, db, _ = softplus_bound_backward(cache, np.full_like(g, 1 / n))
            dtheta[f"{t}.W"][...] += dW - mu.T @ child / n
            dtheta[f"{t}.b"][...] += db - child.sum(axis=0) / n
        return (child * (mu @ W + b) - g).sum(axis=1)

    def loss(self, theta: Parameters, x: NDArray, noise: tuple = ()) -> Loss:
        """−bound of every row after its E step, see `bound`. `noise` is empty."""
        return self.bound(theta, x, self.posterior(theta, x))

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: tuple = ()) -> tuple[Loss, Parameters]:
        """An E step from its start, then the loss and its gradient at that q, see `bound_and_grad`."""
        return self.bound_and_grad(theta, x, self.posterior(theta, x))

    def log_joint(self, theta: Parameters, x: NDArray, states: NDArray) -> NDArray:
        """log p(x, z), (S, n), of n data and S states (S, d_1 + … + d_T): what `enumerate_latents` sums over."""
        zs = np.split(states, np.cumsum(self.widths[1:])[:-1], axis=1)
        a = zs[0] @ theta["0.W"] + theta["0.b"]
        above = zs[-1] @ theta["prior.b"] - softplus(theta["prior.b"]).sum()
        for t in range(1, self.n_layers):
            above = above + _BERNOULLI.log_prob(zs[t] @ theta[f"{t}.W"] + theta[f"{t}.b"], zs[t - 1])[0]
        return a @ x.T + (above - softplus(a).sum(axis=1))[:, None]

    def log_weights(self, theta: Parameters, x: NDArray, q: MeanField, noise: Sequence[NDArray]) -> NDArray:
        """log p(x, z_l) − log q(z_l) of draws from q, (K, n), from uniform noise (K, n, d_t) for every layer.

        Their mean is the ELBO of q itself, above the bound; their log-mean-exp is L_K.
        """
        total, below = 0.0, x
        for t, (mu, u) in enumerate(zip(q.mu, noise, strict=True)):
            z = (u < mu).astype(theta.dtype)
            total = total + _BERNOULLI.log_prob(z @ theta[f"{t}.W"] + theta[f"{t}.b"], below)[0]
            total = total - np.log(np.where(z > 0, mu, 1 - mu)).sum(axis=-1)
            below = z
        return total + below @ theta["prior.b"] - softplus(theta["prior.b"]).sum()

    def elbo_terms(self, theta: Parameters, x: NDArray, noise: tuple = ()) -> NDArray:
        """The two terms of `bound` after the E step, (2, n), nats."""
        return np.stack(list(self.loss(theta, x).terms.values()))

    def posterior_mean(self, theta: Parameters, x: NDArray) -> NDArray:
        """μ of the first layer, (n, d_1)."""
        return self.posterior(theta, x).mu[0]

    def weight_sampler(self, theta: Parameters, x: NDArray) -> Callable[[Sequence[np.random.Generator], int], NDArray]:
        """log w = log p(x, z) − log q(z) of draws from q, as `npvae.evaluation.log_likelihood` asks for them."""
        q = self.posterior(theta, x)
        return self._sampler(lambda noise: self.log_weights(theta, x, q, noise), theta)

    def mean(self, theta: Parameters, z: NDArray) -> NDArray:
        """E[x|z_1], from z_1 (n, d_1) to (n, n_features)."""
        return sigmoid(z @ theta["0.W"] + theta["0.b"])

    def sample(self, theta: Parameters, noise: Sequence[NDArray]) -> list[NDArray]:
        """x, z_1, …, z_T drawn from the top down, from uniform noise (n, d_t) for x and every layer."""
        draws = [(noise[-1] < sigmoid(theta["prior.b"])).astype(theta.dtype)]
        for t in reversed(range(self.n_layers)):
            p = sigmoid(draws[0] @ theta[f"{t}.W"] + theta[f"{t}.b"])
            draws.insert(0, (noise[t] < p).astype(theta.dtype))
        return draws


def _entropy(mu: NDArray) -> NDArray:
    """−Σ_j [μ_j log μ_j + (1 − μ_j) log(1 − μ_j)], (n,), nats; a certain bit has none."""
    other = 1 - mu
    parts = mu * np.log(np.where(mu.real > 0, mu, 1)) + other * np.log(np.where(other.real > 0, other, 1))
    return -parts.sum(axis=-1)
