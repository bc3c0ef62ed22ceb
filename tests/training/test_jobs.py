"""The number of processes by scikit-learn's conventions."""

import pytest

from npvae.layers import Chain as MLP
from npvae.layers import Conv2D, Dense, Residual, Tanh
from npvae.layers.products import multiplications
from npvae.models import VAE, BinaryVAE, SigmoidBeliefNetwork
from npvae.training import jobs
from npvae.training.jobs import cores, fastest_jobs, number_of_jobs
from npvae.validation import ArgumentError
from tests.training.toys import Chain, small_vae


def test_none_is_one_and_negative_numbers_count_from_all_cores(monkeypatch):
    monkeypatch.setattr(jobs, "cores", lambda: 4)
    assert [number_of_jobs(n) for n in (None, 1, 3, 9, -1, -2, -4, -9)] == [1, 1, 3, 9, 4, 3, 1, 1]


def test_there_is_a_core():
    assert cores() >= 1


def test_zero_and_what_is_no_integer_are_refused():
    with pytest.raises(ArgumentError, match=r"n_jobs must be a positive number of processes, .* got 0"):
        number_of_jobs(0)
    for value in (1.5, "2", True):
        with pytest.raises(TypeError, match="n_jobs must be an integer or None, got"):
            number_of_jobs(value)


def test_a_long_training_takes_all_cores_and_one_that_is_short_or_cannot_be_shared_takes_one(monkeypatch):
    monkeypatch.setattr(jobs, "cores", lambda: 4)
    model, theta = small_vae()
    rows = -(-int(jobs.WORTH_WORKERS) // (6 * theta.flat.size * 10))
    assert fastest_jobs(model, rows, 10) == 4
    assert fastest_jobs(model, rows, 9) == 1
    assert fastest_jobs(Chain(), 10**12, 10) == 1
    assert fastest_jobs(small_vae(free_bits=0.1)[0], rows, 10) == 1


def test_draws_windows_and_sweeps_make_a_training_longer(monkeypatch):
    monkeypatch.setattr(jobs, "cores", lambda: 4)
    weights = 50 * 400 + 400 + 400 * 784 + 784
    assert VAE.mlp(784, 50, 400, n_samples=7).operations == 6 * ((784 * 400 + 400 + 400 * 100 + 100) + 7 * weights)
    assert multiplications(Conv2D((28, 28, 1), 32, 4, stride=2, padding=1)) == 14 * 14 * (4 * 4 * 32 + 32)
    assert multiplications(MLP(Dense(3, 4), Tanh(), Residual(Dense(4, 4)))) == (12 + 4) + (16 + 4)
    assert fastest_jobs(SigmoidBeliefNetwork(784, 64), 600, 60) == 4
    assert fastest_jobs(SigmoidBeliefNetwork(64, 8), 600, 1) == 1


def test_only_what_a_model_hands_from_step_to_step_keeps_it_from_sharing(monkeypatch):
    monkeypatch.setattr(jobs, "cores", lambda: 4)
    estimators = ("vimco", "nvil", "running-average", "disarm")
    assert [fastest_jobs(BinaryVAE(784, (200,), estimator=name, n_samples=2), 10**5, 100) for name in estimators] == [
        4, 1, 1, 4,
    ]  # fmt: skip
