"""``npvae evaluate``: what a trained model knows of data."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import isfinite
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae import datasets, evaluation
from npvae.cli.arguments import add_command, is_embedded, read_data, row_range
from npvae.cli.columns import Selection, add_selection, selection
from npvae.cli.evaluate_words import in_words
from npvae.cli.pictures import title
from npvae.cli.results import PICTURES, TABLES, check_output, load_with, write
from npvae.datasets import is_binary
from npvae.validation import ArgumentError, integer

DESCRIPTION = """\
Estimate log p(x) of each row by L_k, with k draws of z from q(z|x), and print means over the rows in nats, with their
standard errors:

  −L_k        not below −log p(x) in expectation, and nearer to it with more draws
  −ELBO       reconstruction + KL(q(z|x) ‖ p(z)); −L_k plus the gap, which estimates KL(q(z|x) ‖ p(z|x)); where x is
              discrete also in bits a dimension, what lossless compression comes to
  latents     how many are in use, and what L_k loses without the others
  KL          its three parts: information on x, dependence between latents, latents that are not normal
  factors     where DATA is "digits": the mutual information gap; --factors draws which latent knows which factor
  outside     how well −L_k tells the rows of --outside from those of DATA, and how well their typicality does

A model whose log p(x) needs no draws of z: there it is −log p(x) itself, and what tells others apart by it. The log Z
of a Boltzmann machine, exact or an estimate, stands beside it.
Grey pixels have no log-likelihood under a Bernoulli: what needs one is left out then, and npvae score gives their
cross-entropy. Under a full covariance the latents are not independent: L_k without some of them, and the KL's parts,
are left out."""

EXAMPLE = """\
npvae train digits --binarize dynamic --output binary
npvae evaluate binary/model.npz digits --k 500 --factors factors.png
npvae evaluate binary/model.npz images.npy --k 5000 --rows 0:1000 -o rows.csv
npvae evaluate binary/model.npz images.npy --outside others.npy --k 500 --rows 0:500"""

DIGITS = 2000
"""How many embedded digits are evaluated without --rows."""

FACTOR_ROWS = 10_000
"""Digits that latents are held against factors with; fewer would find information where there is none."""

PAIRED_ROWS = 10_000
"""Rows in the decomposition of the KL, at the most: its time goes with their square."""

PRUNING_DRAWS = 100


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add ``npvae evaluate``."""
    parser = add_command(commands, "evaluate", run, "log-likelihood, latents in use, factors", DESCRIPTION, EXAMPLE)
    parser.add_argument("model", metavar="MODEL", help="model.npz of a training run")
    add_selection(parser)
    which = f'data file, or "digits" (the first {DIGITS:,}, unless --rows says otherwise)'
    parser.add_argument("data", metavar="DATA", help=which)
    parser.add_argument("--k", metavar="K", type=int, default=5000, help="draws of z per row")
    parser.add_argument("--outside", metavar="DATA", help="data of another kind: are they told from these?")
    parser.add_argument("--rows", metavar="A:B", type=row_range, help="rows A to B − 1 only, of both")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of the draws")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("-o", "--output", metavar="FILE", help="the numbers of each row, as .csv, .npy or .npz")
    parser.add_argument("--factors", metavar="PICTURE", help="where to draw factors by latents; DATA must be digits")


def run(args: argparse.Namespace) -> int:
    """Evaluate, print, write."""
    inputs = [args.model, args.data, *([] if args.outside is None else [args.outside])]
    output = None if args.output is None else check_output(args.output, TABLES, inputs)
    embedded = is_embedded(args.data)
    picture = None if args.factors is None else check_output(args.factors, PICTURES, inputs, "factors")
    if picture is not None and not embedded:
        raise ValueError(f"--factors needs data of known factors, DATA must be digits, got {args.data!r}")
    integer("--k", args.k, at_least=1)
    vae = load_with(args.model, "evaluate", "log_likelihood", "log_prob")
    if picture is not None and not hasattr(vae, "transform"):
        raise ValueError(f"--factors needs a model with latents, {args.model} has none")
    rows = slice(0, DIGITS) if embedded and args.rows is None else args.rows
    choice = selection(args)
    read = read_data(args.data, rows=rows, choice=choice, model=vae)
    data = read.given
    x = vae.prepare(data, args.seed)
    others = None if args.outside is None else _others(vae, args.outside, rows, args.seed, choice)
    exact = hasattr(vae, "log_prob")
    facts = {"rows": len(x), "k": None if exact else args.k, "seed": args.seed}
    facts["made_binary"] = is_binary(x) and not is_binary(read.x)
    facts["likelihood"] = exact or vae.model_.likelihood.is_density(x)
    # What cannot do without a likelihood lets log_likelihood say why there is none.
    if facts["likelihood"] or output is not None or others is not None:
        columns = _columns(vae, data, x, args.k, args.seed)
        facts |= _means(columns)
        bits = None if exact else vae.bits_per_dimension(facts["negative_elbo"]["value"], x)
        facts |= {} if bits is None else {"bits_per_dimension": bits}
    if others is not None:
        facts["outside"] = _outside(vae, others, args.k, args.seed, columns["negative_log_px"])
    if not exact:
        facts |= _latents(vae, x, args.k, args.seed, facts["likelihood"])
    if embedded and hasattr(vae, "transform"):
        facts |= _factors(vae, args.seed)
    if output is not None:
        write(output, {"scores": np.stack(list(columns.values()), axis=1), **columns}, list(columns))
    if picture is not None:
        names = facts["factor_matrix"]
        what = f"{title(vae, read.name)}: factors by latents"
        write(picture, {"": x}, (), lambda plots: plots.titled(plots.factor_matrix(list(names.values()), names), what))
    written = [str(path) for path in (output, picture) if path is not None]
    if args.json:
        print(json.dumps(facts, indent=2))
    else:
        print(*in_words(facts, vae), *([f"wrote {' and '.join(written)}"] if written else []), sep="\n")
    return 0


