"""The VAE that the README sends its reader to: short, right, and proved by a check that can fail."""

import ast
import runpy
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

FILE = Path(__file__).parents[2] / "demos" / "vae_by_hand.py"
DEMO = runpy.run_path(str(FILE))


def problem(rows=7):
    """Parameters away from their symmetric start, binary images and noise, in float64."""
    rng = np.random.default_rng(5)
    theta = {name: array + rng.normal(0, 0.05, array.shape) for name, array in DEMO["init"](rng).items()}
    return theta, (rng.random((rows, 784)) < 0.3).astype(float), rng.normal(size=(rows, 10))


def test_it_is_one_page():
    assert len(FILE.read_text(encoding="utf-8").splitlines()) <= 90


def test_it_needs_numpy_and_the_digits_alone():
    tree = ast.parse(FILE.read_text(encoding="utf-8"))
    imports = [ast.unparse(node) for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    assert imports == ["import numpy as np", "from npvae import datasets"]


def test_the_loss_is_the_negative_bound():
    theta, x, eps = problem()
    value, (_, _, _, mu, log_var, z, _, a) = DEMO["forward"](theta, x, eps)
    sigma = np.exp(log_var / 2)
    np.testing.assert_allclose(z, mu + sigma * eps, rtol=1e-14)
    # E_q of log q(z|x) - log p(z) by quadrature, a latent at a time
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    at = mu[..., None] + sigma[..., None] * nodes
    log_ratio = stats.norm.logpdf(at, mu[..., None], sigma[..., None]) - stats.norm.logpdf(at)
    kl = (log_ratio * weights).sum(axis=-1).sum(axis=1) / weights.sum()
    log_px = stats.bernoulli.logpmf(x, 1 / (1 + np.exp(-a))).sum(axis=1)
    assert value == pytest.approx((kl - log_px).mean(), rel=1e-10)


@pytest.mark.parametrize("name", ["W1", "b1", "W2", "b2", "W3", "b3", "W4", "b4"])
def test_the_gradient_is_that_of_differences(name):
    theta, x, eps = problem()
    grad = DEMO["backward"](theta, DEMO["forward"](theta, x, eps)[1])[name]
    v = np.random.default_rng(6).normal(size=grad.shape)
    right, left = (DEMO["forward"](theta | {name: theta[name] + h * v}, x, eps)[0] for h in (1e-5, -1e-5))
    assert (grad * v).sum() == pytest.approx((right - left) / 2e-5, rel=1e-6)


def test_the_proof_finds_every_gradient_right():
    found = DEMO["errors"](*problem(), np.random.default_rng(0))
    assert len(found) == 8
    assert max(found.values()) < 1e-12


@pytest.mark.parametrize("name", ["W1", "b4"])
def test_the_proof_sees_a_gradient_that_is_wrong_by_a_thousandth(name, monkeypatch):
    backward = DEMO["backward"]
    errors = DEMO["errors"]

    def wrong(theta, cache):
        grads = backward(theta, cache)
        return grads | {name: grads[name] * 1.001}

    monkeypatch.setitem(errors.__globals__, "backward", wrong)
    found = errors(*problem(), np.random.default_rng(0))
    assert found.pop(name) == pytest.approx(1e-3, rel=1e-6)
    assert max(found.values()) < 1e-12


def test_training_lowers_the_loss_and_leaves_its_argument_alone(capsys):
    rng = np.random.default_rng(0)
    x = DEMO["datasets"].digits(500, seed=0).x
    theta = DEMO["init"](rng)
    before = {name: array.copy() for name, array in theta.items()}
    trained = DEMO["train"](theta, x, 3, rng)
    assert all((theta[name] == before[name]).all() for name in theta)
    assert trained["W1"].dtype == np.float32
    losses = [float(line.split()[2]) for line in capsys.readouterr().out.splitlines()]
    assert losses[0] > losses[1] > losses[2]


def test_the_first_step_of_adam_has_the_length_of_the_rate(capsys):
    rng = np.random.default_rng(0)
    theta = DEMO["init"](rng)
    trained = DEMO["train"](theta, (rng.random((100, 784)) < 0.3).astype(np.float32), 1, rng, rate=1e-2)
    np.testing.assert_allclose(np.abs(trained["b4"] - theta["b4"]), 1e-2, rtol=1e-3)
