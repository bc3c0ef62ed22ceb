"""The pictures that a training run leaves."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from npvae import VAE
from npvae.datasets import Dataset

__all__ = ["PICTURES", "draw_pictures"]

PICTURES = ("learning_curves", "latents", "samples", "reconstructions", "interpolations", "manifold")
"""What `draw_pictures` may draw, each into a .png of that name."""


def draw_pictures(vae: VAE, shown: Dataset, data: Dataset, folder: Path) -> str:
    """Draw what the model can show into `folder`: `shown` is reconstructed, `data` is scattered by class.

    Returns
    -------
    str
        A line that says what was drawn, or why nothing was.
    """
    try:
        from npvae import plots

        plots.require_matplotlib()
    except ImportError as error:
        return f"no pictures: {error}"

    pictures = {}
    if vae.history_.n_rows:
        label = "cross-entropy" if vae.grey_ else "reconstruction"
        pictures["learning_curves"] = plots.learning_curves(vae.history_, reconstruction_label=label)
    if vae.latent_dim > 1:
        pictures["latents"] = _scatter(vae, data.take(range(min(len(data), 5000))))
    if vae.image_shape_ is not None and len(vae.image_shape_) == 2:
        pictures |= _images(vae, shown)
    for name, picture in pictures.items():
        plots.save(picture, folder / f"{name}.png")
    return f"drew {', '.join(f'{name}.png' for name in pictures)}"


def _scatter(vae: VAE, data: Dataset):
    from npvae import plots

    z = vae.transform(data.x)
    first, second = sorted(np.argsort(-z.var(axis=0), kind="stable")[:2].tolist())  # those that vary most with x
    return plots.latent_scatter(z, data.labels, dimensions=(first, second))


def _images(vae: VAE, shown: Dataset) -> dict:
    from npvae import plots

    shape, x = vae.image_shape_, shown.x[:12]
    pictures = {
        "samples": plots.image_grid(vae.sample(64, random_state=0), shape),
        "reconstructions": plots.reconstructions(x, vae.reconstruct(x), shape),
    }
    if len(x) > 1:
        pairs = zip(x[0::2][:5], x[1::2][:5], strict=False)
        pictures["interpolations"] = plots.interpolations(np.stack([vae.interpolate(a, b) for a, b in pairs]), shape)
    if vae.latent_dim == 2:
        grid = plots.manifold_grid(20)
        pictures["manifold"] = plots.manifold(vae.inverse_transform(grid), image_shape=shape)
    return pictures
