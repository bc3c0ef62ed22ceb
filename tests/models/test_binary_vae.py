"""The binary VAE: its bound and the mean of every gradient estimate, by sums over all noise that makes a difference."""

import itertools

import numpy as np
import pytest

from npvae.bounds import ESTIMATORS
from npvae.evaluation import log_likelihood
from npvae.evaluation.enumeration import binary_states, enumerate_latents, moments, uniform_points
from npvae.models import BinaryVAE
from npvae.numerics import sigmoid, softplus
from npvae.parameters import Parameters

X = np.array([[1.0, 0, 1, 1, 0]])
STATE = {"mean": np.array([2.0, 1.0]), "variance": np.array([4.0, 9.0])}
UNBIASED = [name for name, how in ESTIMATORS.items() if not how.biased]


def model_of(estimator, latent_dims, n_samples=None, **settings):
    k = ESTIMATORS[estimator].least_samples if n_samples is None else n_samples
    settings = {"learned_prior": True, "baseline_hidden": (3,), **settings}
    return BinaryVAE(5, latent_dims, estimator=estimator, n_samples=k, **settings)


def parameters(model):
    theta = Parameters(model.shapes, np.float64)
    theta.flat[:] = 0.8 * np.random.default_rng(0).standard_normal(theta.flat.size)
    return theta


def state_of(model):
    running = ESTIMATORS[model.estimator].running
    return {name: values[: model.n_layers] for name, values in STATE.items()} if running else {}


def linear(theta, name, z):
    return (2 * z - 1) @ theta[f"{name}.1.W"] + theta[f"{name}.1.b"]


def bits(a, z):
    return (z * a - softplus(a)).sum(axis=-1)


def log_weights(theta, zs, layers):
    """log p(x, z) and log q(z|x) of linear maps, from the parameters' names: an oracle of its own."""
    log_q, log_p, below = 0.0, 0.0, X[0]
    for t in range(layers):
        log_q = log_q + bits(linear(theta, f"encoder.{t}", below), zs[t])
        log_p = log_p + bits(linear(theta, f"decoder.{t}", zs[t]), below)
        below = zs[t]
    return log_p + bits(theta["decoder.prior.b"], zs[-1]), log_q


def exact_loss(model, theta):
    """E over all K-tuples of states of −L_K, or of −ELBO, of which K does not matter."""
    layers, dims = model.n_layers, model.widths[1:]
    states = binary_states(sum(dims))
    zs = np.split(states, np.cumsum(dims)[:-1], axis=1)
    log_p, log_q = log_weights(theta, zs, layers)
    if model.estimator != "vimco":
        return (np.exp(log_q) * (log_q - log_p)).sum()
    w, total = np.exp(log_p - log_q), 0.0
    for which in itertools.product(range(len(states)), repeat=model.n_samples):
        which = list(which)
        total = total - np.exp(log_q[which].sum()) * np.log(w[which].mean())
    return total


def exact_gradient(model, theta, names):
    """The gradient of the exact loss, by the complex step, element by element."""
    found = []
    for i in range(theta.flat.size):
        beside = theta.astype(np.complex128)
        beside.flat[i] += 1e-30j
        found.append(exact_loss(model, beside).imag / 1e-30)
    gradient = Parameters.from_flat(theta.shapes, np.array(found))
    return np.concatenate([gradient[name].ravel() for name in names])


def all_noise(model, theta):
    """Noise and weights over which a mean is the exact expectation, whatever K, T and the pairing.

    In every layer u may jump at σ(a) and 1 − σ(a) for each state of the layer below.
    """
    below, breaks = X, []
    for t, d in enumerate(model.widths[1:]):
        p = sigmoid(linear(theta, f"encoder.{t}", below))
        cuts = np.concatenate([p, 1 - p]) if ESTIMATORS[model.estimator].kind == "pair" else p
        breaks += [list(column) for column in cuts.T] * model.n_samples
        below = binary_states(d)
    nodes = 2 if model.estimator == "arm" else 1
    u, weights = uniform_points(breaks, nodes)
    ends = np.cumsum([model.n_samples * d for d in model.widths[1:]])[:-1]
    parts = np.split(u, ends, axis=1)
    dims = model.widths[1:]
    return [
        tuple(part[s].reshape(-1, 1, d) for part, d in zip(parts, dims, strict=True)) for s in range(len(u))
    ], weights


