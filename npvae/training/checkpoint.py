"""A training run as a file."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae import storage
from npvae.files import clear_leftovers, temporary_name
from npvae.optimizers import OptimizerState
from npvae.parameters import Parameters
from npvae.training.history import History
from npvae.training.run import ENDS, TrainingRun, Within
from npvae.training.term_sums import TermSums
from npvae.validation import ArgumentError, integer, number, one_of

LEAST_PAUSE = 50
"""Times that writing a checkpoint takes, between two that are due by the clock: so they cost less than 2 %."""

UNITS = {"s": ("seconds", 1.0), "m": ("seconds", 60.0), "h": ("seconds", 3600.0), "": ("epochs", 1.0)}
UNITS |= {"epochs": ("epochs", 1.0), "epoch": ("epochs", 1.0), "steps": ("steps", 1.0), "step": ("steps", 1.0)}


class Checkpoints:
    """A callback that keeps the newest two checkpoints of a training, so that a kill costs little of it.

    One is written when it is due, also amid an epoch, and in any case where the training ends. The file before it stays
    beside it under the name of `previous_generation`, for `load_newest`.

    Parameters
    ----------
    path : str or path
    every : str, default "5s"
        "30s", "5m" or "2h" of time, though never so often that it costs more than 2 % of it; "1" or "10 epochs"; or
        "1000 steps".
    goes_on : bool
        Whether a checkpoint that is at `path` already is one of the same run, to be kept as the previous generation.
    replaces : sequence of path
        What else an earlier run has left, which is removed before the first checkpoint takes the place of its own: so
        files of two runs never lie beside each other, whenever the process is killed.

    Raises
    ------
    ArgumentError
        If `every` is none of these.
    """

    def __init__(
        self, path: str | Path, every: str = "5s", goes_on: bool = False, replaces: Sequence[Path] = ()
    ) -> None:
        self.path, self._goes_on, self._replaces = Path(path), goes_on, tuple(replaces)
        self._unit, self._every = _interval(every)
        self._began, self._cost = perf_counter(), 0.0
        self._kept: tuple[int, int] | None = None
        self._from: tuple[int, int] | None = None  # epoch and step from which to count

    @property
    def has_written(self) -> bool:
        """Whether the checkpoint at `path` is of this run."""
        return self._goes_on

    def __call__(self, run: TrainingRun) -> None:
        """After an epoch: write if it is time, or if there is none yet."""
        self._from = self._from or (run.epoch - 1, 0)
        counted = self._unit == "epochs" and run.epoch - self._from[0] >= self._every
        if counted or self.due(run) or (self._kept is None and self._unit == "seconds"):
            self.save(run)

    def due(self, run: TrainingRun) -> bool:
        """Whether it is time for the next one, by the clock or the count of steps."""
        if self._unit == "seconds":
            return perf_counter() - self._began >= max(self._every, LEAST_PAUSE * self._cost)
        self._from = self._from or (run.epoch, max(run.optimizer_state.t - 1, 0))
        return self._unit == "steps" and run.optimizer_state.t - self._from[1] >= self._every

    def save(self, run: TrainingRun) -> None:
        """Write, and keep the file before as the previous generation."""
        began, before = perf_counter(), previous_generation(self.path)
        try:
            if not self._goes_on:
                for file in (*self._replaces, before):
                    file.unlink(missing_ok=True)
            elif self.path.exists():
                _second_name(self.path, before)
            save_checkpoint(self.path, run)
        except OSError as error:
            kept = self._kept is not None or self._goes_on
            advice = "the checkpoint before it is whole, and a resumed run (--resume) goes on from there"
            wrong = f"{error.strerror or error}; {advice}" if kept else error.strerror or str(error)
            raise OSError(error.errno, wrong, str(self.path)) from error
        self._goes_on = True
        self._kept = self._from = (run.epoch, run.optimizer_state.t)
        self._began = perf_counter()
        self._cost = self._began - began

    def save_unless_kept(self, run: TrainingRun) -> None:
        """Write where the training ends, unless the newest checkpoint is of there."""
        if run.optimizer_state.t and self._kept != (run.epoch, run.optimizer_state.t):
            self.save(run)


def _interval(text: str) -> tuple[str, float]:
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]*)\s*", str(text))
    if match is None or match[2] not in UNITS or float(match[1]) == 0:
        raise ArgumentError("every", "be a time such as 30s or 5m, or a number of epochs or steps", repr(text))
    unit, factor = UNITS[match[2]]
    return unit, float(match[1]) * factor


def _second_name(path: Path, other: Path) -> None:
    """Have `other` name the file at `path` as well, in place of whatever it named."""
    clear_leftovers(other.parent, other)
    beside = temporary_name(other)
    try:
        os.link(path, beside)
    except OSError:  # a file system without links: for a moment there is the previous generation alone
        os.replace(path, other)
    else:
        os.replace(beside, other)


def save_checkpoint(path: str | Path, run: TrainingRun) -> None:
    """Write a run, moments and history included. An older file at `path` is replaced in one move."""
    groups = {
        "theta": run.theta,
        "slot": run.optimizer_state.slots,
        "best": run.best or {},
        "state": run.state or {},
        "history": run.history.to_arrays(),
    }
    arrays = {f"{group}.{name}": array for group, held in groups.items() for name, array in held.items()}
    storage.save(path, _header(run), arrays)


def _header(run: TrainingRun) -> dict[str, Any]:
    return {
        "kind": "checkpoint",
        "run": run.identity,
        "seed": run.seed,
        "epoch": run.epoch,
        "steps": run.optimizer_state.t,
        "terms": run.history.to_header(),
        "best_epoch": run.best_epoch,
        "stopped": run.stopped,
        "settings": run.settings,
        "has_state": run.state is not None,
        "within": None if run.within is None else run.within._asdict() | {"sums": run.within.sums.to_header()},
    }


def previous_generation(path: str | Path) -> Path:
    """Where `Checkpoints` keeps the checkpoint before the one at `path`."""
    path = Path(path)
    return path.with_name(f"{path.stem}-previous{path.suffix}")


def load_newest(path: str | Path) -> tuple[TrainingRun, str]:
    """Read the checkpoint at `path`, or if it is damaged or lost the one before it.

    Returns
    -------
    run : TrainingRun
    note : str
        What is wrong with the newest, and which one was read; "" if it was the newest.

    Raises
    ------
    FileNotFoundError, StorageError
        What is wrong with the newest, if there is no other one to read.
    """
    try:
        return load_checkpoint(path), ""
    except (storage.StorageError, FileNotFoundError) as error:
        before = previous_generation(path)
        try:
            run = load_checkpoint(before)
        except (storage.StorageError, OSError):
            raise error from None
        return run, f"{error}; going on from {before}, after {run.epoch} epochs"


def load_checkpoint(path: str | Path) -> TrainingRun:
    """Read what `save_checkpoint` wrote; `npvae.training.train` takes it as its `start`.

    Raises
    ------
    StorageError
        If the file is damaged, no checkpoint, or its parts do not fit each other.
    """
    header, arrays = storage.load(path)
    if header.get("kind") != "checkpoint":
        raise storage.StorageError(f"{path}: expected a checkpoint, got {header.get('kind', 'another file')!r}")
    try:
        return _restore(header, arrays)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        raise storage.StorageError(f"{path}: the header does not describe a checkpoint: {error}") from None


def _restore(header: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> TrainingRun:
    groups: dict[str, dict[str, NDArray]] = {"theta": {}, "slot": {}, "best": {}, "state": {}, "history": {}}
    for name, array in arrays.items():
        group, _, rest = name.partition(".")
        groups[group][rest] = array
    theta_group, slots, best, state = (groups[group] for group in ("theta", "slot", "best", "state"))
    dtype = _common_dtype([*theta_group.values(), *slots.values(), *best.values()])
    theta = Parameters.from_arrays(theta_group, dtype)
    if not np.isfinite(theta.flat).all():
        raise ValueError("theta should be finite")
    for name, array in [*slots.items(), *best.items(), *state.items()]:
        if array.dtype.kind == "c" or not np.isfinite(array).all():
            raise ValueError(f"{name} should hold finite real numbers")
    for name, slot in slots.items():
        if slot.shape != theta.flat.shape:
            raise ValueError(f"slot.{name} should have shape {theta.flat.shape}, got {slot.shape}")
    if best and {name: array.shape for name, array in best.items()} != theta.shapes:
        raise ValueError("best and theta should have the same shapes")
    counts = {name: integer(name, header[name], at_least=0) for name in ("steps", "seed", "epoch", "best_epoch")}
    if counts["best_epoch"] > counts["epoch"] or bool(best) != bool(counts["best_epoch"]):
        raise ValueError(f"best_epoch should be that of the best parameters, got {counts['best_epoch']}")
    # The first format had the history in the header, and nothing of its terms.
    columns = header["history"] if "history" in header else groups["history"]
    history = History.from_file(columns, header.get("terms", {}))
    if history.n_rows != counts["epoch"]:
        raise ValueError(f"history should have a row for each of the {counts['epoch']} epochs, got {history.n_rows}")
    run = TrainingRun(
        theta,
        OptimizerState(counts.pop("steps"), slots),
        history=history,
        best=Parameters.from_arrays(best, dtype) if best else None,
        stopped=one_of("stopped", header.get("stopped", ""), dict.fromkeys(ENDS, header.get("stopped", ""))),
        settings=dict(header["settings"]),
        within=_within(header.get("within"), counts["epoch"]),
        state=state if state or header.get("has_state") else None,
        identity=identity(header),
        **counts,
    )
    require_same_header(header, _header(run))
    return run


def require_same_header(told: Mapping[str, Any], understood: Mapping[str, Any]) -> None:
    """A ValueError that names an entry of a file's header of which something else was understood than it tells."""
    for name, value in told.items():
        if name == "history":  # which the first format had in the header
            continue
        if name not in understood:
            raise ValueError(f"it has an entry {name!r:.60} that is not known here")
        if isinstance(value, dict) and isinstance(understood[name], Mapping) and "history" in value:
            require_same_header(value, understood[name])
        elif json.dumps(value, sort_keys=True) != json.dumps(understood[name], sort_keys=True):
            raise ValueError(f"{name} cannot be {json.dumps(value):.60}")


