"""A worker process of a training: it does the rows that fall to it of every batch, and moves its share of theta.

Every worker sees one block of shared memory, see `fields`. A step is

    wait for a batch → loss and gradient of its rows → barrier → gradients summed and theta moved on its share → barrier

with the shares of theta as even as the rows. The order of every sum is fixed, so that the same number of workers gives
the same bits. Between its barriers a worker writes nothing that another one reads.
"""

from __future__ import annotations

import os
import pickle
import signal
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import Loss
from npvae.models.noise import map_leaves, noise_rows
from npvae.numerics import aligned_empty, keep_freed_memory
from npvae.optimizers import CHUNK, Optimizer, OptimizerState
from npvae.parameters import Parameters, Shapes
from npvae.training.shared_memory import Fields, views
from npvae.training.steps import GRAIN, MAX_TERMS, SNAPSHOT_EVERY, ThetaWithGradient

SLOTS = 4
"""Batches that may lie ready or under way: the parent fills the next ones while a step runs."""

SPIN, YIELD = 50e-6, 2e-3
"""Seconds for which a worker looks at a counter without pause, as long as a barrier takes as a rule, and for which it
offers the processor to others between two looks. Beyond them, as during an evaluation, it sleeps between two."""

PUBLISHED, HALT_ASKED, HALTED, BROKEN = range(4)
"""Counters in "control": batches published; whether to stop; and the step that was the last, or not finite, from 1."""


@dataclass(frozen=True)
class Job:
    """What a worker has to know.

    Attributes
    ----------
    rank, n_workers : int
    fields : dict
        What lies in the shared block, see `fields`.
    shapes : dict
        Those of the parameters.
    model, optimizer : bytes
        Pickled.
    noise : nesting of int
        The model's noise, with the number of each array in its place.
    axes : list of int
        The row axis of each of its arrays.
    t, slots : int, tuple of str
        Steps so far, and the names of the optimiser's moments.
    has_state : bool
        Whether the model takes a state, which is empty.
    """

    rank: int
    n_workers: int
    fields: dict[str, tuple[tuple[int, ...], str]]
    shapes: Shapes
    model: bytes
    optimizer: bytes
    noise: Any
    axes: list[int]
    t: int
    slots: tuple[str, ...]
    has_state: bool


