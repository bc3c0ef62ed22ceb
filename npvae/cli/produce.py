"""Commands that make something with a trained model: sample, reconstruct, encode, decode, manifold, interpolate, …"""

from __future__ import annotations

import argparse
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.cli.arguments import SCATTERED, add_data, read_data
from npvae.cli.columns import selection
from npvae.cli.pictures import most_varied
from npvae.cli.results import (
    SHOWN,
    Commands,
    Made,
    add_maker,
    image_shape,
    shown_rows,
)
from npvae.validation import integer

CHANGED = 8
"""Rows in a picture of data that are given an attribute."""


def add_commands(commands: Commands) -> None:
    """Add the commands."""
    makers = (
        _add_sample,
        _add_reconstruct,
        _add_denoise,
        _add_encode,
        _add_decode,
        _add_manifold,
        _add_interpolate,
        _add_attribute,
    )
    for add in makers:
        add(commands)


def _add_sample(commands: Commands) -> None:
    text = """\
Draw latents as the model has them, of a VAE from the prior N(0, I), and decode each: images to the mean of p(x|z), rows
of a table with columns of several kinds to values that these can have."""
    example = "npvae sample npvae-run/model.npz -n 100 --seed 1 -o samples.png"
    parser = add_maker(commands, sample, "draw new images", "samples.png", text, example)
    parser.add_argument("-n", type=int, default=64, help="how many")
    parser.add_argument("--seed", metavar="N", type=int, help="of the latents; without it they differ every time")


def sample(args: argparse.Namespace, model: Any) -> Made:
    """``npvae sample``."""
    return _images(model, model.sample(args.n, args.seed))


def _images(model: Any, images: NDArray) -> Made:
    return {"images": images}, lambda plots: plots.image_grid(images, image_shape(model))


def _add_reconstruct(commands: Commands) -> None:
    text = f"""\
Encode each row to the mean of q(z|x), decode that to the mean of p(x|z). A picture shows originals beside
reconstructions, of the first {SHOWN} rows unless --rows says otherwise."""
    example = "npvae reconstruct npvae-run/model.npz t10k-images-idx3-ubyte.gz --rows 0:20"
    add_data(add_maker(commands, reconstruct, "encode and decode data", "reconstructions.png", text, example))


def reconstruct(args: argparse.Namespace, model: Any) -> Made:
    """``npvae reconstruct``."""
    data = read_data(args.data, rows=shown_rows(args), choice=selection(args), model=model)
    x, x_hat = data.x, model.reconstruct(data.given)
    if isinstance(x_hat, np.ndarray):  # images come back as images; a result has a row for each
        x_hat = x_hat.reshape(len(x_hat), -1)
    return {"x_hat": x_hat}, lambda plots: plots.reconstructions(x, x_hat, image_shape(model))


def _add_denoise(commands: Commands) -> None:
    text = f"""\
Restore corrupted rows by a denoising autoencoder. With --corrupt the rows of DATA are clean, and are corrupted first,
as in the training. A picture shows what came above what was made of it, of the first {SHOWN} rows unless --rows says
otherwise."""
    example = "npvae denoise npvae-run/model.npz t10k-images-idx3-ubyte.gz --corrupt --rows 0:20"
    parser = add_maker(commands, denoise, "restore corrupted data", "denoised.png", text, example)
    add_data(parser)
    parser.add_argument("--corrupt", action="store_true", help="corrupt the rows first")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the corruption")


def denoise(args: argparse.Namespace, model: Any) -> Made:
    """``npvae denoise``."""
    clean = read_data(args.data, rows=shown_rows(args), choice=selection(args), model=model).x
    noisy = model.corrupt(clean, args.seed) if args.corrupt else clean
    restored = model.denoise(noisy)

    def draw(plots: ModuleType) -> Any:
        rows = {"original": clean, "corrupted": noisy} if args.corrupt else {"corrupted": noisy}
        return plots.image_rows({**rows, "restored": restored}, image_shape(model))

    return {"restored": restored}, draw


def _add_encode(commands: Commands) -> None:
    text = """\
Compute q(z|x) = N(mu, Σ) of each row. .npy and .csv get mu; .npz gets mu and log_var = log σ²,
or mu and factor, the L of a full Σ = L Lᵀ; a picture is the scatter of the two latents that vary most, of up to
5,000 rows, coloured by --labels. For a mixture it is the probabilities p(k|x) of its components."""
    example = "npvae encode npvae-run/model.npz t10k-images-idx3-ubyte.gz -o latents.csv"
    methods = ["transform", "predict_proba"]
    parser = add_maker(commands, encode, "data to latents", "latents.npy", text, example, "z", methods)
    add_data(parser)
    parser.add_argument("--labels", metavar="FILE", help="classes of the rows, for the picture")


def encode(args: argparse.Namespace, model: Any) -> Made:
    """``npvae encode``."""
    data = read_data(args.data, args.labels, args.rows, choice=selection(args), model=model)
    if not hasattr(model, "transform"):
        mu, spread = model.predict_proba(data.given), []
    else:  # a model with a posterior has its spread beside the mean
        mu, *spread = model.encode(data.given) if hasattr(model, "encode") else (model.transform(data.given),)

    def draw(plots: ModuleType) -> Any:
        if mu.shape[1] < 2:
            raise ValueError("a scatter needs at least two latents, the model has one: use .npy, .npz or .csv")
        seen = slice(0, SCATTERED)
        labels = None if data.labels is None else data.labels[seen]
        return plots.latent_scatter(mu[seen], labels, dimensions=most_varied(mu))

    return {"mu": mu, **{"factor" if array.ndim > 2 else "log_var": array for array in spread}}, draw


