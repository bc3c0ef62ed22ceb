"""Random tables of losses and densities, and the exact gradients of their expectations, for estimates of any kind.

The oracle writes E_q[f] as a sum over all states of the bits and differentiates by the complex step. f is a table of
random numbers: no estimate may depend on where they come from.
"""

import numpy as np

from npvae.bounds import ESTIMATORS
from npvae.bounds.estimators import score_weights
from npvae.evaluation.enumeration import binary_states
from npvae.numerics import sigmoid
from tests.numerical import complex_step, frozen

RNG = np.random.default_rng(0)
A10, A3 = 1.5 * RNG.standard_normal(10), 1.5 * RNG.standard_normal(3)
TABLE = {d: 3 * RNG.standard_normal(1 << d) + 20 for d in (3, 5, 10)}
"""f(z), around 20 nats, in the order of the states."""

DENSITIES = frozen(*np.random.default_rng(0).standard_normal((3, 5, 4)))
"""log p(x|z), log p(z) and log q(z|x) of five samples and four data."""


def log_q(a, z):
    """Σ_j z_j log p_j + (1 − z_j) log(1 − p_j), written with logarithms of probabilities."""
    return (z * np.log(1 / (1 + np.exp(-a))) + (1 - z) * np.log(1 / (1 + np.exp(a)))).sum(axis=-1)


def f_of(z):
    d = z.shape[-1]
    return TABLE[d][(z @ (1 << np.arange(d)[::-1])).astype(int)]


def exact_gradient(a):
    states = binary_states(len(a))
    return complex_step(lambda a: (np.exp(log_q(a, states)) * TABLE[len(states[0])]).sum(), a)


def scores(a, z):
    return z - sigmoid(a)


def score_estimate(name, a, z, predicted=0.0, state=None):
    """Draws z (S, K, d), of which each S is one datum; the estimate of each, (S, d)."""
    f = f_of(z).T[None]  # one layer
    weights = score_weights(ESTIMATORS[name], f, predicted, state)[0] * len(z)
    return np.einsum("ks,skd->sd", weights, scores(a, z))


def assert_same_as(plain, estimate):
    np.testing.assert_array_equal(estimate[0].per_datum, plain[0].per_datum)
    for name, weight in plain[1].items():
        np.testing.assert_array_equal(estimate[1][name], weight)
