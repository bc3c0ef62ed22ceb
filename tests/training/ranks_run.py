"""What every rank of `tests/training/test_ranks.py` runs: ``python -m tests.training.ranks_run WHAT FILE``."""

import os
import signal
import sys

import numpy as np
import pytest

from npvae import VAE
from npvae.optimizers import SGD, Adam
from npvae.training import Checkpoints, NonFiniteLossError, TrainingRun, WorkerError, load_checkpoint, train
from npvae.training.ranks import RankSteps
from npvae.training.term_sums import TermSums
from npvae.validation import ArgumentError
from tests.training.toys import Mean, Nested, binary_rows, small_vae

MPI = pytest.importorskip("mpi4py.MPI")  # the search for doctests comes by


def vae(comm, path):
    """A VAE with held-out data and early stopping."""
    model, theta = small_vae(n_samples=2)
    settings = {"epochs": 4, "batch_size": 8, "seed": 3, "x_val": binary_rows(9, seed=1), "patience": 3}
    keep = [Checkpoints(path, "1 epochs")] if comm.rank == 0 else []
    run = train(model, theta, binary_rows(), comm=comm, callbacks=keep, **settings)
    all_bits = comm.allgather(run.theta.flat.tobytes())
    assert all(bits == all_bits[0] for bits in all_bits)


def nested(comm, path):
    """Noise in a nesting, and a last batch of one row."""
    x = np.random.default_rng(0).normal(size=(23, 3)).astype(np.float32)
    model = Nested()
    run = train(model, model.init(None), x, comm=comm, epochs=2, batch_size=11, optimizer=SGD(0.1))
    if comm.rank == 0:
        np.save(path, run.theta.flat)


class Whole(Adam):
    """An optimiser that does not say that it moves each parameter by itself."""

    elementwise = False


def amid(comm, path, optimizer=Adam):
    """A checkpoint after three of the five steps of an epoch, which the one at the end leaves as its previous one."""
    model, theta = small_vae()
    keep = [Checkpoints(path, "3 steps")] if comm.rank == 0 else []
    settings = {"epochs": 1, "batch_size": 10, "optimizer": optimizer(0.01)}
    train(model, theta, binary_rows(), comm=comm, callbacks=keep, **settings)


def amid_whole(comm, path):
    """The same with an optimiser that one rank runs for all."""
    amid(comm, path, Whole)


