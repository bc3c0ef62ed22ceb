import numpy as np
import pytest

from npvae.gradcheck import (
    FAIL,
    INCONCLUSIVE,
    PASS,
    GradientCheckError,
    check_distribution,
    check_function,
    check_layer,
    check_loss,
    check_model,
)
from tests.gradcheck.doubles import Chain, Dense, Gaussian, Regression, Tanh, arrays, backward, changed, forward


@pytest.mark.parametrize("seed", range(20))
def test_correct_code_passes_for_every_seed(seed):
    report = check_function(forward, backward, *arrays(seed), seed=seed)
    assert report.status == PASS, str(report)
    assert report.worst_error < 1e-13
    assert report.resolution < 1e-11


def test_a_wrong_gradient_fails_and_says_how_to_repeat_it():
    report = check_function(forward, changed("b", lambda g: g / 7), *arrays())
    assert report.status == FAIL
    assert [entry.name for entry in report.entries if entry.status == FAIL] == ["b"]
    text = str(report)
    assert "numeric = 7 × analytic on 3 of 3 probes" in text
    assert "7 is the batch size" in text
    assert "All elements wrong. The other 2 tensors pass." in text
    assert "again: the same call with seed=0, only='b'" in text


def test_a_failure_raises_an_assertion_error_that_is_the_report():
    report = check_function(forward, changed("W", np.negative), *arrays())
    with pytest.raises(GradientCheckError, match="The sign is wrong") as caught:
        report.raise_if_failed()
    assert isinstance(caught.value, AssertionError)
    assert caught.value.report is report


def test_only_one_tensor_can_be_checked():
    report = check_function(forward, changed("b", np.negative), *arrays(), only="W")
    assert [entry.name for entry in report.entries] == ["W"]
    assert report.status == PASS


def test_nothing_selected_is_no_pass():
    report = check_function(forward, backward, *arrays(), only="nothing of that name")
    assert report.status == INCONCLUSIVE
    with pytest.raises(GradientCheckError):
        report.raise_if_failed()


def test_the_arrays_given_stay_as_they_are():
    inputs, params = arrays()
    before = {name: array.copy() for name, array in (inputs | params).items()}
    check_function(forward, changed("W", np.negative), inputs, params)
    for name, array in (inputs | params).items():
        np.testing.assert_array_equal(array, before[name])
        assert array.flags.writeable


def test_the_same_seed_gives_the_same_report():
    first, second = (check_function(forward, backward, *arrays(), seed=5) for _ in range(2))
    assert [entry.numeric for entry in first.entries] == [entry.numeric for entry in second.entries]


def test_a_layer_is_checked_with_input_and_parameters_of_its_own():
    report = check_layer(Dense())
    assert report.status == PASS
    assert [(entry.name, entry.shape) for entry in report.entries] == [("x", (7, 4)), ("W", (4, 3)), ("b", (3,))]


def test_a_layer_with_given_arrays():
    x, params = np.ones((2, 4)), {"W": np.ones((4, 3)), "b": np.ones(3)}
    assert check_layer(Dense(), x, params).entries[0].shape == (2, 4)
    with pytest.raises(ValueError, match=r"params must have 'W' of shape \(4, 3\), got shape \(4, 2\)"):
        check_layer(Dense(), x, params | {"W": np.ones((4, 2))})
    with pytest.raises(ValueError, match=r"params must have 'b' of shape \(3,\), got none"):
        check_layer(Dense(), x, {"W": params["W"]})


def test_a_chain_of_layers_passes():
    assert check_layer(Chain(Dense(4, 5), Tanh(), Chain(Dense(5, 3), Tanh()))).status == PASS


def test_a_layer_that_keeps_its_arrays_itself():
    class Stateful:
        def __init__(self):
            self.params, self.grads = {"w": np.array([1.0, 2.0, 3.0])}, {}

        def forward(self, x):
            self.x = x
            return x * self.params["w"]

        def backward(self, dy):
            self.grads["w"] = (dy * self.x).sum(axis=0)
            return dy * self.params["w"]

    report = check_layer(Stateful(), np.ones((4, 3)))
    assert report.status == PASS, str(report)
    assert [entry.name for entry in report.entries] == ["x", "w"]


def test_a_distribution_is_checked_method_by_method_with_and_without_draws():
    report = check_distribution(Gaussian(), d=3)
    assert report.status == PASS
    assert {e.name: e.shape for e in report.entries} == {
        "kl.a": (5, 6),
        "kl of several parameters.a": (3, 5, 6),
        "sample.a": (5, 6),
        "sample of several draws.a": (5, 6),
        "sample of several parameters.a": (3, 5, 6),
    }


