"""The restricted Boltzmann machine as an estimator."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Any, ClassVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import evaluation, training
from npvae.bounds import Loss
from npvae.datasets import Dataset, is_binary
from npvae.datasets.scaling import Scaling
from npvae.estimators.base import by_rows, estimator, needs_fit, random_seed
from npvae.estimators.binarizing import Binarizing, binary
from npvae.estimators.gradient_fit import GradientEstimator, Visits
from npvae.estimators.latents import LatentMethods
from npvae.estimators.options import option
from npvae.estimators.partition_function import PartitionFunction, enumerable
from npvae.estimators.scores import ExactScores
from npvae.models import RBM as Model
from npvae.models import BinaryUnits, GaussianUnits
from npvae.optimizers import OPTIMIZERS, SGD, Optimizer
from npvae.parameters import Parameters
from npvae.schedules import SCHEDULES
from npvae.validation import ArgumentError, integer

__all__ = ["RBM"]

VISIBLE: Mapping[str, Any] = {
    "auto": None,
    "binary": BinaryUnits,
    "gaussian": GaussianUnits,
    "gaussian-learned": lambda: GaussianUnits(learn_variance=True),
}

STEPS = 200
"""Gibbs steps between the chains of the fit and a sample."""

CHAINS = 10
"""Stream of random numbers of those steps, beside the training's and the annealing's."""


@estimator
class RBM(PartitionFunction, Binarizing, LatentMethods, ExactScores, GradientEstimator):
    """Restricted Boltzmann machine, trained by contrastive divergence or persistent chains.

    `fit` ends with an estimate of log Z, which scores need. `partial_fit` leaves it out unless log Z can be summed up;
    `estimate_log_z` makes it after the last chunk of data.

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_, theta_ : npvae.models.RBM, Parameters
    log_z_ : npvae.evaluation.LogPartition or float or None
        log Z: exact where one side has at most 12 units, else annealed importance sampling's estimate. None without
        one: with ``ais_steps=0``, after `partial_fit`, or where Ctrl-C ended the annealing.
    log_z_reverse_ : npvae.evaluation.LogPartition or None
        The estimate from above; log Z lies between both on average.
    chains_ : (n_chains, n_features_in_) array
        Where the persistent chains were at the end; `sample` begins there. With ``n_chains=0`` they are at most
        `ais_runs` chains that began at rows of the data and have walked 200 Gibbs steps since.
    params_, history_, run_, seed_, n_features_in_, n_iter_, feature_names_in_, image_shape_, scaling_
        As of every estimator.

    Examples
    --------
    >>> from npvae import RBM, datasets
    >>> X = datasets.digits(300, seed=0).x
    >>> rbm = RBM(n_hidden=32, epochs=2, binarize="dynamic", ais_steps=100, random_state=0).fit(X)
    >>> rbm.transform(X[:3]).shape, rbm.sample(4, random_state=0).shape
    ((3, 32), (4, 784))
    """

    latent_name: ClassVar[str] = "hidden unit"

    n_hidden: int = option(100, "number of hidden units", at_least=1, flag="hidden", metavar="H")
    visible: str = option(
        "auto",
        "visible units: binary, gaussian with the variance of the data or with learned ones; auto is binary for data "
        "of 0 and 1, else gaussian",
        choices=VISIBLE,
    )
    k: int = option(1, "Gibbs steps between two gradients", at_least=1, group="training", metavar="K")
    n_chains: int = option(
        100, "persistent chains; 0 is contrastive divergence, whose chains begin at the batch", at_least=0,
        group="training", flag="chains", metavar="C",
    )  # fmt: skip
    centring: bool = option(True, "subtract offsets from visible and hidden units", group="training", flag=None)
    weight_decay: float = option(0.0, "weight of ½‖W‖²", at_least=0, group="training", metavar="λ")
    optimizer: str = option("sgd", "update rule", choices=OPTIMIZERS, group="training")
    momentum: float = option(0.5, "momentum of sgd", at_least=0, group="training", metavar="μ")
    learning_rate: float = option(0.02, "step size", above=0, group="training", metavar="α")
    batch_size: int = option(100, "rows per step", at_least=1, group="training", flag="batch", metavar="N")
    schedule: str = option("constant", "course of the learning rate over the run", choices=SCHEDULES, group="training")
    patience: int | None = option(
        None, "none: the loss of an epoch is no likelihood, since every epoch has another log Z", kind=int, at_least=1,
        optional=True, group="training", flag=None, fixed=False,
    )  # fmt: skip
    ais_steps: int = option(
        1000, "machines on the way of annealed importance sampling, both ways; 0 is no estimate of log Z", at_least=0,
        group="training", metavar="N", fixed=False,
    )  # fmt: skip
    ais_runs: int = option(100, "runs of it", at_least=2, group="training", metavar="N", fixed=False)

    # ---- the model and its training ----------------------------------------------------------------------------------

    def _build(self, n_features: int, n_rows: int | None = None) -> Model:
        return Model(
            n_features,
            self._option("n_hidden"),
            VISIBLE["binary" if self.visible == "auto" else self.visible](),
            k=self._option("k"),
            n_chains=self._option("n_chains"),
            centring=self._option("centring"),
            weight_decay=self._option("weight_decay"),
        )

    def _decide(self, x: NDArray) -> dict[str, Any]:
        if self.visible != "auto":
            return {}
        return {"visible": "binary" if self.binarize != "none" or is_binary(x) else "gaussian"}

    def _scaling_of(self, x: NDArray) -> Scaling:
        scaling = super()._scaling_of(x)
        binary_units = self.visible == "binary" or self.binarize != "none"
        return Scaling() if self.scale == "auto" and scaling.how == "standard" and binary_units else scaling

    def _require_reach(self, model: Model, x: NDArray, x_val: NDArray | None) -> None:
        if self.patience is not None:
            rule = "be None: the loss is no likelihood, since every epoch has another log Z, so that none is the best"
            raise ArgumentError("patience", rule, self.patience)
        if self.ais_steps == 1 and not enumerable(model):
            raise ArgumentError("ais_steps", "be 0 or at least 2", self.ais_steps)
        if not model.visible.binary:
            if self.binarize != "none":
                settings = {"visible": self.visible}
                raise ArgumentError("binarize", "be 'none' with {visible}", repr(self.binarize), settings=settings)
            return
        for argument, rows in (("X", x), ("X_val", x_val)):
            if rows is not None:
                self._require_pixels(argument, rows)
                self._require_units(model, argument, rows)

    def _require_units(self, model: Model, argument: str, x: NDArray) -> None:
        """An `ArgumentError` for values that the visible units cannot have, before they are made binary."""
        if not model.visible.binary:
            return
        outside = (x < 0) | (x > 1)
        if outside.any():
            got, settings = f"{x[outside].flat[0]:g}", {"visible": "gaussian"}
            raise ArgumentError(argument, "lie in [0, 1] for binary visible units", got, "use {visible}", settings)
        if self.binarize == "none" and not is_binary(x):
            got = f"{x[(x != 0) & (x != 1)].flat[0]:g}"
            advice = "train with {binarize}, which makes grey pixels binary, or with {visible}"
            settings = {"binarize": "dynamic", "visible": "gaussian"}
            raise ArgumentError(argument, "be 0 or 1 for binary visible units", got, advice, settings)

    def _optimizer(self, n: int) -> Optimizer:
        schedule = SCHEDULES[self.schedule](self._option("learning_rate"), self._steps(n))
        return SGD(schedule, self._option("momentum")) if self.optimizer == "sgd" else super()._optimizer(n)

    def _learnt(self, model: Model, run: training.TrainingRun, visits: Visits) -> dict[str, Any]:
        chains, theta = run.state["v"], run.chosen
        if not self.n_chains:
            x = visits[0][: self._option("ais_runs")]
            x = binary(x, "none" if not model.visible.binary or is_binary(x) else "fixed", run.seed)
            chains = walked(model, theta, x, np.random.default_rng([run.seed, 0, CHAINS]), STEPS)
        log_z = evaluation.exact_log_partition(model, theta) if enumerable(model) else None
        return {"log_z_": log_z, "log_z_reverse_": None, "chains_": chains}

    # ---- one file ----------------------------------------------------------------------------------------------------

    def _state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        told, arrays = self._log_z_state()
        return told, {"chains": self.chains_, **arrays}

    def _restore(self, state: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        chains = arrays["chains"].astype(self._dtype)
        if not np.isfinite(chains).all():
            raise ValueError("chains should be finite")
        if chains.ndim != 2 or chains.shape[1] != self.n_features_in_ or len(chains) == 0:
            raise ValueError(f"chains should have {self.n_features_in_} columns, got shape {chains.shape}")
        self._restore_log_z(state, arrays)
        self.chains_ = chains

    def facts(self) -> dict[str, Any]:
        """What is known of log Z, and the number of chains."""
        return {"log Z": self._told(), "chains": len(self.chains_)}

    def summary(self) -> list[str]:
        """What every trained estimator tells, and log Z."""
        return [*super().summary(), self.likelihood_note()]

    # ---- use ---------------------------------------------------------------------------------------------------------

    @property
    def n_latents_(self) -> int:
        """The hidden units."""
        self._require_fitted()
        return self.model_.n_hidden

    def _latents_of(self, x: NDArray) -> NDArray:
        return self.model_.hidden_mean(self.theta_, x)

    def _means_of(self, z: NDArray) -> NDArray:
        return self.model_.visible_mean(self.theta_, z)

    def _require_support(self, argument: str, x: NDArray) -> None:
        self._require_units(self.model_, argument, x)

    def _posterior_numbers(self, x: NDArray) -> tuple[str, NDArray]:
        return "the logits of the hidden units", self.model_.hidden_input(self.theta_, x)

    def _loss(self, x: NDArray, n_samples: int, seed: int) -> Loss:
        """−log p(x) = F(x) + log Z with the log Z of the fit; neither draws nor seed play a part."""
        log_z = self._known_log_z()
        with np.errstate(over="ignore", invalid="ignore"):  # the check below reports it
            F = by_rows(lambda rows: self.model_.free_energy(self.theta_, rows)[0], x).astype(np.float64)
        self._require_finite("log-likelihood", F + log_z, x)
        units = 0.0 if self.model_.visible.binary else self.scaling_.log_volume(self.n_features_in_)
        label = f"−log p(x), {self.likelihood_note()}"
        return Loss({"negative_log_px": F + log_z + units}, labels={"negative_log_px": label})

    def _draw_latents(self, rng: np.random.Generator, n: int) -> NDArray:
        """Hidden units after 200 steps of block Gibbs sampling from `chains_`."""
        v = self.chains_[rng.permutation(max(n, len(self.chains_)))[:n] % len(self.chains_)]
        return self._hidden_draw(walked(self.model_, self.theta_, v, rng, STEPS), rng)

    @needs_fit
    def chain(
        self, X: ArrayLike, length: int = 10, every: int = 1, random_state: int | np.random.Generator | None = 0
    ) -> NDArray:
        """Chains that begin at the rows of X: E[v|h] after every `every` Gibbs steps, (n, length, n_features)."""
        length, every = integer("length", length, at_least=1), integer("every", every, at_least=1)
        rng = np.random.default_rng(random_seed(random_state))
        v, seen = self._score_rows(X), []
        for _ in range(length):
            v = walked(self.model_, self.theta_, v, rng, every)
            seen.append(self._decoded(self._hidden_draw(v, rng)))
        return np.stack(seen, axis=1)

    def _hidden_draw(self, v: NDArray, rng: np.random.Generator) -> NDArray:
        """h ~ p(h|v)."""
        p = self.model_.hidden_mean(self.theta_, v)
        return (rng.random(p.shape, dtype=p.dtype) < p).astype(p.dtype)

    def pictures(self, plots: ModuleType, shown: Dataset) -> dict[str, Any]:
        """The filters, one of each hidden unit's weights, and chains from some data, a row each."""
        if self.image_shape_ is None or len(self.image_shape_) != 2:
            return {}
        W = self.theta_["W"].T[:100]
        reach = float(np.quantile(np.abs(W), 0.999)) or 1.0
        filters = plots.image_grid(W, self.image_shape_, vmin=-reach, vmax=reach)
        chains = self.chain(shown.x[:8], 12, 20)
        return {
            "filters": filters,
            "chains": plots.image_grid(chains.reshape(-1, chains.shape[-1]), self.image_shape_, 12),
        }

    def _tags(self) -> dict[str, Any]:
        return {"non_deterministic": True}


def walked(model: Model, theta: Parameters, v: NDArray, rng: np.random.Generator, steps: int) -> NDArray:
    """The chains v after so many steps."""
    for _ in range(steps):
        v = model.gibbs(theta, v, model.gibbs_noise(rng, 1, len(v), theta.dtype))
    return v
