"""The variational autoencoder with Bernoulli latents, in one stochastic layer or several."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import Loss, monte_carlo_elbo
from npvae.bounds.baselines import begin_running, squared_error, update_running
from npvae.bounds.estimators import ESTIMATORS, learning_signals, of_layers, score_weights
from npvae.bounds.vimco import vimco
from npvae.layers import Chain
from npvae.models.bernoulli_stack import BottomUp, TopDown, bit_network, rows_of
from npvae.models.bit_layers import BitLayers
from npvae.models.encoder_gradients import Draws, of_log_q, of_pairs, through_the_draws, with_antithetic
from npvae.models.model import State, require_rows
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError, integer, number, one_of, widths

__all__ = ["BinaryVAE"]

Noise = tuple[NDArray, ...]


@dataclass(frozen=True, eq=False)
class BinaryVAE(BitLayers):
    """A VAE of bits: q(z_t|z_{t−1}) upwards, p(z_{t−1}|z_t) downwards, all Bernoulli, with x = z_0.

    z is no smooth function of the noise, so the decoder's gradient is direct and the encoder's an estimate, by one of
    the `npvae.bounds.ESTIMATORS`. The latents of layer t reach only the terms

        f_t = Σ_{s≥t} [log q(z_s|z_{s−1}) − log p(z_s|z_{s+1})] − log p(z_{t−1}|z_t),

    so f_t, and not the whole loss f_1, weighs ∂log q(z_t|z_{t−1}): less variance for the same mean.

    Parameters
    ----------
    n_features : int
        Width of a row of x, bits.
    latent_dims : int or sequence of int, default (64,)
        Widths of z_1, …, z_T.
    hidden : int or sequence of int, default ()
        Widths of the hidden units between every two stochastic layers, upwards, and in reverse downwards; none for
        linear maps.
    activation : str
        Nonlinearity of the hidden units.
    estimator : str, default "nvil"
        A name of `npvae.bounds.ESTIMATORS`.
    n_samples : int, default 1
        K, draws of z per row; of "arm" and "disarm" K draws with T antithetic ones each.
    learned_prior : bool, default False
        Whether p(z_T) has trained logits, as a belief net has; else it is Bernoulli(½).
    baseline_hidden : int or sequence of int, default (100,)
        Widths of the baseline networks, tanh.
    temperature : float, default 0.5
        τ of "concrete".
    init_weights : str
        See `npvae.layers.mlp`.
    centre : (n_features,) array, optional
        Subtracted from x before it enters a network, such as the mean of the data; without it x enters as 2x − 1.

    Raises
    ------
    TypeError, ValueError
        If a width or K is no positive integer, a name is unknown, or K is too small for the estimator.

    References
    ----------
    Mnih & Gregor, Neural variational inference and learning in belief networks (2014), section 3, for f_t, eq. (12),
    and the baselines.
    """

    n_features: int
    latent_dims: int | Sequence[int] = (64,)
    hidden: int | Sequence[int] = ()
    activation: str = "tanh"
    estimator: str = "nvil"
    n_samples: int = 1
    learned_prior: bool = False
    baseline_hidden: int | Sequence[int] = (100,)
    temperature: float = 0.5
    init_weights: str = "glorot"
    centre: NDArray | None = None

    def __post_init__(self) -> None:
        self._require_widths()
        number("temperature", self.temperature, above=0)
        if self.centre is not None and np.shape(self.centre) != (self.n_features,):
            raise ArgumentError("centre", f"have shape ({self.n_features},)", np.shape(self.centre))
        least = one_of("estimator", self.estimator, ESTIMATORS).least_samples
        if integer("n_samples", self.n_samples, at_least=1) < least:
            settings = {"estimator": self.estimator}
            raise ArgumentError("n_samples", f"be at least {least} with {{estimator}}", self.n_samples, "", settings)
        self._networks  # noqa: B018  a name or a width that is wrong is said now

    @property
    def encoder(self) -> BottomUp:
        """q(z_1, …, z_T|x)."""
        return self._networks["encoder"]

    @property
    def decoder(self) -> TopDown:
        """p(x, z_1, …, z_T)."""
        return self._networks["decoder"]

    @property
    def baselines(self) -> tuple[Chain, ...]:
        """C_t(z_{t−1}) of every layer, from (n, widths[t]) to (n, 1); none without such networks."""
        return tuple(network for part, network in self._networks.items() if part.startswith("baseline"))

    @cached_property
    def _networks(self) -> dict[str, Any]:
        common = (self.activation, self.init_weights)
        hidden, baseline_hidden = widths("hidden", self.hidden), widths("baseline_hidden", self.baseline_hidden)
        networks = {
            "encoder": BottomUp(self.widths, hidden, *common, self.centre),
            "decoder": TopDown(self.widths, hidden, *common, self.learned_prior),
        }
        if ESTIMATORS[self.estimator].network:
            for t, width in enumerate(self.widths[:-1]):
                centre = self.centre if t == 0 else None
                networks[f"baseline.{t}"] = bit_network(width, baseline_hidden, 1, "tanh", "glorot", centre)
        return networks

    @property
    def operations(self) -> int:
        """Operations of a gradient for each row: every draw goes through all layers."""
        return 6 * self.n_samples * sum(map(prod, self.shapes.values()))

    @cached_property
    def shapes(self) -> Shapes:
        """The encoder's parameters, the decoder's, then those of the baseline networks, if there are any."""
        return {f"{part}.{name}": s for part, network in self._networks.items() for name, s in network.shapes.items()}

    def init(
        self,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        mean: NDArray | None = None,
        var: NDArray | None = None,
    ) -> Parameters:
        """Draw initial parameters; with the `mean` (n_features,) of the data p(x|z_1) starts around it.

        `var` has no use here: a Bernoulli's variance follows from its mean.
        """
        theta = Parameters(self.shapes, dtype)
        for part, network in self._networks.items():
            arrays = network.init(rng, mean) if part == "decoder" else network.init(rng)
            for name, value in arrays.items():
                theta[f"{part}.{name}"][...] = value
        return theta

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> Noise:
        """Uniform numbers, (K, n, d_t) for every layer."""
        return tuple(rng.random((self.n_samples, n, d), dtype=dtype) for d in self.widths[1:])

    def begin_state(self, rng: np.random.Generator) -> dict[str, NDArray]:
        """What the first step knows of the steps before: running averages of 0. See `npvae.bounds.baselines`."""
        return begin_running(self.n_layers) if ESTIMATORS[self.estimator].running else {}

    def loss(self, theta: Parameters, x: NDArray, noise: Noise, state: State | None = None) -> Loss:
        """−bound of every row: −ELBO, and of "vimco" −L_K.

        Parameters
        ----------
        theta : Parameters
        x : (n, n_features) array
            Bits.
        noise : tuple of (K, n, d_t) arrays
            From `draw_noise`.
        state : mapping, optional
            The bound does not depend on it.

        Returns
        -------
        Loss
            Terms "reconstruction" −(1/K) Σ_l log p(x|z_l) and "kl" (1/K) Σ_l [log q(z_l|x) − log p(z_l)] over all
            layers, and of "vimco" also "tightening", see `npvae.bounds.iwae`; nats, each (n,).
        """
        return self._bound(self.draws(theta, x, noise))[0]

    def loss_and_grad(
        self, theta: Parameters, x: NDArray, noise: Noise, state: State
    ) -> tuple[Loss, Parameters, dict[str, NDArray]]:
        """The loss, its gradient by theta, and the state for the next step.

        The decoder's part is the gradient of the mean loss at these draws. The encoder's is an estimate of that of the
        expected loss; "nvil" divides it, layer by layer, by max(1, the running standard deviation). The baseline
        networks' part is the gradient of their squared error, see `npvae.bounds.baselines.squared_error`. "arm" and
        "disarm" average the loss over the antithetic draws as well; the terms of "concrete" are those of relaxed bits.
        """
        how = ESTIMATORS[self.estimator]
        if how.kind == "pair":
            noise = with_antithetic(noise)
        down = self.draws(theta, x, noise, self.temperature if self.estimator == "concrete" else None)
        loss, upstream = self._bound(down)
        dtheta = theta.empty_like()
        dlog_p = np.broadcast_to(upstream["log_px_z"], down.log_p.shape)
        decoder, ddecoder = theta.section("decoder"), dtheta.section("decoder")
        dzs = self.decoder.backward(decoder, down.caches["log_p"], dlog_p, ddecoder, need_dz=how.biased)

        after, slopes = dict(state), None
        if how.kind == "path":
            dlogits, dzs, slopes = through_the_draws(self, down, dzs, upstream["log_qz_x"])
        elif how.kind == "pair":
            dlogits = of_pairs(self.estimator, down, noise)
        elif how.kind == "vimco":
            dlogits = of_log_q(down, [upstream["direct"]] * self.n_layers)
        else:
            predicted, signals = self._predict(theta, x, down, state, dtheta)
            dlogits = of_log_q(down, score_weights(how, signals, predicted, state))
            after = update_running(state, signals - predicted) if how.running else after
        encoder, dencoder = theta.section("encoder"), dtheta.section("encoder")
        self.encoder.backward(encoder, down.caches["encoder"], dlogits, dencoder, dzs, slopes)
        return loss, dtheta, after

    def _predict(
        self, theta: Parameters, x: NDArray, down: Draws, state: State, dtheta: Parameters
    ) -> tuple[NDArray, NDArray]:
        """C_t(z_{t−1}) and f_t of every layer, (T, K, n) each; the gradients of the baseline networks are written."""
        signals = learning_signals(down.log_p, down.log_q)
        predicted = np.zeros_like(signals)
        target = signals - of_layers(state["mean"], signals) if "mean" in state else signals
        for t, network in enumerate(self.baselines):
            z, section = x[None] if t == 0 else down.zs[t - 1], f"baseline.{t}"
            c, cache = network.forward(theta.section(section), rows_of(z))
            predicted[t] = c = c.reshape(z.shape[:-1])
            _, dc = squared_error(target[t], c)
            network.backward(theta.section(section), cache, dc.reshape(-1, 1), dtheta.section(section), need_dx=False)
        return predicted, signals

    def draws(self, theta: Parameters, x: NDArray, noise: Noise, temperature: float | None = None) -> Draws:
        """The K draws of every row's latents and their densities; with a `temperature` the draws are relaxed."""
        self._require_shapes(x, noise)
        caches: dict[str, Any] = {}
        zs, logits, caches["encoder"] = self.encoder.sample(theta.section("encoder"), x, noise, temperature)
        log_q, caches["log_q"] = self.encoder.log_prob(logits, zs)
        log_p, caches["log_p"] = self.decoder.log_prob(theta.section("decoder"), x, zs)
        return Draws(zs, logits, log_p, log_q, caches)

    def _require_shapes(self, x: NDArray, noise: Noise) -> None:
        require_rows(x, self.n_features)
        expected = [(len(x), d) for d in self.widths[1:]]
        if [u.shape[1:] for u in noise] != expected or len({len(u) for u in noise}) != 1:
            raise ArgumentError("noise", f"hold (K, n, d) arrays with (n, d) = {expected}", [u.shape for u in noise])

    def weight_sampler(self, theta: Parameters, x: NDArray) -> Callable[[Sequence[np.random.Generator], int], NDArray]:
        """log w = log p(x, z) − log q(z|x) of draws from q, as `npvae.evaluation.log_likelihood` asks for them."""
        return self._sampler(lambda noise: self.log_weights(theta, x, tuple(noise)), theta)

    def log_weights(self, theta: Parameters, x: NDArray, noise: Noise) -> NDArray:
        """log p(x, z_l) − log q(z_l|x), (K, n), nats: their mean is the ELBO, their log-mean-exp L_K."""
        down = self.draws(theta, x, noise)
        return down.log_p.sum(axis=0) - down.log_q.sum(axis=0)

    def elbo_terms(self, theta: Parameters, x: NDArray, noise: Noise) -> NDArray:
        """−log p(x|z_1) and log q(z|x) − log p(z), means over the K draws, (2, n), nats: −ELBO in two parts."""
        down = self.draws(theta, x, noise)
        return np.stack([-down.log_p[0], down.log_q.sum(axis=0) - down.log_p[1:].sum(axis=0)]).mean(axis=1)

    def encode(self, theta: Parameters, x: NDArray) -> NDArray:
        """The logits of q(z_1|x), (n, d_1)."""
        return self.encoder.networks[0].forward(theta.section("encoder.0"), x)[0]

    def posterior_mean(self, theta: Parameters, x: NDArray) -> NDArray:
        """E[z_1|x] under q, (n, d_1)."""
        return self.likelihood.mean(self.encode(theta, x))

    def mean(self, theta: Parameters, z: NDArray) -> NDArray:
        """E[x|z_1], from z_1 (n, d_1) to (n, n_features)."""
        return self.decoder.mean(theta.section("decoder"), z)

    def sample(self, theta: Parameters, noise: Sequence[NDArray]) -> list[NDArray]:
        """x, z_1, …, z_T drawn from the top down, from uniform noise (n, d_t) for x and every layer."""
        return self.decoder.sample(theta.section("decoder"), noise)

    def _bound(self, down: Draws) -> tuple[Loss, dict[str, NDArray]]:
        bound = vimco if ESTIMATORS[self.estimator].kind == "vimco" else monte_carlo_elbo
        return bound(down.log_p[0], down.log_p[1:].sum(axis=0), down.log_q.sum(axis=0))
