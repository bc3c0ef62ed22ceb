"""A function of blocks of rows, computed by fresh processes, each with one BLAS thread."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from queue import SimpleQueue
from typing import Any

from npvae.training.team import ONE_THREAD

__all__ = ["over_blocks"]

START = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from npvae.evaluation.processes import serve
serve()"""
"""What a process runs: the interpreter is a fresh one, which imports no script of the user's."""


def over_blocks(function: Callable[[Any], Any], blocks: Sequence[Any], n_jobs: int) -> Iterator[Any]:
    """``map(function, blocks)``: the results in the order of the blocks, each as soon as those before it are there.

    With `n_jobs` = 1 this process computes them. Otherwise function, blocks and results are handed over by pickle; a
    process gets its next block when it has done one.

    Raises
    ------
    RuntimeError
        If a process ends before it has answered. An error of the function's is raised as it is.
    """
    if n_jobs == 1 or len(blocks) < 2:
        yield from map(function, blocks)
        return
    with ExitStack() as stack:
        pool = stack.enter_context(_threads(min(n_jobs, len(blocks))))
        free: SimpleQueue = SimpleQueue()
        for _ in range(min(n_jobs, len(blocks))):
            process = stack.enter_context(_process())
            _send(process, function)
            free.put(process)

        def ask(block: Any) -> Any:
            process = free.get()
            try:
                _send(process, block)
                return _answer(process)
            finally:
                free.put(process)

        yield from pool.map(ask, blocks)


@contextmanager
def _threads(n: int) -> Iterator[ThreadPoolExecutor]:
    """Threads that wait for the processes; at the end, no further block is begun."""
    pool = ThreadPoolExecutor(n)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def _process() -> Iterator[subprocess.Popen]:
    """A process that runs `serve`, and is killed with the block, whatever it is at."""
    process = subprocess.Popen(
        [sys.executable, "-c", START, json.dumps([str(path) for path in sys.path])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | ONE_THREAD,
        start_new_session=True,  # Ctrl-C is for the parent
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        with suppress(BrokenPipeError):
            process.stdin.close()
        process.stdout.close()


def _send(process: subprocess.Popen, thing: Any) -> None:
    with suppress(BrokenPipeError):  # it is dead, which `_answer` tells
        pickle.dump(thing, process.stdin, pickle.HIGHEST_PROTOCOL)
        process.stdin.flush()


def _answer(process: subprocess.Popen) -> Any:
    try:
        error, result = pickle.load(process.stdout)
    except EOFError:
        raise RuntimeError(f"a worker process ended with status {process.wait()} before it had answered") from None
    if error is not None:
        raise error
    return result


def serve() -> None:
    """Read a function, then blocks, and answer each with (error, result), until the parent closes its end."""
    answers = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # what others print must not get between the answers
    with suppress(EOFError, BrokenPipeError):
        function = pickle.load(sys.stdin.buffer)
        while True:
            block = pickle.load(sys.stdin.buffer)
            try:
                answer = (None, function(block))
            except Exception as error:
                answer = (error, None)
            pickle.dump(answer, answers, pickle.HIGHEST_PROTOCOL)
            answers.flush()
