"""What autoencoders, mixtures and convolutional networks say of what cannot be, and that what is odd gives no NaN."""

import numpy as np
import pytest

from npvae import (
    PCA,
    Autoencoder,
    ContractiveAutoencoder,
    DenoisingAutoencoder,
    GaussianMixture,
    SparseAutoencoder,
    datasets,
)
from npvae.layers import Conv2D, MaxPool
from npvae.validation import ArgumentError

X = datasets.digits(60, seed=0).x
IMAGES = X.reshape(-1, 28, 28)
COLOUR = np.random.default_rng(0).random((30, 8, 8, 3)).astype(np.float32)
ONCE = {"hidden": 8, "epochs": 1, "random_state": 0}
CONV = {"network": "conv", "channels": (4,), "hidden": (), "epochs": 1, "random_state": 0}


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: Conv2D((10, 10, 1), 4, kernel=3, stride=3), "such as 9 or 12, for kernel 3, stride 3"),
        (lambda: MaxPool((8, 7, 1), 2), "a width that the windows fill, such as 6 or 8, for kernel 2"),
        (lambda: Autoencoder(4, **CONV | {"channels": (4,) * 5}).fit(IMAGES), "at most 4 entries for images of 28"),
        (lambda: Autoencoder(4, **CONV | {"channels": ()}).fit(IMAGES), "channels must name at least one convolution"),
        (lambda: Autoencoder(4, **CONV).fit(X[:, :780]), "image_shape must be .* of a row of 780 features"),
        (lambda: GaussianMixture(100).fit(X), "n_components must be at most 60, the number of rows, got 100"),
        (lambda: GaussianMixture(5).fit(np.repeat([[1.0], [3.0]], 9, 0)), "at most 2, the number of different rows"),
        (lambda: Autoencoder(2, **ONCE).fit(X).fit_latent_model(X[:20]), "at most 20, the number of rows, got 30"),
        (lambda: PCA(30).fit(X[:10]), "latent_dim must be at most 10, the number of rows"),
    ],
)
def test_sizes_that_do_not_fit_are_refused_with_those_that_would(make, said):
    with pytest.raises(ArgumentError, match=said):
        make()


@pytest.mark.parametrize("corruption", ["zeros", "salt-and-pepper"])
@pytest.mark.parametrize("level", [1.0, 1.5])
def test_a_corruption_that_leaves_nothing_is_refused_with_the_reason(corruption, level):
    said = rf"noise_level must be less than 1 with corruption='{corruption}', got {level}; nothing of x would be left"
    with pytest.raises(ArgumentError, match=said):
        DenoisingAutoencoder(3, **ONCE, corruption=corruption, noise_level=level).fit(X)


@pytest.mark.parametrize("model", [Autoencoder(3, **ONCE), Autoencoder(3, **CONV), PCA(3)])
def test_images_of_another_size_or_in_colour_are_refused(model):
    model.fit(IMAGES)
    for other, said in (
        (IMAGES[:, :20, :20], r"is expecting 784 features as input, got shape \(60, 20, 20\)"),
        (X.reshape(-1, 14, 56), r"have images of shape \(28, 28\), as in the fit, got \(14, 56\)"),
        (np.repeat(IMAGES[..., None], 3, axis=-1), r"is expecting 784 features as input, got shape \(60, 28, 28, 3\)"),
    ):
        for method in (model.transform, model.reconstruct, model.score_samples):
            with pytest.raises(ArgumentError, match=said):
                method(other)
    same = model.transform(IMAGES)
    for given in (X, IMAGES[..., None], IMAGES[:, None]):
        np.testing.assert_array_equal(model.transform(given), same)


def test_grey_images_are_refused_where_colour_was_trained():
    model = Autoencoder(3, **CONV).fit(COLOUR)
    with pytest.raises(ArgumentError, match=r"is expecting 192 features as input, got shape \(30, 8, 8\)"):
        model.transform(COLOUR[..., 0])


def test_held_out_images_are_like_those_of_the_fit_and_not_of_the_one_before():
    model = Autoencoder(3, **ONCE).fit(X.reshape(-1, 14, 56))
    with pytest.raises(ArgumentError, match=r"X_val must have images of shape \(28, 28\)"):
        model.fit(IMAGES, X_val=X.reshape(-1, 14, 56))
    assert model.fit(IMAGES, X_val=IMAGES).image_shape_ == (28, 28)


@pytest.mark.parametrize(
    "model",
    [
        *(kind(3, **ONCE) for kind in (Autoencoder, SparseAutoencoder, DenoisingAutoencoder, ContractiveAutoencoder)),
        PCA(3),
    ],
)
@pytest.mark.parametrize("all_of_them", [False, True])
def test_constant_pixels_give_no_nan(model, all_of_them):
    x = X.copy()
    x[:, : None if all_of_them else 400] = 0.5
    model.fit(x)
    assert np.isfinite(model.score_samples(x)).all()
    assert np.isfinite(model.reconstruct(x)).all()
    assert np.isfinite(model.sample(4, random_state=0)).all()


def test_a_constant_column_and_as_many_components_as_rows_give_no_nan():
    x = np.c_[np.random.default_rng(0).random(40), np.ones(40)]
    for n in (3, 40):
        assert np.isfinite(GaussianMixture(n, random_state=0).fit(x).score_samples(x)).all()
