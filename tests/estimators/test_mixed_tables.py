"""VAEs of tables with columns of several kinds and with gaps."""

import numpy as np
import pytest

import npvae
from npvae import VAE
from npvae.datasets.table import Table
from npvae.distributions import Mixed
from npvae.validation import ArgumentError, ArgumentTypeError, DataWarning

N = 240
SETTINGS = {"latent_dim": 2, "hidden": 16, "epochs": 4, "random_state": 0}


def columns(seed=0):
    rng = np.random.default_rng(seed)
    z = rng.standard_normal(N)
    height = 170 + 10 * z + rng.normal(0, 2, N)
    height[::6] = np.nan
    city = np.where(z > 0.5, "Oslo", np.where(rng.random(N) < 0.5, "Paris", "Rome")).astype(object)
    city[1::9] = None
    return {
        "height": height,
        "income": np.exp(8 + z + rng.normal(0, 0.3, N)),
        "children": rng.poisson(np.exp(0.5 * z)).astype(float),
        "member": (z + rng.normal(0, 0.5, N) > 0).astype(object),
        "city": city,
        "code": np.array([f"K{i}" for i in range(N)], dtype=object),
    }


@pytest.fixture(scope="module")
def table():
    return Table(columns())


@pytest.fixture(scope="module")
def fitted(table):
    return VAE(**SETTINGS | {"epochs": 60}, learning_rate=0.01).fit(table)


def test_auto_chooses_a_likelihood_for_every_column(fitted):
    assert fitted.params_["likelihood"] == "mixed"
    assert fitted.likelihood == "auto"
    assert isinstance(fitted.model_.likelihood, Mixed)
    kinds = {column.name: column.kind for column in fitted.scaling_.columns}
    assert kinds == {
        "height": "real",
        "income": "positive",
        "children": "count",
        "member": "yes/no",
        "city": "category",
        "code": "left out",
    }
    assert fitted.n_features_in_ == 6


