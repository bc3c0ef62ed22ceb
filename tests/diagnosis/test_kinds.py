"""Mistakes as people make them, planted in small functions: the report calls each by its name."""

# ruff: noqa: E731
import numpy as np
import pytest

from npvae.gradcheck import FAIL, PASS, check_function

rng = np.random.default_rng(3)


def text_of(forward, backward, inputs, params=None, right=None):
    """The report on a wrong backward, after a right one has passed."""
    if right is not None:
        report = check_function(forward, right, inputs, params)
        assert report.status == PASS, str(report)
    report = check_function(forward, backward, inputs, params)
    assert report.status == FAIL, str(report)
    return str(report)


def draw(*shape):
    return rng.standard_normal(shape)


@pytest.mark.parametrize("wrong", [lambda x, dy: 2 * x, lambda x, dy: {"x": 2 * x * np.ones_like(dy)}])
def test_an_upstream_gradient_that_is_ignored(wrong):
    text = text_of(lambda x: (x**2, x), wrong, draw(4, 3), right=lambda x, dy: 2 * x * dy)
    assert "backward ignores the upstream gradient: that of x is the same for every dy" in text


def two_heads(x, W):
    h = np.tanh(x @ W)
    return (h, (h**2).sum(axis=1)), (x, W, h)


def two_heads_back(first, second):
    def backward(cache, dys):
        x, W, h = cache
        dh = (dys[0] * first + 2 * h * dys[1][:, None] * second) * (1 - h**2)
        return {"x": dh @ W.T, "W": x.T @ dh}

    return backward


def test_one_output_whose_upstream_gradient_is_lost():
    given = {"x": draw(5, 3)}, {"W": draw(3, 4)}
    text = text_of(two_heads, two_heads_back(1, 0), *given, right=two_heads_back(1, 1))
    assert "The upstream gradient of output 1 is lost: it does not reach the gradient of W." in text
    assert "The upstream gradient of output 0 is lost" in text_of(two_heads, two_heads_back(0, 1), *given)


def test_one_of_three_outputs_alone():
    forward = lambda a: ((a**2, np.sin(a), np.exp(a)), a)
    right = lambda a, dys: 2 * a * dys[0] + np.cos(a) * dys[1] + np.exp(a) * dys[2]
    text = text_of(forward, lambda a, dys: np.cos(a) * dys[1], draw(6), right=right)
    assert "Only the upstream gradient of output 1 reaches the gradient of a" in text


def test_swapped_upstream_gradients():
    forward = lambda a: ((a**2, np.sin(a)), a)
    right = lambda a, dys: 2 * a * dys[0] + np.cos(a) * dys[1]
    text = text_of(forward, lambda a, dys: right(a, dys[::-1]), draw(6), right=right)
    assert "The upstream gradients 0 and 1 are swapped." in text


def test_a_flip_over_several_axes():
    kernel = draw(3, 3)
    forward = lambda x: (np.flip(x, (0, 1)) * kernel, None)
    text = text_of(forward, lambda c, dy: dy * kernel, draw(3, 3), right=lambda c, dy: np.flip(dy * kernel, (0, 1)))
    assert "x's gradient is reversed along axes 0 and 1." in text
    three = lambda x: (np.flip(x, (0, 2)) ** 3, x)
    text = text_of(three, lambda x, dy: np.flip(3 * np.flip(x, (0, 2)) ** 2 * dy, 0), draw(2, 3, 4))
    assert "reversed along axis 2" in text


@pytest.mark.parametrize("order", [(1, 0, 2), (0, 2, 1), (2, 1, 0), (1, 2, 0), (2, 0, 1)])
def test_permuted_axes_of_a_cube(order):
    forward = lambda x: (np.sin(x).transpose(order), x)
    right = lambda x, dy: dy.transpose(np.argsort(order)) * np.cos(x)
    x = draw(3, 3, 3)
    text = text_of(forward, lambda x, dy: (right(x, dy)).transpose(0, 2, 1), x, right=right)
    assert "with its axes permuted" in text


@pytest.mark.parametrize("order", [(1, 0, 2), (1, 2, 0), (2, 0, 1)])
def test_a_reshape_where_a_transpose_of_three_axes_is_meant(order):
    forward = lambda x: (np.sin(x).transpose(order), x)
    right = lambda x, dy: dy.transpose(np.argsort(order)) * np.cos(x)
    text = text_of(forward, lambda x, dy: dy.reshape(x.shape) * np.cos(x), draw(2, 3, 4), right=right)
    assert "a reshape that should have been a transpose" in text


def test_swapped_blocks_of_unequal_size():
    forward = lambda h: (np.concatenate([h[:, 2:], h[:, :2]], axis=1), None)
    text = text_of(forward, lambda c, dy: dy, draw(4, 5), right=lambda c, dy: np.roll(dy, 2, axis=1))
    assert "swapped along axis 1: its last 2 elements should be the first" in text


def test_gates_in_the_wrong_order():
    def forward(a):
        i, f, g, o = np.split(a, 4, axis=1)
        s = [1 / (1 + np.exp(-i)), 1 / (1 + np.exp(-f)), np.tanh(g), 1 / (1 + np.exp(-o))]
        return s[0] * s[2] + s[1] * s[3], s

    def parts(s, dy):
        i, f, g, o = s
        return [dy * g * i * (1 - i), dy * o * f * (1 - f), dy * i * (1 - g**2), dy * f * o * (1 - o)]

    right = lambda s, dy: np.concatenate(parts(s, dy), axis=1)
    wrong = lambda s, dy: np.concatenate([parts(s, dy)[k] for k in (1, 0, 2, 3)], axis=1)
    text = text_of(forward, wrong, draw(3, 8), right=right)
    assert "in blocks that are swapped along axis 1" in text


