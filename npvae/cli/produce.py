"""Commands that make arrays or pictures with a model: sample, reconstruct, encode, decode, manifold, interpolate."""

from __future__ import annotations

import argparse
from collections.abc import Callable

from numpy.typing import NDArray

import npvae
from npvae import VAE
from npvae.cli.arguments import add_command, read_data, row_range
from npvae.cli.output import PICTURES, check_output, write

__all__ = ["add_commands"]

ENDINGS = "Results go to .npy, .npz, .csv or a picture (.png, .svg, .pdf), by the output's ending."


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add the six commands."""
    sample = _command(
        commands,
        "sample",
        sample_,
        "draw new images",
        "samples.png",
        "Draw latents from the prior N(0, I) and decode each to the mean of p(x|z).",
        "npvae sample npvae-run/model.npz -n 100 --seed 1 -o samples.png",
    )
    sample.add_argument("-n", type=int, default=64, help="how many")
    sample.add_argument("--seed", metavar="N", type=int, help="of the latents; without it they differ every time")

    reconstruct = _command(
        commands,
        "reconstruct",
        reconstruct_,
        "encode and decode data",
        "reconstructions.png",
        "Encode each row to the mean of q(z|x), decode that to the mean of p(x|z). A picture shows originals beside\n"
        "reconstructions, of the first 12 rows unless --rows says otherwise.",
        "npvae reconstruct npvae-run/model.npz t10k-images-idx3-ubyte.gz --rows 0:20",
    )
    encode = _command(
        commands,
        "encode",
        encode_,
        "data to latents",
        "latents.npy",
        "Compute q(z|x) = N(mu, σ²) of each row. .npy and .csv get mu; .npz gets mu and log_var = log σ²; a picture\n"
        "is the scatter of the first two latents, coloured by --labels.",
        "npvae encode npvae-run/model.npz t10k-images-idx3-ubyte.gz -o latents.csv",
    )
    encode.add_argument("--labels", metavar="FILE", help="classes of the rows, for the picture")
    for parser in (reconstruct, encode):
        parser.add_argument("data", metavar="DATA", help='data file, or "digits"')
        parser.add_argument("--rows", metavar="A:B", type=row_range, help="rows A to B − 1 only")

    decode = _command(
        commands,
        "decode",
        decode_,
        "latents to data",
        "decoded.png",
        "Decode each row of LATENTS (.npy, .npz, .csv; one column a latent) to the mean of p(x|z). Where encode wrote\n"
        "latents.npz, LATENTS is latents.npz:mu.",
        "npvae decode npvae-run/model.npz latents.npy -o decoded.npy",
    )
    decode.add_argument("latents", metavar="LATENTS", help="file with one row of latents per image")

    manifold = _command(
        commands,
        "manifold",
        manifold_,
        "picture of a two-dimensional latent space",
        "manifold.png",
        "Decode a grid of latents that is even in probability: the unit square through the inverse Gaussian CDF. For\n"
        "models with two latents.",
        "npvae manifold npvae-run/model.npz --side 25",
    )
    manifold.add_argument("--side", metavar="N", type=int, default=20, help="images along each side")

    interpolate = _command(
        commands,
        "interpolate",
        interpolate_,
        "the way between two images",
        "interpolation.png",
        "Encode rows I and J of DATA and decode the latents on the way between them.",
        "npvae interpolate npvae-run/model.npz t10k-images-idx3-ubyte.gz 3 18 --steps 12",
    )
    interpolate.add_argument("data", metavar="DATA", help='data file, or "digits"')
    interpolate.add_argument("i", metavar="I", type=int, help="row to start from, counted from 0")
    interpolate.add_argument("j", metavar="J", type=int, help="row to end at")
    interpolate.add_argument("--steps", metavar="N", type=int, default=10, help="images, both ends included")
    interpolate.add_argument(
        "--method", choices=["linear", "spherical"], default="linear", help="the way through latent space"
    )


def _command(
    commands: argparse._SubParsersAction,
    name: str,
    run: Callable[[argparse.Namespace], int],
    summary: str,
    output: str,
    description: str,
    example: str,
) -> argparse.ArgumentParser:
    parser = add_command(commands, name, run, summary, f"{description}\n\n{ENDINGS}", example)
    parser.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    parser.add_argument("-o", "--output", metavar="FILE", default=output, help="where to")
    return parser


def sample_(args: argparse.Namespace) -> int:
    """``npvae sample``."""
    output, vae = check_output(args.output), npvae.load(args.model)
    return _write_images(output, vae, vae.sample(args.n, args.seed))


def reconstruct_(args: argparse.Namespace) -> int:
    """``npvae reconstruct``."""
    output, vae = check_output(args.output), npvae.load(args.model)
    picture = output.suffix.lower() in PICTURES
    rows = slice(0, 12) if picture and args.rows is None else args.rows
    x = read_data(args.data, rows=rows).x
    x_hat = vae.reconstruct(x)

    def draw():
        from npvae import plots

        return plots.reconstructions(x, x_hat, _shape(vae))

    return _write(output, {"x_hat": x_hat}, _pixels(x_hat), draw)


def encode_(args: argparse.Namespace) -> int:
    """``npvae encode``."""
    output, vae = check_output(args.output), npvae.load(args.model)
    data = read_data(args.data, args.labels, args.rows)
    mu, log_var = vae.posterior(data.x)

    def draw():
        from npvae import plots

        if vae.latent_dim < 2:
            raise ValueError("a scatter needs at least two latents, the model has one")
        return plots.latent_scatter(mu[:, :2], data.labels)

    return _write(output, {"mu": mu, "log_var": log_var}, [f"z{i + 1}" for i in range(vae.latent_dim)], draw)


def decode_(args: argparse.Namespace) -> int:
    """``npvae decode``."""
    output, vae = check_output(args.output), npvae.load(args.model)
    return _write_images(output, vae, vae.inverse_transform(read_data(args.latents).x))


def manifold_(args: argparse.Namespace) -> int:
    """``npvae manifold``."""
    from npvae import plots

    output, vae = check_output(args.output), npvae.load(args.model)
    if vae.latent_dim != 2:
        raise ValueError(f"the manifold needs a model with two latents (npvae train --latent 2), got {vae.latent_dim}")
    z = plots.manifold_grid(args.side)
    images = vae.inverse_transform(z)
    arrays = {"images": images, "z": z}
    return _write(output, arrays, _pixels(images), lambda: plots.manifold(images, image_shape=_shape(vae)))


def interpolate_(args: argparse.Namespace) -> int:
    """``npvae interpolate``."""
    output, vae = check_output(args.output), npvae.load(args.model)
    data = read_data(args.data)
    for name, row in (("I", args.i), ("J", args.j)):
        if not 0 <= row < len(data):
            raise ValueError(f"{name} must be a row of {args.data}, from 0 to {len(data) - 1}, got {row}")
    images = vae.interpolate(data.x[args.i], data.x[args.j], args.steps, args.method)

    def draw():
        from npvae import plots

        return plots.interpolations(images[None], _shape(vae))

    return _write(output, {"images": images}, _pixels(images), draw)


def _write_images(output, vae: VAE, images: NDArray) -> int:
    def draw():
        from npvae import plots

        return plots.image_grid(images, _shape(vae))

    return _write(output, {"images": images}, _pixels(images), draw)


def _write(output, arrays, columns, draw) -> int:
    write(output, arrays, columns, draw)
    print(f"wrote {output}")
    return 0


def _pixels(images: NDArray) -> list[str]:
    return [f"x{i + 1}" for i in range(images.shape[1])]


def _shape(vae: VAE) -> tuple[int, ...]:
    if vae.image_shape_ is None or len(vae.image_shape_) != 2:
        raise ValueError(f"the model's rows of {vae.n_features_in_} features are no pictures; use .npy, .npz or .csv")
    return vae.image_shape_
