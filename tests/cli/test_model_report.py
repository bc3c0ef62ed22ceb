"""``npvae score`` and ``npvae info``."""

import json

import numpy as np
import pytest

import npvae
from npvae.cli import main
from tests.cli.conftest import TINY


def test_score_prints_means_with_standard_errors(files, here, capsys):
    assert main(["score", files.model, files.images, "--samples", "3", "--seed", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    terms = npvae.load(files.model).elbo_terms(files.x, 3, 5)
    terms = {"negative_elbo": terms["reconstruction"] + terms["kl"], **terms}
    assert lines[0] == "60 rows, 3 samples of z each; nats per row"
    for line, (name, values) in zip(lines[1:], terms.items(), strict=True):
        error = np.sqrt(((values - values.mean()) ** 2).sum() / 59 / 60)
        assert line.split()[:4] == [name, f"{values.mean():.3f}", "±", f"{error:.3f}"]
    assert lines[2].endswith("(cross-entropy of grey pixels, not a likelihood)")
    assert not list(here.iterdir())


@pytest.mark.parametrize("ending", [".csv", ".npy", ".npz"])
def test_score_writes_rows(files, here, capsys, ending):
    assert main(["score", files.model, files.images, "--rows", "10:14", "-o", f"s{ending}"]) == 0
    terms = npvae.load(files.model).elbo_terms(files.x[10:14])
    expected = np.stack([terms["reconstruction"] + terms["kl"], terms["reconstruction"], terms["kl"]], axis=1)
    if ending == ".csv":
        assert (here / "s.csv").read_text().splitlines()[0] == "negative_elbo,reconstruction,kl"
        got = np.loadtxt("s.csv", delimiter=",", skiprows=1)
    else:
        got = np.load(f"s{ending}")
        got = got["scores"] if ending == ".npz" else got
    np.testing.assert_allclose(got, expected, rtol=1e-6)
    assert capsys.readouterr().out.endswith(f"wrote s{ending}\n")


def test_score_of_one_row(files, here, capsys):
    assert main(["score", files.model, files.images, "--rows", "4"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("1 row, 1 sample of z each; nats per row\n")
    assert "±" not in out


def test_score_makes_no_pictures(files, here, refused):
    text = refused("score", files.model, files.images, "-o", "s.png")
    assert "output must end in .npy, .npz, .csv, got 's.png'" in text


def test_score_of_binary_pixels_is_a_likelihood(files, here, capsys):
    main(["train", files.images, "-o", "run", "--binarize", "threshold", *TINY])
    main(["score", "run/model.npz", files.images])
    assert "(−log p(x|z))" in capsys.readouterr().out


def test_info_is_aligned_text(files, here, capsys):
    assert main(["info", files.model]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["model", "settings", "last epoch", "arrays"]
    facts = dict(line.strip().split(maxsplit=1) for line in lines if line.startswith("  "))
    assert facts["features"] == "36"
    assert facts["latent_dim"] == "2"
    assert facts["encoder.0.W"] == "36 × 8"
    vae = npvae.load(files.model)
    assert int(facts["parameters"]) == vae.theta_.flat.size
    assert float(facts["loss"]) == pytest.approx(vae.history_["loss"][-1], rel=1e-5)


def test_info_keeps_long_names_and_values_apart(files, here, capsys):
    main(["train", files.images, "-o", "run", "--test", files.images, *TINY])
    main(["info", "run/model.npz"])
    row = npvae.load("run/model.npz").history_.last()
    line = next(line for line in capsys.readouterr().out.splitlines() if "val_reconstruction" in line)
    assert float(line.split()[1]) == pytest.approx(row["val_reconstruction"], rel=1e-5)


def test_info_for_programs(files, here, capsys):
    assert main(["info", files.model, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    vae = npvae.load(files.model)
    assert facts["settings"] == vae.get_params()
    assert facts["last epoch"] == vae.history_.last()
    assert facts["model"]["image shape"] == [6, 6]
    assert facts["model"]["grey pixels"] is True
    levels = npvae.VAE(latent_dim=1, hidden=2, likelihood="discretized-logistic", epochs=1, random_state=0).fit(
        np.rint(files.x * 255) / 255
    )
    assert "grey pixels" not in levels.facts()


def test_score_tells_the_bits_a_dimension_where_the_data_are_discrete(files, here, capsys):
    assert main(["score", files.model, files.images]) == 0
    assert "bits a dimension" not in capsys.readouterr().out  # grey pixels under a Bernoulli have no likelihood
    x = (files.x > 0.5).astype(np.float32)
    np.save("binary.npy", x)
    assert main(["score", files.model, "binary.npy"]) == 0
    bits = -npvae.load(files.model).score_samples(x).mean() / 36 / np.log(2)
    assert f"  {bits:.4f} bits a dimension" in capsys.readouterr().out