def test_blocks_of_a_concatenation_taken_from_the_wrong_side():
    forward = lambda a, b: (np.concatenate([np.sin(a), b**2], axis=1), (a, b))
    right = lambda c, dy: (np.cos(c[0]) * dy[:, :3], 2 * c[1] * dy[:, 3:])
    wrong = lambda c, dy: (np.cos(c[0]) * dy[:, 3:], 2 * c[1] * dy[:, :3])
    text = text_of(forward, wrong, (draw(4, 3), draw(4, 3)), right=right)
    assert "Backward reads dy as if it were swapped by halves along axis 1" in text


def test_a_mean_over_several_axes():
    x = draw(3, 5, 7)
    forward = lambda x: ((x**2).sum(axis=(1, 2)), x)
    right = lambda x, dy: 2 * x * dy[:, None, None]
    text = text_of(forward, lambda x, dy: right(x, dy) / 35, x, right=right)
    assert "35 is that of the input over axes 1 and 2: a mean over it where a sum is meant." in text
    mean = lambda x: ((x**2).mean(axis=(0, 2)), x)
    text = text_of(mean, lambda x, dy: 2 * x * dy[:, None], x, right=lambda x, dy: 2 * x * dy[:, None] / 21)
    assert "21 is that of the input over axes 0 and 2: a sum over it where a mean is meant." in text


def test_a_factor_of_the_root_of_a_size():
    q, k = draw(3, 7), draw(5, 7)
    forward = lambda q, k: (q @ k.T / np.sqrt(7), (q, k))
    right = lambda c, dy: (dy @ c[1] / np.sqrt(7), dy.T @ c[0] / np.sqrt(7))
    wrong = lambda c, dy: (dy @ c[1], dy.T @ c[0] / 7)
    text = text_of(forward, wrong, (q, k), right=right)
    assert "7 is the size of the input along axis 1" in text
    assert "numeric = analytic / √7" in text
    assert "a factor √n too much." in text
    assert "numeric = √7 × analytic" in text
    assert "a factor √n is missing." in text


def test_sizes_that_coincide_are_both_said():
    forward = lambda x, W: (x @ W, (x, W))
    right = lambda c, dy: {"x": dy @ c[1].T, "W": c[0].T @ dy}
    wrong = lambda c, dy: {"x": dy @ c[1].T, "W": c[0].T @ dy / 5}
    text = text_of(forward, wrong, {"x": draw(5, 3)}, {"W": draw(3, 5)}, right=right)
    assert "5 is the batch size, and the size of the output along axis 1" in text


def test_a_sign_and_a_size_at_once():
    text = text_of(lambda x: (x.mean(axis=0), x), lambda x, dy: -dy * np.ones_like(x), draw(6, 3))
    assert "The sign is wrong, and a factor: 6 is the batch size" in text


def test_wrong_exactly_where_the_input_is_negative():
    x = draw(20, 6)
    forward = lambda x: (np.where(x > 0, x, np.exp(np.minimum(x, 0)) - 1), x)
    right = lambda x, dy: dy * np.where(x > 0, 1, np.exp(np.minimum(x, 0)))
    wrong = lambda x, dy: dy * np.where(x > 0, 1, np.exp(np.minimum(x, 0)) + 0.3 * np.cos(x))
    assert "Wrong exactly where x < 0" in text_of(forward, wrong, x, right=right)


def test_wrong_exactly_beyond_one():
    x = 2 * draw(30)
    forward = lambda x: (np.where(x**2 < 1, x**2 / 2, np.sqrt(x**2) - 0.5), x)
    right = lambda x, dy: dy * np.where(x**2 < 1, x, np.sign(x))
    text = text_of(forward, lambda x, dy: dy * np.where(x**2 < 1, x, np.sin(x)), x, right=right)
    assert "Wrong exactly where |x| > 1" in text


def test_an_index_that_repeats():
    ids = np.array([2, 0, 2, 1, 2])

    def backward(add):
        def run(W, dy):
            dW = np.zeros_like(W)
            if add:
                np.add.at(dW, ids, dy)
            else:
                dW[ids] += dy
            return dW

        return run

    text = text_of(lambda W: (W[ids], W), backward(False), draw(4, 3), right=backward(True))
    assert "`=` where `+=` is meant (with an index that repeats: np.add.at)" in text


def test_the_two_sides_are_printed_with_enough_digits_to_differ():
    def wrong(x, dy):
        dx = dy * np.cos(x)
        dx[1] *= 1 + 3e-9
        return dx

    text = text_of(lambda x: (np.sin(x), x), wrong, draw(4))
    line = next(line for line in text.splitlines() if line.strip().startswith("x[1]"))
    assert line.split("numeric ")[1].split()[0] != line.split("analytic ")[1].split()[0]


def test_a_warning_inside_a_guess_is_no_error():
    def forward(x):
        return np.where(x > 0, np.log(np.where(x > 0, x, 1)), 800 * x), x

    x = np.array([1e-3, -2.0, 700.0, -700.0])  # exp of the output overflows, its logarithm warns
    with np.errstate(all="warn"):
        text_of(forward, lambda x, dy: dy * np.where(x > 0, 2 / x, 800), x)
