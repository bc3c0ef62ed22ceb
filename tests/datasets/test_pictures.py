import struct
import sys
import zlib

import numpy as np
import pytest

from npvae.datasets import load
from npvae.datasets.channels import channels_last, like_images
from npvae.datasets.pictures import read_pictures
from npvae.validation import ArgumentError, DataWarning

Image = pytest.importorskip("PIL.Image")


def png_bytes(pixels: np.ndarray, color: int) -> bytes:
    """Write an 8-bit PNG by hand; `color` is 0 grey, 2 RGB, 4 grey and opacity, 6 RGB and opacity."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    h, w = pixels.shape[:2]
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)
    header = struct.pack(">IIBBBBB", w, h, 8, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def write(path, pixels, **how):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.asarray(pixels, np.uint8)).save(path, **how)
    return path


def random(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)


def test_grey_stays_grey_and_colour_colour(tmp_path):
    grey, colour = random(3, 5), random(3, 5, 3)
    write(tmp_path / "grey" / "a.png", grey)
    write(tmp_path / "colour" / "a.png", colour)
    np.testing.assert_array_equal(read_pictures(tmp_path / "grey")[0], grey[None])
    np.testing.assert_array_equal(read_pictures(tmp_path / "colour")[0], colour[None])


def test_one_picture_in_colour_makes_all_so(tmp_path):
    grey, colour = random(3, 5), random(3, 5, 3)
    write(tmp_path / "a.png", grey)
    write(tmp_path / "b.png", colour)
    write(tmp_path / "c.png", np.repeat(grey[..., None], 3, axis=2))
    pictures, labels = read_pictures(tmp_path)
    assert labels is None
    np.testing.assert_array_equal(
        pictures, [np.repeat(grey[..., None], 3, 2), colour, np.repeat(grey[..., None], 3, 2)]
    )


def test_opacity_is_left_out_and_palettes_are_colours(tmp_path):
    colour = random(4, 4, 3)
    write(tmp_path / "a.png", np.concatenate([colour, np.full((4, 4, 1), 9)], axis=2))
    Image.fromarray(colour).quantize(16).save(tmp_path / "b.png")
    with pytest.warns(DataWarning, match=r"one sees through, such as a.png \(1 of them\): their opacity is left out"):
        pictures, _ = read_pictures(tmp_path)
    np.testing.assert_array_equal(pictures[0], colour)
    assert pictures.shape == (2, 4, 4, 3)


def test_jpeg(tmp_path):
    smooth = np.add.outer(np.arange(16), np.arange(16)) * 8
    write(tmp_path / "a.jpg", smooth, quality=95)
    write(tmp_path / "b.JPEG", smooth, quality=95, format="jpeg")
    pictures, _ = read_pictures(tmp_path)
    assert abs(pictures.astype(int) - smooth).max() < 8


def test_sixteen_bits_are_kept_and_eight_among_them_are_as_bright_as_before(tmp_path):
    deep, flat = np.array([[0, 65535], [256 * 128, 256]], np.uint16), random(2, 2)
    Image.fromarray(deep).save(tmp_path / "b.png")
    write(tmp_path / "a.png", flat)
    write(tmp_path / "c.png", flat)
    pictures, _ = read_pictures(tmp_path)
    assert pictures.dtype == np.uint16
    np.testing.assert_array_equal(pictures[1], deep)
    np.testing.assert_allclose(load(tmp_path).x[[0, 2]], np.stack([flat.ravel() / 255] * 2), rtol=1e-6)


def test_a_camera_that_used_few_of_its_bits_is_told_of(tmp_path):
    Image.fromarray(np.array([[0, 4095]], np.uint16)).save(tmp_path / "a.png")
    with pytest.warns(DataWarning, match="whose largest pixel is 4095: they are dark as they are; scale='minmax'"):
        read_pictures(tmp_path)


def test_a_picture_is_turned_as_its_camera_says(tmp_path):
    pixels = np.arange(12, dtype=np.uint8).reshape(3, 4) * 20
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(pixels).save(tmp_path / "a.png", exif=exif)
    np.testing.assert_array_equal(read_pictures(tmp_path)[0][0], np.rot90(pixels, -1))


def test_pictures_of_other_kinds_are_named(tmp_path):
    for name in ("a.tif", "b.BMP"):
        write(tmp_path / name, random(2, 2), format=name[2:].upper().replace("TIF", "TIFF"))
    with pytest.raises(ValueError, match=r"must have .png, .jpg or .jpeg files, .* got .bmp, .tif: convert them"):
        read_pictures(tmp_path)


def test_a_folder_a_class(tmp_path):
    for name, level in (("cats/b.png", 2), ("cats/a.png", 1), ("dogs/a.png", 3), (".hidden/a.png", 4)):
        write(tmp_path / name, np.full((2, 3), level))
    (tmp_path / "empty").mkdir()
    data = load(tmp_path)
    np.testing.assert_allclose(data.x[:, 0] * 255, [1, 2, 3], atol=1e-4)
    np.testing.assert_array_equal(data.labels, [0, 0, 1])
    assert data.image_shape == (2, 3)


def test_sizes_that_differ_are_refused_with_what_to_do(tmp_path):
    write(tmp_path / "a.png", random(2, 3))
    write(tmp_path / "b.png", random(3, 2))
    with pytest.raises(
        ValueError, match=r"b\.png must have 2 x 3 pixels \(h x w\) like a\.png, got 3 x 2; .*--size 2,3"
    ):
        read_pictures(tmp_path)
    assert read_pictures(tmp_path, (4, 5))[0].shape == (2, 4, 5)
    with pytest.raises(ArgumentError, match="size must be a height and a width"):
        read_pictures(tmp_path, (4, 5, 6))


def test_progress_is_told(tmp_path):
    for i in range(3):
        write(tmp_path / f"{i}.png", random(2, 2))
    told = []
    read_pictures(tmp_path, progress=lambda done, total: told.append((done, total)))
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_other_files_are_passed_over(tmp_path):
    write(tmp_path / "a.png", random(2, 2))
    (tmp_path / "notes.txt").write_text("x")
    (tmp_path / "._a.png").write_bytes(b"x")
    assert len(read_pictures(tmp_path)[0]) == 1


def test_a_folder_without_pictures_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"must have \.png, \.jpg or \.jpeg files, or folders of them"):
        read_pictures(tmp_path)


@pytest.mark.parametrize("keep", [0, 5, 20, 45, 60])
def test_a_damaged_picture_is_named(tmp_path, keep):
    path = write(tmp_path / "a.png", random(9, 9))
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(ValueError, match=r"a\.png cannot be read as a picture"):
        read_pictures(tmp_path)


def test_without_pillow_the_error_says_how_to_get_it(tmp_path, monkeypatch):
    write(tmp_path / "a.png", random(2, 2))
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(ImportError, match=r'needs Pillow: pip install "npvae\[plots\]"$'):
        read_pictures(tmp_path)


# ---- channels --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 5, 6), (2, 5, 6, 3), (2, 3, 5, 6), (2, 1, 5, 6), (2, 5, 6, 1)])
def test_there_and_back_again(shape):
    images = np.random.default_rng(0).random(shape)
    last = channels_last(images)
    assert last.shape[1:3] == (5, 6)
    np.testing.assert_array_equal(like_images(last.reshape(2, -1), shape), images)


def test_models_of_colour_images_see_and_give_the_same_whatever_the_layout():
    from npvae import VAE

    images = np.random.default_rng(0).integers(0, 256, (20, 6, 5, 3), dtype=np.uint8)
    last, first = (VAE(2, 8, epochs=1, random_state=0).fit(x) for x in (images, images.transpose(0, 3, 1, 2)))
    assert last.image_shape_ == first.image_shape_ == (6, 5, 3)
    a, b = last.reconstruct(images), first.reconstruct(images.transpose(0, 3, 1, 2))
    assert a.shape == images.shape
    np.testing.assert_array_equal(a.transpose(0, 3, 1, 2), b)
    assert a.max() > 1  # in the units of the data


def test_arrays_of_colour_images_are_read(tmp_path):
    images = random(4, 3, 6, 5)
    np.save(tmp_path / "a.npy", images)
    data = load(tmp_path / "a.npy")
    assert data.image_shape == (6, 5, 3)
    np.testing.assert_allclose(data.given, images.transpose(0, 2, 3, 1) / 255, atol=1e-6)
