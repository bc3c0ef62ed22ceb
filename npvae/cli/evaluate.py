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

TRUSTED = 2
"""Median effective sample size below which L_k is said to be far below log p(x)."""

GREY = (
    "grey pixels have no log-likelihood under a Bernoulli: npvae score has their cross-entropy, and a model of "
    "npvae train --binarize dynamic their likelihood made binary"
)

FEW_ROWS = 5000
"""Rows below which the parts of the KL are called biased: a mixture of few rows is no q(z)."""


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
    vae = load_with(args.model, "log_likelihood", "prepare")
    rows = slice(0, DIGITS) if embedded and args.rows is None else args.rows
    choice = selection(args)
    read = read_data(args.data, rows=rows, choice=choice, model=vae)
    data = read.given
    x = vae.prepare(data, args.seed)
    others = None if args.outside is None else _others(vae, args.outside, rows, args.seed, choice)
    facts = {"rows": len(x), "k": args.k, "seed": args.seed}
    facts["made_binary"] = is_binary(x) and not is_binary(read.x)
    facts["likelihood"] = vae.model_.likelihood.is_density(x)
    # What cannot do without a likelihood lets log_likelihood say why there is none.
    if facts["likelihood"] or output is not None or others is not None:
        columns = _columns(vae, data, x, args.k, args.seed)
        facts |= _means(columns)
        if (bits := vae.bits_per_dimension(facts["negative_elbo"]["value"], x)) is not None:
            facts["bits_per_dimension"] = bits
    if others is not None:
        facts["outside"] = _outside(vae, others, args.k, args.seed, columns["negative_log_px"])
    facts |= _latents(vae, x, args.k, args.seed, facts["likelihood"])
    if embedded:
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
        print(*_lines(facts), *([f"wrote {' and '.join(written)}"] if written else []), sep="\n")
    return 0


def _columns(vae: Any, data: Any, x: NDArray, k: int, seed: int) -> dict[str, NDArray]:
    """What is known of every row of the data, which the model sees as x."""
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
        outside = -vae.log_likelihood(x, k, seed, _Progress(len(x))).log_px
    typicality = [evaluation.typicality(-scores, -inside) for scores in (inside, outside)]
    return {
        "rows": len(x),
        "negative_log_px": _plain(evaluation.mean_with_error(outside)),
        "auroc": {"negative_log_px": evaluation.auroc(inside, outside), "typicality": evaluation.auroc(*typicality)},
    }


def _means(columns: dict[str, NDArray]) -> dict[str, Any]:
    nats = ("negative_log_px", "negative_elbo", "reconstruction", "kl", "gap")
    means = {name: _plain(evaluation.mean_with_error(columns[name])) for name in nats}
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


def _lines(facts: dict[str, Any]) -> list[str]:
    """The same in words."""
    lines = _likelihood_lines(facts) if facts["likelihood"] else [GREY]
    if facts["made_binary"]:
        lines.insert(0, "grey pixels are made binary first, as in the training")
    if "outside" in facts:
        lines += _outside_lines(facts["outside"], facts["k"])
    if "activity" in facts:
        active = np.zeros(len(facts["activity"]), dtype=bool)
        active[facts["active_units"]] = True
        lines.append(evaluation.collapse_message(active))
    if "pruning" in facts:
        label = f"change of L_{facts['pruning']['k']}"
        lines.append(_line(label, facts["pruning"], "with the prior in the place of the others"))
    if "kl_parts" in facts:
        parts = facts["kl_parts"]
        few = " (few: the first is too small and the second too large)" if parts["rows"] < FEW_ROWS else ""
        lines.append(f"the KL of {parts['rows']:,} rows, by one draw of each, in three parts{few}")
        for name, note in (
            ("kl", "the whole"),
            ("mutual_information", f"I(x; z), at most log {parts['rows']} = {np.log(parts['rows']):.2f}"),
            ("total_correlation", "KL(q(z) ‖ Π q(z_j)), dependence between latents"),
            ("dimension_wise_kl", "Σ KL(q(z_j) ‖ p(z_j)), latents that are not normal"),
        ):
            lines.append(_line(name.replace("_", " "), parts[name], note))
    if "mig" in facts:
        lines.append(f"mutual information gap: {facts['mig']:.3f} ({facts['factor_rows']:,} digits)")
    return lines


def _likelihood_lines(facts: dict[str, Any]) -> list[str]:
    k, n, effective = facts["k"], facts["rows"], facts["effective_samples_median"]
    draws = f"{n:,} row{'s' * (n > 1)}, {k:,} draw{'s' * (k > 1)} of z each"
    trusted = f"{facts['reliable_rows']:,} row{'s' * (facts['reliable_rows'] != 1)} with an error to be trusted"
    lines = [f"{draws}, median effective sample size {effective:,.1f}, {trusted}; nats per row"]
    bits = f"; {facts['bits_per_dimension']:.4f} bits a dimension" if "bits_per_dimension" in facts else ""
    gap = f"L_{k} − ELBO, an estimate of KL(q(z|x) ‖ p(z|x))" if k > 1 else "needs more than one draw"
    for name, label, note in (
        ("negative_log_px", f"−L_{k}", "an estimate of −log p(x)"),
        ("negative_elbo", "−ELBO", f"reconstruction + KL{bits}"),
        ("reconstruction", "reconstruction", "−E log p(x|z)"),
        ("kl", "KL", "KL(q(z|x) ‖ p(z))"),
        ("gap", "gap", gap),
    ):
        lines.append(_line(label, facts[name], note))
    if effective < min(TRUSTED, k / 2):
        lines.append(f"  one draw carries most of the weight: −L_{k} is too high by nats; take more draws")
    return lines


def _outside_lines(outside: dict[str, Any], k: int) -> list[str]:
    n, auroc = outside["rows"], outside["auroc"]
    return [
        f"{n:,} row{'s' * (n > 1)} from outside; the area under the ROC curve: 1 tells all apart, 0.5 is guessing",
        _line(f"−L_{k}", outside["negative_log_px"], "an estimate of −log p(x)"),
        f"  {'area by −L_' + str(k):18}{auroc['negative_log_px']:10.3f}   less likely is outside",
        f"  {'by typicality':18}{auroc['typicality']:10.3f}   farther from the mean of −L_{k} over DATA is outside",
    ]


def _line(label: str, mean: dict[str, float | None], note: str) -> str:
    error = mean["standard_error"]
    return f"  {label:18}{mean['value']:10.3f}{'' if error is None else f' ± {error:.3f}'}   {note}"


class _Progress:
    """Rows done and time left, in a line that lives on a terminal, and nothing anywhere else."""

    def __init__(self, n: int) -> None:
        self.n, self.started, self.stream = n, perf_counter(), sys.stderr

    def __call__(self, done: int) -> None:
        if not self.stream.isatty():
            return
        minutes, seconds = divmod(round((perf_counter() - self.started) * (self.n - done) / done), 60)
        line = f"{done:,} of {self.n:,} rows | {minutes}:{seconds:02} left" if done < self.n else ""
        with suppress(BrokenPipeError):
            self.stream.write(f"\r{line}\033[K")
            self.stream.flush()
