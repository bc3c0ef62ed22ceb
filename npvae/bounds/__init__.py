"""Bounds on log p(x), as pure functions of log-densities: a value per datum and the upstream weight of each density.

A bound never learns what the networks are, so one plumbing in the model serves all bounds. The upstream weights are the
derivatives of the mean loss by the densities. Where a better estimate of the encoder's gradient departs from them, two
more say how: "path" multiplies what goes through z_l into the encoder (1 where it is not given), and "direct" is the
weight of ∂log q(z_l|x)/∂encoder at fixed z_l (that of log q where it is not given).
"""

from npvae.bounds.antithetic import arm, disarm
from npvae.bounds.bound import BOUNDS, Bound
from npvae.bounds.elbo import elbo, free_bits, monte_carlo_elbo
from npvae.bounds.estimators import ESTIMATORS, Estimator, learning_signals, score_weights
from npvae.bounds.iwae import dreg, iwae
from npvae.bounds.loss import Loss, Term
from npvae.bounds.score_function import score_function
from npvae.bounds.sticking_the_landing import sticking_the_landing
from npvae.bounds.vimco import vimco

__all__ = [
    "BOUNDS",
    "ESTIMATORS",
    "Bound",
    "Estimator",
    "Loss",
    "Term",
    "arm",
    "disarm",
    "dreg",
    "elbo",
    "free_bits",
    "iwae",
    "learning_signals",
    "monte_carlo_elbo",
    "score_function",
    "score_weights",
    "sticking_the_landing",
    "vimco",
]
