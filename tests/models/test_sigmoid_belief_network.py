"""The belief net: its bound, its E step and its gradient, against sums over all states of the latents."""

import numpy as np
import pytest
from scipy.special import expit, logit
from scipy.stats import bernoulli

from npvae.evaluation import log_likelihood
from npvae.evaluation.enumeration import binary_states, enumerate_latents
from npvae.models import SigmoidBeliefNetwork
from npvae.models.sigmoid_belief_network import MeanField
from npvae.parameters import Parameters
from tests.numerical import assert_gradient, complex_step

NETS = [SigmoidBeliefNetwork(6, (4,)), SigmoidBeliefNetwork(6, (4, 3)), SigmoidBeliefNetwork(6, (3, 2, 2))]
X = (np.random.default_rng(9).random((7, 6)) < 0.5) * 1.0
each_net = pytest.mark.parametrize("net", NETS, ids=lambda net: "-".join(map(str, net.widths)))


def parameters(net, scale=1.5):
    theta = Parameters(net.shapes, np.float64)
    theta.flat[:] = scale * np.random.default_rng(0).standard_normal(theta.flat.size)
    return theta


def exact(net, theta, x=X):
    return enumerate_latents(lambda states: net.log_joint(theta, x, states), sum(net.widths[1:]))


def random_q(net, seed=1):
    rng = np.random.default_rng(seed)
    return MeanField(
        tuple(rng.uniform(0.02, 0.98, (len(X), d)) for d in net.widths[1:]),
        tuple(rng.uniform(0, 1, (len(X), d)) for d in net.widths[:-1]),
    )


def elbo(net, theta, q):
    """E_q[log p(x, z)] + H(q) of every datum, by a sum over all states."""
    states = binary_states(sum(net.widths[1:]))
    mu = np.concatenate(q.mu, axis=1)
    log_q = bernoulli.logpmf(states[:, None], mu).sum(axis=2)
    return (np.exp(log_q) * (net.log_joint(theta, X, states) - log_q)).sum(axis=0)


@each_net
def test_the_joint_is_that_of_the_lecture(net):
    theta = parameters(net)
    states = binary_states(sum(net.widths[1:]))[::5]
    zs = np.split(states, np.cumsum(net.widths[1:])[:-1], axis=1)
    expected = bernoulli.logpmf(zs[-1], expit(theta["prior.b"])).sum(axis=1)[:, None]
    for t in range(1, net.n_layers):
        p = expit(zs[t] @ theta[f"{t}.W"] + theta[f"{t}.b"])
        expected = expected + bernoulli.logpmf(zs[t - 1], p).sum(axis=1)[:, None]
    expected = expected + bernoulli.logpmf(X, expit(zs[0] @ theta["0.W"] + theta["0.b"])[:, None]).sum(axis=2)
    np.testing.assert_allclose(net.log_joint(theta, X, states), expected, rtol=1e-11)


@each_net
def test_the_bound_lies_below_the_elbo_of_q_and_that_below_the_likelihood(net):
    theta = parameters(net)
    log_px = exact(net, theta).log_px
    for q in (random_q(net), net.posterior(theta, X)):
        bound = -net.bound(theta, X, q).per_datum
        assert (bound <= elbo(net, theta, q) + 1e-12).all()
        assert (elbo(net, theta, q) <= log_px + 1e-12).all()


@each_net
@pytest.mark.parametrize("scale", [0.5, 1.5, 4.0])
def test_no_sweep_lowers_the_bound_of_any_datum(net, scale):
    theta, q = parameters(net, scale), random_q(net)
    bounds = [-net.bound(theta, X, q).per_datum]
    for _ in range(30):
        q = net.e_step(theta, X, q, sweeps=1)
        bounds.append(-net.bound(theta, X, q).per_datum)
    assert (np.diff(bounds, axis=0) >= -1e-11).all()
    assert (bounds[-1] > bounds[0] + 0.1).all()


@each_net
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_weights_of_hundreds_leave_no_bit_in_doubt_and_the_bound_still_never_falls(net, dtype):
    theta, x = parameters(net, 200.0).astype(dtype), X.astype(dtype)
    q = net.begin(theta, x)
    bounds = [-net.bound(theta, x, q).per_datum]
    for _ in range(10):
        q = net.e_step(theta, x, q, sweeps=1)
        bounds.append(-net.bound(theta, x, q).per_datum)
    assert any(((m == 0) | (m == 1)).any() for m in q.mu)
    rounding = 20 * np.finfo(dtype).eps * np.abs(bounds[0]).max()
    assert (np.diff(bounds, axis=0) >= -rounding).all()
    loss, gradient = net.bound_and_grad(theta, x, q)
    assert np.isfinite(loss.per_datum).all()
    assert np.isfinite(gradient.flat).all()
    assert (bounds[-1] <= exact(net, parameters(net, 200.0)).log_px + rounding).all()


@each_net
def test_a_sweep_updates_unit_after_unit_at_the_slope_of_the_bound_there(net):
    """In one μ the bound is its entropy and what the tangent leaves: the new logit is the old plus the slope."""
    theta, q = parameters(net), random_q(net)
    mu = [m.astype(np.complex128) for m in q.mu]
    for layer in mu:
        for j in range(layer.shape[1]):
            layer[:, j] += 1e-30j
            slope = -net.bound(theta.astype(np.complex128), X, MeanField(tuple(mu), q.xi)).per_datum.imag / 1e-30
            layer[:, j] = expit(logit(layer[:, j].real) + slope)
    for found, expected in zip(net.e_step(theta, X, q, sweeps=1).mu, mu, strict=True):
        np.testing.assert_allclose(found, expected.real, rtol=1e-9)


