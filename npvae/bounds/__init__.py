"""Bounds on log p(x), as pure functions of log-densities: a value per datum and the upstream weight of each density.

A bound never learns what the networks are, so one plumbing in the model serves all bounds.
"""

from npvae.bounds.bound import BOUNDS, Bound
from npvae.bounds.elbo import elbo
from npvae.bounds.iwae import iwae
from npvae.bounds.loss import Loss

__all__ = ["BOUNDS", "Bound", "Loss", "elbo", "iwae"]
