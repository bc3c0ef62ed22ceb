"""Whole networks: chains of layers that tell the name of their last bias, `output_bias`."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from math import prod

from npvae.layers.activation import activation_layer
from npvae.layers.bias import Bias
from npvae.layers.chain import Chain
from npvae.layers.convolution import Conv2D, ConvTranspose2D
from npvae.layers.dense import Dense
from npvae.layers.initializers import Initializer, initializer
from npvae.layers.layer import Layer
from npvae.layers.rearrange import Permute
from npvae.layers.windows import ImageShape, Windows, check_image_shape
from npvae.validation import ArgumentError, widths

__all__ = ["conv", "conv_transpose", "mlp"]

KERNEL = {"kernel": 4, "stride": 2, "padding": 1}
"""The convolutions of `conv` halve an image, ⌊size / 2⌋, and each window reaches as far as its neighbours' middle."""


def mlp(
    n_in: int,
    hidden: Sequence[int],
    n_out: int,
    activation: str | Layer = "relu",
    init_weights: str | Initializer = "standard",
) -> Chain:
    """The multilayer perceptron: dense layers n_in → hidden[0] → … → n_out, with an activation between each two.

    Parameters
    ----------
    n_in, n_out : int
        Features per row of the input and of the output.
    hidden : sequence of int
        Widths of the hidden layers; empty for a linear map.
    activation : str or Layer
        A name in `npvae.layers.ACTIVATIONS`, or an object such as ``LeakyReLU(0.2)``.
    init_weights : str or callable
        A name in `npvae.layers.INITIALIZERS`, or a function of (rng, n_in, n_out) that draws an (n_in, n_out) array.

    Returns
    -------
    Chain
        From (n, n_in) to (n, n_out), linear at the end; its `output_bias` (n_out,) is the last layer's b.

    Raises
    ------
    ValueError
        For an unknown name.

    Examples
    --------
    >>> from npvae.layers import LeakyReLU
    >>> mlp(784, [400], 20, LeakyReLU(0.2)).output_bias
    '2.b'
    """
    activate, draw = activation_layer(activation), initializer(init_weights)
    layers: list[Layer] = []
    for width_in, width_out in pairwise([n_in, *hidden]):
        layers += [Dense(width_in, width_out, draw), activate]
    return Chain(*layers, Dense([n_in, *hidden][-1], n_out, draw))


def conv(
    image_shape: ImageShape,
    channels: Sequence[int],
    n_out: int,
    hidden: Sequence[int] = (),
    activation: str | Layer = "relu",
    init_weights: str | Initializer = "standard",
) -> Chain:
    """A convolutional encoder: convolutions that halve the image, then a multilayer perceptron.

    Parameters
    ----------
    image_shape : (int, int, int)
        Height, width and channels of what a row holds, channels last. Any size that can be halved often enough.
    channels : sequence of int
        Channels after each convolution (4×4, stride 2); at least one.
    n_out : int
        Features per row of the output.
    hidden : sequence of int, default ()
        Widths of dense layers between the last convolution and the output.
    activation, init_weights
        As in `mlp`; the activation follows every layer but the last.

    Returns
    -------
    Chain
        From (n, h·w·c) to (n, n_out), linear at the end; its `output_bias` is the last layer's b.

    Raises
    ------
    TypeError, ValueError
        If a name is unknown or the image is too small for so many convolutions.

    Examples
    --------
    >>> encoder = conv((28, 28, 1), [32, 64], 8)
    >>> encoder.shapes["4.W"], encoder.output_bias
    ((3136, 8), '4.b')
    """
    activate, draw = activation_layer(activation), initializer(init_weights)
    layers: list[Layer] = []
    *befores, last = image_shapes(image_shape, channels)
    for before, c in zip(befores, channels, strict=True):
        layers += [Conv2D(before, c, **KERNEL, init_weights=draw), activate]
    return Chain(*layers, *mlp(prod(last), hidden, n_out, activate, draw).layers)


def conv_transpose(
    n_in: int,
    image_shape: ImageShape,
    channels: Sequence[int],
    n_out: int | None = None,
    hidden: Sequence[int] = (),
    activation: str | Layer = "relu",
    init_weights: str | Initializer = "standard",
) -> Chain:
    """The mirror image of `conv`: a multilayer perceptron, then transposed convolutions that double the image.

    Parameters
    ----------
    n_in : int
        Features per row of the input.
    image_shape, channels, hidden, activation, init_weights
        Those of the encoder, in the encoder's order; the layers are built in reverse.
    n_out : int, optional
        Features per row of the output: m times the numbers of an image, for a likelihood with m parameters a pixel,
        which lie one image after the other. By default one image.

    Returns
    -------
    Chain
        From (n, n_in) to (n, n_out), linear at the end; its `output_bias` (n_out,), a number for every feature, is that
        of a `Bias` in the place of the last transposed convolution's own.

    Raises
    ------
    TypeError, ValueError
        As `conv`, and if n_out is no multiple of the numbers of an image.

    Examples
    --------
    >>> decoder = conv_transpose(8, (28, 28, 1), [32, 64])
    >>> decoder.shapes[decoder.output_bias]
    (784,)
    """
    activate, draw = activation_layer(activation), initializer(init_weights)
    first, *afters = image_shapes(image_shape, channels)[::-1]
    n_out = prod(image_shape) if n_out is None else n_out
    planes, rest = divmod(n_out, prod(image_shape))
    if rest or not planes:
        raise ArgumentError("n_out", f"be a multiple of {prod(image_shape)}, an image {image_shape}", n_out)
    layers: list[Layer] = [*mlp(n_in, hidden[::-1], prod(first), activate, draw).layers]
    for i, (before, (h, w, c)) in enumerate(pairwise([first, *afters])):
        last = i == len(afters) - 1
        settings = {**KERNEL, "output_padding": (h % 2, w % 2), "bias": not last, "init_weights": draw}
        layers += [activate, ConvTranspose2D(before, planes * c if last else c, **settings)]
    if planes > 1:
        h, w, c = image_shape
        layers.append(Permute((h, w, planes, c), (2, 0, 1, 3)))
    return Chain(*layers, Bias(n_out))


def image_shapes(image_shape: ImageShape, channels: Sequence[int]) -> list[ImageShape]:
    """The image of `conv` before its first convolution and after each.

    Raises
    ------
    TypeError, ValueError
        If there is no convolution, or the image becomes too small for the next.
    """
    shapes = [check_image_shape(image_shape)]
    for depth, c in enumerate(widths("channels", channels)):
        if min(shapes[-1][:2]) < 2:
            size = "{} × {}".format(*image_shape)
            raise ArgumentError("channels", f"have at most {depth} entries for images of {size}", channels)
        shapes.append((*Windows(shapes[-1], **KERNEL).counts, c))
    if len(shapes) == 1:
        raise ArgumentError("channels", "name at least one convolution", "none")
    return shapes
