"""Branches of a forward pass, seen from outside.

A derivative only exists where no branch changes sides: `maximum`, comparisons, `clip`, `argmax`, `sign`. An array
subclass notes each decision as NumPy makes it: the ladder learns which steps stayed on the side of the base point, a
failure whether that lies exactly on a kink, and the complex step which functions it cannot pass (`svd`, `angle`, ...).
For others (`abs`, `norm`, `var`, ...) there is an analytic function that is equal to them on real numbers: on complex
ones the array takes that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

COMPARISONS = {"greater", "greater_equal", "less", "less_equal", "equal", "not_equal"}
SELECTIONS = {"maximum", "minimum", "fmax", "fmin"}
STEPS = {"floor", "ceil", "rint", "trunc", "floor_divide"}
DECIDING = COMPARISONS | SELECTIONS | STEPS | {"clip", "absolute", "fabs", "sign", "heaviside"}
NOT_ANALYTIC = {
    *("copysign", "norm", "nanvar", "nanstd", "angle", "real", "imag", "cov", "corrcoef", "correlate"),
    *("svd", "svdvals", "eigh", "eigvalsh", "cholesky", "lstsq", "pinv", "slogdet", "qr", "vector_norm", "matrix_norm"),
}


def _sided(z: NDArray) -> NDArray:
    return np.where(z.real < 0, -z, z)


def _logaddexp(a: NDArray, b: NDArray) -> NDArray:
    above = np.where(a.real >= b.real, a, b)
    return above + np.log1p(np.exp(a + b - 2.0 * above))


def _root(z: NDArray) -> NDArray:
    """√z of a sum of squares that may be zero: there it has no derivative, and the step is dropped."""
    return np.sqrt(np.where(z.real <= 0, 0, z))


CONTINUED = {
    "absolute": _sided,
    "fabs": _sided,
    "sign": lambda z: np.sign(z.real) + 0j,
    "conjugate": lambda z: z,
    "logaddexp": _logaddexp,
    "hypot": lambda a, b: _root(a * a + b * b),
}
"""Functions that drop or refuse an imaginary part, as the analytic ones that are equal to them on real numbers."""


def _norm(x, ord=None, axis=None, keepdims=False):
    return _root((np.asarray(x) ** 2).sum(axis=axis, keepdims=keepdims))


def _var(x, axis=None, dtype=None, out=None, ddof=0, keepdims=False):
    x = np.asarray(x)
    apart = (x - x.mean(axis=axis, keepdims=True)) ** 2
    total = apart.sum(axis=axis, keepdims=keepdims)
    return total / (x.size / max(total.size, 1) - ddof)


CONTINUED_CALLS = {
    "norm": _norm,
    "vdot": lambda a, b: (np.ravel(a) * np.ravel(b)).sum(),
    "var": _var,
    "std": lambda *arguments, **keywords: _root(_var(*arguments, **keywords)),
    "isclose": lambda a, b, *rest, **keywords: np.isclose(np.real(a), np.real(b), *rest, **keywords),
}
"""The same for functions that are no ufuncs."""


def _is_euclidean(x, ord=None, axis=None, keepdims=False) -> bool:
    return ord is None or ord == "fro" or (ord == 2 and (np.ndim(x) == 1 or isinstance(axis, int)))


@dataclass
class Branches:
    """Decisions of one forward pass: equal `sides` mean the same side of every branch."""

    sides: list[bytes] = field(default_factory=list)
    ties: list[str] = field(default_factory=list)  # functions that met equal operands: the point lies on their kink
    not_analytic: set[str] = field(default_factory=set)  # functions that drop or conjugate an imaginary part
    continued: set[str] = field(default_factory=set)  # functions that are analytic only as `Traced` continues them
    calls: int = field(default=0, compare=False)  # operations met
    stepping: bool = False  # complex numbers stand for real ones that are moved
    seen: bool = False  # whether the forward let itself be traced
    nudge: np.random.Generator | None = None  # moves what goes into every operation by a unit in the last place
    coarsest: float = 0.0  # relative rounding error of the coarsest precision that numbers were cast to

    def nudged(self, values: object) -> object:
        """`values`, or arrays among them, with every number moved by a unit in its last place."""
        if isinstance(values, (list, tuple)):
            return type(values)(map(self.nudged, values)) if type(values) in (list, tuple) else values
        if not isinstance(values, np.ndarray) or values.dtype.kind not in "fc":
            return values
        return values * (1.0 + np.finfo(values.dtype).eps * self.nudge.choice((-1.0, 1.0), values.shape))

    def decide(self, name: str, chosen: NDArray, tied: NDArray | bool = False) -> None:
        """Note one decision."""
        chosen = np.asarray(chosen)
        self.sides.append(np.packbits(chosen).tobytes() if chosen.dtype == bool else chosen.tobytes())
        if np.any(tied) and name not in self.ties:
            self.ties.append(name)

    def ufunc(self, name: str, method: str, inputs: list, result: NDArray, axis: object = 0) -> None:
        """Note what a ufunc decided, if it is of the kind that decides."""
        if name in NOT_ANALYTIC:
            self.not_analytic.add(name)
        if name in CONTINUED:
            # Complex numbers of the code's own have no continuation.
            own = not self.stepping and any(map(np.iscomplexobj, inputs))
            (self.not_analytic if own else self.continued).add(name)
        self.calls += 1
        if self.stepping:  # whoever steps only wants to pass through
            return
        a, *others = (np.asarray(value).real for value in inputs)
        if method == "reduce" and name in SELECTIONS:
            self._reduction(name, a, axis)
        if method != "__call__":
            return
        if name in COMPARISONS:
            self.decide(name, result, a == others[0])
        elif name in SELECTIONS:
            self.decide(name, a > others[0], a == others[0])
        elif name == "clip":
            low, high = others
            self.decide(name, a < low, (a == low) | (a == high))
            self.decide(name, a > high)
        elif name in ("absolute", "fabs", "sign", "heaviside"):
            self.decide(name, a > 0, a == 0)
        elif name in STEPS:
            self.decide(name, np.asarray(result).real.copy(), np.asarray(result) == inputs[0])

    def _reduction(self, name: str, values: NDArray, axis: object) -> None:
        extreme = (values.max if name in ("maximum", "fmax") else values.min)(axis=axis, keepdims=True)
        chosen = values == extreme
        self.decide(f"{name}.reduce", chosen, np.count_nonzero(chosen) > extreme.size)

    def function(self, name: str, result: object) -> None:
        """Note what a NumPy function that is no ufunc decided."""
        if name in NOT_ANALYTIC:
            self.not_analytic.add(name)
        if isinstance(result, (np.ndarray, np.integer)) and result.dtype.kind in "iu":
            self.decide(name, result)

    def cast(self, before: np.dtype, after: np.dtype) -> None:
        """Note a cast to a coarser precision."""
        if before.kind in "fc" and after.kind in "fc" and np.finfo(after).eps > np.finfo(before).eps:
            self.coarsest = max(self.coarsest, float(np.finfo(after).eps))


def _continued_method(name: str) -> Callable:
    def method(self, *arguments, **keywords):
        """As of any array, continued to complex numbers."""
        if self.branches is not None:
            self.branches.continued.add(name)
        home = np if self._steps((self,)) else np.ndarray
        return getattr(home, name)(self, *arguments, **keywords)

    return method


class Traced(np.ndarray):
    """An array that reports every decision of the NumPy functions it meets to ``branches``.

    Examples
    --------
    >>> branches = Branches()
    >>> y = np.maximum(Traced.of(np.array([-1.0, 0.0, 2.0]), branches), 0)
    >>> branches.ties
    ['maximum']
    """

    branches: Branches | None = None

    @classmethod
    def of(cls, array: NDArray, branches: Branches) -> Traced:
        """A traced view of `array`."""
        traced = array.view(cls)
        traced.branches = branches
        return traced

    def __array_finalize__(self, source: object) -> None:
        if self.branches is None:
            self.branches = getattr(source, "branches", None)

    def astype(self, dtype, *arguments, **keywords):
        """As of any array; that numbers lose digits is noted."""
        result = super().astype(dtype, *arguments, **keywords)
        if self.branches is not None:
            self.branches.cast(self.dtype, result.dtype)
            if self.dtype.kind == "f" and result.dtype.kind in "iu":
                self.branches.decide("astype", _plain(result))
        return result

    def __array_ufunc__(self, ufunc, method, *inputs, **keywords):
        name, plain = ufunc.__name__, [_plain(value) for value in inputs]
        if name in COMPARISONS:
            # Complex numbers stand for real ones that are moved a little: they are on the side of their real part.
            plain = [value.real if isinstance(value, (np.ndarray, np.number)) else value for value in plain]
        out = keywords.get("out")
        if keywords:
            keywords = {key: tuple(map(_plain, v)) if key == "out" else _plain(v) for key, v in keywords.items()}
        if self.branches is not None and self.branches.nudge is not None and method != "at" and name not in DECIDING:
            plain = self.branches.nudged(plain)
        # What is computed in place is gone afterwards.
        before = [np.array(value) for value in plain] if out and name in SELECTIONS else plain
        if method == "__call__" and name in CONTINUED and not out and self._steps(plain):
            self.branches.ufunc(name, method, plain, np.empty(0))
            return self._wrap(CONTINUED[name](*map(np.asarray, plain)))
        result = getattr(ufunc, method)(*plain, **keywords)
        if self.branches is not None and not isinstance(result, tuple) and result is not None:
            self.branches.ufunc(name, method, before, result, keywords.get("axis", 0))
        if out:
            return out[0] if len(out) == 1 else out
        return tuple(map(self._wrap, result)) if isinstance(result, tuple) else self._wrap(result)

    def __array_function__(self, function, types, arguments, keywords):
        branches, name = self.branches, getattr(function, "__name__", "")
        if branches is not None and branches.nudge is not None and function.__module__ == "numpy.linalg":
            arguments = branches.nudged(arguments)
        known = name in CONTINUED_CALLS and (name != "norm" or _is_euclidean(*arguments, **keywords))
        if known and self._steps(arguments):
            return self._wrap(CONTINUED_CALLS[name](*map(_plain, arguments), **keywords))
        result = super().__array_function__(function, types, arguments, keywords)
        if branches is not None and known:
            branches.continued.add(name)
        elif branches is not None:
            branches.function(name, result)
        return self._wrap(result)

    var, std = _continued_method("var"), _continued_method("std")

    def _steps(self, values: object) -> bool:
        return self.branches is not None and self.branches.stepping and any(map(np.iscomplexobj, values))

    def _wrap(self, value: object) -> object:
        # Zero-dimensional results go back as the scalars NumPy would have returned.
        if type(value) is np.ndarray and value.ndim and self.branches is not None:
            return type(self).of(value, self.branches)
        return value


def _plain(value: object) -> object:
    return value.view(np.ndarray) if isinstance(value, Traced) else value
