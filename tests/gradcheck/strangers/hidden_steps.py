"""What no tracing shows: arrays stripped of their class, real parts by attribute, checks of the input, libraries."""

import numpy as np
import scipy.integrate
import scipy.interpolate
import scipy.ndimage
import scipy.optimize
import scipy.signal
import scipy.sparse
import scipy.spatial.distance
import scipy.stats

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
rng = np.random.default_rng(36)
X = rng.normal(size=(5, 4))
v = rng.normal(size=6)
AT_ZERO = np.array([0.0, 1.5, -2.0, 0.7])

# Stripped of what traces them -----------------------------------------------------------------------------------------

CASES.add(
    "abs of asarray, at zero",
    lambda x: (np.abs(np.asarray(x)), np.asarray(x)),
    lambda x, dy: dy * np.sign(x),
    AT_ZERO,
    wrong={"zero": lambda x, dy: 0 * dy, "ones": lambda x, dy: dy * np.ones_like(x)},
)
CASES.add(
    "abs of a copy, at zero, and a square",
    lambda x: (np.abs(np.array(x)).sum() + (x**2).sum(), np.array(x)),
    lambda x, dy: dy * (np.sign(x) + 2 * x),
    AT_ZERO,
    wrong={"abs forgotten": lambda x, dy: 2 * dy * x, "square forgotten": lambda x, dy: dy * np.sign(x)},
)
CASES.add(
    "real attribute behind a kink",
    lambda x: (np.maximum(x, 0) + x.real**2, x),
    lambda x, dy: dy * ((x > 0) + 2 * x),
    AT_ZERO,
    wrong={"square forgotten": lambda x, dy: dy * (x > 0), "relu forgotten": lambda x, dy: 2 * dy * x},
)
CASES.add(
    "abs by a square root, at zero",
    lambda x: (np.sqrt(x**2), x),
    lambda x, dy: dy * np.sign(x),
    AT_ZERO,
    wrong={"ones": lambda x, dy: dy * np.ones_like(x), "2 at zero": lambda x, dy: dy * np.where(x == 0, 2, np.sign(x))},
)
CASES.add(
    "norm of asarray with a hinge at its margin",
    lambda x: (np.linalg.norm(np.asarray(x)) + np.maximum(0, 1 - np.asarray(x)).sum(), np.asarray(x)),
    lambda x, dy: dy * (x / np.linalg.norm(x) - (x < 1)),
    np.array([1.0, 0.3, 2.0]),
    wrong={
        "norm forgotten": lambda x, dy: -dy * (x < 1),
        "hinge forgotten": lambda x, dy: dy * x / np.linalg.norm(x),
    },
)
CASES.add(
    "list comprehension over rows",
    lambda x: (np.array([np.abs(row).max() for row in x]), x),
    lambda x, dy: dy[:, None] * np.sign(x) * (np.arange(4) == np.abs(x).argmax(axis=1)[:, None]),
    X,
    wrong={"sign": lambda x, dy: dy[:, None] * (np.arange(4) == np.abs(x).argmax(axis=1)[:, None])},
)
CASES.add(
    "tolist and back",
    lambda x: (np.array([a**3 for a in x.tolist()]), x),
    lambda x, dy: 3 * dy * x**2,
    v,
    wrong={"2": lambda x, dy: 2 * dy * x**2},
)

# Input that is checked ------------------------------------------------------------------------------------------------


def entropy(p):
    if not np.allclose(p.sum(), 1):
        raise ValueError("probabilities have to add up to 1")
    return -(p * np.log(p)).sum(), p


CASES.add(
    "probabilities are checked",
    entropy,
    lambda p, dy: -dy * (np.log(p) + 1),
    np.array([0.2, 0.5, 0.3]),
    wrong={"1": lambda p, dy: -dy * np.log(p), "sign": lambda p, dy: dy * (np.log(p) + 1)},
)


def positive(x):
    assert np.all(x > 0), "x has to be positive"
    return np.log(x) ** 2, x


CASES.add(
    "positive numbers are checked, one near zero",
    positive,
    lambda x, dy: 2 * dy * np.log(x) / x,
    np.array([1e-9, 0.5, 2.0]),
    wrong={
        "x": lambda x, dy: 2 * dy * np.log(x),
        "first": lambda x, dy: 2 * dy * np.log(x) / x * np.array([1.1, 1, 1]),
    },
)


def symmetric(s):
    if not np.array_equal(s, s.T):
        s = (s + s.T) / 2
    return np.linalg.inv(s).sum(), s


