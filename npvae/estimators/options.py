"""The options of a VAE by name: what each name stands for, which go together, and the model that they describe."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from math import ceil, prod
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae import models
from npvae.bounds import BOUNDS
from npvae.distributions import (
    Bernoulli,
    ContinuousBernoulli,
    DiagonalGaussian,
    Distribution,
    FixedGaussian,
    FullGaussian,
    LearnedGaussian,
)
from npvae.optimizers import OPTIMIZERS, Optimizer
from npvae.schedules import BETA_SCHEDULES, SCHEDULES
from npvae.training import ModelAt
from npvae.validation import DataWarning, integer, number, one_of, widths

if TYPE_CHECKING:
    from npvae.estimators.vae import VAE

LIKELIHOODS: dict[str, Callable[[float, str], Distribution]] = {
    "bernoulli": lambda sigma, link: Bernoulli(),
    "continuous-bernoulli": lambda sigma, link: ContinuousBernoulli(),
    "gaussian": FixedGaussian,
    "gaussian-shared": lambda sigma, link: LearnedGaussian(shared=True, link=link),
    "gaussian-pixel": lambda sigma, link: LearnedGaussian(link=link),
}
"""p(x|z) as a function of its standard deviation and of the link from the decoder to its mean."""
MEAN_LINKS = dict.fromkeys(["identity", "sigmoid"])
POSTERIORS = {"diagonal": DiagonalGaussian, "full": FullGaussian}
BINARIZE = dict.fromkeys(["none", "threshold", "fixed", "dynamic"])
DTYPES = {"float32": np.float32, "float64": np.float64}

LARGE = 10
"""Root mean square of data from which on `fit` warns."""

ROWS = 1000
"""Rows that go through a network at a time outside training; bounds the memory."""

_COPIES = 8  # of all weights: now, at the start, when last good, and a gradient; two moments, now and at the start


def build_model(vae: VAE, n_features: int, n_rows: int | None = None) -> models.VAE:
    """The model that the options describe, each of which is checked here, in `build_optimizer` or in `fit`.

    A prior on the weights and the number of draws are matters of the training: without its number of rows the one is
    left out, and the other may be any.
    """
    latent_dim, n_samples = (integer(name, getattr(vae, name), at_least=1) for name in ("latent_dim", "n_samples"))
    likelihood, beta, bits = _likelihood(vae), number("beta", vae.beta, at_least=0), _free_bits(vae)
    prior = number("weight_prior", vae.weight_prior, at_least=0)
    one_of("beta_schedule", vae.beta_schedule, BETA_SCHEDULES)
    if not one_of("bound", vae.bound, BOUNDS).weighs_kl:
        reason = f"with bound={vae.bound!r}: inside the logarithm of L_k no KL stands alone that could be weighed"
        _refuse_unless("beta", beta, 1, reason)
        _refuse_unless("beta_schedule", vae.beta_schedule, "constant", reason)
    needs_two = {
        "iwae": "L_1 is the ELBO",
        "dreg": "L_1 is the ELBO",
        "score-function": "the others are what a draw is compared with",
    }
    if n_samples == 1 and n_rows is not None and vae.bound in needs_two:
        raise ValueError(f"n_samples must be at least 2 with bound={vae.bound!r}: {needs_two[vae.bound]}; got 1")
    return models.VAE.mlp(
        n_features,
        latent_dim,
        widths("hidden", vae.hidden),
        vae.activation,
        likelihood,
        n_samples,
        beta=beta,
        init_weights=vae.init_weights,
        posterior=one_of("posterior", vae.posterior, POSTERIORS)(),
        bound=vae.bound,
        free_bits=bits,
        weight_precision=0.0 if n_rows is None else prior / n_rows,
    )


def _likelihood(vae: VAE) -> Distribution:
    name = vae.likelihood
    make = one_of("likelihood", name, LIKELIHOODS)
    one_of("binarize", vae.binarize, BINARIZE)
    one_of("mean_link", vae.mean_link, MEAN_LINKS)
    sigma = number("sigma", vae.sigma, above=0)
    if vae.binarize != "none" and name != "bernoulli":
        raise ValueError(f"binarize={vae.binarize!r} needs likelihood='bernoulli', got {name!r}")
    if not name.startswith("gaussian"):
        reason = f"with likelihood={name!r}, whose mean lies in [0, 1] without a link"
        _refuse_unless("mean_link", vae.mean_link, "identity", reason)
    if name != "gaussian":
        reason = "which learns its own" if name.startswith("gaussian") else "which has none"
        _refuse_unless("sigma", sigma, 1, f"with likelihood={name!r}, {reason}")
    return make(sigma, vae.mean_link)


def _free_bits(vae: VAE) -> float:
    bits = number("free_bits", vae.free_bits, at_least=0)
    if vae.bound != "elbo":
        where = "inside L_k there is no" if vae.bound in ("iwae", "dreg") else "it has no"
        reason = f"with bound={vae.bound!r}: {where} analytic KL, of which they are a part; bound='elbo' has it"
        _refuse_unless("free_bits", bits, 0, reason)
    if vae.posterior == "full":
        reason = "with posterior='full': under a full covariance the KL is no sum over the latents"
        _refuse_unless("free_bits", bits, 0, reason)
    return bits


def _refuse_unless(argument: str, value: Any, expected: Any, reason: str) -> None:
    if value != expected:
        raise ValueError(f"{argument} must be {expected!r} {reason}; got {value!r}")


def build_optimizer(vae: VAE, n: int) -> Optimizer:
    """The optimiser for n rows, its learning rate scheduled over the whole run."""
    rate = number("learning_rate", vae.learning_rate, above=0)
    schedule = one_of("schedule", vae.schedule, SCHEDULES)(rate, _steps(vae, n))
    return one_of("optimizer", vae.optimizer, OPTIMIZERS)(schedule)


def annealed(vae: VAE, model: models.VAE, n: int) -> ModelAt | None:
    """The model of every step, where β is to change in the course of a run over n rows."""
    if vae.beta_schedule == "constant":
        return None
    beta = BETA_SCHEDULES[vae.beta_schedule](model.beta, _steps(vae, n))
    return lambda t: model.with_beta(beta(t))


def _steps(vae: VAE, n: int) -> int:
    """Of the whole run."""
    batches = ceil(n / integer("batch_size", vae.batch_size, at_least=1))
    return integer("epochs", vae.epochs, at_least=1) * batches


def run_settings(vae: VAE, x: NDArray) -> dict[str, Any]:
    """What must not change between the parts of a run over the rows of x: all but how long it is and what it says.

    A schedule spans the whole run, so with one the length is fixed too.
    """
    open_end = vae.schedule == vae.beta_schedule == "constant"
    free = {"patience", "random_state", "verbose"} | ({"epochs"} if open_end else set())
    params = {name: plain(value) for name, value in vae.get_params().items() if name not in free}
    return params | {"hidden": list(widths("hidden", vae.hidden)), "rows": len(x), "checksum": crc32(x)}


def plain(value: Any) -> Any:
    """An option in Python's own types: NumPy's numbers are accepted as such, but JSON does not know them."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [plain(entry) for entry in value]
    return value


