"""Large tensors, in which a single element is wrong, or rectified."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(35)
BIG = rng.normal(size=(120, 40))
MASK = np.zeros((120, 40))
MASK[77, 13] = 1

CASES.add(
    "large, rectified",
    lambda x: (np.maximum(x, 0) ** 2, x),
    lambda x, dy: 2 * dy * np.maximum(x, 0),
    BIG,
    wrong={"one element by a percent": lambda x, dy: 2 * dy * np.maximum(x, 0) + 0.01 * MASK * dy},
)
CASES.add(
    "large, absolute values",
    lambda x: (np.abs(x).sum(axis=1), x),
    lambda x, dy: dy[:, None] * np.sign(x),
    BIG,
    wrong={
        "one element": lambda x, dy: dy[:, None] * np.sign(x) * (1 - 2 * MASK),
        "mean": lambda x, dy: dy[:, None] * np.sign(x) / 40,
    },
)
CASES.add(
    "large, sorted rows",
    lambda x: (np.sort(x, axis=1)[:, :10], np.argsort(x, axis=1)),
    lambda i, dy: sorted_back(i, dy),
    BIG,
    wrong={"last lost": lambda i, dy: sorted_back(i, dy * (np.arange(10) < 9))},
)


def sorted_back(order, dy):
    dx = np.zeros(order.shape)
    np.put_along_axis(dx, order[:, :10], dy, axis=1)
    return dx


SPARSE = BIG * (rng.random(BIG.shape) < 0.5)
CASES.add(
    "large, half of it exactly zero, rectified",
    lambda x: (np.maximum(x, 0) ** 2 + x, x),
    lambda x, dy: dy * (2 * np.maximum(x, 0) + 1),
    SPARSE,
    wrong={"2": lambda x, dy: dy * (np.maximum(x, 0) + 1)},
)
CASES.add(
    "large, half of it exactly zero, absolute",
    lambda x: (np.abs(x), x),
    lambda x, dy: dy * np.sign(x),
    SPARSE,
    wrong={"all negative": lambda x, dy: -dy * np.sign(x)},
)
CASES.add(
    "a norm of many",
    lambda x: (np.linalg.norm(x), x),
    lambda x, dy: dy * x / np.linalg.norm(x),
    BIG,
    wrong={"squared": lambda x, dy: dy * x, "2": lambda x, dy: 2 * dy * x / np.linalg.norm(x)},
)
