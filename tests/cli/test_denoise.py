"""``npvae train --model denoising`` and ``npvae denoise``."""

import numpy as np
import pytest

from npvae.cli import main


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("denoising") / "run"
    options = ["--latent", "4", "--hidden", "16", "--epochs", "1", "--limit", "200", "--quiet", "--no-pictures"]
    assert main(["train", "--model", "denoising", *options, "--output", str(folder)]) == 0
    return folder


def test_clean_rows_are_corrupted_and_restored(folder, tmp_path):
    out = tmp_path / "restored.npy"
    assert main(["denoise", str(folder / "model.npz"), "digits", "--rows", "0:5", "--corrupt", "-o", str(out)]) == 0
    assert np.load(out).shape == (5, 784)
    assert main(["denoise", str(folder / "model.npz"), "digits", "--rows", "0:5", "-o", str(tmp_path / "d.png")]) == 0
    assert (tmp_path / "d.png").stat().st_size > 0


def test_a_model_that_cannot_denoise_is_refused_in_one_line(tmp_path, capsys):
    options = ["--latent", "4", "--hidden", "16", "--epochs", "1", "--limit", "200", "--quiet", "--no-pictures"]
    assert main(["train", "--model", "autoencoder", *options, "--output", str(tmp_path / "run")]) == 0
    assert main(["denoise", str(tmp_path / "run" / "model.npz"), "digits"]) == 2
    assert "npvae denoise needs a model of denoising; " in capsys.readouterr().err
