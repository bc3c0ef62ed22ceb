"""One vector, many views: the same memory under two faces, through copies and files."""

import copy
import pickle

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from npvae.parameters import Parameters

SHAPES = {
    "encoder.0.W": (3, 5),
    "encoder.0.b": (5,),
    "encoder.1.W": (5, 4),
    "encoder.1.b": (4,),
    "decoder.0.W": (2, 3),
    "decoder.0.b": (3,),
}
NAMES = st.lists(st.text("abc", min_size=1, max_size=3), unique=True, max_size=5)


def counting(dtype=np.float64):
    theta = Parameters(SHAPES, dtype)
    theta.flat[:] = np.arange(theta.flat.size)
    return theta


def test_without_memory_it_is_zeros_of_the_asked_dtype_on_a_cache_line():
    theta = Parameters(SHAPES, np.float64)
    assert theta.flat.shape == (15 + 5 + 20 + 4 + 6 + 3,)
    assert theta.flat.dtype == theta.dtype == np.float64
    assert theta.flat.ctypes.data % 64 == 0
    assert not theta.flat.any()
    assert Parameters(SHAPES).dtype == np.float32


@pytest.mark.parametrize("make", [Parameters.copy, Parameters.zeros_like, Parameters.empty_like])
def test_every_sibling_has_its_own_aligned_memory_and_the_same_layout(make):
    theta = counting()
    sibling = make(theta)
    assert sibling.flat.ctypes.data % 64 == 0
    assert not np.shares_memory(sibling.flat, theta.flat)
    assert (sibling.shapes, sibling.dtype) == (theta.shapes, theta.dtype)
    sibling.flat[:] = theta.flat
    for name in theta:
        np.testing.assert_array_equal(sibling[name], theta[name])


def test_zeros_like_is_zero_and_copy_is_equal():
    theta = counting()
    assert not theta.zeros_like().flat.any()
    np.testing.assert_array_equal(theta.copy().flat, theta.flat)


def test_it_is_a_mapping_in_the_order_of_its_shapes():
    theta = counting()
    assert list(theta) == list(SHAPES)
    assert len(theta) == 6
    assert "encoder.0.W" in theta
    assert "encoder" not in theta
    assert {name: array.shape for name, array in theta.items()} == SHAPES == theta.shapes
    with pytest.raises(KeyError, match=r"encoder\.9\.W"):
        theta["encoder.9.W"]


def test_views_and_vector_are_the_same_memory_both_ways():
    theta = counting()
    theta["encoder.0.b"][2] = -1
    assert (theta.flat == -1).sum() == 1
    theta.flat[:] = 8
    assert all((array == 8).all() for array in theta.values())


def test_the_views_tile_the_vector_without_gap_or_overlap():
    theta = Parameters(SHAPES)
    for i, array in enumerate(theta.values(), start=1):
        array += i
    expected = np.repeat(np.arange(1, 7), [np.prod(shape) for shape in SHAPES.values()])
    np.testing.assert_array_equal(theta.flat, expected)


def test_expanding_matrices_are_transposed_views_and_others_row_major():
    theta = counting()
    expanding, contracting = theta["encoder.0.W"], theta["encoder.1.W"]
    assert expanding.flags.f_contiguous
    assert not expanding.flags.c_contiguous
    np.testing.assert_array_equal(expanding, np.arange(15).reshape(5, 3).T)
    assert contracting.flags.c_contiguous
    np.testing.assert_array_equal(contracting, np.arange(20, 40).reshape(5, 4))


def test_a_section_is_the_same_memory_under_shorter_names():
    theta = counting()
    encoder = theta.section("encoder")
    assert list(encoder) == ["0.W", "0.b", "1.W", "1.b"]
    np.testing.assert_array_equal(encoder.flat, np.arange(44))
    encoder["1.b"][0] = -5
    assert theta["encoder.1.b"][0] == -5
    for name in encoder:
        assert np.shares_memory(encoder[name], theta[f"encoder.{name}"])
        assert encoder[name].strides == theta[f"encoder.{name}"].strides


def test_sections_nest_and_dotted_prefixes_reach_the_same_place():
    theta = counting()
    nested, dotted = theta.section("encoder").section("1"), theta.section("encoder.1")
    assert list(nested) == list(dotted) == ["W", "b"]
    assert np.shares_memory(nested["W"], theta["encoder.1.W"])
    np.testing.assert_array_equal(nested.flat, dotted.flat)


