"""A chain is the composition of its layers, in order, under numbered names."""

import numpy as np
import pytest

from npvae.layers import Chain, Dense, Identity, Tanh
from npvae.parameters import Parameters

CHAIN = Chain(Dense(3, 5), Tanh(), Chain(Identity(), Dense(5, 2)))


def test_parameters_are_numbered_by_layer_and_nested():
    assert list(CHAIN.shapes) == ["0.W", "0.b", "2.1.W", "2.1.b"]
    assert list(CHAIN.init(np.random.default_rng(0))) == list(CHAIN.shapes)
    assert CHAIN.shapes["2.1.W"] == (5, 2)


def test_forward_is_the_composition_by_hand():
    theta = Parameters.from_arrays(CHAIN.init(np.random.default_rng(0)), np.float64)
    theta["0.b"][:], theta["2.1.b"][:] = 0.5, [1, -1]
    x = np.random.default_rng(1).standard_normal((4, 3))
    y, _ = CHAIN.forward(theta, x)
    expected = np.tanh(x @ theta["0.W"] + 0.5) @ theta["2.1.W"] + [1, -1]
    np.testing.assert_allclose(y, expected, rtol=1e-14)


def test_layers_draw_their_initial_values_one_after_the_other_from_one_generator():
    rng = np.random.default_rng(5)
    first, second = Dense(3, 5).init(rng), Dense(5, 2).init(rng)
    start = CHAIN.init(np.random.default_rng(5))
    np.testing.assert_array_equal(start["0.W"], first["W"])
    np.testing.assert_array_equal(start["2.1.W"], second["W"])


class Spy(Identity):
    """Remembers whether anyone wanted its dx."""

    def __init__(self):
        object.__setattr__(self, "asked", [])

    def backward(self, params, cache, dy, grads, need_dx=True):
        self.asked.append(need_dx)
        return dy


@pytest.mark.parametrize("need_dx", [True, False])
def test_only_the_first_layer_may_leave_its_dx_out(need_dx):
    first, second = Spy(), Spy()
    chain = Chain(first, second)
    _, cache = chain.forward(Parameters({}), np.ones((2, 3)))
    chain.backward(Parameters({}), cache, np.ones((2, 3)), Parameters({}), need_dx)
    assert (first.asked, second.asked) == ([need_dx], [True])


def test_the_output_bias_is_the_one_of_the_last_layer():
    assert CHAIN.output_bias == "2.1.b"
    with pytest.raises(ValueError, match=r"^the last layer must add a bias, got Tanh\(\)$"):
        _ = Chain(Dense(2, 3), Tanh()).output_bias


def test_repr_reads_like_the_code_that_made_it():
    assert repr(Chain(Tanh(), Chain(Identity()))) == "Chain(Tanh(), Chain(Identity()))"


def test_a_chain_of_nothing_is_refused():
    with pytest.raises(ValueError, match="layers must not be empty"):
        Chain()
