"""The denoising autoencoder as an estimator."""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae.datasets import Dataset
from npvae.estimators.autoencoder import Autoencoder
from npvae.estimators.base import by_rows, estimator, needs_fit, random_seed
from npvae.estimators.options import option
from npvae.models import CORRUPTIONS, Corruption
from npvae.models import DenoisingAutoencoder as Model
from npvae.validation import ArgumentError

__all__ = ["DenoisingAutoencoder"]


@estimator
class DenoisingAutoencoder(Autoencoder):
    """Autoencoder that restores what was corrupted: it sees x with fresh noise at each visit, its loss the clean x.

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_ : npvae.models.DenoisingAutoencoder
    others
        Those of `npvae.Autoencoder`.

    Examples
    --------
    >>> from npvae import DenoisingAutoencoder, datasets
    >>> X = datasets.digits(500, seed=0).x
    >>> model = DenoisingAutoencoder(latent_dim=32, hidden=64, noise_level=0.5, epochs=2, random_state=0).fit(X)
    >>> model.denoise(model.corrupt(X[:3], random_state=0)).shape
    (3, 784)
    """

    corruption: Any = option(
        "zeros",
        "what is done to x: numbers set to 0, set to 0 or 1 (salt-and-pepper), or Gaussian noise added",
        choices=CORRUPTIONS,
        members=("draw_noise", "apply"),
        kw_only=True,
    )
    noise_level: float = option(
        0.5,
        "how much: the share of numbers that are set, below 1, or the standard deviation that is added",
        at_least=0,
        kw_only=True,
        metavar="P",
    )

    def _build(self, n_features: int, n_rows: int | None = None) -> Model:
        networks = self._networks(n_features)
        return Model(*networks, likelihood=self._likelihood(), corruption=self._corruption())

    def _corruption(self) -> Corruption:
        if not isinstance(self.corruption, str):
            return self.corruption
        if self.corruption != "gaussian" and self.noise_level >= 1:
            rule, reason = "be less than 1 with {corruption}", "nothing of x would be left to learn from"
            settings = {"corruption": self.corruption}
            raise ArgumentError("noise_level", rule, self.noise_level, reason, settings=settings)
        return CORRUPTIONS[self.corruption](self._option("noise_level"))

    def _require_encodable(self, argument: str, x: NDArray) -> None:
        # Corrupted rows need not lie where clean ones do.
        return

    def pictures(self, plots: ModuleType, shown: Dataset) -> dict[str, Any]:
        """ "denoised": rows, corrupted as in the training, and restored; with those of every autoencoder."""
        if self.image_shape_ is None or len(self.image_shape_) != 2:
            return {}
        clean = shown.x[:12]
        noisy = self.corrupt(clean)
        rows = {"original": clean, "corrupted": noisy, "restored": self.denoise(noisy)}
        return {**super().pictures(plots, shown), "denoised": plots.image_rows(rows, self.image_shape_)}

    @needs_fit
    def corrupt(self, X: ArrayLike, random_state: int | np.random.Generator | None = 0) -> NDArray:
        """The rows with the corruption that was trained, (n, n_features), in the units of the data."""
        x, rng = self._rows(X), np.random.default_rng(random_seed(random_state))
        corruption = self.model_.corruption
        return self.scaling_.inverse(corruption.apply(x, corruption.draw_noise(rng, x.shape, x.dtype)))

    @needs_fit
    def denoise(self, X: ArrayLike) -> NDArray:
        """What the clean rows behind corrupted ones X are taken to be, (n, n_features), in the units of the data."""
        return self.scaling_.inverse(by_rows(lambda x: self.model_.denoise(self.theta_, x), self._rows(X)))
