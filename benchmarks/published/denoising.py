"""``python -m benchmarks published denoising``: PSNR of restored MNIST images, beside doing nothing and two filters.

Each noise has a denoising autoencoder of its own (784-500-100-500-784). The median filter (3×3 or 5×5) and the Gaussian
one (standard deviation 0.5 to 8 pixels) are allowed the size that is best on the very test images. PSNR is −10 log₁₀ of
the mean squared error over all images and pixels, in decibels, higher is better; noisy and filtered images are clipped
to [0, 1].
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.estimates import row
from benchmarks.published.autoencoders import add_options, finish, images, one_a_class, recipe, trained
from npvae import DenoisingAutoencoder, plots

LEVELS = {"zeros": (0.5, 0.9), "salt-and-pepper": (0.5,), "gaussian": (0.5, 1.0, 4.0)}
NOISES = [(noise, level) for noise, levels in LEVELS.items() for level in levels]


GALLERY = {
    "denoising": (
        "Digits behind noise, and what denoising autoencoders make of them",
        """
Pixels set to zero with probability p, or Gaussian noise of standard deviation σ added; below each its restoration. With
half of the pixels gone little is lost, though a 3 closes to an 8. With nine in ten gone, and with σ = 1, where the eye
sees a field of grains, the strokes that are left decide on a digit; it is sharp where they were enough, a mixture of
two digits where they were not, and sometimes the wrong one. With σ = 4 little more than the place of the ink is known,
and the answer is what the squared error asks for: the blurred mean of what it might have been. In decibels each stands
above the median and the Gaussian filter, at every noise.
""",
    )
}

SHOWN = {("zeros", 0.5): "p = 0.5", ("zeros", 0.9): "p = 0.9", ("gaussian", 1.0): "σ = 1", ("gaussian", 4.0): "σ = 4"}
"""What the picture shows, and what it calls them."""


def main(argv: list[str]) -> int:
    """Train for every noise, restore, print, draw, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks published denoising", description=__doc__)
    add_options(parser, "5", "denoising")
    args = parser.parse_args(argv)
    x, test, data = images(args.quick)
    rows, results = [], {}
    shown = {"x": one_a_class(test)}
    for noise, level in NOISES[:: 3 if args.quick else 1]:
        name = f"{noise}-{level:g}"
        network = {"hidden": 50 if args.quick else 500, "mean_link": "sigmoid"}
        model = DenoisingAutoencoder(100, **network, corruption=noise, noise_level=level, **recipe(args, 5))
        model = trained(model, x.x, args, name)
        noisy = model.corrupt(test.x, random_state=1)
        found = {"autoencoder": psnr(test.x, model.denoise(noisy)), "identity": psnr(test.x, np.clip(noisy, 0, 1))}
        found |= filtered(test.x, noisy)
        others = ", ".join(f"{method} {found[method]:.2f}" for method in ("identity", "median", "gaussian"))
        what = f"PSNR, dB, {len(test):,} images"
        seconds = sum(model.history_["seconds"][-1:])
        label = f"denoising autoencoder, {noise} {level:g}"
        rows.append(row(label, data, what, f"{found['autoencoder']:.2f}", "–", others, seconds))
        results[name] = found
        if (noise, level) in SHOWN:
            corrupted = model.corrupt(shown["x"], random_state=2)
            called = SHOWN[noise, level]
            shown |= {called: np.clip(corrupted, 0, 1), f"restored, {called}": model.denoise(corrupted)}
    finish(args, "denoising", {"data": data, "images": len(x)}, rows, results, {"denoising": draw(shown)})
    return 0


def draw(shown: dict[str, NDArray]) -> Any:
    """The originals, and below them pairs of what was corrupted and what it was restored to."""
    figure = plots.require_matplotlib().figure.Figure(figsize=(7, 4.4), layout="constrained")
    plots.image_rows(shown, (28, 28), ax=figure.subplots())
    return figure


def filtered(x: NDArray, noisy: NDArray) -> dict[str, float]:
    """PSNR of the best median filter and of the best Gaussian filter."""
    from scipy.ndimage import gaussian_filter, median_filter

    pictures = noisy.reshape(-1, 28, 28)
    medians = [median_filter(pictures, (1, size, size)) for size in (3, 5)]
    gaussians = [gaussian_filter(pictures, (0, sigma, sigma)) for sigma in (0.5, 1, 1.5, 2, 3, 5, 8)]
    return {
        name: max(psnr(x, np.clip(restored.reshape(x.shape), 0, 1)) for restored in every)
        for name, every in (("median", medians), ("gaussian", gaussians))
    }


def psnr(x: NDArray, restored: NDArray) -> float:
    """−10 log₁₀ of the mean squared error, dB, for images from 0 to 1."""
    return float(-10 * np.log10(np.square(x - restored, dtype=np.float64).mean()))
