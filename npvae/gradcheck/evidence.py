"""What is known about a wrong gradient, and the arrays from which a missing piece of it could have come."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.point import Probe

__all__ = ["Evidence", "companions", "derivatives"]

LOOSE = 1e-8


@dataclass(frozen=True)
class Evidence:
    """What is known about one wrong gradient.

    Attributes
    ----------
    name : str
    probes : list of Probe
    numeric : list of float
        The numeric side of each probe.
    slack : list of float
        What each may be off by.
    gradients : dict of str to list of arrays
        The analytic gradients of the other tensors, one for each probe.
    sizes : dict of int to str
        Sizes that a factor could come from, in words.
    """

    name: str
    probes: list[Probe]
    numeric: list[float]
    slack: list[float]
    gradients: dict[str, list[NDArray]]
    sizes: dict[int, str]

    @property
    def own(self) -> list[NDArray]:
        """The gradient itself, for each probe."""
        return [probe.gradient for probe in self.probes]

    @property
    def tensor(self) -> NDArray:
        """The tensor."""
        return self.probes[0].line.point.tensors[self.name]

    def slopes(self, gradients: list[NDArray]) -> NDArray:
        """⟨g, v⟩ for each probe."""
        return np.array([float((g * p.line.direction).sum()) for g, p in zip(gradients, self.probes, strict=True)])

    def fits(self, gradients: list[NDArray]) -> bool:
        """Whether these gradients would have been right."""
        if any(g.shape != self.tensor.shape or not np.isfinite(g).all() for g in gradients):
            return False
        size = np.array(
            [float(np.linalg.norm(g * p.line.direction)) for g, p in zip(gradients, self.probes, strict=True)]
        )
        return bool(np.all(np.abs(self.slopes(gradients) - self.numeric) <= np.maximum(self.slack, LOOSE * size)))

    def common_factor(self, top: NDArray, bottom: NDArray) -> float | None:
        """The number c with top = c·bottom on all probes, if there is one."""
        square = float(bottom @ bottom)
        factor = float(top @ bottom) / square if square else 0.0
        slack = np.maximum(self.slack, 1e-6 * np.abs(top))
        if factor and np.all(np.abs(top) > self.slack) and np.all(np.abs(top - factor * bottom) <= slack):
            return factor
        return None


def companions(evidence: Evidence) -> Iterator[tuple[str, list[NDArray]]]:
    """Arrays of the tensor's shape from which a term or factor could have come, one for each probe."""
    count, shape = len(evidence.probes), evidence.tensor.shape
    yield evidence.name, [evidence.tensor] * count
    yield "1", [np.ones(shape)] * count
    point = evidence.probes[0].line.point
    many = len(point.outputs) > 1
    for i, y in enumerate(point.outputs):
        if y.shape == shape and y.ndim:
            label = f"y[{i}]" if many else "y"
            yield f"d{label}", [np.asarray(probe.line.upstream[i]) for probe in evidence.probes]
            yield from _functions_of(label, y, count)
    for other, tensor in point.tensors.items():
        if tensor.shape == shape:
            if other != evidence.name:
                yield other, [tensor] * count
            yield from _functions_of(other, tensor, count)
    for other, gradients in evidence.gradients.items():
        if other != evidence.name and gradients[0].shape == shape:
            yield f"d{other}", gradients


def _functions_of(label: str, array: NDArray, count: int) -> Iterator[tuple[str, list[NDArray]]]:
    with np.errstate(all="ignore"):
        yield label, [array] * count
        yield f"(1 + {label})", [1.0 + array] * count
        yield f"(1 − {label})", [1.0 - array] * count
        for words, _, values in derivatives(array, label):
            yield words, [values] * count
        yield f"exp({label})", [np.exp(array)] * count
        yield f"exp(½ {label})", [np.exp(0.5 * array)] * count
        yield f"{label}²", [array**2] * count


def derivatives(y: NDArray, label: str = "y") -> Iterator[tuple[str, str, NDArray]]:
    """Derivatives of activations as functions of their output: formula, name, values."""
    with np.errstate(all="ignore"):
        yield f"(1 − {label}²)", "tanh", 1.0 - y**2
        yield f"{label} (1 − {label})", "the sigmoid", y * (1.0 - y)
        yield f"({label} > 0)", "the rectifier", (y > 0) * 1.0
        yield f"(1 − exp(−{label}))", "softplus", 1.0 - np.exp(-y)
        yield label, "exp", np.asarray(y)
