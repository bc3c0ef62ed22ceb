"""Solves, inverses, decompositions."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(5)
A = rng.normal(size=(4, 4)) + 3 * np.eye(4)
R = rng.normal(size=(4, 4))
S = R @ R.T + np.eye(4)
Bm = rng.normal(size=(4, 3))
v = rng.normal(size=4)
inv, solve, det = np.linalg.inv, np.linalg.solve, np.linalg.det

CASES.add(
    "matmul",
    lambda a, b: (a @ b, (a, b)),
    lambda c, dy: {"a": dy @ c[1].T, "b": c[0].T @ dy},
    {"a": A, "b": Bm},
    wrong={"not transposed": lambda c, dy: {"a": dy @ c[1].T, "b": c[0] @ dy}},
)
CASES.add(
    "batched matmul",
    lambda a, b: (a @ b, (a, b)),
    lambda c, dy: {"a": dy @ c[1].swapaxes(1, 2), "b": c[0].swapaxes(1, 2) @ dy},
    {"a": rng.normal(size=(2, 3, 3)), "b": rng.normal(size=(2, 3, 3))},
    wrong={"a": lambda c, dy: {"a": dy @ c[1], "b": c[0].swapaxes(1, 2) @ dy}},
)
CASES.add(
    "solve",
    lambda a, b: (solve(a, b), (a, solve(a, b))),
    lambda c, dy: {"b": solve(c[0].T, dy), "a": -solve(c[0].T, dy) @ c[1].T},
    {"a": A, "b": Bm},
    wrong={
        "sign": lambda c, dy: {"b": solve(c[0].T, dy), "a": solve(c[0].T, dy) @ c[1].T},
        "transpose": lambda c, dy: {"b": solve(c[0], dy), "a": -solve(c[0].T, dy) @ c[1].T},
    },
)
CASES.add(
    "inverse", lambda a: (inv(a),) * 2, lambda y, dy: -y.T @ dy @ y.T, A, wrong={"order": lambda y, dy: -y @ dy @ y}
)
CASES.add(
    "determinant",
    lambda a: (det(a), a),
    lambda a, dy: dy * det(a) * inv(a).T,
    A,
    wrong={"transpose": lambda a, dy: dy * det(a) * inv(a)},
)
CASES.add(
    "log determinant",
    lambda a: (np.linalg.slogdet(a)[1], a),
    lambda a, dy: dy * inv(a).T,
    A,
    wrong={"transpose": lambda a, dy: dy * inv(a), "with det": lambda a, dy: dy * det(a) * inv(a).T},
)
CASES.add(
    "log of the determinant",
    lambda a: (np.log(det(a)), a),
    lambda a, dy: dy * inv(a).T,
    S,
    wrong={"half": lambda a, dy: dy * inv(a).T / 2},
)
CASES.add(
    "quadratic form", lambda x: (x @ S @ x, x), lambda x, dy: 2 * dy * S @ x, v, wrong={"1": lambda x, dy: dy * S @ x}
)
CASES.add(
    "quadratic form, not symmetric",
    lambda x: (x @ A @ x, x),
    lambda x, dy: dy * (A + A.T) @ x,
    v,
    wrong={"2A": lambda x, dy: 2 * dy * A @ x},
)
CASES.add(
    "mahalanobis",
    lambda x, m: ((x - m) @ solve(S, x - m), x - m),
    lambda d, dy: (2 * dy * solve(S, d), -2 * dy * solve(S, d)),
    {"x": v, "m": v[::-1].copy()},
    wrong={"m": lambda d, dy: (2 * dy * solve(S, d), 2 * dy * solve(S, d))},
)


def chol(a):
    low = np.linalg.cholesky(a)
    return low, low


def chol_backward(low, dy):
    phi = np.tril(low.T @ dy)
    phi[np.diag_indices(len(phi))] /= 2
    s = solve(low.T, phi) @ inv(low)
    return (s + s.T) / 2


CASES.add(
    "cholesky of R Rᵀ + I",
    lambda r: (np.linalg.cholesky(r @ r.T + np.eye(4)), (r, np.linalg.cholesky(r @ r.T + np.eye(4)))),
    lambda c, dy: 2 * chol_backward(c[1], dy) @ c[0],
    R,
    wrong={"1": lambda c, dy: chol_backward(c[1], dy) @ c[0]},
)
CASES.add(
    "eigenvalues",
    lambda r: (np.linalg.eigvalsh(r + r.T), r),
    lambda r, dy: 2 * (lambda w, q: (q * dy) @ q.T)(*np.linalg.eigh(r + r.T)),
    R,
    wrong={"1": lambda r, dy: (lambda w, q: (q * dy) @ q.T)(*np.linalg.eigh(r + r.T))},
)
CASES.add(
    "singular values",
    lambda a: (np.linalg.svd(a)[1], a),
    lambda a, dy: (lambda u, s, vt: (u * dy) @ vt)(*np.linalg.svd(a)),
    A,
    wrong={"transposed": lambda a, dy: (lambda u, s, vt: ((u * dy) @ vt).T)(*np.linalg.svd(a))},
)
CASES.add(
    "matrix power",
    lambda a: (a @ a @ a, a),
    lambda a, dy: dy @ (a @ a).T + a.T @ dy @ a.T + (a @ a).T @ dy,
    A / 3,
    wrong={"3a²": lambda a, dy: 3 * dy @ (a @ a).T},
)
CASES.add(
    "frobenius",
    lambda a, b: ((a * b).sum(), (a, b)),
    lambda c, dy: (dy * c[1], dy * c[0]),
    {"a": A, "b": R},
    wrong={"same": lambda c, dy: (dy * c[1], dy * c[1])},
)
CASES.add(
    "least squares",
    lambda b: (np.linalg.lstsq(Bm, b, rcond=None)[0], None),
    lambda c, dy: np.linalg.pinv(Bm).T @ dy,
    v,
    wrong={"Bm": lambda c, dy: Bm @ dy},
)
CASES.add(
    "ridge",
    lambda x, y: (solve(x.T @ x + np.eye(3), x.T @ y), (x, y, solve(x.T @ x + np.eye(3), x.T @ y))),
    lambda c, dy: (lambda x, y, w, g: {"x": np.outer(y - x @ w, g) - np.outer(x @ g, w), "y": x @ g})(
        *c, solve(c[0].T @ c[0] + np.eye(3), dy)
    ),
    {"x": Bm, "y": v},
    wrong={
        "one term": lambda c, dy: (lambda x, y, w, g: {"x": np.outer(y - x @ w, g), "y": x @ g})(
            *c, solve(c[0].T @ c[0] + np.eye(3), dy)
        )
    },
)
CASES.add(
    "power iteration",
    lambda a: ((lambda x: x @ S @ x / (x @ x))(S @ S @ a), a),
    lambda a, dy: (lambda x: dy * S @ S @ (2 * S @ x / (x @ x) - 2 * x * (x @ S @ x) / (x @ x) ** 2))(S @ S @ a),
    v,
    wrong={"no norm": lambda a, dy: (lambda x: dy * S @ S @ (2 * S @ x / (x @ x)))(S @ S @ a)},
)
HILBERT = 1 / (np.arange(6)[:, None] + np.arange(6) + 1)
CASES.add(
    "ill-conditioned solve",
    lambda b: (solve(HILBERT, b), None),
    lambda c, dy: solve(HILBERT.T, dy),
    np.arange(6.0),
    wrong={"a row twice": lambda c, dy: solve(HILBERT.T, dy) * np.array([1, 1, 2, 1, 1, 1])},
)
CASES.add(
    "softmax of a gram matrix",
    lambda x: (np.exp(x @ x.T).sum(), x),
    lambda x, dy: dy * 2 * np.exp(x @ x.T) @ x,
    Bm / 2,
    wrong={"1": lambda x, dy: dy * np.exp(x @ x.T) @ x},
)
CASES.add(
    "whitening",
    lambda x: (x @ inv(np.linalg.cholesky(S)).T, None),
    lambda c, dy: dy @ inv(np.linalg.cholesky(S)),
    rng.normal(size=(5, 4)),
    wrong={"T": lambda c, dy: dy @ inv(np.linalg.cholesky(S)).T},
)
