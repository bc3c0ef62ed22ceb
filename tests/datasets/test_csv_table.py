import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from npvae.datasets.csv_table import read_table


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    return tmp_path_factory.mktemp("tables") / "data.csv"


def read(file, text):
    file.write_text(text, encoding="utf-8")
    table = read_table(file)
    return {name: table[name].tolist() for name in table.columns}, table


@given(
    hnp.arrays(np.float64, hnp.array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.floats(allow_nan=False)),
    st.booleans(),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from(["", "\ufeff"]),
    st.sampled_from([",", ";", "\t", "|"]),
)
def test_round_trip(file, array, header, newline, mark, delimiter):
    lines = [delimiter.join(map(repr, row)) for row in array.tolist()]
    if header:
        lines.insert(0, delimiter.join(f"column {i}" for i in range(array.shape[1])))
    file.write_bytes((mark + newline.join(lines) + newline).encode())
    table = read_table(file)
    np.testing.assert_array_equal(table.matrix(), array)
    assert table.has_names == header


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,2\n3,4", {"x1": [1, 3], "x2": [2, 4]}),
        ("a,b\n1,2\n", {"a": [1], "b": [2]}),
        ("label,0,1\n7,1,2\n", {"label": [7], "0": [1], "1": [2]}),
        ("5\n6\n", {"x1": [5, 6]}),
        ("\n1, 2\n\n 3,4e1\n\n", {"x1": [1, 3], "x2": [2, 40]}),
        ('"a, c",b\n"1","2"\n', {"a, c": [1], "b": [2]}),
        ('name,city\n"Doe, J",Rome\nAnn,Oslo\n', {"name": ["Doe, J", "Ann"], "city": ["Rome", "Oslo"]}),
        ("5.1,setosa\n4.9,virginica\n", {"x1": [5.1, 4.9], "x2": ["setosa", "virginica"]}),
        ('a;b\n"1,5";x\n2;y\n', {"a": [1.5, 2], "b": ["x", "y"]}),
        ("a;b\n1.234,5;0\n,5;1\n", {"a": [1234.5, 0.5], "b": [0, 1]}),
        (",a,b\n0,5,x\n1,6,y\n", {"a": [5, 6], "b": ["x", "y"]}),
        ('"a","b"\n"r1",5,x\n"r2",6,y\n', {"column 1": ["r1", "r2"], "a": [5, 6], "b": ["x", "y"]}),
        ("a,a\n1,2\n", {"a": [1], "a_2": [2]}),
    ],
)
def test_reads(file, text, expected):
    assert read(file, text)[0] == expected


def test_missing_values_are_nan_or_none(file):
    columns, table = read(file, "a,b,c\n1,x,2\nNA,null,3\nNaN,,4\n,N/A,?\n")
    assert columns["b"] == ["x", None, None, None]
    np.testing.assert_array_equal(table["a"], [1, np.nan, np.nan, np.nan])
    np.testing.assert_array_equal(table["c"], [2, 3, 4, np.nan])


@pytest.mark.parametrize(
    ("text", "note"),
    [
        (",a\n0,5\n1,6\n", "the first column, 'column 1', only counts the rows and is left out"),
        ("id,a\n1,5\n2,6\n", "the first column, 'id', only counts the rows and is left out"),
        ("id,a\n301,5\n302,6\n", "the first column, 'id', only counts the rows and is left out"),
        ("a;b\n2;1\n1,5;1\n", "'a' has decimal commas, which are read as points: 1,5 is 1.5"),
        ("a,a\n1,2\n", "a second column 'a' is called 'a_2'"),
    ],
)
def test_what_was_decided_is_said(file, text, note):
    assert read(file, text)[1].notes == [note]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "must be a table, got no line with a field in it"),
        (" \n \n", "must be a table, got no line with a field in it"),
        ("a,b\n", "must be a table, got names of columns and no row"),
        ("1,2\n3\n", "must have 2 fields in every line, got 1 in line 2"),
        ("a,b\n\n1,2\n3,4,5\n", "must have 2 fields in every line, got 3 in line 4"),
        (
            "a,b\n1,5,2,5\n3,5,4,5\n",
            "must have 2 fields .* got 4 in line 2; numbers with decimal commas need semicolons",
        ),
        (
            "a,b\n" + "1,2\n" * 20 + "1,x\n",
            r"must hold numbers in column 'b', got 'x' in line 22 \(1 such of 21\); mend",
        ),
    ],
)
def test_messages_name_line_and_column(file, text, message):
    with pytest.raises(ValueError, match=message) as caught:
        read(file, text)
    assert str(file) in str(caught.value)
    assert "\n" not in str(caught.value)


@given(st.binary(max_size=40))
def test_noise_never_raises_anything_but_a_value_error(file, content):
    file.write_bytes(content)
    try:
        read_table(file)
    except ValueError as error:
        assert str(file) in str(error)  # noqa: PT017


def test_a_field_too_long_for_a_table_is_a_value_error(file):
    file.write_text("a" * 200_000)
    with pytest.raises(ValueError, match=r"must be a table with .* between fields: field larger than"):
        read_table(file)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="path must name an existing file"):
        read_table(tmp_path / "nothing.csv")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_umlauts_are_read_in_whatever_encoding_and_a_guess_is_said(tmp_path, encoding):
    (tmp_path / "a.csv").write_text("Größe;Stadt\n1,5;Köln\n2,5;Zürich\n", encoding=encoding)
    table = read_table(tmp_path / "a.csv")
    assert table.columns == ["Größe", "Stadt"]
    np.testing.assert_array_equal(table["Größe"], [1.5, 2.5])
    assert list(table["Stadt"]) == ["Köln", "Zürich"]
    assert any("Windows-1252" in note and "'Größe'" in note for note in table.notes) == (encoding == "latin-1")


@pytest.mark.parametrize("first", ["0.1,O.2", "0.1,b", "3,4x", "1e3,a"])
def test_a_first_line_that_is_part_numbers_part_text_is_refused(tmp_path, first):
    path = tmp_path / "a.csv"
    path.write_text(f"{first}\n0.3,0.4\n0.5,0.6\n")
    with pytest.raises(
        ValueError, match="must begin with names of columns or with numbers, got both in its first line"
    ):
        read_table(path)


@pytest.mark.parametrize("first", ["id,2019", "a1,b2", "2019,2020", "x,y"])
def test_names_of_columns_may_be_years(tmp_path, first):
    path = tmp_path / "a.csv"
    path.write_text(f"{first}\n7.5,0.4\n0.5,0.6\n")
    table = read_table(path)
    assert len(table) == (3 if first == "2019,2020" else 2)
