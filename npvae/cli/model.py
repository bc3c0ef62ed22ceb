"""Commands that use a trained model: sample, reconstruct, encode, decode, manifold, interpolate, …, score, info."""

from __future__ import annotations

import argparse
import json
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

import npvae
from npvae import VAE
from npvae.cli.arguments import SCATTERED, add_command, add_data, read_data, reconstruction_note
from npvae.cli.results import (
    SHOWN,
    TABLES,
    Commands,
    Made,
    add_maker,
    check_output,
    image_shape,
    inputs,
    shown_rows,
    write,
)
from npvae.datasets import is_binary
from npvae.validation import integer

CHANGED = 8
"""Rows in a picture of data that are given an attribute."""


def add_commands(commands: Commands) -> None:
    """Add the nine commands."""
    for add in (
        _add_sample,
        _add_reconstruct,
        _add_encode,
        _add_decode,
        _add_manifold,
        _add_interpolate,
        _add_attribute,
        _add_score,
        _add_info,
    ):
        add(commands)


def _add_sample(commands: Commands) -> None:
    text = "Draw latents from the prior N(0, I) and decode each to the mean of p(x|z)."
    example = "npvae sample npvae-run/model.npz -n 100 --seed 1 -o samples.png"
    parser = add_maker(commands, sample, "draw new images", "samples.png", text, example)
    parser.add_argument("-n", type=int, default=64, help="how many")
    parser.add_argument("--seed", metavar="N", type=int, help="of the latents; without it they differ every time")


