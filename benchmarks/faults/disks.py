"""Disks that are full, and disks that nobody may write to: one line with the file, nothing lost, nothing left over."""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from typing import Any

from benchmarks.faults.kills import EXPECTED, References, learnt, same
from benchmarks.faults.outcome import Outcome, Watch
from benchmarks.faults.processes import CONFIGURATIONS, Ended, finished, words_of
from npvae import files, training

ALONE = [name for name in CONFIGURATIONS if name != "vae, two processes"]
REASONS = ("No space left on device", "File too large", "Read-only file system")


def run(part: str, folder: Path, watch: Watch) -> Outcome:
    """Each case trains on such a disk; a full one gets room afterwards, and the training goes on."""
    case_of, what = {
        "full": (_full, "disks that are full at a random byte, then have room: resumed"),
        "read-only": (_read_only, "folders on a disk that cannot be written"),
    }[part]
    outcome, references, ways = Outcome(part, what), References(folder), Counter()
    for case, draw in watch:
        name = ALONE[case % len(ALONE)]
        try:
            ways[case_of(name, references, folder, draw)] += 1
        except Exception as error:
            outcome.failures.append((case, f"{name}: {type(error).__name__}: {str(error)[:300]}"))
        shutil.rmtree(folder / "run", ignore_errors=True)
        outcome.cases += 1
    outcome.note = ", ".join(f"{n} by {way}" for way, n in ways.most_common())
    return outcome


def _full(name: str, references: References, folder: Path, draw: Random) -> str:
    _, expected = references(name)
    (folder / "run").mkdir()
    words = [*words_of(name), "-o", "run", "--checkpoint-every", draw.choice(["1", "3 epochs", "5s"])]
    way, prepare, disk = draw.choice(
        [
            ("a limit on files", _small_files(draw.randrange(500, 20_000)), None),
            ("a patched write", _full_after(draw.randrange(8)), None),
            ("a small disk", None, f"size={4096 * draw.randrange(2, 16)}"),
        ]
    )
    with _mounted(folder / "run", disk) as is_mounted:
        if disk is not None and not is_mounted:
            way, prepare = "a patched write", _full_after(draw.randrange(8))
        ended = finished(words, folder, prepare)
        _require_one_line(ended, also_done=True)
        kept = [path for path in (folder / "run").iterdir() if path.name.startswith("checkpoint")]
        if ended.status == 2 and kept:
            training.load_newest(folder / "run" / "checkpoint.npz")
        if is_mounted:
            subprocess.run(["mount", "-o", "remount,size=100m", folder / "run"], check=True)
        there = (folder / "run" / "model.npz").exists()
        resumed = ["--resume"] if kept else ["--overwrite"] * there  # a model that keeps no checkpoints
        if ended.status == 2:
            again = finished([*words, *resumed], folder)
            if again.status != 0:
                raise RuntimeError(f"with room it ends with {again}")
        if not same(learnt(folder / "run"), expected):
            raise RuntimeError("the resumed training ends with other bits")
        if left := {path.name for path in (folder / "run").iterdir()} - EXPECTED:
            raise RuntimeError(f"left over: {', '.join(sorted(left))}")
    return way


def _read_only(name: str, references: References, folder: Path, draw: Random) -> str:
    (folder / "run").mkdir()
    with _mounted(folder / "run", "ro") as is_mounted:
        ended = finished([*words_of(name), "-o", "run"], folder, None if is_mounted else _full_after(0, errno.EROFS))
        _require_one_line(ended, also_done=False)
        if left := [path.name for path in (folder / "run").iterdir()]:
            raise RuntimeError(f"left over: {', '.join(left)}")
    return "a mounted disk" if is_mounted else "a patched write"


def _require_one_line(ended: Ended, also_done: bool) -> None:
    if ended == (0, "") and also_done:
        return
    if ended.status != 2 or ended.text.count("\n") != 1 or not any(reason in ended.text for reason in REASONS):
        raise RuntimeError(f"it should end with 2 and one line that says why, got {ended}")
    if not any(name in ended.text for name in ("run/", "run:")):
        raise RuntimeError(f"the file should be named: {ended.text}")


def _small_files(limit: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def _full_after(writes: int, number: int = errno.ENOSPC) -> Callable[[], None]:
    """Have the disk be full when a file is written for the so-manieth time."""

    def prepare() -> None:
        left, held_temporary = [writes], files._held_temporary

        def write(target: Path) -> Any:
            left[0] -= 1
            if left[0] < 0 and target.parent.name == "run":
                raise OSError(number, os.strerror(number))
            return held_temporary(target)

        files._held_temporary = write

    return prepare


@contextmanager
def _mounted(folder: Path, options: str | None) -> Iterator[bool]:
    """A disk of its own in a folder, if it may be mounted; whether it was."""
    command = ["mount", "-t", "tmpfs", "-o", str(options), "tmpfs", folder]
    is_mounted = options is not None and os.geteuid() == 0 and shutil.which("mount") is not None
    is_mounted = is_mounted and subprocess.run(command, capture_output=True, check=False).returncode == 0
    try:
        yield is_mounted
    finally:
        if is_mounted:
            subprocess.run(["umount", folder], check=True)
