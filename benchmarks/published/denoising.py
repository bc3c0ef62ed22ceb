"""``python -m benchmarks published denoising``: PSNR of restored MNIST images, beside doing nothing and two filters.

Each noise has a denoising autoencoder of its own (784-500-100-500-784). The median filter (3×3 or 5×5) and the Gaussian
one (standard deviation 0.5 to 3 pixels) are allowed the size that is best on the very test images. PSNR is −10 log₁₀ of
the mean squared error over all images and pixels, in decibels, higher is better; filtered images are clipped to [0, 1].
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.estimates import row, write
from benchmarks.files import RESULTS
from benchmarks.published.autoencoders import add_options, images, recipe, trained
from npvae import DenoisingAutoencoder

LEVELS = {"zeros": (0.5, 0.9), "salt-and-pepper": (0.5,), "gaussian": (0.5, 1.0, 4.0)}
NOISES = [(noise, level) for noise, levels in LEVELS.items() for level in levels]


def main(argv: list[str]) -> int:
    """Train for every noise, restore, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks published denoising", description=__doc__)
    add_options(parser, epochs=5)
    args = parser.parse_args(argv)
    work = args.work or Path("runs/published") / ("denoising" + "-quick" * args.quick)
    x, x_test, data = images(args.quick)
    rows, results = [], {}
    for noise, level in NOISES[:: 3 if args.quick else 1]:
        name = f"{noise}-{level:g}"
        network = {"hidden": 50 if args.quick else 500, "mean_link": "sigmoid"}
        model = DenoisingAutoencoder(100, **network, corruption=noise, noise_level=level, **recipe(args))
        model = trained(model, x, work / f"{name}.npz")
        noisy = model.corrupt(x_test, random_state=1)
        found = {"autoencoder": psnr(x_test, model.denoise(noisy)), "identity": psnr(x_test, noisy)}
        found |= filtered(x_test, noisy)
        others = ", ".join(f"{method} {found[method]:.2f}" for method in ("identity", "median", "gaussian"))
        what = f"PSNR, dB, {len(x_test):,} images"
        seconds = sum(model.history_["seconds"][-1:])
        label = f"denoising autoencoder, {noise} {level:g}"
        rows.append(row(label, data, what, f"{found['autoencoder']:.2f}", "–", others, seconds))
        results[name] = found
    output = args.output or (None if args.quick else RESULTS / "published-denoising.json")
    write(output, "denoising", recipe(args) | {"data": data, "images": len(x)}, rows, results)
    return 0


def filtered(x: NDArray, noisy: NDArray) -> dict[str, float]:
    """PSNR of the best median filter and of the best Gaussian filter."""
    from scipy.ndimage import gaussian_filter, median_filter

    pictures = noisy.reshape(-1, 28, 28)
    medians = [median_filter(pictures, (1, size, size)) for size in (3, 5)]
    gaussians = [gaussian_filter(pictures, (0, sigma, sigma)) for sigma in (0.5, 1, 1.5, 2, 3)]
    return {
        name: max(psnr(x, np.clip(restored.reshape(x.shape), 0, 1)) for restored in every)
        for name, every in (("median", medians), ("gaussian", gaussians))
    }


def psnr(x: NDArray, restored: NDArray) -> float:
    """−10 log₁₀ of the mean squared error, dB, for images from 0 to 1."""
    return float(-10 * np.log10(np.square(x - restored, dtype=np.float64).mean()))
