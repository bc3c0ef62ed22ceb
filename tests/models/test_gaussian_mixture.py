"""The mixture of Gaussians: E and M step against enumeration, EM's monotone likelihood, and what cannot be fitted."""

from itertools import product

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from npvae.models.covariances import COVARIANCES
from npvae.models.gaussian_mixture import GaussianMixture
from npvae.parameters import Parameters

every_kind = pytest.mark.parametrize("kind", COVARIANCES)
RNG = np.random.default_rng


def blobs(n=300, d=3, k=4, seed=0):
    """Rows of k clusters with correlated features, far from the origin."""
    rng = RNG(seed)
    centres, shapes = 4 * rng.standard_normal((k, d)) + 7, rng.standard_normal((k, d, d))
    index = rng.integers(k, size=n)
    return centres[index] + np.einsum("nij,nj->ni", shapes[index], rng.standard_normal((n, d)))


def random_mixture(kind, k=3, d=2, seed=0):
    rng, model = RNG(seed), GaussianMixture(d, k, kind)
    theta = Parameters(model.shapes, np.float64)
    theta["weights"][:] = rng.dirichlet(np.full(k, 3.0))
    theta["means"][:] = 2 * rng.standard_normal((k, d))
    root = rng.standard_normal((k, d, d + 2))
    full = root @ root.transpose(0, 2, 1)
    variances = np.diagonal(full, axis1=1, axis2=2)
    theta["covariances"][...] = {
        "full": full,
        "tied": full[0],
        "diagonal": variances,
        "spherical": variances[:, 0],
    }[kind]
    return model, theta


def full_covariances(model, theta):
    """Whatever the kind, (k, d, d)."""
    covariances, identity = theta["covariances"], np.eye(model.n_features)
    return {
        "full": lambda: covariances,
        "tied": lambda: np.stack([covariances] * model.n_components),
        "diagonal": lambda: covariances[:, :, None] * identity,
        "spherical": lambda: covariances[:, None, None] * identity,
    }[model.covariance]()


@every_kind
def test_covariances_as_matrices(kind):
    model, theta = random_mixture(kind)
    np.testing.assert_allclose(model.full_covariances(theta), full_covariances(model, theta), rtol=1e-12)


def joint(model, theta, x):
    """w_k N(x_n; m_k, Σ_k) by SciPy, (n, k)."""
    parts = zip(theta["weights"], theta["means"], full_covariances(model, theta), strict=True)
    return np.stack([w * np.atleast_1d(multivariate_normal(m, c).pdf(x)) for w, m, c in parts], axis=1)


@every_kind
def test_densities_and_responsibilities_are_those_of_scipy(kind):
    model, theta = random_mixture(kind)
    x = blobs(d=2)
    expected = joint(model, theta, x)
    responsibilities, log_prob = model.e_step(theta, x)
    np.testing.assert_allclose(log_prob, np.log(expected.sum(axis=1)), rtol=1e-11)
    np.testing.assert_allclose(responsibilities, expected / expected.sum(axis=1, keepdims=True), atol=1e-12)
    np.testing.assert_array_equal(model.log_prob(theta, x), log_prob)


@every_kind
def test_likelihood_and_posterior_are_sums_over_all_assignments(kind):
    model, theta = random_mixture(kind)
    x = RNG(1).standard_normal((5, 2))
    each = joint(model, theta, x)
    assignments = np.array(list(product(range(3), repeat=5)))
    probability = np.prod(each[np.arange(5), assignments], axis=1)  # p(x, assignment) of all 3⁵
    responsibilities, log_prob = model.e_step(theta, x)
    assert log_prob.sum() == pytest.approx(np.log(probability.sum()), rel=1e-12)
    posterior = np.stack([(assignments == k).T @ probability for k in range(3)], axis=1) / probability.sum()
    np.testing.assert_allclose(responsibilities, posterior, atol=1e-12)


@every_kind
def test_the_m_step_is_the_maximum_of_the_expected_log_joint(kind):
    model, theta = random_mixture(kind)
    x, rng = blobs(60, 2), RNG(2)
    r = rng.dirichlet(np.ones(3), size=60)
    best = model.m_step(theta, model.moments(theta, x, r))

    def expected_log_joint(candidate):
        return (r * np.log(joint(model, candidate, x))).sum()

    top = expected_log_joint(best)
    for _ in range(50):
        other = best.copy()
        other["weights"][:] = best["weights"] * np.exp(0.02 * rng.standard_normal(3))
        other["weights"][:] /= other["weights"].sum()
        other["means"][:] += 0.02 * rng.standard_normal((3, 2))
        other["covariances"][...] *= np.exp(0.02 * rng.standard_normal())
        assert expected_log_joint(other) < top


def test_the_m_step_of_full_covariances_is_the_weighted_mean_and_covariance():
    model, theta = random_mixture("full")
    x, r = blobs(60, 2), RNG(2).dirichlet(np.ones(3), size=60)
    new = model.m_step(theta, model.moments(theta, x, r))
    for k in range(3):
        np.testing.assert_allclose(new["means"][k], np.average(x, axis=0, weights=r[:, k]), rtol=1e-12)
        np.testing.assert_allclose(new["covariances"][k], np.cov(x.T, aweights=r[:, k], ddof=0), rtol=1e-10, atol=1e-12)


