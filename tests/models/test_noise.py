"""Which axis of a model's noise counts the rows, and the noise of some of them."""

from collections import namedtuple

import numpy as np
import pytest

from npvae.models.noise import leaves, noise_axes, noise_rows
from tests.training.toys import Mean, Nested

Pair = namedtuple("Pair", "eps u")


class Draws:
    def __init__(self, draw):
        self.draw_noise = draw


def zeros(*shape):
    return lambda rng, n, dtype: np.zeros([n if length == "n" else length for length in shape], dtype)


@pytest.mark.parametrize(
    ("shape", "axis"), [(("n",), 0), (("n", 3), 0), ((2, "n", 3), 1), ((3, 2, "n"), 2), ((2, 3), -1), ((), -1)]
)
def test_the_row_axis_is_the_one_that_follows_the_number_of_rows(shape, axis):
    assert noise_axes(Draws(zeros(*shape))) == [axis]


def test_a_nesting_has_an_axis_for_each_array_and_none_for_none():
    assert noise_axes(Mean()) == [0]
    assert noise_axes(Nested()) == [0, 1, -1]
    assert noise_axes(Draws(lambda rng, n, dtype: None)) == []


@pytest.mark.parametrize(
    "draw",
    [
        zeros("n", "n"),
        lambda rng, n, dtype: np.zeros(2 * n),
        lambda rng, n, dtype: np.zeros((1,) * n),
        lambda rng, n, dtype: [np.zeros(3)] * n,
    ],
)
def test_noise_whose_rows_are_not_one_axis_is_refused(draw):
    with pytest.raises(ValueError, match="noise must"):
        noise_axes(Draws(draw))


def test_rows_come_as_views_in_the_same_nesting():
    noise = Nested().draw_noise(np.random.default_rng(0), 5)
    part = noise_rows(noise, noise_axes(Nested()), slice(1, 3))
    np.testing.assert_array_equal(part["row"], noise["row"][1:3])
    np.testing.assert_array_equal(part["rest"][0], noise["rest"][0][:, 1:3])
    np.testing.assert_array_equal(part["rest"][1][0], noise["rest"][1][0])
    assert part["rest"][2] is None
    assert np.shares_memory(part["row"], noise["row"])
    pair = noise_rows(Pair(np.zeros((2, 4, 3)), np.zeros((4, 7))), [1, 0], slice(0, 2))
    assert (pair.eps.shape, pair.u.shape) == ((2, 2, 3), (2, 7))


def test_parts_of_the_rows_put_together_are_the_noise():
    noise = Nested().draw_noise(np.random.default_rng(0), 5)
    parts = [noise_rows(noise, [0, 1, -1], rows) for rows in (slice(0, 2), slice(2, 5))]
    for whole, axis, *pieces in zip(leaves(noise), (0, 1), *map(leaves, parts), strict=False):
        np.testing.assert_array_equal(np.concatenate(pieces, axis), whole)
