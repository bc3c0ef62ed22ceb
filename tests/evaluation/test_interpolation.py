"""Ways between two latents: their ends, their lengths, their directions."""

import numpy as np
import pytest

from npvae.evaluation import interpolate

RNG = np.random.default_rng(0)
A, B = RNG.standard_normal(50), 2 * RNG.standard_normal(50)
METHODS = ["linear", "spherical"]


def length(z):
    return np.sqrt((z * z).sum(axis=-1))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("steps", [2, 3, 10])
def test_ends_are_the_given_latents(method, steps):
    z = interpolate(A, B, steps, method)
    assert z.shape == (steps, 50)
    np.testing.assert_allclose(z[0], A, rtol=1e-12)
    np.testing.assert_allclose(z[-1], B, rtol=1e-12)


def test_linear_by_hand():
    z = interpolate(np.array([0.0, 4.0]), np.array([2.0, 0.0]), 5)
    np.testing.assert_allclose(z, [[0, 4], [0.5, 3], [1, 2], [1.5, 1], [2, 0]])


def test_spherical_by_hand():
    z = interpolate(np.array([3.0, 0.0]), np.array([0.0, 1.0]), 4, "spherical")
    angle, radius = np.radians([0, 30, 60, 90]), np.array([3, 7 / 3, 5 / 3, 1])
    np.testing.assert_allclose(z, np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1), atol=1e-12)


def test_spherical_lengths_are_linear_and_linear_ones_sag():
    expected = np.linspace(length(A), length(B), 9)
    np.testing.assert_allclose(length(interpolate(A, B, 9, "spherical")), expected, rtol=1e-12)
    assert (length(interpolate(A, B, 9))[1:-1] < expected[1:-1]).all()


def test_spherical_turns_by_equal_angles_in_one_plane():
    z = interpolate(A, B, 7, "spherical")
    unit = z / length(z)[:, None]
    angles = np.arccos((unit[1:] * unit[:-1]).sum(axis=1))
    np.testing.assert_allclose(angles, angles[0], rtol=1e-6)
    assert np.linalg.matrix_rank(z, tol=1e-9) == 2


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ([0.0, 0.0], [1.0, 2.0]),  # no direction
        ([1.0, 2.0], [2.0, 4.0]),  # no angle
        ([1.0, 2.0], [-1.0, -2.0]),  # no plane
        ([1.0, 2.0], [1.0, 2.0]),
    ],
)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_where_there_is_no_great_circle_the_way_is_straight(a, b, dtype):
    a, b = np.array(a, dtype), np.array(b, dtype)
    z = interpolate(a, b, 5, "spherical")
    np.testing.assert_allclose(z, interpolate(a, b, 5, "linear"), atol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_precision_is_that_of_the_latents(method):
    assert interpolate(A.astype(np.float32), B.astype(np.float32), 4, method).dtype == np.float32
    assert interpolate(A, B, 4, method).dtype == np.float64


def test_integers_and_lists_are_numbers_too():
    np.testing.assert_allclose(interpolate([0, 0], [2, 4], 3), [[0, 0], [1, 2], [2, 4]])


def test_ends_are_not_changed():
    a, b = A.copy(), B.copy()
    interpolate(a, b, 5, "spherical")
    np.testing.assert_array_equal(a, A)
    np.testing.assert_array_equal(b, B)


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ((A, B, 1), ValueError, "steps must be at least 2, got 1"),
        ((A, B, 2.0), TypeError, "steps must be an integer, got 2.0"),
        ((A, B, 5, "sperical"), ValueError, "method must be one of .* did you mean 'spherical'"),
        ((A, B[:3]), ValueError, r"vectors of one size, got shapes \(50,\) and \(3,\)"),
        ((A[None], B[None]), ValueError, "vectors of one size"),
    ],
)
def test_arguments_that_cannot_be(arguments, error, text):
    with pytest.raises(error, match=text):
        interpolate(*arguments)
