"""Every error names the argument, what was expected and what came."""

import pickle
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvae import VAE
from npvae.validation import (
    ArgumentError,
    ArgumentTypeError,
    MissingFileError,
    data_matrix,
    existing_file,
    integer,
    number,
    one_of,
    widths,
)

GOOD = np.ones((2, 3), np.float32)


def refuses(error, message):
    return pytest.raises(error, match=f"^{re.escape(message)}$")


def test_one_of_returns_what_stands_under_the_name():
    assert one_of("size", "big", {"small": 1, "big": 2}) == 2


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("rleu", "activation must be one of 'relu', 'tanh', got 'rleu'; did you mean 'relu'?"),
        ("TANH", "activation must be one of 'relu', 'tanh', got 'TANH'; did you mean 'tanh'?"),
        ("xyz", "activation must be one of 'relu', 'tanh', got 'xyz'"),
        (None, "activation must be one of 'relu', 'tanh', got None"),
        (["relu"], "activation must be one of 'relu', 'tanh', got ['relu']; did you mean 'relu'?"),
    ],
)
def test_one_of_refuses_the_unknown_and_names_the_nearest(value, message):
    with refuses(ValueError, message):
        one_of("activation", value, {"relu": 1, "tanh": 2})


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_integer_takes_python_and_numpy_integers(value):
    got = integer("epochs", value, at_least=3)
    assert got == 3
    assert type(got) is int


@pytest.mark.parametrize("value", [3.0, np.float64(3), "3", None, True, np.True_, [3]])
def test_integer_refuses_other_types(value):
    with refuses(TypeError, f"epochs must be an integer, got {value!r}"):
        integer("epochs", value, at_least=0)


def test_integer_refuses_what_lies_below():
    with refuses(ValueError, "latent_dim must be at least 1, got -2"):
        integer("latent_dim", -2, at_least=1)


@pytest.mark.parametrize("value", [2, 2.0, np.float32(2), np.int16(2)])
def test_number_takes_python_and_numpy_numbers(value):
    got = number("beta", value)
    assert got == 2
    assert type(got) is float


@pytest.mark.parametrize("value", ["2", None, False, np.False_, 2j, [2.0]])
def test_number_refuses_other_types(value):
    with refuses(TypeError, f"beta must be a number, got {value!r}"):
        number("beta", value)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_number_refuses_the_non_finite(value):
    with refuses(ValueError, f"beta must be finite, got {value}"):
        number("beta", value)


def test_number_keeps_its_bounds_one_open_and_one_closed():
    assert number("beta", 0, at_least=0) == 0
    with refuses(ValueError, "beta must be at least 0, got -0.5"):
        number("beta", -0.5, at_least=0)
    assert number("rate", 1e-9, above=0) == 1e-9
    with refuses(ValueError, "rate must be greater than 0, got 0"):
        number("rate", 0, above=0)


@pytest.mark.parametrize(
    ("value", "expected"), [(400, (400,)), (np.int32(7), (7,)), ([400, 20], (400, 20)), ((5,), (5,)), ((), ())]
)
def test_widths_takes_one_or_several(value, expected):
    assert widths("hidden", value) == expected
    assert all(type(width) is int for width in widths("hidden", value))


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        ("400", TypeError, "hidden must be an integer or a sequence of integers, got '400'"),
        (4.0, TypeError, "hidden must be an integer or a sequence of integers, got 4.0"),
        (None, TypeError, "hidden must be an integer or a sequence of integers, got None"),
        ([400, 0], ValueError, "hidden[1] must be at least 1, got 0"),
        ([4.5], TypeError, "hidden[0] must be an integer, got 4.5"),
        (True, TypeError, "hidden must be an integer, got True"),
        (-3, ValueError, "hidden must be at least 1, got -3"),
    ],
)
def test_widths_refuses(value, error, message):
    with refuses(error, message):
        widths("hidden", value)


def test_data_matrix_copies_nothing_that_is_right_already():
    assert np.shares_memory(data_matrix("x", GOOD), GOOD)


@pytest.mark.parametrize("value", [[[0, 1], [1, 0]], np.eye(2, dtype=np.uint8), np.eye(2) > 0, np.eye(4)[::2, ::2]])
def test_data_matrix_makes_contiguous_rows_of_the_asked_dtype(value):
    for dtype in (np.float32, np.float64):
        x = data_matrix("x", value, dtype=dtype)
        assert x.dtype == dtype
        assert x.flags.c_contiguous
        np.testing.assert_array_equal(x, np.asarray(value))


