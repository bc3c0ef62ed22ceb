"""Linear operators against their matrices, and pairs of functions that are no adjoints."""

import numpy as np
import pytest
import scipy.ndimage

from npvae.evaluation.operators import LinearOperator, blur, downsample, identity, mask, matrix, projection
from npvae.validation import ArgumentTypeError


def as_matrix(operator):
    return operator.forward(np.eye(operator.n_in)).T


ALL = {
    "identity": identity(12),
    "mask": mask(np.arange(12) % 3 > 0),
    "matrix": matrix(np.arange(24.0).reshape(2, 12)),
    "projection": projection(12, 5),
    "blur": blur((3, 4), 0.8),
    "blur of channels": blur((3, 2, 2), 0.8),
    "downsample": downsample((6, 2), 2),
    "downsample of channels": downsample((2, 2, 3), 2),
}


@pytest.mark.parametrize("operator", ALL.values(), ids=ALL)
def test_the_adjoint_is_the_transposed_matrix(operator):
    A = as_matrix(operator)
    assert A.shape == (operator.n_out, operator.n_in)
    np.testing.assert_allclose(operator.adjoint(np.eye(operator.n_out)), A, atol=1e-15)
    assert operator.forward(np.ones((2, operator.n_in), np.float32)).dtype == np.float32


def test_a_mask_keeps_the_pixels_that_are_seen():
    np.testing.assert_array_equal(mask([True, False, True]).forward(np.array([[1.0, 2.0, 3.0]])), [[1, 3]])


def test_blur_is_that_of_scipy():
    image = np.random.default_rng(0).standard_normal((7, 9))
    expected = scipy.ndimage.gaussian_filter(image, 1.3, mode="constant", radius=6)
    np.testing.assert_allclose(blur((7, 9), 1.3).forward(image.reshape(1, -1)).reshape(7, 9), expected, atol=1e-12)


def test_downsampling_takes_means_of_blocks():
    image = np.arange(16.0).reshape(1, 16)
    np.testing.assert_allclose(downsample((4, 4), 2).forward(image), [[2.5, 4.5, 10.5, 12.5]])


def test_a_projection_keeps_lengths_on_average_and_depends_on_the_seed_alone():
    x = np.ones((1, 50))
    lengths = [np.sum(projection(50, 40, seed).forward(x) ** 2) for seed in range(200)]
    assert np.mean(lengths) == pytest.approx(50, rel=0.1)
    np.testing.assert_array_equal(as_matrix(projection(9, 4, 7)), as_matrix(projection(9, 4, 7)))


def test_an_adjoint_that_does_not_fit_is_found_and_said():
    A = np.array([[1.0, 2.0], [3.0, 4.0]])
    message = r"adjoint must be that of operator, got ⟨A x, y⟩ = \S+ and ⟨x, Aᵀ y⟩ = \S+ for the same random x and y"
    with pytest.raises(ValueError, match=message):
        LinearOperator(2, 2, lambda x: x @ A.T, lambda y: y @ A.T)
    with pytest.raises(ValueError, match="adjoint must be that of twice"):
        LinearOperator(2, 2, lambda x: 2 * x, lambda y: 2.001 * y, "twice")


@pytest.mark.parametrize("wrong", [np.nan, np.inf, 1j])
def test_numbers_that_are_not_finite_and_real_are_refused(wrong):
    with pytest.raises(ValueError, match="forward must give finite real numbers, got others for 3 rows of wrong"):
        LinearOperator(2, 2, lambda x: x * wrong, np.copy, "wrong")
    with pytest.raises(ValueError, match="adjoint must give finite real numbers"):
        LinearOperator(2, 2, np.copy, lambda y: y * wrong, "wrong")


def test_what_is_no_function_is_refused():
    with pytest.raises(TypeError, match="adjoint must be a function of rows, got ndarray"):
        LinearOperator(2, 2, np.copy, np.eye(2))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LinearOperator(2, 3, np.copy, np.copy), r"forward must give 3 numbers a row, got shape \(3, 2\)"),
        (lambda: mask([0, 1]), "seen must be a row of bool with a true one in it, got shape .2,. of int64"),
        (lambda: mask([False, False]), "seen must be a row of bool with a true one"),
        (lambda: downsample((28, 28), 3), "factor must divide both sides of 28×28 images, got 3"),
        (lambda: blur((4, 4), 0), "width must be greater than 0"),
        (lambda: blur((4, 4), 1e300), "width must be less than 1000000"),
        (lambda: blur((16,), 1), r"shape must be .height, width. or .height, width, channels., got \(16,\)"),
        (lambda: blur("ab", 1), "shape must be .height, width. or .height, width, channels., got 'ab'"),
        (lambda: downsample((4, 0), 1), r"shape\[1\] must be at least 1, got 0"),
        (lambda: matrix(np.ones(3)), "A must be a matrix, got shape"),
        (lambda: matrix(np.ones((0, 3))), r"A must be a matrix, got shape \(0, 3\)"),
        (lambda: matrix([[1.0, np.nan]]), "A must be finite, got nan at row 0, column 1"),
        (lambda: matrix([[1.0], [1.0, 2.0]]), "A must be a rectangular array of numbers: "),
        (
            lambda: mask([[True], [True, False]]),
            "seen must be a row of bool with a true one in it, got rows of unequal length",
        ),
        (lambda: mask(None), r"seen must be a row of bool with a true one in it, got shape \(\) of object"),
        (
            lambda: LinearOperator(2, 2, lambda x: [[1], [1, 2]], np.copy),
            "forward must give finite real numbers, got rows",
        ),
        (lambda: LinearOperator(2, 2, np.copy, lambda y: None), r"adjoint must give 2 numbers a row, got shape \(\)"),
        (lambda: identity(0), "n_features must be at least 1, got 0"),
        (lambda: projection(4, 0), "n_out must be at least 1"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: identity(2.5), "n_features must be an integer, got 2.5"),
        (lambda: matrix([["a"]]), "A must hold real numbers, got dtype <U1; encode text as numbers first"),
        (lambda: matrix(1j * np.ones((2, 2))), "A must hold real numbers, got dtype complex128"),
        (lambda: matrix(None), "A must hold real numbers, got dtype object"),
        (lambda: projection("4", 2), "n_features must be an integer, got '4'"),
        (lambda: projection(4, 2.0), "n_out must be an integer, got 2.0"),
        (lambda: projection(4, 2, None), "seed must be an integer, got None"),
        (lambda: blur(5, 1.0), "shape must be .height, width. or .height, width, channels., got 5"),
        (lambda: blur((4, 4.0), 1.0), r"shape\[1\] must be an integer, got 4.0"),
        (lambda: blur((4, 4), "1"), "width must be a number, got '1'"),
        (lambda: downsample(None, 2), "shape must be .height, width. or .height, width, channels., got None"),
        (lambda: downsample((4, 4), [2]), r"factor must be an integer, got \[2\]"),
        (lambda: LinearOperator("2", 2, np.copy, np.copy), "n_in must be an integer, got '2'"),
        (lambda: LinearOperator(2, 2, None, np.copy), "forward must be a function of rows, got NoneType"),
    ],
)
def test_what_is_of_another_type_is_refused(make, message):
    with pytest.raises(ArgumentTypeError, match=message):
        make()


def test_a_blur_of_next_to_no_width_changes_nothing():
    x = np.random.default_rng(0).standard_normal((2, 12))
    for width in (1e-3, 1e-200, 5e-324):
        np.testing.assert_array_equal(blur((3, 4), width).forward(x), x)
