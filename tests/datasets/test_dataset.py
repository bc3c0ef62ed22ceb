import dataclasses

import numpy as np
import pytest

from npvae.datasets import Dataset


@pytest.fixture
def data() -> Dataset:
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    return Dataset(x, np.array([5, 6, 7]), (2, 2), {"slant": np.array([0.1, 0.2, 0.3])}, "toy")


def test_length_is_the_number_of_rows(data):
    assert len(data) == 3


def test_fields_cannot_be_replaced(data):
    with pytest.raises(dataclasses.FrozenInstanceError):
        data.name = "other"


@pytest.mark.parametrize("indices", [[2, 0], np.array([2, 0]), slice(None, None, -2)])
def test_take_selects_rows_labels_and_factors_together(data, indices):
    part = data.take(indices)
    np.testing.assert_array_equal(part.x, data.x[[2, 0]])
    np.testing.assert_array_equal(part.labels, [7, 5])
    np.testing.assert_array_equal(part.factors["slant"], [0.3, 0.1])
    assert (part.image_shape, part.name) == ((2, 2), "toy")


def test_take_accepts_a_mask(data):
    np.testing.assert_array_equal(data.take(data.labels > 5).labels, [6, 7])


def test_take_refuses_a_single_index(data):
    with pytest.raises(ValueError, match=r"indices must select a 1-D list"):
        data.take(1)


def test_default_factors_are_not_shared():
    x = np.zeros((1, 1), np.float32)
    assert Dataset(x).factors == {}
    assert Dataset(x).factors is not Dataset(x).factors


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"x": np.zeros((3, 4))}, r"x must be a 2-D float32 array, got shape \(3, 4\) of float64"),
        ({"x": np.zeros(3, np.float32)}, r"x must be a 2-D float32 array"),
        ({"labels": np.zeros(2)}, r"labels must have shape \(3,\) to match x, got \(2,\)"),
        ({"image_shape": (2, 3)}, r"image_shape must multiply to 4 features, got \(2, 3\)"),
        ({"factors": {"slant": np.zeros(2)}}, r"factor 'slant' must have shape \(3,\)"),
    ],
)
def test_parts_that_do_not_fit_are_refused(data, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(data, **change)
