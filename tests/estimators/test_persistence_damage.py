"""Model files whose contents are damaged, or claim what cannot be."""

import struct
import tracemalloc

import numpy as np
import pytest

import npvae
from npvae import VAE, storage
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
