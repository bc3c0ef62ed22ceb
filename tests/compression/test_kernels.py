"""A file that one kernel of the BLAS wrote is read under another one, and by other numbers of threads."""

import os
import subprocess
import sys

import pytest

CODE = """
import sys
import numpy as np
from npvae.compression import compress, decompress
from npvae.distributions import LogisticMixture
from npvae.models import VAE

model = VAE.mlp(784, 10, (50,), "tanh", likelihood=LogisticMixture(2))
theta = model.init(np.random.default_rng(0), mean=np.full(784, 0.3), var=np.full(784, 0.1))
rows = np.random.default_rng(1).integers(0, 256, (40, 784))
if sys.argv[1] == "write":
    sys.stdout.buffer.write(compress(model, theta, rows))
else:
    assert (decompress(model, theta, sys.stdin.buffer.read()) == rows).all()
"""


def run(what, given=b"", **environment):
    command = [sys.executable, "-c", CODE, what]
    return subprocess.run(command, input=given, env=os.environ | environment, capture_output=True, check=False)


@pytest.mark.parametrize(
    "environment",
    [{"OPENBLAS_CORETYPE": "Nehalem"}, {"OPENBLAS_NUM_THREADS": "2"}, {"NPY_DISABLE_CPU_FEATURES": "X86_V3 AVX2 FMA3"}],
    ids=str,
)
def test_what_was_written_here_is_read_under_other_settings(environment):
    written = run("write")
    assert written.returncode == 0, written.stderr.decode()
    found = run("read", written.stdout, **environment, PYTHONWARNINGS="ignore")
    assert found.returncode == 0, found.stderr.decode()
