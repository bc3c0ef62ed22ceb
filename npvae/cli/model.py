"""Commands that use a trained model: sample, reconstruct, encode, decode, manifold, interpolate, score, info."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from functools import partial
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

import npvae
from npvae import VAE
from npvae.cli.arguments import (
    PICTURES,
    SCATTERED,
    add_command,
    check_output,
    read_data,
    reconstruction_note,
    row_range,
    write,
)
from npvae.datasets import is_binary

ENDINGS = "\n\nResults go to .npy, .npz, .csv or a picture (.png, .svg, .pdf), by the output's ending."

Made = tuple[dict[str, NDArray], Callable[[ModuleType], Any]]
"""Arrays, the first of which is the result, and what draws them with `npvae.plots`."""


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the eight commands."""
    add = partial(_add, commands)
    sample = add(
        sample_,
        "draw new images",
        "samples.png",
        "Draw latents from the prior N(0, I) and decode each to the mean of p(x|z).",
        "npvae sample npvae-run/model.npz -n 100 --seed 1 -o samples.png",
    )
    sample.add_argument("-n", type=int, default=64, help="how many")
    sample.add_argument("--seed", metavar="N", type=int, help="of the latents; without it they differ every time")
    reconstruct = add(
        reconstruct_,
        "encode and decode data",
        "reconstructions.png",
        "Encode each row to the mean of q(z|x), decode that to the mean of p(x|z). A picture shows originals beside\n"
        "reconstructions, of the first 12 rows unless --rows says otherwise.",
        "npvae reconstruct npvae-run/model.npz t10k-images-idx3-ubyte.gz --rows 0:20",
    )
    encode = add(
        encode_,
        "data to latents",
        "latents.npy",
        "Compute q(z|x) = N(mu, Σ) of each row. .npy and .csv get mu; .npz gets mu and log_var = log σ²,\n"
        "or mu and factor, the L of a full Σ = L Lᵀ; a picture is the scatter of the first two latents of up to 5,000\n"
        "rows, coloured by --labels.",
        "npvae encode npvae-run/model.npz t10k-images-idx3-ubyte.gz -o latents.csv",
    )
    encode.add_argument("--labels", metavar="FILE", help="classes of the rows, for the picture")
    decode = add(
        decode_,
        "latents to data",
        "decoded.png",
        "Decode each row of LATENTS (.npy, .npz, .csv; one column a latent) to the mean of p(x|z). Where encode wrote\n"
        "latents.npz, LATENTS is latents.npz:mu.",
        "npvae decode npvae-run/model.npz latents.npy -o decoded.npy",
    )
    decode.add_argument("latents", metavar="LATENTS", help="file with one row of latents per image")
    manifold = add(
        manifold_,
        "picture of a two-dimensional latent space",
        "manifold.png",
        "Decode a grid of latents that is even in probability: the unit square through the inverse Gaussian CDF. For\n"
        "models with two latents.",
        "npvae manifold npvae-run/model.npz --side 25",
    )
    manifold.add_argument("--side", metavar="N", type=int, default=20, help="images along each side")
    interpolate = add(
        interpolate_,
        "the way between two images",
        "interpolation.png",
        "Encode rows I and J of DATA and decode the latents on the way between them.",
        "npvae interpolate npvae-run/model.npz t10k-images-idx3-ubyte.gz 3 18 --steps 12",
    )
    score = add(
        score_,
        "loss of data under a model",
        None,
        "Estimate −ELBO and its two terms for each row, in nats (lower is better: −ELBO ≥ −log p(x)),\n"
        "and print their means with standard errors. With --output the rows go to a .csv, .npy or .npz file.",
        "npvae score npvae-run/model.npz t10k-images-idx3-ubyte.gz --samples 10 -o scores.csv",
    )
    for parser in (reconstruct, encode, interpolate, score):
        parser.add_argument("data", metavar="DATA", help='data file, or "digits"')
        if parser is not interpolate:
            parser.add_argument("--rows", metavar="A:B", type=row_range, help="rows A to B − 1 only")
    interpolate.add_argument("i", metavar="I", type=int, help="row to start from, counted from 0")
    interpolate.add_argument("j", metavar="J", type=int, help="row to end at")
    interpolate.add_argument("--steps", metavar="N", type=int, default=10, help="images, both ends included")
    ways = ["linear", "spherical"]
    interpolate.add_argument("--method", choices=ways, default="linear", help="the way through latent space")
    score.add_argument("--samples", metavar="L", type=int, default=1, help="draws of z per row")
    score.add_argument("--seed", metavar="N", type=int, default=0, help="of the draws")
    score.add_argument("-o", "--output", metavar="FILE", help="rows of negative_elbo, reconstruction and kl")
    info = add(
        info_,
        "what a model file holds",
        None,
        "Print the settings, the sizes and the last losses of a model.",
        "npvae info npvae-run/model.npz --json",
    )
    info.add_argument("--json", action="store_true", help="for programs")