def test_one_method_of_a_distribution_can_be_selected():
    assert [entry.name for entry in check_distribution(Gaussian(), only="kl.*").entries] == ["kl.a"]


def test_a_wrong_distribution_is_blamed_by_method():
    class Wrong(Gaussian):
        def sample_backward(self, cache, dz):
            noise, shape = cache
            da = np.concatenate([dz, dz * noise], axis=-1)
            return da.sum(axis=tuple(range(da.ndim - len(shape))))

    report = check_distribution(Wrong())
    wrong = {e.name for e in report.entries if e.status == FAIL}
    assert wrong == {"sample.a", "sample of several draws.a", "sample of several parameters.a"}
    assert "15 of 30 elements wrong" in str(report)


def test_a_loss_of_an_array_and_of_a_dict():
    assert check_loss(lambda w: ((w**3).sum(), 3 * w**2), np.arange(4.0)).status == PASS
    assert check_loss(lambda w: ((w**3).sum(), 2 * w**2), np.arange(4.0)).status == FAIL

    def of_dict(theta):
        return (theta["a"] * theta["b"]).sum(), {"a": theta["b"], "b": theta["a"]}

    assert check_loss(of_dict, {"a": np.ones(2), "b": np.arange(2.0)}).status == PASS


def test_a_loss_whose_gradient_runs_on_real_numbers_only():
    def value_and_grad(w):
        gradient = np.empty(w.shape)
        gradient[:] = 2 * w
        return (w * w).sum(), gradient

    report = check_loss(value_and_grad, np.ones(3))
    assert report.status == PASS
    assert report.entries[0].method == "ladder of differences"
    report = check_loss(value_and_grad, np.ones(3), value=lambda w: (w * w).sum())
    assert report.entries[0].method == "complex step"


def test_a_model_is_checked_with_frozen_noise():
    x = np.random.default_rng(0).standard_normal((5, 4))
    report = check_model(Regression(), x)
    assert report.status == PASS, str(report)
    assert {entry.name for entry in report.entries} == {"w", "c"}


def test_a_model_whose_two_losses_differ_is_told_so():
    class TwoTongues(Regression):
        def loss_and_grad(self, theta, x, noise):
            value, grads = super().loss_and_grad(theta, x, noise)
            return 2 * value, grads

    report = check_model(TwoTongues(), np.ones((5, 4)))
    assert report.status == FAIL
    assert report.findings[0].kind == "value"


def test_a_model_that_changes_its_parameters_is_told_so():
    class Careless(Regression):
        def loss_and_grad(self, theta, x, noise):
            result = super().loss_and_grad(theta, x, noise)
            theta["w"] += 1.0
            return result

    report = check_model(Careless(), np.ones((5, 4)))
    assert [(f.kind, f.tensor) for f in report.findings] == [("mutated argument", "w")]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: check_function(3, backward, np.ones(3)), "forward must be callable, got int"),
        (lambda: check_function(forward, 3, np.ones(3)), "backward must be callable or None, got int"),
        (lambda: check_function(forward, backward, {1.0}), "inputs must be an array, a tuple or a dict, got set"),
        (
            lambda: check_function(forward, backward, np.ones(3), [1]),
            "params must be a dict of arrays or None, got list",
        ),
        (lambda: check_layer(3), "layer must have shapes, init, forward and backward"),
        (lambda: check_distribution(3), "dist must have n_params and methods with a backward"),
        (lambda: check_loss(3, np.ones(2)), "value_and_grad must be callable, got int"),
        (lambda: check_loss(abs, [1.0]), "theta must be an array or a dict of arrays, got list"),
        (lambda: check_model(3, np.ones((2, 2))), "model must have init, loss and loss_and_grad, got int"),
        (lambda: check_function(forward, backward, np.ones(3), probe=1), "unexpected keyword argument 'probe'"),
    ],
)
def test_senseless_arguments_are_refused_by_name(call, message):
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "magic"}, "method must be one of complex, ladder, central, forward, got 'magic'"),
        ({"probes": 0}, "probes must be a whole number of at least 1, got 0"),
        ({"seed": -1}, "seed must be a whole number of at least 0, got -1"),
        ({"method": "central", "step": 0.0}, "step must be positive, got 0.0"),
        ({"step": 1e-5}, "step belongs to the methods central and forward, not to 'complex'"),
    ],
)
def test_senseless_settings_are_refused_by_name(options, message):
    with pytest.raises(ValueError, match=message):
        check_function(forward, backward, *arrays(), **options)


def test_integers_alone_cannot_be_differentiated_by():
    with pytest.raises(ValueError, match="nothing to differentiate by"):
        check_function(forward, backward, np.arange(3))
