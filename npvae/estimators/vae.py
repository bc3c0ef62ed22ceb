"""The variational autoencoder as an estimator."""

from __future__ import annotations

import sys
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import evaluation, training
from npvae.bounds import BOUNDS
from npvae.datasets.scaling import in_unit_interval
from npvae.distributions import LIKELIHOODS, POSTERIORS, Bernoulli, Distribution
from npvae.distributions.registry import named_likelihood
from npvae.estimators.base import ROWS, by_rows, estimator, needs_fit
from npvae.estimators.binarizing import Binarizing
from npvae.estimators.compressing import Compressing
from npvae.estimators.gradient_fit import GradientEstimator, Visits
from npvae.estimators.imputation import Imputation
from npvae.estimators.latents import LatentMethods
from npvae.estimators.mixed_tables import MixedTables
from npvae.estimators.network_options import NetworkOptions
from npvae.estimators.options import option
from npvae.estimators.scores import CROSS_ENTROPY, DensityScores
from npvae.models import VAE as Model
from npvae.models.densities import prior_section
from npvae.schedules import BETA_SCHEDULES
from npvae.training.run import BROKEN
from npvae.validation import ArgumentError

__all__ = ["VAE"]

NEEDS_TWO = {
    "iwae": "L_1 is the ELBO",
    "dreg": "L_1 is the ELBO",
    "score-function": "the others are what a draw is compared with",
}
"""Why a bound wants at least two draws."""

LIKELIHOOD = (
    "n_shared", "discrete", "require_support", "is_density", "n_params", "log_prob", "log_prob_backward", "mean",
    "output_bias",
)  # fmt: skip
"""The members of a likelihood that the training and the use of a model need; `Distribution` has some of them."""

MEAN_LINKS = dict.fromkeys(["identity", "sigmoid"])


