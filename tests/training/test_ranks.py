"""Training by the ranks of a real MPI gives what training by one process gives (with the extra `scale`)."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from npvae import VAE
from npvae.optimizers import SGD, Adam
from npvae.training import load_checkpoint, train
from npvae.training.checkpoint import previous_generation
from npvae.validation import ArgumentError
from tests.training.toys import Chain, Mean, Nested, binary_rows, small_vae

MPIEXEC = shutil.which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}")


@pytest.fixture
def ranks(tmp_path):
    """Run a function of `ranks_run` on n ranks; returns the process, and the path that it was given."""
    pytest.importorskip("mpi4py", reason="needs mpi4py and an MPI: pip install '.[scale]'")
    if MPIEXEC is None:
        pytest.skip("needs mpiexec: pip install '.[scale]'")

    def run(n, what):
        path = tmp_path / "c.npz"
        command = [MPIEXEC, "-n", str(n), sys.executable, "-m", "tests.training.ranks_run", what, str(path)]
        environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "PYTHONWARNINGS": "error"}
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment, check=False)
        return done, path

    return run


@pytest.mark.parametrize("n", [2, 4])
def test_a_vae_learns_the_same_up_to_rounding(ranks, n):
    done, path = ranks(n, "vae")
    assert done.returncode == 0, done.stderr
    several = load_checkpoint(path)
    model, theta = small_vae(n_samples=2)
    settings = {"epochs": 4, "batch_size": 8, "seed": 3, "x_val": binary_rows(9, seed=1), "patience": 3}
    one = train(model, theta, binary_rows(), **settings)
    np.testing.assert_allclose(several.theta.flat, one.theta.flat, rtol=2e-5, atol=2e-5)
    for name, moments in one.optimizer_state.slots.items():
        np.testing.assert_allclose(several.optimizer_state.slots[name], moments, rtol=1e-4, atol=1e-5, err_msg=name)
    assert several.history.terms == one.history.terms
    for name, column in one.history.items():
        if name != "seconds":
            np.testing.assert_allclose(several.history[name], column, rtol=1e-4, err_msg=name)


def test_noise_in_a_nesting_and_a_last_batch_smaller_than_the_ranks(ranks):
    done, path = ranks(3, "nested")
    assert done.returncode == 0, done.stderr
    x = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)
    model = Nested()
    one = train(model, model.init(None), x, epochs=2, batch_size=11, optimizer=SGD(0.1))
    np.testing.assert_allclose(np.load(f"{path}.npy"), one.theta.flat, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("what", ["amid", "amid_whole"])
def test_one_process_goes_on_from_a_checkpoint_that_ranks_wrote_amid_an_epoch(ranks, what):
    done, path = ranks(3, what)
    assert done.returncode == 0, done.stderr
    (model, theta), settings = small_vae(), {"epochs": 1, "batch_size": 10, "optimizer": Adam(0.01)}
    start = load_checkpoint(previous_generation(path))
    assert (start.epoch, start.within.batches, start.optimizer_state.t) == (0, 3, 3)
    resumed, one = (train(model, begun, binary_rows(), **settings) for begun in (start, theta))
    for run in (resumed, load_checkpoint(path)):
        np.testing.assert_allclose(run.theta.flat, one.theta.flat, rtol=2e-5, atol=2e-5)
        for name, moments in one.optimizer_state.slots.items():
            np.testing.assert_allclose(run.optimizer_state.slots[name], moments, rtol=1e-4, atol=1e-5, err_msg=name)


def test_every_rank_reads_its_rows_only_and_a_callback_of_one_ends_all(ranks, tmp_path):
    np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32).tofile(tmp_path / "x.bin")
    done, _ = ranks(2, "on_disk")
    assert done.returncode == 0, done.stderr


def test_a_first_batch_of_fewer_rows_than_ranks_gives_all_of_them_the_terms(ranks):
    done, _ = ranks(3, "one_row")
    assert done.returncode == 0, done.stderr


def test_an_error_on_one_rank_is_told_on_all(ranks):
    done, _ = ranks(3, "failing")
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "told"


def test_a_row_of_one_rank_that_is_not_finite_is_blamed_by_all(ranks):
    done, _ = ranks(2, "broken_row")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("in x itself") == 2


@pytest.mark.parametrize("what", ["failing_callback", "failing_checkpoint", "unlike_rows", "unlike_options"])
def test_what_goes_wrong_on_one_rank_outside_of_a_step_ends_all(ranks, what):
    done, _ = ranks(2, what)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("told") == 2


def test_a_rank_that_is_killed_ends_the_run_and_leaves_a_good_checkpoint(ranks):
    done, path = ranks(2, "dying")
    assert done.returncode != 0
    assert load_checkpoint(path).epoch in (1, 2)
    done, path = ranks(2, "resumed")
    assert done.returncode == 0, done.stderr
    straight = train(Mean(), Mean().init(None), np.ones((40, 3), np.float32), epochs=4, batch_size=4)
    np.testing.assert_allclose(np.load(path.parent / "end.npy"), straight.theta.flat, rtol=1e-5)


class Alone:
    """A communicator of one rank, which needs no MPI."""

    rank, size = 0, 1

    def __init__(self, size=1):
        self.size = size

    def Allreduce(self, sendbuf, recvbuf):
        recvbuf[...] = sendbuf

    def Alltoall(self, sendbuf, recvbuf):
        recvbuf[0] = sendbuf

    def Allgather(self, sendbuf, recvbuf):
        recvbuf[...] = sendbuf

    def Bcast(self, buf, root=0):
        pass

    def bcast(self, obj, root=0):
        return obj

    def allgather(self, sendobj):
        return [sendobj]


def test_one_rank_gives_the_bits_of_one_process():
    model, theta = small_vae()
    settings = {"epochs": 3, "batch_size": 16, "x_val": binary_rows(9, seed=1), "optimizer": SGD(0.1)}
    one, alone = (train(model, theta, binary_rows(48), comm=comm, **settings) for comm in (None, Alone()))
    np.testing.assert_array_equal(alone.theta.flat, one.theta.flat)
    assert alone.history["val_loss"] == one.history["val_loss"]


def test_what_ranks_cannot_share_is_refused():
    model, x = Chain(), np.ones((8, 3), np.float32)
    with pytest.raises(ArgumentError, match="comm must have one rank with this model; it hands a state"):
        train(model, model.init(None), x, comm=Alone())
    with pytest.raises(ArgumentError, match="n_jobs must be left out with comm"):
        train(Mean(), Mean().init(None), x, comm=Alone(), n_jobs=2)
    with pytest.raises(TypeError, match="comm must be a communicator of mpi4py, got 2"):
        train(Mean(), Mean().init(None), x, comm=2)
    with pytest.raises(TypeError, match="comm must be a communicator of mpi4py, got 2"):
        VAE(latent_dim=2, hidden=3).fit(x, comm=2)
    with pytest.raises(ArgumentError, match="comm must have no more ranks than a batch has rows, 4, got 5"):
        train(Mean(), Mean().init(None), x, comm=Alone(5), batch_size=4)
