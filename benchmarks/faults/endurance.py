"""One estimator under many threads, and many rounds of everything in one process."""

from __future__ import annotations

import gc
import os
import threading
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

import npvae
from benchmarks.faults.originals import bits, fitted
from benchmarks.faults.outcome import Outcome, Watch

THREADS = 8
WARM, GROWTH = 200, 8 << 20
"""Rounds after which memory is measured first, and bytes that it may grow from there to the end."""


def run(part: str, folder: Path, watch: Watch) -> Outcome:
    """The part of that name."""
    return _threads(watch) if part == "threads" else _soak(folder, watch)


def _threads(watch: Watch) -> Outcome:
    """Each case is a call from one of several threads, while another thread fits the same estimator again and again."""
    x = bits()
    models = [_fit(model, x) for model in fitted().values() if model.n_features_in_ == x.shape[1]]
    expected = [{name: call(model, x) for name, call in CALLS.items() if hasattr(model, name)} for model in models]
    outcome = Outcome("threads", f"calls from {THREADS} threads at estimators that are fitted meanwhile")
    lock, cases = threading.Lock(), iter(watch)
    done = threading.Event()

    def ask() -> None:
        while True:
            with lock:
                case, draw = next(cases, (None, None))
                outcome.cases += case is not None
            if case is None:
                return
            i = draw.randrange(len(models))
            name = draw.choice(sorted(expected[i]))
            try:
                if not np.array_equal(CALLS[name](models[i], x), expected[i][name]):
                    raise RuntimeError("another result than alone")
            except Exception as error:
                with lock:
                    outcome.failures.append((case, f"{type(models[i]).__name__}.{name}: {error!r}"[:300]))

    def refit() -> None:
        while not done.is_set():
            for model in models:
                _fit(model, x)

    threads = [threading.Thread(target=ask) for _ in range(THREADS)]
    fitting = threading.Thread(target=refit)
    for thread in (*threads, fitting):
        thread.start()
    for thread in threads:
        thread.join()
    done.set()
    fitting.join()
    outcome.note = f"{len(models)} models; each call gives the bits that it gives alone"
    return outcome


def _fit(model: Any, x: NDArray) -> Any:
    return model.fit(x, **({"X_val": x} if "patience" in model.get_params() else {}))


CALLS = {
    "transform": lambda model, x: np.asarray(model.transform(x)),
    "reconstruct": lambda model, x: np.asarray(model.reconstruct(x)),
    "score_samples": lambda model, x: model.score_samples(x),
    "sample": lambda model, x: model.sample(3, random_state=1),
    "log_likelihood": lambda model, x: model.log_likelihood(x[:3], k=5).log_px,
}


def _soak(folder: Path, watch: Watch) -> Outcome:
    """Each case is a round: fit, save, load, score, sample, and an error."""
    outcome, x = Outcome("soak", "rounds of fit, save, load, use and errors in one process"), bits()
    started = len(os.listdir("/proc/self/fd"))
    models = [model for name, model in fitted().items() if name != "table"]
    first = last = 0
    for case, draw in watch:
        try:
            _round(models[case % len(models)], x, folder, draw)
        except Exception as error:
            outcome.failures.append((case, repr(error)[:300]))
        outcome.cases += 1
        if outcome.cases % 20 == 0 or outcome.cases == WARM:
            gc.collect()
            last = _resident()
            first = last if outcome.cases <= WARM else first
    left = [path.name for path in folder.iterdir() if path.name != "m.npz"]
    handles, threads = len(os.listdir("/proc/self/fd")) - started, threading.active_count() - 1
    for wrong, text in (
        (last - first > GROWTH, f"memory grew by {(last - first) / 1e6:.1f} MB"),
        (handles, f"{handles} files are open"),
        (threads, f"{threads} threads are left"),
        (left, f"left over: {left}"),
    ):
        if wrong:
            outcome.failures.append((-1, text))
    grown = f"{max(last - first, 0) / 1e6:.1f} MB after the first {min(WARM, outcome.cases)} rounds"
    outcome.note = f"memory grew by {grown}; no file, thread or handle is left"
    return outcome


def _round(model: Any, x: NDArray, folder: Path, draw: Random) -> None:
    _fit(model, x).save(folder / "m.npz")
    back = npvae.load(folder / "m.npz")
    for name, call in CALLS.items():
        if hasattr(model, name) and not np.array_equal(call(back, x), call(model, x)):
            raise RuntimeError(f"{type(model).__name__}.{name} differs after it was saved")
    try:
        model.score_samples(x[:, : draw.randrange(1, x.shape[1])])
    except ValueError:
        return
    raise RuntimeError("rows of another width are taken")


def _resident() -> int:
    """Bytes of memory that the process has."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
