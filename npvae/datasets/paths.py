"""Where files are: the first question to a path, and the folder of fetched data."""

from __future__ import annotations

import os
from pathlib import Path


def existing_file(path: str | os.PathLike[str], argument: str = "path") -> Path:
    """Return `path` as a Path to an existing file.

    Raises
    ------
    FileNotFoundError
        If there is nothing at `path`.
    IsADirectoryError
        If it is a folder.
    """
    file = Path(path)
    if file.is_dir():
        raise IsADirectoryError(f"{argument} must name a file, got the folder {file}")
    if not file.exists():
        raise FileNotFoundError(f"{argument} must name an existing file, got {file}")
    return file


def cache_folder() -> Path:
    """Return the folder of fetched files: NPVAE_CACHE, or `npvae` in XDG_CACHE_HOME or else in ~/.cache."""
    own = os.environ.get("NPVAE_CACHE")
    if own:
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "npvae"
