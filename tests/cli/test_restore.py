"""``npvae restore``: every operator, what it prints and writes, what it refuses."""

import numpy as np
import pytest

from npvae.cli import main
from npvae.cli.restore import OPERATORS

QUICK = ["--rows", "0:3", "--steps", "8", "--chains", "2"]
OPTIONS = {"downsample": ["--factor", "2"], "projection": ["--numbers", "7"], "mask": ["--seen", "0.5"]}


@pytest.mark.parametrize("operator", OPERATORS)
def test_every_operator_is_drawn_and_written(files, here, capsys, operator):
    words = ["restore", files.model, files.images, "--operator", operator, *OPTIONS.get(operator, []), *QUICK]
    assert main([*words, "-o", "restored.png"]) == 0
    told = capsys.readouterr().out
    assert "3 rows; proposals accepted:" in told
    assert "peak signal-to-noise ratio: restored" in told
    assert ("observed" in told) == (operator in ("noise", "blur"))
    assert main([*words, "-o", "restored.npz"]) == 0
    with np.load("restored.npz") as made:
        assert made["mean"].shape == made["std"].shape == (3, 36)
        assert made["draws"].shape == (2, 3, 36)
        assert made["acceptance"].shape == (2, 3)
        assert made["disagreement"].shape == (3,)


def test_what_was_observed_can_be_given_itself(files, here, capsys):
    words = ["restore", files.model, files.images, "--operator", "noise", "--observed", *QUICK]
    assert main([*words, "-o", "restored.npy"]) == 0
    assert "signal" not in capsys.readouterr().out
    assert np.load("restored.npy").shape == (3, 36)


def test_the_most_probable_image_is_another_than_the_mean(files, here):
    words = ["restore", files.model, files.images, *QUICK]
    assert main([*words, "-o", "mean.npy"]) == 0
    assert main([*words, "--most-probable", "-o", "mode.npy"]) == 0
    mean, mode = np.load("mean.npy"), np.load("mode.npy")
    assert not np.array_equal(mean, mode)
    assert main([*words, "--most-probable", "-o", "both.npz"]) == 0
    with np.load("both.npz") as both:
        np.testing.assert_array_equal(both["mean"], mean)
        np.testing.assert_array_equal(both["mode"], mode)
    assert main([*words, "--most-probable", "-o", "mode.svg"]) == 0


def test_a_seed_gives_the_same_file_again(files, here):
    for name in ("a.npy", "b.npy"):
        assert main(["restore", files.model, files.images, *QUICK, "--seed", "3", "-o", name]) == 0
    np.testing.assert_array_equal(np.load("a.npy"), np.load("b.npy"))


def test_chains_that_cannot_be_trusted_are_not_said_to_agree(files, here, capsys):
    words = ["restore", files.model, files.images, "-o", "restored.npy", *QUICK]
    assert main([*words, "--steps", "2"]) == 0
    assert "chains disagree in 0 of them, and do not tell in 3" in capsys.readouterr().out
    assert main([*words, "--noise", "1e-12"]) == 0
    captured = capsys.readouterr()
    assert "the chains hardly moved: take more --steps, or more --noise" in captured.out
    assert captured.err == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seen", "above"], " --seen must be upper, lower, left, right or a share of the pixels, got 'above'"),
        (["--seen", "1.5"], " --seen must be less than 1, got 1.5"),
        (["--noise", "0"], " --noise must be at least 1e-12, got 0"),
        (["--operator", "downsample", "--factor", "4"], "factor must divide both sides of 6×6 images, got 4"),
        (["--operator", "noise", "--steps", "0"], " --steps must be at least 1, got 0"),
        (["--operator", "projection", "--numbers", "0"], " --numbers must be at least 1, got 0"),
        (["--factor", "2"], " --factor must be left out without --operator downsample, got --operator mask"),
        (["--observed"], " DATA must have 18 features, got shape (3, 36)"),
        (["-o", "restored.txt"], "output must end in"),
    ],
)
def test_what_cannot_be_is_refused(files, here, refused, words, message):
    assert message in refused("restore", files.model, files.images, *QUICK, *words)
