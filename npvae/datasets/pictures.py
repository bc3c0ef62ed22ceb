"""Pictures from a folder: PNG and JPEG, grey or in colour, a folder a class."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from npvae import memory
from npvae.datasets.parts import BESIDE
from npvae.validation import ArgumentError, DataWarning, widths

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["Size", "read_pictures"]

ENDINGS = (".png", ".jpg", ".jpeg")

OTHER_ENDINGS = frozenset([".bmp", ".gif", ".heic", ".tif", ".tiff", ".webp"])
"""Endings of pictures that are not read."""

MOST = 65535
"""The largest pixel of sixteen bits."""

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

    One picture after the other is decoded into one array. Hidden files and others than .png, .jpg and .jpeg are passed
    over; a channel of opacity is left out, which a DataWarning says; pictures of a camera held askew are turned
    upright. Needs Pillow, which comes with the extra `plots`.

    Parameters
    ----------
    folder : str or path
    size : (height, width), optional
        To which every picture is brought; without it they have to be of one size.
    progress : callable, optional
        Called with how many pictures are read, and how many there are.

    Returns
    -------
    pictures : (n, h, w) or (n, h, w, 3) array of uint8, or of uint16 if some file has pixels of sixteen bits
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
    seen_through: list[Path] = []
    for i, picture in enumerate(_decoded(files, wanted, seen_through)):
        if pictures is None:
            memory.require(str(folder), (picture.itemsize + BESIDE) * len(files) * picture.size)
            pictures = np.empty((len(files), *picture.shape), picture.dtype)
        if picture.shape[:2] != pictures.shape[1:3]:
            (h, w), (got_h, got_w) = pictures.shape[1:3], picture.shape[:2]
            rule = f"{files[i]} must have {h} x {w} pixels (h x w) like {files[0].name}, got {got_h} x {got_w}"
            raise ValueError(f"{rule}; a size of {h},{w} (--size {h},{w}) brings all to one")
        if picture.ndim > pictures.ndim - 1:  # the first one in colour: those before it become colour as well
            pictures = np.repeat(pictures[..., None], 3, axis=-1)
        if picture.dtype != pictures.dtype:  # eight bits among sixteen: v/255 = 257 v/65535
            if pictures.dtype == np.uint8:
                pictures = pictures * np.uint16(257)
            else:
                picture = picture * np.uint16(257)
        pictures[i] = picture if picture.ndim == pictures.ndim - 1 else picture[..., None]
        if progress is not None:
            progress(i + 1, len(files))
    _warn(str(folder), pictures, seen_through)
    return pictures, labels


def _warn(folder: str, pictures: np.ndarray, seen_through: list[Path]) -> None:
    """Say what of the files is not in the pictures, or hardly to be seen there."""
    if seen_through:
        remark = f"has pictures that one sees through, such as {seen_through[0].name} ({len(seen_through):,} of them): "
        warnings.warn(DataWarning(folder, f"{remark}their opacity is left out"), stacklevel=3)
    if pictures.dtype == np.uint16 and (largest := int(pictures.max())) < MOST // 8:
        remark = f"has pictures of 16 bits, {MOST} is 1, whose largest pixel is {largest}: they are dark as they are"
        warnings.warn(DataWarning(folder, f"{remark}; scale='minmax' brings each pixel to its own range"), stacklevel=3)


def _is_seen_through(image: Image.Image) -> bool:
    if image.mode not in ("LA", "PA", "RGBA", "La", "RGBa") and "transparency" not in image.info:
        return False
    return image.convert("RGBA").getchannel("A").getextrema()[0] < 255


def _files(folder: Path) -> tuple[list[Path], np.ndarray | None]:
    def pictures(place: Path) -> list[Path]:
        return sorted(f for f in place.iterdir() if f.suffix.lower() in ENDINGS and f.name[0] != "." and f.is_file())

    if files := pictures(folder):
        return files, None
    classes = sorted(place for place in folder.iterdir() if place.is_dir() and place.name[0] != ".")
    found = [(file, label) for label, place in enumerate(p for p in classes if pictures(p)) for file in pictures(place)]
    if not found:
        others = sorted({f.suffix.lower() for place in [folder, *classes] for f in place.iterdir()} & OTHER_ENDINGS)
        got = f"{', '.join(others)}: convert them" if others else "a folder without any"
        raise ValueError(f"{folder} must have .png, .jpg or .jpeg files, or folders of them, got {got}")
    files, labels = zip(*found, strict=True)
    return list(files), np.array(labels)


def _checked(size: Size) -> Size:
    sides = widths("size", size)
    if len(sides) != 2:
        raise ArgumentError("size", "be a height and a width", repr(size))
    return sides


def _decoded(files: list[Path], size: Size | None, seen_through: list[Path]) -> Iterator[np.ndarray]:
    """One picture after the other, (h, w) where it is grey and (h, w, 3) where it is not, of uint8 or uint16.

    Files whose opacity is lost are added to `seen_through`.
    """
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise ImportError('reading pictures needs Pillow: pip install "npvae[plots]"') from None
    for file in files:
        try:
            with Image.open(file, formats=("PNG", "JPEG")) as image:
                upright = ImageOps.exif_transpose(image)  # as a camera says that it was held
                if _is_seen_through(upright):
                    seen_through.append(file)
                deep = upright.mode in DEEP
                upright = upright.convert("F" if deep else "L" if upright.mode in ("1", "L", "LA") else "RGB")
                if size is not None and upright.size != size[::-1]:
                    upright = upright.resize(size[::-1], Image.Resampling.LANCZOS)
                pixels = np.asarray(upright)
                pixels = pixels.clip(0, MOST).round().astype(np.uint16) if deep else pixels.astype(np.uint8)
        except Exception as error:  # a damaged file makes the decoder raise almost anything
            raise ValueError(f"{file} cannot be read as a picture: {error}; mend it or take it away") from None
        if pixels.ndim == 3 and (pixels[..., :1] == pixels[..., 1:]).all():
            pixels = pixels[..., 0]
        yield pixels
