"""Worker processes: started as fresh interpreters, heard, and ended with whoever started them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection

from npvae.training.steps import FailedWorkerError

ONE_THREAD = dict.fromkeys(
    ["OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"], "1"
)
"""Environment of a worker, whose products are to take one core."""

START = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from npvae.training.worker import main
main(int(sys.argv[2]), int(sys.argv[3]))"""
"""What a worker runs: the interpreter is a fresh one, which imports no script of the user's."""

LAST_WORDS = 5.0
"""Seconds in which a worker whose connection was closed has to end before it is killed."""


class Team:
    """Worker processes, each of which ends as soon as its connection is closed, by `close` or by this process's end.

    Parameters
    ----------
    jobs : sequence of bytes
        A message for each worker, which `npvae.training.worker.main` reads.
    block : int
        Descriptor of the shared memory; the workers have copies of it.

    Raises
    ------
    FailedWorkerError
        If a process cannot be started.
    """

    def __init__(self, jobs: Sequence[bytes], block: int) -> None:
        self._processes: list[subprocess.Popen] = []
        self._connections: list[Connection] = []
        try:
            for job in jobs:
                self._start(job, block)
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                number = len(self._processes) + 1
                raise FailedWorkerError(f"worker {number} of {len(jobs)} cannot start: {error}") from None
            raise

    def _start(self, job: bytes, block: int) -> None:
        here, there = Pipe()
        arguments = [json.dumps([str(path) for path in sys.path]), str(there.fileno()), str(block)]
        self._connections.append(here)
        try:
            process = subprocess.Popen(
                [sys.executable, "-c", START, *arguments],
                stdin=subprocess.DEVNULL,
                pass_fds=(there.fileno(), block),
                env=os.environ | ONE_THREAD,
                start_new_session=True,  # Ctrl-C is for this process, which ends its workers in good order
            )
        finally:
            there.close()
        self._processes.append(process)
        with suppress(OSError):  # one that died at once is found by `require_alive`
            here.send_bytes(job)

    def messages(self) -> Iterator[tuple]:
        """The number of a worker, from 1, and a message that it has sent, for all messages that wait to be read."""
        for number, connection in enumerate(self._connections, 1):
            with suppress(EOFError, OSError):  # it is dead, which `require_alive` tells
                while connection.poll():
                    yield number, *connection.recv()

    def require_alive(self) -> None:
        """A FailedWorkerError if a worker has ended."""
        for number, process in enumerate(self._processes, 1):
            if (status := process.poll()) is not None:
                how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
                raise FailedWorkerError(f"worker {number} of {len(self._processes)} {how}")

    def close(self) -> None:
        """End all workers, and wait until they have."""
        for connection in self._connections:
            connection.close()
        for process in self._processes:
            try:
                process.wait(timeout=LAST_WORDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
