"""``npvae explore``: a page in which a reader moves z and sees the picture change."""

from __future__ import annotations

import argparse
from pathlib import Path

from npvae.cli.arguments import add_command, read_data, row_range
from npvae.cli.results import Commands, check_output, load_with, require_plain_rows
from npvae.explorer import MOST_BYTES, PRECISIONS, Examples, explorer_page
from npvae.files import replacing

EXAMPLES = 1000
"""Rows of DATA behind the pad, without --rows."""


def add_commands(commands: Commands) -> None:
    """Add ``npvae explore``."""
    text = """\
Make one HTML page of a model: a pad for two latents with the classes of DATA behind it, sliders for all, an image of
the reader's own encoded with both terms of its loss, the way between two pictures. Decoder and encoder run in the page,
in plain JavaScript; it needs no server and no network."""
    example = "npvae explore npvae-run/model.npz digits -o page.html"
    parser = add_command(commands, "explore", explore, "a page in which one moves z", text, example)
    parser.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    parser.add_argument("data", metavar="DATA", nargs="?", help='data file, or "digits": examples of the page')
    parser.add_argument("--labels", metavar="FILE", help="their classes; digits have their own")
    parser.add_argument("--rows", metavar="A:B", type=row_range, help=f"rows A to B − 1 (the first {EXAMPLES:,})")
    parser.add_argument("--title", default="Explore a variational autoencoder", help="of the page")
    parser.add_argument(
        "--precision", choices=PRECISIONS, help="of the weights; without it float16, or int8 where that is too large"
    )
    parser.add_argument("--most-bytes", metavar="N", type=int, default=MOST_BYTES, help="largest page")
    parser.add_argument("-o", "--output", metavar="FILE", default="explore.html", help="where to")


def explore(args: argparse.Namespace) -> int:
    """``npvae explore``."""
    output: Path = check_output(args.output, (".html", ".htm"), [args.model, args.data, args.labels])
    model = load_with(args.model, "explore", "encode")
    require_plain_rows(args.model, model, "explore")
    examples = None
    if args.data is not None:
        rows = slice(0, EXAMPLES) if args.rows is None else args.rows
        data = read_data(args.data, args.labels, rows, model=model)
        examples = Examples(model.prepare(data.given), data.labels)
    page = explorer_page(
        model.model_,
        model.theta_,
        examples,
        title=args.title,
        image_shape=model.image_shape_,
        precision=args.precision,
        most_bytes=args.most_bytes,
    )
    with replacing(output) as part:
        part.write_text(page, "utf-8")
    print(f"wrote {output} ({len(page.encode()):,} bytes); open it in a browser")
    return 0
