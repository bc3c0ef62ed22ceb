"""What a trained model knows: measures of its likelihood and of its latent space."""

from npvae.evaluation.interpolation import interpolate

__all__ = ["interpolate"]
