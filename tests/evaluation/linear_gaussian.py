"""A model whose every density is Gaussian, so that all that is estimated elsewhere can be written down."""

import numpy as np
import scipy.stats

from npvae.distributions import FixedGaussian, FullGaussian
from npvae.models import VAE
from npvae.parameters import Parameters

SIGMA = 0.7


class Linear:
    """x = z W + b + SIGMA e; the encoder's mean is that of p(z|x), its variances are what one likes."""

    def __init__(self, d=2, n_features=4, n=6, log_var=-0.5, seed=0):
        rng = np.random.default_rng(seed)
        self.model = VAE.mlp(n_features, d, (), likelihood=FixedGaussian(SIGMA))
        self.weights, self.bias = 0.8 * rng.standard_normal((d, n_features)), rng.standard_normal(n_features)
        self.cov = self.weights.T @ self.weights + SIGMA**2 * np.eye(n_features)
        self.gain = np.linalg.solve(self.cov, self.weights.T)
        self.posterior_cov = np.eye(d) - self.weights @ self.gain
        self.log_var = np.full(d, log_var)
        self.x = rng.multivariate_normal(self.bias, self.cov, n)
        self.posterior_mu = (self.x - self.bias) @ self.gain
        self.log_px = np.atleast_1d(scipy.stats.multivariate_normal.logpdf(self.x, self.bias, self.cov))
        self.gap = gaussian_kl(np.diag(np.exp(self.log_var)), self.posterior_cov)

    @property
    def theta(self):
        theta = Parameters(self.model.shapes, np.float64)
        theta["decoder.0.W"][...], theta["decoder.0.b"][...] = self.weights, self.bias
        theta["encoder.0.W"][...] = np.concatenate([self.gain, 0 * self.gain], axis=1)
        theta["encoder.0.b"][...] = np.concatenate([-self.bias @ self.gain, self.log_var])
        return theta

    def with_true_posterior(self):
        """A model and theta whose q(z|x) is p(z|x): a full covariance, of two latents."""
        model = VAE.mlp(len(self.bias), 2, (), likelihood=FixedGaussian(SIGMA), posterior=FullGaussian())
        theta, factor = Parameters(model.shapes, np.float64), np.linalg.cholesky(self.posterior_cov)
        theta["decoder.0.W"][...], theta["decoder.0.b"][...] = self.weights, self.bias
        theta["encoder.0.W"][...] = np.concatenate([self.gain, 0 * self.gain, 0 * self.gain[:, :1]], axis=1)
        theta["encoder.0.b"][...] = np.concatenate([-self.bias @ self.gain, np.log(np.diag(factor)), factor[1, :1]])
        return model, theta


def gaussian_kl(cov1, cov2):
    """KL between Gaussians of one mean."""
    log_dets = np.linalg.slogdet(cov2)[1] - np.linalg.slogdet(cov1)[1]
    return 0.5 * (np.trace(np.linalg.solve(cov2, cov1)) - len(cov1) + log_dets)
