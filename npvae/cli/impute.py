"""``npvae impute``: missing values from those that are seen."""

from __future__ import annotations

import argparse
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.cli.arguments import add_data, is_embedded, read_data
from npvae.cli.columns import selection
from npvae.cli.results import SHOWN, Commands, Made, add_maker, image_shape, shown_rows
from npvae.datasets import Dataset
from npvae.datasets.table import is_missing

HALVES = {
    "upper": lambda h, w: np.arange(h)[:, None] < h // 2,
    "lower": lambda h, w: np.arange(h)[:, None] >= h // 2,
    "left": lambda h, w: np.arange(w) < w // 2,
    "right": lambda h, w: np.arange(w) >= w // 2,
}
"""Where an image of height h and width w is seen, by a word."""


def add_commands(commands: Commands) -> None:
    """Add ``npvae impute``."""
    text = f"""\
Fill in what of each row is not seen from p(x_missing|x_seen): by a Markov chain, or where the model is of a table with
a likelihood for every column by weighted draws. Not seen is what is NaN in DATA, an empty field in a table, and what
--seen says. .npy and .csv get the mean of it; .npz gets mean, draw, draws (--draws of them), spread (the standard
deviation of each value) and, of each row, acceptance (near 0 the chain stood still) and r_hat (above 1.1 it needs more
steps); a picture shows what is seen, mean and draw, of the first {SHOWN} rows unless --rows says otherwise."""
    example = """\
npvae impute binary/model.npz digits --seen upper
npvae impute binary/model.npz images.npy --seen seen.npy -o imputed.npz
npvae impute table/model.npz with_holes.csv -o whole.csv"""
    parser = add_maker(commands, impute, "missing values from those seen", "imputed.png", text, example)
    add_data(parser)
    shape = "file of the shape of DATA, or of one row (1, d): 1 where a value is seen and 0 where not"
    seen = f"{shape}; or the half that is: {', '.join(HALVES)}"
    parser.add_argument("--seen", metavar="SEEN", help=seen)
    parser.add_argument("--steps", metavar="N", type=int, default=200, help="of the chain")
    parser.add_argument("--draws", metavar="M", type=int, default=1, help="imputations of every row, into an .npz")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the chain")


def impute(args: argparse.Namespace, model: Any) -> Made:
    """``npvae impute``."""
    rows, mask = shown_rows(args), None if args.seen is None else _seen(args.seen, model)
    by_row = mask is not None and len(mask) > 1
    data = read_data(args.data, rows=None if by_row else rows, choice=selection(args), model=model)
    x = data.x
    if mask is not None and (mask.shape[1] != x.shape[1] or (by_row and len(mask) != len(x))):
        raise ValueError(f"--seen must have the shape of DATA, {x.shape}, or one row of it, got {mask.shape}")
    seen = known(data)
    if mask is None and seen.all():
        raise ValueError(f"--seen must be given: {args.data} has no NaN and no empty field")
    seen &= True if mask is None else mask
    if by_row and rows is not None:
        if not len(x[rows]):
            raise ValueError(f"--rows selects nothing: {args.data} has {len(x)} rows")
        data, x, seen = data.take(rows), x[rows], seen[rows]
    filled = model.impute(data.table if data.table is not None else x, seen, args.steps, args.seed, args.draws)
    return filled._asdict(), lambda plots: plots.completions(x, seen, filled.mean, filled.draw, image_shape(model))


def known(data: Dataset) -> NDArray:
    """What of a data set is known: not NaN, of a table no empty field."""
    if data.table is None:
        return ~np.isnan(data.x)
    return np.stack([~is_missing(values) for values in data.table.values()], axis=1)


def _seen(path: str, model: Any) -> NDArray:
    """The mask behind --seen: of every row of DATA, or one row for all."""
    if path in HALVES and not Path(path).exists():
        shape = model.image_shape_
        if shape is None or len(shape) > 3:
            raise ValueError(f"--seen must name a file where rows are no pictures, got {path!r}")
        half = np.broadcast_to(HALVES[path](*shape[:2]), shape[:2])
        return np.broadcast_to(half.reshape(*shape[:2], *[1] * (len(shape) - 2)), shape).reshape(1, -1)
    if is_embedded(path) or (not Path(path).exists() and not Path(path).suffix):
        near = get_close_matches(path, HALVES, n=1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"--seen must name a file or one of {', '.join(HALVES)}, got {path!r}{hint}")
    mask = read_data(path, argument="--seen").numbers("--seen")
    other = mask[(mask != 0) & (mask != 1)]
    if other.size:
        raise ValueError(f"--seen must hold nothing but 1, seen, and 0, not seen, got {other[0]:g}")
    return mask.reshape(1, -1) == 1 if mask.size == model.n_features_in_ else mask == 1  # one image is one row
