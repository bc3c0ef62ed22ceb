"""Functions of matrices: expm, decompositions, least squares, determinants in batches."""

import numpy as np
import scipy.linalg

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(32)
A = rng.normal(size=(4, 4)) + 3 * np.eye(4)
R = rng.normal(size=(4, 4))
S = R @ R.T + np.eye(4)
T = rng.normal(size=(6, 3))
b = rng.normal(size=6)
batch = rng.normal(size=(3, 3, 3)) + 3 * np.eye(3)


def expm_back(a, dy):
    return scipy.linalg.expm_frechet(a.T, dy, compute_expm=False)


CASES.add(
    "expm",
    lambda a: (scipy.linalg.expm(a), a),
    expm_back,
    0.3 * R,
    wrong={"commuting": lambda a, dy: scipy.linalg.expm(a).T @ dy, "not transposed": lambda a, dy: expm_back(a.T, dy)},
)
CASES.add(
    "expm by its series",
    lambda a: (np.eye(4) + a + a @ a / 2 + a @ a @ a / 6, a),
    lambda a, dy: dy + (dy @ a.T + a.T @ dy) / 2 + (dy @ a.T @ a.T + a.T @ dy @ a.T + a.T @ a.T @ dy) / 6,
    0.3 * R,
    wrong={"middle": lambda a, dy: dy + (dy @ a.T + a.T @ dy) / 2 + (dy @ a.T @ a.T + a.T @ a.T @ dy) / 6},
)


def lstsq(t, b):
    x, *_ = np.linalg.lstsq(t, b, rcond=None)
    return x, (t, b, x)


def lstsq_back(c, dx, residual=1):
    t, b, x = c
    z = np.linalg.solve(t.T @ t, dx)
    return {"t": residual * np.outer(b - t @ x, z) - np.outer(t @ z, x), "b": t @ z}


CASES.add(
    "lstsq",
    lstsq,
    lstsq_back,
    {"t": T, "b": b},
    wrong={"residual": lambda c, dx: lstsq_back(c, dx, 0), "b": lambda c, dx: {**lstsq_back(c, dx), "b": 2 * c[1]}},
)
CASES.add(
    "pinv",
    lambda t: (np.linalg.pinv(t), t),
    lambda t, dp: (
        lambda p: -p.T @ dp @ p.T + (np.eye(6) - t @ p) @ dp.T @ (p @ p.T) + (p.T @ p @ dp.T) @ (np.eye(3) - p @ t)
    )(np.linalg.pinv(t)),
    T,
    wrong={"first term": lambda t, dp: -np.linalg.pinv(t).T @ dp @ np.linalg.pinv(t).T},
)
CASES.add(
    "slogdet of a batch",
    lambda a: (np.linalg.slogdet(a)[1], a),
    lambda a, dy: dy[:, None, None] * np.linalg.inv(a).swapaxes(1, 2),
    batch,
    wrong={"transpose": lambda a, dy: dy[:, None, None] * np.linalg.inv(a)},
)
CASES.add(
    "inverse of a batch",
    lambda a: (np.linalg.inv(a), a),
    lambda a, dy: -(np.linalg.inv(a).swapaxes(1, 2) @ dy @ np.linalg.inv(a).swapaxes(1, 2)),
    batch,
    wrong={
        "sign": lambda a, dy: np.linalg.inv(a).swapaxes(1, 2) @ dy @ np.linalg.inv(a).swapaxes(1, 2),
        "transpose": lambda a, dy: -(np.linalg.inv(a) @ dy @ np.linalg.inv(a)),
    },
)


def cholesky(s):
    low = np.linalg.cholesky((s + s.T) / 2)
    return low, low


def cholesky_back(low, dl, half=0.5):
    inner = np.tril(low.T @ dl)
    inner[np.diag_indices(4)] *= half
    inverse = np.linalg.inv(low)
    ds = inverse.T @ inner @ inverse
    return (ds + ds.T) / 2


