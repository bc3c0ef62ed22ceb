"""What hidden units look for: an autoencoder's first layer, with and without a penalty on units that are active.

Both have 64 sigmoid units and nothing between them and the pixels. The plain one shares its work out: every image sets
nearly all units a little, and a filter alone is ripples that mean nothing. With the penalty 5 Σ_j KL(0.05 ‖ mean of
h_j) a unit may only be active for one image in twenty, so that it has to look for something that few images have: a
ring, a slanted stroke, an edge. It costs accuracy. Weights begin small: those of pixels that are never on stay as they
are, and would be seen as noise. The bright and dark dots at the border are pixels that are on for a few images only.
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npvae import Autoencoder, SparseAutoencoder, datasets, plots

UNITS = 64


def small(rng: np.random.Generator, n_in: int, n_out: int) -> np.ndarray:
    """Weights with a standard deviation of 0.01."""
    return 0.01 * rng.standard_normal((n_in, n_out))


def run(rows: int = 6000, epochs: int = 20) -> Figure:
    """Train both, print errors and rates, draw the filters."""
    x, test = datasets.digits(rows, seed=0), datasets.digits(500, seed=1).x
    common = {
        "hidden": (),
        "code_activation": "sigmoid",
        "epochs": epochs,
        "learning_rate": 0.003,
        "schedule": "cosine",
        "random_state": 0,
        "init_weights": small,
    }
    models = {
        "plain": Autoencoder(UNITS, **common),
        "sparse": SparseAutoencoder(UNITS, **common, sparsity=5.0, target_rate=0.05),
    }
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    for ax, (name, model) in zip(figure.subplots(1, 2), models.items(), strict=True):
        h = model.fit(x.x).transform(test)
        error = float(np.square(test - model.reconstruct(test)).sum(axis=1).mean())
        active = float((h > 0.1).mean())
        print(
            f"{name:7} squared error {error:5.1f} an image, mean of h {h.mean():.3f}, above 0.1 {active:.1%}",
            flush=True,
        )
        plots.filters(model.theta_["encoder.0.W"], (28, 28), UNITS, ax=ax)
        ax.set_title(f"{name}: error {error:.1f}, {active:.0%} of the units above 0.1")
    return figure