def require_reach(vae: VAE, model: models.VAE, x: NDArray, x_val: NDArray | None) -> None:
    """A ValueError if the data have values that the likelihood cannot have, or means that its link cannot reach."""
    for argument, rows in (("X", x), ("X_val", x_val)):
        if rows is not None:
            model.likelihood.require_support(argument, rows)
    mean = x.mean(axis=0)
    if vae.mean_link == "sigmoid" and not (mean.min() >= 0 and mean.max() <= 1):
        got = f"got means from {mean.min():g} to {mean.max():g}"
        advice = "divide 8-bit images by 255, or use 'identity'"
        raise ValueError(f"X must have means in [0, 1] under mean_link='sigmoid', {got}; {advice}")


def warn_of_scale(mean: NDArray, var: NDArray) -> None:
    """A DataWarning if data of these moments are far larger than what networks are made for."""
    size = float(np.sqrt((mean.astype(np.float64) ** 2 + var).mean()))
    if size > LARGE:
        warnings.warn(
            f"X has values of about {size:.3g}, where a network expects them of about one: divide 8-bit images by 255, "
            "bring columns to mean 0 and variance 1",
            DataWarning,
            stacklevel=4,  # who called fit
        )


def require_memory(model: models.VAE, batch_size: int, dtype: DTypeLike) -> None:
    """A ValueError that says how much memory training would take, if this machine has not as much.

    Counted are the weights, with gradient and moments; the numbers of q(z|x) of a batch, of which a full covariance
    makes three more sets for every draw; and what the decoder and the likelihood make of each draw, there and back.
    """
    d, width = model.latent_dim, model.posterior.n_params(model.latent_dim)
    weights, draws = sum(map(prod, model.shapes.values())), model.n_samples * batch_size
    hidden = [shape[0] for shape in model.encoder.shapes.values() if len(shape) == 1][:-1]
    layers = ", ".join(map(str, hidden)) or "none"
    full = "; posterior='diagonal' needs 2 numbers a latent" if width > 2 * d else ""
    needs = {
        f"hidden or latent_dim must be smaller, got {layers} and {d}": _COPIES * weights,
        f"latent_dim must be smaller, got {d} latents, {width:,} numbers from the encoder for every row{full}": (
            3 * (model.n_samples + 1) * width * max(batch_size, ROWS)
        ),
        f"n_samples or batch_size must be smaller, got {model.n_samples:,} draws for each of {batch_size:,} rows": (
            (5 * model.n_features + 2 * sum(hidden)) * draws
        ),
    }
    gigabytes = {blame: numbers * np.dtype(dtype).itemsize / 1e9 for blame, numbers in needs.items()}
    if (total := sum(gigabytes.values())) > (machine := physical_memory() / 1e9):
        blame = max(gigabytes, key=gigabytes.get)
        raise ValueError(
            f"{blame}: that takes {gigabytes[blame]:,.1f} GB of {total:,.1f} GB, this machine has {machine:,.1f} GB"
        )


def physical_memory() -> int:
    """Bytes of this machine's memory; 8 GB where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        return 8 * 10**9
