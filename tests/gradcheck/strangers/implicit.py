"""Results of iterations, and functions that are themselves approximate."""

import numpy as np

from tests.gradcheck.strangers.corpus import Corpus

CASES = Corpus()
TRAPEZOID = getattr(np, "trapezoid", None) or getattr(np, "tr" + "apz")
rng = np.random.default_rng(19)
A = np.diag([2.0, 3, 4]) + 0.3 * rng.normal(size=(3, 3))
S = A @ A.T
b = rng.normal(size=3)
P = rng.uniform(0.5, 3, size=4)


def newton_root(a):
    x = np.ones_like(a)
    for _ in range(30):
        x = 0.5 * (x + a / x)
    return x, x


CASES.add("Newton's square root", newton_root, lambda x, dy: dy / (2 * x), P, wrong={"2": lambda x, dy: dy / x})


def bisection(a):
    lo, hi = np.zeros_like(a), 3 + 0 * a
    for _ in range(60):
        mid = (lo + hi) / 2
        up = mid**3 + mid < a
        lo, hi = np.where(up, mid, lo), np.where(up, hi, mid)
    return (lo + hi) / 2, (lo + hi) / 2


CASES.add(
    "bisection", bisection, lambda x, dy: dy / (3 * x**2 + 1), P, rtol=1e-6, wrong={"1": lambda x, dy: dy / (3 * x**2)}
)


def fixed_point(w):
    z = np.zeros(3, dtype=w.dtype)
    for _ in range(200):
        z = np.tanh(w @ z + b)
    return z, (w, z)


def fixed_point_backward(c, dy, implicit=True):
    w, z = c
    d = 1 - z**2
    g = np.linalg.solve((np.eye(3) - d[:, None] * w).T, dy) if implicit else dy
    return np.outer(g * d, z)


CASES.add(
    "equilibrium",
    fixed_point,
    fixed_point_backward,
    A / 6,
    wrong={"one step": lambda c, dy: fixed_point_backward(c, dy, False)},
)


def conjugate_gradient(rhs, tol):
    x, r = np.zeros_like(rhs), rhs.copy()
    p = r
    for _ in range(50):
        if np.sqrt((r.real**2).sum()) < tol:
            break
        q = S @ p
        a = (r @ r) / (p @ q)
        x, new = x + a * p, r - a * q
        p, r = new + (new @ new) / (r @ r) * p, new
    return x, None


CASES.add(
    "conjugate gradient",
    lambda b: conjugate_gradient(b, 1e-12),
    lambda c, dy: np.linalg.solve(S, dy),
    b,
    wrong={"S": lambda c, dy: S @ dy},
    rtol=1e-8,
)


def jacobi(rhs):
    x = np.zeros_like(rhs)
    for _ in range(12):
        x = x + (rhs - S @ x) / 25
    return x, None


CASES.add(
    "gradient descent, not converged",
    lambda b: (lambda x: x)(jacobi(b)),
    lambda c, dy: np.linalg.solve(S, dy),
    b,
    rtol=0.2,
    wrong={"3 times": lambda c, dy: 3 * np.linalg.solve(S, dy)},
)
CASES.add(
    "quadrature",
    lambda a: (
        TRAPEZOID(np.exp(-a[:, None] * np.linspace(0, 1, 101) ** 2), dx=0.01, axis=1),
        a,
    ),
    lambda a, dy: (
        -dy
        * (
            np.concatenate([[0.5], np.ones(99), [0.5]])
            * 0.01
            * np.linspace(0, 1, 101) ** 2
            * np.exp(-a[:, None] * np.linspace(0, 1, 101) ** 2)
        ).sum(1)
    ),
    P,
    wrong={
        "sign": lambda a, dy: (
            dy
            * (
                np.concatenate([[0.5], np.ones(99), [0.5]])
                * 0.01
                * np.linspace(0, 1, 101) ** 2
                * np.exp(-a[:, None] * np.linspace(0, 1, 101) ** 2)
            ).sum(1)
        )
    },
)
CASES.add(
    "series for exp",
    lambda x: (sum(x**k / np.prod(np.arange(1, k + 1), dtype=float) for k in range(25)), x),
    lambda x, dy: dy * np.exp(x),
    P / 2,
    wrong={"log": lambda x, dy: dy * np.log(x)},
)
CASES.add(
    "sinkhorn, many sweeps",
    lambda c: sinkhorn(c),
    lambda k, dy: dy * k,
    rng.uniform(size=(3, 3)),
    rtol=1e-6,
    wrong={"minus": lambda k, dy: -dy * k, "uniform": lambda k, dy: dy * np.ones((3, 3)) / 9},
)


def sinkhorn(c):
    """The entropic transport cost ⟨P, c⟩ − H(P)/10; its gradient is the plan, by the envelope theorem."""
    k = np.exp(-10 * c)
    u = np.ones(3)
    for _ in range(500):
        v = (1 / 3) / (k.T @ u)
        u = (1 / 3) / (k @ v)
    plan = u[:, None] * k * v
    return (plan * c).sum() + 0.1 * (plan * (np.log(plan) - 1)).sum(), plan


CASES.add(
    "eigenvector by iterations",
    lambda r: (
        (lambda m: (lambda x: x @ m @ x)(leading(m)))(r + r.T) and ((lambda m: leading(m) @ m @ leading(m))(r + r.T), r)
    ),
    lambda r, dy: 2 * dy * np.outer(leading(r + r.T), leading(r + r.T)),
    S + np.arange(9.0).reshape(3, 3) / 9,
    wrong={"1": lambda r, dy: dy * np.outer(leading(r + r.T), leading(r + r.T))},
)


def leading(m):
    x = np.ones(3) / np.sqrt(3)
    for _ in range(300):
        x = m @ x
        x = x / np.sqrt((x**2).sum())
    return x


CASES.add(
    "lookup table of sine",
    lambda x: (np.interp(x, np.linspace(-4, 4, 20001), np.sin(np.linspace(-4, 4, 20001))), x),
    lambda x, dy: dy * np.cos(x),
    P,
    rtol=1e-3,
    wrong={"1.1": lambda x, dy: 1.1 * dy * np.cos(x)},
)
CASES.add(
    "finite difference inside",
    lambda x: ((np.exp(x + 1e-3) - np.exp(x - 1e-3)) / 2e-3, x),
    lambda x, dy: dy * np.exp(x),
    P,
    rtol=1e-5,
    wrong={"2": lambda x, dy: 2 * dy * np.exp(x)},
)
CASES.add(
    "noise of 1e-9 in the output",
    lambda x: (np.sin(x) + 1e-9 * np.sin(1e12 * x), x),
    lambda x, dy: dy * np.cos(x),
    P,
    rtol=1e-2,
    wrong={"1.5": lambda x, dy: 1.5 * dy * np.cos(x)},
)
