"""A run as a file: the same bits come back, and nothing but a run is read."""

import numpy as np
import pytest

from npvae import storage
from npvae.optimizers import Adam
from npvae.training import load_checkpoint, save_checkpoint, train
from tests.training.toys import Mean, binary_rows, small_vae


@pytest.fixture
def trained():
    model, theta = small_vae()
    return train(model, theta, binary_rows(), epochs=3, batch_size=16, x_val=binary_rows(9), patience=3, seed=2**62 + 1)


def test_everything_comes_back(tmp_path, trained):
    save_checkpoint(tmp_path / "c.npz", trained)
    back = load_checkpoint(tmp_path / "c.npz")
    np.testing.assert_array_equal(back.theta.flat, trained.theta.flat)
    np.testing.assert_array_equal(back.best.flat, trained.best.flat)
    assert list(back.theta.shapes.items()) == list(trained.theta.shapes.items())
    assert back.theta.dtype == trained.theta.dtype
    for name, slot in trained.optimizer_state.slots.items():
        np.testing.assert_array_equal(back.optimizer_state.slots[name], slot)
    assert back.optimizer_state.t == trained.optimizer_state.t
    assert dict(back.history) == dict(trained.history)
    assert (back.seed, back.epoch, back.best_epoch) == (2**62 + 1, 3, trained.best_epoch)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_going_on_from_the_file_is_bit_identical_to_never_stopping(tmp_path, dtype):
    model, theta = small_vae()
    theta, x = theta.astype(dtype), binary_rows()
    settings = {"optimizer": Adam(0.01), "batch_size": 16, "seed": 5, "x_val": binary_rows(20), "patience": 9}
    straight = train(model, theta, x, epochs=6, **settings)
    path = tmp_path / "c.npz"

    def keep(run):
        save_checkpoint(path, run)
        return run.epoch == 4

    train(model, theta, x, epochs=6, callbacks=[keep], **settings)
    resumed = train(model, load_checkpoint(path), x, epochs=6, **settings)
    np.testing.assert_array_equal(resumed.theta.flat, straight.theta.flat)
    assert resumed.theta.dtype == dtype
    assert resumed.history["val_loss"] == straight.history["val_loss"]
    assert resumed.best_epoch == straight.best_epoch


def test_a_run_before_its_first_epoch(tmp_path):
    from npvae.training import TrainingRun

    _, theta = small_vae()
    save_checkpoint(tmp_path / "c.npz", TrainingRun.begin(theta, Adam(), 0))
    back = load_checkpoint(tmp_path / "c.npz")
    assert (back.epoch, back.history.n_rows, back.best) == (0, 0, None)


def test_a_model_is_no_checkpoint(tmp_path):
    from npvae import VAE

    vae = VAE(1, 3, epochs=1, random_state=0).fit(binary_rows())
    vae.save(tmp_path / "m.npz")
    with pytest.raises(storage.StorageError, match="expected a checkpoint, got 'estimator'"):
        load_checkpoint(tmp_path / "m.npz")


def test_another_file_is_no_checkpoint(tmp_path):
    storage.save(tmp_path / "x.npz", {}, {})
    with pytest.raises(storage.StorageError, match="expected a checkpoint, got 'another file'"):
        load_checkpoint(tmp_path / "x.npz")


def test_a_cut_file_is_refused(tmp_path, trained):
    path = tmp_path / "c.npz"
    save_checkpoint(path, trained)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(storage.StorageError):
        load_checkpoint(path)


def drop(name):
    return lambda header, arrays: header.pop(name)


def put(name, value):
    return lambda header, arrays: header.update({name: value})


def array(name, value):
    return lambda header, arrays: arrays.update({name: value})


@pytest.mark.parametrize(
    "damage",
    [
        drop("steps"),
        drop("seed"),
        put("steps", "many"),
        put("epoch", -1),
        put("epoch", 7),
        put("seed", None),
        put("history", [1, 2]),
        put("history", {"loss": 3}),
        put("history", {"loss": [1.0]}),
        lambda header, arrays: arrays.clear(),
        lambda header, arrays: arrays.pop("history.loss"),
        lambda header, arrays: arrays.pop("theta.encoder.0.W"),
        put("best_epoch", 4),
        put("best_epoch", 0),
        array("theta.encoder.0.b", np.full(5, np.nan, np.float32)),
        put("terms", [1]),
        put("terms", {"kl": {"label": "KL", "unit": "nats"}}),
        put("terms", {"kl": {"label": 3, "unit": "nats", "weight": 1.0}}),
        put("terms", {"kl": {"label": "KL", "unit": "nats", "weight": True}}),
        array("history.loss", np.zeros(2)),
        array("history.loss", np.zeros((3, 1))),
        array("history.loss", np.zeros(3, np.bool_)),
        array("other.loss", np.zeros(3)),
        array("slot.m", np.zeros(3, np.float32)),
        array("slot.m", np.zeros(1)),
        array("best.encoder.0.W", np.zeros((2, 2), np.float32)),
        array("theta.encoder.0.W", np.zeros((6, 5), np.int32)),
    ],
)
def test_parts_that_do_not_fit_each_other_are_refused(tmp_path, trained, damage):
    path = tmp_path / "c.npz"
    save_checkpoint(path, trained)
    header, arrays = storage.load(path)
    damage(header, arrays)
    storage.save(path, header, arrays)
    with pytest.raises(storage.StorageError, match="does not describe a checkpoint"):
        load_checkpoint(path)


def test_a_failed_save_keeps_the_old_checkpoint(tmp_path, trained):
    path = tmp_path / "c.npz"
    save_checkpoint(path, trained)
    before = path.read_bytes()
    trained.settings["sigma"] = float("nan")
    with pytest.raises(ValueError, match="finite"):
        save_checkpoint(path, trained)
    assert path.read_bytes() == before


def test_a_checkpoint_of_the_first_format_is_read(tmp_path, trained):
    path = tmp_path / "c.npz"
    save_checkpoint(path, trained)
    header, arrays = storage.load(path)
    for name in ("terms", "has_state"):
        header.pop(name)
    columns = {name: list(column) for name, column in trained.history.items()} | {"beta": [0.1, 0.2, 0.3]}
    old = {name: array for name, array in arrays.items() if not name.startswith("history.")}
    storage.save(path, header | {"history": columns}, old)
    back = load_checkpoint(path)
    assert dict(back.history) == dict(trained.history) | {"weight_kl": [0.1, 0.2, 0.3]}
    assert {term.label for term in back.history.terms.values()} == {"reconstruction", "kl"}
    np.testing.assert_array_equal(back.theta.flat, trained.theta.flat)


def test_what_the_columns_are_comes_back(tmp_path, trained):
    assert trained.history.terms["kl"].label == "KL(q(z|x) ‖ p(z))"
    save_checkpoint(tmp_path / "c.npz", trained)
    assert load_checkpoint(tmp_path / "c.npz").history.terms == trained.history.terms


def test_a_history_of_many_epochs_fits(tmp_path):
    model = Mean()
    run = train(model, model.init(None), np.ones((2, 3)), epochs=1)
    for name, column in run.history.items():
        run.history[name] = list(range(1, 200_001)) if name == "epoch" else column * 200_000
    run.epoch = 200_000
    save_checkpoint(tmp_path / "c.npz", run)
    assert dict(load_checkpoint(tmp_path / "c.npz").history) == dict(run.history)
