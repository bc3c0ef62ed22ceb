"""The Boltzmann machine against its own definition, summed over every state."""

import numpy as np
import pytest
import scipy.special
import scipy.stats

from npvae.evaluation.partition_function import exact_gradient
from npvae.models import RBM, BinaryUnits, GaussianUnits, centred
from npvae.models.rbm import GibbsNoise
from tests.models.machines import joint_energies, machine, number, probabilities, rows
from tests.numerical import frozen


def test_the_free_energy_is_that_of_the_hidden_units_summed_out():
    model, theta = machine()
    F, _ = model.free_energy(theta, rows(4))
    np.testing.assert_allclose(F, -np.log(np.exp(-joint_energies(theta)).sum(axis=1)), rtol=1e-13)


def test_the_energy_is_that_of_the_definition():
    model, theta = machine()
    for h, column in zip(rows(3), joint_energies(theta).T, strict=True):
        np.testing.assert_allclose(model.energy(theta, rows(4), np.tile(h, (16, 1))), column, rtol=1e-12)


def test_a_free_energy_worked_by_hand():
    model, theta = machine(2, 1)
    theta["W"][...], theta["b"][...], theta["a"][...] = [[1.0], [2.0]], [-1.0], [0.5, 0.25]
    F, _ = model.free_energy(theta, np.array([[1.0, 0.0], [1.0, 1.0]]))
    np.testing.assert_allclose(F, [-0.5 - np.log(2), -0.75 - np.log(1 + np.e**2)], rtol=1e-14)


def test_free_energies_of_thousands_stay_finite():
    model, theta = machine(2, 2)
    theta["W"][...] = 5000
    F, cache = model.free_energy(theta, np.ones((1, 2)))
    assert F[0] == pytest.approx(-20_000, abs=5)
    assert np.isfinite(model.free_energy_backward(theta, cache, np.ones(1)).flat).all()


def test_hidden_probabilities_are_the_conditionals_of_the_joint():
    model, theta = machine()
    joint = np.exp(-joint_energies(theta))
    expected = joint @ rows(3) / joint.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.hidden_mean(theta, rows(4)), expected, atol=1e-14)
    expected = joint.T @ rows(4) / joint.sum(axis=0)[:, None]
    np.testing.assert_allclose(model.visible_mean(theta, rows(3)), expected, atol=1e-14)


def transition(theta):
    """P(v → v') of one step of block Gibbs sampling, from the joint distribution alone."""
    joint = np.exp(-joint_energies(theta))
    return (joint / joint.sum(axis=1, keepdims=True)) @ (joint / joint.sum(axis=0)).T


def test_a_step_of_gibbs_sampling_has_the_transition_probabilities_of_the_joint():
    model, theta = machine()
    rng, n = np.random.default_rng(0), 20_000
    expected = transition(theta)
    for start in (0, 5, 15):
        v = np.tile(rows(4)[start], (n, 1))
        after = model.gibbs(theta, v, model.gibbs_noise(rng, 1, n, np.float64))
        counts = np.bincount(number(after), minlength=16)
        assert scipy.stats.chisquare(counts, n * expected[start]).pvalue > 0.01


def test_gibbs_sampling_is_in_detailed_balance_with_the_model():
    model, theta = machine()
    rng, n, p = np.random.default_rng(1), 200_000, probabilities(machine()[1])
    flow = p[:, None] * transition(theta)
    np.testing.assert_allclose(flow, flow.T, atol=1e-16)

    # And so are the chains: from exact draws, i → j is seen as often as j → i.
    before = rng.choice(16, size=n, p=p)
    after = number(model.gibbs(theta, rows(4)[before], model.gibbs_noise(rng, 1, n, np.float64)))
    seen = np.zeros((16, 16))
    np.add.at(seen, (before, after), 1)
    upper = np.triu_indices(16, 1)
    there, back = seen[upper], seen.T[upper]
    enough = there + back > 20
    z_squared = (there - back)[enough] ** 2 / (there + back)[enough]
    assert scipy.stats.chi2.sf(z_squared.sum(), enough.sum()) > 0.01


