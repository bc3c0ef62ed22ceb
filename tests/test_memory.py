"""What memory there is, and that it is asked for before it is taken."""

import subprocess
import sys

import numpy as np
import pytest

from npvae import VAE, datasets, memory
from npvae.cli import main
from npvae.validation import ArgumentError


@pytest.mark.parametrize(("text", "size"), [("2G", 2e9), ("500MB", 5e8), ("1.5 GiB", 1.5e9), ("64k", 64e3), ("7", 7)])
def test_sizes_are_read(text, size):
    assert memory.parsed(text) == size


@pytest.mark.parametrize("text", ["", "G", "-1G", "0", "2X", "nan"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="expected bytes such as 2G or 500MB"):
        memory.parsed(text)


@pytest.mark.parametrize(
    ("groups", "file", "expected"),
    [
        ("0::/a/b\n", "a/memory.max", 10**9),
        ("0::/a/b\n", "memory.max", 10**9),
        ("4:memory:/a\n0::/\n", "memory/a/memory.limit_in_bytes", 10**9),
        ("4:cpu,memory:/gone\n", "memory/memory.limit_in_bytes", 10**9),
        ("4:cpu:/a\n", "memory/a/memory.limit_in_bytes", None),
        ("0::/a\n", "elsewhere/memory.max", None),
    ],
)
def test_the_limit_of_a_container_is_seen(tmp_path, monkeypatch, groups, file, expected):
    (tmp_path / "own").write_text(groups)
    (tmp_path / "groups" / file).parent.mkdir(parents=True)
    (tmp_path / "groups" / file).write_text("1000000000\n")
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path / "groups")
    monkeypatch.setattr(memory, "_machine", lambda: 10**15)
    there, whose = memory.available()
    assert ((there, whose) == (expected, "its container has")) == (expected is not None)


@pytest.mark.parametrize("text", ["max", "9223372036854771712", "", "0"])
def test_a_container_without_a_limit_has_the_machine(tmp_path, monkeypatch, text):
    (tmp_path / "memory.max").write_text(text)
    (tmp_path / "own").write_text("0::/\n")
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    monkeypatch.setattr(memory, "CGROUPS", tmp_path)
    assert memory._container() == []


def test_what_is_needed_is_said_before_it_is_taken():
    with memory.limited(memory._taken() + 10**9):
        memory.require("x", 10**8)
        with pytest.raises(
            ArgumentError, match=r"x must be smaller; it needs 900\.0 GB of memory, --max-memory leaves"
        ):
            memory.require("x", 9 * 10**11)
    memory.require("x", 0)


def test_a_limit_below_what_is_taken_already_is_said():
    with pytest.raises(ArgumentError, match="max_memory must be at least"), memory.limited(1):
        pass


def test_compressed_zeros_are_refused_by_their_size(tmp_path):
    path = tmp_path / "zeros.npz"
    np.savez_compressed(path, x=np.zeros((30_000, 10_000), np.uint8))
    assert path.stat().st_size < 10**6
    with memory.limited(memory._taken() + 5 * 10**8), pytest.raises(ArgumentError, match=r"it needs 3\.0 GB of memory"):
        datasets.load(path)
    assert datasets.load(path, rows=slice(5, 8)).x.shape == (3, 10_000)


def test_lzma_is_asked_for_its_dictionary(tmp_path):
    import zipfile

    path = tmp_path / "a.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as archive, archive.open("a.npy", "w") as member:
        np.lib.format.write_array(member, np.ones((5, 4)))
    np.testing.assert_array_equal(datasets.load(path).x, np.ones((5, 4)))
    content = bytearray(path.read_bytes())
    content[40:44] = (4 * 10**9).to_bytes(4, "little")
    path.write_bytes(content)
    with memory.limited(memory._taken() + 10**9), pytest.raises(ArgumentError, match=r"it needs 4\.0 GB of memory"):
        datasets.load(path)


def test_many_new_rows_are_refused_by_their_size():
    vae = VAE(2, 4, epochs=1, random_state=0).fit(np.random.default_rng(0).random((20, 9)))
    with memory.limited(memory._taken() + 10**9), pytest.raises(ArgumentError, match="n must be smaller; it needs"):
        vae.sample(10**9)


def test_the_limit_of_the_command_line_holds(tmp_path, capsys):
    np.save(tmp_path / "x.npy", np.zeros((10, 9), np.float32))
    assert main(["train", str(tmp_path / "x.npy"), "--max-memory", "1k"]) == 2
    assert "--max-memory must be at least" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["train", str(tmp_path / "x.npy"), "--max-memory", "lots"])
    assert "expected bytes such as 2G" in capsys.readouterr().err


@pytest.mark.skipif(sys.platform != "linux", reason="the system limits the data of a process")
def test_what_goes_beyond_the_limit_is_a_memory_error():
    code = """
import numpy as np
from npvae import memory
with memory.limited(10**9):
    try:
        np.ones(3 * 10**8)
    except MemoryError:
        print("refused")
np.ones(3 * 10**7)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert (done.stdout, done.stderr) == ("refused\n", "")


def test_many_draws_of_a_row_are_scored_some_at_a_time():
    import tracemalloc

    vae = VAE(2, 4, epochs=1, random_state=0).fit((np.random.default_rng(0).random((20, 400)) > 0.5).astype(np.float32))
    x = np.zeros((1, 400), np.float32)
    few = vae.loss(x, 2500).per_datum
    tracemalloc.start()
    try:
        many = vae.loss(x, 50_000).per_datum
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()
    np.testing.assert_allclose(many, few, rtol=0.02)
