"""What all estimators share: parameters by name, and a readable representation."""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from math import isqrt
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from npvae.numerics import keep_freed_memory
from npvae.validation import integer, one_of

ROWS = 1000
"""Rows that go through a network at a time outside training; bounds the memory."""

E = TypeVar("E", bound="Estimator")


class NotFittedError(ValueError, AttributeError):
    """A method that needs a fitted estimator was called before `fit`."""


class Estimator:
    """Base of the estimators, by the conventions of scikit-learn.

    Hyper-parameters are the arguments of ``__init__``, which stores them as given and does nothing else; they are
    checked in `fit`. What `fit` learns ends in an underscore. So an estimator can be cloned from its parameters.
    """

    @classmethod
    def _param_names(cls) -> list[str]:
        return [name for name in signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The hyper-parameters by name. `deep` is accepted for scikit-learn's sake; nothing is nested."""
        return {name: getattr(self, name) for name in self._param_names()}

    def set_params(self: E, **params: Any) -> E:
        """Change hyper-parameters by name; an unknown one raises a ValueError that names the nearest known one."""
        for name, value in params.items():
            one_of("parameter name", name, dict.fromkeys(self._param_names()))
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults, params = signature(type(self).__init__).parameters, self.get_params()
        changed = [f"{name}={value!r}" for name, value in params.items() if repr(value) != repr(defaults[name].default)]
        return f"{type(self).__name__}({', '.join(changed)})"

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "theta_")

    def _require_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise NotFittedError(f"this {type(self).__name__} is not fitted yet: call fit(X) first")


def random_seed(random_state: int | np.random.Generator | None) -> int:
    """A seed from what scikit-learn calls a random state: itself, a draw from a generator, or fresh entropy."""
    if random_state is None:
        return int(np.random.SeedSequence().entropy)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    return integer("random_state", random_state, at_least=0)


def picture_shape(shape: tuple[int, ...]) -> tuple[int, ...] | None:
    """Shape of one datum as a picture: what follows the first axis, or a square of as many pixels, or None."""
    if len(shape) > 2:
        return tuple(shape[1:])
    side = isqrt(shape[1])
    return (side, side) if side * side == shape[1] and side > 1 else None


def by_rows(function: Callable[[NDArray], NDArray], x: NDArray, copies: int = 1) -> NDArray:
    """``function(x)``, computed on about `ROWS` rows at a time; `copies` is how many rows it makes of each."""
    keep_freed_memory()
    step = max(1, ROWS // copies)
    return np.concatenate([function(x[start : start + step]) for start in range(0, len(x), step)])
