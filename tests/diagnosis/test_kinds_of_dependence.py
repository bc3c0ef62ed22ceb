"""Mistakes in what depends on what: loops, weights used twice, statistics and norms taken for constants."""

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


def recurrent(x, W, U):
    h, states = np.zeros((x.shape[1], len(U))), []
    for x_t in x:
        states.append(h)
        h = np.tanh(x_t @ W + h @ U)
    return h, (x, W, U, states, h)


def recurrent_back(mistake=""):
    def backward(cache, dh):
        x, W, U, states, h = cache
        dx, dW, dU = np.zeros_like(x), np.zeros_like(W), np.zeros_like(U)
        for t in reversed(range(len(x))):
            da = dh * (1 - h**2)
            h = states[t]
            dx[t] = da @ W.T
            if mistake == "=":
                dW, dU = x[t].T @ da, dU + h.T @ da
            else:
                dW, dU = dW + x[t].T @ da, dU + h.T @ da
            dh = da @ U.T
            if mistake == "carry":
                dh = 0 * dh
        return {"x": dx, "W": dW, "U": dU}

    return backward


def test_an_assignment_where_a_loop_should_add_up():
    given = {"x": draw(4, 3, 2)}, {"W": draw(2, 5), "U": 0.5 * draw(5, 5)}
    text = text_of(recurrent, recurrent_back("="), *given, right=recurrent_back())
    assert "Only use 1 of 4 of W reaches its gradient" in text
    assert "h = np.tanh(x_t @ W + h @ U)" in text
    assert "`=` where `+=` is meant" in text


def test_a_state_whose_gradient_is_not_carried_back():
    given = {"x": draw(4, 3, 2)}, {"W": draw(2, 5), "U": 0.5 * draw(5, 5)}
    text = text_of(recurrent, recurrent_back("carry"), *given)
    assert "Only use 4 of 4 of x reaches its gradient" in text
    assert "h = np.tanh(x_t @ W + h @ U)" in text


def test_a_residual_path_that_is_overwritten():
    def forward(x, W):
        h = np.tanh(x @ W)
        return (x + h @ W.T) ** 2, (x, W, h, x + h @ W.T)

    def backward(cache, dy):
        x, W, h, s = cache
        ds = 2 * s * dy
        da = (ds @ W) * (1 - h**2)
        return {"x": da @ W.T, "W": x.T @ da + ds.T @ h}  # dx = where dx += is meant

    text = text_of(forward, backward, {"x": draw(5, 3)}, {"W": draw(3, 4)})
    assert "Only use 1 of 3 of x reaches its gradient (in matmul," in text
    assert "h = np.tanh(x @ W)" in text


def test_a_weight_that_is_used_twice():
    def forward(x, W):
        h = np.tanh(x @ W)
        return h @ W.T, (x, W, h)

    def backward(both):
        def run(cache, dy):
            x, W, h = cache
            da = (dy @ W) * (1 - h**2)
            return {"x": da @ W.T, "W": x.T @ da + both * (dy.T @ h)}

        return run

    text = text_of(forward, backward(0), {"x": draw(5, 3)}, {"W": draw(3, 4)}, right=backward(1))
    assert "The use 2 of 2 of W is forgotten (in matmul," in text
    assert "return h @ W.T, (x, W, h)" in text


def batch_norm(x, gamma):
    mu = x.mean(axis=0)
    centred = x - mu
    var = (centred**2).mean(axis=0)
    xhat = centred / np.sqrt(var + 1e-5)
    return gamma * xhat, (xhat, var, gamma)


def batch_norm_back(mu=1, var=1):
    def backward(cache, dy):
        xhat, v, gamma = cache
        dxhat = dy * gamma
        dx = dxhat - var * xhat * (dxhat * xhat).mean(axis=0)
        dx = dx - mu * dx.mean(axis=0)
        return {"x": dx / np.sqrt(v + 1e-5), "gamma": (dy * xhat).sum(axis=0)}

    return backward


@pytest.mark.parametrize(
    ("kept", "line"),
    [
        ({"mu": 0}, "mu = x.mean(axis=0)"),
        ({"var": 0}, "var = (centred**2).mean(axis=0)"),
        ({"mu": 0, "var": 0}, "mu = x.mean(axis=0)"),
    ],
)
def test_a_batch_statistic_whose_own_dependence_is_forgotten(kept, line):
    given = {"x": draw(8, 3)}, {"gamma": draw(3)}
    text = text_of(batch_norm, batch_norm_back(**kept), *given, right=batch_norm_back())
    assert f"`{line}`" in text
    assert "forgotten" in text


def test_a_normaliser_whose_dependence_is_forgotten():
    def forward(x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        total = e.sum(axis=1, keepdims=True)
        return e / total, (e, total)

    right = lambda c, dy: (c[0] / c[1]) * (dy - (dy * c[0] / c[1]).sum(axis=1, keepdims=True))
    text = text_of(forward, lambda c, dy: dy * c[0] / c[1] * 1.0, draw(4, 5), right=right)
    assert "missing" in text or "`total = e.sum(axis=1, keepdims=True)`" in text


def test_a_norm_taken_for_a_constant():
    forward = lambda w: (w / np.linalg.norm(w), w)
    right = lambda w, dy: (dy - w * (w @ dy) / (w @ w)) / np.linalg.norm(w)
    text = text_of(forward, lambda w, dy: dy / np.linalg.norm(w), draw(5), right=right)
    assert "of w is forgotten (in norm," in text
