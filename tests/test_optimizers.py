"""Update rules against numbers worked by hand, and against the papers' algorithms written plainly on whole arrays."""

import numpy as np
import pytest

from npvae.optimizers import CHUNK, FLUSH_EVERY, SGD, Adagrad, Adam, OptimizerState
from npvae.schedules import WarmUp

SIZES = [1, 7, CHUNK - 1, CHUNK, 2 * CHUNK + 5]
EVERY_OPTIMIZER = [SGD(), Adagrad(), Adam()]


def plain_adam(theta, gradients, alpha=1e-3, beta1=0.9, beta2=0.999, epsilon=1e-8):
    """Algorithm 1 of Kingma & Ba, line by line."""
    m = np.zeros_like(theta)
    v = np.zeros_like(theta)
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        theta = theta - alpha * m_hat / (np.sqrt(v_hat) + epsilon)
    return theta, {"M": m / (1 - beta1), "V": v / (1 - beta2)}


def plain_sgd(theta, gradients, alpha=0.01, momentum=0.9):
    v = np.zeros_like(theta)
    for g in gradients:
        v = momentum * v + g
        theta = theta - alpha * v
    return theta, {"v": v}


def plain_adagrad(theta, gradients, alpha=0.01, epsilon=1e-8):
    s = np.zeros_like(theta)
    for g in gradients:
        s = s + g**2
        theta = theta - alpha * g / (np.sqrt(s) + epsilon)
    return theta, {"s": s}


PLAIN = [
    (Adam(), plain_adam, {}),
    (Adam(0.3, 0.5, 0.8, 1e-2), plain_adam, {"alpha": 0.3, "beta1": 0.5, "beta2": 0.8, "epsilon": 1e-2}),
    (SGD(), plain_sgd, {}),
    (SGD(0.2, 0.0), plain_sgd, {"alpha": 0.2, "momentum": 0.0}),
    (Adagrad(), plain_adagrad, {}),
    (Adagrad(0.5, 1e-3), plain_adagrad, {"alpha": 0.5, "epsilon": 1e-3}),
]


def run(optimizer, theta, gradients):
    state = optimizer.init(theta)
    for g in gradients:
        optimizer.step(theta, g, state)
    return state


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(("optimizer", "plain", "settings"), PLAIN)
def test_many_steps_equal_the_algorithm_on_whole_arrays(optimizer, plain, settings, size):
    rng = np.random.default_rng(size)
    theta = rng.standard_normal(size)
    scales = 10.0 ** rng.integers(-3, 3, size)
    gradients = [scales * rng.standard_normal(size) for _ in range(12)]
    expected, slots = plain(theta, gradients, **settings)
    state = run(optimizer, theta, gradients)
    np.testing.assert_allclose(theta, expected, rtol=1e-12, atol=1e-12)
    assert state.t == 12
    assert state.slots.keys() == slots.keys()
    for name, slot in slots.items():
        np.testing.assert_allclose(state.slots[name], slot, rtol=1e-12, atol=1e-15 * np.abs(slot).max())


def test_adam_by_hand():
    # g = 2 then 1, α = 0.1, β = (0.9, 0.99), ε = 1:
    # t = 1: m = 0.2, v = 0.04; m̂ = 2, v̂ = 4; step 0.1 · 2 / (2 + 1) = 1/15
    # t = 2: m = 0.28, v = 0.0496; m̂ = 0.28 / 0.19, v̂ = 0.0496 / 0.0199 = 2.4924623;
    #        step 0.1 · 1.4736842 / (1.5787534 + 1) = 0.0571472
    theta, optimizer = np.zeros(1), Adam(0.1, 0.9, 0.99, epsilon=1.0)
    state = optimizer.init(theta)
    optimizer.step(theta, np.array([2.0]), state)
    assert theta[0] == pytest.approx(-0.06666667, abs=1e-8)
    optimizer.step(theta, np.array([1.0]), state)
    assert theta[0] == pytest.approx(-0.12381383, abs=1e-7)
    assert state.slots["M"][0] * 0.1 == pytest.approx(0.28)
    assert state.slots["V"][0] * 0.01 == pytest.approx(0.0496)