def sample(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae sample``."""
    return _images(vae, vae.sample(args.n, args.seed))


def _images(vae: VAE, images: NDArray) -> Made:
    return {"images": images}, lambda plots: plots.image_grid(images, image_shape(vae))


def _add_reconstruct(commands: Commands) -> None:
    text = f"""\
Encode each row to the mean of q(z|x), decode that to the mean of p(x|z). A picture shows originals beside
reconstructions, of the first {SHOWN} rows unless --rows says otherwise."""
    example = "npvae reconstruct npvae-run/model.npz t10k-images-idx3-ubyte.gz --rows 0:20"
    add_data(add_maker(commands, reconstruct, "encode and decode data", "reconstructions.png", text, example))


def reconstruct(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae reconstruct``."""
    x = read_data(args.data, rows=shown_rows(args)).x
    x_hat = vae.reconstruct(x)
    return {"x_hat": x_hat}, lambda plots: plots.reconstructions(x, x_hat, image_shape(vae))


def _add_encode(commands: Commands) -> None:
    text = """\
Compute q(z|x) = N(mu, Σ) of each row. .npy and .csv get mu; .npz gets mu and log_var = log σ²,
or mu and factor, the L of a full Σ = L Lᵀ; a picture is the scatter of the first two latents of up to 5,000
rows, coloured by --labels."""
    example = "npvae encode npvae-run/model.npz t10k-images-idx3-ubyte.gz -o latents.csv"
    parser = add_maker(commands, encode, "data to latents", "latents.npy", text, example, column="z")
    add_data(parser)
    parser.add_argument("--labels", metavar="FILE", help="classes of the rows, for the picture")


def encode(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae encode``."""
    data = read_data(args.data, args.labels, args.rows)
    mu, spread = vae.encode(data.x)

    def draw(plots: ModuleType) -> Any:
        if vae.latent_dim < 2:
            raise ValueError("a scatter needs at least two latents, the model has one")
        seen = slice(0, SCATTERED)
        return plots.latent_scatter(mu[seen], None if data.labels is None else data.labels[seen])

    return {"mu": mu, "factor" if vae.posterior == "full" else "log_var": spread}, draw


def _add_decode(commands: Commands) -> None:
    text = """\
Decode each row of LATENTS (.npy, .npz, .csv; one column a latent) to the mean of p(x|z). Where encode wrote
latents.npz, LATENTS is latents.npz:mu."""
    example = "npvae decode npvae-run/model.npz latents.npy -o decoded.npy"
    parser = add_maker(commands, decode, "latents to data", "decoded.png", text, example)
    parser.add_argument("latents", metavar="LATENTS", help="file with one row of latents per image")


def decode(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae decode``."""
    return _images(vae, vae.inverse_transform(read_data(args.latents, argument="LATENTS").x))


def _add_manifold(commands: Commands) -> None:
    text = """\
Decode a grid of latents that is even in probability: the unit square through the inverse Gaussian CDF. For
models with two latents."""
    example = "npvae manifold npvae-run/model.npz --side 25"
    summary = "picture of a two-dimensional latent space"
    parser = add_maker(commands, manifold, summary, "manifold.png", text, example)
    parser.add_argument("--side", metavar="N", type=int, default=20, help="images along each side")


def manifold(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae manifold``."""
    from npvae.plots import manifold_grid

    if vae.latent_dim != 2:
        raise ValueError(f"the manifold needs a model with two latents (npvae train --latent 2), got {vae.latent_dim}")
    z = manifold_grid(args.side)
    images = vae.inverse_transform(z)
    return {"images": images, "z": z}, lambda plots: plots.manifold(images, image_shape=image_shape(vae))


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


def interpolate(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae interpolate``."""
    data = read_data(args.data)
    for name, row in (("I", args.i), ("J", args.j)):
        if not 0 <= row < len(data):
            raise ValueError(f"{name} must be a row of {args.data}, from 0 to {len(data) - 1}, got {row}")
    images = vae.interpolate(data.x[args.i], data.x[args.j], args.steps, args.method)
    return {"images": images}, lambda plots: plots.interpolations(images[None], image_shape(vae))


def _add_attribute(commands: Commands) -> None:
    text = f"""\
The way in latent space from rows of other classes to rows of class LABEL: the difference of their mean latents, which
added to latents is meant to give their image the attribute. The result is that one row of latents; a picture shows the
first {CHANGED} rows of other classes, decoded on their way there: z + t · vector, t from 0 to 1."""
    example = """\
npvae attribute npvae-run/model.npz digits 7 --rows 0:2000
npvae attribute npvae-run/model.npz faces.npy 1 --labels smiling.npy -o smile.npy"""
    parser = add_maker(commands, attribute, "the latents' way to a class", "attribute.png", text, example, column="z")
    add_data(parser)
    parser.add_argument("label", metavar="LABEL", type=int, help="the class")
    parser.add_argument("--labels", metavar="FILE", help="classes of the rows; digits have their own")
    parser.add_argument("--steps", metavar="N", type=int, default=8, help="images on each way, both ends included")


def attribute(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae attribute``."""
    steps = integer("--steps", args.steps, at_least=2)
    data = read_data(args.data, args.labels, args.rows)
    if data.labels is None:
        raise ValueError(f"--labels must name the classes of {args.data}")
    of_class = data.labels == args.label
    if of_class.all() or not of_class.any():
        classes = ", ".join(map(str, np.unique(data.labels)[:20]))
        raise ValueError(f"LABEL must be the class of some rows and not of others, got {args.label} of {classes}")
    vector = vae.attribute_vector(data.x, of_class)
    others = data.x[~of_class][:CHANGED]

    def draw(plots: ModuleType) -> Any:
        t = np.linspace(0, 1, steps, dtype=vector.dtype)[:, None]
        images = [vae.inverse_transform(z + t * vector) for z in vae.transform(others)]
        return plots.interpolations(np.stack(images), image_shape(vae))

    return {"vector": vector[None]}, draw


def _add_score(commands: Commands) -> None:
    text = """\
Estimate −ELBO and its two terms for each row, in nats (lower is better: −ELBO ≥ −log p(x)),
and print their means with standard errors. With --output the rows go to a .csv, .npy or .npz file."""
    example = "npvae score npvae-run/model.npz t10k-images-idx3-ubyte.gz --samples 10 -o scores.csv"
    parser = add_command(commands, "score", score, "loss of data under a model", text, example)
    parser.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    add_data(parser)
    parser.add_argument("--samples", metavar="L", type=int, default=1, help="draws of z per row")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the draws")
    parser.add_argument("-o", "--output", metavar="FILE", help="rows of negative_elbo, reconstruction and kl")


def score(args: argparse.Namespace) -> int:
    """``npvae score``."""
    output = None if args.output is None else check_output(args.output, TABLES, inputs(args))
    vae = npvae.load(args.model)
    data = read_data(args.data, rows=args.rows)
    grey = vae.likelihood == "bernoulli" and vae.binarize == "none" and not is_binary(data.x)
    terms = vae.elbo_terms(data.x, args.samples, args.seed)
    columns = {"negative_elbo": terms["reconstruction"] + terms["kl"], **terms}
    rows, samples = (f"{n:,} {word}{'s' * (n > 1)}" for n, word in ((len(data), "row"), (args.samples, "sample")))
    print(f"{rows}, {samples} of z each; nats per row")
    for name, values in columns.items():
        error = f" ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}" if len(values) > 1 else ""
        note = f"   ({reconstruction_note(grey)})" if name == "reconstruction" else ""
        print(f"  {name:15}{values.mean():10.3f}{error}{note}")
    if output is not None:
        write(output, {"scores": np.stack(list(columns.values()), axis=1)}, list(columns))
        print(f"wrote {output}")
    return 0


def _add_info(commands: Commands) -> None:
    text = "Print the settings, the sizes and the last losses of a model."
    example = "npvae info npvae-run/model.npz --json"
    parser = add_command(commands, "info", info, "what a model file holds", text, example)
    parser.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    parser.add_argument("--json", action="store_true", help="for programs")


def info(args: argparse.Namespace) -> int:
    """``npvae info``."""
    vae = npvae.load(args.model)
    facts = {
        "model": {
            "estimator": type(vae).__name__,
            "features": vae.n_features_in_,
            "image shape": vae.image_shape_,
            "parameters": vae.theta_.flat.size,
            "grey pixels": vae.grey_,
        },
        "settings": vae.get_params(),
        "last epoch": vae.history_.last(),
        "arrays": {name: " × ".join(map(str, shape)) for name, shape in vae.theta_.shapes.items()},
    }
    if args.json:
        print(json.dumps(facts, indent=2))
        return 0
    width = max(len(name) for values in facts.values() for name in values)
    for group, values in facts.items():
        print(group)
        for name, value in values.items():
            print(f"  {name:{width}}  {f'{value:.6g}' if isinstance(value, float) else value}")
    return 0