@pytest.mark.parametrize("seed", range(3))
def test_long_chains_visit_the_states_as_often_as_the_model_says(seed):
    model, theta = machine(seed=seed)
    rng, n = np.random.default_rng(2), 5000
    v = model.gibbs(theta, np.zeros((n, 4)), model.gibbs_noise(rng, 60, n, np.float64))
    counts = np.bincount(number(v), minlength=16)
    assert scipy.stats.chisquare(counts, n * probabilities(theta)).pvalue > 0.01


def test_gaussian_chains_have_the_moments_of_the_enumerated_mixture():
    model, theta = machine(2, 3, units=GaussianUnits(), scale=0.6)
    h = rows(3)
    log_p = h @ theta["b"] + model.visible.log_normalizer(theta, h @ theta["W"].T)
    p = np.exp(log_p - scipy.special.logsumexp(log_p))
    var = np.exp(theta["log_var"])
    means = np.sqrt(var) * (theta["a"] + h @ theta["W"].T)
    mean = p @ means
    cov = (means - mean).T @ ((means - mean) * p[:, None]) + np.diag(var)
    n = 40_000
    noise = model.gibbs_noise(np.random.default_rng(3), 50, n, np.float64)
    v = model.gibbs(theta, np.zeros((n, 2)), noise)
    np.testing.assert_allclose(v.mean(axis=0), mean, atol=5 * np.sqrt(np.diag(cov).max() / n))
    np.testing.assert_allclose(np.cov(v.T), cov, atol=0.05)


def test_persistent_chains_are_handed_on_and_no_argument_is_written_to():
    model, theta = machine(n_chains=5, k=2)
    rng = np.random.default_rng(0)
    theta.flat.flags.writeable = False
    (x,) = frozen(rows(4)[:6])
    state = dict(zip(begun := model.begin_state(rng, np.float64), frozen(*begun.values()), strict=True))
    noise = GibbsNoise(*frozen(*model.draw_noise(rng, 6, np.float64)))
    _, _, after = model.loss_and_grad(theta, x, noise, state)
    np.testing.assert_array_equal(after["v"], model.gibbs(theta, state["v"], noise))
    assert after["batches"] == 1
    np.testing.assert_allclose(after["visible_offset"], x.mean(axis=0))
    np.testing.assert_allclose(after["hidden_offset"], model.hidden_mean(theta, x).mean(axis=0))


def test_the_offsets_are_the_mean_of_the_first_batches():
    model, theta = machine(n_chains=2)
    rng = np.random.default_rng(0)
    state = model.begin_state(rng, np.float64)
    batches = [rng.integers(0, 2, (3, 4)).astype(float) for _ in range(7)]
    for x in batches:
        _, _, state = model.loss_and_grad(theta, x, model.draw_noise(rng, 3, np.float64), state)
    np.testing.assert_allclose(state["visible_offset"], np.concatenate(batches).mean(axis=0))


def test_the_offsets_follow_the_last_hundred_batches_later():
    model, theta = machine(n_chains=2)
    rng = np.random.default_rng(0)
    state = {**model.begin_state(rng, np.float64), "batches": np.array(500), "visible_offset": np.full(4, 0.3)}
    _, _, after = model.loss_and_grad(theta, rows(4)[12:], model.draw_noise(rng, 4, np.float64), state)
    np.testing.assert_allclose(after["visible_offset"], [0.307, 0.307, 0.302, 0.302])


def test_contrastive_divergence_begins_at_the_batch():
    model, theta = machine(n_chains=0, k=1, centring=False)
    rng = np.random.default_rng(0)
    x, noise = rows(4), model.draw_noise(rng, 16, np.float64)
    state = model.begin_state(rng, np.float64)
    loss, dtheta, _ = model.loss_and_grad(theta, x, noise, state)
    h = (noise.hidden[0] < model.hidden_mean(theta, x)).astype(float)
    v = (noise.visible[0] < model.visible_mean(theta, h)).astype(float)
    p_data, p_model = model.hidden_mean(theta, x), model.hidden_mean(theta, v)
    np.testing.assert_allclose(dtheta["W"], (v.T @ p_model - x.T @ p_data) / 16, atol=1e-14)
    np.testing.assert_allclose(dtheta["a"], (v - x).mean(axis=0), atol=1e-14)
    np.testing.assert_allclose(dtheta["b"], (p_model - p_data).mean(axis=0), atol=1e-14)
    expected = model.free_energy(theta, x)[0] - model.free_energy(theta, v)[0].mean()
    np.testing.assert_allclose(loss.terms["free_energy_gap"], expected, atol=1e-12)
    assert model.loss(theta, x, noise, state).value == loss.value