def estimates(model, theta, noises, names):
    state = state_of(model)
    gradients = (model.loss_and_grad(theta, X, noise, state)[1] for noise in noises)
    return np.stack([np.concatenate([g[name].ravel() for name in names]) for g in gradients])


@pytest.mark.parametrize("latent_dims", [(3,), (2, 1)])
@pytest.mark.parametrize("estimator", UNBIASED)
def test_the_mean_over_all_noise_is_the_gradient_of_the_exact_bound(estimator, latent_dims):
    model = model_of(estimator, latent_dims)
    theta = parameters(model)
    names = [name for name in theta if not name.startswith("baseline")]
    noises, weights = all_noise(model, theta)
    mean, variance = moments(estimates(model, theta, noises, names), weights)
    scale = np.concatenate(
        [np.full(theta[n].size, scale_of(model, n) if n.startswith("encoder") else 1.0) for n in names]
    )
    np.testing.assert_allclose(scale * mean, exact_gradient(model, theta, names), rtol=0, atol=1e-10)
    assert variance.sum() > 0
    losses = [model.loss(theta, X, noise).value for noise in noises]
    np.testing.assert_allclose(weights @ losses, exact_loss(model, theta), rtol=1e-11)


def scale_of(model, name):
    layer = int(name.split(".")[1])
    return np.sqrt(STATE["variance"][layer]) if ESTIMATORS[model.estimator].normalised else 1.0


@pytest.mark.parametrize("estimator", [name for name in ESTIMATORS if ESTIMATORS[name].biased])
def test_the_biased_estimates_have_another_mean(estimator):
    model = model_of(estimator, (2,))
    theta = parameters(model)
    names = [name for name in theta if name.startswith("encoder")]
    p = sigmoid(linear(theta, "encoder.0", X))[0]
    u, weights = uniform_points([p[:1], p[1:]], 1 if estimator == "straight-through" else 60)
    noises = [(v.reshape(1, 1, 2),) for v in u]
    mean, _ = moments(estimates(model, theta, noises, names), weights)
    exact = exact_gradient(model, theta, names)
    assert np.abs(mean - exact).max() > 0.02 * np.abs(exact).max()


def test_the_bound_lies_below_the_exact_likelihood_and_by_the_divergence_to_the_posterior():
    model = model_of("no-baseline", (3, 2))
    theta = parameters(model)

    def joint(states):
        return log_weights(theta, np.split(states, [3], axis=1), 2)[0][:, None]

    exact = enumerate_latents(joint, 5)
    log_q = log_weights(theta, np.split(exact.states, [3], axis=1), 2)[1]
    divergence = (np.exp(log_q) * (log_q - exact.log_posterior[:, 0])).sum()
    np.testing.assert_allclose(exact_loss(model, theta), divergence - exact.log_px[0], rtol=1e-12)


def test_the_terms_are_reconstruction_and_kl_and_with_vimco_what_the_others_give_away():
    theta, rng = parameters(model_of("vimco", (3, 2), 4)), np.random.default_rng(1)
    model = model_of("vimco", (3, 2), 4)
    noise = model.draw_noise(rng, 1, np.float64)
    loss = model.loss(theta, X, noise)
    assert list(loss.terms) == ["reconstruction", "kl", "tightening"]
    zs, _, _ = model.encoder.sample(theta.section("encoder"), X, noise)
    log_p, log_q = log_weights(theta, [z[:, 0] for z in zs], 2)
    np.testing.assert_allclose(loss.value, -np.log(np.exp(log_p - log_q).mean()), rtol=1e-12)
    assert list(model_of("disarm", (3, 2)).loss(parameters(model_of("disarm", (3, 2))), X, noise).terms) == [
        "reconstruction",
        "kl",
    ]


def test_many_draws_approach_the_exact_likelihood_and_their_mean_the_exact_bound():
    model = model_of("nvil", (3, 2))
    theta = parameters(model)
    exact = enumerate_latents(lambda states: model.decoder.log_joint(theta.section("decoder"), X, states), 5)
    found = log_likelihood(model, theta, X, seed=0, k=20_000)
    np.testing.assert_allclose(found.log_px, exact.log_px, atol=5 * found.standard_error[0])
    error = 1 / np.sqrt(20_000)  # of log w, whose spread is about 2 nats
    assert abs(found.elbo[0] + exact_loss(model, theta)) < 10 * error


