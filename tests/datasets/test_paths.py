from pathlib import Path

import pytest

from npvae.datasets.paths import cache_folder, existing_file


def test_existing_file_is_returned_as_a_path(tmp_path):
    file = tmp_path / "a"
    file.touch()
    assert existing_file(str(file)) == file


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"labels must name an existing file, got .*nothing$"):
        existing_file(tmp_path / "nothing", "labels")


def test_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="path must name a file, got the folder"):
        existing_file(tmp_path)


def test_cache_folder_follows_the_environment(monkeypatch):
    monkeypatch.delenv("NPVAE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == Path.home() / ".cache" / "npvae"
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == Path("/xdg/npvae")
    monkeypatch.setenv("NPVAE_CACHE", "/own")
    assert cache_folder() == Path("/own")
