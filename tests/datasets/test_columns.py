import numpy as np
import pytest

from npvae.datasets.coding import Coding
from npvae.datasets.columns import described_columns, learn_columns, warn_of_extremes
from npvae.datasets.table import Table
from npvae.validation import ArgumentError, DataWarning

N = 200
RNG = np.random.default_rng(0)


def texts(*values):
    return np.array(values, dtype=object)


COLUMNS = {
    "height": RNG.normal(170, 10, N),
    "income": np.exp(RNG.normal(8, 1, N)),
    "children": RNG.poisson(1.5, N).astype(float),
    "smokes": RNG.choice(texts("yes", "no"), N),
    "member": RNG.choice(texts(True, False), N),
    "group": RNG.choice([1.0, 2.0], N),
    "city": RNG.choice(texts("Oslo", "Paris", "Rome"), N),
    "year": RNG.integers(1950, 2000, N).astype(float),
    "code": texts(*(f"K{i}" for i in range(N))),
    "customer_id": np.arange(N) + 1000.0,
    "born": texts(*(f"19{i % 90 + 10}-01-02" for i in range(N))),
    "country": texts(*["Norway"] * N),
    "nothing": np.full(N, np.nan),
}
KINDS = {
    "height": "real",
    "income": "positive",
    "children": "count",
    "smokes": "yes/no",
    "member": "yes/no",
    "group": "yes/no",
    "city": "category",
    "year": "real",
    "code": "left out",
    "customer_id": "left out",
    "born": "left out",
    "country": "left out",
    "nothing": "left out",
}


def learnt(**columns):
    return {column.name: column for column in learn_columns(Table(columns))}


@pytest.mark.parametrize("name", KINDS)
def test_kinds_are_told_from_values(name):
    columns = {"x": np.arange(N) / 7, name: COLUMNS[name]}
    assert learnt(**columns)[name].kind == KINDS[name]


def test_what_is_left_out_is_said_with_the_reason():
    lines = described_columns(learn_columns(Table(COLUMNS)))
    for name, words in (
        ("code", "identifiers (200 different values in 200 rows)"),
        ("customer_id", "an identifier (all values differ)"),
        ("born", "holds dates and is left out: make numbers of them"),
        ("country", "is always 'Norway' and is left out"),
        ("nothing", "has no known value and is left out"),
    ):
        assert any(line.split()[0] == name and words in line for line in lines), name


def test_a_kind_that_is_said_goes_first():
    columns = learn_columns(Table(COLUMNS), {"year": "category", "height": "positive", "children": "left out"})
    kinds = {column.name: column.kind for column in columns}
    assert (kinds["year"], kinds["height"], kinds["children"]) == ("category", "positive", "left out")


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ({"heigt": "real"}, "columns must be columns of the table, height"),
        ({"height": "integer"}, r"columns\['height'\] must be one of 'real', 'positive'"),
        ({"height": "count"}, r"columns\['height'\] must be whole and not negative to be a 'count', got"),
        ({"children": "positive"}, r"columns\['children'\] must be above 0 to be 'positive', got 0"),
        ({"city": "real"}, r"columns\['city'\] must be 'category' or 'left out', since it holds text"),
        ({"year": "yes/no"}, r"columns\['year'\] must be of two values to be 'yes/no', got 4"),
    ],
)
def test_kinds_that_cannot_be_are_refused(kinds, message):
    with pytest.raises(ArgumentError, match=message):
        learn_columns(Table(COLUMNS), kinds)


def test_a_table_of_which_nothing_is_left_is_refused():
    with pytest.raises(ArgumentError, match="X must have a column to learn from"):
        learnt(country=COLUMNS["country"], nothing=COLUMNS["nothing"])


def test_infinity_is_refused_with_row_and_column():
    x = np.arange(9.0)
    x[4] = np.inf
    with pytest.raises(ArgumentError, match="X must be finite, got inf at row 4, column 'x'"):
        learnt(x=x)


def test_rare_categories_beyond_a_hundred_count_as_unknown():
    values = texts(*(f"c{i}" for i in range(150) for _ in range(2 + (i < 100))))
    column = learnt(city=values)["city"]
    assert len(column.levels) == 100
    assert set(column.levels) == {f"c{i}" for i in range(100)}
    assert column.gaps
    assert "the 50 rarest of 150 categories" in column.remark


# ---- coding ----------------------------------------------------------------------------------------------------------


def coded(**columns):
    table = Table(columns)
    coding = Coding.learn(table)
    return coding, coding(table)


def test_there_and_back_again():
    table = Table(COLUMNS)
    coding = Coding.learn(table)
    x = coding(table)
    assert x.shape == (N, coding.width)
    back = coding.table(coding.inverse(x))
    for name, kind in KINDS.items():
        if kind == "left out":
            continue
        if table[name].dtype == object:
            assert back[name].tolist() == table[name].tolist()
        else:
            np.testing.assert_allclose(back[name], table[name], rtol=1e-9)
    assert back["country"].tolist() == ["Norway"] * N
    assert back["code"].tolist() == [None] * N


