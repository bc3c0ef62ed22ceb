"""Thresholds: the contamination they are learned for, scikit-learn's signs, and the file that keeps them."""

import numpy as np
import pytest

import npvae
from npvae import PCA, VAE, GaussianMixture, datasets
from npvae.estimators.conventions import NotFittedError

X = datasets.digits(400, seed=0).x
MODELS = {
    "vae": lambda: VAE(2, 16, epochs=2, random_state=0),
    "pca": lambda: PCA(4),
    "gaussian-mixture": lambda: GaussianMixture(2, covariance="diagonal", random_state=0),
}


@pytest.mark.parametrize("name", MODELS)
def test_the_stated_share_of_the_rows_lies_below_the_threshold(name):
    model = MODELS[name]().fit(X).learn_threshold(X, 0.05)
    decision = model.decision_function(X)
    np.testing.assert_array_equal(decision, model.score_samples(X) - model.offset_)
    assert (decision < 0).sum() == 20
    if name != "gaussian-mixture":  # there predict tells components
        np.testing.assert_array_equal(model.predict(X), np.where(decision < 0, -1, 1))


def test_strange_rows_are_outliers():
    model = PCA(4).fit(X).learn_threshold(X, 0.01)
    assert (model.predict(np.random.default_rng(0).random((50, 784))) == -1).all()


@pytest.mark.parametrize("name", MODELS)
def test_the_file_keeps_the_threshold_and_a_new_fit_forgets_it(name, tmp_path):
    model = MODELS[name]().fit(X).learn_threshold(X, 0.2)
    model.save(tmp_path / "m.npz")
    again = npvae.load(tmp_path / "m.npz")
    assert (again.offset_, again.contamination_) == (model.offset_, 0.2)
    np.testing.assert_array_equal(again.decision_function(X[:5]), model.decision_function(X[:5]))
    assert not hasattr(model.fit(X), "decision_function")


def test_without_a_threshold_there_is_no_prediction():
    model = PCA(2).fit(X)
    assert not hasattr(model, "predict")
    with pytest.raises(NotFittedError, match=r"this PCA has no threshold yet: call learn_threshold\(X\) first"):
        model.predict(X)
    with pytest.raises(NotFittedError, match="this PCA is not fitted yet"):
        PCA(2).learn_threshold(X)


@pytest.mark.parametrize(
    ("share", "message"), [(0, "be greater than 0, got 0"), (0.6, "be at most 0.5: outliers are the fewer; got 0.6")]
)
def test_a_contamination_that_cannot_be_is_refused(share, message):
    with pytest.raises(ValueError, match=f"contamination must {message}"):
        PCA(2).fit(X).learn_threshold(X, share)


def test_the_threshold_is_that_of_scikit_learns_detectors():
    ensemble = pytest.importorskip("sklearn.ensemble")
    data = np.random.default_rng(0).standard_normal((300, 3))
    theirs = ensemble.IsolationForest(n_estimators=5, contamination=0.1, random_state=0).fit(data)

    class Same(PCA):
        def score_samples(self, X, n_samples=1, random_state=0):
            return theirs.score_samples(X)

    ours = Same(2).fit(data).learn_threshold(data, 0.1)
    assert ours.offset_ == pytest.approx(theirs.offset_, abs=1e-12)
    np.testing.assert_array_equal(ours.predict(data), theirs.predict(data))