def test_two_components_by_hand():
    model = GaussianMixture(1, 2)
    theta = Parameters.from_arrays(
        {"weights": [0.5, 0.5], "means": [[-1.0], [1.0]], "covariances": [[[1.0]], [[1.0]]]}, np.float64
    )
    x = np.array([[0.5], [-0.5]])
    responsibilities, _ = model.e_step(theta, x)  # the log-odds are 2x
    right = 1 / (1 + np.exp(-1))
    np.testing.assert_allclose(responsibilities, [[1 - right, right], [right, 1 - right]], rtol=1e-14)
    new, _ = model.em_step(theta, x)
    mean = 0.5 * right - 0.5 * (1 - right)
    np.testing.assert_allclose(new["means"].ravel(), [-mean, mean], rtol=1e-14)
    np.testing.assert_allclose(new["covariances"].ravel(), 0.25 - mean**2, rtol=1e-13)


@every_kind
def test_blocks_of_rows_come_to_the_same(kind, monkeypatch):
    model, x = GaussianMixture(3, 4, kind), blobs()
    theta = model.start(RNG(0), x)
    whole, value = model.em_step(theta, x)
    monkeypatch.setattr("npvae.models.k_means._ELEMENTS", 40)
    parts, value_of_parts = model.em_step(theta, x)
    np.testing.assert_allclose(parts.flat, whole.flat, rtol=1e-10)
    assert value_of_parts == pytest.approx(value, rel=1e-13)
    r, log_prob = model.e_step(theta, x)
    np.testing.assert_allclose(model.m_step(theta, model.moments(theta, x, r)).flat, whole.flat, rtol=1e-10)
    assert log_prob.mean() == pytest.approx(value, rel=1e-13)


@every_kind
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("min_variance", [1e-6, 0.5])
def test_the_log_likelihood_never_falls(kind, seed, min_variance):
    x = blobs(80, 3, 4, seed)
    x[:, 2] = 7.0 if seed % 2 else x[:, 2]  # a constant feature lies on the floor
    model = GaussianMixture(3, 9, kind, min_variance)
    run = model.fit(model.start(RNG(seed), x), x, tolerance=-np.inf, max_iter=40)
    assert len(run.log_likelihood) == 41
    assert np.diff(run.log_likelihood).min() >= -1e-10  # rounding, where a variance lies a million times below another


@every_kind
def test_the_fit_stops_where_a_step_gains_less_than_the_tolerance(kind):
    x = blobs()
    model = GaussianMixture(3, 4, kind)
    run = model.fit(model.start(RNG(0), x), x, tolerance=1e-5, max_iter=500)
    gains = np.diff(run.log_likelihood)
    assert run.converged
    assert gains[-1] < 1e-5 <= gains[:-1].min()
    assert run.log_likelihood[-1] == pytest.approx(model.log_prob(run.theta, x).mean(), rel=1e-13)
    short = model.fit(model.start(RNG(0), x), x, tolerance=0, max_iter=1)
    assert not short.converged
    assert short.log_likelihood[-1] == pytest.approx(model.log_prob(short.theta, x).mean(), rel=1e-13)


def test_clusters_far_from_the_origin_keep_their_digits():
    x = blobs(400)
    near, far = (
        model.fit(model.start(RNG(0), rows), rows, 0, 20)
        for model, rows in ((GaussianMixture(3, 4), x), (GaussianMixture(3, 4), x + 1e6))
    )
    assert far.log_likelihood[-1] == pytest.approx(near.log_likelihood[-1], abs=1e-6)


@every_kind
def test_no_variance_lies_below_the_floor(kind):
    rng = RNG(0)
    x = np.concatenate([rng.standard_normal((40, 3)), [[50.0, 50.0, 50.0]]])  # one component for the row far off
    x[:, 1] = 2.0
    model = GaussianMixture(3, 3, kind, min_variance=1e-3)
    run = model.fit(model.start(RNG(0), x), x, 0, 30)
    smallest = np.linalg.eigvalsh(full_covariances(model, run.theta)).min()
    assert np.isfinite(run.theta.flat).all()
    assert smallest >= 1e-3 * (1 - 1e-9)
    if kind != "spherical":
        assert smallest == pytest.approx(1e-3, rel=1e-6)


@every_kind
def test_rows_that_are_all_the_same_are_one_component_on_the_floor(kind):
    x = np.full((5, 2), 3.0)
    model = GaussianMixture(2, 1, kind, min_variance=1e-4)
    run = model.fit(model.start(RNG(0), x), x)
    np.testing.assert_array_equal(run.theta["means"], [[3, 3]])
    np.testing.assert_allclose(full_covariances(model, run.theta), 1e-4 * np.eye(2)[None])


