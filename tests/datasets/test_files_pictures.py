import struct
import sys
import zlib

import numpy as np
import pytest

from npvae.datasets.files import read_pictures

pytest.importorskip("matplotlib")


def png_bytes(pixels: np.ndarray, color: int) -> bytes:
    """Write an 8-bit PNG by hand; `color` is 0 grey, 2 RGB, 4 grey and opacity, 6 RGB and opacity."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    h, w = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", w, h, 8, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("color", "channels"), [(0, 1), (2, 3), (4, 2), (6, 4)])
def test_grey_is_the_mean_of_the_colours_without_opacity(tmp_path, color, channels):
    pixels = np.random.default_rng(0).integers(0, 256, (3, 5, channels), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(png_bytes(pixels, color))
    colours = pixels[:, :, :-1] if channels in (2, 4) else pixels
    pictures = read_pictures(tmp_path)
    assert pictures.dtype == np.float32
    np.testing.assert_allclose(pictures, colours.mean(2)[None] / 255, atol=1e-6)


def test_pictures_come_in_the_order_of_their_names_and_nothing_else_is_read(tmp_path):
    for name, level in (("b.png", 2), ("a.PNG", 1), ("c.png", 3)):
        (tmp_path / name).write_bytes(png_bytes(np.full((2, 2), level, np.uint8), 0))
    (tmp_path / "notes.txt").write_text("x")
    np.testing.assert_allclose(read_pictures(tmp_path)[:, 0, 0] * 255, [1, 2, 3], atol=1e-4)


def test_sizes_that_differ_are_refused(tmp_path):
    (tmp_path / "a.png").write_bytes(png_bytes(np.zeros((2, 3), np.uint8), 0))
    (tmp_path / "b.png").write_bytes(png_bytes(np.zeros((3, 2), np.uint8), 0))
    with pytest.raises(ValueError, match=r"b\.png must have 2 x 3 pixels \(h x w\) like a\.png, got 3 x 2"):
        read_pictures(tmp_path)


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must have \.png files"):
        read_pictures(tmp_path)


@pytest.mark.parametrize("keep", [0, 5, 20, 45, 55])
def test_a_damaged_picture_is_a_value_error(tmp_path, keep):
    pixels = np.random.default_rng(0).integers(0, 256, (9, 9), dtype=np.uint8)
    (tmp_path / "a.png").write_bytes(png_bytes(pixels, 0)[:keep])
    with pytest.raises(ValueError, match=r"a\.png cannot be read as a PNG picture"):
        read_pictures(tmp_path)


def test_without_matplotlib_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(png_bytes(np.zeros((2, 2), np.uint8), 0))
    monkeypatch.setitem(sys.modules, "matplotlib.image", None)
    with pytest.raises(ImportError, match=r'needs matplotlib: pip install "npvae\[plots\]"$'):
        read_pictures(tmp_path)
