"""Scaling: what suits the data is chosen, and undone to the last digits that matter."""

import numpy as np
import pytest

from npvae.datasets.scaling import Scaling
from npvae.validation import ArgumentError

RNG = np.random.default_rng(0)
TABLE = RNG.normal([5, -3, 100], [2, 0.1, 30], size=(50, 3))


@pytest.mark.parametrize(
    ("x", "how"),
    [
        ((255 * RNG.random((9, 4))).astype(np.uint8), "bytes"),
        (RNG.random((9, 4)), "none"),
        (np.array([[0.0, 1 + 1e-7], [1, 0.5]]), "none"),
        (TABLE, "standard"),
        (RNG.integers(0, 300, (9, 4)), "standard"),
    ],
)
def test_auto_chooses_by_type_and_range(x, how):
    assert Scaling.learn(x, "auto").how == how


def test_standardised_columns_have_mean_0_and_variance_1():
    x = Scaling.learn(TABLE, "standard")(TABLE)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(x.std(axis=0), 1, rtol=1e-12)


def test_minmax_spans_the_unit_interval():
    x = Scaling.learn(TABLE, "minmax")(TABLE)
    np.testing.assert_array_equal([x.min(axis=0), x.max(axis=0)], [[0, 0, 0], [1, 1, 1]])


@pytest.mark.parametrize("how", ["none", "standard", "minmax", "auto"])
def test_inverse_undoes_it(how):
    scaling = Scaling.learn(TABLE, how)
    np.testing.assert_allclose(scaling.inverse(scaling(TABLE)), TABLE, rtol=1e-12)


def test_bytes_become_exact_fractions_and_come_back():
    x = np.arange(256, dtype=np.uint8)[:, None]
    scaling = Scaling.learn(x, "auto")
    np.testing.assert_array_equal(scaling(x), (np.arange(256, dtype=np.float32) / np.float32(255))[:, None])
    np.testing.assert_allclose(scaling.inverse(scaling(x)), x, rtol=1e-6)


def test_a_constant_column_keeps_its_unit():
    x = np.column_stack([np.full(5, 7.0), np.arange(5.0) * 3])
    for how in ("standard", "minmax"):
        np.testing.assert_array_equal(Scaling.learn(x, how)(x)[:, 0], 0)


@pytest.mark.parametrize("value", [0.1, 98.6, 1e6 + 0.1])
def test_a_constant_column_whose_mean_is_rounded_keeps_its_unit_too(value):
    x = np.column_stack([np.full(1000, value), RNG.normal(5, 2, 1000)])
    scaling = Scaling.learn(x, "standard")
    assert scaling.unit[0] == 1
    assert scaling.log_volume(2) == pytest.approx(np.log(x[:, 1].std()))


def test_log_volume_is_the_log_determinant_of_the_units():
    scaling = Scaling.learn(TABLE, "standard")
    assert scaling.log_volume(3) == pytest.approx(np.log(TABLE.std(axis=0)).sum())
    assert Scaling.learn(TABLE[:, :1].astype(np.uint8), "auto").log_volume(2) == pytest.approx(2 * np.log(255))


def test_an_unknown_way_is_refused():
    with pytest.raises(ArgumentError, match=r"scale must be one of .* did you mean 'standard'"):
        Scaling.learn(TABLE, "standart")
