"""The page itself: a model, examples and the scripts, in one file of HTML."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from math import isqrt
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.distributions import StandardNormal
from npvae.explorer.steps import describe
from npvae.explorer.weights import PRECISIONS, Shipped, ship
from npvae.models import VAE
from npvae.parameters import Parameters
from npvae.validation import ArgumentError, data_matrix, integer, one_of

__all__ = ["MOST_BYTES", "Examples", "explorer_page"]

MOST_BYTES = 2_000_000
"""Largest page that is made without being asked for: what a phone loads in a second or two."""

POINTS, THUMBNAILS, DRAWS = 1000, 16, 200
"""Most points of the scatter, most examples to click on, and draws of z by which the rounding is measured."""

SAID = {"float32": "32-bit floats", "float16": "16-bit floats", "int8": "8-bit integers, with a scale for each column"}


class Examples(NamedTuple):
    """Data to show behind the pad and to click on."""

    x: ArrayLike
    """(n, n_features)."""
    labels: ArrayLike | None = None
    """(n,) integers from 0, the class of each row."""
    classes: Sequence[str] = ()
    """Names of all classes; by default their numbers."""


def explorer_page(
    model: VAE,
    theta: Parameters,
    examples: Examples | None = None,
    *,
    title: str = "Explore a variational autoencoder",
    image_shape: Sequence[int] | None = None,
    precision: str | None = None,
    most_bytes: int = MOST_BYTES,
) -> str:
    """One self-contained HTML page in which the decoder and the encoder run in plain JavaScript.

    Parameters
    ----------
    model : VAE
        Its networks are of dense or convolutional layers.
    theta : Parameters
    examples : Examples, optional
        Without them there is nothing behind the pad, and nothing to click on.
    title : str
    image_shape : (height, width) or (height, width, channels), optional
        What a row of x is. By default a square image where n_features is a square, else one line of pixels.
    precision : {"float32", "float16", "int8"}, optional
        How the weights are rounded; the page says by how much that moves a pixel. By default float16 where it
        holds all weights and the page stays below `most_bytes`, else int8.
    most_bytes : int, default 2,000,000

    Returns
    -------
    str
        The page.

    Raises
    ------
    TypeError, ValueError
        If the page cannot compute a layer, the likelihood or the posterior, the examples do not fit, or the page would
        be too large; it says by what.
    """
    if not isinstance(model.prior, StandardNormal):
        raise ArgumentError("model", "have the prior N(0, I) for a page", repr(model.prior))
    told = {
        "latents": model.latent_dim,
        "features": model.n_features,
        "image": _image(model.n_features, image_shape),
        "encoder": describe(model.encoder, "encoder"),
        "decoder": describe(model.decoder, "decoder"),
        "likelihood": _density("likelihood", model.likelihood, _LIKELIHOODS),
        "posterior": _density("posterior", model.posterior, {"DiagonalGaussian": (), "FullGaussian": ()}),
        **_examples(model, theta, examples),
    }
    most_bytes = integer("most_bytes", most_bytes, at_least=1)
    if precision is not None:
        one_of("precision", precision, PRECISIONS)
    largest = max(float(np.abs(array).max()) for array in theta.values() if array.ndim > 1)
    fitting = ("float16", "int8") if largest <= float(np.finfo(np.float16).max) else ("int8",)
    for kind in (precision,) if precision is not None else fitting:
        shipped = ship(theta, kind)
        page = _page(model, theta, told, shipped, kind, title)
        size = len(page.encode())
        if size <= most_bytes:
            return page
    others = size - len(shipped.blob)
    parts = f"{len(shipped.blob):,} of weights as {kind}, {others:,} of everything else"
    raise ArgumentError("most_bytes", f"be at least {size:,} for this page ({parts})", most_bytes)


def _page(model: VAE, theta: Parameters, told: dict, shipped: Shipped, kind: str, title: str) -> str:
    folder = Path(__file__).parent
    scripts = "\n".join((folder / f"{name}.js").read_text("utf-8") for name in ("network", "densities", "page"))
    data = json.dumps({**told, "manifest": shipped.manifest, "blob": shipped.blob}, separators=(",", ":"))
    rounding = _rounding(model, theta, shipped)
    footer = (
        f"{model.n_features} pixels, {model.latent_dim} latents, {theta.flat.size:,} parameters, rounded to"
        f" {SAID[kind]}: that moves no pixel of {DRAWS} random pictures by more than {rounding:.1g}."
    )
    return Template((folder / "page.html").read_text("utf-8")).substitute(
        title=escape(title),
        css=(folder / "page.css").read_text("utf-8"),
        footer=escape(footer),
        model=data.replace("<", "\\u003c"),
        scripts=f"(() => {{\n{scripts}\n}})();",
    )


def _rounding(model: VAE, theta: Parameters, shipped: Shipped) -> float:
    """The largest difference that the rounding makes to a pixel's mean, over some draws of the prior."""
    z = np.random.default_rng(0).standard_normal((DRAWS, model.latent_dim))
    exact, rounded = (model.likelihood.mean(model.decode(at, z)) for at in (theta.astype(np.float64), shipped.theta))
    return float(np.abs(exact - rounded).max())


