"""``npvae detect``: which rows are unlike those that a model has learned."""

from __future__ import annotations

import argparse

import numpy as np

from npvae.cli.arguments import add_command, add_data, counted, read_data
from npvae.cli.columns import selection
from npvae.cli.results import TABLES, Commands, check_output, inputs, load_with, write


def add_commands(commands: Commands) -> None:
    """Add ``npvae detect``."""
    text = """\
Score every row (a VAE by its ELBO, an autoencoder by its reconstruction error, PCA and a mixture by log p(x)) and flag
those below a threshold: 1 is a row like those of the training, −1 an outlier. The threshold is the score that the share
--contamination of the rows of --normal falls below; without --normal it is the one that the model was saved with, and
if there is none, that of DATA itself."""
    example = """\
npvae detect npvae-run/model.npz images.npy --normal train-images.npy --contamination 0.01 -o flags.csv
npvae detect npvae-run/model.npz digits --rows 0:500"""
    parser = add_command(commands, "detect", detect, "flag outliers", text, example)
    parser.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    add_data(parser)
    parser.add_argument("--normal", metavar="FILE", help="rows without outliers, such as the training data")
    share = "share of the rows that the threshold is learned from which is to lie below it"
    parser.add_argument("--contamination", metavar="C", type=float, default=0.05, help=share)
    parser.add_argument("-o", "--output", metavar="FILE", help="rows of flag, score and decision")


def detect(args: argparse.Namespace) -> int:
    """``npvae detect``."""
    read = [*inputs(args), args.normal]
    output = None if args.output is None else check_output(args.output, TABLES, read)
    model = load_with(args.model, "detect", "learn_threshold")
    choice = selection(args)
    data = read_data(args.data, rows=args.rows, choice=choice, model=model)
    if args.normal is not None:
        normal = read_data(args.normal, argument="--normal", choice=choice, model=model)
        model.learn_threshold(normal.given, args.contamination)
        source = args.normal
    elif hasattr(model, "offset_"):
        source = "the model's file"
    else:
        model.learn_threshold(data.given, args.contamination)
        source = "DATA itself"
    score = model.score_samples(data.given)
    decision = score - model.offset_
    flag = np.where(decision < 0, -1, 1)
    print(f"{(flag < 0).sum():,} of {counted(len(flag), 'row')} are outliers: they score below {model.offset_:.6g}")
    print(f"the threshold is from {source}, for a contamination of {model.contamination_:g}")
    if output is not None:
        columns = {"flag": flag, "score": score, "decision": decision}
        write(output, {"flags": np.stack(list(columns.values()), axis=1)}, list(columns))
        print(f"wrote {output}")
    return 0
