"""The sigmoid belief network as an estimator: a mean-field posterior for every datum, or an encoder for all."""

from __future__ import annotations

from collections.abc import Sequence

from numpy.typing import NDArray

from npvae.estimators.base import estimator
from npvae.estimators.bits import BitLatents
from npvae.estimators.gradient_fit import GradientEstimator
from npvae.estimators.options import option
from npvae.models import BinaryVAE
from npvae.models import SigmoidBeliefNetwork as Model

__all__ = ["SigmoidBeliefNetwork"]

INFERENCE = dict.fromkeys(["mean-field", "amortised"])


@estimator
class SigmoidBeliefNetwork(BitLatents, GradientEstimator):
    """Sigmoid belief network: binary data, layers of binary latents, a learned prior of the topmost.

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_, theta_ : npvae.models.SigmoidBeliefNetwork or npvae.models.BinaryVAE, Parameters
        The latter with ``inference="amortised"``: the same p(x, z), its bits as −1 and 1, and a linear encoder.
    params_ : dict
        The options of the fit, whatever they were set to since; `save` keeps these.
    history_ : History
        Loss and its terms by epoch, nats. By mean field the loss is minus a bound that lies below the ELBO of q.
    run_ : TrainingRun
        The whole state of the training, to go on from; a model file does not hold it.
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
    >>> from npvae import SigmoidBeliefNetwork, datasets
    >>> X = (datasets.digits(100, seed=0).x > 0.5).astype("float32")
    >>> net = SigmoidBeliefNetwork(latent_dims=8, sweeps=2, epochs=1, random_state=0).fit(X)
    >>> net.transform(X[:3]).shape, net.sample(4).shape
    ((3, 8), (4, 784))
    """

    latent_dims: int | Sequence[int] = option(
        64, "latents of every layer, from the data up", kind=tuple, flag="latent", metavar="D[,D…]"
    )
    inference: str = option(
        "mean-field",
        "the posterior: numbers of its own for every datum, by fixed-point updates, or an encoder trained by NVIL, "
        "which is hundreds of times as fast on images",
        choices=INFERENCE, group="training",
    )  # fmt: skip
    sweeps: int = option(
        10, "sweeps of a mean-field E step over the latents", at_least=1, group="training", metavar="N"
    )

    def _build(self, n_features: int, n_rows: int | None = None) -> Model | BinaryVAE:
        if self.inference == "mean-field":
            return Model(n_features, self._option("latent_dims"), self._option("sweeps"))
        return BinaryVAE(n_features, self._option("latent_dims"), estimator="nvil", learned_prior=True)

    @property
    def draws_latents(self) -> bool:
        """Whether the loss is a mean over draws of z: by mean field it is none."""
        return self.inference != "mean-field"

    def _posterior_numbers(self, x: NDArray) -> tuple[str, NDArray]:
        if self.inference == "mean-field":
            return "the posterior means", self._latents_of(x)
        return super()._posterior_numbers(x)

    def _size(self) -> tuple[str, str]:
        return "latent_dims", str(self._option("latent_dims"))
