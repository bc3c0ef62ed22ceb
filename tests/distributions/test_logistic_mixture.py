"""The mixture of logistics on grey levels, against its components."""

import numpy as np
import pytest
from scipy.special import logsumexp, softmax

from npvae.distributions import DiscretizedLogistic, LogisticMixture

RNG = np.random.default_rng(0)


def test_a_mixture_is_the_weighted_sum_of_its_components():
    q, one = LogisticMixture(3), DiscretizedLogistic()
    v, m, r = RNG.standard_normal((3, 6, 3, 2)) * np.array([1, 0.3, 1])[:, None, None, None] + np.array(
        [0, 0.5, -4]
    ).reshape(3, 1, 1, 1)
    x = RNG.integers(256, size=(6, 2)) / 255
    a = np.stack([v, m, r], axis=1).reshape(6, -1)
    log_p = np.stack(
        [
            [one.log_prob(np.stack([m[:, c, j], r[:, c, j]], axis=1), x[:, j : j + 1])[0] for j in range(2)]
            for c in range(3)
        ]
    )  # (3, 2, 6)
    expected = logsumexp(np.log(softmax(v, axis=1)).transpose(1, 2, 0) + log_p, axis=0).sum(axis=0)
    np.testing.assert_allclose(q.log_prob(a, x)[0], expected, rtol=1e-12)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LogisticMixture(0), "n_components must be at least 1, got 0"),
        (lambda: LogisticMixture(min_log_scale=0.0), "min_log_scale must be less than 0, got 0.0"),
        (lambda: LogisticMixture(min_log_scale=-80.0), "min_log_scale must be at least -30.0, got -80.0"),
    ],
)
def test_a_wrong_option_is_named(make, message):
    with pytest.raises(ValueError, match=message):
        make()
