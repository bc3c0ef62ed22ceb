"""A fitted estimator as one file, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from npvae import storage
from npvae.parameters import Parameters
from npvae.training import History
from npvae.validation import integer, widths

if TYPE_CHECKING:
    from npvae.estimators.vae import VAE


def save_estimator(path: str | Path, estimator: VAE) -> None:
    """Write hyper-parameters, parameters and history; the optimiser's moments belong to checkpoints."""
    params = estimator.get_params()
    if isinstance(params["random_state"], np.random.Generator):
        params["random_state"] = estimator.seed_
    header = {
        "kind": "estimator",
        "estimator": type(estimator).__name__,
        "params": {name: _plain(value) for name, value in params.items()},
        "seed": estimator.seed_,
        "n_features": estimator.n_features_in_,
        "image_shape": estimator.image_shape_,
        "grey": estimator.grey_,
        "history": dict(estimator.history_),
    }
    storage.save(path, header, dict(estimator.theta_))


def _plain(value: Any) -> Any:
    """A hyper-parameter in Python's own types: NumPy's numbers are accepted as such, but JSON does not know them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(entry) for entry in value]
    return value


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
    model = estimator._model(integer("n_features", header["n_features"], at_least=1))
    shapes = {name: array.shape for name, array in arrays.items()}
    for name in sorted({*shapes, *model.shapes}):
        if shapes.get(name) != model.shapes.get(name):
            raise ValueError(f"{name} should have shape {model.shapes.get(name)}, got {shapes.get(name)}")
        if arrays[name].dtype != estimator.dtype:
            raise ValueError(f"{name} should have dtype {estimator.dtype}, got {arrays[name].dtype}")
    theta = Parameters.from_arrays({name: arrays[name] for name in model.shapes}, estimator.dtype)
    if not np.isfinite(theta.flat).all():
        raise ValueError("not all parameters are finite")
    estimator.model_, estimator.theta_ = model, theta
    estimator.n_features_in_, shape = header["n_features"], header["image_shape"]
    estimator.image_shape_ = shape = None if shape is None else widths("image_shape", shape)
    if shape is not None and prod(shape) != estimator.n_features_in_:
        raise ValueError(f"image_shape should have {estimator.n_features_in_} pixels, got {shape}")
    estimator.grey_ = bool(header["grey"])
    estimator.seed_ = integer("seed", header["seed"], at_least=0)
    estimator.history_ = History(header["history"])
    return estimator
