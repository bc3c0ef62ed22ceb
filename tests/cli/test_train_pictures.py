"""Which pictures a run leaves, and what becomes of them where they cannot be drawn."""

import sys

import numpy as np
import pytest

from npvae import RBM, VAE
from npvae.cli import main
from npvae.cli.pictures import draw_pictures, title
from npvae.datasets import Dataset
from tests.cli.conftest import TINY

RNG = np.random.default_rng(0)


def rows(n, d, **parts):
    return Dataset(RNG.random((n, d)).astype(np.float32), **parts)


def names(folder):
    return sorted(path.stem for path in folder.iterdir())


@pytest.mark.parametrize(
    ("latent_dim", "d", "n", "expected"),
    [
        (2, 25, 20, ["interpolations", "latents", "learning_curves", "manifold", "reconstructions", "samples"]),
        (3, 25, 20, ["interpolations", "latents", "learning_curves", "reconstructions", "samples"]),
        (1, 25, 20, ["interpolations", "learning_curves", "reconstructions", "samples"]),
        (2, 7, 20, ["latents", "learning_curves"]),
        (2, 25, 1, ["latents", "learning_curves", "manifold", "reconstructions", "samples"]),
    ],
)
def test_what_can_be_shown_is(tmp_path, latent_dim, d, n, expected):
    pytest.importorskip("matplotlib")
    data = rows(20, d, labels=np.arange(20) % 4)
    vae = VAE(latent_dim, 4, epochs=1, random_state=0).fit(data.x)
    text = draw_pictures(vae, rows(n, d), data, tmp_path)
    assert names(tmp_path) == expected
    assert text.startswith("drew ")


def test_a_run_without_an_epoch_has_no_curves(tmp_path):
    pytest.importorskip("matplotlib")
    from npvae.training import History

    data = rows(20, 7)
    vae = VAE(2, 4, epochs=1, random_state=0).fit(data.x)
    vae.history_ = History()
    draw_pictures(vae, data, data, tmp_path)
    assert names(tmp_path) == ["latents"]


def test_without_matplotlib_the_reason_is_said(tmp_path, monkeypatch):
    for name in ("matplotlib", "matplotlib.axes", "matplotlib.figure", "matplotlib.lines", "matplotlib.ticker"):
        monkeypatch.setitem(sys.modules, name, None)
    data = rows(20, 25)
    vae = VAE(2, 4, epochs=1, random_state=0).fit(data.x)
    text = draw_pictures(vae, data, data, tmp_path)
    assert text.startswith("no pictures: ")
    assert 'pip install "npvae[plots]"' in text
    assert names(tmp_path) == []


def test_a_picture_says_model_and_data(tmp_path, monkeypatch):
    plots = pytest.importorskip("npvae.plots")
    titles = []
    real = plots.titled
    monkeypatch.setattr(plots, "titled", lambda picture, text: titles.append(text) or real(picture, text))
    data = rows(20, 25, name="nines")
    vae = VAE(3, 4, epochs=1, random_state=0).fit(data.x)
    draw_pictures(vae, data, data, tmp_path)
    assert "VAE, 3 latents, nines: samples" in titles
    assert "VAE, 3 latents, nines: learning curves" in titles
    vae.save(tmp_path / "model.npz")
    np.save(tmp_path / "rows.npy", data.x)
    path, output = str(tmp_path / "model.npz"), str(tmp_path / "a.png")
    assert main(["reconstruct", path, str(tmp_path / "rows.npy"), "-o", output]) == 0
    assert titles[-1] == "VAE, 3 latents, rows.npy: reconstruct"


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        (VAE(latent_dim=1, hidden=2, epochs=1, random_state=0), "VAE, 1 latent, digits"),
        (RBM(n_hidden=3, epochs=1, ais_steps=2, random_state=0), "RBM, 3 hidden units, digits"),
    ],
)
def test_a_picture_is_headed_by_the_model_and_its_latents_by_their_name(model, expected):
    assert title(model.fit(RNG.integers(0, 2, (20, 6)).astype(np.float32)), "digits") == expected


def test_a_run_leaves_all_pictures(files, here, capsys):
    pytest.importorskip("matplotlib")
    words = [word for word in TINY if word not in ("--no-pictures", "--quiet")]
    assert main(["train", files.images, "--labels", files.labels, "-o", "run", *words]) == 0
    drawn = {path.name for path in (here / "run").iterdir() if path.suffix == ".png"}
    names = ["learning_curves", "latents", "samples", "reconstructions", "interpolations", "manifold"]
    assert drawn == {f"{name}.png" for name in names}
    for name in drawn:
        assert (here / "run" / name).read_bytes().startswith(b"\x89PNG")
    assert f"drew {', '.join(f'{name}.png' for name in names)}" in capsys.readouterr().out
