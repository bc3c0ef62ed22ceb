"""Batches cover the data once, in an order that the seed alone decides."""

import numpy as np
import pytest

from npvae.training import minibatches


def batches(n, batch_size, seed=0):
    return list(minibatches(n, batch_size, np.random.default_rng(seed)))


@pytest.mark.parametrize(("n", "batch_size"), [(1, 1), (10, 3), (12, 4), (5, 100), (7, 1)])
def test_every_row_exactly_once(n, batch_size):
    rows = np.concatenate(batches(n, batch_size))
    np.testing.assert_array_equal(np.sort(rows), np.arange(n))


def test_last_batch_holds_what_is_left():
    assert [len(rows) for rows in batches(10, 4)] == [4, 4, 2]


def test_order_is_the_seeds():
    first, again, other = batches(100, 10, 1), batches(100, 10, 1), batches(100, 10, 2)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)


def test_order_is_shuffled_and_the_same_for_every_batch_size():
    order = np.concatenate(batches(100, 7))
    assert not np.array_equal(order, np.arange(100))
    np.testing.assert_array_equal(order, np.concatenate(batches(100, 33)))
