"""Measures of a trained model: its likelihood, its latent space, and what it makes of missing data."""

from npvae.evaluation.active_units import Pruned, active_units, activity, collapse_message, kl_per_unit, prune
from npvae.evaluation.annealed_importance_sampling import (
    LogPartition,
    annealed_importance_sampling,
    reverse_annealing,
)
from npvae.evaluation.decomposition import Decomposition, decompose, decompose_rows
from npvae.evaluation.disentanglement import factor_matrix, mig
from npvae.evaluation.elbo_terms import elbo_terms
from npvae.evaluation.enumeration import Enumerated, Moments, binary_states, enumerate_latents, moments, uniform_points
from npvae.evaluation.imputation import Filled, fill_in, seen_mask
from npvae.evaluation.interpolation import interpolate
from npvae.evaluation.kl_decomposition import KLDecomposition, decompose_kl
from npvae.evaluation.likelihood import LogLikelihood, Mean, log_likelihood, mean_with_error
from npvae.evaluation.operators import OPERATORS, LinearOperator
from npvae.evaluation.out_of_distribution import auroc, typicality
from npvae.evaluation.partition_function import exact_gradient, exact_log_partition
from npvae.evaluation.restoration import LatentPosterior, Restored, most_probable, restore
from npvae.evaluation.row_noise import bernoulli_rows
from npvae.evaluation.weighted_imputation import fill_in_by_weights

__all__ = [
    "OPERATORS",
    "Decomposition",
    "Enumerated",
    "Filled",
    "KLDecomposition",
    "LatentPosterior",
    "LinearOperator",
    "LogLikelihood",
    "LogPartition",
    "Mean",
    "Moments",
    "Pruned",
    "Restored",
    "active_units",
    "activity",
    "annealed_importance_sampling",
    "auroc",
    "bernoulli_rows",
    "binary_states",
    "collapse_message",
    "decompose",
    "decompose_kl",
    "decompose_rows",
    "elbo_terms",
    "enumerate_latents",
    "exact_gradient",
    "exact_log_partition",
    "factor_matrix",
    "fill_in",
    "fill_in_by_weights",
    "interpolate",
    "kl_per_unit",
    "log_likelihood",
    "mean_with_error",
    "mig",
    "moments",
    "most_probable",
    "prune",
    "restore",
    "reverse_annealing",
    "seen_mask",
    "typicality",
    "uniform_points",
]
