"""Small things to train: a model whose loss is plain to see, a VAE of a few units, and their data."""

import numpy as np

from npvae.bounds import Loss
from npvae.models import VAE
from npvae.optimizers import OptimizerState
from npvae.parameters import Parameters


class Mean:
    """Learns the mean: ½‖x − m‖² + 0.1 Σ noise, in two terms. Remembers what it was shown."""

    def __init__(self, d=3):
        self.shapes = {"m": (d,)}
        self.seen = []

    def init(self, rng, dtype=np.float32):
        return Parameters(self.shapes, dtype)

    def draw_noise(self, rng, n, dtype=np.float32):
        return rng.standard_normal(n, dtype=dtype)

    def loss(self, theta, x, noise):
        return Loss({"distance": 0.5 * ((x - theta["m"]) ** 2).sum(axis=1), "noise": 0.1 * noise})

    def loss_and_grad(self, theta, x, noise):
        self.seen.append(x.copy())
        grads = theta.zeros_like()
        grads["m"][:] = (theta["m"] - x).mean(axis=0)
        return self.loss(theta, x, noise), grads


def binary_rows(n=50, d=6, seed=0):
    return (np.random.default_rng(seed).random((n, d)) < 0.4).astype(np.float32)


def small_vae(d=6, **options):
    model = VAE.mlp(d, 2, (5,), "tanh", **options)
    return model, model.init(np.random.default_rng(0))


class Chain(Mean):
    """Learns with a fantasy row that it keeps between steps: a model with state, as persistent chains have it."""

    def begin_state(self, rng):
        return {"fantasy": rng.standard_normal(3), "steps": np.zeros((), np.int64)}

    def loss(self, theta, x, noise, state):
        return super().loss(theta, x + state["fantasy"].astype(x.dtype), noise)

    def loss_and_grad(self, theta, x, noise, state):
        grads = theta.zeros_like()
        grads["m"][:] = (theta["m"] - x - state["fantasy"]).mean(axis=0)
        fantasy = 0.9 * state["fantasy"] + 0.1 * theta["m"] + noise.mean()
        return self.loss(theta, x, noise, state), grads, {"fantasy": fantasy, "steps": state["steps"] + 1}


class Nested(Mean):
    """Learns the mean with noise in a nesting: of each row, L times of each row, of all rows at once, and none."""

    def draw_noise(self, rng, n, dtype=np.float32):
        draws = rng.standard_normal((2, n, 3), dtype=dtype)
        return {
            "row": rng.standard_normal(n, dtype=dtype),
            "rest": (draws, [rng.standard_normal(3, dtype=dtype)], None),
        }

    def loss(self, theta, x, noise):
        draws, (shift,), _ = noise["rest"]
        near = ((x - theta["m"] + 0.1 * (draws.mean(axis=0) + shift)) ** 2).sum(axis=1)
        return Loss({"distance": 0.5 * near, "noise": 0.1 * noise["row"]}, {"noise": 0.5}, {"noise": "ε"})

    def loss_and_grad(self, theta, x, noise):
        draws, (shift,), _ = noise["rest"]
        grads = theta.zeros_like()
        grads["m"][:] = (theta["m"] - x - 0.1 * (draws.mean(axis=0) + shift)).mean(axis=0)
        return self.loss(theta, x, noise), grads


class Fails(Mean):
    """Raises, or gives NaN, at a batch with a value of 99."""

    def __init__(self, error=None):
        super().__init__()
        self.error = error

    def loss_and_grad(self, theta, x, noise):
        loss, grads = super().loss_and_grad(theta, x, noise)
        if (x == 99).any():
            if self.error is not None:
                raise self.error
            loss.terms["distance"][:] = np.nan
        return loss, grads


class NormalisedSGD:
    """Steps of one length along the gradient: an optimiser that looks at the whole vector, and makes new moments."""

    def init(self, theta):
        return OptimizerState(0, {"last": np.zeros_like(theta)})

    def step(self, theta, dtheta, state):
        state.t += 1
        state.slots["last"] = dtheta / np.sqrt((dtheta**2).sum())
        theta -= 0.01 * state.slots["last"]
