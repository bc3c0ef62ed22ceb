"""The state of a training run, in memory and as a file: all that is known after an epoch, and needed to go on."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae import storage
from npvae.optimizers import Optimizer, OptimizerState
from npvae.parameters import Parameters
from npvae.validation import integer


class History(dict[str, list[float]]):
    """A table of numbers, one row an epoch, read by column: ``history["kl"]`` is a list.

    Columns: "epoch" (from 1), "steps" and "seconds" (from the start of training), "loss" and its terms in nats (mean
    over the epoch's data, each batch at the parameters of its moment), and the same with "val_" in front on held-out
    data (at the parameters after the epoch); "beta" where the weight of the KL is annealed, its mean over the epoch.
    """

    def __init__(self, columns: Mapping[str, list[float]] | None = None) -> None:
        super().__init__({name: list(values) for name, values in (columns or {}).items()})

    def __repr__(self) -> str:
        return f"History({self.n_rows} epochs: {', '.join(self)})"

    @property
    def n_rows(self) -> int:
        """Number of epochs."""
        return max(map(len, self.values()), default=0)

    def append(self, row: Mapping[str, float]) -> None:
        """Add an epoch; every row has the columns of the first."""
        if self and set(row) != set(self):
            raise ValueError(f"row must have the columns {', '.join(self)}, got {', '.join(row)}")
        for name, value in row.items():
            self.setdefault(name, []).append(value)

    def last(self) -> dict[str, float]:
        """The latest epoch, or {} before the first."""
        return {name: values[-1] for name, values in self.items() if values}

    def copy(self) -> History:
        """A copy that grows by itself."""
        return History(self)

    def to_csv(self, path: str | Path) -> None:
        """Write the table with a header line; integers and floats as Python prints them, so nothing is lost."""
        with open(path, "w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file)
            writer.writerow(self)
            writer.writerows(zip(*self.values(), strict=True))


@dataclass
class TrainingRun:
    """A run of the training loop, from its start or from where it stood.

    The random numbers of epoch e come from generators seeded by (seed, e), so (seed, epoch) is their whole state: a run
    that was stopped after an epoch and goes on gives the same parameters, to the bit, as one that never stopped.

    Attributes
    ----------
    theta : Parameters
        The latest, whatever was chosen: with the moments it is where a run goes on from.
    optimizer_state : OptimizerState
        Moments and step count.
    seed : int
        Where the random numbers of all epochs come from.
    epoch, history : int, History
        Epochs completed, and a row for each of them.
    best, best_epoch : Parameters or None, int
        With early stopping: the parameters at the best held-out loss, and its epoch.
    stopped : str
        Why the loop returned: "finished", "early stopping", "interrupted", "callback" or "non-finite loss"; "" before.
    settings : dict
        What else the run depends on, as far as whoever started it has noted it; the loop only passes it on.
    """

    theta: Parameters
    optimizer_state: OptimizerState
    seed: int = 0
    epoch: int = 0
    history: History = field(default_factory=History)
    best: Parameters | None = None
    best_epoch: int = 0
    stopped: str = ""
    settings: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def begin(
        cls, theta: Parameters, optimizer: Optimizer, seed: int, settings: Mapping[str, Any] | None = None
    ) -> TrainingRun:
        """A run before its first epoch, on a copy of theta."""
        return cls(theta.copy(), optimizer.init(theta.flat), seed, settings=dict(settings or {}))

    @property
    def chosen(self) -> Parameters:
        """The parameters to use: with early stopping the best ones, unless the run was cut short; else theta."""
        cut_short = self.stopped in ("interrupted", "non-finite loss")
        return self.theta if self.best is None or cut_short else self.best

    def copy(self) -> TrainingRun:
        """A copy in memory of its own."""
        return replace(
            self,
            theta=self.theta.copy(),
            optimizer_state=self.optimizer_state.copy(),
            history=self.history.copy(),
            best=self.best.copy() if self.best is not None else None,
            settings=dict(self.settings),
        )


class NonFiniteLossError(FloatingPointError):
    """The loss became infinite or NaN, and training stopped.

    `run` is what was trained until then; its `theta` is the last copy, at most 100 steps old, of which it was finite.
    Moments and step count are those of the breakdown, so it is not a run to go on from.
    """

    def __init__(self, message: str, run: TrainingRun) -> None:
        super().__init__(message)
        self.run = run

    def __reduce__(self) -> tuple:
        """For pickle, by which process pools hand errors over: an exception is rebuilt from its message alone."""
        return type(self), (str(self), self.run)


def save_checkpoint(path: str | Path, run: TrainingRun) -> None:
    """Write a run, moments and history included. An older file at `path` is replaced in one move."""
    header = {
        "kind": "checkpoint",
        "seed": run.seed,
        "epoch": run.epoch,
        "steps": run.optimizer_state.t,
        "history": dict(run.history),
        "best_epoch": run.best_epoch,
        "stopped": run.stopped,
        "settings": run.settings,
    }
    groups = {"theta": run.theta, "slot": run.optimizer_state.slots, "best": run.best or {}}
    arrays = {f"{group}.{name}": array for group, held in groups.items() for name, array in held.items()}
    storage.save(path, header, arrays)


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
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise storage.StorageError(f"{path}: the header does not describe a checkpoint: {error}") from None


def _restore(header: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> TrainingRun:
    def group(prefix: str) -> dict[str, NDArray]:
        return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}

    dtypes = {array.dtype for array in arrays.values()}
    if dtypes not in ({np.dtype(np.float32)}, {np.dtype(np.float64)}):
        raise ValueError(f"all arrays must be float32 or all float64, got {', '.join(map(str, dtypes)) or 'none'}")
    dtype = dtypes.pop()
    theta, best, slots = Parameters.from_arrays(group("theta."), dtype), group("best."), group("slot.")
    for name, slot in slots.items():
        if slot.shape != theta.flat.shape:
            raise ValueError(f"slot.{name} should have shape {theta.flat.shape}, got {slot.shape}")
    if best and {name: array.shape for name, array in best.items()} != theta.shapes:
        raise ValueError("best and theta should have the same shapes")
    counts = {name: integer(name, header[name], at_least=0) for name in ("steps", "seed", "epoch", "best_epoch")}
    history = History(header["history"])
    if {len(column) for column in history.values()} - {counts["epoch"]}:
        raise ValueError(f"history should have a row for each of the {counts['epoch']} epochs")
    state = OptimizerState(counts.pop("steps"), slots)
    kept = Parameters.from_arrays(best, dtype) if best else None
    stopped = str(header.get("stopped", ""))
    settings = dict(header["settings"])
    return TrainingRun(theta, state, history=history, best=kept, stopped=stopped, settings=settings, **counts)
