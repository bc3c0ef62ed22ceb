"""Distributions over the rows of an array, parameterised by what a network puts out.

A posterior q(z|x) and a likelihood p(x|z) are the same kind of thing here; a prior p(z) is a kind of its own. Every
function that has a backward returns ``(value, cache)``, and the backward that takes the cache stands below it.
"""

from npvae.distributions.bernoulli import Bernoulli
from npvae.distributions.bernoulli_prior import LearnedBernoulli, UniformBernoulli
from npvae.distributions.column_blocks import Categories, Counts
from npvae.distributions.continuous_bernoulli import ContinuousBernoulli
from npvae.distributions.diagonal_gaussian import DiagonalGaussian
from npvae.distributions.discretized_logistic import DiscretizedLogistic
from npvae.distributions.distribution import AnalyticKL, DifferentiableMean, Distribution, Reparameterised
from npvae.distributions.fixed_gaussian import FixedGaussian
from npvae.distributions.full_gaussian import FullGaussian
from npvae.distributions.laplace import Laplace
from npvae.distributions.learned_gaussian import LearnedGaussian
from npvae.distributions.logistic_mixture import LogisticMixture
from npvae.distributions.mixed import Mixed
from npvae.distributions.prior import Prior, StandardNormal
from npvae.distributions.registry import (
    LIKELIHOODS,
    POSTERIORS,
    named_likelihood,
    register_likelihood,
    register_posterior,
)

__all__ = [
    "LIKELIHOODS",
    "POSTERIORS",
    "AnalyticKL",
    "Bernoulli",
    "Categories",
    "ContinuousBernoulli",
    "Counts",
    "DiagonalGaussian",
    "DifferentiableMean",
    "DiscretizedLogistic",
    "Distribution",
    "FixedGaussian",
    "FullGaussian",
    "Laplace",
    "LearnedBernoulli",
    "LearnedGaussian",
    "LogisticMixture",
    "Mixed",
    "Prior",
    "Reparameterised",
    "StandardNormal",
    "UniformBernoulli",
    "named_likelihood",
    "register_likelihood",
    "register_posterior",
]
