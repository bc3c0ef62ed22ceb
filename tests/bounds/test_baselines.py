"""What is subtracted before a loss weighs the score."""

import numpy as np
import pytest

from npvae.bounds.baselines import begin_running, leave_one_out, squared_error, update_running
from tests.numerical import assert_gradient, frozen


def test_the_others_mean_by_hand():
    np.testing.assert_allclose(leave_one_out(np.array([[1.0], [2.0], [6.0]])), [[4], [3.5], [1.5]])


def test_one_sample_has_no_others():
    with pytest.raises(ValueError, match="n_samples must be at least 2 for a leave-one-out baseline, got 1"):
        leave_one_out(np.ones((1, 3)))


def test_running_averages_keep_four_fifths_of_themselves_and_the_old_ones_stay():
    state = begin_running(2)
    before = {name: array.copy() for name, array in state.items()}
    signal = np.array([[[1.0, 3.0]], [[10.0, 10.0]]])
    first = update_running(state, signal)
    np.testing.assert_allclose(first["mean"], [0.4, 2])
    np.testing.assert_allclose(first["variance"], [0.2, 0])
    np.testing.assert_allclose(update_running(first, signal)["mean"], [0.8 * 0.4 + 0.4, 0.8 * 2 + 2])
    for name, array in state.items():
        np.testing.assert_array_equal(array, before[name])


@pytest.mark.parametrize("shared", [True, False])
def test_the_weight_of_a_prediction_is_the_derivative_of_the_mean_squared_error(shared):
    rng = np.random.default_rng(0)
    f, c = frozen(rng.standard_normal((3, 4)), rng.standard_normal((1 if shared else 3, 4)))
    error, upstream = squared_error(f, c)
    np.testing.assert_allclose(error, ((f - c) ** 2 / 2).mean(axis=0), rtol=1e-13)
    assert_gradient(lambda c: squared_error(f, c)[0].mean(), c, upstream)
