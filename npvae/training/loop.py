"""The training loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing, nullcontext
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from npvae.models import Model
from npvae.numerics import keep_freed_memory
from npvae.optimizers import Adam, Optimizer
from npvae.parameters import Parameters
from npvae.training.checkpoint import Checkpoints
from npvae.training.epoch import ModelAt, Transform, Visits, pass_over
from npvae.training.history import HELD_OUT
from npvae.training.jobs import number_of_jobs
from npvae.training.progress import Progress
from npvae.training.ranks import Communicator, RankSteps, require_alike, together
from npvae.training.run import BROKEN, NonFiniteLossError, TrainingRun, WorkerError
from npvae.training.signals import deferred_interrupt
from npvae.training.steps import BrokenStepError, FailedWorkerError, SerialSteps, Steps
from npvae.validation import ArgumentError, integer

Callback = Callable[[TrainingRun], "bool | None"]
"""Called after every epoch; a true answer ends the training."""

_VALIDATION, _STATE = 2, 7  # streams of random numbers; an epoch has 0 and 1, the estimators those between


def train(
    model: Model,
    start: Parameters | TrainingRun,
    x: NDArray,
    *,
    optimizer: Optimizer | None = None,
    epochs: int = 10,
    batch_size: int = 128,
    seed: int = 0,
    x_val: NDArray | None = None,
    transform: Transform | None = None,
    patience: int | None = None,
    callbacks: Sequence[Callback] = (),
    progress: Progress | None = None,
    model_at: ModelAt | None = None,
    n_jobs: int | None = None,
    comm: Communicator | None = None,
) -> TrainingRun:
    """Minimise the mean loss of a model over the rows of x.

    Parameters
    ----------
    model : Model
    start : Parameters or TrainingRun
        Initial parameters, or a run that goes on (then `seed` is the run's). It is not changed.
    x : (n, d) array
        May be larger than memory (`numpy.memmap`): only batches of it are read.
    optimizer : Optimizer, default Adam()
    epochs : int
        Passes over the data in all, those of a continued run included.
    batch_size : int
        Rows per step; the last batch of an epoch may be smaller.
    seed : int
        Seed of the shuffling, the noise and the transform.
    x_val : (m, d) array, optional
        Held-out data, evaluated after every epoch with the same noise each time.
    transform : callable, optional
        Applied to every batch at every visit, with a generator.
    patience : int, optional
        Stop when the held-out loss has not improved for that many epochs; the run's `chosen` are the parameters at
        its best then, unless Ctrl-C came first.
    callbacks : sequence of callable
        Called with the run after every epoch. Among them may be `Checkpoints`, which also write amid an epoch, and at
        the end.
    progress : Progress, optional
    model_at : callable, optional
        ``model_at(t)`` stands for the model at step t of the whole run, counted from 0; that is how β is annealed. The
        training loss is then a mean of losses that differ from step to step, and the history has the mean weight of
        every term that has one, as "weight_kl". Held-out data are for `model` itself.

    n_jobs : int, optional
        Processes that share the rows of every batch; −1 is as many as there are cores, None is 1: this process alone,
        with all of its BLAS threads. Several start as fresh interpreters with one BLAS thread each, to which model and
        optimiser must be handed by pickle. The same seed and number of processes give the same bits, another number
        the same up to rounding. This process reads the data and draws the noise for all of them.
    comm : mpi4py.MPI.Comm, optional
        The ranks that train together, all of which call this function with the same arguments; callbacks and progress
        may be those of rank 0 alone. Each rank reads and works on its rows of every batch, and moves its part of
        theta by the sum of all gradients. All return the same run.

    Returns
    -------
    TrainingRun
        Its `stopped` says why it ended. Ctrl-C ends it after the current step, and what was trained is kept; from there
        it can go on, amid the epoch, to the same bits.

    Raises
    ------
    TypeError, ValueError
        For counts that are not positive integers, `patience` without `x_val`, no rows, or a `start` that does not fit
        the model, the optimiser or `x_val`.
    WorkerError
        When one of several processes fails, or a worker is killed. It carries the run with the last good parameters.
    NonFiniteLossError
        When the loss, the held-out loss or a parameter stops being finite. It names step and term and carries the run
        with the last good parameters.
    """
    with together(comm):
        _require_sense(x, x_val, epochs, batch_size, patience)
        seed = integer("seed", seed, at_least=0)
    if comm is not None:
        held_out = None if x_val is None else x_val.shape
        facts = {"model": dict(model.shapes), "x": x.shape, "x_val": held_out, "patience": patience}
        require_alike(comm, **facts, epochs=epochs, batch_size=batch_size, seed=seed)
    optimizer = optimizer if optimizer is not None else Adam()
    run = start.copy() if isinstance(start, TrainingRun) else TrainingRun.begin(start, optimizer, seed)
    _require_fit(run, model, optimizer, x_val, model_at is not None)
    _require_same_epoch(run, batch_size, len(x))
    if comm is not None and comm.size > min(batch_size, len(x)):
        raise ArgumentError("comm", f"have no more ranks than a batch has rows, {min(batch_size, len(x))}", comm.size)
    if run.state is None and hasattr(model, "begin_state"):
        run.state = model.begin_state(np.random.default_rng([run.seed, 0, _STATE]))
    run.stopped = ""
    _set_patience(run, patience)
    keep_freed_memory()
    with (
        deferred_interrupt(insist=comm is None) as interrupted,
        closing(_steps(run, model, optimizer, min(number_of_jobs(n_jobs), batch_size, len(x)), comm)) as steps,
        nullcontext() if progress is None else closing(progress),
        np.errstate(over="ignore", invalid="ignore", divide="ignore"),
    ):
        checkpoints = [callback for callback in callbacks if isinstance(callback, Checkpoints)]
        visits = Visits(x, batch_size, transform, model, model_at, interrupted, progress, checkpoints)
        while run.epoch < epochs and not run.stopped:
            finished = _epoch(run, model, optimizer, steps, visits, x_val)
            if not finished:
                run.stopped = "interrupted"
                break
            if patience is not None and _out_of_patience(run, patience):
                run.stopped = "early stopping"
            if progress is not None:
                progress.epoch(run)
            with steps.together():
                answers = [callback(run) for callback in callbacks]
            if steps.agreed(any(answers)):
                run.stopped = "callback"
        run.stopped = run.stopped or "finished"
        with steps.together():
            for keep in checkpoints:
                keep.save_unless_kept(run)
    return run


def _epoch(
    run: TrainingRun, model: Model, optimizer: Optimizer, steps: Steps, visits: Visits, x_val: NDArray | None
) -> bool:
    """Move the run by an epoch and note its losses, held-out data's among them; False if Ctrl-C cut it short."""
    try:
        means = pass_over(run, steps, visits)
        if means is None:
            return False
        terms = steps.terms
        if x_val is not None:
            noise = np.random.default_rng([run.seed, 0, _VALIDATION])  # the same after every epoch
            held_out, terms = steps.held_out(model, run, x_val, noise, visits.batch_size)
            means |= {HELD_OUT + name: mean for name, mean in held_out.items()}
    except BrokenStepError as error:
        raise _breakdown(run, steps.good, error.step, error.blamed, optimizer) from None
    except FailedWorkerError as error:
        raise _worker_error(run, steps.good, error) from None
    bad = _not_finite(means, x_val)
    if bad or not np.isfinite(run.theta.flat).all():
        raise _breakdown(run, steps.good, run.optimizer_state.t, bad or ["the parameters"], optimizer)
    run.epoch += 1
    run.history.append({"epoch": run.epoch, "steps": run.optimizer_state.t, **means}, terms)
    return True


def _require_sense(x: NDArray, x_val: NDArray | None, epochs: int, batch_size: int, patience: int | None) -> None:
    """What can be said of the arguments of `train` before any work is done."""
    integer("epochs", epochs, at_least=1)
    integer("batch_size", batch_size, at_least=1)
    if patience is not None:
        integer("patience", patience, at_least=1)
        if x_val is None:
            raise ValueError("patience needs held-out data, got none")
    for argument, rows in (("x", x), ("x_val", x_val)):
        if rows is not None and len(rows) == 0:
            raise ArgumentError(argument, "have rows", f"shape {rows.shape}")
    if x_val is not None and x_val.shape[1:] != x.shape[1:]:
        raise ArgumentError("x_val", f"have rows like those of x, {x.shape[1:]}", x_val.shape[1:])


def _steps(run: TrainingRun, model: Model, optimizer: Optimizer, n_jobs: int, comm: Communicator | None) -> Steps:
    if comm is not None:
        if n_jobs > 1:
            raise ArgumentError("n_jobs", "be left out with comm, whose ranks are the processes", n_jobs)
        return RankSteps(run, model, optimizer, comm)
    if n_jobs == 1:
        return SerialSteps(run, optimizer)
    from npvae.training.workers import WorkerSteps  # which needs much of the standard library

    return WorkerSteps(run, model, optimizer, n_jobs)


def _not_finite(means: dict[str, float], x_val: NDArray | None) -> list[str]:
    """The terms that are infinite or NaN, or the held-out data where these are."""
    bad = [name for name, mean in means.items() if not np.isfinite(mean)]
    return ["x_val itself"] if bad and x_val is not None and not np.isfinite(x_val).all() else bad


def _set_patience(run: TrainingRun, patience: int | None) -> None:
    """Patience begins where it is new, and has ended where a run without any left goes on."""
    if patience is None:
        run.best, run.best_epoch = None, 0
    elif run.best is None and run.epoch > 0:
        run.best, run.best_epoch = run.theta.copy(), run.epoch
    elif run.epoch > 0 and run.epoch - run.best_epoch >= patience:
        run.stopped = "early stopping"


def _out_of_patience(run: TrainingRun, patience: int) -> bool:
    losses = run.history["val_loss"]
    if run.best is None or losses[-1] < losses[run.best_epoch - 1]:
        run.best, run.best_epoch = run.theta.copy(), run.epoch
    return run.epoch - run.best_epoch >= patience


def _breakdown(
    run: TrainingRun, good: Parameters, step: int, terms: Sequence[str], optimizer: Optimizer
) -> NonFiniteLossError:
    run.theta, run.stopped = good, "non-finite loss"
    where = f"at step {step} (epoch {run.epoch + 1}), in {' and '.join(terms)}"
    if terms[0] in ("x itself", "x_val itself"):
        return NonFiniteLossError(f"the loss is not finite {where}, which has NaN or infinity", run)
    if run.optimizer_state.t == 0:
        advice = "bring the data to a common scale near one, and a given sigma to that of their noise"
        return NonFiniteLossError(f"the loss is not finite {where}, before any training: {advice}", run)
    return NonFiniteLossError(
        f"the loss stopped being finite {where}; the last good parameters are kept. Try {_smaller(optimizer, step)} "
        "or a warm-up, and look for extreme values in the data",
        run,
    )


def _smaller(optimizer: Optimizer, step: int) -> str:
    """A smaller learning rate, in words."""
    rate = getattr(optimizer, "learning_rate", None)
    rate = rate(step) if callable(rate) else rate
    return "a smaller learning rate" + ("" if rate is None else f", well below {rate:.3g},")


def _worker_error(run: TrainingRun, good: Parameters, error: FailedWorkerError) -> WorkerError:
    run.theta, run.stopped = good, "failed worker"
    step = run.optimizer_state.t + 1
    trace = f"\n\nIn the worker:\n{error.trace.rstrip()}" if error.trace else ""
    return WorkerError(f"{error.message}, at step {step}; the last good parameters are kept{trace}", run)


def _require_fit(run: TrainingRun, model: Model, optimizer: Optimizer, x_val: NDArray | None, annealed: bool) -> None:
    """Refuse a run that broke down, or that another model, optimiser or other columns of the history belong to."""
    if run.stopped in BROKEN:
        advice = "begin anew from its last good parameters, its theta"
        raise ArgumentError("start", "not be a run that broke down", advice=advice)
    for expected, got in zip_longest(model.shapes.items(), run.theta.shapes.items()):
        if expected != got:
            raise ArgumentError("start", f"have the parameters of the model, expected {expected}", got)
    states = (optimizer.init(run.theta.flat), run.optimizer_state)
    expected, got = ({name: slot.size for name, slot in state.slots.items()} for state in states)
    if run.epoch > 0 and hasattr(model, "begin_state") != (run.state is not None):
        which = "no state" if run.state is not None else "the state of the model between its steps"
        raise ArgumentError("start", f"have {which}, since it goes on with epochs of that model")
    if expected != got:
        raise ValueError(f"start must have the moments of {optimizer}, expected {expected}, got {got}")
    if run.history and ("val_loss" in run.history) != (x_val is not None):
        raise ArgumentError("x_val", f"{'' if x_val is None else 'not '}be given, as in the epochs before")
    if run.history.weight_columns and not annealed:
        raise ArgumentError("model_at", "be given, as in the epochs before")


def _require_same_epoch(run: TrainingRun, batch_size: int, n_rows: int) -> None:
    """A ValueError if the run stands amid an epoch of other batches."""
    within = run.within
    if within is not None and (within.batch_size, within.n_rows) != (batch_size, n_rows):
        had = f"batches of {within.batch_size} from {within.n_rows} rows"
        got = f"batches of {batch_size} from {n_rows} rows"
        raise ArgumentError("start", f"go on with {had}, since it stands amid an epoch of them", got)