def test_numbers_are_standardised_and_categories_are_one_of_several():
    _, x = coded(height=COLUMNS["height"], income=COLUMNS["income"], city=COLUMNS["city"])
    np.testing.assert_allclose(x[:, :2].mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(x[:, :2].std(axis=0), 1)
    assert (x[:, 2:].sum(axis=1) == 1).all()


def test_gaps_are_nan_and_come_back_as_gaps():
    city = COLUMNS["city"].copy()
    height = COLUMNS["height"].copy()
    city[3], height[5] = None, np.nan
    coding, x = coded(city=city, height=height, children=COLUMNS["children"])
    assert np.isnan(x[3, coding.places["city"]]).all()
    assert np.isnan(x).sum() == 3 + 1
    back = coding.table(coding.inverse(x))
    assert back["city"][3] is None
    assert np.isnan(back["height"][5])
    assert coding.masked == (coding.places["city"].start, coding.places["height"].start)


def test_an_unseen_category_is_named_and_unknown():
    coding, _ = coded(city=COLUMNS["city"], height=COLUMNS["height"])
    with pytest.warns(DataWarning, match=r"X has 'Bern' in column 'city', which the training had not.*\(1 rows\)"):
        x = coding(Table({"city": texts("Rome", "Bern"), "height": np.array([170.0, 180])}))
    assert np.isnan(x[1, coding.places["city"]]).all()


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("income", 0.0, "X must have numbers above 0 in column 'income', which is positive, got 0 at row 1"),
        ("children", 1.5, "X must have whole numbers from 0 on in column 'children', which is count, got 1.5 at row 1"),
        ("height", np.inf, "X must have finite numbers in column 'height', which is real, got inf at row 1"),
    ],
)
def test_values_that_cannot_be_are_named(name, value, message):
    coding, _ = coded(**{name: COLUMNS[name]})
    with pytest.raises(ArgumentError, match=message):
        coding(Table({name: np.array([COLUMNS[name][0], value])}))


def test_text_among_numbers_is_named():
    coding, _ = coded(height=COLUMNS["height"])
    with pytest.raises(ArgumentError, match="X must have numbers in column 'height', got 'tall' at row 1"):
        coding(Table({"height": texts(1.0, "tall")}))


def test_log_volumes_are_those_of_the_log_normal():
    from scipy import stats

    coding, x = coded(income=COLUMNS["income"], height=COLUMNS["height"])
    column = {column.name: column for column in coding.columns}
    y = COLUMNS["income"]
    by_scipy = stats.lognorm.logpdf(y, column["income"].unit, scale=np.exp(column["income"].shift))
    by_scipy += stats.norm.logpdf(COLUMNS["height"], column["height"].shift, column["height"].unit)
    np.testing.assert_allclose(stats.norm.logpdf(x).sum(axis=1) - coding.log_volumes(x), by_scipy)


def test_through_a_file_and_back():
    import json

    coding, x = coded(**COLUMNS)
    again = Coding.from_header(json.loads(json.dumps(coding.header())))
    assert again == coding
    np.testing.assert_array_equal(again(Table(COLUMNS)), x)
    for damage in ({"kind": "odd"}, {"unit": 0.0}, {"shift": float("nan")}):
        header = coding.header()
        header["columns"][0] |= damage
        with pytest.raises(ValueError, match="should have"):
            Coding.from_header(header)


def test_what_is_heavy_on_the_right_is_log_normal_and_the_rest_is_real():
    rng = np.random.default_rng(0)
    columns = {
        "age": rng.normal(40, 12, 500).clip(1),
        "income": rng.lognormal(10, 1, 500),
        "waited": rng.gamma(1, 5, 500),
    }
    assert [column.kind for column in learn_columns(Table(columns))] == ["real", "positive", "positive"]


def test_values_whose_squares_are_no_numbers_are_refused_by_name():
    x = np.zeros(30)
    x[:2] = 1, 1e300
    with pytest.raises(ValueError, match=r"X must have values below 1e\+150, got 1e\+300 at row 1, column 'a'"):
        learn_columns(Table({"a": x}))


def test_a_scale_that_a_few_values_set_is_said_and_warned_of():
    x = np.random.default_rng(0).normal(size=300)
    x[7] = 1e6
    (column,) = columns = learn_columns(Table({"wealth": x}))
    assert "a few values make the standard deviation" in column.remark
    with pytest.warns(DataWarning, match="X has extreme values in 'wealth': .*; clip them, leave them empty"):
        warn_of_extremes(columns)


def test_many_columns_alike_share_a_line():
    rng = np.random.default_rng(0)
    table = Table(
        {"sample": np.arange(60.0).astype(str).astype(object)} | {f"g{j}": rng.normal(size=60) for j in range(50)}
    )
    name, genes = described_columns(learn_columns(table))
    assert "left out" in name
    assert genes.split() == ["g0", "…", "g49", "(50)", "real", "Gaussian,", "learned", "width"]