def test_running_averages_come_out_as_a_new_state_and_the_old_one_stays():
    model = model_of("nvil", (3, 2))
    theta, state = parameters(model), model.begin_state(np.random.default_rng(0))
    _, _, after = model.loss_and_grad(theta, X, model.draw_noise(np.random.default_rng(2), 1, np.float64), state)
    assert (state["mean"] == 0).all()
    assert (after["mean"] != 0).all()
    assert model_of("disarm", (3,)).begin_state(np.random.default_rng(0)) == {}


def test_the_running_average_is_of_what_the_baseline_networks_leave():
    model = model_of("nvil", (3, 2))
    theta, noise = parameters(model), model.draw_noise(np.random.default_rng(2), 1, np.float64)
    _, _, after = model.loss_and_grad(theta, X, noise, state_of(model))
    zs, _, _ = model.encoder.sample(theta.section("encoder"), X, noise)
    log_p, log_q = log_weights(theta, [z[:, 0] for z in zs], 2)

    def baseline(t, below):
        hidden = np.tanh(linear(theta, f"baseline.{t}", below))
        return (hidden @ theta[f"baseline.{t}.3.W"] + theta[f"baseline.{t}.3.b"])[:, 0]

    reached = bits(linear(theta, "encoder.0", X), zs[0][:, 0]) - bits(linear(theta, "decoder.0", zs[0][:, 0]), X)
    rests = [log_q - log_p - baseline(0, X), log_q - log_p - reached - baseline(1, zs[0][:, 0])]
    np.testing.assert_allclose(after["mean"], 0.8 * STATE["mean"] + 0.2 * np.concatenate(rests), rtol=1e-12)


def test_float32_in_float32_out_and_no_argument_changes():
    for estimator in ESTIMATORS:
        model = model_of(estimator, (3, 2))
        theta = model.init(np.random.default_rng(0), mean=np.full(5, 0.3))
        noise = model.draw_noise(np.random.default_rng(1), 4)
        x = np.ones((4, 5), np.float32)
        arguments = [theta.flat, x, *noise]
        copies = [a.copy() for a in arguments]
        for array in arguments:
            array.flags.writeable = False
        loss, grads, _ = model.loss_and_grad(theta, x, noise, model.begin_state(np.random.default_rng(0)))
        assert loss.value.dtype == grads.dtype == np.float32
        for array, copy in zip(arguments, copies, strict=True):
            np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"estimator": "vimco"}, r"n_samples must be at least 2 with estimator='vimco', got 1"),
        ({"estimator": "leave-one-out"}, r"n_samples must be at least 2 with estimator='leave-one-out', got 1"),
        ({"estimator": "disram"}, "estimator must be one of .*did you mean 'disarm'"),
        ({"latent_dims": ()}, "latent_dims must name at least one layer"),
        ({"latent_dims": (3, 0)}, r"latent_dims\[1\] must be at least 1, got 0"),
        ({"temperature": 0}, "temperature must be greater than 0"),
        ({"centre": np.zeros(3)}, r"centre must have shape \(5,\), got \(3,\)"),
        ({"activation": "tahn"}, "activation must be one of"),
    ],
)
def test_settings_that_cannot_be_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        BinaryVAE(5, **settings)


def test_shapes_that_do_not_fit_are_refused():
    model = model_of("nvil", (3, 2))
    theta, noise = parameters(model), model.draw_noise(np.random.default_rng(0), 2, np.float64)
    with pytest.raises(ValueError, match=r"x must have shape \(n, 5\), got \(2, 4\)"):
        model.loss(theta, np.zeros((2, 4)), noise)
    with pytest.raises(ValueError, match=r"noise must hold \(K, n, d\) arrays"):
        model.loss(theta, np.zeros((3, 5)), noise)
    with pytest.raises(ValueError, match=r"noise must hold \(K, n, d\) arrays"):
        model.loss(theta, np.zeros((2, 5)), noise[:1])


def test_a_step_without_the_running_averages_is_refused():
    model = model_of("nvil", (3, 2))
    theta, noise = parameters(model), model.draw_noise(np.random.default_rng(0), 2, np.float64)
    with pytest.raises(ValueError, match=r"state must hold the running mean and variance .* a model's begin_state"):
        model.loss_and_grad(theta, np.zeros((2, 5)), noise, {})