def _add_decode(commands: Commands) -> None:
    text = """\
Decode each row of LATENTS (.npy, .npz, .csv; one column a latent) to the mean of p(x|z). Where encode wrote
latents.npz, LATENTS is latents.npz:mu."""
    example = "npvae decode npvae-run/model.npz latents.npy -o decoded.npy"
    parser = add_maker(commands, decode, "latents to data", "decoded.png", text, example, needs=["inverse_transform"])
    parser.add_argument("latents", metavar="LATENTS", help="file with one row of latents per image")


def decode(args: argparse.Namespace, model: Any) -> Made:
    """``npvae decode``."""
    return _images(model, model.inverse_transform(read_data(args.latents, argument="LATENTS").numbers("LATENTS")))


def _add_manifold(commands: Commands) -> None:
    text = """\
Decode a grid of latents that is even in probability: the unit square through the inverse Gaussian CDF. For
models with two latents."""
    example = "npvae manifold npvae-run/model.npz --side 25"
    summary = "picture of a two-dimensional latent space"
    parser = add_maker(commands, manifold, summary, "manifold.png", text, example, needs=["inverse_transform"])
    parser.add_argument("--side", metavar="N", type=int, default=20, help="images along each side")


def manifold(args: argparse.Namespace, model: Any) -> Made:
    """``npvae manifold``."""
    from npvae.plots import manifold_grid

    if model.n_latents_ != 2:
        raise ValueError(f"the manifold needs a model with two latents, {args.model} has {model.n_latents_}")
    z = manifold_grid(args.side)
    images = model.inverse_transform(z)
    return {"images": images, "z": z}, lambda plots: plots.manifold(images, image_shape=image_shape(model))


def _add_interpolate(commands: Commands) -> None:
    text = "Encode rows I and J of DATA and decode the latents on the way between them."
    example = "npvae interpolate npvae-run/model.npz t10k-images-idx3-ubyte.gz 3 18 --steps 12"
    parser = add_maker(commands, interpolate, "the way between two images", "interpolation.png", text, example)
    add_data(parser, rows=False)
    parser.add_argument("i", metavar="I", type=int, help="row to start from, counted from 0")
    parser.add_argument("j", metavar="J", type=int, help="row to end at")
    parser.add_argument("--steps", metavar="N", type=int, default=10, help="images, both ends included")
    ways = ["linear", "spherical"]
    parser.add_argument("--method", choices=ways, default="linear", help="the way through latent space")


def interpolate(args: argparse.Namespace, model: Any) -> Made:
    """``npvae interpolate``."""
    data = read_data(args.data, choice=selection(args), model=model)
    for name, row in (("I", args.i), ("J", args.j)):
        if not 0 <= row < len(data):
            raise ValueError(f"{name} must be a row of {args.data}, from 0 to {len(data) - 1}, got {row}")
    ends = (data.take([row]).given for row in (args.i, args.j))
    images = model.interpolate(*ends, args.steps, args.method)

    def draw(plots: ModuleType) -> Any:
        return plots.interpolations(images[None], image_shape(model), ends=data.x[[args.i, args.j]][None])

    return {"images": images}, draw


def _add_attribute(commands: Commands) -> None:
    text = f"""\
The way in latent space from rows of other classes to rows of class LABEL: the difference of their mean latents, which
added to latents is meant to give their image the attribute. The result is that one row of latents; a picture shows the
first {CHANGED} rows of other classes, decoded on their way there: z + t · vector, t from 0 to 1."""
    example = """\
npvae attribute npvae-run/model.npz digits 7 --rows 0:2000
npvae attribute npvae-run/model.npz faces.npy 1 --labels smiling.npy -o smile.npy"""
    parser = add_maker(
        commands, attribute, "the latents' way to a class", "attribute.png", text, example, "z", ["attribute_vector"]
    )
    add_data(parser)
    parser.add_argument("label", metavar="LABEL", type=int, help="the class")
    parser.add_argument("--labels", metavar="FILE", help="classes of the rows; digits have their own")
    parser.add_argument("--steps", metavar="N", type=int, default=8, help="images on each way, both ends included")


def attribute(args: argparse.Namespace, model: Any) -> Made:
    """``npvae attribute``."""
    steps = integer("--steps", args.steps, at_least=2)
    data = read_data(args.data, args.labels, args.rows, choice=selection(args), model=model)
    if data.labels is None:
        raise ValueError(f"--labels, or --label-column of a table, must name the classes of {args.data}")
    of_class = data.labels == args.label
    if of_class.all() or not of_class.any():
        classes = ", ".join(map(str, np.unique(data.labels)[:20]))
        raise ValueError(f"LABEL must be the class of some rows and not of others, got {args.label} of {classes}")
    vector = model.attribute_vector(data.given, of_class)
    others = data.take(np.flatnonzero(~of_class)[:CHANGED]).given

    def draw(plots: ModuleType) -> Any:
        t = np.linspace(0, 1, steps, dtype=vector.dtype)[:, None]
        images = [model.inverse_transform(z + t * vector) for z in model.transform(others)]
        return plots.interpolations(np.stack(images), image_shape(model))

    return {"vector": vector[None]}, draw
