"""What every estimator with latents can do: to latents and back, sample, interpolate, traverse, attribute vectors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import evaluation, memory
from npvae.datasets.channels import like_images
from npvae.estimators.base import Estimator, by_rows, needs_fit, random_seed
from npvae.estimators.tables import as_fitted
from npvae.validation import ArgumentError, ArgumentTypeError, data_matrix, integer, number, one_of

__all__ = ["LatentMethods"]


def one_row(row: Any, image_shape: tuple[int, ...] | None) -> Any:
    """A row, one image of that shape, or data of one of them, as data of one row."""
    if hasattr(row, "columns") or (image_shape is not None and np.shape(row) == (1, *image_shape)):
        return row
    return np.asarray(row)[None] if np.ndim(row) == 3 else np.reshape(row, (1, -1))


class LatentMethods(ABC):
    """Methods of an estimator whose model turns rows into latents and latents into rows.

    Hooks
    -----
    _latents_of(x)
        Rows (n, n_features) on the model's scale to latents (n, n_latents_).
    _means_of(z)
        Latents (n, n_latents_) to rows on the model's scale.
    _draw_latents(rng, n)
        n latents (n, n_latents_) to sample from.
    n_latents_
        How many latents there are.
    latent_name
        What one of them is called above pictures.
    """

    latent_name: ClassVar[str] = "latent"

    @abstractmethod
    def _latents_of(self, x: NDArray) -> NDArray:
        """The latents of rows."""

    @abstractmethod
    def _means_of(self, z: NDArray) -> NDArray:
        """The rows of latents."""

    @abstractmethod
    def _draw_latents(self, rng: np.random.Generator, n: int) -> NDArray:
        """New latents."""

    @property
    def n_latents_(self) -> int:
        """Width of z."""
        self._require_fitted()
        return self.model_.latent_dim

    def _encoder_rows(self, X: ArrayLike, argument: str = "X") -> NDArray:
        """The rows as the encoder gets them."""
        return self._rows(X, argument)

    def _encoded(self, x: NDArray) -> NDArray:
        return by_rows(self._latents_of, x)

    def _decoded(self, z: NDArray) -> NDArray:
        """The rows of latents in the units of the data."""
        return self.scaling_.inverse(by_rows(self._means_of, z))

    def _drawn(self, z: NDArray, rng: np.random.Generator) -> NDArray:
        """What `sample` makes of latents, in the units of the data: what they are decoded to."""
        return self._decoded(z)

    def _handed_out(self, values: NDArray, like: Any = None) -> Any:
        """Rows in the units of the data as whoever asked gets them.

        Images where `like`, what was given, are images; a frame where it is one, or where nothing was given and the fit
        was to one.
        """
        if isinstance(like, np.ndarray):
            return like_images(values, np.shape(like))
        return as_fitted(values, self, like)

    @needs_fit
    def transform(self, X: ArrayLike) -> Any:
        """The latents of every row, (n, n_latents_); for a VAE the means of q(z|x). `set_output` makes it a frame."""
        return self._output(self._encoded(self._encoder_rows(X)), X)

    def fit_transform(self, X: ArrayLike, y: Any = None, **fit_params: Any) -> Any:
        """`fit`, to which `fit_params` go, then `transform` of the same rows."""
        return self.fit(X, **fit_params).transform(X)

    @needs_fit
    def inverse_transform(self, Z: ArrayLike) -> NDArray:
        """The row of every latent (n, n_latents_), (n, n_features): for a VAE the mean of p(x|z)."""
        return self._handed_out(self._decoded(data_matrix("Z", Z, self.n_latents_, self._dtype)))

    @needs_fit
    def reconstruct(self, X: ArrayLike) -> NDArray:
        """Every row encoded and decoded again, in the units and the shape of the data."""
        return self._handed_out(self._decoded(self._encoded(self._encoder_rows(X))), X)

    @needs_fit
    def reconstruction_error(self, X: ArrayLike) -> NDArray:
        """Σ_j (x_j − x̂_j)² of every row and its reconstruction, in squared units of the data: (n,), lower is better."""
        x = self.scaling_.inverse(self._rows(X))
        deviation = x - self.scaling_.inverse(self._rows(self.reconstruct(X)))
        return np.einsum("ij,ij->i", deviation, deviation)

    def fit_latent_model(self, X: ArrayLike, latent_model: Any = None) -> Any:
        """Fit a density to the latents of the rows of X, from which `sample` draws from then on; returns self.

        Parameters
        ----------
        X : (n, n_features) array
            The training rows, or others like them.
        latent_model : estimator, optional
            With `fit` and `sample`; by default ``GaussianMixture(30)``. A Gaussian that is factored is
            ``GaussianMixture(1, covariance="diagonal")``. It is saved with the model as `latent_model_`.
        """
        from npvae.estimators.gaussian_mixture import GaussianMixture

        if latent_model is None:
            latent_model = GaussianMixture(30, random_state=0)
        _require_sampler(latent_model)
        self.latent_model_ = latent_model.fit(np.asarray(self._latents(X)))
        return self

    @needs_fit
    def _latents(self, X: ArrayLike) -> NDArray:
        return self._encoded(self._encoder_rows(X))

    @needs_fit
    def sample(
        self, n: int = 1, random_state: int | np.random.Generator | None = None, latent_model: Any = None
    ) -> NDArray:
        """New rows (n, n_features): latents drawn and decoded.

        They are drawn from `latent_model`: a fitted estimator of latents, or "prior" for what the model itself says of
        them. Without it they come from what `fit_latent_model` has fitted, or else from the prior.
        """
        n, rng = integer("n", n, at_least=1), np.random.default_rng(random_seed(random_state))
        memory.require("n", 3 * n * self.theta_.flat.itemsize * (self.n_features_in_ + self.n_latents_))
        chosen = getattr(self, "latent_model_", "prior") if latent_model is None else latent_model
        if isinstance(chosen, str):
            one_of("latent_model", chosen, {"prior": None})
            return self._handed_out(self._drawn(self._draw_latents(rng, n), rng))
        _require_sampler(chosen)
        if not chosen.__sklearn_is_fitted__():
            advice = "call fit_latent_model(X, latent_model) first"
            raise ArgumentError("latent_model", "be fitted", repr(chosen), advice)
        if chosen.n_features_in_ != self.n_latents_:
            raise ArgumentError("latent_model", f"have {self.n_latents_} features", chosen.n_features_in_)
        return self._handed_out(self._drawn(chosen.sample(n, rng).astype(self._dtype), rng))

    @needs_fit
    def interpolate(self, x_from: ArrayLike, x_to: ArrayLike, steps: int = 10, method: str = "linear") -> NDArray:
        """Rows between two rows, through their latents: (steps, n_features).

        `method` is "linear" or "spherical", see `npvae.evaluation.interpolate`.
        """
        given = (("x_from", x_from), ("x_to", x_to))
        ends = [self._encoder_rows(one_row(row, self.image_shape_), name) for name, row in given]
        z = self._encoded(np.concatenate(ends))
        return self._handed_out(self._decoded(evaluation.interpolate(z[0], z[1], steps, method)))

    @needs_fit
    def traverse(
        self, X: ArrayLike, dimension: int, steps: int = 9, reach: float = 3.0, center: ArrayLike | None = None
    ) -> NDArray:
        """One latent moved, the others held: (n, steps, n_features) for n rows.

        Parameters
        ----------
        X : (n, n_features) array
            Rows whose latents are held.
        dimension : int
            The latent that moves, counted from 0.
        steps : int, default 9
        reach : float, default 3.0
            The latent goes from −reach to reach, around `center` if that is given.
        center : float, optional
        """
        last = self.n_latents_ - 1
        if integer("dimension", dimension, at_least=0) > last:
            raise ArgumentError("dimension", f"be a latent, from 0 to {last}", dimension)
        steps, reach = integer("steps", steps, at_least=2), number("reach", reach, above=0)
        middle = 0.0 if center is None else number("center", center)
        z = self._encoded(self._encoder_rows(X))
        moved = np.repeat(z[:, None], steps, axis=1)
        moved[..., dimension] = middle + np.linspace(-reach, reach, steps)
        return self._decoded(moved.reshape(-1, z.shape[1])).reshape(len(z), steps, -1)

    @needs_fit
    def attribute_vector(self, X: ArrayLike, mask: ArrayLike) -> NDArray:
        """The direction in latent space from data without an attribute to data with it: (n_latents_,).

        The latents of the rows where `mask` (n,) is True, on average, minus those of the others. Added to the latents
        of any datum, it is meant to give it the attribute.
        """
        z, mask = self._encoded(self._encoder_rows(X)), np.asarray(mask)
        if mask.shape != (len(z),) or mask.dtype != bool:
            what = f"shape {mask.shape} of {mask.dtype}"
            raise ArgumentError("mask", f"have shape ({len(z)},) of bool, one for each row of X", what)
        if mask.all() or not mask.any():
            raise ArgumentError("mask", "have rows with the attribute and rows without it", f"{mask[0]} for all")
        return z[mask].mean(axis=0) - z[~mask].mean(axis=0)


def _require_sampler(latent_model: Any) -> None:
    if not (isinstance(latent_model, Estimator) and hasattr(latent_model, "sample")):
        rule = "be an estimator of npvae with sample, such as GaussianMixture(30)"
        raise ArgumentTypeError("latent_model", rule, repr(latent_model))
