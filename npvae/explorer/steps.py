"""Networks as lists of steps that a page can follow: what each layer is called there, and its options."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from npvae.layers import Layer
from npvae.validation import ArgumentError

__all__ = ["describe", "register_step"]

Step = dict[str, Any]
"""A kind that ``network.js`` knows, options, and under "arrays" the full name of each parameter."""

_STEPS: dict[str, Callable[[Any], Step]] = {}


def register_step(layer: str) -> Callable[[Callable[[Any], Step]], Callable[[Any], Step]]:
    """Decorator of a function from a layer to its step, for layers whose class has the name `layer`."""

    def register(function: Callable[[Any], Step]) -> Callable[[Any], Step]:
        _STEPS[layer] = function
        return function

    return register


def describe(layer: Layer, name: str) -> list[Step]:
    """The steps of a layer or a chain of them, whose parameters are named ``name + "."`` …

    Raises
    ------
    ValueError
        For a layer that pages cannot compute.
    """
    kind = type(layer).__name__
    if kind == "Chain":
        return [step for i, part in enumerate(layer.layers) for step in describe(part, f"{name}.{i}")]
    if kind == "Residual":
        return [{"kind": "residual", "block": describe(layer.block, name)}]
    if kind not in _STEPS:
        raise ArgumentError("model", f"have layers that a page can compute, of {', '.join(sorted(_STEPS))}", kind)
    step = _STEPS[kind](layer)
    return [{**step, "arrays": {array: f"{name}.{array}" for array in layer.shapes}}] if step else []


def _plain(kind: str) -> Callable[[Any], Step]:
    return lambda layer: {"kind": kind}


for _name in (
    "Dense",
    "Bias",
    "Constants",
    "LayerNorm",
    "Softmax",
    "ReLU",
    "SiLU",
    "GELU",
    "Sigmoid",
    "Softplus",
    "Tanh",
):
    register_step(_name)(_plain(_name.lower()))
for _name in ("Identity", "Dropout", "Reshape"):  # without noise a dropout passes everything, and a page has rows only
    register_step(_name)(lambda layer: {})


@register_step("LeakyReLU")
def _leaky_relu(layer: Any) -> Step:
    return {"kind": "leakyrelu", "slope": layer.slope}


@register_step("ELU")
def _elu(layer: Any) -> Step:
    return {"kind": "elu", "alpha": layer.alpha}


@register_step("Permute")
def _permute(layer: Any) -> Step:
    return {"kind": "permute", "shape": list(layer.shape), "axes": list(layer.axes)}


def _windows(windows: Any) -> Step:
    def pair(value: int | tuple[int, int]) -> list[int]:
        return [value, value] if isinstance(value, int) else list(value)

    sizes = {name: pair(getattr(windows, name)) for name in ("kernel", "stride", "padding")}
    return {"image": list(windows.image_shape), "counts": list(windows.counts), **sizes}


@register_step("Conv2D")
def _conv(layer: Any) -> Step:
    return {"kind": "conv", "windows": _windows(layer.windows), "channels": layer.channels}


@register_step("ConvTranspose2D")
def _conv_transpose(layer: Any) -> Step:
    return {"kind": "convtranspose", "windows": _windows(layer.windows), "channels": layer.image_shape[2]}


@register_step("MeanPool")
def _mean_pool(layer: Any) -> Step:
    return {"kind": "meanpool", "windows": _windows(layer._windows)}


@register_step("MaxPool")
def _max_pool(layer: Any) -> Step:
    return {"kind": "maxpool", "windows": _windows(layer._windows)}


@register_step("UpSample")
def _up_sample(layer: Any) -> Step:
    size = [layer.size] * 2 if isinstance(layer.size, int) else list(layer.size)
    return {"kind": "upsample", "image": list(layer.image_shape), "size": size}
