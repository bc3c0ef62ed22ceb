import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npvae.datasets.files import read_csv


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "data.csv"


@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.floats(allow_nan=False)),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\ufeff"]),
)
def test_round_trip(file, array, header, newline, mark):
    lines = [",".join(map(repr, row)) for row in array.tolist()]
    if header:
        lines.insert(0, ",".join(f"column {i}" for i in range(array.shape[1])))
    file.write_bytes((mark + newline.join(lines) + newline).encode())
    np.testing.assert_array_equal(read_csv(file), array)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4", [[1, 2], [3, 4]]),
        ("a,b\n1,2\n", [[1, 2]]),
        ("label,0,1\n7,1,2\n", [[7, 1, 2]]),
        ("5\n6\n", [[5], [6]]),
        ("\n1, 2\n\n 3,4e1\n\n", [[1, 2], [3, 40]]),
        ('"a","b"\n"1","2"\n', [[1, 2]]),
        ('"a, c",b\n1,2\n', [[1, 2]]),
    ],
)
def test_reads(file, text, expected):
    file.write_text(text)
    np.testing.assert_array_equal(read_csv(file), expected)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a table of numbers separated by commas, got no line of numbers"),
        ("\n \n", "must be a table of numbers separated by commas, got no line of numbers"),
        ("a,b\n", "must be a table of numbers separated by commas, got no line of numbers"),
        ("1,2\n3\n", "must have 2 fields in every line, got 1 in line 2"),
        ("a,b\n\n1,2\n3,4,5\n", "must have 2 fields in every line, got 3 in line 4"),
        ("a,b\n1\n2\n", "must have 2 fields in every line, got 1 in line 2"),
        ("1,2\n3,x\n", "must hold numbers, got 'x' in line 2, field 2"),
        ("1,2\n3,\n", "must hold numbers, got an empty field in line 2, field 2"),
        ("1,,3\n", "must hold numbers, got an empty field in line 1, field 2"),
        ("1,2\n3,1_0\n", "must hold numbers, got '1_0' in line 2, field 2"),
        ("1;2\n3;4\n", "must hold numbers, got '3;4' in line 2, field 1"),
    ],
)
def test_messages_name_the_line(file, text, message):
    file.write_text(text)
    with pytest.raises(ValueError, match=message) as caught:
        read_csv(file)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=40))
def test_noise_never_raises_anything_but_a_value_error(file, content):
    file.write_bytes(content)
    try:
        read_csv(file)
    except ValueError as error:
        assert str(file) in str(error)  # noqa: PT017


def test_a_field_too_long_for_a_table_is_a_value_error(file):
    file.write_text("a" * 200_000)
    with pytest.raises(ValueError, match="must be a table of numbers separated by commas: field larger than"):
        read_csv(file)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must name an existing file"):
        read_csv(tmp_path / "nothing.csv")
