"""``npvae train``: what it leaves, where, and how it goes on."""

import csv
import math
import os
import shutil

import numpy as np
import pytest

import npvae
from npvae import VAE, datasets, training
from npvae.cli import arguments, main
from tests.cli.conftest import TINY


def test_leaves_a_model_a_history_and_a_checkpoint(files, here, capsys):
    assert main(["train", files.images, "-o", "run", *TINY]) == 0
    assert sorted(path.name for path in (here / "run").iterdir()) == ["checkpoint.npz", "history.csv", "model.npz"]
    vae = npvae.load("run/model.npz")
    assert vae.image_shape_ == (6, 6)
    with open("run/history.csv", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["epoch", "steps", "seconds", "loss", "reconstruction", "kl"]
    assert [float(value) for value in rows[0]] == [column[0] for column in vae.history_.values()]
    assert training.load_checkpoint("run/checkpoint.npz").epoch == 1
    assert capsys.readouterr() == ("", "")


def test_is_the_estimator(files, here):
    options = "--latent 3 --hidden 8,5 --activation tanh --likelihood gaussian --init normal --beta 0.5 --samples 2"
    options += " --epochs 2 --batch 16 --optimizer sgd --learning-rate 0.01 --schedule warm-up --dtype float64 --seed 7"
    assert main(["train", files.images, "-o", "run", "--no-pictures", "--quiet", *options.split()]) == 0
    vae = VAE(
        latent_dim=3,
        hidden=(8, 5),
        activation="tanh",
        likelihood="gaussian",
        init_weights="normal",
        beta=0.5,
        n_samples=2,
        epochs=2,
        batch_size=16,
        optimizer="sgd",
        learning_rate=0.01,
        schedule="warm-up",
        dtype="float64",
        random_state=7,
    ).fit(np.load(files.images))
    loaded = npvae.load("run/model.npz")
    np.testing.assert_array_equal(loaded.theta_.flat, vae.theta_.flat)
    assert loaded.get_params() == {**vae.get_params(), "hidden": [8, 5], "n_jobs": "auto"}


def test_is_the_estimator_of_the_whole_family(files, here):
    options = "--likelihood gaussian --mean-link sigmoid --sigma 0.2 --bound stl --samples 3 --beta 0.5"
    options += " --beta-schedule cyclical --weight-prior 2"
    assert main(["train", files.images, "-o", "run", *TINY, *options.split()]) == 0
    settings = {"likelihood": "gaussian", "mean_link": "sigmoid", "sigma": 0.2, "bound": "stl", "n_samples": 3}
    settings |= {"beta": 0.5, "beta_schedule": "cyclical", "weight_prior": 2.0, "random_state": 0}
    vae = VAE(2, 8, epochs=1, **settings).fit(np.load(files.images))
    np.testing.assert_array_equal(npvae.load("run/model.npz").theta_.flat, vae.theta_.flat)
    assert main(["train", files.images, "-o", "other", *TINY, "--posterior", "full", "--epochs", "2"]) == 0
    assert main(["train", files.images, "-o", "other", *TINY, "--posterior", "full", "--epochs", "3", "--resume"]) == 0
    assert main(["train", files.images, "-o", "third", *TINY, "--free-bits", "0.5"]) == 0
    assert npvae.load("third/model.npz").free_bits == 0.5


@pytest.mark.parametrize("binarize", ["threshold", "fixed", "dynamic"])
def test_binarize(files, here, binarize):
    main(["train", files.images, "-o", "run", "--binarize", binarize, *TINY])
    expected = VAE(2, 8, epochs=1, binarize=binarize, random_state=0).fit(files.x)
    np.testing.assert_array_equal(npvae.load("run/model.npz").theta_.flat, expected.theta_.flat)


def test_says_what_it_does(files, here, capsys):
    words = [word for word in TINY if word != "--quiet"]
    assert main(["train", files.images, "--test", files.rows, "--limit", "50", "-o", "my run", *words]) == 0
    out, err = capsys.readouterr()
    first, trained, held_out, last = out.splitlines()
    assert first == "images.npy: 50 rows of 36 features, 60 held out"
    row = npvae.load("my run/model.npz").history_.last()
    assert trained.startswith(f"train: {row['loss']:.2f} nats per image = {row['reconstruction']:.2f} reconstruction")
    assert "(cross-entropy of grey pixels, not a likelihood)" in trained
    assert held_out.startswith(f"held-out: {row['val_loss']:.2f} nats per image")
    assert last == "wrote my run/model.npz; try: npvae sample 'my run/model.npz' -o samples.csv"
    assert err.startswith("1 process computes every batch\nepoch 1/1 | loss ")
    assert [line for line in err.splitlines()[2:] if "latents collapsed" not in line] == []


def test_binary_pixels_have_a_likelihood(files, here, capsys):
    words = [word for word in TINY if word != "--quiet"]
    main(["train", files.images, "-o", "run", "--binarize", "threshold", *words])
    assert "reconstruction (−log p(x|z))" in capsys.readouterr().out


def test_learns_the_embedded_digits_without_data(here, monkeypatch, capsys):
    monkeypatch.setattr(arguments, "DIGITS", 50)
    words = [word for word in TINY if word != "--quiet"]
    assert main(["train", *words]) == 0
    assert capsys.readouterr().out.startswith("embedded digits: 50 rows of 784 features, 50 held out")
    vae = npvae.load("npvae-run/model.npz")
    expected = VAE(2, 8, epochs=1, random_state=0).fit(
        datasets.digits(50, seed=0).x, X_val=datasets.digits(50, seed=1).x
    )
    np.testing.assert_array_equal(vae.theta_.flat, expected.theta_.flat)
    assert vae.history_["val_loss"] == expected.history_["val_loss"]


def test_a_folder_called_digits_is_not_held_out_from_itself(files, here, capsys):
    os.rename(shutil.copy(files.images, "images.npy"), "digits")
    words = [word for word in TINY if word != "--quiet"]
    assert main(["train", "digits", *words]) == 0
    assert capsys.readouterr().out.startswith("digits: 60 rows of 36 features\n")


def test_folders_are_numbered(files, here):
    for _ in range(3):
        assert main(["train", files.images, *TINY]) == 0
    assert sorted(path.name for path in here.iterdir()) == ["npvae-run", "npvae-run-2", "npvae-run-3"]


def test_folders_on_the_way_are_made(files, here):
    assert main(["train", files.images, "-o", "a/b/c", *TINY]) == 0
    assert (here / "a/b/c/model.npz").exists()


@pytest.mark.parametrize("name", ["model.npz", "checkpoint.npz", "history.csv"])
def test_nothing_is_overwritten(files, here, refused, name):
    (here / "run").mkdir()
    (here / "run" / name).write_text("mine")
    text = refused("train", files.images, "-o", "run", *TINY)
    assert f"run/{name} exists: give another --output, or --overwrite, or --resume" in text
    assert [path.name for path in (here / "run").iterdir()] == [name]
    assert (here / "run" / name).read_text() == "mine"


def test_a_folder_with_other_things_is_welcome(files, here):
    (here / "run").mkdir()
    (here / "run" / "notes.txt").write_text("mine")
    assert main(["train", files.images, "-o", "run", *TINY]) == 0
    assert (here / "run" / "notes.txt").read_text() == "mine"


def test_overwrite(files, here):
    main(["train", files.images, "-o", "run", *TINY])
    assert main(["train", files.images, "-o", "run", *TINY, "--latent", "3", "--overwrite"]) == 0
    assert npvae.load("run/model.npz").latent_dim == 3


def test_resume_is_bit_identical_to_never_stopping(files, here):
    assert main(["train", files.images, "-o", "straight", *TINY, "--epochs", "3"]) == 0
    assert main(["train", files.images, "-o", "halves", *TINY, "--epochs", "2"]) == 0
    assert main(["train", files.images, "-o", "halves", *TINY, "--epochs", "3", "--resume"]) == 0
    straight, halves = npvae.load("straight/model.npz"), npvae.load("halves/model.npz")
    np.testing.assert_array_equal(halves.theta_.flat, straight.theta_.flat)
    assert halves.history_["loss"] == straight.history_["loss"]
    assert (here / "halves/history.csv").read_text().count("\n") == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--hidden", "9"], "--hidden must be [8], as it was when the run began, got [9]"),
        (["--optimizer", "sgd"], "--optimizer must be 'adam', as it was when the run began, got 'sgd'"),
        (["--dtype", "float64"], "--dtype must be 'float32', as it was when the run began, got 'float64'"),
        (["--beta", "2"], "--beta must be 1.0, as it was when the run began, got 2.0"),
        (["--activation", "tanh"], "--activation must be 'relu'"),
        (["--limit", "50"], "the number of rows (DATA, --limit) must be 60, as it was when the run began, got 50"),
    ],
)
def test_resume_refuses_other_settings_and_keeps_the_files(files, here, refused, options, words):
    main(["train", files.images, "-o", "run", *TINY])
    before = {path.name: path.read_bytes() for path in (here / "run").iterdir()}
    assert words in refused("train", files.images, "-o", "run", *TINY, "--epochs", "2", "--resume", *options)
    assert {path.name: path.read_bytes() for path in (here / "run").iterdir()} == before


