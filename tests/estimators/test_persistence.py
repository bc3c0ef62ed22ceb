"""A fitted model as a file: equal to the bit when it comes back, and refused whole when it is not one."""

import struct
import tracemalloc

import numpy as np
import pytest

import npvae
from npvae import VAE, storage, training
from npvae.estimators import registry
from npvae.estimators.options import options_of
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


def header(**changes):
    return lambda header, arrays: header.update(changes)


def params(**changes):
    return lambda header, arrays: header["params"].update(changes)


def arrays(**changes):
    return lambda header, arrays: arrays.update({name.replace("_", "."): value for name, value in changes.items()})


DAMAGE = {
    "another width": (params(hidden=[6, 7]), r"decoder\.0\.W should have shape \(2, 7\), got \(2, 5\)"),
    "another depth": (params(hidden=[6]), r"decoder\.0\.W should have shape \(2, 6\), got \(2, 5\)"),
    "a huge width": (params(hidden=[10**15, 5]), r"should have shape"),
    "huge data": (header(n_features=10**15), r"should have shape"),
    "a negative width": (params(hidden=[-6, 5]), r"hidden\[0\] must be at least 1"),
    "no latents": (params(latent_dim=0), "latent_dim must be at least 1"),
    "unknown activation": (params(activation="step"), "activation must be one of"),
    "unknown parameter": (params(colour="red"), "it has no option colour"),
    "beta that is none": (params(beta="big"), "beta must be a number"),
    "no features": (header(n_features=None), "n_features must be an integer"),
    "integer type": (params(dtype="int8"), "dtype"),
    "another precision": (params(dtype="float64"), r"should have dtype float64, got float32"),
    "another shape": (
        arrays(encoder_0_b=np.zeros(5, np.float32)),
        r"encoder\.0\.b should have shape \(6,\), got \(5,\)",
    ),
    "one array more": (
        arrays(encoder_9_b=np.zeros(5, np.float32)),
        r"encoder\.9\.b should have shape None, got \(5,\)",
    ),
    "complex numbers": (arrays(encoder_0_b=np.zeros(6, complex)), "should have dtype float32, got complex128"),
    "NaN": (arrays(encoder_0_b=np.full(6, np.nan, np.float32)), "not all parameters are finite"),
    "infinity": (arrays(encoder_0_b=np.full(6, np.inf, np.float32)), "not all parameters are finite"),
    "history that is none": (header(history=[1, 2]), "does not describe a VAE"),
    "history of numbers": (header(history={"loss": 3}), "does not describe a VAE"),
    "picture of another size": (header(image_shape=[5, 5]), r"image_shape should have 12 pixels, got \(5, 5\)"),
    "picture without size": (header(image_shape="square"), "image_shape"),
    "seed that is none": (header(seed="x"), "seed must be an integer"),
    "params that are none": (header(params=[1]), "does not describe a VAE"),
}


@pytest.mark.parametrize("name", DAMAGE)
def test_contents_that_do_not_fit_are_refused(path, vae, name):
    damage, text = DAMAGE[name]
    vae.save(path)
    parts = storage.load(path)
    damage(*parts)
    storage.save(path, *parts)
    with pytest.raises(StorageError, match=text) as caught:
        npvae.load(path)
    assert "\n" not in str(caught.value)
    assert str(caught.value).startswith(str(path))


@pytest.mark.parametrize("key", ["params", "n_features", "image_shape", "grey", "seed"])
def test_a_header_without_an_entry_is_refused(path, vae, key):
    vae.save(path)
    header, arrays = storage.load(path)
    del header[key]
    storage.save(path, header, arrays)
    with pytest.raises(StorageError, match=f"does not describe a VAE: '{key}'"):
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


def test_one_array_less_is_refused(path, vae):
    vae.save(path)
    header, arrays = storage.load(path)
    del arrays["decoder.4.b"]
    storage.save(path, header, arrays)
    with pytest.raises(StorageError, match=r"decoder\.4\.b should have shape \(12,\), got None"):
        npvae.load(path)


@pytest.mark.parametrize("name", ["a huge width", "huge data"])
def test_a_claim_allocates_nothing(path, vae, name):
    vae.save(path)
    parts = storage.load(path)
    DAMAGE[name][0](*parts)
    storage.save(path, *parts)
    tracemalloc.start()
    try:
        with pytest.raises(StorageError):
            npvae.load(path)
        assert tracemalloc.get_traced_memory()[1] < 1e6
    finally:
        tracemalloc.stop()


