"""What two latents know, and what more of them add.

Left: the decoder's means on a grid of two latents, even in probability under the prior (through the inverse Gaussian
CDF). Neighbours in the latent space are neighbours among images. Right: draws from the prior for 2, 5, 10 and 20
latents: with more of them the digits get sharper, and more draws are no digit at all. Kingma & Welling (arXiv
1312.6114), figures 4 and 5.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from npvae import VAE, datasets, plots


def run() -> Figure:
    """Train four and draw them."""
    digits, test = datasets.digits(8000, seed=0), datasets.digits(1000, seed=1)
    figure = Figure(figsize=(10, 5.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.1, 1))
    for latents, ax in zip((2, 5, 10, 20), right.subplots(2, 2).flat, strict=True):
        vae = VAE(latents, 256, binarize="dynamic", epochs=12, batch_size=100, random_state=0).fit(digits.x)
        print(f"{latents:2} latents: test bound {vae.score(test.x):7.2f} nats", flush=True)
        plots.image_grid(vae.sample(36, random_state=0), n_columns=6, ax=ax)
        ax.set_title(f"samples, {latents} latents")
        if latents == 2:
            ax = left.subplots()
            plots.manifold(vae.inverse_transform(plots.manifold_grid(15)), ax=ax)
            ax.set_title("embedded digits: means of p(x|z), two latents")
    return figure
