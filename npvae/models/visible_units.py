"""The visible units of a Boltzmann machine: binary ones, and real ones with Gaussian noise.

Both enter the energy by a term of their own and by a row s(v) that meets the hidden units in s(v) W h:

    E(v, h) = e(v) − bᵀh − s(v) W h

==========  ======================================  ===============  =================================
units       e(v)                                    s(v)             p(v|h), with the field f = W h
==========  ======================================  ===============  =================================
binary      −aᵀv                                    v                Bernoulli(σ(a + f))
Gaussian    ½ Σ_i (v_i/σ_i − a_i)²                  v / σ            N(σ (a + f), σ²)
==========  ======================================  ===============  =================================

References
----------
Krizhevsky, Learning multiple layers of features from tiny images (2009), section 1.4, for the Gaussian row, here with
the mean in units of σ: then a machine of v is the machine with σ = 1 of v/σ.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log, pi
from typing import ClassVar, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions import Bernoulli
from npvae.numerics import inverse_softplus, sigmoid, softplus
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError, number

__all__ = ["BinaryUnits", "GaussianUnits", "VisibleUnits"]

LOG_2PI = log(2 * pi)


class VisibleUnits(Protocol):
    """What a kind of visible units has to say. `theta` is the machine's; the units read their own arrays of it.

    Attributes
    ----------
    binary : bool
        Whether v is a row of zeros and ones, so that all v can be enumerated.
    reads_field : bool
        Whether `energy_backward` reads its field.
    """

    binary: bool
    reads_field: bool

    def shapes(self, d: int) -> Shapes:
        """Their parameters for d units; "a" is always among them."""

    def start(self, theta: Parameters, mean: NDArray, var: NDArray) -> None:
        """Write the parameters that suit data of that mean and variance, each (d,)."""

    def set_mean(self, theta: Parameters, mean: NDArray) -> None:
        """Write the biases with which the units have that mean (d,) without hidden ones; variances stay."""

    def require_support(self, argument: str, v: NDArray) -> None:
        """A ValueError that names `argument` if it has values v that cannot be."""

    def scaled(self, theta: Parameters, v: NDArray) -> NDArray:
        """s(v), (…, d)."""

    def energy(self, theta: Parameters, v: NDArray) -> NDArray:
        """e(v), nats, (…)."""

    def energy_backward(
        self, theta: Parameters, v: NDArray, denergy: NDArray, field: NDArray, dtheta: Parameters
    ) -> None:
        """Write the gradient of Σ_n denergy_n (e(v_n) − s(v_n)·field_n) into the units' arrays of dtheta."""

    def mean(self, theta: Parameters, field: NDArray) -> NDArray:
        """E[v|h], (…, d), from the field W h."""

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """The noise that `sample` turns into a draw."""

    def sample(self, theta: Parameters, field: NDArray, eps: NDArray) -> NDArray:
        """v ~ p(v|h), (…, d), from the field W h."""

    def log_normalizer(self, theta: Parameters, field: NDArray) -> NDArray:
        """Logarithm of the sum or integral of e^{−e(v) + s(v)·field} over all v, nats, (…)."""

    def log_normalizer_backward(self, theta: Parameters, field: NDArray, dlog: NDArray, dtheta: Parameters) -> NDArray:
        """dfield of Σ_n dlog_n log_normalizer(field_n); the units' own gradient is written into dtheta."""