CASES.add(
    "symmetrised only where needed",
    symmetric,
    lambda s, dy: -dy * (lambda u: np.outer(u, u))(np.linalg.inv(s).sum(0)),
    X.T @ X + np.eye(4),
    wrong={"sign": lambda s, dy: dy * (lambda u: np.outer(u, u))(np.linalg.inv(s).sum(0))},
)
CASES.add(
    "arcsine near its edge",
    lambda x: (np.arcsin(x), x),
    lambda x, dy: dy / np.sqrt(1 - x**2),
    np.array([0.999999, -0.5, 0.0]),
    wrong={"root": lambda x, dy: dy / (1 - x**2)},
)

# Libraries ------------------------------------------------------------------------------------------------------------

CASES.add(
    "gaussian filter",
    lambda x: (scipy.ndimage.gaussian_filter1d(x, 1.0, mode="constant"), None),
    lambda c, dy: scipy.ndimage.gaussian_filter1d(dy, 1.0, mode="constant"),
    v,
    wrong={"mode": lambda c, dy: scipy.ndimage.gaussian_filter1d(dy, 1.0, mode="nearest")},
)
CASES.add(
    "lfilter",
    lambda x: (scipy.signal.lfilter([0.5, 0.2], [1, -0.6], x), None),
    lambda c, dy: scipy.signal.lfilter([0.5, 0.2], [1, -0.6], dy[::-1])[::-1],
    v,
    wrong={"not reversed": lambda c, dy: scipy.signal.lfilter([0.5, 0.2], [1, -0.6], dy)},
)
CASES.add(
    "fftconvolve",
    lambda x, k: (scipy.signal.fftconvolve(x, k, mode="full"), (x, k)),
    lambda c, dy: (np.correlate(dy, c[1], "valid"), np.correlate(dy, c[0], "valid")),
    (v, v[:3].copy()),
    wrong={"convolve": lambda c, dy: (np.convolve(dy, c[1], "valid"), np.correlate(dy, c[0], "valid"))},
)
SPARSE = scipy.sparse.random(7, 6, 0.4, random_state=1).tocsr()
CASES.add(
    "sparse product",
    lambda x: (SPARSE @ x, None),
    lambda c, dy: SPARSE.T @ dy,
    v,
    wrong={"2": lambda c, dy: 2 * (SPARSE.T @ dy)},
)
CASES.add(
    "cdist",
    lambda a: (scipy.spatial.distance.cdist(a, a[:2] * 0 + 1.0), a),
    lambda a, dy: ((a[:, None] - 1.0) / np.sqrt(((a - 1) ** 2).sum(1))[:, None, None] * dy[:, :, None]).sum(1),
    X,
    wrong={"squared": lambda a, dy: ((a[:, None] - 1.0) * dy[:, :, None]).sum(1)},
)
CASES.add(
    "norm.logpdf",
    lambda x, s: (scipy.stats.norm.logpdf(x, scale=s), (x, s)),
    lambda c, dy: (-dy * c[0] / c[1] ** 2, (dy * (c[0] ** 2 / c[1] ** 3 - 1 / c[1])).sum()),
    (v, np.array(1.7)),
    wrong={"s": lambda c, dy: (-dy * c[0] / c[1] ** 2, (dy * c[0] ** 2 / c[1] ** 3).sum())},
)
CASES.add(
    "cubic spline",
    lambda y: (scipy.interpolate.CubicSpline(np.arange(6.0), y)([0.3, 2.6]), None),
    lambda c, dy: scipy.interpolate.CubicSpline(np.arange(6.0), np.eye(6))([0.3, 2.6]).T @ dy,
    v,
    wrong={"linear": lambda c, dy: np.array([0.7, 0.3, 0.4, 0.6, 0, 0]) * np.repeat(dy, 3)},
)
CASES.add(
    "root by brentq",
    lambda a: (
        np.array([scipy.optimize.brentq(lambda x, k=k: x + np.exp(x) - k, -20, 20, xtol=1e-14) for k in a]),
        a,
    ),
    lambda a, dy: (
        dy / (1 + np.exp(np.array([scipy.optimize.brentq(lambda x, k=k: x + np.exp(x) - k, -20, 20) for k in a])))
    ),
    np.array([0.5, 2.0]),
    wrong={"1": lambda a, dy: dy * np.ones(2), "exp": lambda a, dy: dy / np.exp(a)},
)
CASES.add(
    "quad",
    lambda a: (np.array([scipy.integrate.quad(lambda t, k=k: np.exp(-k * t * t), 0, 1)[0] for k in a]), a),
    lambda a, dy: dy * np.array([-scipy.integrate.quad(lambda t, k=k: t * t * np.exp(-k * t * t), 0, 1)[0] for k in a]),
    np.array([0.5, 2.0]),
    wrong={
        "t": lambda a, dy: (
            dy * np.array([-scipy.integrate.quad(lambda t, k=k: t * np.exp(-k * t * t), 0, 1)[0] for k in a])
        )
    },
)
CASES.add(
    "polynomial by lstsq",
    lambda y: (np.polyfit(np.arange(6.0), y, 2), None),
    lambda c, dy: np.linalg.pinv(np.vander(np.arange(6.0), 3)).T @ dy,
    v,
    wrong={"order": lambda c, dy: np.linalg.pinv(np.vander(np.arange(6.0), 3)).T @ dy[::-1]},
)
CASES.add(
    "eigenvalues of a general matrix, their real parts",
    lambda a: (np.sort(np.linalg.eigvals(a).real), a),
    lambda a, dy: eig_back(a, dy),
    np.diag([1.0, 2.0, 4.0]) + 0.2 * X[:3, :3],
    wrong={"symmetric": lambda a, dy: (lambda w, q: q * dy @ q.T)(*np.linalg.eigh((a + a.T) / 2))},
)


