import numpy as np
import pytest
import scipy.stats

from npvae.evaluation import decompose
from tests.evaluation.linear_gaussian import SIGMA, Linear


@pytest.fixture(scope="module")
def linear():
    return Linear(n=50)


def test_terms_in_closed_form(linear):
    terms = decompose(linear.model, linear.theta, linear.x, 0, k=4000)
    variance = np.exp(linear.log_var)
    kl = 0.5 * (linear.posterior_mu**2 + variance - 1 - linear.log_var).sum(axis=1)
    fit = scipy.stats.norm.logpdf(linear.x, linear.posterior_mu @ linear.weights + linear.bias, SIGMA).sum(axis=1)
    reconstruction = -fit + 0.5 * (variance @ linear.weights**2).sum() / SIGMA**2
    assert [*terms.kl] == pytest.approx([kl.mean(), scipy.stats.sem(kl)])
    assert [*terms.reconstruction] == pytest.approx([reconstruction.mean(), scipy.stats.sem(reconstruction)], abs=0.02)
    elbo = linear.log_px - linear.gap
    assert [*terms.elbo] == pytest.approx([elbo.mean(), scipy.stats.sem(elbo)], abs=0.02)
    assert [*terms.log_px] == pytest.approx([linear.log_px.mean(), scipy.stats.sem(linear.log_px)], abs=0.02)
    assert [*terms.gap] == pytest.approx([linear.gap, 0], abs=0.02)


@pytest.mark.parametrize("k", [1, 3])
def test_terms_add_up_however_few_the_draws(linear, k):
    terms = decompose(linear.model, linear.theta, linear.x, 0, k)
    assert terms.elbo.value == pytest.approx(-(terms.reconstruction.value + terms.kl.value), rel=1e-12)
    assert terms.log_px.value == pytest.approx(terms.elbo.value + terms.gap.value, rel=1e-12)
    assert terms.gap.value >= 0
