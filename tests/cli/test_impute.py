"""``npvae impute``: which values count as seen, and that the rest is filled in as from Python."""

import numpy as np
import pytest

import npvae
from npvae.cli import main
from tests.cli.conftest import TINY

FEW = ["--steps", "4"]


@pytest.fixture(scope="module")
def binary(files, tmp_path_factory):
    """A model of the images made black and white, and a function that gives what it fills in."""
    folder = tmp_path_factory.mktemp("binary")
    assert main(["train", files.images, "--binarize", "threshold", "-o", str(folder / "run"), *TINY]) == 0
    return str(folder / "run" / "model.npz")


@pytest.mark.parametrize(
    ("word", "kept"),
    [("upper", np.s_[:, :3]), ("lower", np.s_[:, 3:]), ("left", np.s_[:, :, :3]), ("right", np.s_[:, :, 3:])],
)
def test_a_half(files, binary, here, capsys, word, kept):
    assert main(["impute", binary, files.images, "--seen", word, "--steps", "2", "-o", "a.npy"]) == 0
    assert capsys.readouterr() == ("wrote a.npy\n", "")
    seen = np.zeros((60, 6, 6), bool)
    seen[kept] = True
    np.testing.assert_array_equal(np.load("a.npy").reshape(60, 6, 6) == files.x.reshape(60, 6, 6), seen)


@pytest.mark.parametrize("rows", [slice(None), slice(7, 9), slice(-10, None)])
def test_a_mask_of_every_row(files, binary, here, rows):
    seen = np.random.default_rng(1).random((60, 36)) < 0.7
    np.save("seen.npy", seen)
    words = [] if rows == slice(None) else [f"--rows={rows.start}:{rows.stop or ''}"]
    assert main(["impute", binary, files.images, "--seen", "seen.npy", *words, *FEW, "--seed", "5", "-o", "a.npz"]) == 0
    expected = npvae.load(binary).impute(files.x[rows], seen[rows], 4, 5)
    with np.load("a.npz") as archive:
        assert archive.files == ["mean", "draw", "acceptance", "r_hat", "draws", "spread"]
        for name, value in expected._asdict().items():
            np.testing.assert_array_equal(archive[name], value)


@pytest.mark.parametrize("shape", [(1, 36), (6, 6)])
def test_a_mask_for_all_rows(files, binary, here, shape):
    seen = np.random.default_rng(1).random(36) < 0.7
    np.save("seen.npy", seen.reshape(shape).astype(np.uint8))
    assert main(["impute", binary, files.images, "--seen", "seen.npy", "--rows", "0:20", *FEW, "-o", "a.npy"]) == 0
    np.testing.assert_array_equal(np.load("a.npy"), npvae.load(binary).impute(files.x[:20], seen, 4).mean)


@pytest.mark.parametrize("name", ["holes.npy", "holes.csv"])
def test_holes_in_the_data(files, binary, here, name):
    seen = np.random.default_rng(1).random((60, 36)) < 0.7
    x = np.where(seen, files.x, np.nan)
    np.save("holes.npy", x)
    lines = [",".join("" if np.isnan(value) else f"{value:.9g}" for value in row) for row in x]
    (here / "holes.csv").write_text("\n".join(lines))
    vae, half = npvae.load(binary), np.tile([True] * 3 + [False] * 3, 6)
    assert main(["impute", binary, name, *FEW, "-o", "a.npy"]) == 0
    np.testing.assert_array_equal(np.load("a.npy"), vae.impute(files.x, seen, 4).mean)
    assert main(["impute", binary, name, *FEW, "--seen", "left", "-o", "a.npy"]) == 0
    np.testing.assert_array_equal(np.load("a.npy"), vae.impute(files.x, seen & half, 4).mean)


def test_a_picture_of_twelve_rows(files, binary, here, monkeypatch):
    plots = pytest.importorskip("npvae.plots")
    pytest.importorskip("matplotlib")
    shown, original = [], plots.completions
    monkeypatch.setattr(plots, "completions", lambda x, *rest: shown.append(len(x)) or original(x, *rest))
    assert main(["impute", binary, files.images, "--seen", "upper", *FEW]) == 0
    assert (here / "imputed.png").read_bytes().startswith(b"\x89PNG")
    assert shown == [12]


def test_grey_pixels_are_warned_of(files, here, capsys):
    assert main(["impute", files.model, files.images, "--seen", "upper", *FEW, "-o", "a.npy"]) == 0
    text = "npvae: warning: DATA has grey pixels, which have no density under a Bernoulli: draws of what is missing are"
    assert capsys.readouterr().err.startswith(text)


@pytest.mark.parametrize(
    ("mask", "text"),
    [
        (np.ones((5, 36)), "--seen must have the shape of DATA, (60, 36), or one row of it, got (5, 36)"),
        (np.ones((100, 36)), "--seen must have the shape of DATA, (60, 36), or one row of it, got (100, 36)"),
        (np.ones((60, 35)), "--seen must have the shape of DATA, (60, 36), or one row of it, got (60, 35)"),
        (np.tile([1, 0.5], (60, 18)), "--seen must hold nothing but 1, seen, and 0, not seen, got 0.5"),
    ],
)
def test_a_mask_that_cannot_be(files, binary, here, refused, mask, text):
    np.save("seen.npy", mask)
    for words in ([], ["--rows", "0:5"]):
        assert text in refused("impute", binary, files.images, "--seen", "seen.npy", *words, "-o", "a.npy")


def test_what_is_missing_must_be_said(files, binary, here, refused):
    text = refused("impute", binary, files.images, "-o", "a.npy")
    assert "--seen must be given: " in text
    assert "has no NaN and no empty field" in text
    assert "--seen must name a file or one of upper, lower, left, right, got 'digits'" in refused(
        "impute", binary, files.images, "--seen", "digits", "-o", "a.npy"
    )
    assert "one of upper, lower, left, right, got 'uper'; did you mean 'upper'?" in refused(
        "impute", binary, files.images, "--seen", "uper", "-o", "a.npy"
    )


def test_rows_that_are_not_there(files, binary, here, refused):
    np.save("seen.npy", np.ones((60, 36)))
    text = refused("impute", binary, files.images, "--seen", "seen.npy", "--rows", "70:80", "-o", "a.npy")
    assert "--rows selects nothing: " in text


def test_a_half_is_of_pictures(here, refused):
    np.save("seven.npy", np.random.default_rng(0).random((20, 7)))
    main(["train", "seven.npy", "-o", "run", *TINY])
    text = refused("impute", "run/model.npz", "seven.npy", "--seen", "left", "-o", "a.npy")
    assert "--seen must name a file where rows are no pictures, got 'left'" in text


def test_what_is_seen_is_written_as_it_was_read(here):
    (here / "t.csv").write_text("0.1,0.3,0.7\n0.2,,0.9\n")
    main(["train", "--likelihood", "gaussian", "-o", "run", *TINY, str(_full(here))])
    assert main(["impute", "run/model.npz", "t.csv", *FEW, "-o", "whole.csv"]) == 0
    header, first, second = (here / "whole.csv").read_text().split()
    assert (header, first) == ("x1,x2,x3", "0.1,0.3,0.7")
    assert second.startswith("0.2,")
    assert second.endswith(",0.9")


def _full(here):
    np.save("full.npy", np.random.default_rng(0).random((20, 3)))
    return here / "full.npy"


def test_the_mask_is_not_written_over(files, binary, here, refused):
    np.save("seen.npy", np.ones((1, 36)))
    assert "another file than the inputs" in refused(
        "impute", binary, files.images, "--seen", "seen.npy", "-o", "seen.npy"
    )
