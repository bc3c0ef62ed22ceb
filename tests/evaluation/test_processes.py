"""Blocks of rows by other processes: the results of one process, in order; errors and deaths are told."""

import os
import signal
import subprocess
import sys
from functools import partial
from operator import add, truediv

import numpy as np
import pytest

from npvae.evaluation.processes import over_blocks


def die_at_three(number):
    """Kill the process that is given the number 3."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def test_results_are_those_of_one_process_in_order():
    blocks = [np.full((4, 2), i) for i in range(7)]
    for n_jobs in (1, 3):
        results = list(over_blocks(partial(add, 10), blocks, n_jobs))
        np.testing.assert_array_equal(results, [10 + block for block in blocks])


def test_the_work_is_done_by_other_processes_with_one_blas_thread():
    results = list(over_blocks(os.getenv, ["OPENBLAS_NUM_THREADS", "OPENBLAS_NUM_THREADS"], 2))
    assert results == ["1", "1"]


def test_an_error_of_the_function_is_raised_as_it_is():
    with pytest.raises(ZeroDivisionError):
        list(over_blocks(partial(truediv, 1), [1, 0, 2], 2))


def test_a_process_that_dies_is_told_and_no_process_is_left():
    with pytest.raises(RuntimeError, match="ended with status -9 before it had answered"):
        list(over_blocks(die_at_three, [1, 2, 3, 4], 2))
    children = subprocess.run(
        ["pgrep", "-P", str(os.getpid()), "-f", "npvae.evaluation"], capture_output=True, check=False
    )
    assert children.stdout == b""


def test_a_script_needs_no_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from npvae.evaluation.processes import over_blocks\nprint(list(over_blocks(abs, [-1, -2], 2)))\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "[1, 2]\n"
