"""``npvae train`` where a run breaks down: what it says, and what it leaves."""

import numpy as np
import pytest

import npvae
from npvae import training
from npvae.cli import main
from tests.cli.conftest import TINY


def test_a_loss_that_is_not_finite_from_the_start_leaves_no_model(files, here, capsys):
    np.save("wild.npy", 1e30 * np.random.default_rng(0).standard_normal((20, 4)))
    assert main(["train", "wild.npy", "-o", "run", *TINY, "--likelihood", "gaussian", "--scale", "none"]) == 1
    warning, error = capsys.readouterr().err.splitlines()
    assert warning.startswith("npvae: warning: DATA has values of about 2.05e+29, where a network")
    assert "not finite at step 1" in error
    assert not (here / "run" / "model.npz").exists()


def test_a_broken_run_says_so_and_keeps_the_last_good_parameters(files, here, capsys):
    words = ["--epochs", "50", "--learning-rate", "1e6"]
    assert main(["train", files.images, "-o", "run", *TINY, *words]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert err.startswith("npvae: error: the loss stopped being finite at step ")
    assert "smaller learning rate, well below 1e+06, or a warm-up" in err
    assert "Adam" not in err
    assert np.isfinite(npvae.load("run/model.npz").theta_.flat).all()


def test_after_a_worker_died_it_is_said_how_to_go_on(files, here, capsys, monkeypatch):
    learn = training.train

    def dying(*arguments, **settings):
        run = learn(*arguments, **settings)
        run.stopped = "failed worker"
        raise training.WorkerError("worker 1 of 2 was killed by signal 9", run)

    monkeypatch.setattr(training, "train", dying)
    words = [word for word in TINY if word != "--quiet"]
    assert main(["train", files.images, "-o", "run", *words]) == 1
    said = capsys.readouterr()
    assert "npvae: error: worker 1 of 2 was killed by signal 9" in said.err
    assert said.out.endswith("to go on, repeat the command with --output run --resume\n")


@pytest.mark.parametrize("model", [["vae"], ["rbm", "--visible", "gaussian"], ["autoencoder"]])
def test_a_broken_run_draws_nothing_and_sums_nothing_up(files, here, capsys, model):
    words = ["--latent", "2"] if "rbm" not in model else []
    words += ["--epochs", "50", "--learning-rate", "1e12", "--hidden", "8", "--model", *model]
    assert main(["train", files.images, "-o", "run", *words]) == 1
    captured = capsys.readouterr()
    assert captured.out.splitlines()[1:] == ["wrote run/model.npz: the last good parameters, not a trained model"]
    assert "latents collapsed" not in captured.err
    assert not list((here / "run").glob("*.png"))
