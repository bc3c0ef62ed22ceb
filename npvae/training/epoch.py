"""One pass over the data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from npvae.models import Model
from npvae.training.checkpoint import Checkpoints
from npvae.training.history import WEIGHT
from npvae.training.progress import Progress
from npvae.training.run import TrainingRun, Within
from npvae.training.steps import Steps
from npvae.training.term_sums import TermSums

Transform = Callable[[NDArray, "np.random.Generator"], NDArray]
"""Makes of a batch what the model sees at this visit, such as a fresh binarisation."""

ModelAt = Callable[[int], Model]
"""The model of step t, counted from 0: the same parameters, another objective, such as another weight β."""

_SHUFFLE, _NOISE = range(2)


@dataclass(frozen=True)
class Visits:
    """What every epoch does with the data; see `npvae.training.train`."""

    x: NDArray
    batch_size: int
    transform: Transform | None
    model: Model
    model_at: ModelAt | None
    interrupted: Callable[[], bool]
    progress: Progress | None
    checkpoints: Sequence[Checkpoints]


def pass_over(run: TrainingRun, steps: Steps, visits: Visits) -> dict[str, float] | None:
    """Move the run by one pass over the data; returns seconds and mean terms, or None if Ctrl-C cut it short.

    A run that stands within an epoch goes on there: the random numbers of the batches that it has had are drawn again,
    and not used.
    """
    x, dtype, model, progress = visits.x, run.theta.dtype, visits.model, visits.progress
    told = 0
    before = run.within or Within(0, visits.batch_size, len(x), 0.0, TermSums())
    run.within = None
    started, sums, first = perf_counter() - before.seconds, before.sums.copy(), run.optimizer_state.t - before.batches

    def here() -> Within | None:
        batches = run.optimizer_state.t - first
        return before._replace(batches=batches, seconds=perf_counter() - started, sums=sums) if batches else None

    shuffle_rng, noise_rng = (np.random.default_rng([run.seed, run.epoch + 1, s]) for s in (_SHUFFLE, _NOISE))
    for i, rows in enumerate(minibatches(len(x), visits.batch_size, shuffle_rng)):
        if steps.agreed(visits.interrupted()):
            steps.halt(sums)
            run.within = here()
            return None
        if visits.model_at is not None:
            model = visits.model_at(first + i)
        share = steps.share(len(rows))
        if visits.transform is None:
            batch = np.asarray(x[rows[share]], dtype=dtype)
        else:  # which draws for all rows
            batch = visits.transform(np.asarray(x[rows], dtype=dtype), noise_rng)[share]
        noise = model.draw_noise(noise_rng, len(rows), dtype)
        if i < before.batches:
            continue
        steps.step(model, batch, noise, sums)
        if progress is not None and sums.n:
            told = sums.n
            progress.step(run, sums, len(x))
        due = [keep for keep in visits.checkpoints if keep.due(run)]
        if steps.agreed(bool(due)):
            steps.finish(sums)
            run.within = here()
            with steps.together():
                for keep in due:
                    keep.save(run)
            run.within = None
    steps.finish(sums)
    if progress is not None and sums.n != told:  # the last steps have ended just now
        progress.step(run, sums, len(x))
    earlier = run.history["seconds"][-1] if run.history else 0.0
    annealed = {} if visits.model_at is None else {WEIGHT + name: mean for name, mean in sums.weights().items()}
    return {"seconds": earlier + perf_counter() - started, **sums.means(), **annealed}


def minibatches(n: int, batch_size: int, rng: np.random.Generator) -> Iterator[NDArray]:
    """Visit the rows 0 … n − 1 once, in random order, `batch_size` at a time; the last batch may be smaller."""
    order = rng.permutation(n)
    for start in range(0, n, batch_size):
        yield order[start : start + batch_size]
