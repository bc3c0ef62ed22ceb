"""A density compresses: bits-back coding with a VAE beside the usual programs.

A model that gives x the probability p(x) can store it in −log₂ p(x) bits. A VAE knows a bound only, and still reaches
it: the coder takes the bits that choose z ~ q(z|x) from what is already stored, and gets them back when decoding. So
the rate of a long message is −ELBO in bits, and log p(x) is what a better posterior would save. The round trip is
exact. The first images of a message pay for bits that nothing is there to lend: the more images, the nearer the rate
comes to the bound.
"""

from __future__ import annotations

import bz2
import io
import lzma
import zlib

import numpy as np
from matplotlib.figure import Figure

from npvae import VAE, datasets
from npvae.compression import compress, decompress

SIZES = (10, 30, 100, 300, 1000, 3000)


def png(bits: np.ndarray) -> int:
    """Bytes of the images (n, 784) as one black-and-white PNG, the images below each other."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(bits.reshape(-1, 28).astype(bool)).save(file, format="png", optimize=True)
    return len(file.getvalue())


OTHERS = {
    "PNG": png,
    "gzip": lambda bits: len(zlib.compress(np.packbits(bits).tobytes(), 9)),
    "bz2": lambda bits: len(bz2.compress(np.packbits(bits).tobytes(), 9)),
    "xz": lambda bits: len(lzma.compress(np.packbits(bits).tobytes(), preset=9)),
}
"""What the usual programs make of the same bits."""


def run() -> Figure:
    """Train, code ever more images, decode, compare; bits a pixel."""
    digits, test = datasets.digits(12_000, seed=0), datasets.digits(max(SIZES), seed=1)
    x, bits = ((data.x > 0.5).astype(np.uint8) for data in (digits, test))
    vae = VAE(16, 256, likelihood="bernoulli", scale="none", epochs=10, batch_size=100, random_state=0).fit(x)
    to_rate = 1 / (np.log(2) * 784)
    bound = -float(np.mean(vae.score_samples(bits, n_samples=10))) * to_rate
    rates = {"VAE": []} | {name: [] for name in OTHERS}
    for n in SIZES:
        coded = compress(vae.model_, vae.theta_, bits[:n])
        assert (decompress(vae.model_, vae.theta_, coded) == bits[:n]).all()
        rates["VAE"].append(8 * len(coded) / (784 * n))
        for name, size in OTHERS.items():
            rates[name].append(8 * size(bits[:n]) / (784 * n))
    for name, values in rates.items():
        print(f"{name:5}" + "".join(f"{value:9.4f}" for value in values))
    print(f"−ELBO {bound:.4f} bits a pixel; all images came back unchanged")

    figure = Figure(figsize=(8, 3.8), layout="constrained")
    ax = figure.subplots()
    for name, values in rates.items():
        ax.semilogx(SIZES, values, "o-", label=name, linewidth=2.5 if name == "VAE" else 1)
    ax.axhline(bound, color="k", linestyle=":", label="−ELBO")
    ax.set(title="embedded digits in black and white", xlabel="images coded together", ylabel="bits a pixel")
    ax.set_ylim(0, 1.1 * max(values[1] for values in rates.values()))
    ax.legend(ncols=2)
    return figure
