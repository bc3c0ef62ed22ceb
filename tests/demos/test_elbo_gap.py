"""The exact numbers of the one-latent VAE: the ELBO from below, and the identity with L_k on the way."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from demos.elbo_gap import exact
from npvae import VAE, datasets


def test_the_sums_over_the_grid_agree_with_draws():
    x = (datasets.digits(400, seed=0).x > 0.5).astype(np.float32)
    vae = VAE(1, 20, "tanh", epochs=3, batch_size=50, random_state=0).fit(x)
    elbo, log_px = exact(vae, x[:50])
    drawn = vae.log_likelihood(x[:50], k=2000)
    assert elbo < log_px
    assert elbo == pytest.approx(drawn.elbo.mean(), abs=0.1)
    assert log_px == pytest.approx(drawn.log_px.mean(), abs=0.1)