def test_overwrite_keeps_the_earlier_run_until_there_is_another(files, here, refused):
    main(["train", files.images, "-o", "run", *TINY])
    before = {path.name: path.read_bytes() for path in (here / "run").iterdir()}
    refused("train", files.images, "-o", "run", *TINY, "--overwrite", "--latent", "-3")
    refused("train", files.images, "-o", "run", *TINY, "--overwrite", "--test", "nothing.npy")
    refused("train", files.images, "-o", "run", *TINY, "--overwrite", "--resume")
    assert {path.name: path.read_bytes() for path in (here / "run").iterdir()} == before


def test_going_on_with_another_seed_is_refused(files, here, refused):
    main(["train", files.images, "-o", "run", *TINY])
    words = refused("train", files.images, "-o", "run", *TINY, "--epochs", "2", "--resume", "--seed", "3")
    assert "--seed must be 0, as it was when the run began, got 3" in words


def test_the_weighted_loss_is_shown_as_such(files, here, capsys):
    words = [word for word in TINY if word != "--quiet"]
    main(["train", files.images, "-o", "run", *words, "--beta", "4", "--no-pictures"])
    trained = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("train:"))
    row = npvae.load("run/model.npz").history_.last()
    assert trained.startswith(f"train: {row['loss']:.2f} nats per image = {row['reconstruction']:.2f} reconstruction")
    assert f"+ 4 · {row['kl']:.2f} KL" in trained


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        ("--bound iwae --samples 3", "KL(q(z|x) ‖ p(z)) − {tightening:.2f} by which L_k is tighter"),
        ("--free-bits 1 --beta 2", "2 · {kl:.2f} KL(q(z|x) ‖ p(z)) + 2 · {free_bits:.2f} free bits"),
        ("--weight-prior 6", "+ 0.1 · {weights:.2f} ½‖weights‖²"),
        ("--beta-schedule warm-up", "+ weight(t) · {kl:.2f} KL(q(z|x) ‖ p(z))"),
    ],
)
def test_every_term_of_the_loss_is_shown_with_its_weight(files, here, capsys, options, ending):
    words = [word for word in TINY if word != "--quiet"]
    main(["train", files.images, "-o", "run", *words, *options.split()])
    trained = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("train:"))
    row = npvae.load("run/model.npz").history_.last()
    assert trained.endswith(ending.format(**{name: abs(value) for name, value in row.items()}))


