"""``python -m benchmarks published linear``: a linear autoencoder, trained by Adam, against principal components.

Without hidden units the squared error is least where the decoder spans the principal subspace (Baldi & Hornik, Neural
networks and principal component analysis, 1989). How fast a training gets there is another matter: the gap between the
last variance that is kept and the first that is not is what turns the subspace, and the noise of the steps turns it
back. So the rate has to fall to nearly nothing at the end, along half a cosine, and steps have to be many: small
batches. The oracle is the singular value decomposition of the centred training images.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from benchmarks import files
from benchmarks.estimates import row
from benchmarks.published.autoencoders import add_options, finish, images, per_pixel, recipe, trained
from npvae import PCA, Autoencoder


def main(argv: list[str]) -> int:
    """Train for every number of latents, compare, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks published linear", description=__doc__)
    parser.add_argument("--latents", type=files.count, nargs="+", default=[2, 8], metavar="D", help="of a code (2 8)")
    add_options(parser, "20", "linear")
    args = parser.parse_args(argv)
    x, test, data = images(args.quick)
    rows, results = [], {}
    for d in args.latents:
        model = trained(Autoencoder(d, hidden=(), **recipe(args, 20)), x.x, args, str(d))
        pca = PCA(d).fit(x.x)
        parts = {"training": x.x, "test": test.x}
        excess = {name: per_pixel(part, model) / per_pixel(part, pca) - 1 for name, part in parts.items()}
        angle = largest_angle(model.theta_["decoder.0.W"].T, principal_subspace(x.x, d))
        what = "error above PCA's, test images; largest angle to its subspace"
        notes = f"above PCA's on the training images {excess['training']:.1e}; {model.n_iter_} epochs"
        here, seconds = f"{excess['test']:.4%}, {angle:.2f}°", sum(model.history_["seconds"][-1:])
        rows.append(row(f"linear autoencoder, {d} latents", data, what, here, "–", notes, seconds))
        results[str(d)] = {"excess": excess, "degrees": angle}
    finish(args, "linear", recipe(args, 20) | {"data": data, "images": len(x)}, rows, results, {})
    return 0


def principal_subspace(x: NDArray, d: int) -> NDArray:
    """The d right singular vectors of the centred rows that belong to the largest singular values, as columns."""
    centred = x.astype(np.float64) - x.mean(axis=0, dtype=np.float64)
    triangle = np.linalg.qr(centred, mode="r")  # with the same right singular vectors, and far smaller
    return np.linalg.svd(triangle)[2][:d].T


def largest_angle(columns: NDArray, others: NDArray) -> float:
    """The largest principal angle between two column spaces of one dimension, degrees.

    Its sine is the spectral norm of what the first has outside of the second: exact for small angles too.
    """
    basis = np.linalg.qr(columns.astype(np.float64))[0]
    outside = basis - others @ (others.T @ basis)
    return float(np.degrees(np.arcsin(min(1.0, np.linalg.norm(outside, 2)))))
