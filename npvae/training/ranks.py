"""Steps of a training by the ranks of an MPI communicator, on one machine or on many.

Every rank holds theta and runs the loop. In a step each computes the gradient of its rows of the batch; an Alltoall
hands the gradients of each part of theta to the rank that moves it, and an Allgather tells everybody the moved parts.
So as much travels as in an Allreduce of the gradient, and each rank does its share of the optimiser's work. The moments
of a part are up to date on its rank alone, until `finish` brings them together.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import Loss, Term
from npvae.models import Model
from npvae.models.noise import leaves, noise_axes, noise_rows
from npvae.numerics import aligned_zeros
from npvae.optimizers import Optimizer, OptimizerState
from npvae.parameters import Parameters
from npvae.training.run import TrainingRun
from npvae.training.steps import (
    GRAIN,
    MAX_TERMS,
    SNAPSHOT_EVERY,
    BrokenStepError,
    FailedWorkerError,
    Steps,
    ThetaWithGradient,
    blamed,
    require_rows_apart,
)
from npvae.training.term_sums import TermSums
from npvae.validation import ArgumentError, ArgumentTypeError

ROWS, FAILED, TERMS = range(3)
"""Places in the vector of sums that the ranks add: rows, ranks that failed, the sums of "loss" and of the terms."""


class Communicator(Protocol):
    """What is needed of an `mpi4py.MPI.Comm`; without mpi4py there is nothing to import."""

    rank: int
    size: int

    def Allreduce(self, sendbuf: Any, recvbuf: Any) -> None:
        """Write the sum of all ranks' `sendbuf` into everybody's `recvbuf`."""

    def Alltoall(self, sendbuf: Any, recvbuf: Any) -> None:
        """Write the i-th of equal parts of rank j's `sendbuf` as the j-th part of rank i's `recvbuf`."""

    def Allgather(self, sendbuf: Any, recvbuf: Any) -> None:
        """Write the `sendbuf` of all ranks, one after the other, into everybody's `recvbuf`."""

    def Bcast(self, buf: Any, root: int = 0) -> None:
        """Overwrite everybody's `buf` by that of `root`."""

    def bcast(self, obj: Any, root: int = 0) -> Any:
        """The object of `root`."""

    def allgather(self, sendobj: Any) -> list:
        """All ranks' objects."""


@contextmanager
def together(comm: Communicator | None) -> Iterator[None]:
    """Have an error that comes up in the block on one rank raised on all, so that nobody waits for ever.

    Raises
    ------
    ValueError
        On the ranks that had no error of their own, with rank and text of the first.
    TypeError
        If `comm` is something else.
    """
    if comm is not None and not hasattr(comm, "allgather"):
        raise ArgumentTypeError("comm", "be a communicator of mpi4py", repr(comm))
    failure = None
    try:
        yield
    except Exception as error:
        failure = error
    texts = [] if comm is None else comm.allgather("" if failure is None else str(failure) or repr(failure))
    if failure is not None:
        raise failure
    if any(texts):
        rank = next(i for i, text in enumerate(texts) if text)
        raise ValueError(f"rank {rank} of {len(texts)}: {texts[rank]}")


def require_alike(comm: Communicator, **facts: Any) -> None:
    """An ArgumentError on all ranks for the first of `facts` that is not the same on all of them."""
    for name, values in zip(facts, zip(*comm.allgather(tuple(facts.values())), strict=True), strict=True):
        for rank, value in enumerate(values):
            if value != values[0]:
                got = f"{values[0]} on rank 0 and {value} on rank {rank}"
                raise ArgumentError(name, "be the same on all ranks", got)


