"""What cannot be is refused before any work: the argument, what was expected, what came."""

import numpy as np
import pytest

from npvae import VAE
from npvae.estimators.binarizing import BINARIZE

X = np.random.default_rng(0).random((20, 9)).astype(np.float32)


def with_value(value):
    x = X.copy()
    x[3, 5] = value
    return x


@pytest.mark.parametrize(
    ("params", "error", "text"),
    [
        ({"latent_dim": -1}, ValueError, "latent_dim must be at least 1, got -1"),
        ({"latent_dim": 0}, ValueError, "latent_dim must be at least 1, got 0"),
        ({"latent_dim": 2.0}, TypeError, r"latent_dim must be an integer, got 2\.0"),
        ({"latent_dim": None}, TypeError, "latent_dim must be an integer, got None"),
        ({"hidden": 0}, ValueError, "hidden must be at least 1, got 0"),
        ({"hidden": (4, -2)}, ValueError, r"hidden\[1\] must be at least 1, got -2"),
        ({"hidden": "400"}, TypeError, "hidden must be an integer or a sequence of integers, got '400'"),
        ({"hidden": 4.5}, TypeError, r"hidden must be an integer or a sequence of integers, got 4\.5"),
        ({"hidden": (4, "5")}, TypeError, r"hidden\[1\] must be an integer, got '5'"),
        ({"activation": "rellu"}, ValueError, "activation must be one of .* got 'rellu'; did you mean 'relu'"),
        ({"activation": None}, ValueError, "activation must be one of .* got None"),
        ({"likelihood": "gausian"}, ValueError, "likelihood must be one of .* did you mean 'gaussian'"),
        ({"binarize": True}, ValueError, "binarize must be one of 'none', 'threshold', 'fixed', 'dynamic', got True"),
        (
            {"binarize": "fixed", "likelihood": "gaussian"},
            ValueError,
            "binarize must be 'none' with likelihood='gaussian'",
        ),
        ({"beta": -0.1}, ValueError, r"beta must be at least 0, got -0\.1"),
        ({"beta": float("nan")}, ValueError, "beta must be finite, got nan"),
        ({"beta": "1"}, TypeError, "beta must be a number, got '1'"),
        ({"n_samples": 0}, ValueError, "n_samples must be at least 1, got 0"),
        ({"epochs": 0}, ValueError, "epochs must be at least 1, got 0"),
        ({"epochs": 1.5}, TypeError, "epochs must be an integer"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"optimizer": "adamm"}, ValueError, "optimizer must be one of .* did you mean 'adam'"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be greater than 0, got 0"),
        ({"learning_rate": float("inf")}, ValueError, "learning_rate must be finite, got inf"),
        ({"schedule": "cosin"}, ValueError, "schedule must be one of .* did you mean 'cosine'"),
        ({"init_weights": "hee"}, ValueError, "init_weights must be one of .* did you mean 'he'"),
        ({"patience": 0}, ValueError, "patience must be at least 1, got 0"),
        ({"patience": 2}, ValueError, "patience needs held-out data"),
        ({"dtype": "float16"}, ValueError, "dtype must be one of 'float32', 'float64', got 'float16'"),
        ({"dtype": np.float32}, ValueError, "dtype must be one of"),
        ({"random_state": -1}, ValueError, "random_state must be at least 0, got -1"),
        ({"random_state": "0"}, TypeError, "random_state must be an integer, a .*Generator or None, got str"),
    ],
)
def test_hyper_parameters(params, error, text):
    x_val = X if params.get("patience") == 0 else None
    vae = VAE(**{"likelihood": "bernoulli", "latent_dim": 2, "hidden": 4, "epochs": 1, **params})
    with pytest.raises(error, match=text):
        vae.fit(X, X_val=x_val)
    assert not hasattr(vae, "theta_")


