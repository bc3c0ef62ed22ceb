import hashlib

import numpy as np
import pytest

from npvae.datasets import digits
from npvae.datasets.digits import RANGES, _sin_cos

HASH = "708d831252bdecde8d5c55e6568c0568c9f77a0c5544437ddc2a9e621a695790"


@pytest.fixture(scope="module")
def data():
    return digits(4000, seed=1)


def residual(y, *others):
    """Return y without what a linear fit on the other columns explains."""
    a = np.column_stack([np.ones(len(y)), *others])
    return y - a @ np.linalg.lstsq(a, y, rcond=None)[0]


def moments(x):
    """Return ink, centre of mass (x, y) and the second central moments xx, xy, yy of each image, in pixels."""
    images = x.reshape(-1, 28, 28).astype(np.float64)
    place = np.arange(28) - 13.5
    ink = images.sum((1, 2))
    cx, cy = (images.sum(1) @ place) / ink, (images.sum(2) @ place) / ink
    xx = (images.sum(1) @ place**2) / ink - cx**2
    yy = (images.sum(2) @ place**2) / ink - cy**2
    xy = np.einsum("nij,i,j->n", images, place, place) / ink - cx * cy
    return ink, cx, cy, xx, xy, yy


def test_bits_are_the_same_everywhere():
    drawn = digits(300, seed=0)
    digest = hashlib.sha256(drawn.x.astype("<f4").tobytes())
    for name in sorted(drawn.factors):
        values = drawn.factors[name]
        digest.update(values.astype("<i8" if values.dtype.kind == "i" else "<f8").tobytes())
    assert digest.hexdigest() == HASH


def test_a_longer_set_begins_with_the_shorter_one():
    long, short = digits(300, seed=4), digits(50, seed=4)
    np.testing.assert_array_equal(long.x[:50], short.x)
    for name, values in short.factors.items():
        np.testing.assert_array_equal(long.factors[name][:50], values)


def test_seeds_give_different_images():
    assert not np.array_equal(digits(5, seed=0).x, digits(5, seed=1).x)


def test_global_generator_is_left_alone():
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    digits(3)
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_pixels_are_grey_levels_of_eight_bits(data):
    assert data.x.dtype == np.float32
    levels = np.arange(256, dtype=np.float32) / np.float32(255)
    assert np.isin(data.x, levels).all()
    assert (data.x.max(1) == 1).mean() > 0.95


def test_frame_is_filled_as_by_mnist(data):
    assert data.image_shape == (28, 28)
    assert 0.10 < data.x.mean() < 0.16
    assert 0.15 < (data.x > 0).mean() < 0.23
    images = data.x.reshape(-1, 28, 28)
    border = np.concatenate([images[:, [0, -1]].reshape(4000, -1), images[:, :, [0, -1]].reshape(4000, -1)], axis=1)
    assert (border.max(1) > 0.5).mean() < 0.03
    assert border.mean() < 0.002


def test_factors_keep_their_documented_ranges(data):
    assert set(data.factors) == {"class", "style", *RANGES}
    for name, (low, high) in RANGES.items():
        values = data.factors[name]
        assert values.dtype == np.float64
        assert low <= values.min() < low + 0.1 * (high - low)
        assert high >= values.max() > high - 0.1 * (high - low)
        assert values.mean() == pytest.approx((low + high) / 2, abs=0.02 * (high - low))


def test_factors_are_independent(data):
    columns = np.array([data.factors[name] for name in ("class", *RANGES)])
    correlation = np.corrcoef(columns) - np.eye(len(columns))
    assert np.abs(correlation).max() < 4 / np.sqrt(len(data))


def test_classes_are_even_and_labels_are_the_class(data):
    np.testing.assert_array_equal(data.labels, data.factors["class"])
    assert data.labels.dtype == np.int64
    counts = np.bincount(data.labels, minlength=10)
    assert ((counts - 400) ** 2 / 400).sum() < 27.9  # the 99.9 % point of chi-squared with 9 degrees of freedom


def test_thickness_makes_ink(data):
    ink, thickness = moments(data.x)[0], data.factors["thickness"]
    for c in range(10):
        of = data.labels == c
        style = data.factors["style"][of]
        rest = [style == 1, style == 2, data.factors["size"][of], data.factors["aspect"][of]]
        assert np.corrcoef(residual(ink[of], *rest), residual(thickness[of], *rest))[0, 1] > 0.9


