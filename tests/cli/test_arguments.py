"""The small languages of the arguments, and the reading of data."""

import argparse

import numpy as np
import pytest

from npvae import VAE, datasets
from npvae.cli import arguments
from npvae.cli.arguments import integers, read_data, row_range
from npvae.estimators.options import options_of
from npvae.validation import ArgumentError


@pytest.mark.parametrize(("text", "expected"), [("400", (400,)), ("500,200", (500, 200)), (" 5, 6 ", (5, 6))])
def test_integers(text, expected):
    assert integers(text) == expected


@pytest.mark.parametrize("text", ["", "a", "5,", "5;6", "5.0"])
def test_no_integers(text):
    with pytest.raises(argparse.ArgumentTypeError, match="such as 500,200, got"):
        integers(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("0:3", [0, 1, 2]), ("7", [7]), (":2", [0, 1]), ("8:", [8, 9]), ("-2:", [8, 9]), ("5:99", [5, 6, 7, 8, 9])],
)
def test_rows(text, expected):
    assert list(range(10)[row_range(text)]) == expected


@pytest.mark.parametrize("text", ["", "a:b", "1:2:3", "1-2", "1.5"])
def test_no_rows(text):
    with pytest.raises(argparse.ArgumentTypeError, match="such as 0:100 or 7, got"):
        row_range(text)


def test_files_are_read_with_their_labels(files):
    data = read_data(files.images, files.labels, slice(10, 13))
    np.testing.assert_array_equal(data.x, files.x[10:13])
    np.testing.assert_array_equal(data.labels, [1, 2, 0])
    assert data.image_shape == (6, 6)


def test_selecting_nothing_is_said(files):
    with pytest.raises(ValueError, match=r"--rows selects nothing: .*images\.npy has 60 rows"):
        read_data(files.images, rows=slice(60, 70))


@pytest.mark.parametrize("rows", [None, slice(0, 7), slice(5, 9), slice(-3, None), slice(-5, -2), slice(4, 5)])
def test_rows_of_the_embedded_digits_are_those_of_all_of_them(monkeypatch, rows):
    monkeypatch.setattr(arguments, "DIGITS", 40)
    everything = datasets.digits(40, seed=3)
    data = read_data("digits", rows=rows, digits_seed=3)
    np.testing.assert_array_equal(data.x, everything.x[rows or slice(None)])
    np.testing.assert_array_equal(data.labels, everything.labels[rows or slice(None)])


def test_only_the_digits_asked_for_are_drawn(monkeypatch):
    asked = []
    monkeypatch.setattr(
        datasets, "digits", lambda n, seed, progress: asked.append(n) or arguments.Dataset(np.zeros((n, 4), "f4"))
    )
    read_data("digits", rows=slice(5, 9))
    assert asked == [9]


def test_a_file_called_digits_goes_first(files, here):
    np.save("file.npy", files.x[:4])
    (here / "file.npy").rename(here / "digits")
    assert len(read_data("digits")) == 4


def test_the_embedded_digits_have_labels(files):
    with pytest.raises(ValueError, match="the embedded digits have labels of their own"):
        read_data("digits", files.labels)


@pytest.mark.parametrize("name", ["labels.npy", "X.npy", "rows.csv", "n.npz"])
def test_files_keep_their_names_in_messages(name):
    assert arguments.as_typed(ArgumentError(name, "be finite"), {}) == f"{name} must be finite"


@pytest.mark.parametrize(
    ("argument", "typed"),
    [
        ("n", "-n"),
        ("X", "DATA"),
        ("latent_dim", "--latent"),
        ("hidden[1]", "--hidden[1]"),
        ("hidden or latent_dim", "--hidden or --latent"),
        ("batch_size", "--batch"),
    ],
)
def test_arguments_are_called_as_they_are_typed(argument, typed):
    error = ArgumentError(argument, "be smaller with {n_samples}", 3, settings={"n_samples": 5})
    assert arguments.as_typed(error, options_of(VAE)) == f"{typed} must be smaller with --samples 5, got 3"


def test_drawing_digits_tells_how_far_it_is(monkeypatch, capsys):
    monkeypatch.setattr(arguments.sys.stderr, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(arguments, "perf_counter", iter(range(0, 10_000, 2)).__next__)
    arguments.read_data("digits", rows=slice(0, 600))
    told = capsys.readouterr().err
    assert "256 of 600 pictures" in told
    assert told.endswith("\r\033[K")
    assert max(map(len, told.replace("\033[K", "").split("\r"))) < 60