def test_momentum_by_hand():
    # v = 2, then 0.5 · 2 + 1 = 2, then 0.5 · 2 − 3 = −2; θ = −0.2, −0.4, −0.2
    theta, optimizer = np.zeros(1), SGD(0.1, momentum=0.5)
    state = optimizer.init(theta)
    for g, expected in ((2.0, -0.2), (1.0, -0.4), (-3.0, -0.2)):
        optimizer.step(theta, np.array([g]), state)
        assert theta[0] == pytest.approx(expected)


def test_adagrad_by_hand():
    # s = 9, step 0.1 · 3/3; s = 25, step 0.1 · 4/5
    theta, optimizer = np.zeros(1), Adagrad(0.1, epsilon=1e-12)
    state = optimizer.init(theta)
    for g, expected in ((3.0, -0.1), (4.0, -0.18)):
        optimizer.step(theta, np.array([g]), state)
        assert theta[0] == pytest.approx(expected)


@pytest.mark.parametrize("optimizer", [Adam(1e-3), Adagrad(1e-3)])
@pytest.mark.parametrize("scale", [1e-4, 1.0, 1e4])
def test_first_step_has_the_length_of_the_learning_rate(optimizer, scale):
    theta = np.zeros(5)
    run(optimizer, theta, [scale * np.array([1.0, -2.0, 0.5, -0.1, 30.0])])
    np.testing.assert_allclose(theta, 1e-3 * np.array([-1, 1, -1, 1, -1]), rtol=2e-3)


@pytest.mark.parametrize(("optimizer", "steps"), [(SGD(0.02), 400), (Adagrad(0.5), 400), (Adam(0.1), 1500)])
def test_reaches_the_minimum_of_a_quadratic(optimizer, steps):
    curvature, minimum = np.array([1.0, 4.0, 20.0]), np.array([1.0, -2.0, 0.5])
    theta = np.zeros(3)
    state = optimizer.init(theta)
    for _ in range(steps):
        optimizer.step(theta, curvature * (theta - minimum), state)
    np.testing.assert_allclose(theta, minimum, atol=1e-4)


def test_adam_follows_the_valley_of_rosenbrock():
    theta, optimizer = np.array([-1.2, 1.0]), Adam(0.02)
    state = optimizer.init(theta)
    for _ in range(4000):
        a, b = theta
        optimizer.step(theta, np.array([-2 * (1 - a) - 400 * a * (b - a * a), 200 * (b - a * a)]), state)
    np.testing.assert_allclose(theta, [1, 1], atol=1e-3)


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER)
def test_learning_rate_may_be_a_schedule_of_the_steps_taken(optimizer):
    scheduled = type(optimizer)(WarmUp(0.4, 4))
    theta, expected = np.ones(3), np.ones(3)
    state, shadow = scheduled.init(theta), scheduled.init(theta)
    for rate in (0.1, 0.2, 0.3, 0.4, 0.4):
        g = np.array([1.0, -2.0, 3.0])
        scheduled.step(theta, g, state)
        type(optimizer)(rate).step(expected, g, shadow)
        np.testing.assert_allclose(theta, expected, atol=1e-12)


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER)
def test_float32_stays_float32_and_close_to_float64(optimizer):
    rng = np.random.default_rng(1)
    theta64 = rng.standard_normal(CHUNK + 3)
    theta32 = theta64.astype(np.float32)
    gradients = [rng.standard_normal(theta64.size) for _ in range(20)]
    run(optimizer, theta64, gradients)
    state = run(optimizer, theta32, [g.astype(np.float32) for g in gradients])
    assert theta32.dtype == np.float32
    assert all(slot.dtype == np.float32 for slot in state.slots.values())
    np.testing.assert_allclose(theta32, theta64, atol=1e-5)


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER)
def test_step_leaves_the_gradient_alone(optimizer):
    theta, g = np.zeros(4), np.array([1.0, -2.0, 3.0, 0.0])
    kept = g.copy()
    run(optimizer, theta, [g, g])
    np.testing.assert_array_equal(g, kept)


