"""``npvae compress`` and ``decompress``: the images as they were, or one line that says what is wrong."""

import numpy as np
import pytest

from npvae.cli import main

TINY = ["--hidden", "8", "--latent", "2", "--epochs", "1", "--no-pictures", "--quiet"]


@pytest.mark.parametrize(("likelihood", "levels"), [("bernoulli", 2), ("logistic-mixture", 256)])
def test_images_come_back(here, capsys, likelihood, levels):
    images = np.random.default_rng(0).integers(0, levels, (30, 5, 5), dtype=np.uint8)
    np.save("images.npy", images)
    assert main(["train", "images.npy", "--likelihood", likelihood, "-o", "run", *TINY]) == 0
    assert main(["compress", "run/model.npz", "images.npy"]) == 0
    assert "bits a pixel" in capsys.readouterr().out
    assert main(["decompress", "run/model.npz", "images.npz-bb", "-o", "back.npy"]) == 0
    back = np.load("back.npy")
    assert back.dtype == np.uint8
    np.testing.assert_array_equal(back, images)


def test_what_cannot_be_is_refused(files, here, refused):
    assert "DATA must be binary to be coded by a Bernoulli" in refused("compress", files.model, files.images)
    binary = (files.x > 0.5).astype(np.uint8)
    np.save("binary.npy", binary)
    assert main(["compress", files.model, "binary.npy", "-o", "b.npz-bb"]) == 0
    packed = bytearray((here / "b.npz-bb").read_bytes())
    (here / "cut.npz-bb").write_bytes(packed[:-3])
    assert "cut.npz-bb is cut short" in refused("decompress", files.model, "cut.npz-bb")
    packed[40] ^= 1
    (here / "bad.npz-bb").write_bytes(packed)
    assert "bad.npz-bb is damaged between byte 0" in refused("decompress", files.model, "bad.npz-bb")
    assert "no file of compressed images" in refused("decompress", files.model, "binary.npy")
    assert main(["train", "binary.npy", "--model", "pca", "-o", "pca", "--no-pictures", "--quiet"]) == 0
    said = "npvae compress needs a model of vae; pca/model.npz is one of pca"
    assert said in refused("compress", "pca/model.npz", "binary.npy")
