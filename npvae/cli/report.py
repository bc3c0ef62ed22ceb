"""Commands that report on a trained model: score, info."""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

from npvae.cli.arguments import add_command, add_data, counted, read_data
from npvae.cli.columns import selection
from npvae.cli.evaluate_words import BELOW_ZERO
from npvae.cli.results import TABLES, Commands, check_output, inputs, load, load_with, write
from npvae.datasets.columns import described_columns
from npvae.validation import printable


def add_commands(commands: Commands) -> None:
    """Add the two commands."""
    _add_score(commands)
    _add_info(commands)


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
    model = load_with(args.model, "score", "loss")
    data = read_data(args.data, rows=args.rows, choice=selection(args), model=model)
    loss = model.loss(data.given, args.samples, args.seed)
    columns = {model.loss_name: loss.per_datum, **(loss.terms if len(loss.terms) > 1 else {})}
    unit = next(iter(loss.described().values())).unit
    draws = f", {counted(args.samples, 'sample')} of z each" if model.draws_latents else ""
    print(f"{counted(len(data), 'row')}{draws}; {unit} per row")
    for name, values in columns.items():
        error = f" ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}" if len(values) > 1 else ""
        note = f"   ({loss.labels[name]})" if name in loss.labels else ""
        note += BELOW_ZERO if name == "kl" and values.mean() < -5e-4 else ""  # what three decimals show
        print(f"  {name:15}{values.mean():10.3f}{error}{note}")
    if hasattr(model, "bits_per_dimension"):
        bits = model.bits_per_dimension(loss.per_datum.mean(), model.prepare(data.given, args.seed))
        if bits is not None:
            print(f"  {bits:.4f} bits a dimension, what lossless compression comes to")
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
    model = load(args.model)
    facts = {
        "model": {
            "estimator": type(model).__name__,
            "features": model.n_features_in_,
            "image shape": model.image_shape_,
            "scale": str(model.scaling_),
            "parameters": model.theta_.flat.size,
            **model.facts(),
        },
        "settings": model.params_,
        "last epoch": model.history_.last(),
        "arrays": {name: " × ".join(map(str, shape)) or "a number" for name, shape in model.theta_.shapes.items()},
    }
    columns = getattr(model.scaling_, "columns", ())
    if args.json:
        if columns:
            facts["columns"] = {column.name: column.kind for column in columns}
        print(json.dumps(facts, indent=2))
        return 0
    if columns:
        print("columns", *map(printable, described_columns(columns)), sep="\n")
    width = max(len(name) for values in facts.values() for name in values)
    for group, values in facts.items():
        if values:
            print(group)
        for name, value in values.items():
            print(printable(f"  {name:{width}}  {_fact(value)}"))
    return 0


def _fact(value: Any) -> str:
    """A fact in a line."""
    if value is None:
        return "none"
    if isinstance(value, list | tuple):
        return " × ".join(map(str, value)) or "none"
    return f"{value:.6g}" if isinstance(value, float) else str(value)
