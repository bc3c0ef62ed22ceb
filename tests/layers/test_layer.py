"""What every layer promises, held against every layer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvae import layers
from npvae.layers import (
    ACTIVATIONS,
    ELU,
    Bias,
    Chain,
    Constants,
    Conv2D,
    ConvTranspose2D,
    Dense,
    DenseTranspose,
    Dropout,
    LayerNorm,
    LeakyReLU,
    MaxPool,
    MeanPool,
    Permute,
    ReLU,
    Rescale,
    Reshape,
    Residual,
    Sigmoid,
    Softmax,
    Softplus,
    Tanh,
    UpSample,
    conv,
    conv_transpose,
    mlp,
)
from npvae.parameters import Parameters
from tests.numerical import assert_gradient, frozen

N_IN = 3
IMAGE = (5, 4, 2)
BLOCK = Chain(Dense(N_IN, 5), Tanh(), Dense(5, N_IN))
LAYERS = {
    **{name: activation() for name, activation in ACTIVATIONS.items()},
    "contracting Dense": Dense(N_IN, 2),
    "expanding Dense": Dense(N_IN, 5),
    "Constants": Constants(N_IN, 2),
    "Chain": Chain(Dense(N_IN, 5), Tanh(), Dense(5, 2)),
    "nested Chain": Chain(Chain(Dense(N_IN, 4), ReLU()), Chain(Sigmoid(), Dense(4, 2)), Softplus()),
    "Chain of activations": Chain(Tanh(), Softplus()),
    "mlp": mlp(N_IN, [5, 4], 2, "relu"),
    "LeakyReLU(0.2)": LeakyReLU(0.2),
    "ELU(0.5)": ELU(0.5),
    "DenseTranspose": DenseTranspose(N_IN, 5),
    "Bias": Bias(N_IN),
    "LayerNorm": LayerNorm(N_IN),
    "Rescale": Rescale(0.5, 2.0),
    "Softmax": Softmax(),
    "Residual": Residual(BLOCK),
    "Dropout": Dropout(N_IN, 0.3),
    "Reshape": Reshape((N_IN, 1)),
    "Permute": Permute(IMAGE, (2, 0, 1)),
    "Conv2D": Conv2D(IMAGE, 3),
    "Conv2D with all options": Conv2D(IMAGE, 3, (4, 3), 2, (1, 2), bias=False),
    "ConvTranspose2D": ConvTranspose2D(IMAGE, 3),
    "ConvTranspose2D with all options": ConvTranspose2D(IMAGE, 3, (4, 3), (2, 1), (1, 0), (1, 0), bias=False),
    "MaxPool": MaxPool((4, 6, 2), (2, 3)),
    "MeanPool": MeanPool((4, 6, 2), (2, 3)),
    "UpSample": UpSample(IMAGE, (2, 3)),
    "conv": conv(IMAGE, [3, 2], 2),
    "conv_transpose": conv_transpose(N_IN, IMAGE, [3, 2], 80),
}
every_layer = pytest.mark.parametrize("layer", LAYERS.values(), ids=LAYERS.keys())


def parameters(layer, dtype=np.float64):
    """Random values everywhere, biases too, in memory that cannot be written."""
    theta = Parameters(layer.shapes, dtype)
    theta.flat[:] = np.random.default_rng(0).standard_normal(theta.flat.size)
    theta.flat.flags.writeable = False
    return Parameters(layer.shapes, flat=theta.flat)


def n_in(layer):
    """Features of a row of x."""
    first = layer.layers[0] if isinstance(layer, Chain) else layer
    shape = getattr(first, "image_shape", getattr(first, "shape", (N_IN,)))
    return int(np.prod(shape))


def case(layer, n=4, dtype=np.float64):
    """Parameters, x, and a random upstream gradient, all read-only."""
    rng = np.random.default_rng(1)
    theta = parameters(layer, dtype)
    (x,) = frozen(rng.standard_normal((n, n_in(layer))).astype(dtype))
    y, _ = layer.forward(theta, x)
    (dy,) = frozen(rng.standard_normal(y.shape).astype(dtype))
    return theta, x, dy


def backward(layer, theta, x, dy, need_dx=True):
    """dx and the parameter gradients, written over a memory full of NaN."""
    _, cache = layer.forward(theta, x)
    grads = theta.empty_like()
    grads.flat[:] = np.nan
    return layer.backward(theta, cache, dy, grads, need_dx), grads


def test_every_exported_layer_has_a_case_here():
    exported = [getattr(layers, name) for name in layers.__all__]
    classes = {thing for thing in exported if isinstance(thing, type) and hasattr(thing, "backward")}
    elsewhere = {
        layers.Layer,
        layers.Activation,
        layers.FixedDropout,
        layers.Missing,
    }  # the last two have files of their own
    assert classes - elsewhere == {type(layer) for layer in LAYERS.values()}


@every_layer
def test_dx_is_the_derivative_with_respect_to_x(layer):
    theta, x, dy = case(layer)
    dx, _ = backward(layer, theta, x, dy)
    assert_gradient(lambda x: (layer.forward(theta, x)[0] * dy).sum(), x, dx)


@every_layer
def test_grads_are_the_derivatives_with_respect_to_each_parameter(layer):
    theta, x, dy = case(layer)
    _, grads = backward(layer, theta, x, dy)

    for name in theta:

        def loss(value, name=name):
            changed = theta.astype(value.dtype)
            changed[name][...] = value
            return (layer.forward(changed, x)[0] * dy).sum()

        assert_gradient(loss, theta[name], grads[name], name)


@every_layer
def test_initial_values_have_the_shapes_and_are_the_same_for_the_same_seed(layer):
    first, again = layer.init(np.random.default_rng(7)), layer.init(np.random.default_rng(7))
    assert {name: value.shape for name, value in first.items()} == dict(layer.shapes)
    for name in first:
        np.testing.assert_array_equal(first[name], again[name])
    if "W" in first:
        assert (first["W"] != layer.init(np.random.default_rng(8))["W"]).any()


@every_layer
def test_forward_and_backward_are_the_same_twice_and_change_no_argument(layer):
    theta, x, dy = case(layer)
    kept = [theta.flat.copy(), x.copy(), dy.copy()]
    first, second = layer.forward(theta, x), layer.forward(theta, x)
    np.testing.assert_array_equal(first[0], second[0])

    y = first[0].copy()
    grads, again = theta.zeros_like(), theta.zeros_like()
    dx = layer.backward(theta, first[1], dy, grads)
    np.testing.assert_array_equal(layer.backward(theta, first[1], dy, again), dx)
    np.testing.assert_array_equal(grads.flat, again.flat)
    for array, before in zip([theta.flat, x, dy, first[0]], [*kept, y], strict=True):
        np.testing.assert_array_equal(array, before)


@every_layer
def test_outputs_lie_in_memory_of_their_own(layer):
    theta, x, dy = case(layer)
    y, cache = layer.forward(theta, x)
    dx = layer.backward(theta, cache, dy, theta.zeros_like())
    assert not np.shares_memory(y, x)
    assert not np.shares_memory(dx, dy)


@every_layer
def test_zero_upstream_gives_zero(layer):
    theta, x, dy = case(layer)
    dx, grads = backward(layer, theta, x, np.zeros_like(dy))
    assert not dx.any()
    assert not grads.flat.any()


@every_layer
def test_backward_is_linear_in_the_upstream(layer):
    theta, x, u = case(layer)
    v = np.cos(u)
    (dx_u, grads_u), (dx_v, grads_v) = backward(layer, theta, x, u), backward(layer, theta, x, v)
    dx, grads = backward(layer, theta, x, 2.5 * u - v)
    np.testing.assert_allclose(dx, 2.5 * dx_u - dx_v, rtol=0, atol=1e-13)
    np.testing.assert_allclose(grads.flat, 2.5 * grads_u.flat - grads_v.flat, rtol=0, atol=1e-13)


@every_layer
def test_without_dx_the_parameter_gradients_are_the_same(layer):
    theta, x, dy = case(layer)
    _, grads = backward(layer, theta, x, dy)
    dx, same = backward(layer, theta, x, dy, need_dx=False)
    np.testing.assert_array_equal(same.flat, grads.flat)
    if layer.shapes:
        assert dx is None


@every_layer
def test_the_order_of_x_in_memory_does_not_matter(layer):
    theta, x, dy = case(layer)
    dx, grads = backward(layer, theta, x, dy)
    wide = np.full((8, 2 * x.shape[1]), np.nan)
    wide[::2, ::2] = x
    for other in (np.asfortranarray(x), wide[::2, ::2]):
        other_dx, other_grads = backward(layer, theta, other, np.asfortranarray(dy))
        np.testing.assert_allclose(other_dx, dx, rtol=0, atol=1e-14)
        np.testing.assert_allclose(other_grads.flat, grads.flat, rtol=0, atol=1e-13)


@every_layer
def test_float32_agrees_with_float64(layer):
    theta, x, dy = case(layer, n=16, dtype=np.float32)
    dx, grads = backward(layer, theta, x, dy)
    dx64, grads64 = backward(layer, theta.astype(np.float64), x.astype(np.float64), dy.astype(np.float64))
    for single, double in ((dx, dx64), *((grads[name], grads64[name]) for name in grads)):
        assert single.dtype == np.float32
        assert np.linalg.norm(single - double) <= 64 * np.finfo(np.float32).eps * np.linalg.norm(double)


@every_layer
@given(n=st.integers(1, 9), dtype=st.sampled_from([np.float32, np.float64, np.complex128]))
def test_any_number_of_rows_goes_through_row_by_row_in_its_own_dtype(layer, n, dtype):
    theta, x, dy = case(layer, n, dtype)
    y, cache = layer.forward(theta, x)
    dx = layer.backward(theta, cache, dy, theta.zeros_like())
    assert (len(y), dx.shape) == (n, x.shape)
    assert y.dtype == dx.dtype == dtype
    last, _ = layer.forward(theta, x[-1:])
    np.testing.assert_allclose(y[-1:], last, rtol=1e-5, atol=1e-6)
