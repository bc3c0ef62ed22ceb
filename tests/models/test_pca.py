"""PCA against the singular value decomposition and against a linear network; its likelihood against SciPy."""

import numpy as np
import pytest
import scipy.linalg
import scipy.optimize
from scipy.stats import multivariate_normal

from npvae.datasets import digits, load
from npvae.distributions import DiagonalGaussian
from npvae.layers import mlp
from npvae.models.pca import PCA
from npvae.parameters import Parameters

RNG = np.random.default_rng


def correlated(n=200, d=6, seed=0):
    rng = RNG(seed)
    return rng.standard_normal((n, d)) @ rng.standard_normal((d, d)) + 5


def covariance(model, theta):
    w = model.weights(theta)
    return w @ w.T + float(theta["noise_variance"]) * np.eye(model.n_features)


@pytest.mark.parametrize("shape", [(200, 6), (6, 6), (9, 40), (5000, 30)])
def test_components_are_the_right_singular_vectors(shape):
    x, d = correlated(*shape), 4
    theta = PCA(shape[1], d).fit(x)
    _, singular, vectors = np.linalg.svd(x - x.mean(axis=0), full_matrices=False)
    np.testing.assert_allclose(theta["variances"], singular[:d] ** 2 / len(x), rtol=1e-10)
    np.testing.assert_allclose(abs(np.einsum("ij,ij->i", theta["components"], vectors[:d])), 1, rtol=1e-10)
    rest = (singular[d:] ** 2).sum() / len(x) / (shape[1] - d)
    assert theta["noise_variance"] == pytest.approx(rest, rel=1e-10)
    assert PCA(shape[1], d).explained(theta) == pytest.approx(singular[:d] ** 2 / (singular**2).sum(), rel=1e-10)


def test_every_component_is_a_unit_vector_with_its_largest_entry_positive():
    components = PCA(6, 6).fit(correlated())["components"]
    np.testing.assert_allclose(components @ components.T, np.eye(6), atol=1e-13)
    assert (components[range(6), abs(components).argmax(axis=1)] > 0).all()


def test_blocks_of_rows_come_to_the_same(monkeypatch):
    x = correlated(1000)
    whole = PCA(6, 3).fit(x)
    monkeypatch.setattr("npvae.models.pca._BLOCK", 30)
    np.testing.assert_allclose(PCA(6, 3).fit(x).flat, whole.flat, rtol=1e-10, atol=1e-13)


def test_a_component_ten_billion_times_smaller_is_found():
    rng = RNG(0)
    x = rng.standard_normal((300, 3)) * [1e10, 1.0, 1e-3]
    theta = PCA(3, 3).fit(x)
    np.testing.assert_allclose(np.sqrt(theta["variances"][:2]), x.std(axis=0)[:2], rtol=0.02)
    assert abs(theta["components"][1, 1]) == pytest.approx(1, abs=1e-5)


def test_no_other_plane_reconstructs_better():
    x, model = correlated(), PCA(6, 2)
    theta = model.fit(x)
    error = ((model.decode(theta, model.encode(theta, x)) - x) ** 2).sum() / len(x)
    assert error == pytest.approx(4 * float(theta["noise_variance"]), rel=1e-10)
    rng = RNG(1)
    for _ in range(100):
        plane, _ = np.linalg.qr(theta["components"].T + 0.05 * rng.standard_normal((6, 2)))
        y = x - x.mean(axis=0)
        assert ((y - y @ plane @ plane.T) ** 2).sum() / len(x) > error


@pytest.mark.parametrize("d", [1, 3, 6])
def test_the_density_is_that_of_the_gaussian(d):
    x, model = correlated(), PCA(6, d)
    theta = model.fit(x)
    expected = multivariate_normal(x.mean(axis=0), covariance(model, theta)).logpdf(x)
    if d == 6:
        expected = multivariate_normal(x.mean(axis=0), np.cov(x.T, ddof=0)).logpdf(x)
    np.testing.assert_allclose(model.log_prob(theta, x), expected, rtol=1e-10)


def test_no_other_parameters_are_as_likely():
    x, model = correlated(), PCA(6, 2)
    theta = model.fit(x)
    best = model.log_prob(theta, x).mean()
    w, rng = model.weights(theta), RNG(2)
    for scale in (1e-3, 1e-2, 1e-1):
        for _ in range(20):
            other = w + scale * rng.standard_normal(w.shape)
            noise = float(theta["noise_variance"]) * np.exp(scale * rng.standard_normal())
            density = multivariate_normal(
                x.mean(axis=0) + scale * rng.standard_normal(6), other @ other.T + noise * np.eye(6)
            )
            assert density.logpdf(x).mean() < best


def test_joint_over_posterior_is_the_density_at_every_z():
    x, model = correlated(20), PCA(6, 2)
    theta = model.fit(x)
    z = RNG(3).standard_normal((20, 2))
    noise = float(theta["noise_variance"])
    mean = theta["mean"] + z @ model.weights(theta).T
    log_joint = -0.5 * ((x - mean) ** 2 / noise + np.log(2 * np.pi * noise)).sum(axis=1)
    log_joint -= 0.5 * (z**2 + np.log(2 * np.pi)).sum(axis=1)
    log_posterior, _ = DiagonalGaussian().log_prob(model.posterior(theta, x), z)
    np.testing.assert_allclose(log_joint - log_posterior, model.log_prob(theta, x), rtol=1e-10)