def fields(
    n_workers: int, theta: NDArray, slots: Mapping[str, NDArray], x: NDArray, noise: list[NDArray], model_size: int
) -> Fields:
    """What lies in the shared block, for batches no larger than x and noise no larger than the given one."""
    size, line = theta.size, 8
    shared: dict[str, tuple[tuple[int, ...], Any]] = {
        "control": ((line,), "i8"),
        "arrived": ((n_workers, line), "i8"),
        "done": ((n_workers, line), "i8"),
        "rows": ((SLOTS,), "i8"),
        "model_size": ((SLOTS,), "i8"),
        "sums": ((SLOTS, n_workers, 2 + MAX_TERMS), "f8"),
        "weights": ((SLOTS, 2 + MAX_TERMS), "f8"),
        "theta": ((size,), theta.dtype.str),
        "good": ((size,), theta.dtype.str),
        "copying": ((n_workers, line), "i8"),
        "copied": ((n_workers, line), "i8"),
        "gradients": ((n_workers, -(-size // 16) * 16), theta.dtype.str),
    }
    shared |= {f"slot.{name}": ((size,), slot.dtype.str) for name, slot in slots.items()}
    for k in range(SLOTS):
        shared[f"x.{k}"] = (x.shape, x.dtype.str)
        shared[f"model.{k}"] = ((model_size,), "u1")
        shared |= {f"noise.{k}.{i}": (array.shape, array.dtype.str) for i, array in enumerate(noise)}
    return shared


def first_rows(array: NDArray, axis: int, n: int) -> NDArray:
    """The part of a slot's array that a batch of n rows fills, as a contiguous array in its memory."""
    if axis < 0 or array.shape[axis] == n:
        return array
    shape = (*array.shape[:axis], n, *array.shape[axis + 1 :])
    return np.ndarray(shape, array.dtype, array)


def part(n: int, index: int, of: int, grain: int = 1) -> slice:
    """The `index`-th of `of` nearly equal parts of n, cut at multiples of `grain`."""
    units = -(-n // grain)
    return slice(min(n, units * index // of * grain), min(n, units * (index + 1) // of * grain))


def moved_part(size: int, rank: int, n_workers: int, optimizer: Optimizer) -> slice:
    """What a worker moves of a theta of that size: the first one everything where the optimiser looks at all of it."""
    movers = n_workers if getattr(optimizer, "elementwise", False) else 1
    return part(size, min(rank, movers), movers, GRAIN)


def main(connection: int, block: int) -> None:
    """Work until the parent closes the connection, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent decides what Ctrl-C means
    parent = Connection(connection)
    stage = "load"
    try:
        job = pickle.loads(parent.recv_bytes())
        model, optimizer = pickle.loads(job.model), pickle.loads(job.optimizer)
        worker = _Worker(job, model, optimizer, views(block, job.fields), parent)
        threading.Thread(target=_leave_with, args=(parent,), daemon=True).start()
        stage = "work"
        keep_freed_memory()
        with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
            worker.run()
        parent.send(("ended",))
    except BaseException as error:
        text = "".join(traceback.format_exception_only(error)).strip()
        with suppress(OSError):  # the parent is gone
            parent.send(("error", stage, text, traceback.format_exc()))
    threading.Event().wait()  # until the parent has read it, and closes the connection


def _leave_with(parent: Connection) -> None:
    """End this process as soon as the parent closes its end, or dies, whatever else is going on here."""
    with suppress(EOFError, OSError):
        parent.recv_bytes()
    os._exit(0)


class _Worker:
    """The steps of one worker."""

    def __init__(
        self, job: Job, model: Any, optimizer: Optimizer, shared: dict[str, NDArray], parent: Connection
    ) -> None:
        self._job, self._model, self._optimizer, self._shared, self._parent = job, model, optimizer, shared, parent
        self._control = shared["control"]
        self._arrived = memoryview(shared["arrived"]).cast("B").cast("q")
        theta = shared["theta"]
        self._theta = ThetaWithGradient(job.shapes, flat=theta)
        self._gradient = Parameters(job.shapes, flat=shared["gradients"][job.rank, : theta.size])
        self._share = moved_part(theta.size, job.rank, job.n_workers, optimizer)
        self._slots = {name: shared[f"slot.{name}"][self._share] for name in job.slots}
        self._moments = OptimizerState(job.t, dict(self._slots))
        self._chunk = aligned_empty(CHUNK, theta.dtype)
        self._barriers = 0

    def run(self) -> None:
        """Step by step, until all are told to halt or the loss is not finite."""
        step = 0
        while True:
            self._wait(lambda t=step: self._control[PUBLISHED] > t)
            if not self._step(step):
                return
            step += 1
            self._shared["done"][self._job.rank, 0] = step
            if self._control[HALTED]:
                return

    def _step(self, step: int) -> bool:
        """One step; False where the loss is not finite, and nothing has been moved."""
        job, shared, slot = self._job, self._shared, step % SLOTS
        n = int(shared["rows"][slot])
        weights = [(rows.stop - rows.start) / n for rows in (part(n, i, job.n_workers) for i in range(job.n_workers))]
        self._gradient_of_rows(slot, n)
        self._barrier()
        if not np.isfinite(shared["sums"][slot, :, 1]).all():
            if job.rank == 0:
                self._control[BROKEN] = step + 1
            return False
        theta = shared["theta"][self._share]
        if self._moments.t % SNAPSHOT_EVERY == 0:
            shared["copying"][job.rank, 0] = self._moments.t
            shared["good"][self._share] = theta
            shared["copied"][job.rank, 0] = self._moments.t
        if theta.size:
            self._optimizer.step(theta, self._sum_gradients(np.array(weights, theta.dtype)), self._moments)
            for name, held in self._slots.items():
                if self._moments.slots[name] is not held:  # an optimiser that makes new moments
                    held[:] = self._moments.slots[name]
                    self._moments.slots[name] = held
        else:
            self._moments.t += 1
        if job.rank == 0 and self._control[HALT_ASKED]:
            self._control[HALTED] = step + 1
        self._barrier()
        return True

    def _gradient_of_rows(self, slot: int, n: int) -> None:
        """Write the gradient, and the sums of the loss and its terms, of this worker's rows."""
        job, shared = self._job, self._shared
        sums, rows = shared["sums"][slot, job.rank], part(n, job.rank, job.n_workers)
        if size := int(shared["model_size"][slot]):
            self._model = pickle.loads(shared[f"model.{slot}"][:size].tobytes())
        if rows.start == rows.stop:
            sums[:] = 0
            self._gradient.flat[:] = 0
            return
        x = shared[f"x.{slot}"][rows]
        noise = map_leaves(lambda i: first_rows(shared[f"noise.{slot}.{i}"], job.axes[i], n), job.noise)
        noise = noise_rows(noise, job.axes, rows)
        self._theta.hand_out(self._gradient)
        state = ({},) if job.has_state else ()
        loss, gradient, *_ = self._model.loss_and_grad(self._theta, x, noise, *state)
        if gradient is not self._gradient:
            self._gradient.flat[:] = gradient.flat
        self._note(loss, slot, sums)

    def _sum_gradients(self, weights: NDArray) -> NDArray:
        """The mean gradient of all rows, for this worker's part of theta, written over its own gradient there.

        No other worker reads that part, so the sum needs no memory beside a chunk.
        """
        gradients, share = self._shared["gradients"], self._share
        for start in range(share.start, share.stop, CHUNK):
            chunk = slice(start, min(start + CHUNK, share.stop))
            total = self._chunk[: chunk.stop - chunk.start]
            np.matmul(weights, gradients[:, chunk], out=total)
            gradients[self._job.rank, chunk] = total
        return gradients[self._job.rank, share]

    def _note(self, loss: Loss, slot: int, sums: NDArray) -> None:
        """Write the sums of the loss and of its terms."""
        if len(loss.terms) > MAX_TERMS:
            raise ValueError(f"a loss must have at most {MAX_TERMS} terms, got {len(loss.terms)}")
        sums[0] = len(loss.per_datum)
        sums[1] = loss.per_datum.sum()
        for i, values in enumerate(loss.terms.values(), 2):
            sums[i] = values.sum()
        if self._job.rank == 0:
            if self._barriers == 0:
                self._parent.send(("terms", loss.described()))
            for i, name in enumerate(loss.terms, 2):
                self._shared["weights"][slot, i] = loss.weights.get(name, np.nan)

    def _barrier(self) -> None:
        """Wait until all workers are here."""
        self._barriers += 1
        self._arrived[8 * self._job.rank] = self._barriers
        others = range(0, 8 * self._job.n_workers, 8)
        self._wait(lambda: all(self._arrived[i] >= self._barriers for i in others))

    @staticmethod
    def _wait(ready: Callable[[], bool]) -> None:
        """Look often, then offer the processor to others between two looks, then sleep between them."""
        began = time.perf_counter()
        while not ready():
            waited = time.perf_counter() - began
            if waited > YIELD:
                time.sleep(0.0002)
            elif waited > SPIN:
                os.sched_yield()
