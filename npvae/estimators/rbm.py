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
from npvae.estimators.scores import ExactScores
from npvae.models import RBM as Model
from npvae.models import BinaryUnits, GaussianUnits
from npvae.optimizers import OPTIMIZERS, SGD, Optimizer
from npvae.schedules import SCHEDULES
from npvae.validation import ArgumentError, integer, number

__all__ = ["RBM"]

VISIBLE: Mapping[str, Any] = {
    "auto": None,
    "binary": BinaryUnits,
    "gaussian": GaussianUnits,
    "gaussian-learned": lambda: GaussianUnits(learn_variance=True),
}

ENUMERATED = 12
"""Units on one side up to which log Z is computed exactly: 4,096 states take milliseconds."""

BURN_IN = 1000
"""Gibbs steps before the reverse annealing begins."""

STEPS = 200
"""Gibbs steps between the chains of the fit and a sample."""

AIS, REVERSE = 8, 9
"""Streams of random numbers, beside those of the training."""


@estimator
class RBM(Binarizing, LatentMethods, ExactScores, GradientEstimator):
    """Restricted Boltzmann machine, trained by contrastive divergence or persistent chains.

    Parameters
    ----------
    {options}

    Attributes
    ----------
    model_, theta_ : npvae.models.RBM, Parameters
    log_z_ : npvae.evaluation.LogPartition or float or None
        log Z: exact where one side has at most 12 units, else annealed importance sampling's estimate, None without.
    log_z_reverse_ : npvae.evaluation.LogPartition or None
        The estimate from above; log Z lies between both on average.
    chains_ : (n_chains, n_features_in_) array
        Where the persistent chains were at the end; `sample` begins there.
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
        x, _, _ = visits
        mean = x.mean(axis=0)
        chains = run.state["v"] if self.n_chains else x[: self._option("ais_runs")]
        if model.visible.binary:
            chains = binary(chains, "none" if is_binary(chains) else "fixed", run.seed)
        log_z, reverse = self._log_partition(model, run.chosen, mean, chains, run.seed)
        return {"log_z_": log_z, "log_z_reverse_": reverse, "chains_": chains}

    def _log_partition(self, model: Model, theta: Any, mean: NDArray, chains: NDArray, seed: int) -> tuple[Any, Any]:
        """log Z, exact or estimated, and the estimate from the other side; None where there is no estimate."""
        smaller = min(model.n_hidden, model.n_features) if model.visible.binary else model.n_hidden
        if smaller <= ENUMERATED:
            return evaluation.exact_log_partition(model, theta), None
        steps, runs = self._option("ais_steps"), self._option("ais_runs")
        if steps == 0 or not theta["W"].any():
            return None, None
        integer("ais_steps", steps, at_least=2)
        start = chains[np.arange(runs) % len(chains)]
        forward, backward = (np.random.default_rng([seed, 0, stream]) for stream in (AIS, REVERSE))
        return (
            evaluation.annealed_importance_sampling(model, theta, forward, mean, steps, runs),
            evaluation.reverse_annealing(model, theta, start, backward, mean, steps, BURN_IN),
        )

    # ---- one file ----------------------------------------------------------------------------------------------------

    def _state(self) -> tuple[dict[str, Any], dict[str, NDArray]]:
        arrays = {"chains": self.chains_}
        steps = {}
        for name, found in (("log_z", self.log_z_), ("log_z_reverse", self.log_z_reverse_)):
            if isinstance(found, evaluation.LogPartition):
                arrays[name], steps[f"{name}_steps"] = found.log_weights, found.steps
            elif found is not None:
                steps[f"{name}_exact"] = found
        return steps, arrays

    def _restore(self, state: dict[str, Any], arrays: dict[str, NDArray]) -> None:
        found: dict[str, Any] = {}
        for name, direction in (("log_z", "forward"), ("log_z_reverse", "reverse")):
            if name in arrays:
                steps, weights = integer("steps", state[f"{name}_steps"], at_least=2), arrays[name]
                if weights.ndim != 1 or not weights.size or not np.isfinite(weights).all():
                    raise ValueError(f"{name} should be finite, one number a run, got shape {weights.shape}")
                found[name] = evaluation.LogPartition(weights, direction, steps)
            else:
                found[name] = number(name, state[f"{name}_exact"]) if f"{name}_exact" in state else None
        chains = arrays["chains"].astype(self._dtype)
        if not np.isfinite(chains).all():
            raise ValueError("chains should be finite")
        if chains.ndim != 2 or chains.shape[1] != self.n_features_in_ or len(chains) == 0:
            raise ValueError(f"chains should have {self.n_features_in_} columns, got shape {chains.shape}")
        self.log_z_, self.log_z_reverse_, self.chains_ = found["log_z"], found["log_z_reverse"], chains

    def facts(self) -> dict[str, Any]:
        """What is known of log Z, and the number of chains."""
        return {"log Z": self._told(), "chains": len(self.chains_)}

    def summary(self) -> list[str]:
        """What every trained estimator tells, and log Z."""
        return [*super().summary(), self._equation()]

    def _equation(self) -> str:
        return f"log Z {'' if self.log_z_ is None else '= '}{self._told()}"

    def _told(self) -> str:
        """log Z in words."""
        forward, reverse = self.log_z_, self.log_z_reverse_
        if forward is None:
            return "was not estimated (ais_steps=0)"
        if isinstance(forward, float):
            return f"{forward:.2f} nats, exactly, by enumeration"
        low, high = forward.interval
        estimate = f"{forward.log_z:.2f} nats ({low:.2f} to {high:.2f})"
        way = f"by annealed importance sampling, {forward.steps:,} steps"
        return f"{estimate} {way}; {reverse.log_z:.2f} in reverse"

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

    def likelihood_note(self) -> str:
        """The log Z in −log p(x) = F(x) + log Z, and where it is from."""
        return self._equation()

    def _loss(self, x: NDArray, n_samples: int, seed: int) -> Loss:
        """−log p(x) = F(x) + log Z with the log Z of the fit; neither draws nor seed play a part."""
        if self.log_z_ is None:
            rule, advice = "be at least 2 when the machine is fitted", "a likelihood needs an estimate of log Z"
            raise ArgumentError("ais_steps", rule, self.ais_steps, advice)
        exact = isinstance(self.log_z_, float)
        log_z = self.log_z_ if exact else self.log_z_.log_z
        with np.errstate(over="ignore", invalid="ignore"):  # the check below reports it
            F = by_rows(lambda rows: self.model_.free_energy(self.theta_, rows)[0], x).astype(np.float64)
        self._require_finite("log-likelihood", F + log_z, x)
        units = 0.0 if self.model_.visible.binary else self.scaling_.log_volume(self.n_features_in_)
        return Loss(
            {"negative_log_px": F + log_z + units}, labels={"negative_log_px": f"−log p(x), {self._equation()}"}
        )

    def _draw_latents(self, rng: np.random.Generator, n: int) -> NDArray:
        """Hidden units after 200 steps of block Gibbs sampling from `chains_`."""
        v = self.chains_[rng.permutation(max(n, len(self.chains_)))[:n] % len(self.chains_)]
        return self._hidden_draw(self._walk(v, rng, STEPS), rng)

    @needs_fit
    def chain(
        self, X: ArrayLike, length: int = 10, every: int = 1, random_state: int | np.random.Generator | None = 0
    ) -> NDArray:
        """Chains that begin at the rows of X: E[v|h] after every `every` Gibbs steps, (n, length, n_features)."""
        length, every = integer("length", length, at_least=1), integer("every", every, at_least=1)
        rng = np.random.default_rng(random_seed(random_state))
        v, seen = self._score_rows(X), []
        for _ in range(length):
            v = self._walk(v, rng, every)
            seen.append(self._decoded(self._hidden_draw(v, rng)))
        return np.stack(seen, axis=1)

    def _walk(self, v: NDArray, rng: np.random.Generator, steps: int) -> NDArray:
        """The chains v after so many steps."""
        for _ in range(steps):
            v = self.model_.gibbs(self.theta_, v, self.model_.gibbs_noise(rng, 1, len(v), self._dtype))
        return v

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
