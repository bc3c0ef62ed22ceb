"""How many directions a code follows: the spectrum of an encoder's Jacobian, with and without contraction.

Three encoders of 64 sigmoid units, λ ‖∂h/∂x‖² added to the squared error. The singular values of ∂h/∂x at an image say
how far the code moves when the image does, direction by direction. Without the penalty the code follows almost
everything alike. With it all directions shrink, the last ones most: with λ = 1 the curve bends after some 35
directions, and the remaining ones hardly move the code any more. The squared error has grown by a fifth then (Rifai et
al., Contractive auto-encoders, 2011, figure 3).
"""

from __future__ import annotations

import numpy as np
from matplotlib.figure import Figure

from npvae import ContractiveAutoencoder, datasets, plots

WEIGHTS = (0.0, 0.1, 1.0)


def run(rows: int = 5000, epochs: int = 10) -> Figure:
    """Train one for every weight of the penalty, print, draw the spectra on test images."""
    x, test = datasets.digits(rows, seed=0).x, datasets.digits(300, seed=1).x
    spectra = {}
    for weight in WEIGHTS:
        settings = {"hidden": (), "epochs": epochs, "learning_rate": 0.003, "random_state": 0}
        model = ContractiveAutoencoder(64, **settings, contraction=weight).fit(x)
        spectrum = model.jacobian_spectrum(test)
        error = float(np.square(test - model.reconstruct(test)).sum(axis=1).mean())
        share = np.square(spectrum[:, :10]).sum() / np.square(spectrum).sum()
        norm = np.square(spectrum).sum(axis=1).mean()
        told = f"squared error {error:5.1f} an image, ‖∂h/∂x‖² {norm:6.2f}, {share:.0%} of it in ten directions"
        print(f"λ = {weight:g}: {told}", flush=True)
        spectra[f"λ = {weight:g}, squared error {error:.1f}"] = spectrum
    return plots.jacobian_spectra(spectra).figure
