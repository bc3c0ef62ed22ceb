"""``npvae detect``: flags, and where the threshold came from."""

import numpy as np
import pytest

import npvae
from npvae.cli import main


def test_flags_go_to_a_table(files, here, capsys):
    words = ["detect", files.model, files.images, "--normal", files.rows, "--contamination", "0.1", "-o", "flags.csv"]
    assert main(words) == 0
    out = capsys.readouterr().out
    assert "6 of 60 rows are outliers" in out
    assert files.rows in out
    assert (here / "flags.csv").read_text().splitlines()[0] == "flag,score,decision"
    flag, score, decision = np.loadtxt("flags.csv", delimiter=",", skiprows=1).T
    np.testing.assert_array_equal(flag, np.where(decision < 0, -1, 1))
    np.testing.assert_allclose(score, npvae.load(files.model).score_samples(files.x), rtol=1e-6)


@pytest.mark.parametrize("stored", [True, False])
def test_without_normal_rows_the_threshold_is_the_models_or_that_of_the_data(files, here, capsys, stored):
    model = npvae.load(files.model)
    if stored:
        model.learn_threshold(files.x, 0.25)
    model.save("m.npz")
    assert main(["detect", "m.npz", files.images]) == 0
    out = capsys.readouterr().out
    assert ("from the model's file, for a contamination of 0.25" in out) == stored
    assert ("from DATA itself, for a contamination of 0.05" in out) != stored


def test_what_cannot_be_is_refused(files, here, refused):
    assert "--contamination must be at most 0.5" in refused("detect", files.model, files.images, "--contamination", 0.7)
    assert "another file than the inputs" in refused("detect", files.model, files.rows, "-o", files.rows)


def test_columns_of_a_table_are_chosen_as_in_the_training(here, capsys):
    """The table has text and gaps, and its columns another order than in the training."""
    rng = np.random.default_rng(0)
    rows = [f"{i % 5},{'red' if i % 2 else 'blue'},{a:.3f},{'' if i % 7 == 0 else f'{b:.3f}'}" for i, (a, b) in
            enumerate(rng.standard_normal((40, 2)))]  # fmt: skip
    (here / "train.csv").write_text("\n".join(["extra,colour,a,b", *rows]) + "\n")
    moved = [",".join(row.split(",")[i] for i in (2, 3, 0, 1)) for row in rows]
    (here / "other.csv").write_text("\n".join(["a,b,extra,colour", *moved]) + "\n")
    drop = ["--drop", "extra"]
    assert main(["train", "train.csv", *drop, "-o", "run", "--hidden", "8", "--epochs", "1", "--no-pictures"]) == 0
    flags = []
    for name in ("train.csv", "other.csv"):
        assert main(["detect", "run/model.npz", name, "--normal", "train.csv", *drop, "-o", "flags.csv"]) == 0
        flags.append(np.loadtxt("flags.csv", delimiter=",", skiprows=1))
    np.testing.assert_allclose(flags[0], flags[1], rtol=1e-5)
    assert len(flags[0]) == 40
    for command, *words in (("traverse", 3), ("impute",)):
        assert main([command, "run/model.npz", "other.csv", *map(str, words), *drop, "-o", "made.csv"]) == 0, command
    capsys.readouterr()
