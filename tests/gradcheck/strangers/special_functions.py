"""Functions of SciPy; without it, none."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
try:
    from scipy import linalg, special, stats
except ImportError:
    special = None
rng = np.random.default_rng(14)
X = rng.normal(size=(3, 4))
P = rng.uniform(0.5, 3, size=(3, 4))
Q = rng.uniform(0.1, 0.9, size=(3, 4))

if special:
    CASES.add(
        "expit",
        lambda x: (special.expit(x),) * 2,
        lambda s, dy: dy * s * (1 - s),
        X,
        wrong={"s": lambda s, dy: dy * s, "1.0001": lambda s, dy: 1.0001 * dy * s * (1 - s)},
    )
    CASES.add(
        "logsumexp",
        lambda x: (special.logsumexp(x, axis=1), x),
        lambda x, dy: dy[:, None] * special.softmax(x, axis=1),
        X,
        wrong={"axis": lambda x, dy: dy[:, None] * special.softmax(x, axis=0)},
    )
    CASES.add(
        "softmax",
        lambda x: (special.softmax(x, axis=1),) * 2,
        lambda p, dy: p * (dy - (p * dy).sum(1, keepdims=True)),
        X,
        wrong={"diagonal": lambda p, dy: p * (1 - p) * dy},
    )
    CASES.add(
        "erf gelu",
        lambda x: (0.5 * x * (1 + special.erf(x / np.sqrt(2))), x),
        lambda x, dy: dy * (0.5 * (1 + special.erf(x / np.sqrt(2))) + x * np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)),
        X,
        wrong={"density": lambda x, dy: dy * 0.5 * (1 + special.erf(x / np.sqrt(2)))},
    )
    CASES.add(
        "gammaln",
        lambda a: (special.gammaln(a), a),
        lambda a, dy: dy * special.digamma(a),
        P,
        wrong={"log": lambda a, dy: dy * np.log(a)},
    )
    CASES.add(
        "digamma",
        lambda a: (special.digamma(a), a),
        lambda a, dy: dy * special.polygamma(1, a),
        P,
        wrong={"2": lambda a, dy: dy * special.polygamma(2, a)},
    )
    CASES.add(
        "beta function",
        lambda a, b: (special.betaln(a, b), (a, b)),
        lambda c, dy: tuple(dy * (special.digamma(u) - special.digamma(c[0] + c[1])) for u in c),
        {"a": P, "b": P[::-1].copy()},
        wrong={"sum lost": lambda c, dy: tuple(dy * special.digamma(u) for u in c)},
    )
    CASES.add(
        "xlogy",
        lambda x: (special.xlogy(x, x).sum(), x),
        lambda x, dy: dy * (np.log(x) + 1),
        P,
        wrong={"1": lambda x, dy: dy * np.log(x)},
    )
    CASES.add(
        "bessel",
        lambda x: (special.j0(x), x),
        lambda x, dy: -dy * special.j1(x),
        P,
        wrong={"sign": lambda x, dy: dy * special.j1(x)},
    )
    CASES.add(
        "modified bessel, scaled",
        lambda x: (np.log(special.ive(0, x)) + x, x),
        lambda x, dy: dy * special.ive(1, x) / special.ive(0, x),
        P,
        wrong={"1": lambda x, dy: dy * (special.ive(1, x) / special.ive(0, x) - 1)},
    )
    CASES.add(
        "normal cdf",
        lambda x: (stats.norm.cdf(x), x),
        lambda x, dy: dy * stats.norm.pdf(x),
        X,
        wrong={"cdf": lambda x, dy: dy * stats.norm.cdf(x)},
    )
    CASES.add(
        "normal log cdf far out",
        lambda x: (special.log_ndtr(x), x),
        lambda x, dy: dy * np.exp(stats.norm.logpdf(x) - special.log_ndtr(x)),
        np.array([-20.0, -8, -1, 2]),
        wrong={"x": lambda x, dy: -dy * x},
    )
    CASES.add(
        "inverse cdf",
        lambda p: (special.ndtri(p), p),
        lambda p, dy: dy / stats.norm.pdf(special.ndtri(p)),
        Q,
        wrong={"times": lambda p, dy: dy * stats.norm.pdf(special.ndtri(p))},
    )
    CASES.add(
        "gamma log density",
        lambda x, a: (stats.gamma.logpdf(x, a), (x, a)),
        lambda c, dy: (dy * ((c[1] - 1) / c[0] - 1), dy * (np.log(c[0]) - special.digamma(c[1]))),
        {"x": P, "a": P[::-1].copy()},
        wrong={"a": lambda c, dy: (dy * ((c[1] - 1) / c[0] - 1), dy * np.log(c[0]))},
    )
    CASES.add(
        "dirichlet entropy-like",
        lambda a: (special.gammaln(a).sum() - special.gammaln(a.sum()), a),
        lambda a, dy: dy * (special.digamma(a) - special.digamma(a.sum())),
        P[0],
        wrong={"sum": lambda a, dy: dy * special.digamma(a)},
    )
    CASES.add(
        "incomplete gamma in x",
        lambda x: (special.gammainc(2.5, x), x),
        lambda x, dy: dy * x**1.5 * np.exp(-x) / special.gamma(2.5),
        P,
        wrong={"gamma": lambda x, dy: dy * x**1.5 * np.exp(-x)},
    )
    CASES.add(
        "matrix exponential's trace",
        lambda a: (np.trace(linalg.expm(a)), a),
        lambda a, dy: dy * linalg.expm(a).T,
        X[:, :3],
        wrong={"T": lambda a, dy: dy * linalg.expm(a)},
    )
    CASES.add(
        "cholesky solve",
        lambda b: (linalg.cho_solve(linalg.cho_factor(X @ X.T + np.eye(3)), b), None),
        lambda c, dy: linalg.cho_solve(linalg.cho_factor(X @ X.T + np.eye(3)), dy),
        X[:, 0],
        wrong={"X": lambda c, dy: (X @ X.T + np.eye(3)) @ dy},
    )
    CASES.add(
        "log-sum of expit",
        lambda x: (special.log_expit(x).sum(), x),
        lambda x, dy: dy * special.expit(-x),
        X,
        wrong={"+x": lambda x, dy: dy * special.expit(x)},
    )
    CASES.add(
        "lambert w",
        lambda x: (special.lambertw(x).real, x),
        lambda x, dy: (lambda w: dy * w / x / (1 + w))(special.lambertw(x).real),
        P,
        wrong={"1": lambda x, dy: (lambda w: dy * w / x)(special.lambertw(x).real)},
    )
    CASES.add(
        "entr",
        lambda p: (special.entr(p).sum(axis=1), p),
        lambda p, dy: -dy[:, None] * (np.log(p) + 1),
        Q,
        wrong={"sign": lambda p, dy: dy[:, None] * (np.log(p) + 1)},
    )
    CASES.add(
        "huber",
        lambda r: (special.huber(1.0, r).sum(), r),
        lambda r, dy: dy * np.clip(r, -1, 1),
        X,
        wrong={"r": lambda r, dy: dy * np.clip(r, -1.2, 1.2)},
    )
