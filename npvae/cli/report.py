"""Commands that tell about a model: score, info."""

from __future__ import annotations

import argparse
import json

import numpy as np

import npvae
from npvae import VAE
from npvae.cli.arguments import add_command, read_data, row_range
from npvae.cli.output import check_output, write

__all__ = ["add_commands"]


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add both commands."""
    score = add_command(
        commands,
        "score",
        score_,
        "loss of data under a model",
        "Estimate −ELBO and its two terms for each row, in nats (lower is better: −ELBO ≥ −log p(x)),\n"
        "and print their means with standard errors. With --output the rows go to a .csv, .npy or .npz file.",
        "npvae score npvae-run/model.npz t10k-images-idx3-ubyte.gz --samples 10 -o scores.csv",
    )
    score.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    score.add_argument("data", metavar="DATA", help='data file, or "digits"')
    score.add_argument("--rows", metavar="A:B", type=row_range, help="rows A to B − 1 only")
    score.add_argument("--samples", metavar="L", type=int, default=1, help="draws of z per row")
    score.add_argument("--seed", metavar="N", type=int, default=0, help="of the draws")
    score.add_argument("-o", "--output", metavar="FILE", help="rows of loss, reconstruction and kl")

    info = add_command(
        commands,
        "info",
        info_,
        "what a model file holds",
        "Print the settings, the sizes and the last losses of a model.",
        "npvae info npvae-run/model.npz --json",
    )
    info.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    info.add_argument("--json", action="store_true", help="for programs")


def score_(args: argparse.Namespace) -> int:
    """``npvae score``."""
    output = None if args.output is None else check_output(args.output, picture=False)
    vae = npvae.load(args.model)
    data = read_data(args.data, rows=args.rows)
    terms = vae.elbo_terms(data.x, args.samples, args.seed)
    columns = {"loss": terms["reconstruction"] + terms["kl"], **terms}
    note = "cross-entropy of grey pixels, not a likelihood" if vae.grey_ else "−log p(x|z)"
    rows, samples = (f"{n:,} {word}{'s' * (n > 1)}" for n, word in ((len(data), "row"), (args.samples, "sample")))
    print(f"{rows}, {samples} of z each; nats per row")
    for name, values in columns.items():
        error = f" ± {values.std(ddof=1) / np.sqrt(len(values)):.3f}" if len(values) > 1 else ""
        print(f"  {name:15}{values.mean():10.3f}{error}" + (f"   ({note})" if name == "reconstruction" else ""))
    if output is not None:
        write(output, {"scores": np.stack(list(columns.values()), axis=1)}, list(columns))
        print(f"wrote {output}")
    return 0


def info_(args: argparse.Namespace) -> int:
    """``npvae info``."""
    facts = _facts(npvae.load(args.model))
    if args.json:
        print(json.dumps(facts, indent=2))
        return 0
    width = max(len(name) for values in facts.values() for name in values)
    for group, values in facts.items():
        print(group)
        for name, value in values.items():
            print(f"  {name:{width}}  {f'{value:.6g}' if isinstance(value, float) else value}")
    return 0


def _facts(vae: VAE) -> dict[str, dict]:
    shapes = {name: " × ".join(map(str, shape)) for name, shape in vae.theta_.shapes.items()}
    return {
        "model": {
            "estimator": type(vae).__name__,
            "features": vae.n_features_in_,
            "image shape": vae.image_shape_,
            "parameters": vae.theta_.flat.size,
            "grey pixels": vae.grey_,
        },
        "settings": vae.get_params(),
        "last epoch": vae.history_.last(),
        "arrays": shapes,
    }
