"""The folder of a training run: made and locked for one process, and never with files of two runs in it."""

from __future__ import annotations

import argparse
import csv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from npvae import storage, training
from npvae.cli.pictures import PICTURES
from npvae.files import InUseError, clear_leftovers, locked, replacing

__all__ = ["CHECKPOINT", "HISTORY", "MODEL", "checkpoints_in", "earlier_files", "require_one_run", "run_folder"]

MODEL, HISTORY, CHECKPOINT = "model.npz", "history.csv", "checkpoint.npz"

FREE = "npvae-run"
"""The folder that is taken without --output; with a number behind it where that exists."""


@contextmanager
def run_folder(args: argparse.Namespace) -> Iterator[Path]:
    """The folder for the results, alone with this process, and writable; removed in the end if nothing is in it.

    An error in one line if it cannot be had, or holds an earlier run and the arguments do not say what to do with it.
    """
    folder, made = _made(args)
    try:
        with locked(folder):
            clear_leftovers(folder)
            try:
                _require_free(folder, args)
                with replacing(folder / ".writable"):  # fails now, not after the training
                    pass
                (folder / ".writable").unlink()
                yield folder
            finally:
                with suppress(OSError):  # not empty: what the run has left is kept
                    for path in made:
                        path.rmdir()
    except InUseError as error:
        raise InUseError(f"--output: {error}; give another folder, or wait for the end of that training") from None


def _made(args: argparse.Namespace) -> tuple[Path, list[Path]]:
    """The folder, and the folders that were made just now, from the innermost."""
    if args.output == "":
        raise ValueError("--output must name a folder, got ''")
    if args.output is None:
        if args.resume:
            raise ValueError("--resume needs the run's folder: give --output")
        return _free_folder()
    folder = Path(args.output)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"--output must be a folder, got the file {str(folder)!r}")
    if args.resume:
        _require_checkpoint(folder)
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    return folder, made


def _free_folder() -> tuple[Path, list[Path]]:
    """A folder that was not there before: of several processes each makes another one."""
    for i in range(1, 10_000):
        folder = Path(FREE + (f"-{i}" if i > 1 else ""))
        with suppress(FileExistsError):
            folder.mkdir()
            return folder, [folder]
    raise FileExistsError(f"{FREE} to {folder} exist: give --output")


def _require_free(folder: Path, args: argparse.Namespace) -> None:
    """An error if there is an earlier run that is neither to be replaced nor to go on, or none to go on with."""
    if args.resume:
        _require_checkpoint(folder)
    earlier = [folder / name for name in (MODEL, CHECKPOINT, HISTORY) if (folder / name).exists()]
    if earlier and not (args.overwrite or args.resume):
        raise FileExistsError(f"{earlier[0]} exists: give another --output, or --overwrite, or --resume")


def _require_checkpoint(folder: Path) -> None:
    if not any(path.exists() for path in checkpoints_in(folder)):
        raise FileNotFoundError(f"--resume finds no {folder / CHECKPOINT}")


def checkpoints_in(folder: Path) -> tuple[Path, Path]:
    """The two generations of checkpoints."""
    return folder / CHECKPOINT, training.previous_generation(folder / CHECKPOINT)


def earlier_files(folder: Path) -> list[Path]:
    """What an earlier run leaves beside its checkpoints, the model first."""
    return [folder / name for name in (MODEL, HISTORY, *(f"{name}.png" for name in PICTURES))]


def require_one_run(folder: Path, run: training.TrainingRun) -> None:
    """A ValueError if the model or the history in the folder is of another run than that of the checkpoint."""
    others = []
    if run.identity:
        with suppress(storage.StorageError, FileNotFoundError):  # a damaged model is made anew in the end
            others += [MODEL] * (storage.load(folder / MODEL)[0].get("run", run.identity) != run.identity)
        with suppress(FileNotFoundError):
            told, known = _seconds(folder / HISTORY), run.history.get("seconds", [])
            others += [HISTORY] * any(a != b for a, b in zip(told, known, strict=False))
    if others:
        files = " and ".join(str(folder / name) for name in others)
        raise ValueError(f"--resume: {files} belong to another run than {folder / CHECKPOINT}: move them away first")


def _seconds(path: Path) -> list[float]:
    """The column of a history that no two runs have in common; [] if it has none that can be read."""
    with suppress(csv.Error, KeyError, TypeError, ValueError), open(path, newline="", encoding="utf-8") as file:
        return [float(row["seconds"]) for row in csv.DictReader(file)]
    return []
