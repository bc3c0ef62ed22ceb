"""Convolution against SciPy's correlation and PyTorch, and its transpose against the definition of an adjoint."""

from itertools import product

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from npvae.layers import Conv2D, ConvTranspose2D
from npvae.parameters import Parameters

SETTINGS = [
    {"kernel": 3},
    {"kernel": 4, "stride": 2, "padding": 1},
    {"kernel": (3, 2), "stride": (1, 2), "padding": (2, 0)},
    {"kernel": 1},
]


def parameters(layer, dtype=np.float64):
    theta = Parameters(layer.shapes, dtype)
    theta.flat[:] = np.random.default_rng(0).standard_normal(theta.flat.size)
    return theta


def rows(shape, n=3, dtype=np.float64):
    return np.random.default_rng(1).standard_normal((n, int(np.prod(shape)))).astype(dtype)


def pairs(settings):
    return [np.broadcast_to(settings.get(name, default), 2) for name, default in (("stride", 1), ("padding", 0))]


@pytest.mark.parametrize("settings", SETTINGS)
def test_a_convolution_is_scipys_correlation_summed_over_the_channels(settings):
    layer = Conv2D((6, 8, 2), 3, **settings)
    theta, x = parameters(layer), rows(layer.image_shape)
    y = layer.forward(theta, x)[0].reshape(-1, *layer.output_shape)

    (sh, sw), (ph, pw) = pairs(settings)
    kh, kw = np.broadcast_to(settings["kernel"], 2)
    kernel = theta["W"].reshape(kh, kw, 2, 3)
    framed = np.pad(x.reshape(-1, 6, 8, 2), ((0, 0), (ph, ph), (pw, pw), (0, 0)))
    for n, k in product(range(3), range(3)):
        parts = [scipy.signal.correlate(framed[n, ..., c], kernel[..., c, k], mode="valid") for c in range(2)]
        np.testing.assert_allclose(y[n, ..., k], sum(parts)[::sh, ::sw] + theta["b"][k], rtol=0, atol=1e-13)


@given(
    h=st.integers(1, 7),
    w=st.integers(1, 7),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 3),
    extra=st.integers(0, 2),
)
def test_the_transpose_is_the_adjoint(h, w, kernel, stride, padding, extra):
    try:
        transpose = ConvTranspose2D((h, w, 3), 2, kernel, stride, padding, extra, bias=False)
    except ValueError:  # the settings do not go together
        return
    conv = transpose.adjoint()
    assert conv == Conv2D(transpose.output_shape, 3, kernel, stride, padding, bias=False)
    assert conv.output_shape == transpose.image_shape
    theta = parameters(conv)
    x, y = rows(conv.image_shape), rows(transpose.image_shape)
    there, back = (conv.forward(theta, x)[0] * y).sum(), (x * transpose.forward(theta, y)[0]).sum()
    assert there == pytest.approx(back, rel=1e-10, abs=1e-10)


