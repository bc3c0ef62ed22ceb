"""The conventions of scikit-learn, which is not needed for them."""

import inspect

import numpy as np
import pytest

from npvae import VAE
from npvae.estimators.base import Estimator, by_rows, random_seed
from npvae.estimators.conventions import Conventions, NotFittedError
from npvae.estimators.flat_pictures import picture_shape
from npvae.layers import LeakyReLU, Tanh

OTHER = {
    "latent_dim": 3,
    "hidden": [7, 5],
    "activation": "tanh",
    "likelihood": "gaussian",
    "mean_link": "sigmoid",
    "sigma": 0.5,
    "posterior": "full",
    "bound": "stl",
    "n_samples": 2,
    "beta": 0.5,
    "beta_schedule": "cyclical",
    "free_bits": 0.25,
    "weight_prior": 1.0,
    "binarize": "fixed",
    "epochs": 4,
    "batch_size": 9,
    "optimizer": "sgd",
    "learning_rate": 0.1,
    "schedule": "cosine",
    "init_weights": "normal",
    "patience": 3,
    "dtype": "float64",
    "n_jobs": 2,
    "random_state": 8,
    "verbose": True,
    "scale": "none",
    "network": "conv",
    "channels": [3, 4],
    "image_shape": [2, 2, 1],
    "columns": {"age": "positive"},
    "encoder": Tanh(),
    "decoder": LeakyReLU(0.1),
}


def test_every_argument_is_a_parameter():
    names = list(VAE().get_params())
    assert names == list(inspect.signature(VAE).parameters)
    assert set(names) == set(OTHER)


def test_constructor_stores_what_it_is_given_and_nothing_else():
    sentinels = {name: object() for name in OTHER}
    vae = VAE(**sentinels)
    assert vars(vae) == sentinels  # not even nonsense is refused, or copied, before fit


def test_clone_by_its_parameters():
    vae = VAE(**OTHER)
    clone = type(vae)(**vae.get_params())
    for name in OTHER:
        assert getattr(clone, name) is getattr(vae, name)


def test_a_clone_of_a_fitted_estimator_is_unfitted():
    vae = VAE(1, 3, epochs=1, random_state=0).fit(np.eye(4))
    clone = type(vae)(**vae.get_params(deep=False))
    assert not [name for name in vars(clone) if name.endswith("_")]
    assert vae.__sklearn_is_fitted__()
    assert not clone.__sklearn_is_fitted__()


def test_set_params_changes_and_returns_self():
    vae = VAE()
    assert vae.set_params(**OTHER) is vae
    assert vae.get_params() == OTHER
    assert vae.set_params() is vae


def test_unknown_parameter_names_the_nearest():
    with pytest.raises(
        ValueError, match=r"parameter name must be one of .* got 'latent_dims'; did you mean 'latent_dim'"
    ):
        VAE().set_params(latent_dims=3)


def test_repr_shows_what_is_not_default_and_can_be_evaluated():
    assert repr(VAE()) == "VAE()"
    assert repr(VAE(5, hidden=(3, 2), beta=2.0)) == "VAE(latent_dim=5, hidden=(3, 2), beta=2.0)"
    assert eval(repr(VAE(**OTHER))).get_params() == OTHER  # layers are equal by their arguments


def test_repr_of_anything():
    assert repr(VAE(hidden=np.array([1, 2]))) == "VAE(hidden=array([1, 2]))"


X = np.zeros((2, 4))
NEED_A_FIT = {
    "transform": lambda vae: vae.transform(X),
    "encode": lambda vae: vae.encode(X),
    "inverse_transform": lambda vae: vae.inverse_transform(X),
    "reconstruct": lambda vae: vae.reconstruct(X),
    "sample": lambda vae: vae.sample(),
    "interpolate": lambda vae: vae.interpolate(X[0], X[1]),
    "elbo_terms": lambda vae: vae.elbo_terms(X),
    "score_samples": lambda vae: vae.score_samples(X),
    "score": lambda vae: vae.score(X),
    "prepare": lambda vae: vae.prepare(X),
    "log_likelihood": lambda vae: vae.log_likelihood(X),
    "attribute_vector": lambda vae: vae.attribute_vector(X, [True, False]),
    "impute": lambda vae: vae.impute(X, np.ones((2, 4), bool)),
    "save": lambda vae: vae.save("never.npz"),
}


