"""What all estimators share: options, the way of data into a model, fitted state that changes all at once, one file."""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import wraps
from numbers import Integral
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from npvae.datasets import Dataset
from npvae.datasets.channels import channels_last
from npvae.datasets.coding import Coding
from npvae.datasets.scaling import SCALES, Scaling
from npvae.estimators import persistence
from npvae.estimators.conventions import Conventions
from npvae.estimators.flat_pictures import picture_shape
from npvae.estimators.objects import described
from npvae.estimators.options import document, option, options_of
from npvae.estimators.tables import library_of, names_and_values, require_same_names
from npvae.models import Model
from npvae.numerics import keep_freed_memory
from npvae.parameters import Parameters
from npvae.training import History
from npvae.validation import (
    ArgumentError,
    ArgumentTypeError,
    WidthError,
    data_matrix,
    integer,
    numeric_array,
    require_squares,
)

if sys.version_info >= (3, 11):
    from typing import dataclass_transform
else:

    def dataclass_transform(**_: Any) -> Callable:
        """Python 3.10 has no word for it; type checkers know it nevertheless."""
        return lambda decorator: decorator


__all__ = ["Estimator", "Rows", "by_rows", "estimator", "needs_fit", "random_seed"]

E = TypeVar("E", bound="Estimator")
T = TypeVar("T", bound=type)

DTYPES = {"float32": np.float32, "float64": np.float64}

ROWS = 1000
"""Rows that go through a network at a time outside training; bounds the memory."""


class Rows(NamedTuple):
    """Data on their way into a model."""

    x: NDArray
    """(n, d), finite, scaled, in the model's precision."""
    names: list[str] | None
    """The names of the columns, where they have names."""
    image_shape: tuple[int, ...] | None
    """Shape of a row as a picture."""
    scaling: Scaling | Coding
    """What brought the data to this scale."""
    library: str | None = None
    """The library of the frame that they came in: "pandas", "polars", or None."""


@dataclass_transform()
def estimator(cls: T) -> T:
    """Make an estimator of a class: its fields are its options, and its docstring lists them."""
    return document(dataclass(eq=False, repr=False)(cls))


def needs_fit(method: Callable[..., Any]) -> Callable[..., Any]:
    """Refuse the method before `fit`; let it see one fitted state from beginning to end, whoever fits meanwhile."""

    @wraps(method)
    def on_snapshot(self: Estimator, *args: Any, **kwargs: Any) -> Any:
        self._require_fitted()
        return method(copy(self), *args, **kwargs)

    return on_snapshot