def test_one_pixel_of_the_transpose_by_hand():
    layer = ConvTranspose2D((1, 1, 1), 1, 2)
    theta = Parameters.from_arrays({"W": [[1], [2], [3], [4]], "b": [10]}, np.float64)
    np.testing.assert_array_equal(layer.forward(theta, np.array([[5.0]]))[0], [[15, 20, 25, 30]])


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("transposed", [False, True])
def test_values_and_gradients_are_pytorchs(settings, transposed):
    torch = pytest.importorskip("torch")
    layer = (ConvTranspose2D if transposed else Conv2D)((6, 8, 2), 3, **settings)
    theta, x = parameters(layer), rows(layer.image_shape)
    y, cache = layer.forward(theta, x)
    dy, grads = np.cos(y), theta.zeros_like()
    dx = layer.backward(theta, cache, dy, grads)

    kernel = tuple(np.broadcast_to(settings["kernel"], 2).tolist())
    order = (3, 2, 0, 1)  # theirs is (from, to) for the transpose as well, so the last of our axes comes first in both
    weight = theta["W"].reshape(*kernel, *((3, 2) if transposed else (2, 3))).transpose(order)
    module = (torch.nn.ConvTranspose2d if transposed else torch.nn.Conv2d)(
        2, 3, kernel, *(tuple(value.tolist()) for value in pairs(settings)), dtype=torch.float64
    )
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(weight.copy()))
        module.bias.copy_(torch.from_numpy(theta["b"].copy()))
    theirs_x = torch.from_numpy(x.reshape(-1, 6, 8, 2).transpose(0, 3, 1, 2).copy()).requires_grad_()
    theirs_y = module(theirs_x)
    theirs_y.backward(torch.from_numpy(dy.reshape(-1, *layer.output_shape).transpose(0, 3, 1, 2).copy()))

    def as_rows(images):
        return images.detach().numpy().transpose(0, 2, 3, 1).reshape(3, -1)

    np.testing.assert_allclose(y, as_rows(theirs_y), rtol=0, atol=1e-12)
    np.testing.assert_allclose(dx, as_rows(theirs_x.grad), rtol=0, atol=1e-12)
    dW = module.weight.grad.numpy().transpose(np.argsort(order)).reshape(theta["W"].shape)
    np.testing.assert_allclose(grads["W"], dW, rtol=0, atol=1e-12)
    np.testing.assert_allclose(grads["b"], module.bias.grad.numpy(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("make", [Conv2D, ConvTranspose2D])
def test_images_in_blocks_give_what_they_give_at_once(make, monkeypatch):
    layer = make((6, 8, 2), 3, 4, 2, 1)
    theta, x = parameters(layer), rows(layer.image_shape, 5)
    outcomes = []
    for block in (1 << 19, 1, 2 * layer.windows.counts[0] * layer.windows.counts[1] * layer.windows.size):
        monkeypatch.setattr("npvae.layers.windows.BLOCK", block)
        y, cache = layer.forward(theta, x)
        grads = theta.zeros_like()
        outcomes.append((y, layer.backward(theta, cache, np.cos(y), grads), grads.flat))
    assert len(list(layer.windows.blocks(5))) == 3
    for other in outcomes[1:]:
        for ours, theirs in zip(outcomes[0], other, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12)


@pytest.mark.parametrize("make", [Conv2D, ConvTranspose2D])
def test_without_bias_there_is_none(make):
    layer = make((4, 4, 1), 2, bias=False)
    assert list(layer.shapes) == list(layer.init(np.random.default_rng(0))) == ["W"]
    y, _ = layer.forward(Parameters(layer.shapes), np.ones((1, 16), np.float32))
    assert not y.any()


@pytest.mark.parametrize("make", [Conv2D, ConvTranspose2D])
def test_rows_that_are_no_such_image_are_refused(make):
    layer = make((4, 4, 2), 3)
    with pytest.raises(ValueError, match=r"^x must have 32 features, an image of shape \(4, 4, 2\), got shape"):
        layer.forward(Parameters(layer.shapes), np.ones((1, 16)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Conv2D((4, 4, 1), 0), "channels must be at least 1, got 0"),
        (lambda: Conv2D((4, 4), 3), "image_shape must be (height, width, channels), got (4, 4)"),
        (lambda: Conv2D((4, 0, 1), 3), "image_shape[1] must be at least 1, got 0"),
        (lambda: Conv2D((4, 4, 1), 3, (3, 3, 3)), "kernel must be an integer or a pair of integers, got (3, 3, 3)"),
        (lambda: Conv2D((4, 4, 1), 3, 2.5), "kernel must be an integer, got 2.5"),
        (lambda: Conv2D((2, 4, 1), 3, 4), "image_shape must have a height of at least 4 for kernel 4, stride 1 and "),
        (lambda: Conv2D((4, 4, 1), 3, 2, 3), "stride must be at most the kernel's 2, got 3; pixels between the"),
        (lambda: Conv2D((4, 4, 1), 3, 2, 1, 2), "padding must be less than the kernel's 2, got 2; a window"),
        (
            lambda: Conv2D((28, 27, 1), 3, 2, 2),
            "image_shape must have a width that the windows fill, such as 26 or 28, for kernel 2, stride 2 and padding",
        ),
        (
            lambda: ConvTranspose2D((4, 4, 1), 3, 4, 2, 1, 2),
            "output_padding must be less than the stride 2 and at most the padding 1, got 2",
        ),
        (lambda: ConvTranspose2D((1, 1, 1), 3, 1, 1, 1), "padding must be less than the kernel's 1, got 1"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_could(make, message):
    with pytest.raises((TypeError, ValueError)) as caught:
        make()
    assert str(caught.value).startswith(message)


@given(size=st.integers(1, 40), kernel=st.integers(1, 6), stride=st.integers(1, 6), padding=st.integers(0, 3))
def test_the_sizes_that_the_message_names_do_fit(size, kernel, stride, padding):
    if stride > kernel or padding >= kernel or size + 2 * padding < kernel:
        return
    try:
        Conv2D((size, kernel, 1), 1, (kernel, kernel), (stride, 1), (padding, 0))
    except ValueError as error:
        named = str(error).partition("such as ")[2].partition(",")[0].split(" or ")
        for fitting in map(int, named):
            Conv2D((fitting, kernel, 1), 1, (kernel, kernel), (stride, 1), (padding, 0))
        assert size not in map(int, named)
