"""A simple map makes a ring of a Gaussian, and a VAE learns such a map.

z ~ N(0, I) in the plane and f(z) = z/10 + z/‖z‖: every point goes to about distance one from the origin, along its
own ray. So a decoder can make any density out of N(0, I) if it is flexible enough. On the right is what a VAE that
has only seen points of the ring has learned: draws of z from the prior, and of x from p(x|z). Its map is continuous,
so that some points stay in the middle. Doersch, Tutorial on variational autoencoders (arXiv 1606.05908), figure 2.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npvae import VAE, datasets


def run() -> Figure:
    """Map, train, draw; the colour is the angle of z."""
    data = datasets.ring(5000, np.random.default_rng(0))
    z = np.stack([data.factors["z1"], data.factors["z2"]], axis=1)
    vae = VAE(2, (64, 64), "tanh", likelihood="gaussian", sigma=0.1, epochs=80, batch_size=100, random_state=0)
    vae.set_params(learning_rate=3e-3, schedule="cosine").fit(data.x)
    z_new = np.random.default_rng(1).standard_normal((5000, 2))
    noise = 0.1 * np.random.default_rng(2).standard_normal(z_new.shape)
    drawn = vae.inverse_transform(z_new) + noise
    for name, x in (("data", data.x), ("VAE", drawn)):
        radius = np.linalg.norm(x, axis=1)
        print(f"{name:5} distance from the origin: mean {radius.mean():.3f}, standard deviation {radius.std():.3f}")

    figure = Figure(figsize=(10.5, 3.6), layout="constrained")
    panels = {
        "z ~ N(0, I)": (z, z),
        "data: z/10 + z/‖z‖": (data.x, z),
        "VAE: z ~ N(0, I), x ~ p(x|z)": (drawn, z_new),
    }
    for ax, (title, (x, source)) in zip(figure.subplots(1, 3), panels.items(), strict=True):
        angle = np.arctan2(source[:, 1], source[:, 0])
        ax.scatter(*x.T, c=angle, cmap="twilight", s=3, linewidths=0, rasterized=True)
        ax.set(title=title, aspect="equal")
    return figure
