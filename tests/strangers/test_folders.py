"""Each folder of images by the commands: learnt from as it is, or one line that says what to do."""

import numpy as np
import pytest

import npvae
from npvae.cli import main
from tests.strangers.folders import FOLDERS

pytest.importorskip("PIL.Image")

EXPECTED = {
    "flowers": ((), (16, 20, 3), ""),
    "icons": ((), (12, 12, 3), "has pictures that one sees through, such as 01.png (20 of them)"),
    "microscope": ((), (14, 14), "has pictures of 16 bits, 65535 is 1, whose largest pixel is 40"),
    "scans": (("--size", "24,24"), (24, 24), ""),
    "twisted": ((), (16, 12, 3), ""),
}
"""What is asked for, the shape of a picture, and what is said."""

REFUSED = {
    "damaged": "07.png cannot be read as a picture: ",
    "scanner": "got .bmp, .gif, .tif: convert them",
    "scans": "brings all to one",
}


@pytest.fixture
def folder(request, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return str(FOLDERS[request.param](tmp_path, np.random.default_rng(0)))


def train(folder, *others):
    small = ["--latent", "3", "--hidden", "16", "--epochs", "3", "--seed", "0", "--quiet", "--no-pictures"]
    return main(["train", folder, "-o", "run", "--test", folder, *small, *others])


@pytest.mark.parametrize(("folder", "name"), [(name, name) for name in EXPECTED], indirect=["folder"])
def test_images_come_back_in_their_shape_and_colour(folder, name, capsys):
    others, shape, said = EXPECTED[name]
    assert train(folder, *others) == 0
    assert said in capsys.readouterr().err
    model = npvae.load("run/model.npz")
    assert model.image_shape_ == shape
    losses = model.history_["val_loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    pytest.importorskip("matplotlib")
    for words in (["sample"], ["reconstruct", folder], ["impute", folder, "--seen", "upper", "--steps", "4"]):
        assert main([words[0], "run/model.npz", *words[1:]]) == 0
    assert main(["score", "run/model.npz", folder]) == 0
    assert main(["encode", "run/model.npz", folder, "-o", "z.csv"]) == 0


@pytest.mark.parametrize(("folder", "name"), [(name, name) for name in REFUSED], indirect=["folder"])
def test_what_is_in_the_way_is_named(folder, name, capsys):
    assert train(folder) == 2
    told = capsys.readouterr().err
    assert REFUSED[name] in told
    assert told.count("\n") == 1
