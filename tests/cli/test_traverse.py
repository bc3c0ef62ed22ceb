"""``npvae traverse``: arrays and the picture."""

import numpy as np

import npvae
from npvae.cli import main


def test_one_latent_a_row(files, here):
    assert main(["traverse", files.model, files.images, "4", "--steps", "5", "--reach", "2", "-o", "t.npz"]) == 0
    images = np.load("t.npz")["images"]
    assert images.shape == (2, 5, 36)
    model = npvae.load(files.model)
    np.testing.assert_allclose(images[1], model.traverse(files.x[4:5], 1, 5, 2.0)[0], rtol=1e-6)


def test_a_picture(files, here):
    assert main(["traverse", files.model, files.images, "0", "--latents", "1"]) == 0
    assert (here / "traversal.png").read_bytes()[:4] == b"\x89PNG"


def test_what_cannot_be_is_refused(files, here, refused):
    assert "I must be a row of" in refused("traverse", files.model, files.images, 60)
    assert "must be a latent, from 0 to 1" in refused("traverse", files.model, files.images, 0, "--latents", "2")
    assert "--steps must be at least 2" in refused("traverse", files.model, files.images, 0, "--steps", 1)
