"""An estimator as one file: its options, parameters and history, without pickle."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from npvae import storage
from npvae.datasets.coding import Coding
from npvae.datasets.scaling import SCALED, Scaling
from npvae.estimators.objects import described, rebuilt
from npvae.estimators.options import Option, options_of
from npvae.estimators.registry import class_named
from npvae.parameters import Parameters
from npvae.training import History
from npvae.training.checkpoint import identity, require_same_header
from npvae.validation import ArgumentError, integer, number, one_of, widths

if TYPE_CHECKING:
    from npvae.estimators.base import Estimator

__all__ = ["load", "save"]

OWN = "estimator."
"""Before the names of arrays that are no parameters."""

MOST_AXES = 31
"""Axes of a row as a picture: an array of NumPy has one more at the most."""

HISTORY = "history."
"""Before the names of the columns of the history, behind that."""

LATENT = "latent_model."
"""Before the names of arrays of a model of the latents, behind that."""


def save(path: str | Path, fitted: Estimator) -> None:
    """Write options, parameters and history; the optimiser's moments belong to checkpoints."""
    storage.save(path, *_packed(fitted))


def _packed(fitted: Estimator) -> tuple[dict[str, Any], dict[str, NDArray]]:
    """Header and arrays of an estimator; what it has learned beside its fit comes last."""
    state, arrays = fitted._state()
    names = getattr(fitted, "feature_names_in_", None)
    header = {
        "kind": "estimator",
        "estimator": type(fitted).__name__,
        "params": fitted.params_,
        "seed": fitted.seed_,
        "n_features": fitted.n_features_in_,
        "feature_names": None if names is None else list(names),
        **({"library": fitted.library_} if hasattr(fitted, "library_") else {}),
        "image_shape": fitted.image_shape_,
        "scaling": fitted.scaling_.how,
        **({"coding": fitted.scaling_.header()} if isinstance(fitted.scaling_, Coding) else {}),
        **({"run": fitted.identity_} if hasattr(fitted, "identity_") else {}),
        "terms": fitted.history_.to_header(),
        **state,
    }
    if not isinstance(fitted.scaling_, Coding):
        arrays = {**arrays, "shift": np.asarray(fitted.scaling_.shift), "unit": np.asarray(fitted.scaling_.unit)}
    arrays = {**arrays, **{HISTORY + name: column for name, column in fitted.history_.to_arrays().items()}}
    if hasattr(fitted, "offset_"):
        header["threshold"] = {"offset": fitted.offset_, "contamination": fitted.contamination_}
    if hasattr(fitted, "latent_model_"):
        header["latent_model"], inner = _packed(fitted.latent_model_)
        arrays = arrays | {LATENT + name: array for name, array in inner.items()}
    return header, dict(fitted.theta_) | {OWN + name: array for name, array in arrays.items()}


def load(path: str | Path, classes: Mapping[str, type[Estimator]] | Callable[[str], type[Estimator]]) -> Estimator:
    """Read an estimator. The model is built, and the arrays are held against its shapes.

    Parameters
    ----------
    path : str or Path
    classes : mapping or callable
        The class for the name in the file.

    Raises
    ------
    FileNotFoundError, IsADirectoryError
    StorageError
        If the file is damaged, holds something else, is a model that is not known here, or its arrays do not fit its
        options.
    """
    header, arrays = storage.load(path)
    name = header.get("estimator")
    if header.get("kind") != "estimator" or not isinstance(name, str):
        raise storage.StorageError(f"{path}: expected a model, got {header.get('kind', 'another file')!r:.60}")
    try:
        cls = classes(name) if callable(classes) else classes[name]
    except (KeyError, ValueError) as error:
        known = f"expected {', '.join(classes)}" if isinstance(classes, Mapping) else str(error)
        advice = "one of your own is registered first, by npvae.register"
        raise storage.StorageError(
            f"{path}: is a model {name!r:.60} that is not known here: {known}; {advice}"
        ) from None
    try:
        return _restored(cls, header, arrays)
    except (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError) as error:
        own = isinstance(error, ArgumentError) and getattr(options_of(cls).get(error.argument), "members", ())
        advice = "; one of your own is registered first: import its module" if own else ""
        raise storage.StorageError(f"{path}: the header does not describe a {name}: {error}{advice}") from None


