"""``mpiexec -n N npvae train``: one run, one folder, one voice (with the extra `scale`)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import npvae
from npvae.cli.ranks import communicator

MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")
TRAIN = [
    sys.executable,
    "-m",
    "npvae",
    "train",
    "x.npy",
    "--latent",
    "2",
    "--hidden",
    "8",
    "--no-pictures",
    "--seed",
    "0",
]


@pytest.fixture
def mpi(tmp_path):
    """Run ``npvae train`` on ranks in a folder with data; returns the finished process."""
    pytest.importorskip("mpi4py", reason="needs mpi4py and an MPI: pip install '.[scale]'")
    if MPIEXEC is None:
        pytest.skip("needs mpiexec: pip install '.[scale]'")
    rows = (np.random.default_rng(0).random((200, 9)) < 0.4).astype(np.float32)
    np.save(tmp_path / "x.npy", rows)

    def run(n, *options):
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1"}
        command = [*([MPIEXEC, "-n", str(n)] if n > 1 else []), *TRAIN, "--seed", "0", *options]
        return subprocess.run(
            command, cwd=tmp_path, capture_output=True, text=True, timeout=120, env=environment, check=False
        )

    return run


def test_trains_one_model_which_goes_on(mpi, tmp_path):
    several = mpi(2, "-o", "several", "--epochs", "2")
    assert several.returncode == 0, several.stderr
    assert several.stdout.count("200 rows of 9 features") == 1
    assert several.stdout.count("wrote") == 1
    more = mpi(2, "-o", "several", "--epochs", "3", "--resume")
    assert more.returncode == 0, more.stderr
    one = npvae.load(tmp_path / "several/model.npz")
    assert one.history_["epoch"] == [1, 2, 3]
    alone = npvae.VAE(2, (8,), epochs=3, random_state=0).fit(np.load(tmp_path / "x.npy"))
    np.testing.assert_allclose(one.theta_.flat, alone.theta_.flat, rtol=1e-4, atol=1e-4)


def test_an_error_is_said_once(mpi):
    done = mpi(3, "-o", "run", "--epochs", "0")
    assert done.returncode == 2
    assert done.stderr.count("--epochs must be") == 1
    done = mpi(2, "--model", "pca")
    assert "not of pca" in done.stderr
    done = mpi(2, "-o", "run", "--beta", "nan")
    assert done.returncode == 2
    assert done.stderr.count("--beta must") == 1


def test_a_process_alone_has_no_communicator(monkeypatch):
    for name in ("PMI_SIZE", "OMPI_COMM_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
    assert communicator() is None
    monkeypatch.setenv("PMI_SIZE", "1")
    assert communicator() is None


def test_mpiexec_without_mpi4py_names_the_extra(monkeypatch):
    monkeypatch.setenv("PMI_SIZE", "2")
    monkeypatch.setitem(sys.modules, "mpi4py", None)
    with pytest.raises(ImportError, match=r"npvae\[scale\]"):
        communicator()