def eig_back(a, dy):
    w, q = np.linalg.eig(a)
    order = np.argsort(w.real)
    left = np.linalg.inv(q)
    return np.real(sum(d * np.outer(left[i], q[:, i]) for d, i in zip(dy, order, strict=True)))


CASES.add(
    "covariance",
    lambda x: (np.cov(x.T), x),
    lambda x, dy: (x - x.mean(0)) @ (dy + dy.T) / 4,
    X,
    wrong={"n": lambda x, dy: (x - x.mean(0)) @ (dy + dy.T) / 5, "one side": lambda x, dy: (x - x.mean(0)) @ dy / 4},
)
CASES.add(
    "unwrap",
    lambda x: (np.unwrap(3 * x), None),
    lambda c, dy: 3 * dy,
    v,
    wrong={"1": lambda c, dy: dy},
)
CASES.add(
    "reduceat",
    lambda x: (np.add.reduceat(x**2, [0, 2, 5]), x),
    lambda x, dy: 2 * x * np.repeat(dy, [2, 3, 1]),
    v,
    wrong={"last": lambda x, dy: 2 * x * np.repeat(dy, [2, 4, 0])},
)
CASES.add(
    "running maximum",
    lambda x: (np.maximum.accumulate(x), x),
    lambda x, dy: accumulate_back(x, dy),
    np.array([0.3, -1.0, 0.9, 0.5, 2.0, 1.0]),
    wrong={"own place": lambda x, dy: dy},
)


def accumulate_back(x, dy):
    where = np.maximum.accumulate(np.where(x == np.maximum.accumulate(x), np.arange(len(x)), 0))
    dx = np.zeros_like(x)
    np.add.at(dx, where, dy)
    return dx


CASES.add(
    "range of values",
    lambda x: (np.ptp(x, axis=0), x),
    lambda x, dy: dy * ((x == x.max(0)) * 1.0 - (x == x.min(0))),
    X,
    wrong={"minimum": lambda x, dy: dy * ((x == x.max(0)) * 1.0)},
)
CASES.add(
    "partition",
    lambda x: (np.partition(x, 2)[:3].sum(), x),
    lambda x, dy: dy * (np.argsort(np.argsort(x)) < 3),
    v,
    wrong={"two": lambda x, dy: dy * (np.argsort(np.argsort(x)) < 2)},
)
CASES.add(
    "divide where",
    lambda a, b: (np.divide(a, b, out=np.zeros_like(a), where=np.asarray(b).real > 0), (a, b)),
    lambda c, dy: (
        np.where(c[1] > 0, dy / c[1], 0),
        np.where(c[1] > 0, -dy * c[0] / c[1] ** 2, 0),
    ),
    (v, v[::-1].copy()),
    wrong={"everywhere": lambda c, dy: (dy / c[1], -dy * c[0] / c[1] ** 2)},
)
CASES.add(
    "numerical gradient inside",
    lambda x: (np.gradient(x), None),
    lambda c, dy: np.array(
        [
            -dy[0] - dy[1] / 2,
            dy[0] - dy[2] / 2,
            dy[1] / 2 - dy[3] / 2,
            dy[2] / 2 - dy[4] / 2,
            dy[3] / 2 - dy[5],
            dy[4] / 2 + dy[5],
        ]
    ),
    v,
    wrong={"ends": lambda c, dy: np.append(0, dy[:-1] / 2) - np.append(dy[1:] / 2, 0)},
)
CASES.add(
    "a window cut at a quantile",
    lambda x: (np.clip(x, *np.quantile(x, [0.2, 0.8])), x),
    lambda x, dy: clip_back(x, dy),
    rng.normal(size=11),
    wrong={"bounds constant": lambda x, dy: dy * ((np.argsort(np.argsort(x)) > 2) & (np.argsort(np.argsort(x)) < 8))},
)


def clip_back(x, dy):
    rank = np.argsort(np.argsort(x))
    dx = dy * ((rank > 2) & (rank < 8))
    dx[rank == 2] += dy[rank <= 2].sum()
    dx[rank == 8] += dy[rank >= 8].sum()
    return dx