@pytest.mark.parametrize("optimizer", EVERY_OPTIMIZER)
def test_zero_gradient_from_the_start_moves_nothing(optimizer):
    theta = np.array([1.0, -2.0])
    run(optimizer, theta, [np.zeros(2)] * 3)
    np.testing.assert_array_equal(theta, [1, -2])


def test_state_copy_shares_no_memory():
    state = OptimizerState(3, {"m": np.ones(2)})
    copy = state.copy()
    copy.slots["m"][0] = 9
    copy.t = 4
    assert state.t == 3
    np.testing.assert_array_equal(state.slots["m"], [1, 1])


def test_a_copied_state_goes_on_as_the_original():
    rng = np.random.default_rng(0)
    gradients = rng.standard_normal((6, 5))
    straight = np.zeros(5)
    run(Adam(0.1), straight, gradients)
    theta = np.zeros(5)
    state = run(Adam(0.1), theta, gradients[:3]).copy()
    for g in gradients[3:]:
        Adam(0.1).step(theta, g, state)
    np.testing.assert_array_equal(theta, straight)


@pytest.mark.parametrize(
    ("rule", "settings", "message"),
    [
        (SGD, {"momentum": 1.0}, "momentum must be less than 1, got 1.0"),
        (SGD, {"learning_rate": 0.0}, "learning_rate must be greater than 0, got 0.0"),
        (Adagrad, {"epsilon": -1e-8}, "epsilon must be greater than 0, got -1e-08"),
        (Adam, {"epsilon": 0}, "epsilon must be greater than 0, got 0"),
        (Adam, {"beta1": -0.1}, "beta1 must be at least 0, got -0.1"),
        (Adam, {"beta2": 2}, "beta2 must be less than 1, got 2"),
        (Adam, {"learning_rate": np.inf}, "learning_rate must be finite, got inf"),
    ],
)
def test_hyper_parameters_that_cannot_be_are_refused(rule, settings, message):
    with pytest.raises(ValueError, match=message):
        rule(**settings)


@pytest.mark.parametrize("optimizer", [Adam(), SGD(0.1, 0.9), Adam(beta2=0.5), SGD(0.1, 0.5)], ids=repr)
def test_averages_of_gradients_that_became_zero_decay_to_zero_and_not_to_subnormal_numbers(optimizer):
    theta = np.ones(3, np.float32)
    once, never = np.array([1, 1e-6, 1e-19], np.float32), np.zeros(3, np.float32)
    state = run(optimizer, theta, [once])
    for _ in range(3000):
        optimizer.step(theta, never, state)
        for slot in state.slots.values():
            assert not np.any((slot != 0) & (np.abs(slot) < np.finfo(np.float32).tiny)) or state.t < FLUSH_EVERY
    first = next(iter(state.slots.values()))
    np.testing.assert_array_equal(first, 0)


def test_cleaning_the_averages_changes_no_digit_that_matters():
    rng = np.random.default_rng(0)
    theta = rng.standard_normal(50)
    gradients = [10.0 ** rng.integers(-12, 3) * rng.standard_normal(50) for _ in range(2 * FLUSH_EVERY + 3)]
    expected, slots = PLAIN[0][1](theta, gradients, **PLAIN[0][2])
    state = run(PLAIN[0][0], theta, gradients)
    np.testing.assert_allclose(theta, expected, rtol=1e-12, atol=1e-12)
    for name, slot in slots.items():
        np.testing.assert_allclose(state.slots[name], slot, rtol=1e-12, atol=1e-18)
