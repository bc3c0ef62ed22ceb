"""scikit-learn's own tests of an estimator, for every estimator of the registry."""

import warnings

import numpy as np
import pytest

from npvae.estimators import registry

pytest.importorskip("sklearn", minversion="1.9")  # what is checked changes from version to version

from sklearn.utils import estimator_checks as checks

SMALL = {"epochs": 2, "batch_size": 16, "hidden": 8, "n_hidden": 8, "latent_dim": 2, "random_state": 0}
"""Options that make the checks quick; each estimator takes those that it has."""

SMALL |= {"latent_dims": 2, "sweeps": 2}

BITS = {"scale": "minmax", "binarize": "threshold"}
"""For models of bits: the checks have other data."""

EXPECTED = {}
"""Checks that fail for a reason, by the name of the model: at most two for each."""


def small(name):
    cls = registry.estimator_class(name)
    options = SMALL | (BITS if name in ("binary-vae", "sbn") else {})
    return cls(**{option: value for option, value in options.items() if option in cls._param_names()})


def all_checks():
    with warnings.catch_warnings():
        # It warns that nothing is inherited from scikit-learn: its conventions are kept without its import.
        warnings.filterwarnings("ignore", message="Estimator .* does not inherit from")
        for name in registry.names():
            for estimator, check in checks.estimator_checks_generator(small(name)):
                yield pytest.param(name, estimator, check, id=f"{name}-{check.func.__name__}")


@pytest.mark.parametrize(("name", "estimator", "check"), list(all_checks()))
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.SkipTestWarning")
def test_scikit_learns_check(name, estimator, check):
    from unittest import SkipTest

    reason = EXPECTED.get(name, {}).get(check.func.__name__)
    try:
        check(estimator)
    except SkipTest as skip:
        pytest.skip(str(skip))
    except Exception:
        if reason is None:
            raise
    else:
        assert reason is None, f"{check.func.__name__} passes: it need not be expected to fail"


def test_at_most_two_checks_are_expected_to_fail():
    assert all(len(reasons) <= 2 for reasons in EXPECTED.values())


def test_random_states_of_scikit_learn_are_taken():
    cls = registry.estimator_class("vae")
    x = np.random.default_rng(0).random((20, 4))
    first, second = (cls(2, 4, epochs=1, random_state=np.random.RandomState(3)).fit(x).transform(x) for _ in range(2))
    np.testing.assert_array_equal(first, second)
