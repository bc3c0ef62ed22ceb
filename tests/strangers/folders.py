"""Folders of images that nobody prepared: a generator each, which fills a folder and returns its path."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["FOLDERS"]


def _blob(rng: np.random.Generator, h: int, w: int) -> np.ndarray:
    """A soft spot somewhere in an image, from 0 to 1."""
    y, x = np.ogrid[:h, :w]
    centre, width = rng.uniform(0.25, 0.75, size=2), rng.uniform(0.1, 0.3)
    return np.exp(-(((y / h - centre[0]) ** 2 + (x / w - centre[1]) ** 2) / width**2))


def _image(pixels: np.ndarray, mode: str | None = None) -> Any:
    from PIL import Image

    image = Image.fromarray((pixels * 255).round().astype(np.uint8))
    return image if mode is None else image.convert(mode)


def scans(folder: Path, rng: np.random.Generator) -> Path:
    """Grey PNG files of mixed sizes, with a README and a hidden file between them."""
    place = folder / "scans"
    place.mkdir()
    for i in range(40):
        _image(_blob(rng, *rng.integers(20, 40, size=2))).save(place / f"scan {i:03}.png")
    (place / "README.md").write_text("Scanned in spring.")
    (place / ".DS_Store").write_bytes(b"\\0\\0")
    return place


def flowers(folder: Path, rng: np.random.Generator) -> Path:
    """Colour JPEG files, a folder a class, endings in capitals among them."""
    place = folder / "flowers"
    for kind, tint in {"daisy": (1, 1, 0.6), "rose": (1, 0.2, 0.3), "tulip": (0.8, 0.3, 0.9)}.items():
        (place / kind).mkdir(parents=True)
        for i in range(15):
            ending = "JPG" if i % 3 else "jpeg"
            _image(_blob(rng, 16, 20)[..., None] * np.array(tint)).save(place / kind / f"{i}.{ending}", format="JPEG")
    return place


def icons(folder: Path, rng: np.random.Generator) -> Path:
    """PNG files with opacity, and with a palette."""
    place = folder / "icons"
    place.mkdir()
    for i in range(40):
        colour = _blob(rng, 12, 12)[..., None] * rng.random(3)
        if i % 2:
            _image(np.concatenate([colour, _blob(rng, 12, 12)[..., None]], axis=-1)).save(place / f"{i:02}.png")
        else:
            _image(colour, "P").save(place / f"{i:02}.png")
    return place


def microscope(folder: Path, rng: np.random.Generator) -> Path:
    """PNG files of sixteen bits, of which the camera used twelve."""
    from PIL import Image

    place = folder / "microscope"
    place.mkdir()
    for i in range(40):
        Image.fromarray((_blob(rng, 14, 14) * 4095).astype(np.uint16)).save(place / f"{i}.png")
    return place


def damaged(folder: Path, rng: np.random.Generator) -> Path:
    """One of the files was cut off."""
    place = folder / "damaged"
    place.mkdir()
    for i in range(20):
        _image(_blob(rng, 16, 16)).save(place / f"{i:02}.png")
    whole = (place / "07.png").read_bytes()
    (place / "07.png").write_bytes(whole[: len(whole) // 2])
    return place


def scanner(folder: Path, rng: np.random.Generator) -> Path:
    """TIFF, BMP and GIF files."""
    place = folder / "scanner"
    place.mkdir()
    for i in range(40):
        _image(_blob(rng, 12, 12)).save(place / f"{i:02}.{('tif', 'bmp', 'gif')[i % 3]}")
    return place


def twisted(folder: Path, rng: np.random.Generator) -> Path:
    """Photographs of a telephone, some of which say that they are to be turned, of one size when they are."""
    place = folder / "telephone"
    place.mkdir()
    for i in range(40):
        image, exif = _image(_blob(rng, 16, 12)[..., None] * rng.random(3)), None
        if i % 4 == 3:
            image, exif = image.rotate(90, expand=True), image.getexif()
            exif[0x0112] = 6
        image.save(place / f"IMG_{i:04}.jpg", **({} if exif is None else {"exif": exif}))
    return place


FOLDERS: dict[str, Callable[[Path, np.random.Generator], Path]] = {
    f.__name__: f for f in (scans, flowers, icons, microscope, damaged, scanner, twisted)
}
"""By name."""
