"""A training in legs: a run may begin with the mean of an ended one, of another k or rate, whose settings it keeps."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from benchmarks.quality.long_run import Trained, earlier_run
from npvae.parameters import Parameters

__all__ = ["BOUNDS", "add_start", "begin", "legs", "told"]

BOUNDS = {"dreg": ("stl", "dreg"), "plain": ("elbo", "iwae")}
"""The model's bound by the gradient's name: with one sample, and with more."""

GRADIENTS = {"stl": "path gradient", "dreg": "DReG gradient", "elbo": "analytic KL", "iwae": "plain gradient"}


def add_start(parser: argparse.ArgumentParser) -> None:
    """The option that `begin` follows."""
    says = "begin with the mean of an ended run with any k, its training.npz; give another --work, and a lower --rate"
    parser.add_argument("--start", type=Path, metavar="FILE", help=says)


def begin(drawn: Parameters, path: Path | None, settings: Mapping[str, Any]) -> tuple[Parameters, dict[str, Any]]:
    """Where a run begins, and its settings: with an earlier run at `path`, its mean, and its settings as "before"."""
    if path is None:
        return drawn, dict(settings)
    before = earlier_run(path)
    took = {"epochs": before.run.epoch, "seconds": round(before.seconds, 1)}
    return before.mean, {**settings, "before": {**before.run.settings["settings"], **took}}


def legs(settings: Mapping[str, Any], trained: Trained) -> list[Mapping[str, Any]]:
    """The settings of every leg, each with its "epochs" and "seconds", from the first to the one that is `trained`."""
    last = {**settings, "epochs": trained.run.epoch, "seconds": trained.seconds}
    return [*_before(settings), last]


def _before(settings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if "before" not in settings:
        return []
    return [*_before(settings["before"]), settings["before"]]


def told(parts: Sequence[Mapping[str, Any]]) -> str:
    """How many epochs with which k and gradient, in words; legs of one kind that follow each other are one."""
    kinds = [
        (*kind, sum(part["epochs"] for part in same))
        for kind, same in groupby(parts, key=lambda part: (part["k"], part["bound"]))
    ]
    words = [f"{epochs} epochs by the {GRADIENTS[bound]}" for _, bound, epochs in kinds]
    if len(kinds) == 1:
        return words[0]
    return ", then ".join(f"{of_kind} with k = {k}" for of_kind, (k, _, _) in zip(words, kinds, strict=True))