CASES.add(
    "cholesky",
    cholesky,
    cholesky_back,
    S,
    wrong={
        "diagonal": lambda c, dl: cholesky_back(c, dl, 1.0),
        "not symmetric": lambda c, dl: np.linalg.inv(c).T @ np.tril(c.T @ dl) @ np.linalg.inv(c),
    },
)


def eigh(s):
    w, q = np.linalg.eigh((s + s.T) / 2)
    return (w, q**2), (w, q)


def eigh_back(c, dw, dq2, vectors=1):
    w, q = c
    dq = 2 * q * dq2
    gaps = w - w[:, None]
    np.fill_diagonal(gaps, 1)
    inner = np.diag(dw) + vectors * (q.T @ dq) * (1 - np.eye(4)) / gaps
    ds = q @ inner @ q.T
    return (ds + ds.T) / 2


CASES.add(
    "eigh, values and squared vectors",
    eigh,
    lambda c, dy: eigh_back(c, *dy),
    S,
    wrong={"vectors": lambda c, dy: eigh_back(c, *dy, vectors=0), "gaps": lambda c, dy: eigh_back(c, *dy, vectors=-1)},
)
CASES.add(
    "svd, low rank",
    lambda t: ((lambda u, s, v: u[:, :1] * s[:1] @ v[:1])(*np.linalg.svd(t, full_matrices=False)), t),
    lambda t, dy: svd_back(t, dy),
    T,
    wrong={"projections": lambda t, dy: svd_back(t, dy, plain=True)},
)


def svd_back(t, dy, plain=False):
    u, s, v = np.linalg.svd(t)
    a, c = u[:, :1], v[:1]
    if plain:
        return a @ a.T @ dy @ c.T @ c
    out = np.zeros_like(t)
    full = np.zeros((6, 3))
    full[:3, :3] = np.diag(s)
    p = u.T @ dy @ v.T  # in the basis of the singular vectors
    sizes = np.append(s, np.zeros(3))
    q = np.zeros((6, 3))
    q[0, 0] = p[0, 0]
    for i in range(1, 6):
        gap = s[0] ** 2 - sizes[i] ** 2
        if i < 3:
            q[0, i] = (s[0] ** 2 * p[0, i] + s[0] * sizes[i] * p[i, 0]) / gap
            q[i, 0] = (s[0] ** 2 * p[i, 0] + s[0] * sizes[i] * p[0, i]) / gap
        else:
            q[i, 0] = p[i, 0]
    return out + u @ q @ v


CASES.add(
    "qr, the triangle's diagonal",
    lambda t: (np.abs(np.diag(np.linalg.qr(t)[1])), t),
    lambda t, dy: qr_back(t, dy),
    T,
    wrong={"sign": lambda t, dy: -qr_back(t, dy), "2": lambda t, dy: 2 * qr_back(t, dy)},
)


def qr_back(t, dy):
    q, r = np.linalg.qr(t)
    m = r @ np.diag(dy * np.sign(np.diag(r)))
    return np.linalg.solve(r, (q @ (np.tril(m) + np.tril(m, -1).T)).T).T


CASES.add(
    "triangular solve",
    lambda low, b: (scipy.linalg.solve_triangular(low, b, lower=True), (low, b)),
    lambda c, dx: (
        lambda z: {"low": -np.tril(np.outer(z, scipy.linalg.solve_triangular(c[0], c[1], lower=True))), "b": z}
    )(scipy.linalg.solve_triangular(c[0], dx, lower=True, trans=1)),
    {"low": np.tril(A), "b": A[0]},
    wrong={
        "trans": lambda c, dx: (
            lambda z: {"low": -np.tril(np.outer(z, scipy.linalg.solve_triangular(c[0], c[1], lower=True))), "b": z}
        )(scipy.linalg.solve_triangular(c[0], dx, lower=True))
    },
)
CASES.add(
    "square root of a matrix by eigh",
    lambda s: ((lambda w, q: q * np.sqrt(w) @ q.T)(*np.linalg.eigh((s + s.T) / 2)), s),
    lambda s, dy: root_back(s, dy),
    S,
    wrong={"commuting": lambda s, dy: 0.5 * np.linalg.inv(scipy.linalg.sqrtm(s)).real @ dy},
)