def test_overwrite_leaves_no_pictures_of_the_earlier_run(files, here):
    (here / "run").mkdir()
    for name in ("model.npz", "manifold.png", "mine.png"):
        (here / "run" / name).write_text("old")
    assert main(["train", files.images, "-o", "run", *TINY, "--overwrite", "--no-pictures"]) == 0
    assert {path.name for path in (here / "run").iterdir()} == {
        "model.npz",
        "history.csv",
        "checkpoint.npz",
        "mine.png",
    }


def test_resume_needs_something_to_resume(files, here, refused):
    assert "--resume needs the run's folder: give --output" in refused("train", files.images, "--resume")
    assert f"--resume finds no run{'/'}checkpoint.npz" in refused("train", files.images, "--resume", "-o", "run")
    assert not list(here.iterdir())


def test_patience_keeps_the_best(files, here):
    words = ["--epochs", "40", "--patience", "1", "--learning-rate", "0.3", "--test", files.rows]
    assert main(["train", files.images, "-o", "run", *TINY, *words]) == 0
    vae = npvae.load("run/model.npz")
    run = training.load_checkpoint("run/checkpoint.npz")
    assert run.epoch == vae.history_.n_rows < 40
    np.testing.assert_array_equal(vae.theta_.flat, run.best.flat)


