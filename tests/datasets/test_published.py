import gzip
import hashlib
import struct
from pathlib import Path

import numpy as np
import pytest

from npvae.datasets import binarized_mnist, frey_faces, mnist, published
from npvae.datasets.idx import read_idx
from npvae.datasets.published import cache_folder


def idx_bytes(array: np.ndarray) -> bytes:
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


IMAGES = np.random.default_rng(0).integers(0, 256, (4, 28, 28), dtype=np.uint8)
LABELS = np.array([3, 1, 4, 1], np.uint8)
FILES = {"t10k-images-idx3-ubyte": idx_bytes(IMAGES), "t10k-labels-idx1-ubyte": idx_bytes(LABELS)}


@pytest.mark.parametrize("zipped", [False, True])
def test_mnist_from_a_folder(tmp_path, monkeypatch, zipped):
    monkeypatch.setattr(published, "SHA256", {n: hashlib.sha256(c).hexdigest() for n, c in FILES.items()})
    for name, content in FILES.items():
        (tmp_path / (name + ".gz" * zipped)).write_bytes(gzip.compress(content) if zipped else content)
    data = mnist("test", folder=tmp_path)
    np.testing.assert_array_equal(data.x, IMAGES.reshape(4, 784) / np.float32(255))
    np.testing.assert_array_equal(data.labels, LABELS)
    assert (data.image_shape, data.name) == ((28, 28), "MNIST test")


@pytest.mark.parametrize("zipped", [False, True])
def test_other_files_under_the_names_of_mnist_are_not_mnist(tmp_path, zipped):
    for name, content in FILES.items():
        (tmp_path / (name + ".gz" * zipped)).write_bytes(gzip.compress(content) if zipped else content)
    with pytest.raises(ValueError, match=r"t10k-images-idx3-ubyte.* must have the SHA-256 [0-9a-f]{64} when unpacked"):
        mnist("test", folder=tmp_path)


def test_mnist_is_fetched_once_into_the_cache(tmp_path, monkeypatch):
    cache, mirror = tmp_path / "cache", tmp_path / "mirror"
    mirror.mkdir()
    for name, content in FILES.items():
        (mirror / f"{name}.gz").write_bytes(gzip.compress(content))
    monkeypatch.setenv("NPVAE_CACHE", str(cache))
    monkeypatch.setattr(published, "MIRROR", mirror.as_uri() + "/")
    monkeypatch.setattr(published, "SHA256", {n: hashlib.sha256(c).hexdigest() for n, c in FILES.items()})
    with pytest.raises(FileNotFoundError, match=r"folder must hold t10k-images-idx3-ubyte\.gz, got .*; download=True"):
        mnist("test")
    first = mnist("test", download=True)
    assert {file.name for file in cache.iterdir()} == {f"{name}.gz" for name in FILES}
    for file in mirror.iterdir():
        file.unlink()
    np.testing.assert_array_equal(mnist("test", download=True).x, first.x)


def test_mnist_of_another_content_is_not_kept(tmp_path, monkeypatch):
    (tmp_path / "train-images-idx3-ubyte.gz").write_bytes(gzip.compress(b"other"))
    monkeypatch.setattr(published, "MIRROR", tmp_path.as_uri() + "/")
    with pytest.raises(ValueError, match="must have the SHA-256 ba891046"):
        mnist("train", folder=tmp_path / "folder", download=True)
    assert not list((tmp_path / "folder").iterdir())


def test_unreachable_mirror_is_a_connection_error(tmp_path, monkeypatch):
    monkeypatch.setattr(published, "MIRROR", (tmp_path / "nowhere").as_uri() + "/")
    with pytest.raises(ConnectionError, match=r"cannot fetch file:.*train-images-idx3-ubyte"):
        mnist("train", folder=tmp_path, download=True)


@pytest.mark.parametrize(("loader", "known"), [(mnist, "train"), (binarized_mnist, "valid"), (frey_faces, "all")])
def test_unknown_split_is_refused(tmp_path, loader, known):
    with pytest.raises(ValueError, match=f"split must be one of .*'{known}'.*, got 'tets'; did you mean 'test'"):
        loader("tets", folder=tmp_path)


@pytest.mark.parametrize(("loader", "name"), [(binarized_mnist, "binarized_mnist"), (frey_faces, "frey_faces")])
def test_missing_archive_is_named(tmp_path, monkeypatch, loader, name):
    for folder in (tmp_path, None):
        monkeypatch.setenv("NPVAE_CACHE", str(tmp_path))
        with pytest.raises(FileNotFoundError, match=rf"folder must hold {name}\.npz, got .* without it"):
            loader("test", folder=folder)


def test_checksums_are_those_of_the_published_files(data_dir):
    for name, digest in published.SHA256.items():
        content = gzip.decompress((data_dir / f"{name}.gz").read_bytes())
        assert hashlib.sha256(content).hexdigest() == digest
    md5 = {name: hashlib.md5(gzip.decompress((data_dir / f"{name}.gz").read_bytes())).hexdigest() for name in FILES}
    assert md5["t10k-images-idx3-ubyte"] == "2646ac647ad5339dbf082846283269ea"
    assert md5["t10k-labels-idx1-ubyte"] == "27ae3e4e09519cfbb04c329615203637"


def test_real_mnist(data_dir):
    data = mnist("train", folder=data_dir)
    assert data.x.shape == (60000, 784)
    assert data.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert data.x.mean() == pytest.approx(0.1307, abs=1e-4)
    raw = read_idx(data_dir / "train-images-idx3-ubyte.gz")
    np.testing.assert_array_equal(np.rint(data.x * 255), raw.reshape(60000, 784))


@pytest.mark.parametrize(("split", "n"), [("train", 50000), ("valid", 10000), ("test", 10000)])
def test_real_binarized_mnist(data_dir, split, n):
    data = binarized_mnist(split, folder=data_dir)
    assert data.x.shape == (n, 784)
    assert set(np.unique(data.x)) == {0, 1}
    assert data.x.mean() == pytest.approx(0.1310, abs=0.002)
    # Bits in the wrong order would put ink on the border, where MNIST has none.
    images = data.x.reshape(n, 28, 28)
    assert images[:, 0].mean() < 1e-3
    assert images[:, :, 0].mean() < 1e-3


def test_real_frey_faces_are_split_by_time(data_dir):
    everything = frey_faces("all", folder=data_dir)
    train, test = frey_faces("train", folder=data_dir), frey_faces("test", folder=data_dir)
    assert (len(everything), len(train), len(test)) == (1965, 1765, 200)
    assert everything.image_shape == train.image_shape == test.image_shape == (28, 20)
    np.testing.assert_array_equal(np.concatenate([train.x, test.x]), everything.x)
    step = np.square(np.diff(everything.x, axis=0)).sum(1).mean()
    anywhere = np.square(train.x[np.random.default_rng(0).permutation(1765)] - train.x).sum(1).mean()
    assert step < 0.5 * anywhere


def test_cache_folder_follows_the_environment(monkeypatch):
    monkeypatch.delenv("NPVAE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder() == Path.home() / ".cache" / "npvae"
    monkeypatch.setenv("XDG_CACHE_HOME", "/xdg")
    assert cache_folder() == Path("/xdg/npvae")
    monkeypatch.setenv("NPVAE_CACHE", "/own")
    assert cache_folder() == Path("/own")
