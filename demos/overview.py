"""A VAE with two latents on the embedded digits.

Left: digits above their reconstructions. Middle: the decoder's means on a grid of the two latents that is even in
probability under the prior. Right: posterior means of held-out digits by class, which the model was never told.
"""

from __future__ import annotations

from matplotlib.figure import Figure

from npvae import VAE, datasets, plots


def run() -> Figure:
    """Train, and draw the README's picture."""
    digits, test = datasets.digits(20_000, seed=0), datasets.digits(3000, seed=1)
    vae = VAE(latent_dim=2, hidden=(256, 128), epochs=20, schedule="cosine", random_state=0).fit(digits.x)
    print(f"held-out −ELBO of grey pixels, a cross-entropy: {-vae.score(test.x):.2f} nats")

    figure = Figure(figsize=(12, 4.2), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    plots.reconstructions(test.x[:20], vae.reconstruct(test.x[:20]), ax=left)
    left.set_title("reconstructions")
    plots.manifold(vae.inverse_transform(plots.manifold_grid(20)), ax=middle)
    middle.set_title("the decoder on a grid of z")
    plots.latent_scatter(vae.transform(test.x), test.labels, ax=right)
    right.set_title("the encoder by class")
    return figure