class RankSteps(Steps):
    """Steps by all ranks together; each has ended everywhere when `step` returns.

    Parameters
    ----------
    run : TrainingRun
        Its theta and its optimiser's state are moved in place. Theta and moments of rank 0 are handed to all first.
    model, optimizer : Model, Optimizer
    comm : mpi4py.MPI.Comm

    Raises
    ------
    ArgumentError
        If the model's loss cannot be split by rows.
    """

    def __init__(self, run: TrainingRun, model: Model, optimizer: Optimizer, comm: Communicator) -> None:
        require_rows_apart("comm", "have one rank", model, run)
        self._run, self._optimizer, self._comm = run, optimizer, comm
        self._axes = noise_axes(model, run.theta.dtype)
        shapes, size, dtype = run.theta.shapes, run.theta.flat.size, run.theta.dtype
        length = len(range(0, size, comm.size * GRAIN)) * GRAIN  # of a part; the last may have fewer numbers of theta
        self._part = slice(comm.rank * length, (comm.rank + 1) * length)
        self._flat, self._gradients = (aligned_zeros(comm.size * length, dtype) for _ in range(2))
        self._flat[:size] = run.theta.flat
        run.theta = Parameters(shapes, flat=self._flat[:size])
        self._theta = ThetaWithGradient(shapes, flat=self._flat[:size])
        self._gradient = Parameters(shapes, flat=self._gradients[:size])
        self._parts = np.zeros((comm.size, length), dtype)
        self._mean = aligned_zeros(length, dtype)
        for array in (run.theta.flat, *run.optimizer_state.slots.values()):
            comm.Bcast(array)
        self._elementwise = getattr(optimizer, "elementwise", False)
        self._moments = run.optimizer_state
        if self._elementwise:
            slots = {name: slot[self._part] for name, slot in run.optimizer_state.slots.items()}
            self._moments = OptimizerState(run.optimizer_state.t, slots)
        self.good: Parameters = run.theta.copy()
        self.terms: dict[str, Term] = {}
        self._weighted: set[str] = set()

    def share(self, n: int) -> slice:
        """As even a part of n rows as can be; rank 0 always has one."""
        return self._share_of(n, self._comm.rank)

    def _share_of(self, n: int, rank: int) -> slice:
        """The rows of a rank."""
        return slice(-(-n * rank // self._comm.size), -(-n * (rank + 1) // self._comm.size))

    def agreed(self, answer: bool) -> bool:
        """Whether one of the ranks says so: all of them leave the loop at the same step."""
        return bool(self._sum(np.array([float(answer)]))[0])

    def together(self) -> AbstractContextManager[None]:
        """See `together`."""
        return together(self._comm)

    def step(self, model: Model, x: NDArray, noise: Any, sums: TermSums) -> None:
        """One step."""
        theta, t = self._run.theta, self._moments.t
        loss, failure = None, ""
        try:
            loss = self._gradient_of(model, x, noise)
        except Exception:  # all ranks have to hear of it, or they would wait for this one for ever
            failure = traceback.format_exc()
        n, names, values, weights, units = self._total(loss, failure)
        if not np.isfinite(values["loss"]):
            bad = [name for name in names if not np.isfinite(values[name])]
            x_is_finite = not self.agreed(not np.isfinite(x).all())  # a rank knows its own rows alone
            raise BrokenStepError(t + 1, blamed(bad or names, x_is_finite))
        if t % SNAPSHOT_EVERY == 0:
            self.good.flat[:] = theta.flat
        self._comm.Alltoall(self._gradients, self._parts)
        rows = [len(range(n)[self._share_of(n, rank)]) for rank in range(self._comm.size)]
        np.matmul(np.array(rows, theta.dtype) / n, self._parts, out=self._mean)
        if self._elementwise:
            own = theta.flat[self._part]
            self._optimizer.step(own, self._mean[: own.size], self._moments)
            self._comm.Allgather(self._flat[self._part].copy(), self._flat)
        else:  # an optimiser that looks at the whole vector
            self._comm.Allgather(self._mean, self._gradients)
            self._optimizer.step(theta.flat, self._gradient.flat, self._moments)
        self._run.optimizer_state.t = self._moments.t
        sums.add_sums(n, values, weights, units)

    def finish(self, sums: TermSums) -> None:
        """Bring the moments of all parts together on every rank."""
        if self._elementwise:
            whole, padded = np.empty_like(self._flat), np.zeros_like(self._mean)
            for name, slot in self._run.optimizer_state.slots.items():
                own = self._moments.slots[name]
                padded[: own.size] = own
                self._comm.Allgather(padded, whole)
                slot[:] = whole[: slot.size]

    halt = finish

    def held_out(
        self, model: Model, run: TrainingRun, x: NDArray, rng: np.random.Generator, batch_size: int
    ) -> tuple[dict[str, float], dict[str, Term]]:
        """Mean loss and terms on held-out data, of which each rank reads its rows."""
        sums = TermSums()
        for start in range(0, len(x), batch_size):
            n = min(batch_size, len(x) - start)
            share = self.share(n)
            noise = noise_rows(model.draw_noise(rng, n, run.theta.dtype), self._axes, share)
            loss, failure = None, ""
            try:
                if share.stop > share.start:
                    rows = np.asarray(x[start + share.start : start + share.stop], dtype=run.theta.dtype)
                    state = () if run.state is None else (run.state,)
                    loss = model.loss(run.theta, rows, noise, *state)
            except Exception:
                failure = traceback.format_exc()
            n, _, values, weights, units = self._total(loss, failure)
            sums.add_sums(n, values, weights, units)
        return sums.means(), self.terms

    def _gradient_of(self, model: Model, x: NDArray, noise: Any) -> Loss | None:
        """The loss of this rank's rows; the gradient of its mean is left where the other ranks get it."""
        if len(x) == 0:
            self._gradient.flat[:] = 0
            return None
        rows = (array.shape[axis] for array, axis in zip(leaves(noise), self._axes, strict=True) if axis >= 0)
        noise = noise_rows(noise, self._axes, self.share(next(rows, len(x))))
        state = () if self._run.state is None else (self._run.state,)
        self._theta.hand_out(self._gradient)
        loss, gradient, *_ = model.loss_and_grad(self._theta, x, noise, *state)
        if gradient is not self._gradient:
            self._gradient.flat[:] = gradient.flat
        return loss

    def _total(
        self, loss: Loss | None, failure: str
    ) -> tuple[int, list[str], dict[str, float], dict[str, float], dict[str, str]]:
        """Rows, names of the terms, sums of loss and terms over all ranks, weights and units.

        Raises
        ------
        FailedWorkerError
            On all ranks, if an error came up on one of them.
        """
        local = np.zeros(TERMS + 1 + MAX_TERMS)
        local[FAILED] = bool(failure)
        if loss is not None:
            local[ROWS] = len(loss.per_datum)
            local[TERMS : TERMS + 1 + len(loss.terms)] = [v.sum() for v in (loss.per_datum, *loss.terms.values())]
        total = self._sum(local)
        if total[FAILED]:
            failures = self._comm.allgather(failure)
            rank = next(i for i, text in enumerate(failures) if text)
            error = failures[rank].strip().splitlines()[-1]
            raise FailedWorkerError(f"rank {rank} of {self._comm.size} failed: {error}", failures[rank])
        if not self.terms:  # a rank may have no row of a small batch, such as the last, where a run may go on
            self.terms, self._weighted = self._comm.bcast(loss and (loss.described(), set(loss.weights)))
        elif loss is not None:
            self.terms, self._weighted = loss.described(), set(loss.weights)
        names = list(self.terms)
        values = dict(zip(["loss", *names], total[TERMS:].tolist(), strict=False))
        weights = {name: self.terms[name].weight for name in self._weighted}
        return round(total[ROWS]), names, values, weights, {name: term.unit for name, term in self.terms.items()}

    def _sum(self, local: NDArray) -> NDArray:
        """The sum over all ranks, the same bits on each."""
        total = np.empty_like(local)
        self._comm.Allreduce(local, total)
        return total
