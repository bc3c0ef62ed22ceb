"""scikit-learn's conventions: containers of the output, names of columns, representation, partial fits."""

import sys

import numpy as np
import pytest

import npvae
from npvae import VAE
from npvae.validation import ArgumentError, ArgumentTypeError

RNG = np.random.default_rng(0)
X = RNG.random((30, 4))
SETTINGS = {"latent_dim": 2, "hidden": 4, "epochs": 1, "random_state": 0}


def frame(x=X, names=("a", "b", "c", "d"), **how):
    return pytest.importorskip("pandas").DataFrame(x, columns=list(names), **how)


def test_the_names_of_the_columns_are_kept_and_stored(tmp_path):
    vae = VAE(**SETTINGS).fit(frame())
    np.testing.assert_array_equal(vae.feature_names_in_, ["a", "b", "c", "d"])
    assert list(vae.get_feature_names_out()) == ["z1", "z2"]
    vae.save(tmp_path / "m.npz")
    np.testing.assert_array_equal(npvae.load(tmp_path / "m.npz").feature_names_in_, vae.feature_names_in_)
    assert not hasattr(vae.fit(X), "feature_names_in_")


def test_other_columns_are_refused_by_name():
    vae = VAE(**SETTINGS).fit(frame())
    with pytest.raises(ArgumentError, match="in the same order as they were in fit"):
        vae.transform(frame()[["b", "a", "c", "d"]])
    with pytest.raises(ArgumentError, match="unseen at fit time:\n- e"):
        vae.transform(frame(names="abce"))
    with pytest.raises(ArgumentError, match="now missing:\n- d"):
        vae.transform(frame()[["a", "b", "c"]])
    np.testing.assert_array_equal(vae.transform(frame()), vae.transform(X))


def test_set_output_chooses_the_container():
    pandas = pytest.importorskip("pandas")
    vae = VAE(**SETTINGS).fit(X)
    z = vae.transform(X)
    assert type(z) is np.ndarray
    table = vae.set_output(transform="pandas").transform(frame(index=range(100, 130)))
    assert isinstance(table, pandas.DataFrame)
    assert list(table.columns) == ["z1", "z2"]
    assert list(table.index) == list(range(100, 130))
    np.testing.assert_array_equal(table, z)
    assert type(vae.set_output(transform="default").transform(X)) is np.ndarray
    with pytest.raises(ArgumentError, match="transform must be one of"):
        vae.set_output(transform="excel")


def test_polars_frames_go_in_and_come_out():
    polars = pytest.importorskip("polars")
    table = polars.DataFrame(X, schema=["a", "b", "c", "d"], orient="row")
    vae = VAE(**SETTINGS).set_output(transform="polars").fit(table)
    z = vae.transform(table)
    assert isinstance(z, polars.DataFrame)
    np.testing.assert_array_equal(z.to_numpy(), VAE(**SETTINGS).fit(X).transform(X))


def test_boolean_and_nullable_columns_are_numbers():
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame(
        {
            "yes": [True, False] * 15,
            "count": pandas.array([0, 1] * 15, dtype="Int64"),
            "flag": pandas.array([True, False] * 15, dtype="boolean"),
            "real": X[:, 0],
        }
    )
    values = np.column_stack([[1, 0] * 15, [0, 1] * 15, [1, 0] * 15, X[:, 0]])
    settings = SETTINGS | {"likelihood": "gaussian"}
    np.testing.assert_array_equal(VAE(**settings).fit(table).theta_.flat, VAE(**settings).fit(values).theta_.flat)
    table["name"] = "text"
    with pytest.raises(
        ArgumentTypeError, match=r"X must hold numbers, got dtype .* in column 'name'; leave the column"
    ):
        VAE(**settings).fit(table)


def test_sparse_data_are_refused_in_their_own_words():
    sparse = pytest.importorskip("scipy.sparse")
    with pytest.raises(ArgumentTypeError, match=r"X must be dense, got a sparse matrix of shape \(30, 4\); .*toarray"):
        VAE(**SETTINGS).fit(sparse.csr_matrix(X))