@pytest.mark.parametrize("method", NEED_A_FIT)
def test_unfitted_use_says_what_to_do(method, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFittedError, match=r"this VAE is not fitted yet: call fit\(X\) first"):
        NEED_A_FIT[method](VAE())
    assert not list(tmp_path.iterdir())


def test_not_fitted_is_the_error_that_scikit_learn_users_catch():
    assert issubclass(NotFittedError, ValueError)
    assert issubclass(NotFittedError, AttributeError)


def test_subclasses_bring_their_own_parameters():
    class Small(Conventions):
        def __init__(self, a=1, b="x"):
            self.a, self.b = a, b

    assert Small(b="y").get_params() == {"a": 1, "b": "y"}
    assert repr(Small(b="y")) == "Small(b='y')"


def test_seed_of_an_integer_is_itself():
    assert random_seed(5) == 5
    assert random_seed(np.int64(5)) == 5
    assert random_seed(0) == 0


def test_seed_of_a_generator_is_a_draw():
    rng = np.random.default_rng(0)
    first, second = random_seed(rng), random_seed(rng)
    assert first != second
    assert first == random_seed(np.random.default_rng(0))


def test_seed_of_none_is_fresh():
    assert random_seed(None) != random_seed(None)


@pytest.mark.parametrize(
    ("value", "error"),
    [(-1, ValueError), (1.5, TypeError), ("1", TypeError), (True, TypeError), (np.random, TypeError)],
)
def test_other_random_states_are_refused(value, error):
    with pytest.raises(error, match="random_state must be"):
        random_seed(value)


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((10, 784), (28, 28)),
        ((10, 25), (5, 5)),
        ((10, 16), None),
        ((10, 1), None),
        ((10, 5), None),
        ((10, 4, 7), (4, 7)),
        ((10, 4, 7, 3), (4, 7, 3)),
    ],
)
def test_picture_shape(shape, expected):
    assert picture_shape(np.zeros(shape).reshape(len(np.zeros(shape)), -1), shape) == expected


@pytest.mark.parametrize(
    ("scale", "names", "expected"),
    [
        (1, None, (8, 8)),
        (16, None, (8, 8)),
        (16.5, None, None),
        (1, [f"pixel{j}" for j in range(64)], (8, 8)),
        (1, [f"{i + 1}x{j + 1}" for i in range(8) for j in range(8)], (8, 8)),
        (1, [f"channel{j}" for j in range(64)], None),
    ],
)
def test_measurements_are_no_pictures_however_many_columns_they_have(scale, names, expected):
    x = np.linspace(0, 1, 640).round() * scale
    assert picture_shape(x.reshape(10, 64), (10, 64), names) == expected


def test_scikit_learn_chains_searches_and_validates_it():
    compose, model_selection = (pytest.importorskip(f"sklearn.{name}") for name in ("pipeline", "model_selection"))
    from sklearn.base import clone
    from sklearn.preprocessing import MinMaxScaler

    vae = VAE(2, 4, epochs=1, random_state=0)
    x = np.random.default_rng(0).random((30, 5)) * 3
    chain = compose.make_pipeline(MinMaxScaler(clip=True), clone(vae)).fit(x)
    assert chain.transform(x).shape == (30, 2)
    scores = model_selection.cross_val_score(vae, x / 3, cv=3)
    assert np.isfinite(scores).all()
    search = model_selection.GridSearchCV(vae, {"latent_dim": [1, 2]}, cv=2).fit(x / 3)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize("copies", [1, 10, 5000])
def test_by_rows_is_the_function_in_pieces(copies):
    x = np.arange(2500.0)[:, None]
    sizes = []

    def double(rows):
        sizes.append(len(rows))
        return 2 * rows

    np.testing.assert_array_equal(by_rows(double, x, copies), 2 * x)
    assert max(sizes) * copies <= max(1000, copies)


def test_an_estimator_without_a_hook_cannot_be_made():
    with pytest.raises(TypeError, match="abstract"):
        Estimator()
