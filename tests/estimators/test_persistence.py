"""A fitted model as a file: equal to the bit when it comes back, and refused whole when it is not one."""

import numpy as np
import pytest

import npvae
from npvae import VAE, storage, training
from npvae.storage import StorageError

X = np.random.default_rng(0).random((20, 4, 3)).astype(np.float32)
SETTINGS = {"latent_dim": 2, "hidden": (6, 5), "epochs": 2, "batch_size": 8, "random_state": 3}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.npz"


@pytest.fixture
def vae():
    return VAE(**SETTINGS).fit(X, X_val=X)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("likelihood", ["bernoulli", "gaussian"])
def test_outputs_are_equal_to_the_bit(path, dtype, likelihood):
    vae = VAE(**SETTINGS, dtype=dtype, likelihood=likelihood, beta=0.5).fit(X)
    vae.save(path)
    back = npvae.load(path)
    np.testing.assert_array_equal(back.theta_.flat, vae.theta_.flat)
    for method in ("transform", "reconstruct", "score_samples"):
        expected, got = getattr(vae, method)(X), getattr(back, method)(X)
        assert got.dtype == expected.dtype
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(back.sample(5, random_state=1), vae.sample(5, random_state=1))


def test_attributes_come_back(path, vae):
    vae.save(str(path))
    back = VAE.load(str(path))
    assert back.n_features_in_ == 12
    assert back.image_shape_ == (4, 3)
    assert back.grey_ is True
    assert back.seed_ == 3
    assert dict(back.history_) == dict(vae.history_)
    assert back.get_params() == vae.params_
    assert list(back.theta_) == list(vae.theta_)


def test_a_loaded_model_can_be_saved_again(path, tmp_path, vae):
    vae.save(path)
    npvae.load(path).save(tmp_path / "again.npz")
    assert (tmp_path / "again.npz").read_bytes() == path.read_bytes()


def test_a_loaded_model_can_be_fitted_again(path, vae):
    vae.save(path)
    back = npvae.load(path).fit(X, X_val=X)
    np.testing.assert_array_equal(back.theta_.flat, vae.theta_.flat)


def test_rows_that_are_no_picture(path):
    VAE(**SETTINGS).fit(X[:, :, :1].reshape(20, 4)[:, :3]).save(path)
    assert npvae.load(path).image_shape_ is None


def test_numbers_of_numpy_are_numbers(path):
    params = {
        "latent_dim": np.int64(2),
        "hidden": [np.int32(6), 5],
        "beta": np.float32(0.5),
        "learning_rate": np.float64(0.01),
        "epochs": np.int16(1),
        "verbose": np.bool_(False),
        "random_state": np.int64(4),
    }
    vae = VAE(**params).fit(X)
    vae.save(path)
    back = npvae.load(path)
    assert (back.latent_dim, back.hidden, back.beta, back.verbose) == (2, [6, 5], 0.5, False)
    np.testing.assert_array_equal(back.transform(X), vae.transform(X))


def test_a_range_of_widths(path):
    VAE(2, range(6, 4, -1), epochs=1).fit(X).save(path)
    assert npvae.load(path).hidden == [6, 5]


def test_a_generator_is_stored_as_the_seed_that_it_gave(path):
    vae = VAE(2, 4, epochs=1, random_state=np.random.default_rng(8)).fit(X)
    vae.save(path)
    back = npvae.load(path)
    assert back.random_state == vae.seed_
    np.testing.assert_array_equal(back.fit(X).theta_.flat, vae.theta_.flat)


def test_fresh_entropy_is_stored_with_its_seed(path):
    vae = VAE(2, 4, epochs=1).fit(X)
    vae.save(path)
    back = npvae.load(path)
    assert back.random_state is None
    assert back.seed_ == vae.seed_


def test_an_interrupted_first_epoch_can_be_saved(path):
    vae = VAE(**SETTINGS).fit(X)
    vae.history_ = training.History()
    vae.save(path)
    assert npvae.load(path).history_.n_rows == 0


def test_numpy_reads_the_arrays(path, vae):
    vae.save(path)
    with np.load(path) as file:
        np.testing.assert_array_equal(file["encoder.0.W"], vae.theta_["encoder.0.W"])


def test_a_cut_file_is_refused_wherever_it_is_cut(path, vae):
    vae.save(path)
    whole = path.read_bytes()
    for size in [0, 1, 4, 100, len(whole) // 3, len(whole) // 2, len(whole) - 1]:
        path.write_bytes(whole[:size])
        with pytest.raises(StorageError, match=r"model\.npz"):
            npvae.load(path)


def test_a_checkpoint_is_no_model(path, vae):
    training.save_checkpoint(path, vae.run_)
    with pytest.raises(StorageError, match=r"model\.npz: expected a model, got 'checkpoint'"):
        npvae.load(path)


def test_foreign_files_are_no_models(path):
    np.savez(path, a=np.zeros(3))
    with pytest.raises(StorageError, match="no npvae file"):
        npvae.load(path)
    path.write_text("a,b\n1,2\n")
    with pytest.raises(StorageError, match="no npvae file"):
        npvae.load(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(FileNotFoundError):
        npvae.load(tmp_path / "nothing.npz")
    with pytest.raises(IsADirectoryError):
        npvae.load(tmp_path)


def test_an_unknown_estimator_is_named(path, vae):
    vae.save(path)
    header, arrays = storage.load(path)
    storage.save(path, {**header, "estimator": "Oracle"}, arrays)
    with pytest.raises(StorageError, match=r"is a model 'Oracle' that is not known here: .*'VAE'"):
        npvae.load(path)


def test_a_history_of_any_length_can_be_saved(path, vae):
    n = 150_000
    columns = {name: np.random.default_rng(0).random(n).tolist() for name in vae.history_}
    vae.history_ = training.History({**columns, "epoch": list(range(1, n + 1)), "steps": list(range(n))})
    vae.save(path)
    assert npvae.load(path).history_["loss"] == vae.history_["loss"]


def test_a_model_keeps_the_identity_of_its_run(path, tmp_path, vae):
    vae.save(path)
    assert npvae.load(path).identity_ == vae.run_.identity
    assert vae.run_.identity != VAE(**SETTINGS).fit(X, X_val=X).run_.identity
    training.save_checkpoint(tmp_path / "c.npz", vae.run_)
    assert training.load_checkpoint(tmp_path / "c.npz").identity == vae.run_.identity
    for load, file in ((npvae.load, path), (training.load_checkpoint, tmp_path / "c.npz")):
        header, arrays = storage.load(file)
        storage.save(file, header | {"run": "\x1b[2J"}, arrays)
        with pytest.raises(StorageError, match="run should be the identity of a run"):
            load(file)