@every_kind
def test_an_emptied_component_keeps_its_place_and_gets_no_weight(kind):
    model, theta = random_mixture(kind)
    x = RNG(1).standard_normal((50, 2))
    theta["means"][2] = 1e6
    run = model.fit(theta, x, 0, 20)
    assert np.isfinite(run.theta.flat).all()
    assert run.theta["weights"][2] == 0
    np.testing.assert_array_equal(run.theta["means"][2], 1e6)
    if not model.kind.shared:
        np.testing.assert_array_equal(run.theta["covariances"][2], theta["covariances"][2])
    assert np.diff(run.log_likelihood).min() >= -1e-13
    _, component = model.sample(run.theta, model.draw_noise(RNG(0), 1000))
    assert 2 not in component


def test_more_components_than_rows_are_refused():
    with pytest.raises(ValueError, match=r"n_components must be at most 4, the number of rows, got 5"):
        GaussianMixture(2, 5).start(RNG(0), np.ones((4, 2)))
    with pytest.raises(ValueError, match=r"n_components must be at most 2, the number of different rows, got 3"):
        GaussianMixture(1, 3).start(RNG(0), np.array([[1.0], [2.0], [1.0], [2.0]]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_components": 0}, "n_components must be at least 1, got 0"),
        ({"covariance": "round"}, "covariance must be one of 'full', 'diagonal', 'spherical', 'tied', got 'round'"),
        ({"min_variance": 0}, "min_variance must be greater than 0, got 0"),
    ],
)
def test_a_wrong_option_is_named(options, message):
    with pytest.raises(ValueError, match=message):
        GaussianMixture(**{"n_features": 2, "n_components": 3} | options)


@every_kind
def test_samples_have_the_moments_of_their_component(kind):
    model, theta = random_mixture(kind)
    n = 200_000
    x, component = model.sample(theta, model.draw_noise(RNG(3), n))
    np.testing.assert_allclose(np.bincount(component) / n, theta["weights"], atol=4.5 * 0.5 / np.sqrt(n))
    for k, covariance in enumerate(full_covariances(model, theta)):
        rows = x[component == k]
        error = 5 * np.sqrt(np.trace(covariance) / len(rows))
        np.testing.assert_allclose(rows.mean(axis=0), theta["means"][k], atol=error)
        np.testing.assert_allclose(np.cov(rows.T), covariance, atol=0.05 * np.trace(covariance))


@every_kind
def test_the_criteria_count_the_free_numbers(kind):
    model, theta = random_mixture(kind, k=3, d=2)
    x = blobs(50, 2)
    free = 2 + 6 + {"full": 9, "tied": 3, "diagonal": 6, "spherical": 3}[kind]
    total = model.log_prob(theta, x).sum()
    assert model.n_free == free
    assert model.bic(theta, x) == pytest.approx(-2 * total + free * np.log(50))
    assert model.aic(theta, x) == pytest.approx(-2 * total + 2 * free)


@every_kind
def test_single_precision_data_are_fitted_in_double(kind):
    x = blobs().astype(np.float32)
    model = GaussianMixture(3, 4, kind)
    start = model.start(RNG(0), x)
    np.testing.assert_allclose(start.flat, model.start(RNG(0), x.astype(np.float64)).flat, rtol=1e-12)
    assert model.em_step(start, x)[0].dtype == np.float64


def test_nothing_that_is_passed_in_changes():
    x, model = blobs(), GaussianMixture(3, 4)
    theta = model.start(RNG(0), x)
    for array in (x, theta.flat):
        array.flags.writeable = False
    frozen = Parameters(theta.shapes, flat=theta.flat)
    model.fit(frozen, x)
    model.m_step(frozen, model.moments(frozen, x, model.e_step(frozen, x)[0]))


@every_kind
@pytest.mark.filterwarnings("ignore:Best performing initialization did not converge")
def test_from_the_same_start_it_goes_the_way_of_scikit_learn(kind):
    mixture = pytest.importorskip("sklearn.mixture")
    x, steps = blobs(500), 40
    model = GaussianMixture(3, 4, kind)
    start = model.start(RNG(0), x)
    run = model.fit(start, x, tolerance=-np.inf, max_iter=steps)
    precisions = {"spherical": lambda c: 1 / c, "diagonal": lambda c: 1 / c}.get(kind, np.linalg.inv)
    theirs = mixture.GaussianMixture(
        4,
        covariance_type={"diagonal": "diag"}.get(kind, kind),
        tol=0,
        reg_covar=0,
        max_iter=steps,
        weights_init=start["weights"],
        means_init=start["means"],
        precisions_init=precisions(start["covariances"]),
    ).fit(x)
    np.testing.assert_allclose(run.theta["weights"], theirs.weights_, atol=1e-9)
    np.testing.assert_allclose(run.theta["means"], theirs.means_, atol=1e-9)
    np.testing.assert_allclose(run.theta["covariances"], theirs.covariances_, atol=1e-9)
    np.testing.assert_allclose(model.log_prob(run.theta, x), theirs.score_samples(x), atol=1e-9)
    assert model.bic(run.theta, x) == pytest.approx(theirs.bic(x), abs=1e-9 * len(x))
    assert model.aic(run.theta, x) == pytest.approx(theirs.aic(x), abs=1e-9 * len(x))