@estimator
class VAE(
    MixedTables, NetworkOptions, Binarizing, LatentMethods, Imputation, Compressing, DensityScores, GradientEstimator
):
    """Variational autoencoder with Gaussian latents.

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_, theta_ : npvae.models.VAE, Parameters
    params_ : dict
        The options of the fit, whatever they were set to since; `save` keeps these.
    history_ : History
        Loss and its terms by epoch, nats. The training loss has the β of each step, the held-out loss has `beta`.
    run_ : TrainingRun
        The whole state of the training, to go on from; a model file does not hold it.
    seed_ : int
        ``random_state=seed_`` repeats the training.
    n_features_in_, n_latents_, n_iter_ : int
        Columns of X, latents, epochs.
    feature_names_in_ : array of str
        Names of the columns, where X had them.
    image_shape_ : tuple of int or None
        Shape of a row as a picture: that of X[0] if it had two dimensions, a square if its width is one.
    scaling_ : Scaling
        What brings the data to the model's scale.
    grey_ : bool
        Whether a Bernoulli likelihood was trained on values between 0 and 1.

    Examples
    --------
    >>> from npvae import VAE, datasets
    >>> X = datasets.digits(500, seed=0).x
    >>> vae = VAE(latent_dim=2, hidden=32, epochs=2, random_state=0).fit(X)
    >>> vae.transform(X[:3]).shape, vae.sample(4).shape
    ((3, 2), (4, 784))
    """

    likelihood: Any = option(
        "auto",
        "p(x|z): bernoulli and continuous-bernoulli want data in [0, 1], gaussian has the width sigma, gaussian-shared "
        "learns one, gaussian-pixel one for every feature, mixed is one for every column of a table by its kind; auto "
        "is mixed for tables with text, gaps or several kinds, bernoulli for data in [0, 1], else gaussian-shared",
        choices={"auto": None, "mixed": None} | LIKELIHOODS,
        members=LIKELIHOOD,
    )
    mean_link: str = option(
        "identity", "from decoder to mean of a gaussian: sigmoid for data in [0, 1]", choices=MEAN_LINKS
    )
    sigma: float = option(1.0, "standard deviation of likelihood gaussian, in units of the data", above=0, metavar="σ")
    posterior: Any = option(
        "diagonal", "covariance of q(z|x)", choices=POSTERIORS, members=("log_prob", "sample", "n_params", "mean")
    )
    bound: str = option(
        "elbo",
        "what is maximised: the ELBO with its KL analytic, by samples (monte-carlo), by the path derivative (stl) or "
        "by the score function; or L_k, plain (iwae) or with the doubly reparameterised gradient (dreg)",
        choices=BOUNDS,
        group="training",
    )
    n_samples: int = option(
        1, "draws of z per row and step; k of L_k", at_least=1, group="training", flag="samples", metavar="L"
    )
    beta: float = option(1.0, "weight of the KL term; L_k has none", at_least=0, group="training", metavar="β")
    beta_schedule: str = option(
        "constant",
        "course of β over the run: up to beta in its first quarter (warm-up), or four times up and there (cyclical)",
        choices=BETA_SCHEDULES,
        group="training",
    )
    free_bits: float = option(
        0.0,
        "nats that every latent's KL is counted as at least: up to there using it costs nothing more",
        at_least=0,
        group="training",
        metavar="λ",
    )
    weight_prior: float = option(
        0.0, "precision of a Gaussian prior on the weights; 0 is none", at_least=0, group="training", metavar="τ"
    )

    # ---- the model ---------------------------------------------------------------------------------------------------

    def _build(self, n_features: int, n_rows: int | None = None) -> Model:
        """The model; a prior on the weights and the number of draws are matters of the training."""
        likelihood = self._likelihood()
        self._require_sense(trained=n_rows is not None)
        posterior = POSTERIORS[self.posterior]() if isinstance(self.posterior, str) else self.posterior
        n_code = posterior.n_params(self.latent_dim)
        n_out = likelihood.n_params(n_features) - likelihood.n_shared
        encoder, decoder = self._encoder_and_decoder(n_features, n_code, n_out)
        return Model(
            n_features,
            self.latent_dim,
            encoder,
            decoder,
            likelihood=likelihood,
            posterior=posterior,
            bound=self.bound,
            n_samples=self.n_samples,
            beta=self._option("beta"),
            free_bits=self._option("free_bits"),
            weight_precision=0.0 if n_rows is None else self._option("weight_prior") / n_rows,
        )

    def _likelihood(self) -> Distribution:
        if not isinstance(self.likelihood, str):
            return self.likelihood
        if self.binarize != "none" and self.likelihood != "bernoulli":
            rule = "be 'none' with {likelihood}: only a Bernoulli takes binary pixels"
            raise ArgumentError("binarize", rule, repr(self.binarize), settings={"likelihood": self.likelihood})
        if self.likelihood == "mixed":
            return self._mixed_likelihood()
        return named_likelihood(self.likelihood, sigma=self._option("sigma"), mean_link=self.mean_link)

    def _require_sense(self, trained: bool) -> None:
        """An `ArgumentError` for options that do not go together, with the reason."""
        if not BOUNDS[self.bound].weighs_kl:
            reason = "with {bound}: inside the logarithm of L_k no KL stands alone that could be weighed"
            self._require("beta", 1, reason, "bound")
            self._require("beta_schedule", "constant", reason, "bound")
        if self.bound != "elbo":
            where = "it has no" if BOUNDS[self.bound].weighs_kl else "inside L_k there is no"
            self._require("free_bits", 0, f"with {{bound}}: {where} analytic KL, which they are a part of", "bound")
        if self.posterior == "full":
            reason = "with {posterior}: under a full covariance the KL is no sum over the latents"
            self._require("free_bits", 0, reason, "posterior")
        if trained and self.n_samples == 1 and (reason := NEEDS_TWO.get(self.bound)):
            rule = f"be at least 2 with {{bound}}: {reason}"
            raise ArgumentError("n_samples", rule, 1, settings={"bound": self.bound})

    def _require(self, name: str, expected: Any, reason: str, other: str) -> None:
        if (value := self._option(name)) != expected:
            settings = {other: getattr(self, other)}
            raise ArgumentError(name, f"be {expected!r} {reason}", repr(value), settings=settings)

    def _decide(self, x: NDArray) -> dict[str, Any]:
        decided: dict[str, Any] = {} if self.epochs is not None else {"epochs": self._enough_epochs(len(x))}
        if self.likelihood != "auto":
            return decided
        if self._is_mixed():
            return decided | {"likelihood": "mixed"}
        binary = self.binarize != "none" or in_unit_interval(x)
        return decided | {"likelihood": "bernoulli" if binary else "gaussian-shared"}

    def _wants_unit_interval(self) -> bool:
        return self.binarize != "none" or super()._wants_unit_interval()

    # ---- training ----------------------------------------------------------------------------------------------------

    def _open_end(self) -> bool:
        return super()._open_end() and self.beta_schedule == "constant"

    def _model_at(self, model: Model, n: int) -> training.ModelAt | None:
        if self.beta_schedule == "constant":
            return None
        beta = BETA_SCHEDULES[self.beta_schedule](model.beta, self._steps(n))
        return lambda t: model.with_beta(beta(t))

    def _require_reach(self, model: Model, x: NDArray, x_val: NDArray | None) -> None:
        for argument, rows in (("X", x), ("X_val", x_val)):
            if rows is not None:
                self._require_pixels(argument, rows)
                model.likelihood.require_support(argument, rows)
        mean = x.mean(axis=0)
        if self.mean_link == "sigmoid" and not (mean.min() >= 0 and mean.max() <= 1):
            got = f"means from {mean.min():g} to {mean.max():g}"
            advice = "divide 8-bit images by 255, or use 'identity'"
            settings = {"mean_link": "sigmoid"}
            raise ArgumentError("X", "have means in [0, 1] under {mean_link}", got, advice, settings=settings)

    def _memory(self, model: Model) -> dict[tuple[str, str], int]:
        """The numbers of q(z|x), of which a full covariance makes three more sets for every draw, and what the decoder
        and the likelihood make of each draw, forward and backward."""
        d, width, batch = self.latent_dim, model.posterior.n_params(self.latent_dim), self.batch_size
        full = "; posterior='diagonal' needs 2 numbers a latent" if width > 2 * d else ""
        numbers = f"{d} latents, {width:,} numbers from the encoder for every row{full}"
        draws = f"{model.n_samples:,} draws for each of {batch:,} rows"
        per_draw = 5 * model.n_features + 2 * sum(self._option("hidden"))
        return {
            ("latent_dim", numbers): 3 * (model.n_samples + 1) * width * max(batch, ROWS),
            ("n_samples or batch_size", draws): per_draw * model.n_samples * batch,
        }

    def _learnt(self, model: Model, run: training.TrainingRun, visits: Visits) -> dict[str, Any]:
        x, _, transform = visits
        if self.verbose and run.stopped not in BROKEN:
            self._report_collapse(model, run, x[:ROWS])
        grey = transform is None and not model.likelihood.is_density(x)
        if grey:
            run.history.relabel("reconstruction", f"reconstruction ({CROSS_ENTROPY})")
        return {"grey_": grey}

    def _report_collapse(self, model: Model, run: training.TrainingRun, x: NDArray) -> None:
        """Tell which latents are in use, if some are not."""
        used = evaluation.active_units(evaluation.activity(model, run.chosen, x))
        if not used.all():
            with suppress(OSError):  # nobody reads on
                print(self.collapse_message(used), file=sys.stderr, flush=True)

    def _remedies(self) -> list[str]:
        weighs_kl, analytic = BOUNDS[self.bound].weighs_kl, self.bound == "elbo" and self.posterior == "diagonal"
        return [words for words, has in zip(super()._remedies(), (weighs_kl, analytic), strict=True) if has]

    def _state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        return {"grey": self.grey_}, {}

    def facts(self) -> dict[str, Any]:
        """Whether the pixels are grey, of a likelihood of bits."""
        return {"grey pixels": self.grey_} if isinstance(self.model_.likelihood, Bernoulli) else {}

    def _restore(self, state: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        self.grey_ = bool(state["grey"])

    # ---- use ---------------------------------------------------------------------------------------------------------

    def _encoder_rows(self, X: ArrayLike, argument: str = "X") -> NDArray:
        x = super()._encoder_rows(X, argument)
        self.model_.likelihood.require_support(argument, x)
        return x

    def _latents_of(self, x: NDArray) -> NDArray:
        return self.model_.posterior.mean(self.model_.encode(self.theta_, x))

    def _means_of(self, z: NDArray) -> NDArray:
        return self.model_.likelihood.mean(self.model_.decode(self.theta_, z))

    def _draw_latents(self, rng: np.random.Generator, n: int) -> NDArray:
        prior = self.model_.prior
        eps = prior.draw_noise(rng, (n, self.model_.latent_dim), self._dtype)
        return prior.sample(eps, prior_section(self.model_, self.theta_))

    @needs_fit
    def encode(self, X: ArrayLike) -> tuple[NDArray, NDArray]:
        """q(z|x) of every row: its means (n, latent_dim), and what its family has beside them.

        "diagonal": the log-variances, (n, latent_dim). "full": the lower triangular factor L of the covariance L Lᵀ,
        (n, latent_dim, latent_dim). Grey values are made binary first where ``binarize="threshold"``; where it is
        "fixed" or "dynamic" they are taken as they are, here and wherever rows are encoded: `prepare` draws.
        """
        x = self._encoder_rows(X)
        a = by_rows(lambda rows: self.model_.encode(self.theta_, rows), x)
        d, posterior = self.model_.latent_dim, self.model_.posterior
        return posterior.mean(a), posterior.factor(a) if hasattr(posterior, "factor") else a[:, d:]

    def _tags(self) -> dict[str, Any]:
        return {"non_deterministic": True, "allow_nan": True}
