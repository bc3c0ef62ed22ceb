"""Objects as options of a model file: written by import path, made anew when the file is read."""

import json

import numpy as np
import pytest

import npvae
from npvae import VAE, storage
from npvae.estimators.objects import described, rebuilt
from npvae.layers import Chain, Dense, LeakyReLU, Tanh, mlp
from npvae.storage import StorageError
from npvae.validation import ArgumentError

LAYER = ("shapes", "init", "forward", "backward")
X = np.random.default_rng(0).random((20, 9)).astype(np.float32)
SETTINGS = {"latent_dim": 2, "hidden": 4, "epochs": 1, "random_state": 0}


class Doubling(Tanh):
    """An activation of somebody's own."""


def test_an_object_is_its_import_path_and_its_arguments():
    text = json.dumps(described(LeakyReLU(0.25)))
    assert "LeakyReLU" in text
    assert "0.25" in text
    assert rebuilt(json.loads(text), LAYER).slope == 0.25


def test_a_whole_network_comes_back():
    network = rebuilt(json.loads(json.dumps(described(mlp(3, [5], 2, "tanh")))), LAYER)
    assert isinstance(network, Chain)
    assert network.shapes == {"0.W": (3, 5), "0.b": (5,), "2.W": (5, 2), "2.b": (2,)}
    assert isinstance(network.layers[0], Dense)


@pytest.mark.parametrize("value", [None, True, 3, 0.5, "relu", [1, 2]])
def test_plain_values_stay_what_they_are(value):
    assert rebuilt(described(value), ()) == value


def test_what_cannot_be_imported_is_not_written():
    class Local(Tanh):
        pass

    with pytest.raises(TypeError, match="define it at the top of a module"):
        described(Local())


def test_a_model_with_objects_is_stored_and_comes_back(tmp_path):
    vae = VAE(**SETTINGS, activation=LeakyReLU(0.2), encoder=mlp(9, [5], 4, "tanh")).fit(X)
    vae.save(tmp_path / "m.npz")
    back = npvae.load(tmp_path / "m.npz")
    assert back.activation.slope == 0.2
    np.testing.assert_array_equal(back.transform(X), vae.transform(X))


def test_a_path_that_no_longer_resolves_is_said(tmp_path):
    vae = VAE(**SETTINGS, activation=Doubling()).fit(X)
    vae.save(tmp_path / "m.npz")
    header, arrays = storage.load(tmp_path / "m.npz")
    header["params"]["activation"]["class"] = "gone.activations:Doubling"
    storage.save(tmp_path / "m.npz", header, arrays)
    with pytest.raises(StorageError, match=r"'gone\.activations:Doubling' cannot be imported"):
        npvae.load(tmp_path / "m.npz")


@pytest.mark.parametrize("path", ["subprocess:Popen", "os:system", "builtins:exec"])
def test_a_file_cannot_call_whatever_it_likes(tmp_path, path):
    description = {"class": path, "arguments": {"args": "false"}, "rest": []}
    with pytest.raises(ValueError, match=f"'{path}' must be a class with shapes, init, forward, backward"):
        rebuilt(description, LAYER)


def test_an_object_without_the_members_is_refused():
    with pytest.raises(ArgumentError, match="activation must be one of"):
        VAE(**SETTINGS, activation=object()).fit(X)