def test_samples_have_mean_and_covariance():
    model = PCA(6, 2)
    theta = model.fit(correlated())
    x = model.sample(theta, model.draw_noise(RNG(4), 100_000))
    expected = covariance(model, theta)
    np.testing.assert_allclose(x.mean(axis=0), theta["mean"], atol=5 * np.sqrt(expected.max() / 1e5))
    np.testing.assert_allclose(np.cov(x.T), expected, atol=0.03 * expected.max())


def test_constant_features_and_constant_data_stay_finite():
    x = correlated()
    x[:, 2] = 3.0
    for rows, d in ((x, 2), (x, 6), (np.full((4, 6), 3.0), 2)):
        model = PCA(6, d)
        theta = model.fit(rows)
        assert np.isfinite(theta.flat).all()
        for values in (model.log_prob(theta, x), model.posterior(theta, x), model.explained(theta)):
            assert np.isfinite(values).all()
    assert model.explained(theta).tolist() == [0, 0]


def test_data_in_a_plane_have_the_density_of_the_floor():
    x = RNG(0).standard_normal((100, 2)) @ RNG(1).standard_normal((2, 5))
    model = PCA(5, 2, min_variance=1e-4)
    theta = model.fit(x)
    assert float(theta["noise_variance"]) < 1e-28
    w = theta["components"].T * np.sqrt(theta["variances"] - 1e-4)
    expected = multivariate_normal(x.mean(axis=0), w @ w.T + 1e-4 * np.eye(5)).logpdf(x)
    np.testing.assert_allclose(model.log_prob(theta, x), expected, rtol=1e-8)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PCA(4, 5), "latent_dim must be at most n_features = 4, got 5"),
        (lambda: PCA(4, 0), "latent_dim must be at least 1, got 0"),
        (lambda: PCA(4, 2, 0.0), "min_variance must be greater than 0, got 0.0"),
        (lambda: PCA(4, 4).fit(np.ones((3, 4))), "latent_dim must be at most 3, the number of rows, got 4"),
    ],
)
def test_what_cannot_be_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_it_agrees_with_scikit_learn():
    decomposition = pytest.importorskip("sklearn.decomposition")
    x = correlated(400)
    theirs = decomposition.PCA(3, svd_solver="full").fit(x)
    model = PCA(6, 3)
    theta = model.fit(x)
    np.testing.assert_allclose(abs(model.encode(theta, x)), abs(theirs.transform(x)), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(theta["variances"], theirs.explained_variance_ * 399 / 400, rtol=1e-10)
    np.testing.assert_allclose(model.explained(theta), theirs.explained_variance_ratio_, rtol=1e-10)


def linear_autoencoder(x, d, seed=0):
    """Squared error and decoder weights (d, D) of a network without hidden layers, trained by SciPy's L-BFGS."""
    networks = {"encoder": mlp(x.shape[1], (), d), "decoder": mlp(d, (), x.shape[1])}
    rng = RNG(seed)
    arrays = {f"{part}.{name}": w for part, network in networks.items() for name, w in network.init(rng).items()}
    theta = Parameters.from_arrays(arrays, np.float64)

    def loss_and_grad(flat):
        at, grads = Parameters(theta.shapes, flat=flat), theta.zeros_like()
        z, encoded = networks["encoder"].forward(at.section("encoder"), x)
        x_hat, decoded = networks["decoder"].forward(at.section("decoder"), z)
        error = x_hat - x
        dx_hat = 2 * error / len(x)
        dz = networks["decoder"].backward(at.section("decoder"), decoded, dx_hat, grads.section("decoder"))
        networks["encoder"].backward(at.section("encoder"), encoded, dz, grads.section("encoder"), need_dx=False)
        return (error**2).sum() / len(x), grads.flat

    options = {"maxiter": 5000, "maxfun": 6000, "ftol": 1e-11, "gtol": 1e-9, "maxcor": 30}
    found = scipy.optimize.minimize(loss_and_grad, theta.flat, jac=True, method="L-BFGS-B", options=options)
    at = Parameters(theta.shapes, flat=np.ascontiguousarray(found.x))
    return found.fun, at["decoder.0.W"]


def coarse(images):
    """28 × 28 pixels as 7 × 7 means of 4 × 4, with their own mean taken off."""
    x = images.reshape(-1, 7, 4, 7, 4).astype(np.float64).mean(axis=(2, 4)).reshape(-1, 49)
    return x - x.mean(axis=0)


@pytest.mark.parametrize("source", ["digits", "mnist"])
def test_a_linear_autoencoder_ends_in_the_principal_subspace(source, request):
    if source == "mnist":
        folder = request.getfixturevalue("data_dir")
        images = load(folder / "train-images-idx3-ubyte.gz").x[:1000]
    else:
        images = digits(500, seed=0).x
    x, d = coarse(images), 8
    theta = PCA(49, d).fit(x)
    best = (49 - d) * float(theta["noise_variance"])
    error, weights = linear_autoencoder(x, d)
    assert best * (1 - 1e-9) <= error <= best * 1.001
    angles = scipy.linalg.subspace_angles(weights.T, theta["components"].T)
    assert np.rad2deg(angles.max()) <= 1
