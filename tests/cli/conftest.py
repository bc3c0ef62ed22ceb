"""A little data on disk and a model trained on it by the command, once for all."""

from types import SimpleNamespace

import numpy as np
import pytest

from npvae.cli import main

SIDE = 6
TINY = ["--hidden", "8", "--latent", "2", "--epochs", "1", "--no-pictures", "--quiet"]


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """60 grey images of 6 × 6 pixels in two formats, their classes, and a model of them."""
    folder = tmp_path_factory.mktemp("cli")
    rng = np.random.default_rng(0)
    images = rng.random((60, SIDE, SIDE)).astype(np.float32)
    labels = np.arange(60) % 3
    np.save(folder / "images.npy", images)
    np.savetxt(folder / "rows.csv", images.reshape(60, -1), delimiter=",", fmt="%.9g")
    np.save(folder / "labels.npy", labels)
    assert main(["train", str(folder / "images.npy"), "-o", str(folder / "run"), *TINY]) == 0
    return SimpleNamespace(
        images=str(folder / "images.npy"),
        rows=str(folder / "rows.csv"),
        labels=str(folder / "labels.npy"),
        model=str(folder / "run" / "model.npz"),
        x=images.reshape(60, -1),
    )


@pytest.fixture
def here(tmp_path, monkeypatch):
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def refused(capsys):
    """Run a command that has to fail: status 2, one line on standard error, nothing on standard output."""

    def run(*argv):
        capsys.readouterr()
        try:
            status = main([str(word) for word in argv])
        except SystemExit as leaving:
            status = leaving.code
        captured = capsys.readouterr()
        assert status == 2, captured
        assert captured.out == ""
        assert captured.err.count("\n") == 1, captured.err
        assert captured.err.startswith("npvae")
        assert ": error: " in captured.err
        assert "Traceback" not in captured.err
        return captured.err

    return run