def test_data_matrix_flattens_images_row_by_row():
    images = np.arange(24.0).reshape(2, 3, 4)
    np.testing.assert_array_equal(data_matrix("x", images), np.arange(24).reshape(2, 12))
    assert data_matrix("x", images, n_features=12).shape == (2, 12)


def test_data_matrix_leaves_its_argument_alone():
    value = np.arange(6.0).reshape(2, 3)
    value.flags.writeable = False
    data_matrix("x", value)[0, 0] = 5
    assert value[0, 0] == 0


@pytest.mark.parametrize(
    ("value", "error", "message"),
    [
        (np.array(3.0), ValueError, "x must have two dimensions, (rows, features), got shape ()"),
        (
            np.zeros(3),
            ValueError,
            "x must have two dimensions, (rows, features), got shape (3,); for a single row use x[None]. "
            "Reshape your data so that a row is a datum",
        ),
        (np.zeros((0, 3)), ValueError, "x must not be empty, got shape (0, 3)"),
        (
            np.zeros((3, 0)),
            ValueError,
            "x must not be empty, got shape (3, 0); 0 feature(s) (shape=(3, 0)) while a minimum of 1 is required.",
        ),
        (
            np.zeros((2, 3), complex),
            TypeError,
            "x must hold real numbers, got dtype complex128; Complex data not supported",
        ),
        ([["a", "b"]], TypeError, "x must hold real numbers, got dtype <U1; encode text as numbers first"),
        (None, TypeError, "x must hold real numbers, got dtype object"),
        (
            [[{}, 1.0]],
            TypeError,
            "x must hold real numbers, got dtype object; float() argument must be a string or a real number, "
            "not 'dict'",
        ),
        (
            [[None, 1.0]],
            ValueError,
            "x must be finite, got nan at row 0, column 0 (1 such entry in all); NaN stands for what is missing: "
            "fill it in, leave the row out, or take a VAE",
        ),
        (np.zeros((32, 100)), ValueError, "x must have 784 features, got shape (32, 100)"),
        (np.zeros((32, 10, 10)), ValueError, "x must have 784 features, got shape (32, 10, 10)"),
    ],
)
def test_data_matrix_refuses(value, error, message):
    with refuses(error, message):
        data_matrix("x", value, n_features=2 if np.shape(value) == (1, 2) else 784)


def test_data_matrix_refuses_ragged_rows():
    with pytest.raises(ValueError, match=r"^x must be a rectangular array of numbers: "):
        data_matrix("x", [[1, 2], [3]])


@pytest.mark.parametrize(("bad", "shown"), [(np.nan, "nan"), (np.inf, "inf"), (-np.inf, "-inf")], ids=str)
def test_data_matrix_says_where_the_first_non_finite_entry_is_and_how_many_there_are(bad, shown):
    x = np.zeros((4, 5))
    x[2, 3] = bad
    advice = "; NaN stands for what is missing: fill it in, leave the row out, or take a VAE" if np.isnan(bad) else ""
    with refuses(ValueError, f"x must be finite, got {shown} at row 2, column 3 (1 such entry in all){advice}"):
        data_matrix("x", x)
    x[3, 0] = bad
    with refuses(ValueError, f"x must be finite, got {shown} at row 2, column 3 (2 such entries in all){advice}"):
        data_matrix("x", x)


def test_what_is_too_large_for_the_precision_is_shown_as_it_came():
    with refuses(ValueError, "x must be finite in float32, got 1e+39 at row 0, column 1 (1 such entry in all)"):
        data_matrix("x", np.array([[0.0, 1e39]]))
    assert data_matrix("x", np.array([[0.0, 1e39]]), dtype=np.float64)[0, 1] == 1e39


def test_infinities_of_both_signs_are_found_too():
    with refuses(ValueError, "x must be finite, got inf at row 0, column 1 (2 such entries in all)"):
        data_matrix("x", np.array([[0.0, np.inf, -np.inf]]))


def test_finite_entries_whose_sum_overflows_are_welcome():
    assert data_matrix("x", np.full((2, 3), 3e38, np.float32)).max() == np.float32(3e38)


