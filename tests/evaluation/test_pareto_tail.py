"""The index of a tail against that of the distribution it was drawn from."""

import numpy as np
import pytest
import scipy.stats

from npvae.evaluation.pareto_tail import LargestWeights, trusted_index


def index_of(log_w, parts=1):
    largest = LargestWeights(*log_w.shape)
    for part in np.array_split(log_w, parts, axis=1):
        largest.add(part)
    return largest.index()


@pytest.mark.parametrize("index", [0.3, 0.5, 0.7, 1.0])
def test_pareto_weights_have_their_index(index):
    w = scipy.stats.genpareto.rvs(index, size=(200, 5000), random_state=0)
    found = index_of(np.log(w))
    assert found.mean() == pytest.approx(index, abs=0.05)
    assert found.std() < 0.15


def test_a_narrow_proposal_has_the_index_of_its_width():
    """w = p(z)/q(z) of q = N(0, s) for p = N(0, 1) has the tail index 1 − s."""
    rng = np.random.default_rng(0)
    for s in (0.2, 0.4):
        z = np.sqrt(s) * rng.standard_normal((100, 20_000))
        assert index_of(0.5 * z * z * (1 / s - 1)).mean() == pytest.approx(1 - s, abs=0.1)


def test_neither_the_scale_of_the_weights_nor_their_order_nor_parts_matter():
    rng = np.random.default_rng(1)
    log_w = 2 * rng.standard_normal((3, 400))
    whole = index_of(log_w)
    for same in (log_w + 1e4, log_w - 1e4, log_w[:, rng.permutation(400)]):
        np.testing.assert_allclose(index_of(same), whole, rtol=1e-8)
    np.testing.assert_allclose(index_of(log_w, parts=7), whole, rtol=1e-12)


def test_where_there_is_no_tail_there_is_no_index():
    for log_w in (np.zeros((2, 100)), np.full((2, 100), -np.inf), np.zeros((2, 3)), np.zeros((2, 1))):
        assert np.isnan(index_of(log_w)).all()


def test_few_weights_are_trusted_less():
    assert [trusted_index(k) for k in (1, 10, 100, 10_000)] == pytest.approx([0, 0, 0.5, 0.7])