def _add(
    commands: argparse._SubParsersAction,
    function: Callable,
    summary: str,
    output: str | None,
    description: str,
    example: str,
) -> argparse.ArgumentParser:
    """Add the command that `function` is named after; with an `output`, `function` makes what is written there."""
    run = function if output is None else partial(_write_made, function)
    ends = "" if output is None else ENDINGS
    parser = add_command(commands, function.__name__.strip("_"), run, summary, description + ends, example)
    parser.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    if output is not None:
        parser.add_argument("-o", "--output", metavar="FILE", default=output, help="where to")
    return parser


def _write_made(make: Callable[[argparse.Namespace, VAE], Made], args: argparse.Namespace) -> int:
    args.output = check_output(args.output, inputs=_inputs(args))
    vae = npvae.load(args.model)
    arrays, draw = make(args, vae)
    letter, first = "z" if make is encode_ else "x", next(iter(arrays.values()))
    write(args.output, arrays, [f"{letter}{i + 1}" for i in range(first.shape[1])], draw)
    print(f"wrote {args.output}")
    return 0


def _inputs(args: argparse.Namespace) -> list[str | None]:
    return [getattr(args, name, None) for name in ("model", "data", "latents", "labels")]


def sample_(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae sample``."""
    return _images(vae, vae.sample(args.n, args.seed))


def reconstruct_(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae reconstruct``."""
    picture = args.output.suffix.lower() in PICTURES
    x = read_data(args.data, rows=slice(0, 12) if picture and args.rows is None else args.rows).x
    x_hat = vae.reconstruct(x)
    return {"x_hat": x_hat}, lambda plots: plots.reconstructions(x, x_hat, _shape(vae))


def encode_(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae encode``."""
    data = read_data(args.data, args.labels, args.rows)
    mu, spread = vae.encode(data.x)

    def draw(plots: ModuleType) -> Any:
        if vae.latent_dim < 2:
            raise ValueError("a scatter needs at least two latents, the model has one")
        seen = slice(0, SCATTERED)
        return plots.latent_scatter(mu[seen], None if data.labels is None else data.labels[seen])

    return {"mu": mu, "factor" if vae.posterior == "full" else "log_var": spread}, draw


def decode_(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae decode``."""
    return _images(vae, vae.inverse_transform(read_data(args.latents, argument="LATENTS").x))


def manifold_(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae manifold``."""
    from npvae.plots import manifold_grid

    if vae.latent_dim != 2:
        raise ValueError(f"the manifold needs a model with two latents (npvae train --latent 2), got {vae.latent_dim}")
    z = manifold_grid(args.side)
    images = vae.inverse_transform(z)
    return {"images": images, "z": z}, lambda plots: plots.manifold(images, image_shape=_shape(vae))


def interpolate_(args: argparse.Namespace, vae: VAE) -> Made:
    """``npvae interpolate``."""
    data = read_data(args.data)
    for name, row in (("I", args.i), ("J", args.j)):
        if not 0 <= row < len(data):
            raise ValueError(f"{name} must be a row of {args.data}, from 0 to {len(data) - 1}, got {row}")
    images = vae.interpolate(data.x[args.i], data.x[args.j], args.steps, args.method)
    return {"images": images}, lambda plots: plots.interpolations(images[None], _shape(vae))


def _images(vae: VAE, images: NDArray) -> Made:
    return {"images": images}, lambda plots: plots.image_grid(images, _shape(vae))


def _shape(vae: VAE) -> tuple[int, ...]:
    if vae.image_shape_ is None or len(vae.image_shape_) != 2:
        raise ValueError(f"the model's rows of {vae.n_features_in_} features are no pictures; use .npy, .npz or .csv")
    return vae.image_shape_


def score_(args: argparse.Namespace) -> int:
    """``npvae score``."""
    output = None if args.output is None else check_output(args.output, False, _inputs(args))
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


def info_(args: argparse.Namespace) -> int:
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
