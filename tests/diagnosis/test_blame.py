import numpy as np

from npvae.gradcheck import FAIL, check_layer, check_model
from tests.gradcheck.doubles import Chain, Dense, Gaussian, Rectifier, Regression, Tanh, WrongTanh


def test_the_wrong_layer_of_a_chain_is_blamed():
    report = check_layer(Chain(Dense(4, 5), WrongTanh(), Dense(5, 3), Tanh()))
    assert report.status == FAIL
    assert {entry.name for entry in report.entries if entry.status == FAIL} == {"x", "0.W", "0.b"}
    assert report.blame[0] == "layer 1 (WrongTanh) is wrong by itself: the gradient of x."
    assert "The factor (1 + y) is missing." in str(report)


def test_the_wrong_layer_of_a_chain_in_a_chain_is_blamed():
    report = check_layer(Chain(Dense(4, 5), Chain(Tanh(), Dense(5, 5), WrongTanh()), Dense(5, 3)))
    assert report.blame[0] == "layer 1 (Chain), layer 2 (WrongTanh) is wrong by itself: the gradient of x."


def test_a_wrong_parameter_gradient_inside_a_chain():
    class Wrong(Dense):
        def backward(self, params, cache, dy, grads, need_dx=True):
            dx = super().backward(params, cache, dy, grads)
            grads["b"][...] = dy.mean(axis=0)
            return dx

    report = check_layer(Chain(Dense(4, 5), Tanh(), Wrong(5, 3)))
    assert report.blame[0] == "layer 2 (Wrong) is wrong by itself: the gradient of b."
    assert "7 is the batch size" in str(report)


def test_of_two_wrong_layers_the_one_nearer_to_the_output_is_blamed_first():
    report = check_layer(Chain(WrongTanh(), Dense(5, 5), WrongTanh()))
    assert report.blame[0].startswith("layer 2 (WrongTanh)")


def test_a_layer_that_stands_on_its_kink_is_not_blamed_for_it():
    # Behind one rectifier the next one meets exact zeros, where it has no derivative.
    report = check_layer(Chain(WrongTanh(), Dense(5, 5), Rectifier(), Rectifier()))
    assert report.status == FAIL
    assert report.blame[0] == "layer 0 (WrongTanh) is wrong by itself: the gradient of x."
    assert check_layer(Chain(Tanh(), Dense(5, 5), Rectifier(), Rectifier())).passed


def test_a_chain_that_joins_right_layers_wrongly():
    class Wrong(Chain):
        def backward(self, params, cache, dy, grads, need_dx=True):
            return super().backward(params, cache, 2 * dy, grads)

    report = check_layer(Wrong(Dense(4, 5), Tanh()))
    assert report.blame == [
        "Each of its parts is right by itself (layer 0 (Dense), layer 1 (Tanh)): the error is in how they are joined."
    ]


class TwoParts(Regression):
    """A model with a network and a distribution, of which it uses the network."""

    def __init__(self, network, posterior):
        self.network, self.posterior = network, posterior

    def init(self, rng):
        theta = super().init(rng)
        theta.clear()
        theta.update({f"network.{name}": value for name, value in self.network.init(rng).items()})
        return theta

    def _run(self, theta, x):
        from npvae.gradcheck.subject import Named

        return self.network.forward(Named(theta).section("network"), x)

    def loss(self, theta, x, noise):
        return (self._run(theta, x)[0] ** 2).sum()

    def loss_and_grad(self, theta, x, noise):
        from npvae.gradcheck.subject import Named

        y, cache = self._run(theta, x)
        params = Named(theta).section("network")
        grads = Named({name: np.zeros_like(value) for name, value in params.items()})
        self.network.backward(params, cache, 2 * y, grads)
        return self.loss(theta, x, noise), {f"network.{name}": grad for name, grad in grads.items()}


def test_a_model_of_right_parts_passes():
    assert check_model(TwoParts(Chain(Dense(4, 3), Tanh()), Gaussian()), np.ones((3, 4))).passed


def test_the_wrong_part_of_a_model_is_blamed():
    network = Chain(Dense(4, 3), WrongTanh(), Dense(3, 2))
    report = check_model(TwoParts(network, Gaussian()), np.random.default_rng(0).standard_normal((3, 4)))
    assert report.status == FAIL
    assert report.blame[0] == "network, layer 1 (WrongTanh) is wrong by itself: the gradient of x."
