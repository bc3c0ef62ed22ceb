"""Ctrl-C while the command starts, from its first module on: one line, no traceback."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

from benchmarks.faults.outcome import Outcome, Watch
from benchmarks.faults.processes import data_files

COMMAND = "import sys; from npvae.__main__ import main; print(flush=True); sys.exit(main())"
WORDS = "train x.npy -o run --hidden 8 --latent 2 --epochs 3 --no-pictures --overwrite"
LONGEST = 0.6
"""Seconds within which the signal comes: the imports, and the beginning of the training."""


def run(part: str, folder: Path, watch: Watch) -> Outcome:
    """Each case starts an interpreter and presses Ctrl-C."""
    outcome = Outcome(part, "Ctrl-C while the command starts, in its imports for the most part")
    data_files(folder)
    for case, draw in watch:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, *WORDS.split()],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )
        process.stdout.readline()
        time.sleep(draw.uniform(0, LONGEST))
        process.send_signal(signal.SIGINT)
        try:
            _, text = process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            process.kill()
            _, text = process.communicate()
            text = f"it did not end: {text}"
        lines = [line for line in text.splitlines() if not line.startswith(("epoch ", "1 process "))]
        if process.returncode not in (0, 130) or "Traceback" in text or len(lines) > 1:
            outcome.failures.append((case, f"status {process.returncode}: {text[-300:]}"))
        outcome.cases += 1
    outcome.note = "each ends with status 130, or 0 where it was done, and at most one line"
    return outcome
