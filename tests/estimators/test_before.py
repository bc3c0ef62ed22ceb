"""What version 0.1 trained and wrote: the same seeds give the same bits, and its files are still read."""

from pathlib import Path

import numpy as np
import pytest

import npvae
from npvae import VAE, training

FILES = Path(__file__).parent / "files"
BEFORE = np.load(FILES / "trained_before.npz")
X, B = BEFORE["x"], BEFORE["b"]
BASE = {"latent_dim": 2, "hidden": 4, "epochs": 3, "batch_size": 16, "random_state": 5}

RUNS = {
    "bernoulli": ({}, B),
    "grey-dynamic": ({"binarize": "dynamic", "hidden": (5, 4), "activation": "tanh"}, X),
    "gaussian-pixel-full": ({"likelihood": "gaussian-pixel", "posterior": "full", "mean_link": "sigmoid"}, X),
    "iwae": ({"bound": "iwae", "n_samples": 3, "optimizer": "adagrad", "init_weights": "normal"}, B),
    "annealed": (
        {
            "beta": 2.0,
            "beta_schedule": "warm-up",
            "weight_prior": 1.0,
            "schedule": "cosine",
            "likelihood": "gaussian-shared",
        },
        X,
    ),
    "stl-float64": ({"bound": "stl", "n_samples": 2, "dtype": "float64", "likelihood": "continuous-bernoulli"}, X),
    "free-bits": ({"free_bits": 0.1, "binarize": "fixed"}, X),
}


@pytest.mark.parametrize("name", RUNS)
def test_an_old_seed_gives_the_old_parameters(name):
    params, x = RUNS[name]
    vae = VAE(**{**BASE, **params}).fit(x, X_val=x[:7])
    # Other machines round matrix products otherwise: there the last bits differ, never the course of the training.
    np.testing.assert_allclose(vae.theta_.flat, BEFORE[name], rtol=2e-4, atol=2e-5)
    np.testing.assert_allclose(vae.history_["loss"], BEFORE[f"{name}.history"], rtol=1e-5)


def test_a_model_file_of_format_1_is_read():
    vae, outputs = npvae.load(FILES / "format_1_model.npz"), np.load(FILES / "format_1_outputs.npz")
    assert (vae.latent_dim, vae.likelihood, vae.scale) == (2, "bernoulli", "none")
    np.testing.assert_allclose(vae.transform(B), outputs["z"], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(vae.reconstruct(B), outputs["x_hat"], rtol=1e-5)
    np.testing.assert_allclose(vae.sample(3, random_state=1), outputs["sample"], rtol=1e-5)


def test_a_checkpoint_of_format_1_goes_on_to_where_an_uninterrupted_run_ends():
    run = training.load_checkpoint(FILES / "format_1_checkpoint.npz")
    vae = VAE(**BASE).fit(B, resume_from=run)
    np.testing.assert_allclose(vae.theta_.flat, VAE(**BASE).fit(B).theta_.flat, rtol=2e-4, atol=2e-5)
