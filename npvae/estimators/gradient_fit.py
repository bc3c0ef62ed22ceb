"""Fitting by the training loop: what every estimator that learns by gradients shares."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from math import ceil, prod
from numbers import Integral
from typing import Any, TypeVar
from zlib import crc32

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import memory, training
from npvae.estimators import registry
from npvae.estimators.base import DTYPES, Estimator, Rows, random_seed
from npvae.estimators.large_values import warn_of_scale
from npvae.estimators.objects import described
from npvae.estimators.options import option, options_of
from npvae.models import Model
from npvae.numerics import column_moments
from npvae.optimizers import OPTIMIZERS, Optimizer
from npvae.parameters import Parameters
from npvae.schedules import SCHEDULES
from npvae.validation import ArgumentError, ArgumentTypeError

__all__ = ["GradientEstimator", "Visits"]

G = TypeVar("G", bound="GradientEstimator")

INIT = 3
"""Stream of random numbers of the initial parameters, beside 0 to 2 of the training loop."""

COPIES = 8
"""Vectors of all weights during training: now, at the start, when last good, and a gradient; two moments, twice."""

MOST_PROCESSES = 1024
"""A checkpoint that tells of as many is not believed."""

Visits = tuple[NDArray, "NDArray | None", "training.Transform | None"]
"""Training rows, held-out rows, and what makes of a batch what the model sees at this visit."""


@dataclass(eq=False, repr=False, kw_only=True)
class GradientEstimator(Estimator):
    """Base of the estimators that minimise a loss by the training loop.

    Hooks beside those of `Estimator`
    ---------------------------------
    _visits(x, x_val, seed)
        What the loop gets of the data.
    _model_at(model, n)
        The model of every step, where the objective changes in the course of the run.
    _memory(model)
        Numbers that a step needs beside the weights, by the options that would make them fewer and what those are.
    _learnt(model, run, visits)
        Fitted attributes of its own.
    _measure(visits)
        What `fit` adds to them at its end, and `partial_fit` does not; what was trained is kept where it fails.
    """

    epochs: int = option(10, "passes over the data", at_least=1, group="training", metavar="N", fixed=False)
    batch_size: int = option(128, "rows per step", at_least=1, group="training", flag="batch", metavar="N")
    optimizer: str = option("adam", "update rule", choices=OPTIMIZERS, group="training")
    learning_rate: float = option(0.001, "step size", above=0, group="training", metavar="α")
    schedule: str = option("constant", "course of the learning rate over the run", choices=SCHEDULES, group="training")
    patience: int | None = option(
        None, "stop after N epochs without a better loss on held-out data, and keep the best", kind=int, at_least=1,
        optional=True, group="training", metavar="N", fixed=False,
    )  # fmt: skip
    dtype: str = option("float32", "precision", choices=DTYPES, group="training")
    n_jobs: int | str | None = option(
        None, "processes that share the rows of every batch; -1 for all cores, auto for as many as are fastest",
        kind=int, optional=True, words=["auto"], typed_default="auto", group="training", flag="jobs", metavar="N",
        fixed=False,
    )  # fmt: skip

    # ---- hooks -------------------------------------------------------------------------------------------------------

    def _visits(self, x: NDArray, x_val: NDArray | None, seed: int) -> Visits:
        return x, x_val, None

    def _model_at(self, model: Model, n: int) -> training.ModelAt | None:
        return None

    def _memory(self, model: Model) -> dict[tuple[str, str], int]:
        return {}

    def _initial(self, model: Model, rng: np.random.Generator, x: NDArray) -> Parameters:
        """Initial parameters; `x` are the rows that they are fitted to."""
        return model.init(rng, x.dtype, *column_moments(x))

    def summary(self) -> list[str]:
        """The last losses of the run, term by term."""
        lines = training.summary(self.run_, "row" if self.image_shape_ is None else "image", self._coded_dimensions())
        scaled = self.scaling_.how not in ("none", "bytes")
        return [*lines, "on the model's scale; npvae score has it in the units of the data"] if scaled else lines

    def _coded_dimensions(self) -> int | None:
        """How many dimensions a lossless code of −ELBO nats has for every row; None where −ELBO is no code's length."""
        return None

    def _learnt(self, model: Model, run: training.TrainingRun, visits: Visits) -> dict[str, Any]:
        return {}

    def _measure(self, visits: Visits) -> None:
        """Nothing."""

    # ---- fitting -----------------------------------------------------------------------------------------------------

    def fit(
        self: G,
        X: ArrayLike,
        y: Any = None,
        *,
        X_val: ArrayLike | None = None,
        callbacks: Sequence[training.Callback] = (),
        resume_from: training.TrainingRun | None = None,
        comm: training.Communicator | None = None,
    ) -> G:
        """Train on the rows of X.

        Parameters
        ----------
        X : (n, d) or (n, height, width) array, or a frame
            Finite, and from the likelihood's support. `y` is ignored.
        X_val : array like X, optional
            Held-out data, evaluated after every epoch.
        callbacks : sequence of callable
            Called with the `TrainingRun` after every epoch; a true answer ends it.
        resume_from : TrainingRun, optional
            Go on with a run, such as ``npvae.training.load_checkpoint(path)``, until `epochs` are done in all. Options
            and data must be those that it began with; a run of `npvae.training.train` has not noted its own.
        comm : mpi4py.MPI.Comm, optional
            The ranks that train together: all call `fit` with the same options and data. Each works on its rows of
            every batch; rank 0 alone needs `callbacks`, and shows progress.

        Returns
        -------
        self
            Ctrl-C ends the training early and keeps what was trained; ``run_.stopped`` then says "interrupted".

        Raises
        ------
        TypeError, ValueError
            For an option, a combination of them or data that cannot be, for a single row, or if the memory does not
            suffice; nothing is trained then.
        NonFiniteLossError, WorkerError
            If the loss stops being finite, or one of `n_jobs` processes fails; the estimator keeps the last good
            parameters. If there never were any, nothing is kept.
        """
        with training.together(comm):
            self._check_options()
            seed = self._seed_for(resume_from)
        seed = seed if comm is None else comm.bcast(seed)  # every rank may have drawn its own
        with training.together(comm):
            rows = self._training_rows(X)
            n_columns = rows.scaling.n_columns(rows.x.shape[1])
            known = (rows.scaling, n_columns, rows.names, rows.image_shape)
            x_val = None if X_val is None else self._scaled("X_val", X_val, *known)
            decided = self._decided(rows)
            model = decided._build(rows.x.shape[1], len(rows.x))
            decided._require_memory(model)
            decided._require_reach(model, rows.x, x_val)
            visits = decided._visits(rows.x, x_val, seed)
            start = decided._first_or_next(model, visits[0], seed, resume_from)
        try:
            decided._train(model, start, rows, visits, seed, decided.epochs, callbacks, comm)
            decided._measure(visits)
        finally:
            self._take_over(decided)
        return self

    def partial_fit(self: G, X: ArrayLike, y: Any = None) -> G:
        """Train one epoch on a chunk of data that come in chunks; the first call learns the scale of all.

        The optimiser goes on where the call before left it. A schedule needs to know how long a run is, so it must be
        "constant"; a loaded model goes on with new moments.
        """
        self._check_options()
        if self.schedule != "constant":
            raise ArgumentError("schedule", "be 'constant' with partial_fit, which ends nowhere", repr(self.schedule))
        if not self.__sklearn_is_fitted__():
            rows = self._training_rows(X)
        else:
            x, names = self._rows(X), list(getattr(self, "feature_names_in_", ())) or None
            rows = Rows(x, names, self.image_shape_, self.scaling_, getattr(self, "library_", None))
        decided = self._decided(rows)
        model = decided._build(rows.x.shape[1], len(rows.x))
        decided._require_reach(model, rows.x, None)
        run = getattr(self, "run_", None)
        seed = self.seed_ if self.__sklearn_is_fitted__() else random_seed(self.random_state)
        visits = decided._visits(rows.x, None, seed)
        if run is None and self.__sklearn_is_fitted__():
            run = training.TrainingRun.begin(self.theta_, decided._optimizer(len(rows.x)), seed)
        elif run is not None:
            run = replace(run, within=None)  # where it stood in another chunk
        else:
            run = decided._first_or_next(model, visits[0], seed, None)
        try:
            decided._train(model, run, rows, visits, seed, run.epoch + 1, ())
        finally:
            self._take_over(decided)
        return self

    def _train(
        self,
        model: Model,
        start: training.TrainingRun,
        rows: Rows,
        visits: Visits,
        seed: int,
        epochs: int,
        callbacks: Sequence[training.Callback],
        comm: training.Communicator | None = None,
    ) -> None:
        """Run the loop and take over what it trained, even where it broke down on the way."""
        x, x_val, transform = visits
        speaks = self.verbose and (comm is None or comm.rank == 0)
        n_jobs = self.n_jobs
        if n_jobs == "auto":
            began = start.settings.get("processes")  # so many as the run began with, wherever it goes on
            n_jobs = training.fastest_jobs(model, len(x), epochs) if comm is None else 1
            n_jobs = began if began in range(1, MOST_PROCESSES) and comm is None else n_jobs
            start = replace(start, settings={**start.settings, "processes": n_jobs})
        processes = min(training.number_of_jobs(n_jobs), self.batch_size, len(x)) if comm is None else comm.size
        opening = "1 process computes every batch" if self.n_jobs == "auto" else ""
        if processes > 1:
            opening = f"{processes} processes share every batch"

        def keep(run: training.TrainingRun) -> None:
            learnt = {"theta_": run.chosen, "run_": run, "history_": run.history, "seed_": seed, "n_iter_": run.epoch}
            learnt["identity_"] = run.identity
            self._adopt(model, rows, learnt | self._learnt(model, run, visits))

        try:
            run = training.train(
                model,
                start,
                x,
                optimizer=self._optimizer(len(x)),
                epochs=epochs,
                batch_size=self.batch_size,
                seed=seed,
                x_val=x_val,
                transform=transform,
                patience=self.patience,
                callbacks=callbacks,
                progress=training.Progress(epochs, opening=opening) if speaks else None,
                model_at=self._model_at(model, len(x)),
                n_jobs=n_jobs,
                comm=comm,
            )
        except training.BrokenRunError as error:
            if error.run.optimizer_state.t > 0:
                keep(error.run)
            raise
        keep(run)

    def _optimizer(self, n: int) -> Optimizer:
        """The optimiser for n rows, its learning rate scheduled over the whole run."""
        schedule = SCHEDULES[self.schedule](self._option("learning_rate"), self._steps(n))
        return OPTIMIZERS[self.optimizer](schedule)

    def _steps(self, n: int) -> int:
        """Steps of the whole run over n rows."""
        return self._option("epochs") * ceil(n / self._option("batch_size"))

    # ---- going on ----------------------------------------------------------------------------------------------------

    def _seed_for(self, resume_from: training.TrainingRun | None) -> int:
        """The seed of the run to go on with, or of a new one."""
        if resume_from is None:
            return random_seed(self.random_state)
        if not isinstance(resume_from, training.TrainingRun):
            needed = "be a TrainingRun, such as npvae.training.load_checkpoint reads"
            raise ArgumentTypeError("resume_from", needed, type(resume_from).__name__)
        return resume_from.seed

    def _open_end(self) -> bool:
        """Whether a run may become longer than it was meant to be; a schedule spans the whole run."""
        return self.schedule == "constant"

    def _settings(self, x: NDArray) -> dict[str, Any]:
        """What must not change between the parts of a run over the rows of x."""
        fixed = {name for name, o in options_of(self).items() if o.fixed or (name == "epochs" and not self._open_end())}
        values = {name: described(options_of(self)[name].check(getattr(self, name))) for name in sorted(fixed)}
        return {"model": registry.model_name(type(self)), **values, "rows": len(x), "checksum": crc32(x)}

    def _first_or_next(
        self, model: Model, x: NDArray, seed: int, run: training.TrainingRun | None
    ) -> training.TrainingRun:
        """A run at its beginning, or the one to go on with, if it was begun with the same options."""
        settings = self._settings(x)
        if run is None:
            warn_of_scale(x)
            theta = self._initial(model, np.random.default_rng([seed, 0, INIT]), x)
            return training.TrainingRun.begin(theta, self._optimizer(len(x)), seed, settings)
        if run.stopped == "non-finite loss":
            advice = "resume from a checkpoint before it, or fit anew with a smaller learning_rate"
            raise ArgumentError("resume_from", f"not be a run that broke down: {advice}")
        if run.epoch > self._option("epochs"):
            raise ArgumentError("epochs", f"be at least {run.epoch}, which the run has done already", self.epochs)
        if run.epoch == self.epochs and self.verbose:
            with suppress(OSError):  # nobody reads on
                done = f"all {run.epoch} epochs of the run were done before: there is nothing left to train"
                print(done, file=sys.stderr, flush=True)
        if run.settings:
            self._require_same(run.settings, settings)
        given = self.random_state
        if isinstance(given, Integral) and given != run.seed:
            raise ArgumentError("random_state", f"be {run.seed}, as it was when the run began", given)
        # A run of `npvae.training.train` has noted nothing to compare with; from now on there is.
        return run if run.settings else replace(run, settings=settings)

    def _require_same(self, began: dict[str, Any], now: dict[str, Any]) -> None:
        """An `ArgumentError` that names what is not as it was when the run began."""
        # A run from before an option was there had its default; one from before the scaling had none.
        before = {**{name: described(o.default) for name, o in options_of(self).items()}, "scale": "none", **began}
        before["scale"] = began.get("scale", now["scale"])
        for name, value in now.items():
            if (was := before.get(name, value)) != value and [was] != value:  # an older run has one width as a list
                if name == "checksum":
                    raise ArgumentError("X", "be the data that the run began with", "others")
                reason = ": a schedule spans the whole run" if name == "epochs" else ""
                raise ArgumentError(name, f"be {was!r}, as it was when the run began", f"{value!r}{reason}")

    # ---- what cannot work is refused before any work is done ---------------------------------------------------------

    def _require_reach(self, model: Model, x: NDArray, x_val: NDArray | None) -> None:
        """An `ArgumentError` if the data have values that the model cannot have."""

    def _require_memory(self, model: Model) -> None:
        """An `ArgumentError` that says how much memory training would take, if there is not as much."""
        weights = COPIES * sum(map(prod, model.shapes.values()))
        size = np.dtype(self._dtype).itemsize / 1e9
        gigabytes = {blame: numbers * size for blame, numbers in {self._size(): weights, **self._memory(model)}.items()}
        there, whose = memory.available()
        if (total := sum(gigabytes.values())) > there / 1e9:
            argument, came = blame = max(gigabytes, key=gigabytes.get)
            needs = f"that takes {gigabytes[blame]:,.1f} GB of {total:,.1f} GB, {whose} {there / 1e9:,.1f} GB"
            raise ArgumentError(argument, "be smaller", f"{came}: {needs}")

    def _size(self) -> tuple[str, str]:
        """The options that would make the weights fewer, and what they are."""
        return "X", "many columns"
