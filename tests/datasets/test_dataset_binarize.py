import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npvae.datasets import bernoulli_draw, is_binary, threshold

KINDS = [np.float32, np.float64]


def grey(kind):
    elements = st.floats(0, 1, width=np.dtype(kind).itemsize * 8)
    return hnp.arrays(kind, hnp.array_shapes(min_dims=1, max_dims=3, min_side=0), elements=elements)


@pytest.mark.parametrize("kind", KINDS)
def test_threshold_by_hand(kind):
    x = np.array([[0, 0.25, 0.5], [0.75, 0.5000001, 1]], kind)
    for at, expected in ((0.5, [[0, 0, 0], [1, 1, 1]]), (0.0, [[0, 1, 1], [1, 1, 1]]), (1.0, np.zeros((2, 3)))):
        b = threshold(x, at)
        assert b.dtype == kind
        np.testing.assert_array_equal(b, expected)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data(), seed=st.integers(0, 2**32))
def test_a_draw_is_binary_and_leaves_its_argument_alone(kind, data, seed):
    x = data.draw(grey(kind))
    before = x.copy()
    b = bernoulli_draw(x, np.random.default_rng(seed))
    assert b.dtype == kind
    assert b.shape == x.shape
    assert is_binary(b)
    np.testing.assert_array_equal(x, before)
    np.testing.assert_array_equal(b[x == 0], 0)
    np.testing.assert_array_equal(b[x == 1], 1)


@pytest.mark.parametrize("kind", KINDS)
def test_mean_and_independence_of_draws(kind):
    n = 40_000
    p = np.linspace(0, 1, 9).astype(kind)
    b = bernoulli_draw(np.broadcast_to(p, (n, 9)).copy(), np.random.default_rng(3)).astype(float)
    spread = np.sqrt(p * (1 - p) / n)
    assert (np.abs(b.mean(0) - p) <= 4 * spread).all()
    inner = b[:, 1:-1] - p[1:-1]
    scale = np.sqrt(p[1:-1] * (1 - p[1:-1]))
    between = inner.T @ inner / n / np.outer(scale, scale) - np.eye(7)
    assert np.abs(between).max() < 5 / np.sqrt(n)
    assert np.abs((inner[1:] * inner[:-1]).mean(0) / scale**2).max() < 4 / np.sqrt(n)


def test_a_draw_is_fresh_each_time_and_repeats_with_its_seed():
    x = np.full((10, 50), 0.5, np.float32)
    rng = np.random.default_rng(0)
    first, second = bernoulli_draw(x, rng), bernoulli_draw(x, rng)
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(first, bernoulli_draw(x, np.random.default_rng(0)))


def test_a_view_may_be_drawn_from():
    x = np.linspace(0, 1, 20, dtype=np.float32).reshape(4, 5)
    draws = [bernoulli_draw(v, np.random.default_rng(1)) for v in (x.T, np.ascontiguousarray(x.T))]
    np.testing.assert_array_equal(*draws)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([0, 1, 1], True),
        ([0.0, -0.0], True),
        ([True, False], True),
        ([0, 0.5], False),
        ([0, 2], False),
        ([np.nan], False),
    ],
)
def test_is_binary(values, expected):
    assert is_binary(np.array(values)) is expected


@pytest.mark.parametrize("binarize", [threshold, lambda x: bernoulli_draw(x, np.random.default_rng(0))])
@pytest.mark.parametrize("bad", [-0.01, 1.01, np.nan, np.inf])
def test_values_that_are_no_grey_are_refused(binarize, bad):
    with pytest.raises(ValueError, match=r"x must lie in \[0, 1\], got values from"):
        binarize(np.array([0.5, bad, 0.5]))


@pytest.mark.parametrize("binarize", [threshold, lambda x: bernoulli_draw(x, np.random.default_rng(0))])
@pytest.mark.parametrize(
    ("x", "kind"), [(np.zeros(3, np.uint8), "uint8"), ([0.5], "list"), (np.zeros(2, np.float16), "float16")]
)
def test_other_types_are_refused(binarize, x, kind):
    with pytest.raises(TypeError, match=f"x must be a float32 or float64 array, got {kind}"):
        binarize(x)


@pytest.mark.parametrize("at", [-0.1, 1.1, np.nan])
def test_a_level_outside_the_range_is_refused(at):
    with pytest.raises(ValueError, match=r"at must lie in \[0, 1\], got"):
        threshold(np.zeros(2), at)