def test_a_prefix_matches_whole_levels_only():
    theta = Parameters({"layer1.W": (2,), "layer10.W": (3,)})
    assert theta.section("layer1").shapes == {"W": (2,)}


def test_an_unknown_section_names_what_there_is():
    with pytest.raises(KeyError, match=r"no parameter is named prior\.…; there are encoder\.0\.W, encoder\.0\.b"):
        counting().section("prior")
    with pytest.raises(KeyError, match=r"no parameter is named prior\.…; there are none"):
        Parameters({}).section("prior")


def test_a_scattered_section_is_refused():
    theta = Parameters({"a.W": (2,), "b.W": (2,), "a.b": (2,)})
    with pytest.raises(KeyError, match=r"the parameters named a\.… do not lie side by side"):
        theta.section("a")


def round_trips():
    return {
        "copy method": Parameters.copy,
        "copy.copy": copy.copy,
        "copy.deepcopy": copy.deepcopy,
        "pickle": lambda theta: pickle.loads(pickle.dumps(theta)),
    }


@pytest.mark.parametrize("way", round_trips())
def test_views_stay_tied_to_the_vector_through_copies(way):
    theta = counting(np.float32)
    again = round_trips()[way](theta)
    assert (again.shapes, again.dtype) == (theta.shapes, theta.dtype)
    np.testing.assert_array_equal(again.flat, theta.flat)
    again.flat[:] = 3
    assert all((array == 3).all() for array in again.values())
    assert (again.section("decoder")["0.b"] == 3).all()
    assert again["encoder.0.W"].flags.f_contiguous
    assert again.flat.ctypes.data % 64 == 0
    assert theta.flat[1] == 1


def test_equality_is_of_layout_dtype_and_values():
    theta = counting(np.float32)
    assert theta == theta.copy()
    assert theta != theta.astype(np.float64)
    other = theta.copy()
    other.flat[-1] += 1
    assert theta != other
    assert Parameters({"a": (2,), "b": (2,)}) != Parameters({"b": (2,), "a": (2,)})
    assert theta != "theta"


def test_copying_a_section_takes_only_the_section():
    section = counting().section("decoder")
    for again in (section.copy(), copy.deepcopy(section), pickle.loads(pickle.dumps(section))):
        assert again.flat.size == 9
        np.testing.assert_array_equal(again.flat, np.arange(44, 53))


def test_astype_copies_into_another_precision():
    theta = counting(np.float32)
    for dtype in (np.float32, np.float64, np.complex128):
        other = theta.astype(dtype)
        assert other.dtype == dtype
        assert other.flat.ctypes.data % 64 == 0
        assert not np.shares_memory(other.flat, theta.flat)
        np.testing.assert_array_equal(other["encoder.0.W"], theta["encoder.0.W"])


def test_memory_that_is_given_is_viewed_not_copied():
    flat = np.arange(53.0)
    theta = Parameters(SHAPES, flat=flat)
    assert theta.flat is flat
    theta["decoder.0.b"][2] = -1
    assert flat[-1] == -1


@pytest.mark.parametrize(
    ("flat", "came"), [(np.zeros(52), r"\(52,\)"), (np.zeros((53, 1)), r"\(53, 1\)"), (np.zeros(106)[::2], r"\(53,\)")]
)
def test_memory_that_does_not_fit_is_refused(flat, came):
    with pytest.raises(ValueError, match=rf"^flat must be a contiguous vector of 53 elements, got shape {came}$"):
        Parameters(SHAPES, flat=flat)


def test_repr_says_how_many_and_which():
    assert repr(Parameters({"W": (50, 40), "b": (40,)})) == "Parameters(2,040 × float32: W (50, 40), b (40,))"


@given(data=st.data(), names=NAMES, dtype=st.sampled_from([np.float32, np.float64, np.complex128]))
def test_from_arrays_gives_back_the_arrays_it_got(data, names, dtype):
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    values = st.integers(-1000, 1000)
    arrays = {name: data.draw(hnp.arrays(np.int64, shapes, elements=values)) for name in names}
    kept = {name: array.copy() for name, array in arrays.items()}
    theta = Parameters.from_arrays(arrays, dtype)
    assert theta.dtype == dtype
    assert list(theta) == names
    assert theta.flat.size == sum(array.size for array in arrays.values())
    for name, array in arrays.items():
        assert theta[name].dtype == dtype
        np.testing.assert_array_equal(theta[name], array)
        np.testing.assert_array_equal(kept[name], array)
        assert not np.shares_memory(theta[name], array)
