"""The variational autoencoder with binary latents as an estimator."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.bounds import ESTIMATORS
from npvae.estimators.base import estimator
from npvae.estimators.bits import BitLatents
from npvae.estimators.gradient_fit import GradientEstimator
from npvae.estimators.options import option
from npvae.layers import ACTIVATIONS, INITIALIZERS
from npvae.models import BinaryVAE as Model
from npvae.models import BinaryWakeSleep
from npvae.validation import ArgumentError

__all__ = ["BinaryVAE"]

GRADIENTS = {**dict.fromkeys(ESTIMATORS), "wake-sleep": None}

PRIORS = dict.fromkeys(["half", "learned"])


@estimator
class BinaryVAE(BitLatents, GradientEstimator):
    """Variational autoencoder with Bernoulli latents, in one stochastic layer or several.

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_, theta_ : npvae.models.BinaryVAE, Parameters
    params_ : dict
        The options of the fit, whatever they were set to since; `save` keeps these.
    history_ : History
        Loss and its terms by epoch, nats; of "vimco" the loss is −L_K.
    run_ : TrainingRun
        The whole state of the training, running averages included, to go on from; a model file does not hold it.
    seed_ : int
        ``random_state=seed_`` repeats the training.
    n_features_in_, n_latents_, n_iter_ : int
        Columns of X, latents of the first layer, epochs.
    image_shape_ : tuple of int or None
        Shape of a row as a picture.
    scaling_ : Scaling
        What brings the data to the model's scale.

    Examples
    --------
    >>> from npvae import BinaryVAE, datasets
    >>> X = (datasets.digits(300, seed=0).x > 0.5).astype("float32")
    >>> vae = BinaryVAE(latent_dims=16, gradient="disarm", epochs=1, random_state=0).fit(X)
    >>> vae.transform(X[:3]).shape, vae.sample(4).shape
    ((3, 16), (4, 784))
    """

    latent_dims: int | Sequence[int] = option(
        64, "latents of every stochastic layer, from the data up", kind=tuple, flag="latent", metavar="D[,D…]"
    )
    hidden: int | Sequence[int] = option(
        (), "widths of the hidden units between two stochastic layers; none for linear maps", kind=tuple,
        metavar="N[,N…]",
    )  # fmt: skip
    activation: str = option("tanh", "nonlinearity of the hidden units", choices=ACTIVATIONS)
    prior: str = option("half", "prior of the topmost latents: Bernoulli(½), or learned", choices=PRIORS, kw_only=True)
    gradient: str = option(
        "nvil",
        "how the encoder's gradient is estimated: by the score function with no-baseline, a running-average, "
        "leave-one-out, an input-baseline network, or that with centring and normalisation (nvil); for L_K (vimco); by "
        "antithetic pairs (arm, disarm); biased: straight-through, concrete; and the wake-sleep algorithm",
        choices=GRADIENTS, group="training", kw_only=True,
    )  # fmt: skip
    n_samples: int = option(
        1,
        "draws of z per row and step; K of L_K; arm and disarm add to each its antithetic ones, a layer each",
        at_least=1, group="training", flag="samples", metavar="K", kw_only=True,
    )  # fmt: skip
    baseline_hidden: int | Sequence[int] = option(
        100, "widths of the baseline networks", kind=tuple, group="training", metavar="N[,N…]", kw_only=True
    )
    temperature: float = option(
        0.5, "temperature of the concrete relaxation", above=0, group="training", metavar="τ", kw_only=True
    )
    init_weights: str = option("glorot", "initial weights", choices=INITIALIZERS, flag="init", kw_only=True)

    def _build(self, n_features: int, n_rows: int | None = None) -> Model | BinaryWakeSleep:
        """The networks; the first is centred at the mean of the rows that are learned."""
        how = ESTIMATORS.get(self.gradient)
        if n_rows is not None and how is not None and self.n_samples < how.least_samples:
            reason = "the others are what a draw is compared with"
            settings = {"gradient": self.gradient}
            rule = f"be at least {how.least_samples} with {{gradient}}: {reason}"
            raise ArgumentError("n_samples", rule, self.n_samples, settings=settings)
        model = Model(
            n_features,
            self._option("latent_dims"),
            self._option("hidden"),
            self.activation,
            "no-baseline" if how is None else self.gradient,
            self._option("n_samples"),
            self.prior == "learned",
            self._option("baseline_hidden"),
            self._option("temperature"),
            self.init_weights,
            getattr(self, "_centre", None),
        )
        return BinaryWakeSleep(model) if how is None and n_rows is not None else model

    def _decide(self, x: NDArray) -> dict[str, Any]:
        known = getattr(self, "_known_centre", None)
        return {"_centre": x.mean(axis=0, dtype=np.float64).astype(x.dtype) if known is None else known}

    def _adopt(self, model: Model | BinaryWakeSleep, *fitted: Any) -> None:
        super()._adopt(getattr(model, "vae", model), *fitted)

    def partial_fit(self, X: ArrayLike, y: Any = None) -> BinaryVAE:
        """Train one epoch on a chunk of data that come in chunks; the centre of the pixels is that of the first.

        The optimiser goes on where the call before left it. The schedule must be "constant".
        """
        if not self.__sklearn_is_fitted__():
            return super().partial_fit(X)
        going_on = copy(self)
        going_on._known_centre = self.model_.centre
        try:
            super(BinaryVAE, going_on).partial_fit(X)
        finally:
            self._take_over(going_on)
        return self

    def _state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        return {}, {"centre": self.model_.centre}

    def _restore(self, state: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        centre = arrays["centre"].astype(self._dtype)
        if not np.isfinite(centre).all():
            raise ValueError("centre should be finite")
        self._centre = centre
        self.model_ = self._build(self.n_features_in_)
        del self._centre

    def _size(self) -> tuple[str, str]:
        return "hidden or latent_dims", f"{self._option('hidden')} and {self._option('latent_dims')}"
