"""Steps of a training by several processes on one machine, each with its rows of every batch."""

from __future__ import annotations

import os
import pickle
import sys
import time
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.bounds import Term
from npvae.models import Model
from npvae.models.noise import leaves, map_leaves, noise_axes
from npvae.optimizers import Optimizer
from npvae.parameters import Parameters
from npvae.training import shared_memory
from npvae.training.run import TrainingRun
from npvae.training.steps import BrokenStepError, FailedWorkerError, Steps, blamed, require_rows_apart
from npvae.training.team import Team
from npvae.training.term_sums import TermSums
from npvae.training.worker import BROKEN, HALT_ASKED, HALTED, PUBLISHED, SLOTS, Job, fields, first_rows, moved_part
from npvae.validation import ArgumentError

LONGEST_PAUSE = 0.05
"""Seconds after which the parent looks again whether Ctrl-C came and whether all workers live."""


class WorkerSteps(Steps):
    """Steps by worker processes, which start with the first batch.

    This process, the parent, computes nothing of a step: it reads the rows, draws the noise and puts both where the
    workers find them, some batches ahead. So the data are nowhere twice, and the random numbers are those of a
    training by one process.

    Parameters
    ----------
    run : TrainingRun
        Its theta and moments move into shared memory, and back at `close`.
    model, optimizer : Model, Optimizer
    n_workers : int

    Raises
    ------
    ArgumentError
        If model or optimiser cannot be handed to another process, or the model's loss cannot be split by rows.
    """

    def __init__(self, run: TrainingRun, model: Model, optimizer: Optimizer, n_workers: int) -> None:
        if sys.platform == "win32":
            raise ArgumentError("n_jobs", "be 1 on Windows, where processes cannot share memory without a name")
        require_rows_apart("n_jobs", "be 1", model, run)
        self._run, self._model, self._optimizer, self._n_workers = run, model, optimizer, n_workers
        self._pickled = {name: _pickled(name, thing) for name, thing in (("model", model), ("optimizer", optimizer))}
        self._first_t, self._published, self._counted = run.optimizer_state.t, 0, 0
        self._axes = noise_axes(model, run.theta.dtype)
        self._shared: dict[str, NDArray] = {}
        self._team: Team | None = None
        self._pace, self._last = 1e-3, 0.0
        self.terms: dict[str, Term] = {}

    @property
    def good(self) -> Parameters:
        """The latest snapshot, as a copy; theta of the beginning counts as one. To ask for it ends the workers.

        At the same step each worker copies its part of theta, and moves it only then. So a worker that has ended before
        its copy was complete, which others may have been as well, has left in theta itself what it was to copy.
        """
        if self._team is not None:
            self._team.close()  # from here on nothing moves
        good = self._run.theta.copy()
        if self._shared:
            latest = self._shared["copying"][:, 0].max()
            for rank in np.flatnonzero(self._shared["copied"][:, 0] == latest):
                share = moved_part(good.flat.size, rank, self._n_workers, self._optimizer)
                good.flat[share] = self._shared["good"][share]
        return good

    def step(self, model: Model, x: NDArray, noise: Any, sums: TermSums) -> None:
        """Hand out a batch as soon as there is room for it."""
        if self._team is None:
            self._start(x, noise)
        while self._published - self._counted >= SLOTS:
            self._count(sums, wait=True)
        if self._published == self._counted:
            self._last = time.perf_counter()
        slot = self._published % SLOTS
        self._put(slot, x, leaves(noise))
        self._put_model(slot, model)
        self._published += 1
        self._shared["control"][PUBLISHED] = self._published
        self._count(sums, wait=False)

    def finish(self, sums: TermSums) -> None:
        """Wait for the batches that are under way."""
        while self._counted < self._published:
            self._count(sums, wait=True)

    def halt(self, sums: TermSums) -> None:
        """Stop after the step that is under way, and add the losses of all that ended."""
        if self._team is not None:
            self._shared["control"][HALT_ASKED] = 1
            while not self._shared["control"][HALTED] and self._done() < self._published:
                self._pause()
            while (halted := int(self._shared["control"][HALTED])) and self._done() < halted:
                self._pause()
            self._count(sums, wait=False)

    def close(self) -> None:
        """End the workers, and take theta and moments out of the shared memory."""
        if self._team is not None:
            self._team.close()
        if self._shared:
            run = self._run
            run.theta = run.theta.copy()
            run.optimizer_state = run.optimizer_state.copy()
        self._shared, self._team = {}, None

    def _start(self, x: NDArray, noise: Any) -> None:
        """Make the shared block for batches like this one, the largest, and start the workers."""
        run, arrays = self._run, leaves(noise)
        moments = run.optimizer_state.slots
        size = 2 * len(self._pickled["model"]) + 4096  # other models of the same kind, with other weights
        layout = fields(self._n_workers, run.theta.flat, moments, x, arrays, size)
        block = shared_memory.create(layout)
        try:
            self._shared = shared = shared_memory.views(block, layout)
            shared["theta"][:] = run.theta.flat
            shared["good"][:] = run.theta.flat
            shared["copying"][:, 0] = shared["copied"][:, 0] = self._first_t
            for name, slot in moments.items():
                shared[f"slot.{name}"][:] = slot
                moments[name] = shared[f"slot.{name}"]
            run.theta = Parameters(run.theta.shapes, flat=shared["theta"])
            numbers = iter(range(len(arrays)))
            nesting = map_leaves(lambda array: next(numbers), noise)
            job = Job(
                rank=0,
                n_workers=self._n_workers,
                fields=dict(layout),
                shapes=run.theta.shapes,
                noise=nesting,
                axes=self._axes,
                t=self._first_t,
                slots=tuple(moments),
                has_state=run.state is not None,
                **self._pickled,
            )
            jobs = [pickle.dumps(replace(job, rank=rank)) for rank in range(self._n_workers)]
            self._team = Team(jobs, block)
        finally:
            os.close(block)

    def _put(self, slot: int, x: NDArray, noise: list[NDArray]) -> None:
        """Copy a batch into the shared block."""
        room, n = self._shared[f"x.{slot}"], len(x)
        if x.dtype != room.dtype or x.shape[1:] != room.shape[1:] or n > len(room):
            got = f"{x.shape} of {x.dtype} after {room.shape} of {room.dtype}"
            raise ValueError(f"with n_jobs the batches must be alike, got {got}")
        room[:n] = x
        for i, (array, axis) in enumerate(zip(noise, self._axes, strict=True)):
            first_rows(self._shared[f"noise.{slot}.{i}"], axis, n)[...] = array
        self._shared["rows"][slot] = n

    def _put_model(self, slot: int, model: Model) -> None:
        """Copy the model into the shared block, where it is another one than that of the step before."""
        self._shared["model_size"][slot] = 0
        if model is not self._model:
            pickled, room = _pickled("model", model), self._shared[f"model.{slot}"]
            if len(pickled) > room.size:
                raise ValueError(f"with n_jobs models must be alike, got one of {len(pickled)} bytes after {room.size}")
            room[: len(pickled)] = np.frombuffer(pickled, np.uint8)
            self._shared["model_size"][slot] = len(pickled)
            self._model = model

    def _count(self, sums: TermSums, wait: bool) -> None:
        """Add the losses of the steps that have ended; with `wait`, wait until one has."""
        while (done := self._done()) == self._counted and wait:
            self._pause()
        for step in range(self._counted, done):
            self._note(step, sums)
        if done > self._counted:
            now = time.perf_counter()
            # One look that came late, such as the first of all, does not make the next pauses long.
            self._pace, self._last = min((now - self._last) / (done - self._counted), 4 * self._pace), now
            self._counted = done
            self._run.optimizer_state.t = self._first_t + done

    def _note(self, step: int, sums: TermSums) -> None:
        slot = step % SLOTS
        if not self.terms:
            self._listen()
        n, *values = self._shared["sums"][slot].sum(axis=0)[: 2 + len(self.terms)].tolist()
        names = list(self.terms)
        weights = dict(zip(names, self._shared["weights"][slot, 2:].tolist(), strict=False))
        told = {name: weight for name, weight in weights.items() if not np.isnan(weight)}
        units = {name: term.unit for name, term in self.terms.items()}
        sums.add_sums(round(n), dict(zip(["loss", *names], values, strict=True)), told, units)
        self.terms = {name: term._replace(weight=told.get(name, 1.0)) for name, term in self.terms.items()}

    def _done(self) -> int:
        """Steps that all workers have ended."""
        return int(self._shared["done"][:, 0].min()) if self._shared else 0

    def _pause(self) -> None:
        """Sleep for about a step, after a look whether all is well."""
        self._listen()
        time.sleep(min(max(self._pace, 1e-4), LONGEST_PAUSE))

    def _listen(self) -> None:
        """Raise what went wrong in a worker; note what the terms of the loss are."""
        for number, kind, *content in self._team.messages():
            if kind == "terms":
                (self.terms,) = content
            elif kind == "error":
                self._fail(number, *content)
            elif broken := int(self._shared["control"][BROKEN]):
                self._break(broken)
        self._team.require_alive()

    def _fail(self, number: int, stage: str, text: str, trace: str) -> None:
        """Raise an error that came from a worker."""
        if stage == "load":
            advice = "classes and functions of the script itself have to move into a module that it imports"
            raise ArgumentError("n_jobs", "be 1 unless a new process can load model and optimiser", text, advice)
        raise FailedWorkerError(f"worker {number} of {self._n_workers} failed: {text}", trace)

    def _break(self, step: int) -> None:
        """Raise that the loss of a step, counted from 1, is not finite."""
        slot, names = (step - 1) % SLOTS, list(self.terms)
        values = self._shared["sums"][slot, :, 2 : 2 + len(names)].sum(axis=0)
        bad = [name for name, value in zip(names, values, strict=True) if not np.isfinite(value)]
        x = self._shared[f"x.{slot}"][: int(self._shared["rows"][slot])]
        self._run.optimizer_state.t = self._first_t + step - 1
        raise BrokenStepError(self._first_t + step, blamed(bad or names, np.isfinite(x).all()))


def _pickled(name: str, thing: Any) -> bytes:
    try:
        return pickle.dumps(thing, pickle.HIGHEST_PROTOCOL)
    except Exception as error:  # whatever its own __reduce__ raises
        rule = f"be 1, since the {name} cannot be handed to another process"
        raise ArgumentError("n_jobs", rule, f"{type(error).__name__}: {error}") from error
