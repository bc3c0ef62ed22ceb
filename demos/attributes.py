"""Attribute vectors: a direction in the latent space that thickens, slants, or makes a seven of any digit.

The difference of two mean codes, images with the attribute minus images without, is a vector v. An image is encoded,
t · v is added to its code, and the sum is decoded. The embedded digits know by which thickness and slant they were
drawn, so that it can be measured what the vector does.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npvae import VAE, datasets, plots

STEPS = np.linspace(-1.5, 1.5, 9)


def ink_and_slant(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean grey value of each image, and by how many pixels a pixel upwards its ink leans to the right."""
    x = images.reshape(-1, 28, 28)
    mass = x.sum(axis=(1, 2))
    place = np.arange(28.0)
    row, column = (x @ place).sum(axis=1) / mass, (x.sum(axis=2) @ place) / mass
    across, down = place - row[:, None], place - column[:, None]
    covariance = np.einsum("nij,ni,nj->n", x, down, across) / mass
    return x.mean(axis=(1, 2)), -covariance / ((x.sum(axis=2) * down**2).sum(axis=1) / mass)


def run() -> Figure:
    """Train, add three vectors to the same digits, draw and measure."""
    digits, test = datasets.digits(10_000, seed=0), datasets.digits(2000, seed=1)
    vae = VAE(16, 300, binarize="dynamic", epochs=15, batch_size=100, random_state=0).fit(digits.x)
    thickness, slant = test.factors["thickness"], test.factors["slant"]
    masks = {"thick": thickness > np.median(thickness), "slanted": slant > np.median(slant), "seven": test.labels == 7}
    z = vae.transform(test.x)
    figure = Figure(figsize=(11, 3.8), layout="constrained")
    for ax, (name, mask) in zip(figure.subplots(1, 3), masks.items(), strict=True):
        v = vae.attribute_vector(test.x, mask)
        start = z[:6] if name != "seven" else z[np.flatnonzero(test.labels == 1)[:6]]
        steps = STEPS if name != "seven" else np.linspace(0, 1.5, 9)
        images = np.stack([vae.inverse_transform(start + t * v) for t in steps], axis=1)
        plots.interpolations(images, ax=ax)
        ax.set_title(f"z + t · v, v: {name}")
        ax.set(xlabel="t", xticklabels=[f"{steps[round(tick) // 29]:.2g}" for tick in ax.get_xticks()])
        measured = [ink_and_slant(images[:, i]) for i in (0, -1)]
        (ink0, slant0), (ink1, slant1) = ([float(values.mean()) for values in both] for both in measured)
        print(f"{name:8} ink {ink0:.3f} -> {ink1:.3f}, slant {slant0:5.2f} -> {slant1:5.2f}", flush=True)
    return figure