@dataclass(frozen=True)
class BinaryUnits:
    """v_i in {0, 1} with bias a_i: e(v) = −aᵀv, s(v) = v."""

    binary: ClassVar[bool] = True
    reads_field: ClassVar[bool] = False

    def shapes(self, d: int) -> Shapes:
        """The biases."""
        return {"a": (d,)}

    def start(self, theta: Parameters, mean: NDArray, var: NDArray) -> None:
        """The biases with that mean."""
        self.set_mean(theta, mean)

    def set_mean(self, theta: Parameters, mean: NDArray) -> None:
        """a = logit(mean), kept off 0 and 1 by 0.001."""
        theta["a"][...] = Bernoulli().output_bias(mean, mean)

    def require_support(self, argument: str, v: NDArray) -> None:
        """A ValueError unless all v are 0 or 1."""
        grey = (v != 0) & (v != 1)
        if grey.any():
            advice = (
                "binarise it, by a threshold or by drawing each pixel with its grey value as its probability, or use"
                " Gaussian units"
            )
            raise ArgumentError(argument, "be 0 or 1 for binary visible units", f"{v[grey].flat[0]:g}", advice)

    def scaled(self, theta: Parameters, v: NDArray) -> NDArray:
        """The identity."""
        return v

    def energy(self, theta: Parameters, v: NDArray) -> NDArray:
        """−aᵀv."""
        return -(v @ theta["a"])

    def energy_backward(
        self, theta: Parameters, v: NDArray, denergy: NDArray, field: NDArray, dtheta: Parameters
    ) -> None:
        """da = −Σ_n denergy_n v_n; the field has no parameters of these units."""
        dtheta["a"][...] = -(denergy @ v)

    def mean(self, theta: Parameters, field: NDArray) -> NDArray:
        """σ(a + f)."""
        return sigmoid(theta["a"] + field)

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Uniform numbers in [0, 1)."""
        return rng.random(shape, dtype=dtype)

    def sample(self, theta: Parameters, field: NDArray, eps: NDArray) -> NDArray:
        """1 where eps < σ(a + f), else 0."""
        return (eps < self.mean(theta, field).real).astype(eps.dtype)

    def log_normalizer(self, theta: Parameters, field: NDArray) -> NDArray:
        """Σ_i log(1 + e^{a_i + f_i})."""
        return softplus(theta["a"] + field).sum(axis=-1)

    def log_normalizer_backward(self, theta: Parameters, field: NDArray, dlog: NDArray, dtheta: Parameters) -> NDArray:
        """dfield = dlog σ(a + f), and da is its sum over the rows."""
        dfield = self.mean(theta, field) * dlog[:, None]
        dtheta["a"][...] = dfield.sum(axis=0)
        return dfield


@dataclass(frozen=True)
class GaussianUnits:
    """Real v_i with log-variance log σ_i²: e(v) = ½ Σ_i (v_i/σ_i − a_i)², s(v) = v/σ; a is the mean in units of σ.

    Parameters
    ----------
    learn_variance : bool, default False
        Whether the variances are trained. Fixed at the mean variance of the data they are the safe choice: trained,
        they fall to `min_var` on columns that the hidden units explain exactly. The trained numbers are r with
        log σ² = m + softplus(r − m), m = log `min_var`, as `npvae.distributions.LearnedGaussian` has them; well above
        the floor r is log σ².
    min_var : float, default 1e-4
        Floor of the variance. Without one the likelihood is unbounded.

    Raises
    ------
    TypeError, ValueError
        If `min_var` is no positive number.
    """

    binary: ClassVar[bool] = False
    learn_variance: bool = False
    min_var: float = 1e-4

    @property
    def reads_field(self) -> bool:
        """For the gradient of r."""
        return self.learn_variance

    def __post_init__(self) -> None:
        number("min_var", self.min_var, above=0)

    def shapes(self, d: int) -> Shapes:
        """Means, and log-variances: "log_var" log σ² where they are fixed, "r" where they are learned."""
        return {"a": (d,), "r" if self.learn_variance else "log_var": (d,)}

    def start(self, theta: Parameters, mean: NDArray, var: NDArray) -> None:
        """a = mean/σ, and for every column the mean of `var` as σ².

        Each with its own, columns that hardly vary would enter s(v) with values of hundreds. A learned variance begins
        at twice its floor at least: there the gradient of r is still half of that far above it.
        """
        floor, log_var = log(self.min_var), log(max(float(np.mean(var)), self.min_var))
        if self.learn_variance:
            above = max(log_var - floor, log(2))
            theta["r"][...] = floor + inverse_softplus(above)
        else:
            theta["log_var"][...] = log_var
        self.set_mean(theta, mean)

    def set_mean(self, theta: Parameters, mean: NDArray) -> None:
        """a = mean/σ."""
        theta["a"][...] = mean / self._sigma(theta)

    def log_var(self, theta: Parameters) -> NDArray:
        """log σ², (d,): as it stands in theta, or from r."""
        if not self.learn_variance:
            return theta["log_var"]
        floor = log(self.min_var)
        return floor + softplus(theta["r"] - floor)

    def _log_var_backward(self, theta: Parameters, dlog_var: NDArray, dtheta: Parameters) -> None:
        """dr = σ(r − m) dlog_var; a variance that is not learned gets the gradient 0."""
        if self.learn_variance:
            dtheta["r"][...] = sigmoid(theta["r"] - log(self.min_var)) * dlog_var
        else:
            dtheta["log_var"][...] = 0

    def _sigma(self, theta: Parameters) -> NDArray:
        return np.exp(0.5 * self.log_var(theta))

    def require_support(self, argument: str, v: NDArray) -> None:
        """All real v."""

    def scaled(self, theta: Parameters, v: NDArray) -> NDArray:
        """v/σ."""
        return v / self._sigma(theta)

    def energy(self, theta: Parameters, v: NDArray) -> NDArray:
        """½ Σ_i (v_i/σ_i − a_i)²."""
        off = self.scaled(theta, v) - theta["a"]
        return 0.5 * (off * off).sum(axis=-1)

    def energy_backward(
        self, theta: Parameters, v: NDArray, denergy: NDArray, field: NDArray, dtheta: Parameters
    ) -> None:
        """da = −Σ_n denergy_n (s_n − a), dlog_var = ½ Σ_n denergy_n s_n (a + f_n − s_n), and on to r.

        A log-variance that is not learned gets the gradient 0.
        """
        s, a = self.scaled(theta, v), theta["a"]
        dtheta["a"][...] = -(denergy @ (s - a))
        dlog_var = 0.5 * (denergy @ (s * (a + field - s))) if self.reads_field else 0
        self._log_var_backward(theta, dlog_var, dtheta)

    def mean(self, theta: Parameters, field: NDArray) -> NDArray:
        """σ (a + f)."""
        return self._sigma(theta) * (theta["a"] + field)

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Standard normal numbers."""
        return rng.standard_normal(shape, dtype=dtype)

    def sample(self, theta: Parameters, field: NDArray, eps: NDArray) -> NDArray:
        """σ (a + f + eps)."""
        return self._sigma(theta) * (theta["a"] + field + eps)

    def log_normalizer(self, theta: Parameters, field: NDArray) -> NDArray:
        """Σ_i [½ log(2π σ_i²) + a_i f_i + ½ f_i²]."""
        constant = 0.5 * (LOG_2PI + self.log_var(theta)).sum()
        return constant + (field * (theta["a"] + 0.5 * field)).sum(axis=-1)

    def log_normalizer_backward(self, theta: Parameters, field: NDArray, dlog: NDArray, dtheta: Parameters) -> NDArray:
        """dfield = dlog (a + f), da = Σ_n dlog_n f_n, dlog_var = ½ Σ_n dlog_n, and on to r.

        A log-variance that is not learned gets the gradient 0.
        """
        dtheta["a"][...] = dlog @ field
        self._log_var_backward(theta, 0.5 * dlog.sum(), dtheta)
        return (theta["a"] + field) * dlog[:, None]
