"""The images that all who race read, binarisations of MNIST, and the scenes of AEVB's figures."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from npvae import datasets
from npvae.distributions import Bernoulli, LearnedGaussian
from npvae.models import VAE, Model, WakeSleep

__all__ = [
    "ALGORITHMS",
    "TEST_DRAW",
    "Scene",
    "binarize",
    "data_folder",
    "digit_images",
    "image_file",
    "images",
    "scene",
]

TEST_DRAW = 0
"""Seed of the one draw by which the test images are binarised."""

ALGORITHMS: dict[str, Callable[[VAE], Model]] = {"aevb": lambda vae: vae, "wake-sleep": WakeSleep}
"""The model that trains a VAE's networks by each algorithm."""

TRAIN_IMAGES = 10_000
"""Training images that tell the training bound."""


def data_folder() -> Path:
    """Where real data lie: the folder NPVAE_DATA, or ``../shared/data`` beside the project."""
    return Path(os.environ.get("NPVAE_DATA") or Path(__file__).parents[2] / "shared" / "data")


def images(rows: int | None = None) -> datasets.Dataset:
    """Grey images in [0, 1]: `rows` of them, or all.

    MNIST's training part from `data_folder`; where there is none, 10,000 digits that npvae draws.
    """
    try:
        data = datasets.mnist("train", data_folder())
    except FileNotFoundError:
        data = datasets.digits(10_000, seed=0)
    return data.take(slice(rows))


@contextmanager
def image_file(data: datasets.Dataset) -> Iterator[str]:
    """The rows of `data` as a .npy file that lives as long as the block."""
    with TemporaryDirectory(prefix="npvae-benchmarks-") as folder:
        path = Path(folder) / "images.npy"
        np.save(path, data.x)
        yield str(path)


def binarize(grey: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    """Draw b ~ Bernoulli(grey / 255), for whole numbers from 0 to 255.

    A byte u that is uniform on 0 … 254 is less than g with probability g / 255, exactly; where u = 255 came, another
    draw decides. That takes a quarter of the random bits of 32-bit fractions, which were a sixth of a training step.
    """
    words = rng.integers(0, 2**64, grey.size // 8 + 1, dtype=np.uint64)
    u = words.view(np.uint8)[: grey.size]
    g = grey.astype(np.uint8).ravel()
    b = np.less(u, g).astype(np.float32)
    again = np.flatnonzero(u == 255)
    b[again] = rng.integers(0, 255, len(again)) < g[again]
    return b.reshape(grey.shape)


def digit_images(quick: bool) -> tuple[NDArray[np.uint8], NDArray[np.float32], str]:
    """Grey training images as bytes, test images by their one draw, and the name of the data.

    All 60,000 and 10,000 of MNIST; with `quick`, 2,000 and 200 of the embedded digits.
    """
    if quick:
        train, test, name = datasets.digits(2000, seed=0), datasets.digits(200, seed=1), "embedded digits"
    else:
        train, test = (datasets.mnist(split, data_folder()) for split in ("train", "test"))
        name = "MNIST"
    train_bytes, test_bytes = (np.rint(data.x * 255).astype(np.uint8) for data in (train, test))
    return train_bytes, binarize(test_bytes, np.random.default_rng(TEST_DRAW)), name


@dataclass(frozen=True)
class Scene:
    """A data set of the figure: what is trained on, what the two bounds are taken on, and the network for it."""

    x: NDArray
    transform: Callable[[NDArray, np.random.Generator], NDArray]
    x_train: NDArray
    x_test: NDArray
    hidden: int
    likelihood: Bernoulli | LearnedGaussian

    def model(self, algorithm: str, latents: int) -> Model:
        """One hidden layer of tanh units; initial weights from N(0, 0.01)."""
        network = {"hidden": (self.hidden,), "activation": "tanh", "init_weights": "normal"}
        vae = VAE.mlp(self.x_test.shape[1], latents, likelihood=self.likelihood, **network)
        return ALGORITHMS[algorithm](vae)


def scene(data: str, quick: bool) -> Scene:
    """Return "mnist", binarised anew at every visit, or "frey", grey, of which the last 200 frames are for testing."""
    if data == "mnist":
        x, x_test, _ = digit_images(quick)
        x_train = binarize(x[:TRAIN_IMAGES], np.random.default_rng(TEST_DRAW + 1))
        return Scene(x, binarize, x_train, x_test, 500, Bernoulli())
    if quick:
        x, x_test = (datasets.digits(n, seed).x[:, 112:672] for seed, n in enumerate((2000, 200)))
    else:
        x, x_test = (datasets.frey_faces(part, data_folder()).x for part in ("train", "test"))
    return Scene(x, lambda rows, rng: rows, x, x_test, 200, LearnedGaussian(link="sigmoid"))


def fixed_images(quick: bool) -> tuple:
    """Training, validation and test images of the fixed binarisation of MNIST, and the name of the data.

    With `quick`, some of the embedded digits, binary by a threshold.
    """
    if quick:
        grey, test, name = digit_images(quick)
        fixed = (grey > 127).astype(np.float32)
        return fixed[:1800], fixed[1800:], test, name
    parts = (datasets.binarized_mnist(split, data_folder()).x for split in ("train", "valid", "test"))
    return *parts, "MNIST"
