"""Models with random weights, their pages in a browser, and the comparison of the two."""

import numpy as np

from npvae.explorer import explorer_page, ship
from npvae.models import VAE


def opened(chromium, tmp_path, model, theta, examples=None, **options):
    path = tmp_path / "page.html"
    path.write_text(explorer_page(model, theta, examples, **options), "utf-8")
    chromium.complaints.clear()
    chromium.requests.clear()
    chromium.open(path)
    return chromium


def random_model(n_features=16, latent_dim=3, hidden=(7,), scale=0.5, seed=0, **settings):
    model = VAE.mlp(n_features, latent_dim, hidden, **settings)
    theta = model.init(np.random.default_rng(seed))
    theta.flat += scale * np.random.default_rng(seed + 1).standard_normal(theta.flat.size).astype(np.float32)
    return model, theta


def of_networks(n_features, latent_dim, encoder, decoder, **settings):
    model = VAE(n_features, latent_dim, encoder, decoder, **settings)
    theta = model.init(np.random.default_rng(0))
    theta.flat += 0.2 * np.random.default_rng(1).standard_normal(theta.flat.size).astype(np.float32)
    return model, theta


def require_same_numbers(page, model, theta, precision="float16"):
    """Decoded and encoded means and both terms of the loss, against NumPy with the weights that the page has."""
    shipped, rng = ship(theta, precision).theta, np.random.default_rng(5)
    z = 2 * rng.standard_normal((3, model.latent_dim))
    top = getattr(model.likelihood, "levels", 2) - 1
    x = np.rint(np.maximum(rng.uniform(-0.5, 1, (3, model.n_features)), 0) * top) / top
    decoded = page.js(f"{z.tolist()}.map((z) => Array.from(explorer.model.decode(z)))")
    np.testing.assert_allclose(decoded, model.likelihood.mean(model.decode(shipped, z)), atol=1e-5, rtol=1e-5)
    a = model.encode(shipped, x)
    mean = model.posterior.mean(a)
    losses = page.js(
        f"{x.tolist()}.map((x) => explorer.model.loss(x)).map((l) => [Array.from(l.z), l.reconstruction, l.kl])"
    )
    np.testing.assert_allclose([loss[0] for loss in losses], mean, atol=1e-5)
    log_px = model.likelihood.log_prob(model.decode(shipped, mean), x)[0]
    np.testing.assert_allclose([loss[1] for loss in losses], -log_px, rtol=1e-5, atol=1e-4)
    np.testing.assert_allclose([loss[2] for loss in losses], model.posterior.kl(a)[0], rtol=1e-5, atol=1e-4)
    assert not page.complaints
