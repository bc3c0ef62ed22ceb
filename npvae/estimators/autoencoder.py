"""The autoencoder as an estimator, and what the other autoencoders take from it."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import training
from npvae.bounds import Loss
from npvae.datasets import Dataset
from npvae.distributions import LIKELIHOODS
from npvae.distributions.registry import named_likelihood
from npvae.estimators.base import by_rows, estimator
from npvae.estimators.gradient_fit import GradientEstimator, Visits
from npvae.estimators.latents import LatentMethods
from npvae.estimators.network_options import LAYER, NetworkOptions
from npvae.estimators.options import option
from npvae.estimators.scores import CROSS_ENTROPY, RowScores
from npvae.layers import ACTIVATIONS, Chain, Dense, activation_layer
from npvae.models import Autoencoder as Model
from npvae.models import SquaredError
from npvae.validation import ArgumentError

__all__ = ["Autoencoder"]

SQUARED_ERROR = "squared-error"

MEAN_LINKS = dict.fromkeys(["identity", "sigmoid"])


@estimator
class Autoencoder(NetworkOptions, LatentMethods, RowScores, GradientEstimator):
    """Autoencoder: compression to a code, by networks of any depth.

    It is trained on the squared error, or on the negative log-likelihood of a distribution. With ``hidden=()`` and the
    squared error it is linear, and finds the subspace of the principal components. To draw new rows, `sample` takes a
    Gaussian with the mean and the covariance of the training rows' codes.

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_, theta_ : npvae.models.Autoencoder, Parameters
    params_, history_, run_, seed_, n_features_in_, n_latents_, n_iter_, feature_names_in_, image_shape_, scaling_
        Those of `npvae.VAE`.
    code_mean_, code_factor_ : (latent_dim,) and (latent_dim, latent_dim) array
        Mean and lower triangular factor L of the covariance L Lᵀ of the training rows' codes.

    Examples
    --------
    >>> from npvae import Autoencoder, datasets
    >>> X = datasets.digits(500, seed=0).x
    >>> model = Autoencoder(latent_dim=8, hidden=32, epochs=2, random_state=0).fit(X)
    >>> model.transform(X[:3]).shape, model.reconstruct(X[:3]).shape
    ((3, 8), (3, 784))
    """

    likelihood: Any = option(
        SQUARED_ERROR,
        "how the reconstruction is held against x: the squared error, or minus the log-likelihood of a distribution",
        choices={SQUARED_ERROR: None} | LIKELIHOODS,
        members=("log_prob", "log_prob_backward", "n_params", "mean"),
        kw_only=True,
    )
    mean_link: str = option(
        "identity",
        "from decoder to mean of squared-error or a gaussian: sigmoid for data in [0, 1]",
        choices=MEAN_LINKS,
        kw_only=True,
    )
    code_activation: Any = option(
        "identity",
        "nonlinearity after the encoder's last layer",
        choices=ACTIVATIONS,
        members=LAYER,
        kw_only=True,
    )
    tied: bool = option(False, "decoder with the encoder's weights, transposed", kw_only=True)

    # ---- the model ---------------------------------------------------------------------------------------------------

    def _build(self, n_features: int, n_rows: int | None = None) -> Model:
        return Model(*self._networks(n_features), likelihood=self._likelihood())

    def _networks(self, n_features: int) -> tuple[int, int, Chain, Chain | None]:
        """Widths and networks, as the models take them."""
        likelihood = self._likelihood()
        n_out = likelihood.n_params(n_features)
        encoder, decoder = self._encoder_and_decoder(n_features, self.latent_dim, n_out)
        if self.code_activation != "identity":
            encoder = Chain(*encoder.layers, activation_layer(self.code_activation))
        if self.tied and self.decoder is not None:
            raise ArgumentError("tied", "be False with a decoder of its own", True)
        if self.tied and n_out != n_features:
            rule = "be False with {likelihood}, which wants more than one number a feature"
            raise ArgumentError("tied", rule, True, settings={"likelihood": self.likelihood})
        return n_features, self.latent_dim, encoder, None if self.tied else decoder

    def _likelihood(self) -> Any:
        if not isinstance(self.likelihood, str):
            return self.likelihood
        if self.likelihood == SQUARED_ERROR:
            return SquaredError(self.mean_link)
        return named_likelihood(self.likelihood, mean_link=self.mean_link)

    # ---- training ----------------------------------------------------------------------------------------------------

    def _require_reach(self, model: Model, x: NDArray, x_val: NDArray | None) -> None:
        for argument, rows in (("X", x), ("X_val", x_val)):
            if rows is None:
                continue
            model.likelihood.require_support(argument, rows)
            if self.mean_link == "sigmoid" and not (rows.min() >= 0 and rows.max() <= 1):
                got, settings = f"values from {rows.min():g} to {rows.max():g}", {"mean_link": "sigmoid"}
                raise ArgumentError(argument, "lie in [0, 1] under {mean_link}", got, settings=settings)

    def _learnt(self, model: Model, run: training.TrainingRun, visits: Visits) -> dict[str, Any]:
        x, _, _ = visits
        grey = not isinstance(model.likelihood, SquaredError) and not model.likelihood.is_density(x)
        if grey:
            run.history.relabel("reconstruction", f"reconstruction ({CROSS_ENTROPY})")
        codes = by_rows(lambda rows: model.encode(run.chosen, rows), x).astype(np.float64)
        mean = codes.mean(axis=0)
        # The root of the covariance by QR: no covariance is formed, and codes that do not vary do no harm.
        triangle = np.linalg.qr((codes - mean) / np.sqrt(len(codes)), mode="r")
        factor = np.zeros((len(mean), len(mean)))
        factor[:, : len(triangle)] = triangle.T
        return {"code_mean_": mean, "code_factor_": factor}

    def _state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        return {}, {"code_mean": self.code_mean_, "code_factor": self.code_factor_}

    def _restore(self, state: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        d = self.latent_dim
        for name, shape in (("code_mean", (d,)), ("code_factor", (d, d))):
            if arrays[name].shape != shape or not np.isfinite(arrays[name]).all():
                raise ValueError(f"{name} should be finite and have shape {shape}, got {arrays[name].shape}")
        self.code_mean_, self.code_factor_ = arrays["code_mean"], arrays["code_factor"]

    def pictures(self, plots: ModuleType, shown: Dataset) -> dict[str, Any]:
        """ "filters": the weights of the first layer as images, where it is dense."""
        shape = self.image_shape_
        if shape is None or len(shape) != 2 or not isinstance(self.model_.encoder.layers[0], Dense):
            return {}
        return {"filters": plots.filters(self.theta_["encoder.0.W"], shape)}

    # ---- use ---------------------------------------------------------------------------------------------------------

    def _latents_of(self, x: NDArray) -> NDArray:
        return self.model_.encode(self.theta_, x)

    def _means_of(self, z: NDArray) -> NDArray:
        return self.model_.likelihood.mean(self.model_.decode(self.theta_, z))

    def _draw_latents(self, rng: np.random.Generator, n: int) -> NDArray:
        z = self.code_mean_ + rng.standard_normal((n, len(self.code_mean_))) @ self.code_factor_.T
        return z.astype(self._dtype)

    def _encoder_rows(self, X: ArrayLike, argument: str = "X") -> NDArray:
        x = super()._encoder_rows(X, argument)
        self._require_encodable(argument, x)
        return x

    def _require_encodable(self, argument: str, x: NDArray) -> None:
        """An `ArgumentError` if the model knows no such rows."""
        self.model_.likelihood.require_support(argument, x)

    def _loss(self, x: NDArray, n_samples: int, seed: int) -> Loss:
        """The reconstruction's term alone, without the penalty or the corruption of the training."""
        likelihood = self.model_.likelihood
        likelihood.require_support("X", x)

        def of_rows(rows: NDArray) -> NDArray:
            a = self.model_.decode(self.theta_, self.model_.encode(self.theta_, rows))
            if isinstance(likelihood, SquaredError):
                deviation = (rows - likelihood.mean(a)) * np.asarray(self.scaling_.unit, rows.dtype)
                return np.einsum("ij,ij->i", deviation, deviation)
            return -likelihood.log_prob(a, rows)[0]

        reconstruction = by_rows(of_rows, x)
        if isinstance(likelihood, SquaredError):
            return Loss({"reconstruction": reconstruction}, {}, {"reconstruction": likelihood.label},
                        {"reconstruction": likelihood.unit})  # fmt: skip
        if not likelihood.discrete:
            reconstruction = reconstruction + self.scaling_.log_volume(x.shape[1])
        label = "−log p(x|h)" if likelihood.is_density(x) else CROSS_ENTROPY
        return Loss({"reconstruction": reconstruction}, {}, {"reconstruction": label})
