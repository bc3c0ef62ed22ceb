"""The published data sets: MNIST, its static binarisation, and Frey Face."""

from __future__ import annotations

import gzip
import os
import zlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic
from typing import IO

from npvae.datasets.dataset import Dataset
from npvae.datasets.files import load
from npvae.files import replacing
from npvae.validation import existing_file, one_of

MIRROR = "https://ossci-datasets.s3.amazonaws.com/mnist/"
"""Where MNIST is fetched from."""

MNIST_FILES = {"train": "train-{}-idx{}-ubyte", "test": "t10k-{}-idx{}-ubyte"}
"""Names of the files of each part, with places for `images` or `labels` and for the number of axes."""

SHA256 = {
    "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "t10k-images-idx3-ubyte": "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    "t10k-labels-idx1-ubyte": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}
"""Digest of each MNIST file, uncompressed."""

MOST, TIMEOUT = 1 << 26, 30
"""Bytes of a file that is fetched, at the most; seconds for which a server may say nothing."""

FREY_TEST = 200
"""Number of frames at the end of the film that are kept for testing."""


def mnist(split: str = "train", folder: str | os.PathLike[str] | None = None, download: bool = False) -> Dataset:
    """Load MNIST: handwritten digits, grey.

    Parameters
    ----------
    split : 'train' or 'test'
        60,000 or 10,000 images.
    folder : str, path or None
        Folder with the IDX files under their usual names, with or without ``.gz``; None for the cache, which is the
        environment's NPVAE_CACHE, or `npvae` in XDG_CACHE_HOME or ~/.cache.
    download : bool
        Fetch what is missing into that folder; the content is proved by its SHA-256.

    Returns
    -------
    Dataset
        `x` (n, 784) float32, multiples of 1/255 in [0, 1], ink is 1; `labels` (n,) int64; `image_shape` (28, 28).

    Raises
    ------
    FileNotFoundError, ConnectionError
        If a file is missing and `download` is off, or cannot be fetched.
    ValueError
        If `split` is unknown, or a file is damaged or not the expected one.

    Notes
    -----
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, Gradient-based learning applied to document recognition (1998).
    """
    pattern = one_of("split", split, MNIST_FILES)
    place = cache_folder() if folder is None else Path(folder)
    images, labels = (_mnist_file(place, pattern.format(*part), download) for part in (("images", 3), ("labels", 1)))
    return replace(load(images, labels), name=f"MNIST {split}")


def _mnist_file(place: Path, name: str, download: bool) -> Path:
    zipped = place / f"{name}.gz"
    for file in (zipped, place / name):
        if file.exists():
            with _unpacked(existing_file(file)) as plain:
                _require_digest(plain, str(file), SHA256[name], MOST)
            return file
    if not download:
        raise FileNotFoundError(f"folder must hold {zipped.name}, got {place} without it; download=True fetches it")
    fetch(MIRROR + zipped.name, zipped, SHA256[name])
    return zipped


def binarized_mnist(split: str = "train", folder: str | os.PathLike[str] | None = None) -> Dataset:
    """Load the static binarisation of MNIST, the one draw on which the literature reports log-likelihoods.

    Its rows, (n, 784) float32 of zeros and ones in the Dataset returned, are in another order than those of MNIST and
    have no labels.

    Parameters
    ----------
    split : 'train', 'valid' or 'test'
        50,000, 10,000 or 10,000 images.
    folder : str, path or None
        Folder with ``binarized_mnist.npz``: an array for each part, its rows 784 bits packed as by
        ``numpy.packbits(axis=1)``; None for the cache (see `mnist`).

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, or damaged, or `split` is unknown.

    Notes
    -----
    H. Larochelle, I. Murray, The neural autoregressive distribution estimator (2011).
    """
    one_of("split", split, dict.fromkeys(("train", "valid", "test")))
    return replace(load(f"{_archive(folder, 'binarized_mnist.npz')}:{split}"), name=f"binarized MNIST {split}")