def test_the_held_out_loss_falls(table):
    run = VAE(**SETTINGS | {"epochs": 20}).fit(table.take(slice(0, 180)), X_val=table.take(slice(180, N)))
    losses = run.history_["val_loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0] - 0.1


@pytest.mark.parametrize("bound", ["elbo", "iwae", "dreg"])
def test_gaps_are_learnt_under_every_bound(table, bound):
    vae = VAE(**SETTINGS | {"bound": bound, "n_samples": 3}).fit(table)
    assert np.isfinite(vae.score_samples(table)).all()


def test_samples_have_the_types_of_the_table(fitted):
    drawn = fitted.sample(50, random_state=0)
    assert isinstance(drawn, Table)
    assert set(drawn["city"]) <= {"Oslo", "Paris", "Rome"}
    assert set(drawn["member"]) == {True, False}
    assert (drawn["children"] == np.rint(drawn["children"])).all()
    assert (drawn["income"] > 0).all()
    assert drawn["code"].tolist() == [None] * 50


def test_latents_know_what_the_columns_have_in_common(fitted):
    z = fitted.transform(Table(columns(1)))
    income = np.log(columns(1)["income"])
    assert max(abs(np.corrcoef(z.T, income)[-1, :-1])) > 0.8


def test_scores_are_in_the_units_of_the_table(table):
    larger = columns()
    larger["income"], larger["height"] = larger["income"] * 100, larger["height"] * 10
    a, b = VAE(**SETTINGS).fit(table), VAE(**SETTINGS).fit(Table(larger))
    known = ~np.isnan(larger["height"])
    expected = np.log(100) + np.log(10) * known
    np.testing.assert_allclose(a.score_samples(table) - b.score_samples(Table(larger)), expected, atol=2e-3)
    gap = a.log_likelihood(table, k=20).log_px - b.log_likelihood(Table(larger), k=20).log_px
    np.testing.assert_allclose(gap, expected, atol=2e-3)


def test_through_a_file_and_back(fitted, table, tmp_path):
    fitted.save(tmp_path / "m.npz")
    again = npvae.load(tmp_path / "m.npz")
    np.testing.assert_array_equal(again.transform(table), fitted.transform(table))
    drawn = again.sample(3, random_state=1), fitted.sample(3, random_state=1)
    assert all(drawn[0][name].tolist() == drawn[1][name].tolist() for name in table.columns if name != "code")


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_frames_come_back_as_frames(library, table):
    frame = pytest.importorskip(library).DataFrame({n: v.tolist() for n, v in columns().items()}, strict=False) \
        if library == "polars" else pytest.importorskip(library).DataFrame(columns())  # fmt: skip
    vae = VAE(**SETTINGS).fit(frame)
    np.testing.assert_array_equal(vae.transform(frame), VAE(**SETTINGS).fit(table).transform(table))
    for made in (vae.sample(3, random_state=0), vae.reconstruct(frame), vae.inverse_transform(vae.transform(frame))):
        assert type(made).__module__.partition(".")[0] == library
        assert list(made.columns) == table.columns
    assert made["member"].to_numpy().dtype == bool
    assert made["children"].to_numpy().dtype == np.int64


def test_columns_in_another_order_are_refused_by_name(fitted, table):
    with pytest.raises(ArgumentError, match="Feature names must be in the same order as they were in fit"):
        fitted.transform(table.select(table.columns[::-1]))
    with pytest.raises(ArgumentError, match=r"(?s)now missing:.*- city"):
        fitted.transform(table.without(["city"]))


def test_a_category_that_is_new_is_said_and_unknown(fitted, table):
    changed = columns()
    changed["city"][0] = "Bern"
    with pytest.warns(DataWarning, match="'Bern' in column 'city'"):
        z = fitted.transform(Table(changed))
    changed["city"][0] = None
    np.testing.assert_array_equal(z, fitted.transform(Table(changed)))


def test_kinds_can_be_said(table, tmp_path):
    vae = VAE(columns={"income": "real", "city": "left out"}, **SETTINGS).fit(table)
    assert [c.kind for c in vae.scaling_.columns] == ["real", "real", "count", "yes/no", "left out", "left out"]
    vae.save(tmp_path / "m.npz")
    assert npvae.load(tmp_path / "m.npz").columns == {"income": "real", "city": "left out"}
    for refused in ({"incom": "real"}, {"income": "reel"}, "income"):
        with pytest.raises(ArgumentError, match="columns"):
            VAE(columns=refused, **SETTINGS).fit(table)
    with pytest.raises(ArgumentError, match="columns must be None with likelihood='gaussian'"):
        VAE(columns={"income": "real"}, likelihood="gaussian", **SETTINGS).fit(table)


def test_a_matrix_of_numbers_stays_what_it_was():
    x = np.random.default_rng(0).normal(5, 2, (40, 3))
    assert VAE(**SETTINGS).fit(x).params_["likelihood"] == "gaussian-shared"
    assert VAE(**SETTINGS).fit(np.rint(abs(x))).params_["likelihood"] == "gaussian-shared"
    assert VAE(**SETTINGS).fit(x > 5).params_["likelihood"] == "bernoulli"
    assert VAE(likelihood="mixed", **SETTINGS).fit(x).params_["likelihood"] == "mixed"


def test_a_matrix_with_gaps_is_learnt_and_handed_out_as_a_matrix():
    x = np.random.default_rng(0).normal(5, 2, (60, 3))
    x[np.random.default_rng(1).random(x.shape) < 0.2] = np.nan
    vae = VAE(**SETTINGS).fit(x)
    assert vae.params_["likelihood"] == "mixed"
    assert vae.reconstruct(x).shape == (60, 3)
    assert np.isfinite(vae.reconstruct(x)).all()
    assert vae.sample(4, random_state=0).dtype == np.float64
    with pytest.raises(ValueError, match=r"X has 2 features, but VAE is expecting 3"):
        vae.transform(x[:, :2])
    with pytest.raises(ArgumentError, match="finite"):
        vae.transform(np.where(np.isnan(x), np.inf, x))


def test_other_likelihoods_refuse_gaps_and_text(table):
    x = np.array([[1.0, np.nan], [2.0, 3.0]])
    with pytest.raises(ArgumentError, match="X must be finite, got nan at row 0, column 1"):
        VAE(likelihood="gaussian", **SETTINGS).fit(x)
    with pytest.raises(ArgumentTypeError, match="in column 'city', which is text"):
        VAE(likelihood="gaussian", **SETTINGS).fit(table.select(["city", "income"]))


def test_reconstruction_error_counts_what_is_known(fitted, table):
    error = fitted.reconstruction_error(table)
    assert error.shape == (N,)
    assert np.isfinite(error).all()
    assert error.mean() < 4


def test_partial_fit_takes_tables(table):
    vae = VAE(**SETTINGS)
    for start in (0, 120):
        vae.partial_fit(table.take(slice(start, start + 120)))
    assert vae.n_iter_ == 2


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_a_frame_of_numbers_comes_back_as_one(tmp_path, library):
    frames = pytest.importorskip(library)
    x = np.random.default_rng(0).normal(size=(40, 3))
    frame = frames.DataFrame({name: x[:, j] for j, name in enumerate("abc")})
    VAE(latent_dim=2, hidden=8, epochs=1, random_state=0).fit(frame).save(tmp_path / "model.npz")
    vae = npvae.load(tmp_path / "model.npz")
    for made in (vae.sample(40, 0), vae.reconstruct(frame), vae.impute(frame, np.arange(3) > 0, steps=4).mean):
        assert isinstance(made, frames.DataFrame)
        assert list(made.columns) == ["a", "b", "c"]
    assert isinstance(vae.reconstruct(x), np.ndarray)
    assert vae.reconstruction_error(frame).shape == (40,)


def test_errors_name_the_column():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(np.random.default_rng(0).normal(size=(40, 3)), columns=list("abc"))
    frame.loc[3, "b"] = np.inf
    with pytest.raises(ValueError, match="X must be finite, got inf at row 3, column 'b'"):
        VAE(epochs=1).fit(frame)
    frame.loc[3, "b"] = 1e300
    with pytest.raises(ValueError, match=r"X must have values below 1e\+150, got 1e\+300 at row 3, column 'b'"):
        VAE(epochs=1).fit(frame)


def test_a_small_table_is_learnt_for_as_many_epochs_as_it_needs():
    rng = np.random.default_rng(0)
    table = Table({"a": rng.normal(size=300), "b": rng.poisson(2.0, size=300).astype(float)})
    assert VAE(latent_dim=1, hidden=2, batch_size=50, random_state=0).fit(table).params_["epochs"] == 250
    assert VAE(latent_dim=1, hidden=2, epochs=2).fit(table).n_iter_ == 2
    assert VAE(latent_dim=1, hidden=2).fit(rng.normal(size=(30, 2))).n_iter_ == 10