def test_html_shows_all_parameters_and_escapes_them():
    html = VAE(likelihood="<b>")._repr_html_()
    assert "&lt;b&gt;" in html
    assert all(name in html for name in VAE().get_params())
    assert "not fitted" in html
    assert "(fitted)" in VAE(**SETTINGS).fit(X)._repr_html_()


def test_partial_fits_go_on_where_the_last_one_was():
    chunks = np.split(X, 3)
    vae = VAE(**SETTINGS)
    for chunk in chunks:
        vae.partial_fit(chunk)
    assert vae.n_iter_ == 3
    again = VAE(**SETTINGS)
    for chunk in chunks:
        again.partial_fit(chunk)
    np.testing.assert_array_equal(vae.theta_.flat, again.theta_.flat)
    assert not np.array_equal(vae.theta_.flat, VAE(**SETTINGS).partial_fit(chunks[0]).theta_.flat)


def test_partial_fit_learns_as_fit_does():
    whole = VAE(**SETTINGS | {"epochs": 3}).fit(X)
    parts = VAE(**SETTINGS)
    for _ in range(3):
        parts.partial_fit(X)
    np.testing.assert_array_equal(whole.theta_.flat, parts.theta_.flat)


def test_a_loaded_model_learns_on(tmp_path):
    vae = VAE(**SETTINGS).fit(X)
    vae.save(tmp_path / "m.npz")
    back = npvae.load(tmp_path / "m.npz").partial_fit(X)
    assert not np.array_equal(back.theta_.flat, vae.theta_.flat)
    with pytest.raises(ArgumentError, match="X has 3 features, but VAE is expecting 4 features"):
        back.partial_fit(X[:, :3])


def test_a_schedule_has_no_end_with_partial_fit():
    with pytest.raises(ArgumentError, match="schedule must be 'constant' with partial_fit"):
        VAE(**SETTINGS, schedule="cosine").partial_fit(X)


def test_the_scale_belongs_to_the_model(tmp_path):
    table = RNG.normal([5, -300, 0.01, 7], [2, 40, 0.001, 1], (200, 4))
    vae = VAE(**SETTINGS | {"epochs": 100, "batch_size": 20}, beta=0.01).fit(table)
    vae.save(tmp_path / "m.npz")
    back = npvae.load(tmp_path / "m.npz")
    assert vae.params_["likelihood"] == "gaussian-shared"
    for model in (vae, back):
        np.testing.assert_allclose(model.sample(2000, random_state=0).mean(axis=0), table.mean(axis=0), rtol=0.15)
        assert (model.reconstruct(table).std(axis=0) < 1.2 * table.std(axis=0)).all()


def test_nats_do_not_depend_on_the_unit_of_the_data():
    table = RNG.normal(0, 1, (40, 3)) + 5
    small = VAE(**SETTINGS, dtype="float64").fit(table)
    large = VAE(**SETTINGS, dtype="float64").fit(1000 * table)
    nats = 3 * np.log(1000)
    assert large.score_samples(1000 * table, 200).mean() == pytest.approx(small.score(table) - nats, abs=0.2)
    log_px = small.log_likelihood(table, 300).log_px
    np.testing.assert_allclose(large.log_likelihood(1000 * table, 300).log_px, log_px - nats, atol=0.6)


def test_no_library_of_tables_is_imported_without_need():
    code = "import npvae, sys; npvae.VAE(2, 4, epochs=1).fit([[0, 1], [1, 0]]); print(sorted(sys.modules))"
    import subprocess

    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'numpy'" in loaded
    assert not any(f"'{name}'" in loaded for name in ("sklearn", "pandas", "polars", "scipy", "matplotlib"))


@pytest.mark.parametrize("method", ["score_samples", "transform"])
def test_a_row_stands_alone(method):
    x = RNG.random((40, 6)).astype(np.float32)
    vae = VAE(**SETTINGS).fit(x)
    score = getattr(vae, method)
    expected, order = score(x), RNG.permutation(40)
    np.testing.assert_allclose(score(x[order]), expected[order], atol=1e-3)
    np.testing.assert_allclose(score(x[7:9]), expected[7:9], atol=1e-3)
    repeated = score(np.repeat(x[:1], 5, axis=0))
    np.testing.assert_allclose(repeated, np.repeat(repeated[:1], 5, axis=0), atol=1e-5)