def _image(n_features: int, image_shape: Sequence[int] | None) -> list[int]:
    if image_shape is None:
        side = isqrt(n_features)
        return [side, side, 1] if side * side == n_features else [1, n_features, 1]
    shape = [integer(f"image_shape[{i}]", size, at_least=1) for i, size in enumerate(image_shape)]
    if len(shape) not in (2, 3) or np.prod(shape) != n_features:
        raise ArgumentError("image_shape", f"be that of images with {n_features} pixels", tuple(image_shape))
    return [*shape, 1][:3]


_LIKELIHOODS: dict[str, tuple[str, ...]] = {
    "Bernoulli": (),
    "ContinuousBernoulli": (),
    "DiagonalGaussian": (),
    "FixedGaussian": ("sigma", "link"),
    "LearnedGaussian": ("shared", "link", "min_log_var"),
    "DiscretizedLogistic": ("link", "levels", "min_log_scale"),
    "LogisticMixture": ("n_components", "levels", "min_log_scale"),
}
"""Likelihoods that ``densities.js`` knows, with the options that it reads."""


def _density(argument: str, thing: object, known: dict[str, tuple[str, ...]]) -> dict[str, Any]:
    name = type(thing).__name__
    if name not in known:
        raise ArgumentError("model", f"have a {argument} that a page can compute, one of {', '.join(known)}", name)
    return {"kind": name.lower(), **{option: getattr(thing, option) for option in known[name]}}


def _examples(model: VAE, theta: Parameters, examples: Examples | None) -> dict[str, Any]:
    binary = type(model.likelihood).__name__ == "Bernoulli"
    if examples is None:
        return {"range": [0.0, 1.0], "binary": binary, "points": [], "examples": [], "labels": None, "classes": None}
    x = data_matrix("examples", examples.x, model.n_features, theta.dtype)
    labels = None if examples.labels is None else np.asarray(examples.labels)
    if labels is not None and (labels.shape != (len(x),) or labels.dtype.kind not in "iu" or labels.min() < 0):
        raise ArgumentError("labels", f"be {len(x)} integers from 0", f"shape {labels.shape} of {labels.dtype}")
    points = model.posterior.mean(model.encode(theta, x[:POINTS]))
    low, high = min(0.0, float(x.min())), max(1.0, float(x.max()))
    names = list(examples.classes) or (None if labels is None else [str(k) for k in range(int(labels.max()) + 1)])
    if labels is not None and len(names) <= labels.max():
        raise ArgumentError("classes", f"name all {labels.max() + 1} classes of the labels", f"{len(names)} names")
    return {
        "range": [low, high],
        "binary": binary and bool(((x == 0) | (x == 1)).all()),
        "points": [[round(float(value), 2) for value in point] for point in points],
        "labels": None if labels is None else labels[:POINTS].tolist(),
        "classes": names if labels is not None else None,
        "examples": [_bytes(row, low, high) for row in x[:THUMBNAILS]],
    }


def _bytes(row: NDArray, low: float, high: float) -> str:
    return b64encode(np.rint(255 * (row.astype(np.float64) - low) / (high - low)).astype(np.uint8).tobytes()).decode()
