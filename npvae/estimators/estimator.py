"""What all estimators share: parameters by name, a readable representation, one file that holds them, and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import signature
from math import isqrt, prod
from numbers import Integral
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from npvae import storage
from npvae.estimators.options import ROWS, build_model, plain
from npvae.numerics import keep_freed_memory
from npvae.parameters import Parameters
from npvae.training import History
from npvae.validation import integer, one_of, widths

if TYPE_CHECKING:
    from npvae.estimators.vae import VAE

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

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of an estimator before it searches, validates or chains; nobody else calls this."""
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(estimator_type=None, target_tags=TargetTags(required=False), transformer_tags=TransformerTags())

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
    if not isinstance(random_state, Integral):
        got = type(random_state).__name__
        raise TypeError(f"random_state must be an integer, a numpy.random.Generator or None, got {got}")
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
    first = function(x[:step])
    result = np.empty((len(x), *first.shape[1:]), first.dtype)
    result[:step] = first
    for start in range(step, len(x), step):
        result[start : start + step] = function(x[start : start + step])
    return result


def save_estimator(path: str | Path, estimator: VAE) -> None:
    """Write the fit's hyper-parameters, parameters and history; the optimiser's moments belong to checkpoints."""
    params = dict(estimator.params_)
    if isinstance(params["random_state"], np.random.Generator):
        params["random_state"] = estimator.seed_
    header = {
        "kind": "estimator",
        "estimator": type(estimator).__name__,
        "params": {name: plain(value) for name, value in params.items()},
        "seed": estimator.seed_,
        "n_features": estimator.n_features_in_,
        "image_shape": estimator.image_shape_,
        "grey": estimator.grey_,
        "history": dict(estimator.history_),
        "terms": estimator.history_.to_header(),
    }
    storage.save(path, header, dict(estimator.theta_))


def load_estimator(path: str | Path, classes: Mapping[str, type[VAE]]) -> VAE:
    """Read an estimator of one of the given classes. The model is built, and the arrays are held against its shapes.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
    StorageError
        If the file is damaged, holds something else, or its arrays do not fit its hyper-parameters.
    """
    header, arrays = storage.load(path)
    name = header.get("estimator")
    if header.get("kind") != "estimator" or name not in classes:
        found = name if header.get("kind") == "estimator" else header.get("kind", "another file")
        raise storage.StorageError(f"{path}: expected a model ({', '.join(classes)}), got {found!r}")
    try:
        return _restore(classes[name], header, arrays)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise storage.StorageError(f"{path}: the header does not describe a {name}: {error}") from None


def _restore(cls: type[VAE], header: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> VAE:
    estimator = cls(**header["params"])
    model = build_model(estimator, integer("n_features", header["n_features"], at_least=1))
    shapes = {name: array.shape for name, array in arrays.items()}
    for name in sorted({*shapes, *model.shapes}):
        if shapes.get(name) != model.shapes.get(name):
            raise ValueError(f"{name} should have shape {model.shapes.get(name)}, got {shapes.get(name)}")
        if arrays[name].dtype != estimator.dtype:
            raise ValueError(f"{name} should have dtype {estimator.dtype}, got {arrays[name].dtype}")
    theta = Parameters.from_arrays({name: arrays[name] for name in model.shapes}, estimator.dtype)
    if not np.isfinite(theta.flat).all():
        raise ValueError("not all parameters are finite")
    estimator.model_, estimator.theta_, estimator.params_ = model, theta, estimator.get_params()
    estimator.n_features_in_, shape = header["n_features"], header["image_shape"]
    estimator.image_shape_ = shape = None if shape is None else widths("image_shape", shape)
    if shape is not None and prod(shape) != estimator.n_features_in_:
        raise ValueError(f"image_shape should have {estimator.n_features_in_} pixels, got {shape}")
    estimator.grey_ = bool(header["grey"])
    estimator.seed_ = integer("seed", header["seed"], at_least=0)
    estimator.history_ = History.from_file(header["history"], header.get("terms", {}))
    return estimator