@pytest.mark.parametrize("units", [BinaryUnits(), GaussianUnits(learn_variance=True)], ids=["binary", "gaussian"])
def test_from_equilibrium_the_estimate_is_the_gradient_of_the_likelihood_on_average(units):
    model, theta = machine(3, 2, units=units, scale=0.5, n_chains=200, centring=False)
    rng = np.random.default_rng(4)
    x = model.visible.sample(theta, np.zeros((5, 3)), model.visible.draw_noise(rng, (5, 3), np.float64))
    _, exact = exact_gradient(model, theta, x)
    state = model.begin_state(rng, np.float64)
    state["v"] = model.gibbs(theta, state["v"], model.gibbs_noise(rng, 100, 200, np.float64))
    estimates = []
    for _ in range(400):
        _, dtheta, state = model.loss_and_grad(theta, x, model.draw_noise(rng, 5, np.float64), state)
        estimates.append(dtheta.flat)
    mean, error = np.mean(estimates, axis=0), np.std(estimates, axis=0) / 20
    assert np.all(np.abs(mean - exact.flat) < 6 * error + 1e-12)  # successive chains are correlated


def test_centring_is_no_other_gradient_but_another_metric():
    model, theta = machine(3, 2)
    _, dtheta = exact_gradient(model, theta, rows(3)[[1, 3, 6]])
    mu, lam = np.array([0.2, 0.7, 0.4]), np.array([0.6, 0.1])
    J = np.eye(theta.flat.size)  # plain parameters of the centred ones: a = a' − W λ, b = b' − Wᵀ μ
    for i, shift in enumerate(np.eye(theta.flat.size)):
        at = theta.zeros_like()
        at.flat[:] = shift
        plain = at.copy()
        plain["a"][...] -= at["W"] @ lam
        plain["b"][...] -= at["W"].T @ mu
        J[:, i] = plain.flat
    np.testing.assert_allclose(centred(dtheta, mu, lam).flat, J @ J.T @ dtheta.flat, atol=1e-14)
    np.testing.assert_array_equal(centred(dtheta, 0 * mu, 0 * lam).flat, dtheta.flat)


def test_a_centred_step_does_not_depend_on_which_pixel_value_is_called_one():
    model, theta = machine(3, 2)
    x, mu, lam, rate = rows(3)[[1, 3, 6]], np.array([0.2, 0.7, 0.4]), np.array([0.6, 0.1]), 0.1

    def flipped(at):
        """The machine of 1 − v: −F(v) = aᵀv + … of v = 1 − v'."""
        other = at.copy()
        other["W"][...], other["a"][...] = -at["W"], -at["a"]
        other["b"][...] += at["W"].sum(axis=0)
        return other

    def stepped(at, x, mu):
        after = at.copy()
        after.flat -= rate * centred(exact_gradient(model, at, x)[1], mu, lam).flat
        return after

    one_way = flipped(stepped(theta, x, mu))
    other_way = stepped(flipped(theta), 1 - x, 1 - mu)
    np.testing.assert_allclose(other_way.flat, one_way.flat, atol=1e-13)


def test_weights_decay_and_biases_do_not():
    plain, theta = machine(n_chains=3, centring=False)
    decaying, _ = machine(n_chains=3, centring=False, weight_decay=0.5)
    rng = np.random.default_rng(0)
    state, noise = plain.begin_state(rng, np.float64), plain.draw_noise(rng, 4, np.float64)
    loss, dtheta, _ = plain.loss_and_grad(theta, rows(4)[:4], noise, state)
    with_decay, other, _ = decaying.loss_and_grad(theta, rows(4)[:4], noise, state)
    np.testing.assert_allclose(other["W"] - dtheta["W"], 0.5 * theta["W"], atol=1e-14)
    np.testing.assert_array_equal(other["a"], dtheta["a"])
    np.testing.assert_array_equal(other["b"], dtheta["b"])
    assert with_decay.value == pytest.approx(loss.value + 0.25 * (theta["W"] ** 2).sum())