def test_thickness_is_the_width_at_half_ink():
    drawn = digits(4000, seed=2)
    f = drawn.factors
    straight = (f["class"] == 1) & (f["style"] == 0) & (f["wobble"] < 0.7)
    middle = drawn.x[straight].reshape(-1, 28, 28)[:, 12:16].sum(2).mean(1)
    lean = f["rotation"] - np.arctan(f["slant"])
    width = middle * np.cos(lean[straight])
    assert np.abs(width - f["thickness"][straight]).mean() < 0.1


@pytest.mark.parametrize(("name", "axis"), [("shift_x", 1), ("shift_y", 2)])
def test_shift_is_the_centre_of_mass(data, name, axis):
    away = moments(data.x)[axis] - data.factors[name]
    assert away.mean() == pytest.approx(0, abs=0.1)
    assert np.abs(away).max() < 1.2  # crossing strokes share their ink, so a style has an offset of its own
    for c in range(10):
        for style in range(3):
            of = (data.labels == c) & (data.factors["style"] == style)
            assert not of.any() or away[of].std() < 0.2


def test_slant_and_rotation_turn_the_upright_axis(data):
    _, _, _, _, xy, yy = moments(data.x)
    lean = -xy / yy
    for c in (0, 1, 4, 6, 8, 9):
        of = data.labels == c
        rotation, slant = data.factors["rotation"][of], data.factors["slant"][of]
        a = np.column_stack([np.ones(of.sum()), slant, rotation])
        weights = np.linalg.lstsq(a, lean[of], rcond=None)[0]
        assert weights[1] > 0.5
        assert weights[2] > 0.3 if c not in (0, 8) else weights[2] > 0.0
        assert np.corrcoef(a @ weights, lean[of])[0, 1] > 0.75


def test_size_and_aspect_scale_height_and_width(data):
    _, _, _, xx, xy, yy = moments(data.x)
    size, aspect = data.factors["size"], data.factors["aspect"]
    for c in (0, 2, 3, 8):
        of = data.labels == c
        assert np.corrcoef(np.sqrt(yy[of]), size[of])[0, 1] > 0.5
        assert np.corrcoef(np.sqrt(xx[of] - xy[of] ** 2 / yy[of]), (size * aspect)[of])[0, 1] > 0.7


def test_wobble_moves_images_away_from_the_regular_shape(data):
    calm, wild = np.quantile(data.factors["wobble"], [0.15, 0.85])

    def spread(rows):
        of = rows & (data.labels == 0)
        regular = residual(data.x[of].sum(1), *(data.factors[n][of] for n in ("thickness", "size", "aspect", "slant")))
        return regular.std()

    assert spread(data.factors["wobble"] > wild) > 1.3 * spread(data.factors["wobble"] < calm)


def test_nearest_neighbour_tells_the_classes_apart(data):
    train, test = data.take(slice(0, 3500)), data.take(slice(3500, None))
    distance = (train.x**2).sum(1) - 2 * test.x @ train.x.T
    guess = train.labels[distance.argmin(1)]
    assert (guess == test.labels).mean() > 0.9


def test_a_class_is_written_in_several_ways(data):
    for c in (1, 4, 7):
        assert len(np.unique(data.factors["style"][data.labels == c])) == 3


def test_sine_and_cosine_are_those_of_the_library():
    angle = np.linspace(-0.25, 0.25, 101)
    sin, cos = _sin_cos(angle)
    np.testing.assert_allclose(sin, np.sin(angle), atol=1e-9)
    np.testing.assert_allclose(cos, np.cos(angle), atol=1e-9)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0,), ValueError, "n must be at least 1, got 0"),
        ((-3,), ValueError, "n must be at least 1, got -3"),
        ((2.5,), TypeError, "n must be an integer, got 2.5"),
        ((3, -1), ValueError, "seed must be at least 0, got -1"),
        ((3, "a"), TypeError, "seed must be an integer, got 'a'"),
    ],
)
def test_bad_arguments_are_named(arguments, error, message):
    with pytest.raises(error, match=message):
        digits(*arguments)


def test_numpy_integers_are_integers():
    assert len(digits(np.int32(2), np.uint8(1))) == 2
