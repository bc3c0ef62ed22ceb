"""A training run as a file, to go on from."""

from __future__ import annotations

from pathlib import Path

from npvae import storage
from npvae.optimizers import OptimizerState
from npvae.parameters import Parameters
from npvae.training.history import History
from npvae.training.run import TrainingRun

__all__ = ["load_checkpoint", "save_checkpoint"]


def save_checkpoint(path: str | Path, run: TrainingRun) -> None:
    """Write a run, moments and history included. An older file at `path` is replaced in one move."""
    header = {
        "kind": "checkpoint",
        "seed": run.seed,
        "epoch": run.epoch,
        "steps": run.optimizer_state.t,
        "history": dict(run.history),
        "best_epoch": run.best_epoch,
    }
    arrays = {f"theta.{name}": array for name, array in run.theta.items()}
    arrays |= {f"slot.{name}": slot for name, slot in run.optimizer_state.slots.items()}
    if run.best is not None:
        arrays |= {f"best.{name}": array for name, array in run.best.items()}
    storage.save(path, header, arrays)


def load_checkpoint(path: str | Path) -> TrainingRun:
    """Read what `save_checkpoint` wrote; `npvae.training.train` takes it as its `start`.

    Raises
    ------
    StorageError
        If the file is damaged or no checkpoint.
    """
    header, arrays = storage.load(path)
    if header.get("kind") != "checkpoint":
        raise storage.StorageError(f"{path}: expected a checkpoint, got {header.get('kind', 'another file')!r}")

    def group(prefix: str) -> dict:
        return {name[len(prefix) :]: array for name, array in arrays.items() if name.startswith(prefix)}

    theta, best = group("theta."), group("best.")
    dtype = next(iter(theta.values())).dtype
    return TrainingRun(
        Parameters.from_arrays(theta, dtype),
        OptimizerState(header["steps"], group("slot.")),
        header["seed"],
        header["epoch"],
        History(header["history"]),
        Parameters.from_arrays(best, dtype) if best else None,
        header["best_epoch"],
    )
