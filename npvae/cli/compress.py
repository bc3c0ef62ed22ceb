"""``npvae compress`` and ``npvae decompress``: images without loss, by a model of them."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from npvae.cli.arguments import add_command, add_data, read_data
from npvae.cli.results import TABLES, Commands, check_output, inputs, load_with, write
from npvae.files import replacing
from npvae.validation import ArgumentError, existing_file

ENDING = ".npz-bb"
"""The ending of compressed files: bits back."""


def add_commands(commands: Commands) -> None:
    """Add both commands."""
    text = f"""\
Compress the rows of DATA without loss by bits-back coding, at about −ELBO bits. The model must be a VAE whose
likelihood is discrete: bernoulli for binary images, discretized-logistic or logistic-mixture for 8-bit ones. The file
can be read with this model only, and is best named …{ENDING}."""
    example = f"npvae compress npvae-run/model.npz images.npy -o images{ENDING}"
    parser = add_command(commands, "compress", compress, "images without loss by a model", text, example)
    parser.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    add_data(parser)
    parser.add_argument("-o", "--output", metavar="FILE", default=f"images{ENDING}", help="where to")

    text = """\
Read what compress wrote, with the same model: levels of pixels, 0 and 1 or 0 to 255. A file that is damaged or cut, or
was written with another model, is an error."""
    example = f"npvae decompress npvae-run/model.npz images{ENDING} -o images.npy"
    parser = add_command(commands, "decompress", decompress, "images from a compressed file", text, example)
    parser.add_argument("model", metavar="MODEL", help="the model that compressed it")
    parser.add_argument("file", metavar="FILE", help="what compress wrote")
    parser.add_argument("-o", "--output", metavar="IMAGES", default="images.npy", help="where to")


def compress(args: argparse.Namespace) -> int:
    """``npvae compress``."""
    from npvae import compression

    output = check_output(args.output, (ENDING,), inputs(args))
    model = _coding_model(args.model)
    data = read_data(args.data, rows=args.rows)
    if data.x.shape[1] != model.n_features_in_:
        raise ArgumentError("X", f"have {model.n_features_in_} features", f"shape {data.x.shape}")
    x = model.scaling_(data.x)
    likelihood = model.model_.likelihood
    likelihood.require_support("X", x)
    if not likelihood.is_density(x):
        advice = "make them binary first, or train with a likelihood of grey levels"
        raise ArgumentError("X", "be binary to be coded by a Bernoulli", "values between 0 and 1", advice)
    levels = np.rint(x * (getattr(likelihood, "levels", 2) - 1)).astype(np.uint8)
    packed = compression.compress(model.model_, model.theta_, levels)
    with replacing(output) as temporary:
        temporary.write_bytes(packed)
    print(f"{len(levels):,} rows in {len(packed):,} bytes, {8 * len(packed) / levels.size:.4f} bits a pixel")
    print(f"wrote {output}")
    return 0


def decompress(args: argparse.Namespace) -> int:
    """``npvae decompress``."""
    from npvae import compression

    output = check_output(args.output, TABLES, [args.model, args.file])
    model, file = _coding_model(args.model), existing_file(args.file, "FILE")
    try:
        levels = compression.decompress(model.model_, model.theta_, Path(file).read_bytes())
    except compression.CompressedFileError as error:
        raise compression.CompressedFileError(f"{args.file} {error}") from None
    shape = model.image_shape_ or (model.n_features_in_,)
    write(output, {"images": levels.reshape(-1, *shape)}, [f"x{i + 1}" for i in range(levels.shape[1])])
    print(f"{len(levels):,} rows; wrote {output}")
    return 0


def _coding_model(path: str) -> Any:
    """The model in a file, if it is one that can code."""
    from npvae.compression import Coder

    estimator = load_with(path, "elbo_terms")
    Coder(estimator.model_, estimator.theta_, 1, 1)  # says what it lacks
    return estimator
