"""scikit-learn's conventions, without its import: parameters, representation, tags, names of columns, output."""

from __future__ import annotations

import sys
from inspect import signature
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from npvae.estimators.tables import as_frame
from npvae.validation import one_of

__all__ = ["Conventions", "NotFittedError"]

C = TypeVar("C", bound="Conventions")

CONTAINERS = dict.fromkeys(["default", "pandas", "polars"])


class NotFittedError(ValueError, AttributeError):
    """A method that needs a fitted estimator was called before `fit`."""


def not_fitted(message: str) -> NotFittedError:
    """The error; where scikit-learn is at work, it is one of scikit-learn's as well."""
    sklearn = sys.modules.get("sklearn.exceptions")
    if sklearn is None:
        return NotFittedError(message)
    return type("NotFittedError", (NotFittedError, sklearn.NotFittedError), {})(message)


class Conventions:
    """What tools expect of every estimator.

    Hyper-parameters are the arguments of ``__init__``, which stores them as given and does nothing else; they are
    checked in `fit`. What `fit` learns ends in an underscore. So an estimator can be cloned from its parameters.
    """

    @classmethod
    def _param_names(cls) -> list[str]:
        return [name for name in signature(cls.__init__).parameters if name != "self"]

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The hyper-parameters by name. `deep` is accepted for scikit-learn's sake; nothing is nested."""
        return {name: getattr(self, name) for name in self._param_names()}

    def set_params(self: C, **params: Any) -> C:
        """Change hyper-parameters by name; an unknown one raises a ValueError that names the nearest known one."""
        for name, value in params.items():
            one_of("parameter name", name, dict.fromkeys(self._param_names()))
            setattr(self, name, value)
        return self

    def _changed(self) -> dict[str, Any]:
        """The parameters that differ from their defaults."""
        defaults, params = signature(type(self).__init__).parameters, self.get_params()
        return {name: value for name, value in params.items() if repr(value) != repr(defaults[name].default)}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._changed().items())})"

    def _repr_html_(self) -> str:
        """A table of all parameters for notebooks, those that are not the default in bold."""
        from html import escape

        changed = self._changed()
        rows = "".join(
            f"<tr><td>{'<b>' * (name in changed)}{escape(name)}{'</b>' * (name in changed)}</td>"
            f"<td>{escape(repr(value))}</td></tr>"
            for name, value in self.get_params().items()
        )
        state = "fitted" if self.__sklearn_is_fitted__() else "not fitted"
        return f"<details><summary>{escape(repr(self))} ({state})</summary><table>{rows}</table></details>"

    def _tags(self) -> dict[str, Any]:
        """The tags that are not scikit-learn's defaults, such as ``{"non_deterministic": True}``."""
        return {}

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn asks of an estimator before it searches, validates or chains; nobody else calls this."""
        from sklearn.utils import InputTags, Tags, TargetTags, TransformerTags

        special = self._tags()
        transforms = TransformerTags(preserves_dtype=[]) if hasattr(self, "transform") else None
        return Tags(
            estimator_type=special.get("estimator_type"),
            target_tags=TargetTags(required=False),
            transformer_tags=transforms,
            input_tags=InputTags(allow_nan=special.get("allow_nan", False)),
            non_deterministic=special.get("non_deterministic", False),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "theta_")

    def _require_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise not_fitted(f"this {type(self).__name__} is not fitted yet: call fit(X) first")

    def set_output(self: C, *, transform: str | None = None) -> C:
        """Choose what `transform` returns: "default" an array, "pandas" or "polars" a frame; None changes nothing."""
        if transform is not None:
            one_of("transform", transform, CONTAINERS)
            self._sklearn_output_config = {"transform": transform}
        return self

    def _output(self, values: NDArray, like: Any) -> Any:
        """`values` in the container that `set_output` chose, here or in scikit-learn's configuration."""
        chosen = getattr(self, "_sklearn_output_config", {}).get("transform")
        if chosen is None and (sklearn := sys.modules.get("sklearn")) is not None:
            chosen = sklearn.get_config().get("transform_output", "default")
        if chosen in (None, "default"):
            return values
        return as_frame(values, self.get_feature_names_out(), chosen, like)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray:
        """The names of the columns of `transform`: z1, z2, …; `input_features` is held against those of the fit."""
        self._require_fitted()
        known = getattr(self, "feature_names_in_", None)
        if input_features is not None:
            if known is not None and list(input_features) != list(known):
                raise ValueError("input_features is not equal to feature_names_in_")
            if len(input_features) != self.n_features_in_:
                raise ValueError(f"input_features should have length equal to n_features_in_ ({self.n_features_in_})")
        return np.array([f"z{i + 1}" for i in range(self.n_latents_)], dtype=object)
