"""Cases of the autoencoders of `npvae.models`, and of what they are made of in `npvae.layers`."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod

import numpy as np
from numpy.typing import NDArray

from npvae.distributions import Bernoulli, DiagonalGaussian
from npvae.layers import (
    Chain,
    Conv2D,
    Dense,
    DenseTranspose,
    Dropout,
    Sigmoid,
    Softplus,
    Tanh,
    Tied,
    conv,
    conv_transpose,
    mlp,
)
from npvae.layers.jacobian import _carry_backward, backward_with, squared_norm, squared_norm_backward
from npvae.models import (
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    GaussianNoise,
    SaltAndPepper,
    SparseAutoencoder,
    SquaredError,
    ZeroOut,
)
from npvae.models.sparse_autoencoder import rate_divergence, rate_divergence_backward
from npvae.parameters import Parameters
from npvae.proofs.case import Case, N

FEATURES, CODE = 6, 3
IMAGE = (4, 5, 2)
BACKWARDS = (squared_norm_backward, _carry_backward, backward_with)


def cases() -> Iterator[Case]:
    """Cases of autoencoders."""
    yield from _squared_error()
    yield from _jacobian()
    yield from _autoencoders()


def _squared_error() -> Iterator[Case]:
    for link in ("identity", "sigmoid"):
        error = SquaredError(link)

        def make(rng: np.random.Generator, error: SquaredError = error) -> tuple:
            x = rng.standard_normal((N, 3))
            start = rng.standard_normal((N, 3))
            return lambda a: error.log_prob(a, x.astype(a.real.dtype)), error.log_prob_backward, (start,)

        yield Case(f"models.SquaredError {link}", make, (SquaredError,))

    def rates(rng: np.random.Generator) -> tuple:
        return lambda rate: rate_divergence(rate, 0.2), rate_divergence_backward, (rng.uniform(0.05, 0.95, (N,)),)

    yield Case("models.rate_divergence", rates, (), (rate_divergence_backward,))


def _jacobian() -> Iterator[Case]:
    """‖∂y/∂x‖² weighted row by row, with its gradient by the weights: in the products, and through the activations."""
    yield Case(
        "layers.DenseTranspose", lambda rng: (DenseTranspose(3, 5), rng.standard_normal((N, 3))), (DenseTranspose,)
    )
    chains = {
        "one layer": Chain(Dense(FEATURES, CODE), Sigmoid()),
        "linear": Chain(Dense(FEATURES, CODE)),
        "linear output": Chain(Dense(FEATURES, N), Tanh(), Dense(N, 5), Tanh(), Dense(5, CODE)),
        "three layers": Chain(Dense(FEATURES, N), Tanh(), Dense(N, 5), Softplus(), Dense(5, CODE), Sigmoid()),
        "activation first": Chain(Tanh(), Dense(FEATURES, CODE), Tanh()),
        "convolution": Chain(Conv2D(IMAGE, 2, 3, 2, 1), Tanh(), Dense(12, CODE)),
        "convolution last": Chain(Conv2D(IMAGE, 1, 4, 2, 1), Tanh()),
    }
    for name, chain in chains.items():

        def make(rng: np.random.Generator, chain: Chain = chain) -> tuple:
            theta = Parameters.from_arrays(chain.init(rng), np.float64)
            theta.flat += 0.1 * rng.standard_normal(theta.flat.size)
            n_features = prod(IMAGE) if isinstance(chain.layers[0], Conv2D) else FEATURES
            x, u = rng.standard_normal((5, n_features)), rng.standard_normal(5)

            def value_and_grad(theta: Parameters) -> tuple[np.number, Parameters]:
                y, caches = chain.forward(theta, x)
                norm, cache = squared_norm(chain, theta, caches, y)
                grads, dW = theta.empty_like(), theta.zeros_like()
                dinputs = squared_norm_backward(chain, theta, cache, u, dW)
                backward_with(chain, theta, caches, u[:, None] * y, dinputs, grads)
                grads.flat += dW.flat
                return (u * norm).sum() + 0.5 * (u[:, None] * y * y).sum(), grads

            return value_and_grad, theta

        yield Case(f"layers.squared_norm {name}", make, (), BACKWARDS)


def _autoencoders() -> Iterator[Case]:
    def case(title: str, model: Autoencoder, binary: bool = False, backwards: tuple = ()) -> Case:
        def make(rng: np.random.Generator) -> tuple:
            x: NDArray = rng.standard_normal((5, model.n_features))
            return model, (x > 0).astype(np.float64) if binary else x

        return Case(f"models.{type(model).__name__} {title}", make, (type(model),), backwards)

    def encoder(activation: str = "tanh") -> Chain:
        return mlp(FEATURES, [N], CODE, activation)

    deep = Chain(*mlp(FEATURES, [N, 5], CODE, "tanh").layers, Sigmoid())
    decoder = mlp(CODE, [N], FEATURES, "tanh")
    yield case("squared error", Autoencoder(FEATURES, CODE, encoder(), decoder))
    yield case("Bernoulli", Autoencoder(FEATURES, CODE, encoder(), decoder, likelihood=Bernoulli()), binary=True)
    wide = mlp(CODE, [N], 2 * FEATURES, "tanh")
    yield case("DiagonalGaussian", Autoencoder(FEATURES, CODE, encoder(), wide, likelihood=DiagonalGaussian()))
    yield case("over-complete", Autoencoder(FEATURES, 9, mlp(FEATURES, [], 9), mlp(9, [], FEATURES)))
    yield case("tied", Autoencoder(FEATURES, CODE, deep), backwards=(Tied.untie,))
    n = prod(IMAGE)
    images = conv(IMAGE, [3], CODE, (), "tanh"), conv_transpose(CODE, IMAGE, [3], n, (), "tanh")
    yield case("conv", Autoencoder(n, CODE, *images))
    yield case("conv tied", Autoencoder(n, CODE, images[0]))
    dropped = Chain(Dense(FEATURES, N), Tanh(), Dropout(N, 0.3), Dense(N, CODE))
    yield case("dropout", Autoencoder(FEATURES, CODE, dropped, decoder))
    for corruption in (ZeroOut(0.5), SaltAndPepper(0.4), GaussianNoise(2.0)):
        title = type(corruption).__name__
        yield case(title, DenoisingAutoencoder(FEATURES, CODE, encoder(), decoder, corruption=corruption))
    yield case("L1", SparseAutoencoder(FEATURES, CODE, encoder(), decoder, sparsity=0.7))
    yield case("L1 tied", SparseAutoencoder(FEATURES, CODE, deep, sparsity=0.7), backwards=(Tied.untie,))
    yield case("target rate", SparseAutoencoder(FEATURES, CODE, deep, decoder, sparsity=0.7, target_rate=0.1))
    yield case("one layer", ContractiveAutoencoder(FEATURES, 9, Chain(Dense(FEATURES, 9), Sigmoid()), contraction=0.7))
    yield case("three layers", ContractiveAutoencoder(FEATURES, CODE, deep, decoder, contraction=0.7))
    yield case("conv", ContractiveAutoencoder(n, CODE, *images, contraction=0.7))
