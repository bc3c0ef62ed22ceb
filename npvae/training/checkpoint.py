"""A training run as a file, to go on from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae import storage
from npvae.optimizers import OptimizerState
from npvae.parameters import Parameters
from npvae.training.run import History, TrainingRun
from npvae.validation import integer


def save_checkpoint(path: str | Path, run: TrainingRun) -> None:
    """Write a run, moments and history included. An older file at `path` is replaced in one move."""
    header = {
        "kind": "checkpoint",
        "seed": run.seed,
        "epoch": run.epoch,
        "steps": run.optimizer_state.t,
        "history": dict(run.history),
        "best_epoch": run.best_epoch,
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
    return TrainingRun(theta, state, history=history, best=kept, settings=dict(header["settings"]), **counts)
