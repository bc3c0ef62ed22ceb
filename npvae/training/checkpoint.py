"""A training run as a file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae import storage
from npvae.optimizers import OptimizerState
from npvae.parameters import Parameters
from npvae.training.history import History
from npvae.training.run import TrainingRun
from npvae.validation import integer


def save_checkpoint(path: str | Path, run: TrainingRun) -> None:
    """Write a run, moments and history included. An older file at `path` is replaced in one move."""
    header = {
        "kind": "checkpoint",
        "seed": run.seed,
        "epoch": run.epoch,
        "steps": run.optimizer_state.t,
        "terms": run.history.to_header(),
        "best_epoch": run.best_epoch,
        "stopped": run.stopped,
        "settings": run.settings,
        "has_state": run.state is not None,
    }
    groups = {
        "theta": run.theta,
        "slot": run.optimizer_state.slots,
        "best": run.best or {},
        "state": run.state or {},
        "history": run.history.to_arrays(),
    }
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
    groups: dict[str, dict[str, NDArray]] = {"theta": {}, "slot": {}, "best": {}, "state": {}, "history": {}}
    for name, array in arrays.items():
        group, _, rest = name.partition(".")
        groups[group][rest] = array
    theta_group, slots, best, state = (groups[group] for group in ("theta", "slot", "best", "state"))
    dtype = _common_dtype([*theta_group.values(), *slots.values(), *best.values()])
    theta = Parameters.from_arrays(theta_group, dtype)
    if not np.isfinite(theta.flat).all():
        raise ValueError("theta should be finite")
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
    return TrainingRun(
        theta,
        OptimizerState(counts.pop("steps"), slots),
        history=history,
        best=Parameters.from_arrays(best, dtype) if best else None,
        stopped=str(header.get("stopped", "")),
        settings=dict(header["settings"]),
        state=state if state or header.get("has_state") else None,
        **counts,
    )


def _common_dtype(arrays: Sequence[NDArray]) -> np.dtype:
    dtypes = {array.dtype for array in arrays}
    if dtypes not in ({np.dtype(np.float32)}, {np.dtype(np.float64)}):
        raise ValueError(f"all arrays must be float32 or all float64, got {', '.join(map(str, dtypes)) or 'none'}")
    return dtypes.pop()
