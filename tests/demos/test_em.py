"""The two bars of EM: their sum is log p(x), an E step closes the gap, no step lowers the bound."""

import numpy as np
import pytest
from scipy import stats

pytest.importorskip("matplotlib")

from demos.em import bars, run
from npvae.models.gaussian_mixture import GaussianMixture
from npvae.parameters import Parameters


def test_the_bars_are_those_of_a_mixture_worked_out_by_hand():
    model = GaussianMixture(n_features=1, n_components=2, covariance="diagonal")
    theta = Parameters(model.shapes, np.float64)
    theta["weights"][:], theta["means"][:, 0], theta["covariances"][:, 0] = (0.3, 0.7), (-1, 2), (1, 4)
    x, q = np.array([[0.5], [-2.0]]), np.array([[0.4, 0.6], [1.0, 0.0]])
    joint = np.array([0.3, 0.7]) * stats.norm.pdf(x, [-1, 2], [1, 2])
    with np.errstate(divide="ignore", invalid="ignore"):
        bound = np.nansum(q * np.log(joint / q), axis=1).mean()
    found, kl = bars(model, theta, x, q)
    assert found == pytest.approx(bound, rel=1e-12)
    assert found + kl == pytest.approx(np.log(joint.sum(axis=1)).mean(), rel=1e-12)


def test_an_e_step_closes_the_gap_and_no_step_lowers_the_bound(capsys):
    run()
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    bounds = [float(line[line.index("bound") + 1]) for line in lines]
    gaps = [float(line[line.index("KL") + 1]) for line in lines]
    assert gaps[1::2] == [0] * 5
    assert min(gaps[2::2]) > 0.01
    assert (np.diff(bounds) >= 0).all()