@given(n=st.integers(1, 5), shape=st.lists(st.integers(1, 4), min_size=1, max_size=3))
def test_any_stack_of_equal_items_becomes_rows(n, shape):
    value = np.arange(n * int(np.prod(shape))).reshape(n, *shape)
    x = data_matrix("x", value)
    assert x.shape == (n, np.prod(shape))
    np.testing.assert_array_equal(x.ravel(), value.ravel())


def test_existing_file_is_returned_as_a_path(tmp_path):
    file = tmp_path / "a"
    file.touch()
    assert existing_file(str(file)) == file


def test_missing_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"labels must name an existing file, got .*nothing$"):
        existing_file(tmp_path / "nothing", "labels")


def test_folder_is_no_file(tmp_path):
    with pytest.raises(IsADirectoryError, match="path must name a file, got the folder"):
        existing_file(tmp_path)


def test_an_argument_error_holds_its_parts_and_prints_one_line():
    error = ArgumentError("x", "have 784 features", "shape (32, 100)", "flatten images first")
    assert (error.argument, error.rule, error.got) == ("x", "have 784 features", "shape (32, 100)")
    assert str(error) == "x must have 784 features, got shape (32, 100); flatten images first"


def test_an_argument_error_can_be_spelled_in_other_words():
    error = ArgumentError("n_samples", "be at least 2 with {bound}: L_1 is the ELBO", 1, settings={"bound": "iwae"})
    assert str(error) == "n_samples must be at least 2 with bound='iwae': L_1 is the ELBO; got 1"
    spelled = error.spelled(lambda name: f"--{name}", lambda name, value: f"--{name} {value}")
    assert spelled == "--n_samples must be at least 2 with --bound iwae: L_1 is the ELBO; got 1"
    assert str(error.about("k")).startswith("k must be at least 2 with bound='iwae'")


@pytest.mark.parametrize("kind", [ArgumentError, ArgumentTypeError, MissingFileError])
def test_an_argument_error_survives_pickle(kind):
    error = pickle.loads(pickle.dumps(kind("x", "be {a}", "3", "try 4", {"a": 1})))
    assert (str(error), type(error)) == ("x must be a=1, got 3; try 4", kind)


@pytest.mark.parametrize(
    ("kind", "builtin"), [(ArgumentTypeError, TypeError), (MissingFileError, OSError), (ArgumentError, ValueError)]
)
def test_an_argument_error_is_caught_as_the_builtin_that_it_stands_for(kind, builtin):
    with pytest.raises(builtin, match=r"^x must be a number, got 'a'$"):
        raise kind("x", "be a number", repr("a"))


class TestKindsOfNumbers:
    VALUES = np.array([[0, 1], [1, 0], [1, 1]])

    @pytest.mark.parametrize("kind", ["f2", "i1", "u8", "?", ">f4", ">f8", ">i2", "f8", "g", "O"])
    def test_numbers_of_every_kind_are_the_same_numbers(self, kind):
        x = self.VALUES.astype(kind)
        np.testing.assert_array_equal(data_matrix("X", x), self.VALUES.astype(np.float32))
        fits = [VAE(2, 3, epochs=1, random_state=0).fit(rows).theta_.flat for rows in (x, self.VALUES)]
        np.testing.assert_array_equal(*fits)

    @pytest.mark.parametrize(
        ("value", "words"),
        [
            (
                np.ma.masked_equal([[1.0, 2.0], [3.0, 4.0]], 2),
                "X must have no masked values, got 1 of them; value.filled(np.nan)",
            ),
            (np.ones((2, 2), complex), "X must hold real numbers, got dtype complex128; Complex data not supported"),
            (np.zeros(3, "f4,f4"), "X must hold real numbers, got dtype"),
            (np.zeros((2, 2), "M8[s]"), "X must hold real numbers, got dtype datetime64"),
        ],
    )
    def test_what_are_no_real_numbers_is_refused_by_name(self, value, words):
        for take in (lambda x: data_matrix("X", x), VAE(2, 3, epochs=1).fit):
            with pytest.raises((TypeError, ValueError)) as caught:
                take(value)
            assert str(caught.value).startswith(words)

    def test_a_mask_that_hides_nothing_is_none(self):
        np.testing.assert_array_equal(data_matrix("X", np.ma.masked_array([[1.0, 2.0]], mask=False)), [[1, 2]])
