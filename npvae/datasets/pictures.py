"""Pictures from a folder: PNG and JPEG, grey or in colour, a folder a class."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from npvae import memory
from npvae.datasets.parts import BESIDE
from npvae.validation import ArgumentError, widths

__all__ = ["Size", "read_pictures"]

ENDINGS = (".png", ".jpg", ".jpeg")

Size = tuple[int, int]
"""Height and width."""

DEEP = ("I;16", "I;16B", "I;16L", "I", "F")
"""Modes of pictures of more than eight bits."""


def read_pictures(
    folder: str | os.PathLike[str],
    size: Size | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Read all pictures of a folder in the order of their names, or those of its folders, each of which is a class.

    One picture after the other is decoded into one array of bytes. Hidden files and others than .png, .jpg and .jpeg
    are passed over; a channel of opacity is left out. Needs Pillow, which comes with the extra `plots`.

    Parameters
    ----------
    folder : str or path
    size : (height, width), optional
        To which every picture is brought; without it they have to be of one size.
    progress : callable, optional
        Called with how many pictures are read, and how many there are.

    Returns
    -------
    pictures : (n, h, w) or (n, h, w, 3) uint8 array
        Grey if all are grey, whatever their file says.
    labels : (n,) int array or None
        The number of each picture's folder, counted from 0 in the order of their names.

    Raises
    ------
    ValueError
        If there is no picture, one cannot be read, or their sizes differ; it is named.
    """
    files, labels = _files(Path(folder))
    wanted = None if size is None else _checked(size)
    pictures: np.ndarray | None = None
    for i, picture in enumerate(_decoded(files, wanted)):
        if pictures is None:
            memory.require(str(folder), (1 + BESIDE) * len(files) * picture.size)
            pictures = np.empty((len(files), *picture.shape), np.uint8)
        if picture.shape[:2] != pictures.shape[1:3]:
            (h, w), (got_h, got_w) = pictures.shape[1:3], picture.shape[:2]
            rule = f"{files[i]} must have {h} x {w} pixels (h x w) like {files[0].name}, got {got_h} x {got_w}"
            raise ValueError(f"{rule}; a size of {h},{w} (--size {h},{w}) brings all to one")
        if picture.ndim > pictures.ndim - 1:  # the first one in colour: those before it become colour as well
            pictures = np.repeat(pictures[..., None], 3, axis=-1)
        pictures[i] = picture if picture.ndim == pictures.ndim - 1 else picture[..., None]
        if progress is not None:
            progress(i + 1, len(files))
    return pictures, labels


def _files(folder: Path) -> tuple[list[Path], np.ndarray | None]:
    def pictures(place: Path) -> list[Path]:
        return sorted(f for f in place.iterdir() if f.suffix.lower() in ENDINGS and f.name[0] != "." and f.is_file())

    if files := pictures(folder):
        return files, None
    classes = sorted(place for place in folder.iterdir() if place.is_dir() and place.name[0] != ".")
    found = [(file, label) for label, place in enumerate(p for p in classes if pictures(p)) for file in pictures(place)]
    if not found:
        raise ValueError(f"{folder} must have .png, .jpg or .jpeg files, or folders of them, got a folder without any")
    files, labels = zip(*found, strict=True)
    return list(files), np.array(labels)


def _checked(size: Size) -> Size:
    sides = widths("size", size)
    if len(sides) != 2:
        raise ArgumentError("size", "be a height and a width", repr(size))
    return sides


def _decoded(files: list[Path], size: Size | None) -> Iterator[np.ndarray]:
    """One picture after the other, (h, w) where it is grey and (h, w, 3) where it is not, of bytes."""
    try:
        from PIL import Image
    except ImportError:
        raise ImportError('reading pictures needs Pillow: pip install "npvae[plots]"') from None
    for file in files:
        try:
            with Image.open(file, formats=("PNG", "JPEG")) as image:
                if image.mode in DEEP:
                    deep = np.asarray(image, dtype=np.float64)
                    image = Image.fromarray((deep / max(deep.max(), 65535) * 255).round().astype(np.uint8))
                image = image.convert("L" if image.mode in ("1", "L", "LA") else "RGB")
                if size is not None and image.size != size[::-1]:
                    image = image.resize(size[::-1], Image.Resampling.LANCZOS)
                pixels = np.array(image, dtype=np.uint8)
        except Exception as error:  # a damaged file makes the decoder raise almost anything
            raise ValueError(f"{file} cannot be read as a picture: {error}") from None
        if pixels.ndim == 3 and (pixels[..., :1] == pixels[..., 1:]).all():
            pixels = pixels[..., 0]
        yield pixels