def _columns(vae: Any, data: Any, x: NDArray, k: int, seed: int) -> dict[str, NDArray]:
    """What is known of every row of the data, which the model sees as x."""
    if hasattr(vae, "log_prob"):
        return {"negative_log_px": -vae.log_prob(data)}
    estimate = vae.log_likelihood(data, k, seed, _Progress(len(x)))
    kl = None if hasattr(vae.model_, "prior") else vae.elbo_terms(data, random_state=seed)["kl"]
    rows = evaluation.decompose_rows(vae.model_, vae.theta_, x, estimate, kl)
    return {
        "negative_log_px": -rows["log_px"],
        "negative_elbo": -rows["elbo"],
        **{name: rows[name] for name in ("reconstruction", "kl", "gap")},
        "standard_error": estimate.standard_error,
        "effective_samples": estimate.effective_samples,
        "reliable": estimate.reliable.astype(np.float64),
    }


def _others(vae: Any, path: str, rows: slice | None, seed: int, choice: Selection) -> Any:
    x = read_data(path, rows=rows, argument="--outside", choice=choice, model=vae).given
    with _blamed_on("--outside"):
        vae.prepare(x, seed)  # refuses what cannot be before the work begins
    return x


@contextmanager
def _blamed_on(option: str) -> Iterator[None]:
    """An error that names X is one of the data behind this option."""
    try:
        yield
    except ArgumentError as error:
        raise error.about(option) from None


def _outside(vae: Any, x: Any, k: int, seed: int, inside: NDArray) -> dict[str, Any]:
    """How strange others are, and how well that tells them from the rows whose −log p(x) is `inside`."""
    with _blamed_on("--outside"):
        exact = hasattr(vae, "log_prob")
        outside = -(vae.log_prob(x) if exact else vae.log_likelihood(x, k, seed, _Progress(len(x))).log_px)
    typicality = [evaluation.typicality(-scores, -inside) for scores in (inside, outside)]
    return {
        "rows": len(x),
        "negative_log_px": _plain(evaluation.mean_with_error(outside)),
        "auroc": {"negative_log_px": evaluation.auroc(inside, outside), "typicality": evaluation.auroc(*typicality)},
    }


def _means(columns: dict[str, NDArray]) -> dict[str, Any]:
    nats = ("negative_log_px", "negative_elbo", "reconstruction", "kl", "gap")
    means = {name: _plain(evaluation.mean_with_error(columns[name])) for name in nats if name in columns}
    if "reliable" not in columns:
        return means
    effective, reliable = columns["effective_samples"], columns["reliable"]
    return {**means, "effective_samples_median": float(np.median(effective)), "reliable_rows": int(reliable.sum())}


def _plain(mean: evaluation.Mean) -> dict[str, float | None]:
    """For JSON, which has no NaN."""
    return {name: value if isfinite(value) else None for name, value in mean._asdict().items()}


def _latents(vae: Any, x: NDArray, k: int, seed: int, likelihood: bool) -> dict[str, Any]:
    """Units in use; without them, given a likelihood, and in parts, where the posterior's units are independent."""
    model, theta = vae.model_, vae.theta_
    if len(x) == 1:
        return {}  # what varies between rows cannot be told from one
    known = hasattr(model, "prior")
    activity = evaluation.activity(model, theta, x) if known else vae.transform(vae.scaling_.inverse(x)).var(axis=0)
    active = evaluation.active_units(activity)
    facts: dict[str, Any] = {"activity": activity.tolist(), "active_units": np.flatnonzero(active).tolist()}
    if not known or not hasattr(model.posterior, "kl_terms"):
        return facts
    facts["kl_per_unit"] = evaluation.kl_per_unit(model, theta, x).tolist()
    if likelihood and not active.all():
        draws = min(k, PRUNING_DRAWS)
        change = evaluation.prune(model, theta, x, active, seed, k=draws).change()
        facts["pruning"] = {"k": draws, **_plain(change)}
    paired = x[:PAIRED_ROWS]
    parts = evaluation.decompose_kl(model, theta, paired, seed)
    facts["kl_parts"] = {"rows": len(paired)} | {name: _plain(mean) for name, mean in parts._asdict().items()}
    return facts


def _factors(vae: Any, seed: int) -> dict[str, Any]:
    digits = datasets.digits(FACTOR_ROWS, seed=1)
    z = vae.transform(vae.prepare(digits.x, seed))
    matrix = evaluation.factor_matrix(z, digits.factors)
    facts = {"factor_rows": len(z), "factor_matrix": dict(zip(digits.factors, matrix.tolist(), strict=True))}
    return facts | ({"mig": evaluation.mig(matrix)} if z.shape[1] > 1 else {})


class _Progress:
    """Rows done and time left, in a line that lives on a terminal, and nothing anywhere else."""

    def __init__(self, n: int) -> None:
        self.n, self.started, self.stream = n, perf_counter(), sys.stderr

    def __call__(self, done: int) -> None:
        if not self.stream.isatty():
            return
        minutes, seconds = divmod(round((perf_counter() - self.started) * (self.n - done) / done), 60)
        line = f"{done:,} of {self.n:,} rows | {minutes}:{seconds:02} left" if done < self.n else ""
        with suppress(OSError):
            self.stream.write(f"\r{line}\033[K")
            self.stream.flush()
