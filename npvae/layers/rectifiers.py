"""Rectifiers: elementwise activations that pass what is positive and hold back what is not."""

from __future__ import annotations

from dataclasses import dataclass
from math import pi, sqrt

import numpy as np
from numpy.typing import NDArray

from npvae.layers.activation import register_activation
from npvae.layers.parameterless import Parameterless
from npvae.numerics import sigmoid
from npvae.parameters import Parameters
from npvae.validation import number

__all__ = ["ELU", "GELU", "LeakyReLU", "ReLU", "SiLU"]

GELU_SCALE, GELU_CUBIC = sqrt(2 / pi), 0.044715
"""c and a in Φ(x) ≈ ½ (1 + tanh(c (x + a x³))): c is the slope of 2Φ − 1 at 0, a is fitted by the paper."""


@register_activation("relu")
class ReLU(Parameterless):
    """y = max(x, 0). At the kink x = 0 every slope from 0 to 1 is a subgradient; `backward` takes 0."""

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y = max(x, 0). The cache is y."""
        y = np.maximum(x, 0)
        return y, y

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy where y > 0, else 0."""
        y = cache
        return dy * (y.real > 0)

    def slope_backward(self, cache: NDArray, dslope: NDArray) -> NDArray:
        """f″ = 0 off the kink, so dx = 0."""
        return np.zeros_like(dslope)


@register_activation("leaky-relu")
@dataclass(frozen=True)
class LeakyReLU(Parameterless):
    """y = x where x > 0, else slope · x. At the kink x = 0 `backward` takes `slope`.

    Parameters
    ----------
    slope : float, default 0.01
        The slope below zero, in [0, 1).

    Raises
    ------
    TypeError, ValueError
        If it is no number in [0, 1).

    References
    ----------
    Maas et al., Rectifier nonlinearities improve neural network acoustic models (2013), section 2.
    """

    slope: float = 0.01

    def __post_init__(self) -> None:
        number("slope", self.slope, at_least=0, below=1)

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y = max(x, slope · x). The cache is x."""
        return np.maximum(x, self.slope * x), x

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy where x > 0, else slope · dy."""
        x = cache
        return np.where(x.real > 0, dy, self.slope * dy)

    def slope_backward(self, cache: NDArray, dslope: NDArray) -> NDArray:
        """f″ = 0 off the kink, so dx = 0."""
        return np.zeros_like(dslope)


@register_activation("elu")
@dataclass(frozen=True)
class ELU(Parameterless):
    """y = x where x > 0, else alpha (e^x − 1): smooth for alpha = 1, else with a kink at 0.

    Parameters
    ----------
    alpha : float, default 1.0
        Minus the value that y approaches for x → −∞; positive.

    Raises
    ------
    TypeError, ValueError
        If it is no positive number.

    References
    ----------
    Clevert et al., Fast and accurate deep network learning by exponential linear units (2016), eq. (15).
    """

    alpha: float = 1.0

    def __post_init__(self) -> None:
        number("alpha", self.alpha, above=0)

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, NDArray]:
        """y = max(x, 0) + alpha (e^{min(x, 0)} − 1): nothing overflows. The cache is y."""
        y = np.minimum(x, 0)
        np.expm1(y, out=y)
        y *= self.alpha
        y += np.maximum(x, 0)
        return y, y

    def backward(
        self, params: Parameters, cache: NDArray, dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy where y > 0, else dy alpha e^x = dy (y + alpha)."""
        y = cache
        return np.where(y.real > 0, dy, dy * (y + self.alpha))

    def slope_backward(self, cache: NDArray, dslope: NDArray) -> NDArray:
        """f″ = 0 where y > 0, else alpha e^x = y + alpha; dx = f″ dslope."""
        y = cache
        return dslope * ((y + self.alpha) * (y.real <= 0))


@register_activation("silu")
class SiLU(Parameterless):
    """y = x σ(x), also called swish.

    References
    ----------
    Elfwing et al., Sigmoid-weighted linear units (2017), eq. (8).
    """

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, tuple[NDArray, NDArray]]:
        """y = x σ(x). The cache is (x, σ(x))."""
        s = sigmoid(x)
        return x * s, (x, s)

    def backward(
        self, params: Parameters, cache: tuple[NDArray, NDArray], dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy σ (1 + x (1 − σ))."""
        x, s = cache
        return dy * (s * (1 + x * (1 - s)))

    def slope_backward(self, cache: tuple[NDArray, NDArray], dslope: NDArray) -> NDArray:
        """f″ = σ (1 − σ)(2 + x (1 − 2σ)); dx = f″ dslope."""
        x, s = cache
        return dslope * (s * (1 - s) * (2 + x * (1 - 2 * s)))


@register_activation("gelu")
class GELU(Parameterless):
    """y = x Φ(x) with the Gaussian's Φ in its tanh form, which is within 5e-4 of the exact one.

    References
    ----------
    Hendrycks & Gimpel, Gaussian error linear units (2016), section 2.
    """

    def forward(self, params: Parameters, x: NDArray) -> tuple[NDArray, tuple[NDArray, NDArray]]:
        """y = ½ x (1 + t), t = tanh(c (x + a x³)). The cache is (x, t)."""
        t = np.tanh(GELU_SCALE * (x + GELU_CUBIC * x * x * x))
        return 0.5 * x * (1 + t), (x, t)

    def backward(
        self, params: Parameters, cache: tuple[NDArray, NDArray], dy: NDArray, grads: Parameters, need_dx: bool = True
    ) -> NDArray:
        """dx = dy ½ (1 + t + x (1 − t²) u′), with u′ = c (1 + 3 a x²)."""
        x, t = cache
        du = GELU_SCALE * (1 + 3 * GELU_CUBIC * x * x)
        return dy * (0.5 * (1 + t + x * (1 - t * t) * du))

    def slope_backward(self, cache: tuple[NDArray, NDArray], dslope: NDArray) -> NDArray:
        """f″ = (1 − t²)(u′ + ½ x u″ − x t u′²), with u″ = 6 a c x; dx = f″ dslope."""
        x, t = cache
        du = GELU_SCALE * (1 + 3 * GELU_CUBIC * x * x)
        half_x_ddu = 3 * GELU_CUBIC * GELU_SCALE * x * x
        return dslope * ((1 - t * t) * (du + half_x_ddu - x * t * du * du))