def identity(header: Mapping[str, Any]) -> str:
    """The identity of the run that the header of a model or of a checkpoint tells; older files know of none."""
    told = header.get("run", "")
    if not isinstance(told, str) or not re.fullmatch("[0-9a-f]{0,64}", told):
        raise ValueError(f"run should be the identity of a run, got {told!r:.60}")
    return told


def _within(entry: Mapping[str, Any] | None, epoch: int) -> Within | None:
    if entry is None:
        return None
    counts = {name: integer(name, entry[name], at_least=1) for name in ("batches", "batch_size", "n_rows")}
    if counts["batches"] * counts["batch_size"] >= counts["n_rows"] + counts["batch_size"]:
        raise ValueError(f"within should stand amid epoch {epoch + 1}, got {counts['batches']} batches")
    return Within(**counts, seconds=number("seconds", entry["seconds"]), sums=TermSums.from_header(entry["sums"]))


def _common_dtype(arrays: Sequence[NDArray]) -> np.dtype:
    dtypes = {array.dtype for array in arrays}
    if dtypes not in ({np.dtype(np.float32)}, {np.dtype(np.float64)}):
        raise ValueError(f"all arrays must be float32 or all float64, got {', '.join(map(str, dtypes)) or 'none'}")
    return dtypes.pop()