def test_a_flipped_bit_is_noticed(path, vae):
    vae.save(path)
    content = bytearray(path.read_bytes())
    where = content.index(struct.pack("<f", vae.theta_["decoder.4.b"][5]))
    content[where] ^= 1
    path.write_bytes(content)
    with pytest.raises(StorageError):
        npvae.load(path)


def every_model():
    """A small fitted model of every name in the registry, and one of a table."""
    bits = (X.reshape(20, 12) > 0.5).astype(np.float32)
    fitted = {}
    for name in registry.names():
        cls = registry.estimator_class(name)
        small = {"epochs": 2, "batch_size": 8, "latent_dim": 2, "hidden": 4, "n_hidden": 3, "n_components": 2}
        small |= {"latent_dims": (3, 2), "ais_steps": 10, "ais_runs": 4, "random_state": 3}
        fitted[name] = cls(**{key: value for key, value in small.items() if key in options_of(cls)}).fit(bits)
    fitted["vae"].learn_threshold(bits).fit_latent_model(bits, npvae.GaussianMixture(2, random_state=0))
    table = {"a": [1.5, 2.5, None, 9.0] * 5, "b": ["x", "y", "z", None] * 5, "c": [0, 1, 1, 5] * 5}
    fitted["table"] = VAE(2, 4, epochs=1, random_state=0).fit(pytest.importorskip("pandas").DataFrame(table))
    return fitted


@pytest.fixture(scope="module")
def every_file(tmp_path_factory):
    """The files of `every_model`, by name."""
    folder = tmp_path_factory.mktemp("models")
    for name, model in every_model().items():
        model.save(folder / f"{name}.npz")
    return {path.stem: path for path in sorted(folder.iterdir())}


SENSELESS = (None, [], {}, "x", -1, 0.5, True, [1, 2], {"a": 1}, "\x1b[2J", 10**30, [[]] * 3)


def places(value, path=()):
    """The paths of all entries of a header."""
    yield path
    if isinstance(value, dict | list):
        entries = value.items() if isinstance(value, dict) else enumerate(value)
        for key, entry in entries:
            yield from places(entry, (*path, key))


def changed(value, path, entry):
    """A copy of a header with another entry at a path."""
    if not path:
        return entry
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = changed(value[path[0]], path[1:], entry)
    return copy


@pytest.mark.parametrize("name", [*registry.names(), "table"])
def test_every_entry_of_every_header_is_judged_when_it_is_read(every_file, tmp_path, name):
    """What is read after a change has understood it: written again, it is the same file."""
    header, arrays = storage.load(every_file[name])
    draw = np.random.default_rng(0)
    refused, path, again = 0, tmp_path / "m.npz", tmp_path / "n.npz"
    paths = [place for place in places(header) if place]
    for place in paths:
        for entry in draw.choice(np.array(SENSELESS, dtype=object), 2, replace=False):
            storage.save(path, changed(header, place, entry), arrays)
            try:
                model = npvae.load(path)
            except StorageError:
                refused += 1
                continue
            model.facts(), model.get_params(), str(model.scaling_), model.history_.last()
            model.save(again)
            assert storage.load(again)[0] == storage.load(path)[0], place
    assert refused > 0.7 * len(paths)
    storage.save(path, {**header, "more": 1}, arrays)
    with pytest.raises(StorageError, match="an entry 'more' that is not known here"):
        npvae.load(path)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (params(hidden=[1] * 10_000), "hidden should have no more entries than there are layers"),
        (params(hidden=[1] * 1_000_000), "parts, more than the"),
        (header(image_shape=[1] * 10_000), "image_shape should have at most 31 axes"),
        (header(feature_names=["a"] * 200_000), "parts, more than the"),
        (header(terms={"a": {str(i): {} for i in range(50_000)}}), "more than the"),
    ],
)
def test_a_header_that_the_arrays_do_not_bear_out_is_refused_before_anything_is_built(path, vae, change, text):
    vae.save(path)
    parts = storage.load(path)
    change(*parts)
    storage.save(path, *parts)
    tracemalloc.start()
    try:
        with pytest.raises(StorageError, match=text):
            npvae.load(path)
        assert tracemalloc.get_traced_memory()[1] < 4 * path.stat().st_size + 1e6
    finally:
        tracemalloc.stop()