BAD_DATA = [
    (with_value(np.nan), ValueError, r"must be finite, got nan at row 3, column 5 \(1 such entry in all\)"),
    (with_value(-np.inf), ValueError, "must be finite, got -inf at row 3, column 5"),
    (with_value(1.001), ValueError, r"must lie in \[0, 1\] under likelihood='bernoulli', got values from .* to 1.001"),
    (with_value(-0.5), ValueError, r"must lie in \[0, 1\] .* got values from -0.5 to"),
    (255 * X, ValueError, "must lie .* divide 8-bit images by 255"),
    (X[:0], ValueError, r"must not be empty, got shape \(0, 9\)"),
    (X[:, :0], ValueError, r"must not be empty, got shape \(20, 0\)"),
    (X[0], ValueError, r"must have two dimensions, .* got shape \(9,\); for a single row use x\[None\]"),
    (np.float32(1), ValueError, r"must have two dimensions, .* got shape \(\)"),
    ([[0, 1], [0]], ValueError, "must be a rectangular array of numbers"),
    ([["a", "b"]], TypeError, "must hold real numbers, got dtype <U1"),
    (X + 0j, TypeError, "must hold real numbers, got dtype complex"),
    (None, TypeError, "must hold real numbers, got dtype object"),
    (np.full((2, 9), 1e300), ValueError, r"must have values below 1e\+150, got 1e\+300"),
]


@pytest.mark.parametrize(("x", "error", "text"), BAD_DATA)
def test_data_for_fit(x, error, text):
    vae = VAE(2, 4, epochs=1, likelihood="bernoulli")
    with pytest.raises(error, match="^X " + text):
        vae.fit(x)
    assert not hasattr(vae, "theta_")


@pytest.mark.parametrize(("x", "error", "text"), [case for case in BAD_DATA if case[0] is not None])
def test_held_out_data(x, error, text):
    with pytest.raises(error, match=r"^X_val "):
        VAE(2, 4, epochs=1, likelihood="bernoulli").fit(X, X_val=x)


def test_held_out_data_of_another_width():
    with pytest.raises(ValueError, match=r"X_val has 7 features, but VAE is expecting 9 .*, got shape \(20, 7\)"):
        VAE(2, 4, epochs=1, likelihood="bernoulli").fit(X, X_val=X[:, :7])


def test_one_row_teaches_nothing():
    with pytest.raises(ValueError, match=r"X must have at least two rows to learn from, got shape \(1, 9\)"):
        VAE(2, 4, epochs=1, likelihood="bernoulli").fit(X[:1])


@pytest.fixture(scope="module")
def fitted():
    return VAE(2, 4, epochs=1, likelihood="bernoulli", random_state=0).fit(X)


@pytest.mark.parametrize("method", ["transform", "encode", "reconstruct", "elbo_terms", "score_samples", "score"])
def test_data_for_a_fitted_model(fitted, method):
    for x, error, _ in BAD_DATA:
        with pytest.raises(error):
            getattr(fitted, method)(x)
    with pytest.raises(ValueError, match=r"X has 8 features, but VAE is expecting 9 .*, got shape \(20, 8\)"):
        getattr(fitted, method)(X[:, :8])
    getattr(fitted, method)(X[:1])  # one row is enough here


def test_latents(fitted):
    with pytest.raises(ValueError, match=r"Z must have 2 features, got shape \(3, 5\)"):
        fitted.inverse_transform(np.zeros((3, 5)))
    with pytest.raises(ValueError, match="Z must be finite, got nan at row 0, column 1"):
        fitted.inverse_transform([[0, np.nan]])


def test_counts(fitted):
    with pytest.raises(ValueError, match="n must be at least 1, got 0"):
        fitted.sample(0)
    with pytest.raises(TypeError, match=r"n must be an integer, got 2\.5"):
        fitted.sample(2.5)
    with pytest.raises(ValueError, match="n_samples must be at least 1, got 0"):
        fitted.score_samples(X, n_samples=0)
    with pytest.raises(ValueError, match="random_state must be at least 0"):
        fitted.score_samples(X, random_state=-1)


def test_an_earlier_fit_survives_a_refused_one(fitted):
    theta = fitted.theta_.flat.copy()
    with pytest.raises(ValueError, match="finite"):
        fitted.fit(with_value(np.nan))
    np.testing.assert_array_equal(fitted.theta_.flat, theta)


def test_gaussian_likelihood_takes_any_finite_number():
    VAE(2, 4, epochs=1, likelihood="gaussian").fit(10 * X - 5)


def test_names_of_the_ways_to_binarise():
    assert list(BINARIZE) == ["none", "threshold", "fixed", "dynamic"]
