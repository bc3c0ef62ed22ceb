"""docs/extending.md: its blocks are files that run in their order, and the checker proves what they define."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from npvae import VAE
from npvae.distributions import Distribution

ROOT = Path(__file__).parent.parent
BLOCKS = re.findall(r"```python\n(# (\w+\.py)\n.*?)```", (ROOT / "docs" / "extending.md").read_text("utf-8"), re.S)


def test_every_block_is_a_file_that_runs(tmp_path):
    assert [name for _, name in BLOCKS] == [
        "bent.py",
        "use_bent.py",
        "logistic.py",
        "use_logistic.py",
        "linear.py",
        "use_linear.py",
    ]
    for code, name in BLOCKS:
        (tmp_path / name).write_text(code, "utf-8")
    said = {}
    for _, name in BLOCKS:
        if name.startswith("use_"):
            run = subprocess.run([sys.executable, "-W", "error", name], cwd=tmp_path, capture_output=True, text=True)
            assert run.returncode == 0, run.stdout + run.stderr
            said[name] = run.stdout
    for text in said.values():
        assert "PASS" in text
        assert "FAIL" not in text
        assert "INCONCLUSIVE" not in text
    assert "True" in said["use_bent.py"]
    assert "Logistic" in said["use_logistic.py"]
    assert "LinearAutoencoder(" in said["use_linear.py"]
    assert (tmp_path / "samples.npy").exists()


class Poisson(Distribution):
    """Counts with means exp(a): no entropy in closed form, no derivative by x."""

    def n_params(self, d):
        return d

    def draw_noise(self, rng, shape, dtype):
        return rng.random(shape).astype(dtype)

    def sample(self, a, eps):
        return np.floor(np.exp(a) + eps), None

    def log_prob(self, a, x):
        return (x * a - np.exp(a)).sum(axis=-1), (a, x)

    def log_prob_backward(self, cache, dlog_prob):
        a, x = cache
        return (x - np.exp(a)) * dlog_prob[..., None]

    def log_prob_backward_x(self, cache, dlog_prob):
        raise NotImplementedError

    def entropy(self, a):
        raise NotImplementedError

    def entropy_backward(self, cache, dentropy):
        raise NotImplementedError

    def mean(self, a):
        return np.exp(a)

    def output_bias(self, mean, var):
        return np.log(mean + 0.01)


@pytest.mark.parametrize("bound", ["elbo", "monte-carlo", "stl", "iwae", "dreg", "score-function"])
def test_a_vae_asks_a_likelihood_for_no_entropy_and_no_derivative_by_x(bound):
    x = np.random.default_rng(0).poisson(3.0, (40, 4))
    vae = VAE(likelihood=Poisson(), scale="none", bound=bound, n_samples=2, latent_dim=1, hidden=4, epochs=1)
    vae.set_params(random_state=0).fit(x, X_val=x)
    assert np.isfinite(vae.score(x))
    assert np.isfinite(vae.log_likelihood(x, k=3)).all()
    assert vae.reconstruct(x).shape == x.shape
    assert vae.sample(3).shape == (3, 4)
