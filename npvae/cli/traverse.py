"""``npvae traverse``: what each latent does."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from npvae.cli.arguments import add_data, integers, read_data
from npvae.cli.columns import selection
from npvae.cli.results import Commands, Made, add_maker, image_shape
from npvae.validation import integer, number

FIRST = 10
"""Latents that move unless --latents says which."""


def add_commands(commands: Commands) -> None:
    """Add ``npvae traverse``."""
    text = f"""\
Encode row I of DATA, and decode it with one latent moved from −R to R and the others held: a latent a row, of the first
{FIRST} unless --latents says otherwise. Latents are counted from 0."""
    example = """\
npvae traverse npvae-run/model.npz digits 3
npvae traverse npvae-run/model.npz faces.npy 0 --latents 2,5 --reach 2 -o two.png"""
    parser = add_maker(commands, traverse, "move one latent, hold the others", "traversal.png", text, example)
    add_data(parser, rows=False)
    parser.add_argument("i", metavar="I", type=int, help="row whose latents are held, counted from 0")
    parser.add_argument("--latents", dest="moved", metavar="J[,J…]", type=integers, help="which move")
    parser.add_argument("--steps", metavar="N", type=int, default=9, help="images a row")
    parser.add_argument("--reach", metavar="R", type=float, default=3.0, help="how far the latent moves, both ways")


def traverse(args: argparse.Namespace, model: Any) -> Made:
    """``npvae traverse``."""
    steps, reach = integer("steps", args.steps, at_least=2), number("reach", args.reach, above=0)
    data = read_data(args.data, choice=selection(args), model=model)
    if not 0 <= args.i < len(data):
        raise ValueError(f"I must be a row of {args.data}, from 0 to {len(data) - 1}, got {args.i}")
    latents = range(min(FIRST, model.n_latents_)) if args.moved is None else args.moved
    row = data.take([args.i]).given
    images = np.concatenate([model.traverse(row, j, steps, reach) for j in latents])
    values = np.linspace(-reach, reach, steps)
    return {"images": images}, lambda plots: plots.traversal(images, list(latents), values, image_shape(model))
