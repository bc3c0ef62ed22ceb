"""The README's picture: a VAE with two latents on the embedded digits, trained and drawn.

Usage: python demos/overview.py [FILE.png]
"""

import sys

from matplotlib.figure import Figure

from npvae import VAE, datasets, plots

digits, test = datasets.digits(50_000, seed=0), datasets.digits(4_000, seed=1)
vae = VAE(latent_dim=2, hidden=(400, 200), epochs=20, schedule="cosine", random_state=0, verbose=True)
vae.fit(digits.x, X_val=test.x)

figure = Figure(figsize=(12, 4.2), layout="constrained")
left, middle, right = figure.subplots(1, 3)
plots.reconstructions(test.x[:20], vae.reconstruct(test.x[:20]), ax=left)
plots.manifold(vae.inverse_transform(plots.manifold_grid(20)), ax=middle)
plots.latent_scatter(vae.transform(test.x), test.labels, ax=right)
plots.save(figure, sys.argv[1] if len(sys.argv) > 1 else "overview.png")