def _restored(cls: type[Estimator], header: Mapping[str, Any], arrays: Mapping[str, NDArray]) -> Estimator:
    from npvae.estimators.base import theta_of

    own = {name[len(OWN) :]: array for name, array in arrays.items() if name.startswith(OWN)}
    parameters = {name: array for name, array in arrays.items() if not name.startswith(OWN)}
    table = options_of(cls)
    _require_borne_out(header, table, arrays)
    params = dict(header["params"])
    if unknown := set(params) - set(table):
        raise ValueError(f"it has no option {', '.join(sorted(unknown))}")
    params.setdefault("scale", "none")  # a file from before the scaling holds a model of data as they were
    params |= {name: described(o.default) for name, o in table.items() if name not in params}
    made = {name: rebuilt(value, table[name].members) for name, value in params.items() if table[name].members}
    fitted = cls(**{**params, **made})
    fitted._check_options()
    if fitted.random_state is not None:
        integer("random_state", fitted.random_state, at_least=0)
    n_features = integer("n_features", header["n_features"], at_least=1)
    scaling = fitted._scaling = _scaling(header, own, n_features)
    model = fitted._build(scaling.n_features(n_features))
    theta: Parameters = theta_of(model, parameters, fitted._dtype)
    shape = header["image_shape"]
    shape = None if shape is None else widths("image_shape", shape)
    if shape is not None and prod(shape) != n_features:
        raise ValueError(f"image_shape should have {n_features} pixels, got {shape}")
    vars(fitted).update(
        model_=model,
        theta_=theta,
        params_=params,
        n_features_in_=n_features,
        image_shape_=shape,
        scaling_=scaling,
        seed_=integer("seed", header["seed"], at_least=0),
        history_=History.from_file(_columns(header, own), header.get("terms", {})),
    )
    if "run" in header:
        fitted.identity_ = identity(header)
    names = header.get("feature_names")
    if names is not None:
        if len(names) != n_features or not all(isinstance(name, str) for name in names):
            raise ValueError(f"feature_names should be {n_features} names, got {names!r:.60}")
        fitted.feature_names_in_ = np.array(names, dtype=object)
    if header.get("library") in ("pandas", "polars"):
        fitted.library_ = header["library"]
    _restore_extras(fitted, header, own)
    own = {name: array for name, array in own.items() if not name.startswith((LATENT, HISTORY))}
    fitted._restore(dict(header), own)
    require_same_header(header, {**_packed(fitted)[0], "params": header["params"]})
    return fitted


def _require_borne_out(header: Mapping[str, Any], table: Mapping[str, Option], arrays: Mapping[str, NDArray]) -> None:
    """A ValueError where a header claims more than the arrays bear out, before anything is made of it."""
    for name, array in arrays.items():
        if name.startswith(OWN) and array.dtype.kind == "c":
            raise ValueError(f"{name} should hold real numbers, got {array.dtype}")
    size = sum(array.size for array in arrays.values())
    if integer("n_features", header["n_features"], at_least=1) > size:
        raise ValueError(f"n_features should have shapes to bear it out, got {header['n_features']}")
    if not isinstance(header["params"], dict):
        raise ValueError(f"params should be options by name, got {header['params']!r:.60}")
    shape = header["image_shape"]
    if isinstance(shape, list) and len(shape) > MOST_AXES:
        raise ValueError(f"image_shape should have at most {MOST_AXES} axes, got {len(shape):,}")
    for name, value in dict(header["params"]).items():
        most = header["n_features"] if name in table and table[name].kind is not tuple else 0
        if isinstance(value, list | dict) and len(value) > len(arrays) + most:
            raise ValueError(f"{name} should have no more entries than there are layers, got {len(value):,}")


def _columns(header: Mapping[str, Any], own: Mapping[str, NDArray]) -> Mapping[str, Any]:
    """The columns of the history; files of the first kind have them in the header."""
    arrays = {name[len(HISTORY) :]: array for name, array in own.items() if name.startswith(HISTORY)}
    return header.get("history", arrays)


def _restore_extras(fitted: Estimator, header: Mapping[str, Any], own: Mapping[str, NDArray]) -> None:
    """What was learned beside the fit: a threshold for outliers, a model of the latents."""
    if (threshold := header.get("threshold")) is not None:
        fitted.offset_ = number("offset", threshold["offset"])
        fitted.contamination_ = number("contamination", threshold["contamination"], above=0)
    if (inner := header.get("latent_model")) is not None:
        arrays = {name[len(LATENT) :]: array for name, array in own.items() if name.startswith(LATENT)}
        fitted.latent_model_ = _restored(class_named(inner["estimator"]), inner, arrays)
        if fitted.latent_model_.n_features_in_ != fitted.n_latents_:
            raise ValueError(f"latent_model should have {fitted.n_latents_} features")


def _scaling(header: Mapping[str, Any], arrays: Mapping[str, NDArray], n_features: int) -> Scaling | Coding:
    how = one_of("scaling", header.get("scaling", "none"), {name: name for name in (*SCALED, Coding.how)})
    if how == Coding.how:
        coding = Coding.from_header(header["coding"])
        if len(coding.columns) != n_features:
            raise ValueError(f"the coding should have {n_features} columns, got {len(coding.columns)}")
        return coding
    shift, unit = (arrays.get(name, np.asarray(default)) for name, default in (("shift", 0.0), ("unit", 1.0)))
    for name, array in (("shift", shift), ("unit", unit)):
        if array.shape not in ((), (n_features,)) or not np.isfinite(array).all():
            raise ValueError(f"{name} should be finite and have shape ({n_features},), got {array.shape}")
    if not (unit > 0).all():
        raise ValueError("unit should be positive")
    return Scaling(how, shift, unit)
