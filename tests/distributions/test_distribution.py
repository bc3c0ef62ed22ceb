"""What every distribution promises, held against every distribution; and the adjoint of broadcasting.

Each function with a backward is one `Node`: how to call it, and its gradients with respect to its inputs. Shapes of
the inputs are (L, n, d), (n, d) and what else broadcasts, in both directions.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass

import hypothesis.extra.numpy as hnp
import numpy as np
import pytest
import scipy.special
from hypothesis import given
from hypothesis import strategies as st

from npvae import distributions
from npvae.distributions import (
    LIKELIHOODS,
    Bernoulli,
    ContinuousBernoulli,
    DiagonalGaussian,
    DiscretizedLogistic,
    FixedGaussian,
    FullGaussian,
    LearnedGaussian,
    LogisticMixture,
)
from npvae.distributions.distribution import sum_to_shape
from tests.numerical import assert_gradient, frozen

D = 3
FAMILIES = {
    "Bernoulli": Bernoulli(),
    "ContinuousBernoulli": ContinuousBernoulli(),
    "DiagonalGaussian": DiagonalGaussian(),
    "DiscretizedLogistic": DiscretizedLogistic(levels=5, min_log_scale=-0.5),
    "DiscretizedLogistic sigmoid": DiscretizedLogistic("sigmoid", 5, -0.5),
    "FixedGaussian": FixedGaussian(0.7),
    "FixedGaussian sigmoid": FixedGaussian(0.7, "sigmoid"),
    "FullGaussian": FullGaussian(),
    "LearnedGaussian": LearnedGaussian(min_log_var=-0.5),
    "LearnedGaussian shared sigmoid": LearnedGaussian(True, "sigmoid", -0.5),
    "LogisticMixture": LogisticMixture(2, 5, -0.5),
}
KNOWN = {type(q) for q in FAMILIES.values()}
FAMILIES |= {name: family() for name, family in LIKELIHOODS.items() if family.make not in KNOWN}
every_family = pytest.mark.parametrize("q", FAMILIES.values(), ids=FAMILIES.keys())
every_kl = pytest.mark.parametrize(
    "q", [Bernoulli(), DiagonalGaussian(), FullGaussian()], ids=lambda q: type(q).__name__
)
every_kl_between = pytest.mark.parametrize("q", [Bernoulli(), DiagonalGaussian()], ids=lambda q: type(q).__name__)
ONE = [((4,),), ((2, 4),), ((),)]
TWO = [
    ((4,), (4,)),
    ((2, 4), (2, 4)),
    ((2, 4), (4,)),
    ((4,), (2, 4)),
    ((4,), (1,)),
    ((1,), (4,)),
    ((2, 1), (4,)),
    ((), (4,)),
    ((4,), ()),
]


@dataclass(frozen=True)
class Node:
    """A function of `widths` inputs, each given by the length of its last axis, and its gradients."""

    forward: Callable
    gradients: Callable  # (cache, upstream) -> one array for each of the first inputs
    widths: tuple[int, ...]
    uniform_noise: bool = False  # the last input lies in (0, 1)


def nodes():
    found = {}
    for name, q in FAMILIES.items():
        a = q.n_params(D)
        found[f"{name}.log_prob"] = Node(
            q.log_prob, lambda c, u, q=q: (q.log_prob_backward(c, u), q.log_prob_backward_x(c, u)), (a, D)
        )
        found[f"{name}.entropy"] = Node(q.entropy, lambda c, u, q=q: (q.entropy_backward(c, u),), (a,))
        if hasattr(q, "kl"):
            found[f"{name}.kl"] = Node(q.kl, lambda c, u, q=q: (q.kl_backward(c, u),), (a,))
        if hasattr(q, "kl_terms"):
            found[f"{name}.kl_terms"] = Node(q.kl_terms, lambda c, u, q=q: (q.kl_terms_backward(c, u),), (a,))
        if hasattr(q, "kl_between"):
            found[f"{name}.kl_between"] = Node(q.kl_between, q.kl_between_backward, (a, a))
        if hasattr(q, "sample_backward"):
            uniform = isinstance(q, ContinuousBernoulli)
            found[f"{name}.sample"] = Node(q.sample, lambda c, u, q=q: (q.sample_backward(c, u),), (a, D), uniform)
    return found


NODES = nodes()
CASES = [
    pytest.param(node, leading, id=f"{name} {' '.join(map(str, leading))}")
    for name, node in NODES.items()
    for leading in (ONE if len(node.widths) == 1 else TWO)
]
every_case = pytest.mark.parametrize(("node", "leading"), CASES)
every_node = pytest.mark.parametrize("node", NODES.values(), ids=NODES.keys())


def inputs_of(node, leading, dtype=np.float64):
    """Random inputs and a random upstream gradient, read-only."""
    rng = np.random.default_rng(3)
    shapes = zip(leading, node.widths, strict=True)
    drawn = [rng.standard_normal((*lead, width)) for lead, width in shapes]
    if node.uniform_noise:
        drawn[-1] = scipy.special.expit(drawn[-1])
    inputs = frozen(*(array.astype(dtype) for array in drawn))
    value, _ = node.forward(*inputs)
    (upstream,) = frozen(np.asarray(rng.standard_normal(np.shape(value))).astype(dtype))
    return inputs, upstream


def gradients(node, inputs, upstream):
    _, cache = node.forward(*inputs)
    return node.gradients(cache, upstream)


def test_every_function_with_a_backward_is_checked_here():
    members = [(name, member) for name, q in FAMILIES.items() for member in dir(q)]
    backwards = {f"{name}.{member}" for name, member in members if re.fullmatch("[a-z].*_backward", member)}
    assert {name.removesuffix("_backward") for name in backwards} == NODES.keys()
    exported = [getattr(distributions, name) for name in distributions.__all__]
    families = {thing for thing in exported if hasattr(thing, "n_params") and not getattr(thing, "_is_protocol", False)}
    assert families - {distributions.Mixed} == {type(q) for q in FAMILIES.values()}  # Mixed has a file of its own


@every_case
def test_each_gradient_is_the_derivative_of_the_returned_value(node, leading):
    inputs, upstream = inputs_of(node, leading)
    for i, gradient in enumerate(gradients(node, inputs, upstream)):

        def loss(changed, i=i):
            return (node.forward(*inputs[:i], changed, *inputs[i + 1 :])[0] * upstream).sum()

        assert_gradient(loss, inputs[i], gradient, f"input {i}")


@every_case
def test_broadcasting_gives_the_values_of_repeated_inputs(node, leading):
    inputs, _ = inputs_of(node, leading)
    value, _ = node.forward(*inputs)
    common = np.broadcast_shapes(*leading)
    full = [np.broadcast_to(array, (*common, array.shape[-1])).copy() for array in inputs]
    np.testing.assert_allclose(value, node.forward(*full)[0], rtol=1e-14)
    assert np.shape(value)[: len(common)] == common


@every_case
def test_nothing_is_changed_and_twice_is_the_same(node, leading):
    inputs, upstream = inputs_of(node, leading)
    kept = [array.copy() for array in (*inputs, upstream)]
    value, cache = node.forward(*inputs)
    value = np.copy(value)
    first, second = node.gradients(cache, upstream), node.gradients(cache, upstream)
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(node.forward(*inputs)[0], value)
    for array, before in zip((*inputs, upstream), kept, strict=True):
        np.testing.assert_array_equal(array, before)


@every_case
def test_gradients_lie_in_memory_of_their_own(node, leading):
    inputs, upstream = inputs_of(node, leading)
    for gradient in gradients(node, inputs, upstream):
        assert gradient.flags.writeable
        assert not any(np.shares_memory(gradient, array) for array in (*inputs, upstream))


@every_case
def test_zero_upstream_gives_zero_and_backward_is_linear(node, leading):
    inputs, u = inputs_of(node, leading)
    v = np.cos(u)
    of_u, of_v = gradients(node, inputs, u), gradients(node, inputs, v)
    of_both, of_zero = gradients(node, inputs, 2.5 * u - v), gradients(node, inputs, np.zeros_like(u))
    for i in range(len(of_u)):
        np.testing.assert_allclose(of_both[i], 2.5 * of_u[i] - of_v[i], rtol=0, atol=1e-12)
        assert not of_zero[i].any()


@every_case
def test_float32_stays_float32_and_agrees_with_float64(node, leading):
    inputs, upstream = inputs_of(node, leading, np.float32)
    double = [array.astype(np.float64) for array in inputs]
    value, value64 = node.forward(*inputs)[0], node.forward(*double)[0]
    pairs = [
        (value, value64),
        *zip(gradients(node, inputs, upstream), gradients(node, double, upstream.astype(np.float64)), strict=True),
    ]
    for single, precise in pairs:
        assert single.dtype == np.float32 or single.ndim == 0  # NumPy 1 widens a scalar beside a Python float
        assert np.linalg.norm(single - precise) <= 64 * np.finfo(np.float32).eps * np.linalg.norm(precise)


@every_family
def test_the_numbers_a_network_puts_out_are_as_many_as_n_params_says(q):
    a = np.zeros((2, 4, q.n_params(D)))
    assert q.mean(a).shape == (2, 4, D)
    assert q.entropy(a)[0].shape == (2, 4)
    assert q.log_prob(a, np.zeros((4, D)))[0].shape == (2, 4)
    assert q.output_bias(np.full(D, 0.3), np.full(D, 0.2)).shape == (q.n_params(D),)


@every_family
def test_a_draw_has_the_noises_shape_and_dtype_and_follows_from_it_alone(q):
    for dtype in (np.float32, np.float64):
        noise, same = (q.draw_noise(np.random.default_rng(5), (2, 4, D), dtype) for _ in range(2))
        np.testing.assert_array_equal(noise, same)
        a = np.full((4, q.n_params(D)), 0.5, dtype)
        z, _ = q.sample(a, noise)
        assert z.shape == noise.shape == (2, 4, D)
        assert z.dtype == noise.dtype == dtype
        np.testing.assert_array_equal(z, q.sample(a, same)[0])


ROUNDED = (DiscretizedLogistic, LogisticMixture)  # the mean of the levels is not that of the variable behind them


@pytest.mark.parametrize("q", [q for q in FAMILIES.values() if not isinstance(q, ROUNDED)], ids=repr)
def test_the_output_bias_has_the_given_mean(q):
    moments = np.array([[0.01, 0.3, 0.9], [0.5, 0.0, 2.0]])
    kept = moments.copy()
    np.testing.assert_allclose(q.mean(q.output_bias(*moments)), moments[0], rtol=1e-14)
    np.testing.assert_array_equal(moments, kept)


@every_family
def test_entropy_is_minus_the_mean_log_density_of_the_draws(q):
    rng = np.random.default_rng(11)
    a = rng.standard_normal((5, q.n_params(D)))
    draws, _ = q.sample(a, q.draw_noise(rng, (20_000, 5, D), np.float64))
    surprise = -q.log_prob(a, draws)[0]
    standard_error = surprise.std(axis=0) / np.sqrt(len(draws))
    assert (abs(surprise.mean(axis=0) - q.entropy(a)[0]) <= 4 * standard_error).all()


@every_kl
def test_kl_is_the_mean_log_ratio_of_the_draws(q):
    rng = np.random.default_rng(12)
    a, b = rng.standard_normal((2, 5, q.n_params(D)))
    draws, _ = q.sample(a, q.draw_noise(rng, (20_000, 5, D), np.float64))
    pairs = [(q.kl(a)[0], np.zeros_like(a))]
    if hasattr(q, "kl_between"):
        pairs.append((q.kl_between(a, b)[0], b))
    for kl, other in pairs:
        ratio = q.log_prob(a, draws)[0] - q.log_prob(other, draws)[0]
        assert (abs(ratio.mean(axis=0) - kl) <= 4 * ratio.std(axis=0) / np.sqrt(len(draws))).all()
        assert (kl > 0).all()


@every_kl
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("d", [1, 7, 64, 784])
def test_kl_is_exactly_zero_with_zero_gradient_at_the_prior(q, dtype, d):
    prior = np.zeros((3, q.n_params(d)), dtype)
    kl, cache = q.kl(prior)
    np.testing.assert_array_equal(kl, 0)
    assert not q.kl_backward(cache, np.ones(3, dtype)).any()


@every_kl_between
def test_kl_is_kl_between_with_the_prior_and_zero_with_itself(q):
    a = np.random.default_rng(13).standard_normal((5, q.n_params(D)))
    np.testing.assert_allclose(q.kl(a)[0], q.kl_between(a, np.zeros_like(a))[0], rtol=1e-13)
    itself, cache = q.kl_between(a, a)
    np.testing.assert_allclose(itself, 0, atol=1e-15)
    for gradient in q.kl_between_backward(cache, np.ones(5)):
        np.testing.assert_allclose(gradient, 0, atol=1e-15)


@every_family
def test_the_last_numbers_are_shared_where_one_variance_is(q):
    assert q.n_shared == (1 if getattr(q, "shared", False) else 0)


@pytest.mark.parametrize("name", ["bernoulli", "continuous-bernoulli"])
@pytest.mark.parametrize(("low", "high"), [(-0.5, 1), (0, 255), (0, np.nan)])
def test_values_outside_the_unit_interval_are_refused_with_advice(name, low, high):
    q = Bernoulli() if name == "bernoulli" else ContinuousBernoulli()
    message = (
        f"X_val must lie in [0, 1] under likelihood='{name}', got values from {np.array([low, high]).min():g} to "
        f"{high:g}; divide 8-bit images by 255, or take a gaussian"
    )
    with pytest.raises(ValueError, match=re.escape(message)):
        q.require_support("X_val", np.array([[low, 0.5, high]]))


@every_family
def test_the_unit_interval_is_supported_by_all_and_everything_by_gaussians(q):
    q.require_support("X", np.array([[0.0, 0.5, 1.0]]))
    if "Gaussian" in type(q).__name__:
        q.require_support("X", np.array([[-1e30, 1e30]]))


@every_family
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.filterwarnings("ignore:overflow")
def test_numbers_of_a_thousand_give_no_nan(q, dtype):
    signs = np.random.default_rng(4).choice([-1, 0, 1], (40, q.n_params(D)))
    a, x = (1e3 * signs).astype(dtype), np.random.default_rng(5).random((40, D)).astype(dtype)
    eps = q.draw_noise(np.random.default_rng(6), (40, D), dtype)
    values = [q.sample(a, eps)[0], q.log_prob(a, x)[0], q.entropy(a)[0], q.mean(a)]
    values += [q.log_prob(a, q.mean(a))[0]] + ([q.kl(a)[0]] if hasattr(q, "kl") else [])
    for value in values:
        assert value.dtype == dtype
        assert not np.isnan(value).any()


@given(data=st.data())
def test_sum_to_shape_is_the_adjoint_of_broadcast_to(data):
    target = data.draw(hnp.array_shapes(min_dims=0, max_dims=4, max_side=4))
    shape = data.draw(hnp.broadcastable_shapes(target, max_dims=4, max_side=4))
    full = np.broadcast_shapes(target, shape)
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    v, g = rng.standard_normal(shape), rng.standard_normal(full)
    kept = g.copy()
    back = sum_to_shape(g, shape)
    assert np.shape(back) == shape
    np.testing.assert_allclose((np.broadcast_to(v, full) * g).sum(), (v * back).sum(), rtol=0, atol=1e-11)
    np.testing.assert_array_equal(g, kept)
