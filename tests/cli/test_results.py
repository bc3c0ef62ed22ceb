"""Results into files, by the ending of the name."""

import os
import sys

import numpy as np
import pytest

from npvae.cli.results import PICTURES, TABLES, check_output, write


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "a.csv", "a.png", "a.svg", "a.pdf", "A.PNG"])
def test_known_endings(tmp_path, name):
    assert check_output(tmp_path / name) == tmp_path / name


@pytest.mark.parametrize("name", ["a", "a.jpg", "a.txt", ".npy"])
def test_other_endings(tmp_path, name):
    with pytest.raises(ValueError, match=r"output must end in \.npy, \.npz, \.csv, \.png, \.svg, \.pdf, got"):
        check_output(tmp_path / name)


def test_a_table_is_no_picture(tmp_path):
    with pytest.raises(ValueError, match=r"output must end in \.npy, \.npz, \.csv, got"):
        check_output(tmp_path / "a.png", TABLES)


def test_a_picture_is_no_table(tmp_path):
    with pytest.raises(ValueError, match=r"factors must end in \.png, \.svg, \.pdf, got"):
        check_output(tmp_path / "a.npy", PICTURES, argument="factors")


def test_pictures_need_matplotlib_before_any_work(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="need matplotlib"):
        check_output(tmp_path / "a.png")
    check_output(tmp_path / "a.npy")


def test_an_array_of_an_archive_is_an_input_too(tmp_path):
    path = tmp_path / "z.npz"
    np.savez(path, mu=np.ones(3))
    for name in (str(path), f"{path}:mu"):
        with pytest.raises(ValueError, match="output must be another file than the inputs"):
            check_output(path, inputs=[None, name])


@pytest.mark.parametrize("name", ["a.npy", "a.npz", "A.NPY", "A.NPZ"])
def test_arrays_come_back_whatever_the_case_of_the_ending(tmp_path, name):
    write(tmp_path / name, {"x": np.arange(3)}, [])
    found = np.load(tmp_path / name)
    np.testing.assert_array_equal(found if name.lower().endswith("npy") else found["x"], np.arange(3))
    assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_is_no_file(tmp_path):
    (tmp_path / "a.npy").mkdir()
    with pytest.raises(IsADirectoryError, match="output must be a file, got"):
        check_output(tmp_path / "a.npy")


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="output must lie in a folder that exists"):
        check_output(tmp_path / "b" / "a.npy")


def test_a_folder_that_cannot_be_written(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(PermissionError, match="output must lie in a folder that can be written"):
        check_output(tmp_path / "a.npy")


def test_numbers_in_a_table_come_back_whole(tmp_path):
    x = np.random.default_rng(0).standard_normal((4, 2, 3))
    write(tmp_path / "a.csv", {"x": x}, [f"x{i}" for i in range(6)])
    np.testing.assert_array_equal(np.loadtxt(tmp_path / "a.csv", delimiter=",", skiprows=1).reshape(x.shape), x)


def test_a_failure_leaves_the_old_file(tmp_path):
    (tmp_path / "a.csv").write_text("old")

    class Broken:
        def __len__(self):
            return 1

        def reshape(self, *shape):
            raise MemoryError

    with pytest.raises(MemoryError):
        write(tmp_path / "a.csv", {"x": Broken()}, ["x"])
    assert [path.read_text() for path in tmp_path.iterdir()] == ["old"]