@each_net
def test_where_the_e_step_ends_the_bound_has_no_slope(net):
    theta = parameters(net, 1.0)
    q = net.e_step(theta, X[:1], net.begin(theta, X[:1]), sweeps=400)
    for i, values in enumerate((q.mu, q.xi)):
        for t, value in enumerate(values):

            def bound(v, i=i, t=t):
                parts = [list(q.mu), list(q.xi)]
                parts[i][t] = v
                complex_theta = theta.astype(np.complex128)
                return net.bound(complex_theta, X[:1], MeanField(*map(tuple, parts))).value

            assert np.abs(complex_step(bound, value)).max() < 1e-5


@each_net
def test_the_gradient_at_a_fixed_q_is_that_of_the_bound(net):
    theta, q = parameters(net), random_q(net)
    loss, gradient = net.bound_and_grad(theta, X, q)
    np.testing.assert_allclose(loss.per_datum, net.bound(theta, X, q).per_datum, rtol=1e-13)
    assert_gradient(
        lambda flat: net.bound(Parameters.from_flat(net.shapes, flat), X, q).value, theta.flat.copy(), gradient.flat
    )


@each_net
def test_a_datum_has_the_same_posterior_alone_and_among_many(net):
    theta = parameters(net)
    many = np.tile(X, (20, 1))
    whole, alone = net.loss(theta, many).per_datum, net.loss(theta, X[2:3]).per_datum
    np.testing.assert_allclose(whole[2 :: len(X)], alone[0], rtol=1e-12)


@each_net
def test_draws_from_q_have_its_elbo_as_their_mean_and_approach_the_likelihood(net):
    theta, k = parameters(net, 0.8), 20_000
    q, rng = net.posterior(theta, X), np.random.default_rng(3)
    log_w = net.log_weights(theta, X, q, [rng.random((k, len(X), d)) for d in net.widths[1:]])
    error = log_w.std(axis=0) / np.sqrt(k)
    assert (np.abs(log_w.mean(axis=0) - elbo(net, theta, q)) < 5 * error + 1e-9).all()
    estimate = np.log(np.exp(log_w).mean(axis=0))
    np.testing.assert_allclose(estimate, exact(net, theta).log_px, atol=0.05)


def test_the_importance_weighted_estimate_approaches_the_exact_likelihood():
    net = NETS[1]
    theta = parameters(net, 0.8)
    found = log_likelihood(net, theta, X, seed=0, k=20_000)
    assert (np.abs(found.log_px - exact(net, theta).log_px) < 5 * found.standard_error).all()


def test_ancestral_samples_have_the_frequencies_of_the_exact_marginal():
    net, n = SigmoidBeliefNetwork(3, (3, 2)), 40_000
    theta, rng = parameters(net), np.random.default_rng(2)
    data = binary_states(3)
    probability = np.exp(exact(net, theta, data).log_px)
    np.testing.assert_allclose(probability.sum(), 1, rtol=1e-12)
    x = net.sample(theta, [rng.random((n, d)) for d in net.widths])[0]
    seen = np.bincount((x @ [4, 2, 1]).astype(int), minlength=8)
    assert ((seen - n * probability) ** 2 / (n * probability)).sum() < 24.3  # 7 degrees of freedom, 1 in 1,000


def test_a_few_steps_of_variational_em_raise_the_exact_likelihood():
    net, rng = SigmoidBeliefNetwork(6, (4,), sweeps=5), np.random.default_rng(4)
    x = np.repeat((rng.random((3, 6)) < 0.5) * 1.0, 10, axis=0)
    theta = net.init(rng, np.float64, mean=x.mean(axis=0))
    likelihoods = [exact(net, theta, x).log_px.mean()]
    for _ in range(300):
        theta.flat[:] -= 1.0 * net.loss_and_grad(theta, x)[1].flat
        likelihoods.append(exact(net, theta, x).log_px.mean())
    assert likelihoods[-1] > likelihoods[0] + 1
    assert likelihoods[-1] <= np.log(1 / 3) + 1e-9  # what three equally frequent patterns have at best


def test_float32_stays_float32_and_nothing_given_is_changed():
    net = NETS[1]
    theta = net.init(np.random.default_rng(0), mean=np.full(6, 0.4))
    x = X.astype(np.float32)
    for array in (theta.flat, x):
        array.flags.writeable = False
    q = net.begin(theta, x)
    for array in (*q.mu, *q.xi):
        array.flags.writeable = False
    after = net.e_step(theta, x, q)
    loss, gradient = net.bound_and_grad(theta, x, after)
    assert {a.dtype for a in (*after.mu, *after.xi, loss.per_datum, gradient.flat)} == {np.dtype(np.float32)}


def test_what_cannot_be_is_refused():
    with pytest.raises(ValueError, match="sweeps must be at least 1, got 0"):
        SigmoidBeliefNetwork(6, (4,), sweeps=0)
    with pytest.raises(ValueError, match="latent_dims must name at least one layer"):
        SigmoidBeliefNetwork(6, ())
    net = NETS[0]
    with pytest.raises(ValueError, match=r"x must have shape \(n, 6\), got \(2, 5\)"):
        net.loss(parameters(net), np.zeros((2, 5)))
    wide = SigmoidBeliefNetwork(6, (64,))
    with pytest.raises(ValueError, match=r"at most 2\^20 = 1,048,576 states"):
        exact(wide, parameters(wide))