def test_a_resumed_run_with_fewer_epochs_than_are_done_is_refused_and_nothing_written(files, here, refused, capsys):
    words = ["train", files.images, "-o", "run", *TINY]
    assert main([*words, "--epochs", "3"]) == 0
    before = {path.name: path.read_bytes() for path in (here / "run").iterdir()}
    said = refused(*words, "--epochs", "2", "--resume")
    assert "--epochs must be at least 3, which the run has done already, got 2" in said
    assert {path.name: path.read_bytes() for path in (here / "run").iterdir()} == before
    assert main([*words[:-1], "--epochs", "3", "--resume"]) == 0
    assert "all 3 epochs of the run were done before: there is nothing left to train" in capsys.readouterr().err


def test_numbers_are_no_bits(files, here, refused):
    (here / "table.csv").write_text("a,b\n" + "\n".join(f"{i}.5,{-i}" for i in range(20)))
    for model in ("vae", "rbm", "binary-vae", "sbn"):
        said = refused("train", "table.csv", "--model", model, "--binarize", "threshold", "--quiet")
        assert "DATA must lie in [0, 1] with --binarize threshold, got values from -19 to 19.5; divide" in said
        assert "gaussian" not in said
    said = refused("train", "table.csv", "--model", "sbn", "--quiet")
    assert "DATA must be 0 or 1, got values from -19 to 19.5; this is a model of bits" in said


def test_jobs_are_a_number_or_auto(files, here, refused):
    said = refused("train", files.images, "--jobs", "many", "-o", "run")
    assert "argument --jobs: must be an integer or auto, got 'many'" in said


def test_with_patience_the_numbers_are_those_of_the_model_that_is_kept(files, here, capsys):
    words = [word for word in TINY if word != "--quiet"]
    words += ["--epochs", "40", "--patience", "2", "--learning-rate", "0.3", "--test", files.rows, "--no-pictures"]
    assert main(["train", files.images, "-o", "run", *words]) == 0
    held_out = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("held-out:"))
    best = min(npvae.load("run/model.npz").history_["val_loss"])
    assert held_out.startswith(f"held-out: {best:.2f} nats")


@pytest.mark.parametrize("model", [["binary-vae", "--hidden", "none"], ["sbn", "--sweeps", "1"]])
def test_binary_models_are_trained_evaluated_and_drawn_like_the_others(model, tmp_path, capsys):
    folder = tmp_path / "run"
    data = tmp_path / "x.npy"
    np.save(data, datasets.digits(30, seed=0).x)
    options = ["--binarize", "threshold", "--epochs", "1", "--latent", "4,2", "--no-pictures", "--output", str(folder)]
    assert main(["train", str(data), "--model", *model, *options]) == 0
    assert main(["evaluate", str(folder / "model.npz"), str(data), "--k", "5"]) == 0
    assert "−L_5" in capsys.readouterr().out


def test_training_on_discrete_data_ends_with_bits_a_dimension(files, here, capsys):
    loud = [word for word in TINY if word != "--quiet"]
    assert main(["train", files.images, "-o", "grey", *loud]) == 0
    assert "bits a dimension" not in capsys.readouterr().out  # grey pixels under a Bernoulli have no likelihood
    assert main(["train", files.images, "-o", "binary", "--binarize", "dynamic", *loud]) == 0
    last = npvae.load("binary/model.npz").history_.last()
    bits = (last["reconstruction"] + last["kl"]) / 36 / math.log(2)
    assert f"; −ELBO is {bits:.4f} bits a dimension" in capsys.readouterr().out
