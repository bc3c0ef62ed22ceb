"""Damaged files: every load ends in an error of one line, or in what is right; soon, and in little memory."""

from __future__ import annotations

import json
import resource
import signal
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from random import Random
from time import perf_counter
from types import FrameType
from typing import Any, NoReturn

import numpy as np

import npvae
from benchmarks.faults.mutations import damaged, forged
from benchmarks.faults.originals import Original, originals
from benchmarks.faults.outcome import Outcome, Watch
from npvae import datasets, storage, training

SECONDS, COPIES, ROOM = 2.0, 3, 32 << 20
"""Limits of a load: seconds, and bytes as a multiple of the file's size beside what any load takes."""

WHAT = {
    "models": "damaged and forged model files, of every model",
    "checkpoints": "damaged and forged checkpoints, of every model that has them",
    "data": "damaged data files: .npy, .npz, IDX, .csv, pictures",
}


class TooLongError(BaseException):
    """A load that took longer than it may."""


def run(part: str, folder: Path, watch: Watch) -> Outcome:
    """Damage one of the part's files in each case, load it, judge what comes."""
    kinds, outcome, ends = originals(part, folder), Outcome(part, WHAT[part]), Counter()
    seconds: list[float] = []
    for case, draw in watch:
        original = draw.choice(kinds)
        path = original.path if original.path.is_dir() else folder / f"damaged{original.path.suffix}"
        try:
            ends[_case(original, path, draw, seconds)] += 1
        except Exception as error:
            outcome.failures.append((case, f"{original.name}: {type(error).__name__}: {str(error)[:300]}"))
        except TooLongError:
            outcome.failures.append((case, f"{original.name}: longer than {SECONDS:g} s"))
        outcome.cases += 1
    ways = ("refused", "unchanged", "other values", "understood")
    told = ", ".join(f"{ends[end]:,} {end}" for end in ways if ends[end])
    outcome.note = f"{told}; slowest load {1000 * max(seconds):.0f} ms"
    return outcome


def _case(original: Original, path: Path, draw: Random, seconds: list[float]) -> str:
    """How a case ended; an error if it did so in another way than it may."""
    forging = original.content is not None and draw.random() < 0.4
    victim = path
    if forging:
        forged(path, *original.content, draw)
    elif path.is_dir():
        victim = path / draw.choice(sorted(original.whole))
        victim.write_bytes(damaged(original.whole[victim.name], draw))
    else:
        path.write_bytes(damaged(original.whole[""], draw))
    began = perf_counter()
    try:
        with _limits(3 * victim.stat().st_size):
            loaded = _load(original, path)
    except (ValueError, TypeError, OSError, ImportError) as error:
        if "\n" in str(error) or not str(error) or isinstance(error, UnicodeError):
            raise RuntimeError(f"an error that is not one line: {error!r}") from error
        return "refused"
    finally:
        seconds.append(perf_counter() - began)
        if path.is_dir():
            victim.write_bytes(original.whole[victim.name])
    if forging:
        _use(original, path, loaded)
        return "understood"
    same = _same(original, path, loaded)
    if not same and original.has_checksum:
        raise RuntimeError("loads with other content, and nothing is said")
    return "unchanged" if same else "other values"


def _load(original: Original, path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if original.kind == "models":
            return npvae.load(path)
        if original.kind == "checkpoints":
            return training.load_checkpoint(path)
        return datasets.load(path, missing=True)


def _same(original: Original, path: Path, loaded: Any) -> bool:
    if original.kind == "data":
        return loaded.x.shape == original.x.shape and np.array_equal(loaded.x, original.x, equal_nan=True)
    header, arrays = storage.load(path)
    return (
        header == original.content[0]
        and list(arrays) == list(original.content[1])
        and all(np.array_equal(array, original.content[1][name]) for name, array in arrays.items())
    )


def _use(original: Original, path: Path, loaded: Any) -> None:
    """A forged file that loads has been understood: written again it is the same, and it works or says why not."""
    again = path.with_name("again.npz")
    if original.kind == "checkpoints":
        training.save_checkpoint(again, loaded)
    else:
        loaded.save(again)
    if not _has_all(storage.load(again)[0], storage.load(path)[0]):
        raise RuntimeError("what was understood is not what the file says")
    if original.kind == "models":
        loaded.facts(), loaded.history_.last(), str(loaded.scaling_)
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            for method, argument in (("transform", original.x), ("score_samples", original.x), ("sample", 2)):
                with suppress(ValueError, TypeError):
                    getattr(loaded, method, lambda _: None)(argument)


def _has_all(understood: Any, told: Any) -> bool:
    """Whether all that a header tells is understood; an entry that it lacks has its value of before it was there."""
    if isinstance(told, dict) and isinstance(understood, dict):
        return all(name in understood and _has_all(understood[name], told[name]) for name in told)
    return json.dumps(told) == json.dumps(understood)


@contextmanager
def _limits(size: int) -> Iterator[None]:
    """Have a block end after `SECONDS`, and in `size` bytes beside what the process has and any load takes."""
    taken = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmData"))
    before = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (1024 * int(taken.split()[1]) + size + ROOM, before[1]))
    handler = signal.signal(signal.SIGALRM, _too_long)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        resource.setrlimit(resource.RLIMIT_DATA, before)


def _too_long(signum: int, frame: FrameType | None) -> NoReturn:
    raise TooLongError
