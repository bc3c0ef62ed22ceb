"""What a trained model knows: measures of its likelihood and of its latent space."""

from npvae.evaluation.decomposition import Decomposition, decompose
from npvae.evaluation.interpolation import interpolate
from npvae.evaluation.likelihood import LogLikelihood, Mean, log_likelihood, mean_with_error

__all__ = ["Decomposition", "LogLikelihood", "Mean", "decompose", "interpolate", "log_likelihood", "mean_with_error"]
