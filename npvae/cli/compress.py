"""``npvae compress`` and ``npvae decompress``: images without loss, by a model of them."""

from __future__ import annotations

import argparse
from pathlib import Path

from npvae.cli.arguments import add_command, add_data, counted, read_data
from npvae.cli.columns import selection
from npvae.cli.results import TABLES, Commands, check_output, column_names, inputs, load_with, write
from npvae.files import replacing
from npvae.validation import existing_file

ENDING = ".npz-bb"
"""The ending of compressed files: bits back."""


def add_commands(commands: Commands) -> None:
    """Add both commands."""
    text = f"""\
Compress the rows of DATA without loss by bits-back coding, at about −ELBO bits. The model must be a VAE whose
likelihood is discrete: bernoulli for binary images, discretized-logistic or logistic-mixture for 8-bit ones. The file
can be read with this model only; its name ends in {ENDING}."""
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
    output = check_output(args.output, (ENDING,), inputs(args))
    model = load_with(args.model, "compress", "compress")
    data = read_data(args.data, rows=args.rows, choice=selection(args), model=model)
    packed = model.compress(data.given)
    with replacing(output) as temporary:
        temporary.write_bytes(packed)
    bits = 8 * len(packed) / data.x.size
    print(f"{counted(len(data), 'row')} in {len(packed):,} bytes, {bits:.4f} bits a pixel")
    print(f"wrote {output}")
    return 0


def decompress(args: argparse.Namespace) -> int:
    """``npvae decompress``."""
    from npvae import compression

    output = check_output(args.output, TABLES, [args.model, args.file])
    model, file = load_with(args.model, "decompress", "decompress"), existing_file(args.file, "FILE")
    try:
        levels = model.decompress(Path(file).read_bytes())
    except compression.CompressedFileError as error:
        raise compression.CompressedFileError(f"{args.file} {error}") from None
    shape = model.image_shape_ or (model.n_features_in_,)
    write(output, {"images": levels.reshape(-1, *shape)}, column_names(model, levels.shape[1]))
    print(f"{counted(len(levels), 'row')}; wrote {output}")
    return 0
