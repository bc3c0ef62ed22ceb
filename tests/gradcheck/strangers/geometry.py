"""Distances, rotations, angles."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(18)
A = rng.normal(size=(4, 3))
B = rng.normal(size=(5, 3))
norm = np.linalg.norm


def distances(a, b):
    d = a[:, None] - b[None]
    return np.sqrt((d**2).sum(-1)), (d, np.sqrt((d**2).sum(-1)))


def distances_backward(c, dy, b_sign=-1):
    g = dy[..., None] * c[0] / c[1][..., None]
    return {"a": g.sum(1), "b": b_sign * g.sum(0)}


CASES.add(
    "distances",
    distances,
    distances_backward,
    {"a": A, "b": B},
    wrong={
        "b's sign": lambda c, dy: distances_backward(c, dy, 1),
        "squared": lambda c, dy: {"a": (dy[..., None] * c[0]).sum(1), "b": -(dy[..., None] * c[0]).sum(0)},
    },
)
CASES.add(
    "squared distances by the product",
    lambda a, b: ((a**2).sum(1)[:, None] + (b**2).sum(1) - 2 * a @ b.T, (a, b)),
    lambda c, dy: {
        "a": 2 * dy.sum(1)[:, None] * c[0] - 2 * dy @ c[1],
        "b": 2 * dy.sum(0)[:, None] * c[1] - 2 * dy.T @ c[0],
    },
    {"a": A, "b": B},
    wrong={"cross lost": lambda c, dy: {"a": 2 * dy.sum(1)[:, None] * c[0], "b": 2 * dy.sum(0)[:, None] * c[1]}},
)
CASES.add(
    "self distances",
    lambda a: (distances(a, a)[0].sum(), a),
    lambda a, dy: (lambda d: 2 * dy * (d / np.where(norm(d, axis=-1) > 0, norm(d, axis=-1), 1)[..., None]).sum(1))(
        a[:, None] - a[None]
    ),
    A,
    wrong={
        "1": lambda a, dy: (lambda d: dy * (d / np.where(norm(d, axis=-1) > 0, norm(d, axis=-1), 1)[..., None]).sum(1))(
            a[:, None] - a[None]
        )
    },
)
CASES.add(
    "rbf kernel",
    lambda a, b: (np.exp(-0.5 * ((a[:, None] - b) ** 2).sum(-1)), (a, b)),
    lambda c, dy: (lambda g: {"a": -g.sum(1), "b": g.sum(0)})(
        (dy * np.exp(-0.5 * ((c[0][:, None] - c[1]) ** 2).sum(-1)))[..., None] * (c[0][:, None] - c[1])
    ),
    {"a": A, "b": B},
    wrong={
        "2": lambda c, dy: (lambda g: {"a": -2 * g.sum(1), "b": 2 * g.sum(0)})(
            (dy * np.exp(-0.5 * ((c[0][:, None] - c[1]) ** 2).sum(-1)))[..., None] * (c[0][:, None] - c[1])
        )
    },
)


def rotate(x, t):
    c, s = np.cos(t), np.sin(t)
    return x @ np.array([[c, -s], [s, c]]), (x, t)


CASES.add(
    "rotation",
    rotate,
    lambda k, dy: (
        lambda x, c, s: {"x": dy @ np.array([[c, -s], [s, c]]).T, "t": (dy * (x @ np.array([[-s, -c], [c, -s]]))).sum()}
    )(k[0], np.cos(k[1]), np.sin(k[1])),
    {"x": A[:, :2], "t": np.array(0.4)},
    wrong={
        "not transposed": lambda k, dy: (
            lambda x, c, s: {
                "x": dy @ np.array([[c, -s], [s, c]]),
                "t": (dy * (x @ np.array([[-s, -c], [c, -s]]))).sum(),
            }
        )(k[0], np.cos(k[1]), np.sin(k[1]))
    },
)
CASES.add(
    "cross product",
    lambda a, b: (np.cross(a, b), (a, b)),
    lambda c, dy: (np.cross(c[1], dy), np.cross(dy, c[0])),
    {"a": A, "b": B[:4]},
    wrong={"order": lambda c, dy: (np.cross(dy, c[1]), np.cross(c[0], dy))},
)
CASES.add(
    "angle by arccos",
    lambda a, b: (np.arccos((a * b).sum(1) / norm(a, axis=1) / norm(b, axis=1)), (a, b)),
    lambda c, dy: angle_backward(c, dy),
    {"a": A, "b": B[:4]},
    wrong={"sine lost": lambda c, dy: angle_backward(c, dy, False)},
)


def angle_backward(c, dy, sine=True):
    a, b = c
    na, nb = norm(a, axis=1, keepdims=True), norm(b, axis=1, keepdims=True)
    cos = (a * b).sum(1, keepdims=True) / na / nb
    g = -dy[:, None] / (np.sqrt(1 - cos**2) if sine else 1)
    return g * (b / na / nb - cos * a / na**2), g * (a / na / nb - cos * b / nb**2)


CASES.add(
    "polar",
    lambda x: (np.stack([np.hypot(x[:, 0], x[:, 1]), np.arctan2(x[:, 1], x[:, 0])]), x),
    lambda x, dy: (
        lambda r2: np.stack(
            [
                dy[0] * x[:, 0] / np.sqrt(r2) - dy[1] * x[:, 1] / r2,
                dy[0] * x[:, 1] / np.sqrt(r2) + dy[1] * x[:, 0] / r2,
            ],
            1,
        )
    )(x[:, 0] ** 2 + x[:, 1] ** 2),
    A[:, :2],
    wrong={
        "r": lambda x, dy: (
            lambda r2: np.stack(
                [
                    dy[0] * x[:, 0] / np.sqrt(r2) - dy[1] * x[:, 1] / np.sqrt(r2),
                    dy[0] * x[:, 1] / np.sqrt(r2) + dy[1] * x[:, 0] / np.sqrt(r2),
                ],
                1,
            )
        )(x[:, 0] ** 2 + x[:, 1] ** 2)
    },
)
CASES.add(
    "sphere coordinates",
    lambda t, p: (np.stack([np.sin(t) * np.cos(p), np.sin(t) * np.sin(p), np.cos(t)]), (t, p)),
    lambda c, dy: (
        dy[0] * np.cos(c[0]) * np.cos(c[1]) + dy[1] * np.cos(c[0]) * np.sin(c[1]) - dy[2] * np.sin(c[0]),
        -dy[0] * np.sin(c[0]) * np.sin(c[1]) + dy[1] * np.sin(c[0]) * np.cos(c[1]),
    ),
    {"t": A[:, 0], "p": A[:, 1]},
    wrong={
        "last": lambda c, dy: (
            dy[0] * np.cos(c[0]) * np.cos(c[1]) + dy[1] * np.cos(c[0]) * np.sin(c[1]) + dy[2] * np.sin(c[0]),
            -dy[0] * np.sin(c[0]) * np.sin(c[1]) + dy[1] * np.sin(c[0]) * np.cos(c[1]),
        )
    },
)
CASES.add(
    "nearest neighbour",
    lambda a: (distances(a, B)[0].min(1), a),
    lambda a, dy: (lambda d, i: dy[:, None] * (a - B[i]) / d[np.arange(4), i][:, None])(
        distances(a, B)[0], distances(a, B)[0].argmin(1)
    ),
    A,
    wrong={
        "farthest": lambda a, dy: (lambda d, i: dy[:, None] * (a - B[i]) / d[np.arange(4), i][:, None])(
            distances(a, B)[0], distances(a, B)[0].argmax(1)
        )
    },
)
CASES.add(
    "chamfer",
    lambda a: (((a[:, None] - B) ** 2).sum(-1).min(1).sum(), a),
    lambda a, dy: 2 * dy * (a - B[((a[:, None] - B) ** 2).sum(-1).argmin(1)]),
    A,
    wrong={"1": lambda a, dy: dy * (a - B[((a[:, None] - B) ** 2).sum(-1).argmin(1)])},
)
CASES.add(
    "pinhole camera",
    lambda x: (x[:, :2] / x[:, 2:], x),
    lambda x, dy: np.concatenate([dy / x[:, 2:], -(dy * x[:, :2]).sum(1, keepdims=True) / x[:, 2:] ** 2], 1),
    A + np.array([0, 0, 5]),
    wrong={
        "depth": lambda x, dy: np.concatenate([dy / x[:, 2:], -(dy * x[:, :2]).sum(1, keepdims=True) / x[:, 2:]], 1)
    },
)
CASES.add(
    "manhattan distance",
    lambda a: (np.abs(a[:, None] - B).sum(-1), a),
    lambda a, dy: (dy[..., None] * np.sign(a[:, None] - B)).sum(1),
    A,
    wrong={"euclid": lambda a, dy: (dy[..., None] * (a[:, None] - B)).sum(1)},
)
CASES.add(
    "triangle area by abs",
    lambda p: (
        0.5 * np.abs(p[0, 0] * (p[1, 1] - p[2, 1]) + p[1, 0] * (p[2, 1] - p[0, 1]) + p[2, 0] * (p[0, 1] - p[1, 1])),
        p,
    ),
    lambda p, dy: (
        0.5
        * dy
        * np.sign(p[0, 0] * (p[1, 1] - p[2, 1]) + p[1, 0] * (p[2, 1] - p[0, 1]) + p[2, 0] * (p[0, 1] - p[1, 1]))
        * np.array(
            [
                [p[1, 1] - p[2, 1], p[2, 0] - p[1, 0]],
                [p[2, 1] - p[0, 1], p[0, 0] - p[2, 0]],
                [p[0, 1] - p[1, 1], p[1, 0] - p[0, 0]],
            ]
        )
    ),
    A[:3, :2],
    wrong={
        "1": lambda p, dy: (
            dy
            * np.sign(p[0, 0] * (p[1, 1] - p[2, 1]) + p[1, 0] * (p[2, 1] - p[0, 1]) + p[2, 0] * (p[0, 1] - p[1, 1]))
            * np.array(
                [
                    [p[1, 1] - p[2, 1], p[2, 0] - p[1, 0]],
                    [p[2, 1] - p[0, 1], p[0, 0] - p[2, 0]],
                    [p[0, 1] - p[1, 1], p[1, 0] - p[0, 0]],
                ]
            )
        )
    },
)
CASES.add(
    "signed distance to a box",
    lambda p: (np.maximum(np.abs(p) - 0.5, 0).sum(1), p),
    lambda p, dy: dy[:, None] * np.sign(p) * (np.abs(p) > 0.5),
    np.array([[0.5, 1.0], [0, 0.2], [-0.5, -2]]),
    wrong={"sign": lambda p, dy: dy[:, None] * (np.abs(p) > 0.5)},
)
