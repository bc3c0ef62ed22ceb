import os

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from npvae import plots


def opened(path):
    with Image.open(path) as image:
        image.load()
        return image


def scatter():
    return plots.latent_scatter(np.random.default_rng(0).normal(size=(500, 2)), np.arange(500) % 10)


@pytest.mark.parametrize(
    ("ending", "magic"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF"), ("PNG", b"\x89PNG")]
)
def test_ending_says_the_format(tmp_path, ending, magic):
    plots.save(scatter(), tmp_path / f"a.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes().startswith(magic)
    assert os.listdir(tmp_path) == [f"a.{ending}"]


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_same_picture_makes_the_same_file_without_date_and_program(tmp_path, ending, monkeypatch):
    plots.save(scatter(), tmp_path / f"a.{ending}")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1000000000")
    plots.save(scatter(), tmp_path / f"b.{ending}")
    content = (tmp_path / f"a.{ending}").read_bytes()
    assert content == (tmp_path / f"b.{ending}").read_bytes()
    for trace in (b"CreationDate", b"<dc:date>", b"Software", b"Creator", b"Producer"):
        assert trace not in content


def test_pixels_of_a_grey_picture_are_the_values_given(tmp_path):
    ax = plots.image_grid(np.arange(256).reshape(1, 16, 16) / 255).axes[0]
    plots.save(ax, tmp_path / "a.png")
    ax.figure.savefig(tmp_path / "full.png", dpi=plots.canvas.DPI)
    saved = np.asarray(opened(tmp_path / "a.png").convert("RGB"), int)
    np.testing.assert_array_equal(saved, opened(tmp_path / "full.png").convert("RGB"))
    picture = saved[8:-8, 8:-8, 0]  # without the margins
    # Versions of Matplotlib differ by a dot in the size of a figure: the middle of every pixel is looked at.
    middle = ((np.arange(16) + 0.5) * len(picture) / 16).astype(int)
    shown = picture[np.ix_(middle, middle)]
    assert abs(shown - np.arange(256).reshape(16, 16)).max() <= 1  # the colour map cuts off where it might round


def test_colours_stay_close(tmp_path):
    ax = scatter()
    plots.save(ax, tmp_path / "a.png")
    ax.figure.savefig(tmp_path / "full.png", dpi=plots.canvas.DPI)
    small, full = (np.asarray(opened(tmp_path / f"{name}.png").convert("RGB"), float) for name in ("a", "full"))
    assert small.shape == full.shape
    assert abs(small - full).mean() < 1
    assert os.path.getsize(tmp_path / "a.png") < os.path.getsize(tmp_path / "full.png") / 2


def test_no_colour_becomes_another_beside_many_greys(tmp_path):
    figure = Figure(figsize=(6, 3), layout="constrained")
    left, right = figure.subplots(1, 2)
    z = np.random.default_rng(0).normal(size=(3000, 2))
    plots.latent_scatter(z, np.arange(3000) % 10, ax=left)
    plots.image_grid(np.random.default_rng(1).random((25, 64)), ax=right)
    plots.save(figure, tmp_path / "a.png", dpi=100)
    figure.savefig(tmp_path / "full.png", dpi=100)
    small, full = (np.asarray(opened(tmp_path / f"{name}.png").convert("RGB"), float) for name in ("a", "full"))
    assert abs(small - full).max() < 40


def test_transparency_is_kept(tmp_path):
    figure = Figure(facecolor="none")
    plots.save(figure, tmp_path / "a.png")
    assert opened(tmp_path / "a.png").convert("RGBA").getpixel((0, 0))[3] == 0


def test_resolution_is_in_the_file(tmp_path):
    plots.save(Figure(figsize=(2, 1)), tmp_path / "a.png", dpi=200)
    image = opened(tmp_path / "a.png")
    assert image.size == (400, 200)
    assert image.info["dpi"] == pytest.approx((200, 200), abs=0.1)


def test_axes_of_a_part_of_a_figure_save_the_whole(tmp_path):
    figure = Figure(figsize=(4, 2))
    ax = figure.subfigures(1, 2)[1].subplots()
    plots.save(ax, tmp_path / "a.png", dpi=50)
    assert opened(tmp_path / "a.png").size == (200, 100)


@pytest.mark.parametrize("name", ["a.jpg", "a", "png", "a.png.txt"])
def test_other_endings_are_refused(tmp_path, name):
    with pytest.raises(ValueError, match=r"path must end in \.png, \.svg, \.pdf, got '.*'"):
        plots.save(scatter(), tmp_path / name)


def test_what_is_no_picture_is_refused(tmp_path):
    with pytest.raises(TypeError, match="picture must be a matplotlib figure or axes, got list"):
        plots.save([scatter()], tmp_path / "a.png")


def test_a_failure_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "a.png").write_bytes(b"old")

    def fail(path, content):
        with open(path, "wb") as file:
            file.write(content[:100])
        raise OSError("No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(OSError, match="No space left"):
        plots.save(scatter(), tmp_path / "a.png")
    assert os.listdir(tmp_path) == ["a.png"]
    assert (tmp_path / "a.png").read_bytes() == b"old"