def on_disk(comm, path):
    """Data on disk, of which every rank reads its rows only, and a callback of rank 0 that ends the run."""
    x = np.memmap(path.replace("c.npz", "x.bin"), np.float32, "r", shape=(40, 3))
    model, read = Mean(), []

    class Reading:
        shape, dtype = x.shape, x.dtype

        def __len__(self):
            return len(x)

        def __getitem__(self, rows):
            read.extend(np.atleast_1d(rows).tolist())
            return x[rows]

    callbacks = [lambda run: run.epoch == 2] if comm.rank == 0 else []
    run = train(model, model.init(None), Reading(), comm=comm, epochs=9, batch_size=10, callbacks=callbacks)
    assert (run.epoch, run.stopped) == (2, "callback")
    everybody = comm.allgather(read)
    assert all(len(rows) == 2 * 40 // comm.size for rows in everybody)
    assert sorted(row for rows in everybody for row in rows) == sorted([*range(40), *range(40)])


def one_row(comm, path):
    """The first step is on a batch of one row, which rank 0 has: all ranks know the terms of the loss."""
    model = Mean()
    run = TrainingRun.begin(model.init(None), SGD(0.1), 0)
    steps, sums = RankSteps(run, model, SGD(0.1), comm), TermSums()
    x = np.ones((1, 3), np.float32)[steps.share(1)]
    assert len(x) == (comm.rank == 0)
    steps.step(model, x, np.zeros(1, np.float32), sums)
    assert sums.means() == {"loss": 1.5, "distance": 1.5, "noise": 0.0}
    assert list(steps.terms) == ["distance", "noise"]


class FailingOnRankOne(Mean):
    """Breaks at the fifth step, on rank 1 alone."""

    def loss_and_grad(self, theta, x, noise):
        if MPI.COMM_WORLD.rank == 1 and len(self.seen) == 4:
            raise RuntimeError("no such number")
        return super().loss_and_grad(theta, x, noise)


def failing(comm, path):
    """An error on one rank ends the run in good order on all."""
    x = np.ones((40, 3), np.float32)
    with pytest.raises(WorkerError, match=r"(?s)rank 1 of .*RuntimeError: no such number") as error:
        train(FailingOnRankOne(), Mean().init(None), x, comm=comm, epochs=9, batch_size=4, optimizer=Adam(0.1))
    assert error.value.run.optimizer_state.t == 4
    if comm.rank == 0:
        print("told")


def failing_callback(comm, path):
    """An error of a callback on rank 1 is raised on both."""

    def callback(run):
        if comm.rank == 1:
            raise RuntimeError("no such file")

    expected = {0: (ValueError, "rank 1 of 2: no such file"), 1: (RuntimeError, "no such file")}
    kind, text = expected[comm.rank]
    with pytest.raises(kind, match=text):
        train(Mean(), Mean().init(None), np.ones((40, 3), np.float32), comm=comm, callbacks=[callback])
    print("told", flush=True)


def failing_checkpoint(comm, path):
    """A checkpoint amid an epoch that rank 0 cannot write."""
    keep = [Checkpoints(f"{path}/nowhere/c.npz", "1 steps")] if comm.rank == 0 else []
    with pytest.raises(OSError if comm.rank == 0 else ValueError):
        train(Mean(), Mean().init(None), np.ones((40, 3), np.float32), comm=comm, batch_size=10, callbacks=keep)
    print("told", flush=True)


def unlike_rows(comm, path):
    """Other data on rank 1."""
    with pytest.raises(ArgumentError, match=r"x must be the same on all ranks, got \(40, 3\) on rank 0 and \(41,"):
        train(Mean(), Mean().init(None), np.ones((40 + comm.rank, 3), np.float32), comm=comm)
    print("told", flush=True)


def unlike_options(comm, path):
    """Another model on rank 1."""
    with pytest.raises(ArgumentError, match="model must be the same on all ranks"):
        VAE(latent_dim=2 + comm.rank, hidden=3).fit(binary_rows(), comm=comm)
    print("told", flush=True)


def broken_row(comm, path):
    """A row that one rank reads is not finite, which all of them say."""
    x = np.ones((40, 3), np.float32)
    x[7] = np.nan
    with pytest.raises(NonFiniteLossError) as error:
        train(Mean(), Mean().init(None), x, comm=comm, epochs=9, batch_size=4, optimizer=Adam(0.1))
    print(error.value, flush=True)


class DyingOnRankOne(Mean):
    """Kills rank 1 after 25 steps."""

    def loss_and_grad(self, theta, x, noise):
        if MPI.COMM_WORLD.rank == 1 and len(self.seen) == 25:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().loss_and_grad(theta, x, noise)


def dying(comm, path):
    """A rank that is killed ends the run; the checkpoint of rank 0 is good."""
    x = np.ones((40, 3), np.float32)
    keep = [Checkpoints(path, "1 epochs")] if comm.rank == 0 else []
    train(DyingOnRankOne(), Mean().init(None), x, comm=comm, epochs=99, batch_size=4, callbacks=keep)


def resumed(comm, path):
    """Goes on with the checkpoint of an earlier run."""
    x = np.ones((40, 3), np.float32)
    run = train(Mean(), load_checkpoint(path), x, comm=comm, epochs=4, batch_size=4)
    if comm.rank == 0:
        np.save(path.replace("c.npz", "end.npy"), run.theta.flat)


if __name__ == "__main__":
    globals()[sys.argv[1]](MPI.COMM_WORLD, sys.argv[2])
