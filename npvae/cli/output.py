"""Results into files, by the ending of the name."""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from npvae.files import replacing

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["PICTURES", "check_output", "write"]

PICTURES = (".png", ".svg", ".pdf")
TABLES = (".npy", ".npz", ".csv")


def check_output(path: str | Path, picture: bool = True) -> Path:
    """`path` as a Path, if its ending is known and its folder can be written; to be called before any work is done."""
    path = Path(path)
    endings = TABLES + (PICTURES if picture else ())
    if path.suffix.lower() not in endings:
        raise ValueError(f"output must end in {', '.join(endings)}, got {str(path)!r}")
    if path.is_dir():
        raise IsADirectoryError(f"output must be a file, got the folder {str(path)!r}")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"output must lie in a folder that exists, got {str(path)!r}")
    if not os.access(path.parent, os.W_OK):
        raise PermissionError(f"output must lie in a folder that can be written, got {str(path)!r}")
    return path


def write(
    path: Path, arrays: Mapping[str, NDArray], columns: Sequence[str], picture: Callable[[], Axes] | None = None
) -> None:
    """Write a result.

    Parameters
    ----------
    path : Path
        Its ending decides: .npy holds the first array, .npz all of them, .csv the first as a table with a header,
        anything else the picture.
    arrays : mapping of str to array
    columns : sequence of str
        Header of the table.
    picture : callable, optional
        Draws the picture.
    """
    ending = path.suffix.lower()
    first = next(iter(arrays.values()))
    if ending in PICTURES:
        from npvae import plots

        plots.save(picture(), path)
        return
    with replacing(path) as temporary:
        if ending == ".npy":
            np.save(temporary, first)
        elif ending == ".npz":
            np.savez(temporary, **arrays)
        else:
            with open(temporary, "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(columns)
                writer.writerows(first.reshape(len(first), -1).tolist())