def root_back(s, dy):
    w, q = np.linalg.eigh((s + s.T) / 2)
    inner = q.T @ dy @ q / (np.sqrt(w) + np.sqrt(w)[:, None])
    ds = q @ inner @ q.T
    return (ds + ds.T) / 2


CASES.add(
    "logdet by cholesky",
    lambda s: (2 * np.log(np.diag(np.linalg.cholesky(s))).sum(), s),
    lambda s, dy: dy * np.tril(2 * np.linalg.inv(s) - np.diag(np.diag(np.linalg.inv(s)))),
    S,
    wrong={"whole": lambda s, dy: dy * np.linalg.inv(s)},
)
CASES.add(
    "gaussian density with a full covariance",
    lambda x, s: (-0.5 * x @ np.linalg.solve(s, x) - 0.5 * np.linalg.slogdet(s)[1], (x, s)),
    lambda c, dy: (
        -0.5 * dy * (np.linalg.solve(c[1], c[0]) + np.linalg.solve(c[1].T, c[0])),
        0.5 * dy * (np.outer(np.linalg.solve(c[1].T, c[0]), np.linalg.solve(c[1], c[0])) - np.linalg.inv(c[1]).T),
    ),
    (A[1], S),
    wrong={
        "logdet": lambda c, dy: (
            -dy * np.linalg.solve(c[1], c[0]),
            0.5 * dy * np.outer(np.linalg.solve(c[1], c[0]), np.linalg.solve(c[1], c[0])),
        )
    },
)
CASES.add(
    "matrix norm by svd",
    lambda a: (np.linalg.norm(a, 2), a),
    lambda a, dy: (lambda u, s, v: dy * np.outer(u[:, 0], v[0]))(*np.linalg.svd(a)),
    A,
    wrong={"second": lambda a, dy: (lambda u, s, v: dy * np.outer(u[:, 1], v[1]))(*np.linalg.svd(a))},
)
CASES.add(
    "condition number",
    lambda a: (np.linalg.cond(a), a),
    lambda a, dy: (
        lambda u, s, v: dy * (np.outer(u[:, 0], v[0]) / s[-1] - s[0] * np.outer(u[:, -1], v[-1]) / s[-1] ** 2)
    )(*np.linalg.svd(a)),
    A,
    wrong={"first": lambda a, dy: (lambda u, s, v: dy * np.outer(u[:, 0], v[0]) / s[-1])(*np.linalg.svd(a))},
)
CASES.add(
    "einsum of three",
    lambda a, x, y: (np.einsum("ij,i,j->", a, x, y), (a, x, y)),
    lambda c, dy: (dy * np.outer(c[1], c[2]), dy * c[0] @ c[2], dy * c[0].T @ c[1]),
    (A, A[0], A[1]),
    wrong={"swapped": lambda c, dy: (dy * np.outer(c[2], c[1]), dy * c[0] @ c[2], dy * c[0].T @ c[1])},
)
CASES.add(
    "tensordot",
    lambda a, x: (np.tensordot(a, x, axes=([1, 2], [0, 1])), (a, x)),
    lambda c, dy: (dy[:, None, None] * c[1], np.tensordot(dy, c[0], 1)),
    (batch, batch[0]),
    wrong={"transposed": lambda c, dy: (dy[:, None, None] * c[1].T, np.tensordot(dy, c[0], 1))},
)
CASES.add(
    "multi_dot",
    lambda a, x, y: (np.linalg.multi_dot([a, x, y]), (a, x, y)),
    lambda c, dy: (dy @ (c[1] @ c[2]).T, c[0].T @ dy @ c[2].T, (c[0] @ c[1]).T @ dy),
    (A, S, R),
    wrong={"middle": lambda c, dy: (dy @ (c[1] @ c[2]).T, c[0] @ dy @ c[2].T, (c[0] @ c[1]).T @ dy)},
)