@dataclass(eq=False, repr=False, kw_only=True)
class Estimator(Conventions, ABC):
    """Base of the estimators: a subclass declares options, builds a model, and says how that learns.

    Hooks
    -----
    _build(n_features, n_rows)
        The model that the options describe; without a number of rows it is not to be trained.
    _learn(model, rows)
        Fitted attributes by name, "theta_" among them, from the training rows.
    _state(), _restore(state, arrays)
        What a file holds beside the parameters, and how it comes back.
    """

    scale: str = option(
        "auto",
        "bring the data to a common scale first: auto divides 8-bit data by 255, leaves data in [0, 1] alone and "
        "standardises the columns of others",
        choices=SCALES,
        group="data",
    )
    random_state: int | np.random.Generator | None = option(
        None, "seed of all random numbers", kind=int, optional=True, typed_default=0, group="training", flag="seed",
        metavar="N", fixed=False,
    )  # fmt: skip
    verbose: bool = option(False, "print the progress to standard error", group="training", flag=None, fixed=False)

    # ---- hooks -------------------------------------------------------------------------------------------------------

    @abstractmethod
    def _build(self, n_features: int, n_rows: int | None = None) -> Model:
        """The model that the options describe."""

    def _learn(self, model: Model, rows: Rows) -> dict[str, Any]:
        """Fitted attributes by name; an estimator that learns by the training loop has a `fit` of its own instead."""
        raise TypeError(f"{type(self).__name__} has neither a fit nor a _learn of its own")

    def _decide(self, x: NDArray) -> dict[str, Any]:
        """The options that the data decide, by name; x are the training rows on the model's scale."""
        return {}

    def _decide_shape(self, image_shape: tuple[int, ...] | None) -> dict[str, Any]:
        """The options that the shape of a row as a picture decides, by name."""
        return {}

    def _state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        """What else a file holds: numbers and words for its header, and arrays by name."""
        return {}, {}

    def _restore(self, state: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        """Set what `_state` told; a ValueError if it cannot be."""

    def facts(self) -> dict[str, Any]:
        """What ``npvae info`` tells of the fitted model beside its options and sizes."""
        return self._state()[0]

    def summary(self) -> list[str]:
        """The result of the fit in a few lines."""
        return []

    def pictures(self, plots: ModuleType, shown: Dataset) -> dict[str, Any]:
        """Figures of its own by name, drawn with `npvae.plots`, beside those that every model has."""
        return {}

    # ---- fitting -----------------------------------------------------------------------------------------------------

    @property
    def _dtype(self) -> DTypeLike:
        """The precision of the model."""
        return DTYPES[self._option("dtype")] if hasattr(self, "dtype") else np.float64

    def _option(self, name: str) -> Any:
        """The value of an option, checked."""
        return options_of(self)[name].check(getattr(self, name))

    def _check_options(self) -> None:
        """An `ArgumentError` for the first option that cannot be, before any work is done."""
        for name, declared in options_of(self).items():
            if name != "random_state":  # `random_seed` takes more than an integer
                declared.check(getattr(self, name))

    def fit(self: E, X: ArrayLike, y: Any = None) -> E:
        """Learn from the rows of X (n, d), (n, height, width) or a frame; `y` is ignored.

        Raises
        ------
        TypeError, ValueError
            For an option or data that cannot be; the estimator stays as it was.
        """
        self._check_options()
        rows = self._training_rows(X)
        decided = self._decided(rows)
        model = decided._build(rows.x.shape[1], len(rows.x))
        decided._adopt(model, rows, decided._learn(model, rows))
        self._take_over(decided)
        return self

    def _decided(self: E, rows: Rows) -> E:
        """A copy of this estimator whose options are those that the data have decided."""
        decided = copy(self)
        decided._scaling = rows.scaling
        vars(decided).update(decided._decide(rows.x) | decided._decide_shape(rows.image_shape))
        return decided

    def _training_rows(self, X: ArrayLike) -> Rows:
        """The rows to learn from, at least two, and the scaling that they teach."""
        names, values = names_and_values("X", X)
        given = channels_last(numeric_array("X", values))
        x = data_matrix("X", given, dtype=None, names=names)
        require_squares("X", x, names)
        if len(x) < 2:
            raise ArgumentError("X", "have at least two rows to learn from", f"shape {given.shape}, one sample")
        scaling = self._scaling_of(x)
        shape = picture_shape(x, given.shape, names)
        return Rows(data_matrix("X", scaling(x), dtype=self._dtype, names=names), names, shape, scaling, library_of(X))

    def _scaling_of(self, x: NDArray) -> Scaling:
        """The scaling of the training rows, as `scale` says."""
        return Scaling.learn(x, self.scale)

    def _rows(self, X: ArrayLike, argument: str = "X") -> NDArray:
        """Rows (n, d) as the fitted model sees them: of its columns, on its scale, in its precision."""
        known = getattr(self, "feature_names_in_", None)
        names = None if known is None else list(known)
        return self._scaled(argument, X, self.scaling_, self.n_features_in_, names, self.image_shape_)

    def _scaled(
        self,
        argument: str,
        X: ArrayLike,
        scaling: Scaling | Coding,
        n_features: int,
        known: list[str] | None,
        image_shape: tuple[int, ...] | None,
    ) -> NDArray:
        """Rows on that scale, if they have so many columns, of those names and that shape where both have any."""
        names, values = names_and_values(argument, X)
        if names is not None and known is not None:
            require_same_names(argument, names, known, type(self).__name__)
        given = channels_last(numeric_array(argument, values))
        x = data_matrix(argument, given, dtype=None, names=names)
        self._require_width(argument, x.shape[1], n_features, given.shape)
        require_same_images(argument, image_shape, given.shape[1:])
        return data_matrix(argument, scaling(x), dtype=self._dtype, names=names)

    def _require_width(self, argument: str, got: int, n_features: int, shape: tuple[int, ...]) -> None:
        if got != n_features:
            words = f"{argument} has {got} features, but {type(self).__name__} is expecting {n_features}"
            advice = f"{words} features as input, got shape {shape}"
            raise WidthError(argument, f"have {n_features} features", f"shape {shape}", advice)

    def _adopt(self, model: Model, rows: Rows, learnt: dict[str, Any]) -> None:
        """Put the new fitted state in the place of the old one, in one move."""
        params = self.get_params()
        if not isinstance(params["random_state"], Integral | None):  # a generator has moved on
            params["random_state"] = learnt["seed_"]
        fitted = {
            "model_": model,
            "params_": {name: described(value) for name, value in params.items()},
            "n_features_in_": rows.scaling.n_columns(rows.x.shape[1]),
            "image_shape_": rows.image_shape,
            "scaling_": rows.scaling,
            "history_": History(),
            **({} if rows.names is None else {"feature_names_in_": np.array(rows.names, dtype=object)}),
            **({} if rows.library is None else {"library_": rows.library}),
            **learnt,
        }
        self.__dict__ = self._unfitted() | fitted

    def _unfitted(self) -> dict[str, Any]:
        """All attributes that no fit has set."""
        return {name: value for name, value in vars(self).items() if not name.endswith("_") or name.startswith("_")}

    def _take_over(self, other: Estimator) -> None:
        """Put the fitted state of another one in the place of its own, in one move."""
        unfitted = other._unfitted()
        fitted = {name: value for name, value in vars(other).items() if name not in unfitted}
        self.__dict__ = self._unfitted() | fitted

    # ---- one file ----------------------------------------------------------------------------------------------------

    @needs_fit
    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to one .npz file, without pickle; `npvae.load` reads it."""
        persistence.save(path, self)

    @classmethod
    def load(cls: type[E], path: str | Path) -> E:
        """Read what `save` wrote; a StorageError says what is wrong with a file that is not that."""
        return persistence.load(path, {cls.__name__: cls})


def random_seed(random_state: int | np.random.Generator | np.random.RandomState | None) -> int:
    """A seed from what scikit-learn calls a random state: itself, a draw from a generator, or fresh entropy."""
    if random_state is None:
        return int(np.random.SeedSequence().entropy)
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(2**63))
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(2**31))
    if not isinstance(random_state, Integral):
        got, rule = type(random_state).__name__, "be an integer, a numpy.random.Generator or None"
        raise ArgumentTypeError("random_state", rule, got)
    return integer("random_state", random_state, at_least=0)


def require_same_images(argument: str, shape: tuple[int, ...] | None, got: tuple[int, ...]) -> None:
    """An `ArgumentError` for images of another shape than those of the fit; rows of numbers have none."""
    if shape is not None and len(got) > 1 and got != tuple(shape):
        advice = "rows of numbers have no shape: X.reshape(len(X), -1)"
        raise ArgumentError(argument, f"have images of shape {tuple(shape)}, as in the fit", got, advice)


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


def theta_of(model: Model, arrays: dict[str, NDArray], dtype: DTypeLike) -> Parameters:
    """The parameters of a model from arrays that came out of a file; a ValueError says what does not fit."""
    for name in sorted({*arrays, *model.shapes}):
        found = arrays[name].shape if name in arrays else None
        if found != model.shapes.get(name):
            raise ValueError(f"{name} should have shape {model.shapes.get(name)}, got {found}")
        if arrays[name].dtype != dtype:
            raise ValueError(f"{name} should have dtype {np.dtype(dtype)}, got {arrays[name].dtype}")
    theta = Parameters.from_arrays({name: arrays[name] for name in model.shapes}, dtype)
    if not np.isfinite(theta.flat).all():
        raise ValueError("not all parameters are finite")
    return theta