def test_with_centring_the_decay_is_centred_too_so_that_biases_rest_where_the_loss_does():
    plain, theta = machine(n_chains=3, centring=False)
    decaying, _ = machine(n_chains=3, centring=True, weight_decay=0.5)
    rng = np.random.default_rng(0)
    state, noise = plain.begin_state(rng, np.float64), plain.draw_noise(rng, 4, np.float64)
    _, gradient, _ = plain.loss_and_grad(theta, rows(4)[:4], noise, state)
    _, step, after = decaying.loss_and_grad(theta, rows(4)[:4], noise, state)
    gradient["W"][...] += 0.5 * theta["W"]
    expected = centred(gradient, after["visible_offset"], after["hidden_offset"])
    np.testing.assert_allclose(step.flat, expected.flat, atol=1e-14)


def test_initial_parameters_have_the_mean_of_the_data():
    mean = np.array([0.0, 0.3, 0.9])
    theta = RBM(3, 4).init(np.random.default_rng(0), np.float64, mean=mean)
    np.testing.assert_allclose(1 / (1 + np.exp(-theta["a"])), [0.001, 0.3, 0.9], atol=1e-3)
    assert (theta["b"] == 0).all()
    assert 0.005 < theta["W"].std() < 0.02


def test_float32_stays_float32():
    model = RBM(4, 3, n_chains=5)
    rng = np.random.default_rng(0)
    theta, state = model.init(rng), model.begin_state(rng)
    loss, dtheta, after = model.loss_and_grad(theta, rows(4).astype(np.float32), model.draw_noise(rng, 16), state)
    assert loss.value.dtype == dtheta.dtype == np.float32
    assert all(after[name].dtype == np.float32 for name in ("v", "visible_offset", "hidden_offset"))


def test_it_learns_a_distribution_almost_to_its_entropy():
    """Bars of three pixels: 1.03 nats are their entropy, 3.9 what independent pixels take."""
    x = np.repeat(np.array([[1, 1, 1, 0, 0, 0], [0, 0, 0, 1, 1, 1], [0, 0, 0, 0, 0, 0]], float), [5, 3, 2], axis=0)
    model = RBM(6, 4, n_chains=50)
    rng = np.random.default_rng(0)
    theta, state = model.init(rng, np.float64, mean=x.mean(axis=0)), model.begin_state(rng, np.float64)
    for t in range(1500):
        _, dtheta, state = model.loss_and_grad(theta, x, model.draw_noise(rng, 10, np.float64), state)
        theta.flat -= 0.2 * (1 - t / 1500) * dtheta.flat
    entropy = scipy.stats.entropy([0.5, 0.3, 0.2])
    assert entropy < exact_gradient(model, theta, x)[0] < entropy + 0.3


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"k": 0}, "k must be at least 1, got 0"),
        ({"n_chains": -1}, "n_chains must be at least 0, got -1"),
        ({"weight_decay": -0.1}, r"weight_decay must be at least 0, got -0\.1"),
        ({"n_hidden": 0}, "n_hidden must be at least 1, got 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        RBM(**{"n_features": 4, "n_hidden": 3, **settings})


def test_data_and_chains_that_do_not_fit_are_refused():
    model, theta = machine(n_chains=5)
    rng = np.random.default_rng(0)
    noise, state = model.draw_noise(rng, 2, np.float64), model.begin_state(rng, np.float64)
    with pytest.raises(ValueError, match=r"x must have shape \(n, 4\), got \(2, 3\)"):
        model.loss_and_grad(theta, np.zeros((2, 3)), noise, state)
    with pytest.raises(ValueError, match=r"state must have 5 chains of 4 units, got \(2, 4\)"):
        model.loss_and_grad(theta, np.zeros((2, 4)), noise, {**state, "v": state["v"][:2]})
