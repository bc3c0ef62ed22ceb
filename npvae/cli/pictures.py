"""The pictures that ``npvae train`` leaves: each is drawn where the model has what it shows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.cli.arguments import SCATTERED
from npvae.datasets import Dataset

Drawing = Callable[[ModuleType, Any, Dataset, Dataset], Any]
"""From `npvae.plots`, the model, the rows to reconstruct and those to scatter to a figure, or None for no picture."""


def _learning_curves(plots: ModuleType, model: Any, shown: Dataset, data: Dataset) -> Any:
    return plots.learning_curves(model.history_) if model.history_.n_rows else None


def _latents(plots: ModuleType, model: Any, shown: Dataset, data: Dataset) -> Any:
    if model.n_latents_ < 2:
        return None
    seen = data.take(slice(0, SCATTERED))
    z = np.asarray(model.transform(seen.given))
    return plots.latent_scatter(z, seen.labels, dimensions=most_varied(z))


def most_varied(z: NDArray) -> tuple[int, ...]:
    """The two latents that vary most over the rows, in their order."""
    return tuple(sorted(np.argsort(-z.var(axis=0), kind="stable")[:2].tolist()))


def _samples(plots: ModuleType, model: Any, shown: Dataset, data: Dataset) -> Any:
    return plots.image_grid(model.sample(64, random_state=0), model.image_shape_)


def _reconstructions(plots: ModuleType, model: Any, shown: Dataset, data: Dataset) -> Any:
    x = shown.x[:12]
    return plots.reconstructions(x, model.reconstruct(x), model.image_shape_)


def _interpolations(plots: ModuleType, model: Any, shown: Dataset, data: Dataset) -> Any:
    pairs = shown.x[: len(shown) // 2 * 2][:10].reshape(-1, 2, shown.x.shape[1])
    between = [model.interpolate(*pair) for pair in pairs]
    return plots.interpolations(np.stack(between), model.image_shape_, ends=pairs) if between else None


def _manifold(plots: ModuleType, model: Any, shown: Dataset, data: Dataset) -> Any:
    if model.n_latents_ != 2:
        return None
    return plots.manifold(model.inverse_transform(plots.manifold_grid(20)), image_shape=model.image_shape_)


PICTURES: dict[str, tuple[str, bool, Drawing]] = {
    "learning_curves": ("fit", False, _learning_curves),
    "latents": ("transform", False, _latents),
    "samples": ("sample", True, _samples),
    "reconstructions": ("reconstruct", True, _reconstructions),
    "interpolations": ("interpolate", True, _interpolations),
    "manifold": ("inverse_transform", True, _manifold),
}
"""By name: the method that the picture shows, whether rows have to be images, and what draws it."""


def draw_pictures(model: Any, shown: Dataset, data: Dataset, folder: Path) -> str:
    """Draw what the model can show into `folder`: `shown` is reconstructed, `data` is scattered by class.

    An estimator may have pictures of its own, see `Estimator.pictures`. Returns a line that says which were drawn, or
    why none.
    """
    try:
        from npvae import plots

        plots.require_matplotlib()
    except ImportError as error:
        return f"no pictures: {error}"

    images = model.image_shape_ is not None and (len(model.image_shape_) == 2 or model.image_shape_[2:] == (3,))
    drawn = {}
    for name, (method, needs_images, draw) in PICTURES.items():
        if hasattr(model, method) and (images or not needs_images):
            drawn[name] = draw(plots, model, shown, data)
    drawn |= model.pictures(plots, shown)
    for name, picture in drawn.items():
        if picture is not None:
            what = f"{title(model, data.name)}: {name.replace('_', ' ')}"
            plots.save(plots.titled(picture, what), folder / f"{name}.png")
    names = ", ".join(f"{name}.png" for name, picture in drawn.items() if picture is not None)
    return f"drew {names}" if names else "no pictures: a model of this kind has none of such data"


def title(model: Any, data: str) -> str:
    """Model and data in a few words, for above a picture."""
    latents = getattr(model, "n_latents_", None)
    how_many = f", {latents} {model.latent_name}{'s' * (latents != 1)}" if latents else ""
    return f"{type(model).__name__}{how_many}{', ' * bool(data)}{data}"