def frey_faces(split: str = "train", folder: str | os.PathLike[str] | None = None) -> Dataset:
    """Load Frey Face: 1,965 frames of one film of one face, grey, in film order.

    Neighbouring frames are nearly the same, so a random split would show the training nearly all of the test set: the
    split is by time.

    Parameters
    ----------
    split : 'train', 'test' or 'all'
        The first 1,765 frames, the last 200, or all 1,965: `x` (n, 560) float32, multiples of 1/255 in [0, 1].
    folder : str, path or None
        Folder with ``frey_faces.npz``, an array `faces` (1965, 28, 20) of 8-bit grey values; None for the cache.

    Raises
    ------
    FileNotFoundError, ValueError
        If the file is missing, or damaged, or `split` is unknown.
    """
    frames = {"train": slice(None, -FREY_TEST), "test": slice(-FREY_TEST, None), "all": slice(None)}
    rows = one_of("split", split, frames)
    return replace(load(f"{_archive(folder, 'frey_faces.npz')}:faces").take(rows), name=f"Frey Face {split}")


def cache_folder() -> Path:
    """Return the folder of fetched files: NPVAE_CACHE, or `npvae` in XDG_CACHE_HOME or else in ~/.cache."""
    caches = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(os.environ.get("NPVAE_CACHE") or Path(caches) / "npvae")


def _unpacked(file: Path) -> IO[bytes]:
    return gzip.open(file) if file.suffix == ".gz" else file.open("rb")


def _require_digest(plain: IO[bytes], name: str, sha256: str, most: int) -> None:
    """A ValueError unless what a stream holds has this SHA-256."""
    import hashlib

    digest = hashlib.sha256()
    try:
        _pass_on(plain, digest.update, f"{name} must have at most {most} bytes when unpacked", most)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{name} must be a gzipped file, got a damaged one: {error}") from None
    if digest.hexdigest() != sha256:
        raise ValueError(f"{name} must have the SHA-256 {sha256} when unpacked, got {digest.hexdigest()}")


def fetch(url: str, target: Path, sha256: str, most: int = MOST, deadline: float = 600.0) -> None:
    """Fetch a gzipped file to `target`, making folders as needed, if the SHA-256 of its unpacked content is that.

    Raises
    ------
    ConnectionError
        If the file cannot be fetched, or not within `deadline` seconds.
    ValueError
        If what comes is not the expected file, or has more than `most` bytes, packed or unpacked.
    """
    # Imported here: the network modules take as long to import as all the rest, and few runs fetch anything.
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import urlopen

    ends = monotonic() + deadline
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as part:
        try:
            with _opened(lambda: urlopen(url, timeout=TIMEOUT), url, deadline) as answer, part.open("wb") as stored:
                _pass_on(answer, stored.write, f"{url} must have at most {most} bytes", most, ends)
        except HTTPError as error:
            error.close()
            raise ConnectionError(f"cannot fetch {url}: {error.code} {error.reason}") from None
        except (OSError, HTTPException) as error:
            raise ConnectionError(f"cannot fetch {url}: {getattr(error, 'reason', None) or error}") from None
        with gzip.open(part) as plain:
            _require_digest(plain, url, sha256, most)


def _opened(open_url: Callable[[], IO[bytes]], url: str, deadline: float) -> IO[bytes]:
    """What `open_url` answers, if it does in time: a server may drip its headers for as long as it likes."""
    from queue import Empty, Queue
    from threading import Thread

    answers: Queue = Queue()

    def ask() -> None:
        try:
            answers.put(open_url())
        except BaseException as error:
            answers.put(error)

    Thread(target=ask, daemon=True).start()
    try:
        answer = answers.get(timeout=deadline)
    except Empty:
        raise ConnectionError(f"no answer within {deadline:g} seconds") from None
    if isinstance(answer, BaseException):
        raise answer
    return answer


def _pass_on(
    source: IO[bytes], take: Callable[[bytes], object], limit: str, most: int, ends: float = float("inf")
) -> None:
    read = getattr(source, "read1", source.read)  # what has come, without waiting for more
    while piece := read(1 << 20):
        if monotonic() > ends:
            raise ConnectionError("it comes too slowly")
        most -= len(piece)
        if most < 0:
            raise ValueError(f"{limit}, got more")
        take(piece)


def _archive(folder: str | os.PathLike[str] | None, name: str) -> Path:
    file = (cache_folder() if folder is None else Path(folder)) / name
    if not file.exists():
        raise FileNotFoundError(f"folder must hold {name}, got {file.parent} without it")
    return file
