"""A model that remembers something between its steps."""

import numpy as np
import pytest

from npvae.optimizers import SGD
from npvae.training import TrainingRun, load_checkpoint, save_checkpoint, train
from tests.training.toys import Chain, Mean

SETTINGS = {"optimizer": SGD(0.1), "batch_size": 3, "seed": 2}
X = np.random.default_rng(0).normal(size=(10, 3)).astype(np.float32)


def test_the_state_of_a_step_goes_into_the_next():
    run = train(Chain(), Chain().init(None), X, epochs=2, **SETTINGS)
    assert run.state["steps"] == 8
    assert not np.array_equal(run.state["fantasy"], Chain().begin_state(np.random.default_rng([2, 0, 7]))["fantasy"])


@pytest.mark.parametrize("by_file", [True, False])
def test_a_resumed_run_has_the_bits_of_an_unbroken_one(tmp_path, by_file):
    settings = SETTINGS | {"x_val": X[:4], "patience": 9}
    straight = train(Chain(), Chain().init(None), X, epochs=5, **settings)
    part = train(Chain(), Chain().init(None), X, epochs=2, **settings)
    kept = {name: array.copy() for name, array in part.state.items()}
    if by_file:
        save_checkpoint(tmp_path / "c.npz", part)
        part = load_checkpoint(tmp_path / "c.npz")
    resumed = train(Chain(), part, X, epochs=5, **settings)
    np.testing.assert_array_equal(resumed.theta.flat, straight.theta.flat)
    assert resumed.history["val_loss"] == straight.history["val_loss"]
    for name, array in straight.state.items():
        np.testing.assert_array_equal(resumed.state[name], array)
        assert resumed.state[name].dtype == array.dtype
        np.testing.assert_array_equal(part.state[name], kept[name])


def test_a_run_of_a_model_without_state_is_refused_and_the_other_way_round():
    plain = train(Mean(), Mean().init(None), X, epochs=1, **SETTINGS)
    with pytest.raises(ValueError, match="start must have the state of the model"):
        train(Chain(), plain, X, epochs=2, **SETTINGS)
    with pytest.raises(ValueError, match="start must have no state"):
        train(Mean(), train(Chain(), Chain().init(None), X, epochs=1, **SETTINGS), X, epochs=2, **SETTINGS)


def test_an_empty_state_survives_a_file(tmp_path):
    run = TrainingRun.begin(Mean().init(None), SGD(), 0)
    run.state = {}
    save_checkpoint(tmp_path / "c.npz", run)
    assert load_checkpoint(tmp_path / "c.npz").state == {}
