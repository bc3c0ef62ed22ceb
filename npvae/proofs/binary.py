"""Cases of what serves latents that are bits: VIMCO, relaxed bits, baselines, the binary VAE with every estimator."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import ESTIMATORS, vimco
from npvae.bounds.baselines import squared_error
from npvae.bounds.concrete import relaxed_bits, relaxed_slope
from npvae.bounds.softplus_bound import cumulant, softplus_bound, softplus_bound_backward
from npvae.layers import Rescale
from npvae.models import BinaryVAE, BinaryWakeSleep, MeanField, SigmoidBeliefNetwork
from npvae.models.bernoulli_stack import BottomUp, TopDown
from npvae.numerics import sigmoid, softplus
from npvae.parameters import Parameters
from npvae.proofs.case import Case, N

STATE = {"mean": np.array([1.5, -0.5]), "variance": np.array([4.0, 0.3])}
"""Running averages in the middle of a training, of two layers."""

ROWS, FEATURES, LATENTS = 5, 6, (3, 2)


def cases() -> Iterator[Case]:
    """Cases of the parts, then of the model with every estimator."""
    yield Case("layers.Rescale", lambda rng: (Rescale(rng.random(N), 2.0), rng.standard_normal((N, N))), (Rescale,))
    yield Case("bounds.vimco", _vimco, (), (vimco,))
    yield Case("bounds.squared_error", _squared_error, (), (squared_error,))
    yield Case("bounds.relaxed_bits", _relaxed_bits, (), (relaxed_bits, relaxed_slope))
    yield Case("bounds.softplus_bound", _softplus_bound, (), (softplus_bound_backward,))
    yield Case("bounds.cumulant", _cumulant, (), (cumulant,))
    for latent_dims in ((3,), (3, 2)):
        yield _belief_network(latent_dims)
    for phase in ("wake", "sleep"):
        yield _wake_sleep(phase)
    for name, how in ESTIMATORS.items():
        for hidden in ((), (4,)):
            yield _binary_vae(name, max(how.least_samples, 1 + len(hidden)), hidden)


def _vimco(rng: np.random.Generator) -> tuple:
    def forward(*densities: NDArray) -> tuple:
        loss, upstream = vimco(*densities)
        expected = vimco_by_definition(*(density.real for density in densities))
        if not np.allclose(upstream["direct"].real, expected, rtol=1e-4):
            raise ValueError("the direct weight of vimco is not what it is by definition")
        return (loss.value, loss.per_datum), upstream

    def backward(upstream: dict[str, NDArray], dy: tuple) -> list[NDArray]:
        names = ("log_px_z", "log_pz", "log_qz_x")
        return [np.einsum("ln,n->ln", upstream[name], dy[0] + N * dy[1]) for name in names]

    return forward, backward, tuple(rng.standard_normal((3, N)) for _ in range(3))


def vimco_by_definition(log_px_z: NDArray, log_pz: NDArray, log_qz_x: NDArray) -> NDArray:
    """The weight of ∂log q, sample by sample: its normalised weight less what it adds to the bound, over n."""
    w = np.exp(log_px_z + log_pz - log_qz_x)
    k, n = w.shape
    direct = np.empty_like(w)
    for i in range(k):
        others = np.delete(w, i, axis=0)
        without = (others.sum(axis=0) + others.prod(axis=0) ** (1 / (k - 1))) / k
        direct[i] = (w[i] / w.sum(axis=0) - np.log(w.mean(axis=0)) + np.log(without)) / n
    return direct


def _squared_error(rng: np.random.Generator) -> tuple:
    f = rng.standard_normal((3, N))

    def forward(own: NDArray, shared: NDArray) -> tuple:
        (one, d_one), (all_, d_all) = (squared_error(f.astype(c.real.dtype), c) for c in (own, shared))
        return one.mean() + all_.mean(), (d_one, d_all)

    def backward(cache: tuple, dy: NDArray) -> list[NDArray]:
        return [dy * upstream for upstream in cache]

    return forward, backward, (rng.standard_normal((3, N)), rng.standard_normal((1, N)))


def _relaxed_bits(rng: np.random.Generator) -> tuple:
    u = rng.random((3, N))

    def forward(a: NDArray) -> tuple:
        z = relaxed_bits(a, u.astype(a.real.dtype), 0.7)
        return z, z

    return forward, lambda z, dz: dz * relaxed_slope(z, 0.7), (rng.standard_normal((3, N)),)


def _softplus_bound(rng: np.random.Generator) -> tuple:
    mu, xi = rng.uniform(0.1, 0.9, (N, N)), rng.uniform(0, 1, (N, N))
    return softplus_bound, softplus_bound_backward, (mu, rng.standard_normal((N, N)), rng.standard_normal(N), xi)


def _cumulant(rng: np.random.Generator) -> tuple:
    def forward(v: NDArray, mu: NDArray) -> tuple:
        value, tilted, slope = cumulant(v, mu)
        return value, (tilted, slope)

    return forward, lambda cache, dy: [dy * d for d in cache], (3 * rng.standard_normal(N), rng.uniform(0.1, 0.9, N))


def _belief_network(latent_dims: tuple[int, ...]) -> Case:
    """The gradient of the bound at a q that is held fixed."""
    net = SigmoidBeliefNetwork(FEATURES, latent_dims)

    def make(rng: np.random.Generator) -> tuple:
        theta = net.init(rng, np.float64)
        theta.flat += rng.standard_normal(theta.flat.size)
        x = (rng.random((ROWS, FEATURES)) < 0.5).astype(np.float64)
        mu = tuple(rng.uniform(0.1, 0.9, (ROWS, d)) for d in net.widths[1:])
        q = MeanField(mu, tuple(rng.uniform(0, 1, (ROWS, d)) for d in net.widths[:-1]))

        def value_and_grad(at: Parameters) -> tuple[np.number, Parameters]:
            real = at.flat.real.dtype
            of = MeanField(*(tuple(values.astype(real) for values in layers) for layers in q))
            loss, grads = net.bound_and_grad(at, x.astype(real), of)
            return loss.value, grads

        return value_and_grad, theta

    return Case(f"models.SigmoidBeliefNetwork T={len(latent_dims)}", make, (SigmoidBeliefNetwork,))


def _wake_sleep(phase: str) -> Case:
    """One phase, by the network that learns in it; what the other network draws is held fixed."""
    vae = BinaryVAE(FEATURES, LATENTS, (4,), estimator="no-baseline", n_samples=2, learned_prior=True)
    model, part = BinaryWakeSleep(vae), "decoder" if phase == "wake" else "encoder"

    def make(rng: np.random.Generator) -> tuple:
        theta = model.init(rng, np.float64)
        theta.flat += 0.3 * rng.standard_normal(theta.flat.size)
        x = (rng.random((ROWS, FEATURES)) < 0.5).astype(np.float64)
        noise = model.draw_noise(rng, ROWS, np.float64)
        awake, _, _ = vae.encoder.sample(theta.section("encoder"), x, noise.wake)
        dream, *asleep = vae.decoder.sample(theta.section("decoder"), noise.sleep)

        def value_and_grad(network: Parameters) -> tuple[np.number, Parameters]:
            at = theta.astype(network.dtype)
            at.section(part).flat[:] = network.flat
            gradient = model.loss_and_grad(at, x, noise)[1].section(part)
            if phase == "wake":
                return -sum(_densities(vae, at, x, awake, [])[0]).mean(), gradient
            zs = [z[None] for z in asleep]
            a = [_logit(vae, at, below, t) for t, below in enumerate([dream[None], *zs[:-1]])]
            return -sum(_densities(vae, theta, dream, zs, a)[1]).mean(), gradient

        return value_and_grad, theta.section(part).copy()

    return Case(f"models.BinaryWakeSleep {phase}", make, (BinaryWakeSleep,))


def _binary_vae(estimator: str, n_samples: int, hidden: tuple[int, ...]) -> Case:
    settings = {"learned_prior": bool(hidden), "baseline_hidden": (3,), "temperature": 0.7}
    centre = None if hidden else np.linspace(0.2, 0.8, FEATURES)
    model = BinaryVAE(FEATURES, LATENTS, hidden, estimator=estimator, n_samples=n_samples, centre=centre, **settings)

    def make(rng: np.random.Generator) -> tuple:
        theta = model.init(rng, np.float64)
        theta.flat += 0.3 * rng.standard_normal(theta.flat.size)
        x = (rng.random((ROWS, FEATURES)) < 0.5).astype(np.float64)
        noise = model.draw_noise(rng, ROWS, np.float64)
        state = STATE if ESTIMATORS[estimator].running else {}
        return surrogate(model, theta, x, noise, state), theta

    name = f"models.BinaryVAE {estimator} K={n_samples}{' deep' if hidden else ''}"
    return Case(name, make, (BinaryVAE, BottomUp, TopDown))


def surrogate(
    model: BinaryVAE, theta: Parameters, x: NDArray, noise: tuple[NDArray, ...], state: Mapping[str, NDArray]
) -> Callable:
    """``value_and_grad`` at `theta` of a sum whose exact derivative the model's gradient claims to be.

    The sum is written out here from the estimators' definitions; draws and weights in it are constants, those at
    `theta`. With the baselines it holds their squared error.
    """
    value = _through_draws if ESTIMATORS[model.estimator].biased else _at_fixed_draws
    of = value(model, theta, x, noise, state)
    return lambda at: (of(at), model.loss_and_grad(at, x, noise, state)[1])


def _at_fixed_draws(
    model: BinaryVAE, theta: Parameters, x: NDArray, noise: tuple[NDArray, ...], state: Mapping[str, NDArray]
) -> Callable[[Parameters], np.number]:
    how, layers = ESTIMATORS[model.estimator], range(len(noise))
    if how.kind == "pair":
        groups = [[1 - u if s == t else u for t, u in enumerate(noise)] for s in (-1, *layers)]
        noise = tuple(np.concatenate(us) for us in zip(*groups, strict=True))
    zs, logits, _ = model.encoder.sample(theta.section("encoder"), x, noise)
    log_p, log_q = _densities(model, theta, x, zs, logits)
    f = [sum(log_q[t:]) - sum(log_p[t:]) for t in layers]
    k, n = f[0].shape
    predicted = [_baseline(model, theta, x, zs, t) if how.network else 0.0 for t in layers]
    centre = state.get("mean", np.zeros(len(f)))
    if how.kind == "vimco":
        importance = np.exp(-f[0]) / np.exp(-f[0]).sum(axis=0)
        weights = [vimco_by_definition(-f[0], 0 * f[0], 0 * f[0])] * len(f)
    else:
        importance = np.full((k, n), 1 / k)
        scale = np.sqrt(np.maximum(state["variance"], 1)) if how.normalised else np.ones(len(f))
        others = [np.stack([np.delete(g, i, 0).mean(0) for i in range(k)]) if how.leave_one_out else 0 for g in f]
        weights = [(f[t] - predicted[t] - centre[t] - others[t]) / (scale[t] * k * n) for t in layers]
    dlogits = [w[..., None] * (z - sigmoid(a)) for w, z, a in zip(weights, zs, logits, strict=True)]
    if how.kind == "pair":
        dlogits = [_pair(model.estimator, f[t], t, noise[t], logits[t]) / (n * k / (1 + len(f))) for t in layers]

    def value(at: Parameters) -> np.number:
        a = [_logit(model, at, below, t) for t, below in enumerate([x[None], *zs[:-1]])]
        p, _ = _densities(model, at, x, zs, a)
        total = -(importance * sum(p)).sum() / n + sum((d * of).sum() for d, of in zip(dlogits, a, strict=True))
        for t in layers if how.network else ():
            total = total + 0.5 * np.square(f[t] - centre[t] - _baseline(model, at, x, zs, t)).mean()
        return total

    return value


def _pair(name: str, f: NDArray, t: int, u: NDArray, a: NDArray) -> NDArray:
    """The estimate of the first draws of every pair, and zeros for the others: they have no gradient to carry."""
    k = len(u) // (len(LATENTS) + 1)
    own, other, u0, p = f[:k, :, None], f[(t + 1) * k : (t + 2) * k, :, None], u[:k], sigmoid(a[:k])
    if name == "arm":
        first = (other - own) * (u0 - 0.5)
    else:
        ones = (u0 < p) * 1.0 - (1 - u0 < p)
        first = 0.5 * (own - other) * ones * np.maximum(p, 1 - p)
    return np.concatenate([first, np.zeros((len(u) - k, *first.shape[1:]))])


def _through_draws(
    model: BinaryVAE, theta: Parameters, x: NDArray, noise: tuple[NDArray, ...], state: Mapping[str, NDArray]
) -> Callable[[Parameters], np.number]:
    concrete = model.estimator == "concrete"
    zs, logits, _ = model.encoder.sample(theta.section("encoder"), x, noise, model.temperature if concrete else None)

    def value(at: Parameters) -> np.number:
        below, moved, a = x[None], [], []
        for t, u in enumerate(noise):
            a.append(_logit(model, at, below, t))
            relaxed = relaxed_bits(a[t], u, model.temperature) if concrete else None
            below = relaxed if concrete else zs[t] + sigmoid(a[t]) - sigmoid(logits[t])
            moved.append(below)
        own, _ = _densities(model, at, x, zs, logits)
        p, q = _densities(model, theta, x, moved, a if concrete else logits)
        return (sum(q) - sum(p) - sum(own)).mean()

    return value


def _logit(model: BinaryVAE, at: Parameters, below: NDArray, t: int) -> NDArray:
    """Logits of q(z_{t+1}|z_t), from z_t (K, n, d)."""
    rows = below.reshape(-1, below.shape[-1])
    a, _ = model.encoder.networks[t].forward(at.section(f"encoder.{t}"), rows)
    return a.reshape(*below.shape[:-1], -1)


def _densities(
    model: BinaryVAE, at: Parameters, x: NDArray, zs: list[NDArray], logits: list[NDArray]
) -> tuple[list[NDArray], list[NDArray]]:
    """log p(x|z_1), …, log p(z_T) with the decoder of `at`, and log q(z_t) from its logits, each (K, n)."""
    log_q = [(z * a - softplus(a)).sum(axis=-1) for z, a in zip(zs, logits, strict=False)]
    return list(model.decoder.log_prob(at.section("decoder"), x, zs)[0]), log_q


def _baseline(model: BinaryVAE, at: Parameters, x: NDArray, zs: list[NDArray], t: int) -> NDArray:
    below = x[None] if t == 0 else zs[t - 1]
    rows = below.reshape(-1, below.shape[-1])
    return model.baselines[t].forward(at.section(f"baseline.{t}"), rows)[0].reshape(below.shape[:-1])
