"""``npvae`` as a process of its own, quickly: forked from one that has imported all already."""

from __future__ import annotations

import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

import npvae.cli

__all__ = ["CONFIGURATIONS", "Ended", "Process", "data_files", "finished", "words_of"]

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that ask a training to end."""

COMMON = ["--no-pictures", "--quiet"]

CONFIGURATIONS = {
    "vae": "--hidden 16 --latent 2 --epochs 60",
    "vae, early stopping": "--hidden 16 --latent 2 --epochs 200 --learning-rate 0.01 --patience 6 --test held-out.npy",
    "vae, annealing": "--hidden 16 --latent 2 --epochs 60 --beta-schedule warm-up --schedule cosine",
    "vae, dynamic, float64": "--hidden 16 --latent 2 --epochs 50 --binarize dynamic --dtype float64",
    "vae, two processes": "--hidden 64 --latent 8 --epochs 30 --jobs 2",
    "vae, importance weighted": "--hidden 16 --latent 2 --epochs 40 --bound iwae --samples 3 --optimizer sgd",
    "rbm": "--model rbm --hidden 8 --epochs 60 --ais-steps 20 --ais-runs 10",
    "binary-vae": "--model binary-vae --hidden 8 --latent 4,2 --epochs 25",
    "sbn": "--model sbn --latent 4,2 --epochs 15 --sweeps 2",
    "autoencoder": "--model autoencoder --hidden 16 --latent 2 --epochs 80",
    "sparse": "--model sparse --hidden 16 --latent 4 --epochs 60",
    "denoising": "--model denoising --hidden 16 --latent 4 --epochs 60",
    "contractive": "--model contractive --hidden 16 --latent 4 --epochs 40",
    "pca": "--model pca --latent 3",
    "gaussian-mixture": "--model gaussian-mixture --components 3",
}
"""Trainings of half a second or so, of every model."""


class Ended(NamedTuple):
    """How a process ended."""

    status: int
    """Its exit status; of a signal that killed it the negative number."""
    text: str
    """What it wrote to standard error."""


def words_of(name: str) -> list[str]:
    """The command line of a configuration, without the folder."""
    words = CONFIGURATIONS[name]
    return ["train", "x.npy", *words.split(), *(["--batch", "16"] if "--epochs" in words else []), *COMMON]


def data_files(folder: Path) -> None:
    """Sixty small binary images to learn, and twenty that are held out."""
    for name, n, seed in (("x.npy", 60, 0), ("held-out.npy", 20, 1)):
        np.save(folder / name, (np.random.default_rng(seed).random((n, 6, 6)) > 0.6).astype(np.float32))


class Process:
    """A command that runs in a folder; `prepare` is called before it, in its own process."""

    def __init__(self, words: Sequence[str], folder: Path, prepare: Callable[[], None] | None = None) -> None:
        self._errors = folder / f".errors-{os.urandom(4).hex()}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of threads, of which there are none but BLAS's
            self.pid = os.fork()
        if self.pid == 0:
            os._exit(_run(words, folder, self._errors, prepare))

    def send(self, number: int) -> None:
        """Send a signal."""
        os.kill(self.pid, number)

    def ended(self) -> bool:
        """Whether it has ended; nothing is reaped."""
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def wait(self, seconds: float = 60.0) -> Ended:
        """Wait for the end; a RuntimeError if it does not come."""
        until = time.monotonic() + seconds
        while not self.ended():
            if time.monotonic() > until:
                self.send(signal.SIGKILL)
                os.waitpid(self.pid, 0)
                raise RuntimeError(f"it did not end within {seconds:g} s")
            time.sleep(0.002)
        status = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        text = self._errors.read_text(encoding="utf-8", errors="replace") if self._errors.exists() else ""
        self._errors.unlink(missing_ok=True)
        return Ended(status, text)


def finished(words: Sequence[str], folder: Path, prepare: Callable[[], None] | None = None) -> Ended:
    """Run a command to its end."""
    return Process(words, folder, prepare).wait()


def _run(words: Sequence[str], folder: Path, errors: Path, prepare: Callable[[], None] | None) -> int:
    try:
        os.setsid()
        for number in ENDING:
            signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)
        os.chdir(folder)
        target = os.open(errors, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(target, 2)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
        if prepare is not None:
            prepare()
        status = npvae.cli.main(list(words))
    except SystemExit as leaving:
        status = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:
        traceback.print_exc()
        status = 70
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            continue
    return status or 0
