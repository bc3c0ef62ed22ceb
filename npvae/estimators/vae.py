"""The Gaussian-latent VAE as an estimator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import ceil
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import training
from npvae.datasets import bernoulli_draw, is_binary, threshold
from npvae.distributions import Bernoulli, Distribution, FixedGaussian
from npvae.estimators.estimator import (
    Estimator,
    by_rows,
    load_estimator,
    picture_shape,
    plain,
    random_seed,
    save_estimator,
)
from npvae.evaluation import interpolate
from npvae.models import GaussianVAE
from npvae.optimizers import OPTIMIZERS, Optimizer
from npvae.schedules import SCHEDULES
from npvae.validation import data_matrix, integer, number, one_of, widths

LIKELIHOODS: dict[str, type[Distribution]] = {"bernoulli": Bernoulli, "gaussian": FixedGaussian}
BINARIZE = dict.fromkeys(["none", "threshold", "fixed", "dynamic"])
DTYPES = {"float32": np.float32, "float64": np.float64}

_INIT, _BINARIZE, _SCORE = 3, 4, 5  # streams of random numbers, beside 0 to 2 of the training loop


class VAE(Estimator):
    """Variational autoencoder with Gaussian latents.

    Parameters
    ----------
    latent_dim : int, default 20
        Width of z.
    hidden : int or sequence of int, default 400
        Widths of the encoder's hidden layers; the decoder has them in reverse.
    activation : {"relu", "tanh", "sigmoid", "softplus", "identity"}
        Between the layers.
    likelihood : {"bernoulli", "gaussian"}
        p(x|z). "bernoulli" wants x in [0, 1]; for grey values its reconstruction term is a cross-entropy, not a
        likelihood. "gaussian" has standard deviation one: the squared error, with its constant.
    binarize : {"none", "threshold", "fixed", "dynamic"}
        Grey pixels to 0 or 1 before training: at ½; by one Bernoulli draw; by a fresh draw at every visit.
        "dynamic" leaves held-out data as a fixed draw.
    beta : float, default 1.0
        Weight of the KL term.
    n_samples : int, default 1
        L, draws of z per row and step.
    epochs, batch_size : int, default 10, 128
    optimizer : {"adam", "adagrad", "sgd"}
    learning_rate : float, default 0.001
    schedule : {"constant", "warm-up", "steps", "cosine"}
        Of the learning rate over the whole run.
    init_weights : {"standard", "glorot", "he", "normal"}
        See `npvae.layers.initializers`; "normal" is the N(0, 0.01) of the VAE paper.
    patience : int, optional
        Stop after so many epochs without a better held-out loss.
    dtype : {"float32", "float64"}
    random_state : int, Generator or None
        Seeds everything; None takes fresh entropy.
    verbose : bool, default False
        Print the progress to standard error.

    Attributes
    ----------
    model_, theta_ : GaussianVAE, Parameters
    history_ : History
        Loss and its terms by epoch, nats.
    run_ : TrainingRun
        The whole state of the training, to go on from; a model file does not hold it.
    seed_ : int
        ``random_state=seed_`` repeats the training.
    n_features_in_ : int
    image_shape_ : tuple of int or None
        Shape of a row as a picture: that of X[0] if it had two dimensions, a square if its width is one.
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

    def __init__(
        self,
        latent_dim: int = 20,
        hidden: int | Sequence[int] = 400,
        activation: str = "relu",
        likelihood: str = "bernoulli",
        binarize: str = "none",
        beta: float = 1.0,
        n_samples: int = 1,
        epochs: int = 10,
        batch_size: int = 128,
        optimizer: str = "adam",
        learning_rate: float = 0.001,
        schedule: str = "constant",
        init_weights: str = "standard",
        patience: int | None = None,
        dtype: str = "float32",
        random_state: int | np.random.Generator | None = None,
        verbose: bool = False,
    ) -> None:
        self.latent_dim = latent_dim
        self.hidden = hidden
        self.activation = activation
        self.likelihood = likelihood
        self.binarize = binarize
        self.beta = beta
        self.n_samples = n_samples
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.schedule = schedule
        self.init_weights = init_weights
        self.patience = patience
        self.dtype = dtype
        self.random_state = random_state
        self.verbose = verbose

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,
        *,
        X_val: ArrayLike | None = None,
        callbacks: Sequence[training.Callback] = (),
        resume_from: training.TrainingRun | None = None,
    ) -> VAE:
        """Train on the rows of X.

        Parameters
        ----------
        X : (n, d) or (n, height, width) array
            Finite; in [0, 1] for a Bernoulli likelihood. `y` is ignored.
        X_val : array like X, optional
            Held-out data, evaluated after every epoch.
        callbacks : sequence of callable
            Called with the `TrainingRun` after every epoch; a true answer ends it.
        resume_from : TrainingRun, optional
            Go on with a run, such as ``npvae.training.load_checkpoint(path)``, until `epochs` are done in all.

        Returns
        -------
        self
            Ctrl-C ends the training early and keeps what was trained; ``run_.stopped`` then says "interrupted".

        Raises
        ------
        TypeError, ValueError
            For a hyper-parameter or data that cannot be, or a single row; nothing is trained then.
        NonFiniteLossError
            If the loss stops being finite; the estimator keeps the last good parameters.
        """
        dtype = one_of("dtype", self.dtype, DTYPES)
        x = data_matrix("X", X, dtype=dtype)
        if len(x) < 2:
            raise ValueError(f"X must have at least two rows to learn from, got shape {np.shape(X)}")
        x_val = None if X_val is None else data_matrix("X_val", X_val, x.shape[1], dtype)
        model, optimizer = self._model(x.shape[1]), self._optimizer(len(x))
        self._require_support("X", x)
        if x_val is not None:
            self._require_support("X_val", x_val)
        settings, start = self._settings(len(x)), resume_from
        if start is None:
            seed = random_seed(self.random_state)
            theta = model.init(np.random.default_rng([seed, 0, _INIT]), dtype, mean=x.mean(axis=0))
            start = training.TrainingRun.begin(theta, optimizer, seed, settings)
        seed = start.seed
        if isinstance(self.random_state, Integral) and self.random_state != seed:
            raise ValueError(f"random_state must be {seed}, as it was when the run began, got {self.random_state}")
        for name, value in settings.items():
            if (before := start.settings.get(name)) != value:
                raise ValueError(f"{name} must be {before!r}, as it was when the run began, got {value!r}")
        dynamic = self.binarize == "dynamic"
        draws = np.random.default_rng([seed, 0, _BINARIZE])
        x = x if dynamic else self._binarized(x, draws)
        x_val = None if x_val is None else self._binarized(x_val, draws)

        def keep(run: training.TrainingRun) -> VAE:
            self.run_, self.theta_, self.history_, self.model_ = run, run.theta, run.history, model
            self.seed_, self.n_features_in_, self.image_shape_ = seed, x.shape[1], picture_shape(np.shape(X))
            self.grey_ = self.likelihood == "bernoulli" and not dynamic and not is_binary(x)
            return self

        try:
            run = training.train(
                model,
                start,
                x,
                optimizer=optimizer,
                epochs=self.epochs,
                batch_size=self.batch_size,
                seed=seed,
                x_val=x_val,
                transform=bernoulli_draw if dynamic else None,
                patience=self.patience,
                callbacks=callbacks,
                progress=training.Progress(self.epochs) if self.verbose else None,
            )
        except training.NonFiniteLossError as error:
            keep(error.run)
            raise
        return keep(run)

    def _model(self, n_features: int) -> GaussianVAE:
        """The model that the hyper-parameters describe; each is checked here or in `_optimizer`."""
        one_of("binarize", self.binarize, BINARIZE)
        likelihood = one_of("likelihood", self.likelihood, LIKELIHOODS)
        if self.binarize != "none" and self.likelihood != "bernoulli":
            raise ValueError(f"binarize={self.binarize!r} needs likelihood='bernoulli', got {self.likelihood!r}")
        return GaussianVAE(
            n_features,
            integer("latent_dim", self.latent_dim, at_least=1),
            widths("hidden", self.hidden),
            self.activation,
            likelihood(),
            integer("n_samples", self.n_samples, at_least=1),
            number("beta", self.beta, at_least=0),
            self.init_weights,
        )

    def _optimizer(self, n: int) -> Optimizer:
        batches = ceil(n / integer("batch_size", self.batch_size, at_least=1))
        steps = integer("epochs", self.epochs, at_least=1) * batches
        rate = number("learning_rate", self.learning_rate, above=0)
        schedule = one_of("schedule", self.schedule, SCHEDULES)(rate, steps)
        return one_of("optimizer", self.optimizer, OPTIMIZERS)(schedule)

    def _settings(self, n: int) -> dict[str, Any]:
        """What must not change between the parts of a run: all but how long it is and what it says.

        A schedule spans the whole run, so with one the length is fixed too.
        """
        free = {"patience", "random_state", "verbose"} | ({"epochs"} if self.schedule == "constant" else set())
        settings = {name: plain(value) for name, value in self.get_params().items() if name not in free}
        return settings | {"hidden": list(widths("hidden", self.hidden)), "rows": n}

    def _require_support(self, argument: str, x: NDArray) -> None:
        if self.likelihood == "bernoulli" and not (x.min() >= 0 and x.max() <= 1):
            got = f"got values from {x.min():g} to {x.max():g}"
            advice = "divide 8-bit images by 255, or use likelihood='gaussian'"
            raise ValueError(f"{argument} must lie in [0, 1] under likelihood='bernoulli', {got}; {advice}")

    def _binarized(self, x: NDArray, rng: np.random.Generator) -> NDArray:
        if self.binarize == "threshold":
            return threshold(x)
        return x if self.binarize == "none" else bernoulli_draw(x, rng)

    def _data(self, X: ArrayLike) -> NDArray:
        self._require_fitted()
        x = data_matrix("X", X, self.n_features_in_, self.theta_.dtype)
        self._require_support("X", x)
        return x

    def posterior(self, X: ArrayLike) -> tuple[NDArray, NDArray]:
        """q(z|x) of every row: its mean mu and its log-variance log_var, each (n, latent_dim)."""
        a = by_rows(lambda rows: self.model_.encode(self.theta_, rows), self._data(X))
        return a[:, : self.model_.latent_dim], a[:, self.model_.latent_dim :]

    def transform(self, X: ArrayLike) -> NDArray:
        """The posterior mean of every row, (n, latent_dim)."""
        return self.posterior(X)[0]

    def fit_transform(self, X: ArrayLike, y: Any = None) -> NDArray:
        """`fit`, then `transform` of the same rows."""
        return self.fit(X).transform(X)

    def inverse_transform(self, Z: ArrayLike) -> NDArray:
        """The mean of p(x|z) for every row of latents (n, latent_dim): (n, n_features)."""
        self._require_fitted()
        z = data_matrix("Z", Z, self.model_.latent_dim, self.theta_.dtype)
        return by_rows(lambda rows: self.model_.likelihood.mean(self.model_.decode(self.theta_, rows)), z)

    def reconstruct(self, X: ArrayLike) -> NDArray:
        """Every row encoded to its posterior mean and decoded to the mean of p(x|z): (n, n_features)."""
        return self.inverse_transform(self.transform(X))

    def sample(self, n: int = 1, random_state: int | np.random.Generator | None = None) -> NDArray:
        """Means of p(x|z) for n latents drawn from the prior N(0, I): (n, n_features)."""
        self._require_fitted()
        rng = np.random.default_rng(random_seed(random_state))
        z = rng.standard_normal((integer("n", n, at_least=1), self.model_.latent_dim), dtype=self.theta_.dtype)
        return self.inverse_transform(z)

    def interpolate(self, x_from: ArrayLike, x_to: ArrayLike, steps: int = 10, method: str = "linear") -> NDArray:
        """Pictures on the way between two rows, through their posterior means: (steps, n_features).

        `method` is "linear" or "spherical", see `npvae.evaluation.interpolate`.
        """
        z = self.transform(np.stack([np.ravel(x_from), np.ravel(x_to)]))
        return self.inverse_transform(interpolate(z[0], z[1], steps, method))

    def elbo_terms(self, X: ArrayLike, n_samples: int = 1, random_state: int = 0) -> dict[str, NDArray]:
        """The two terms of −ELBO for every row: "reconstruction" −E_q[log p(x|z)] and "kl", nats, each (n,).

        The expectation is a mean over `n_samples` draws of z; β plays no part. Grey rows are made binary first where
        `binarize` says so.
        """
        x, seed = self._data(X), random_seed(random_state)
        x = self._binarized(x, np.random.default_rng([seed, 0, _BINARIZE]))
        model = replace(self.model_, n_samples=integer("n_samples", n_samples, at_least=1))
        rng = np.random.default_rng([seed, 0, _SCORE])

        def terms(rows: NDArray) -> NDArray:
            loss = model.loss(self.theta_, rows, model.draw_noise(rng, len(rows), self.theta_.dtype))
            return np.stack([loss.terms["reconstruction"], loss.terms["kl"]], axis=1)

        reconstruction, kl = by_rows(terms, x, copies=n_samples).T
        return {"reconstruction": reconstruction, "kl": kl}

    def score_samples(self, X: ArrayLike, n_samples: int = 1, random_state: int = 0) -> NDArray:
        """ELBO of every row, a lower bound on log p(x): nats, (n,), higher is better.

        Of grey rows under a Bernoulli likelihood it is minus the cross-entropy minus the KL, and bounds nothing.
        """
        terms = self.elbo_terms(X, n_samples, random_state)
        return -(terms["reconstruction"] + terms["kl"])

    def score(self, X: ArrayLike, y: Any = None) -> float:
        """Mean of `score_samples` over the rows, nats, higher is better."""
        return float(self.score_samples(X).mean())

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to one .npz file, without pickle; `VAE.load` and `npvae.load` read it."""
        self._require_fitted()
        save_estimator(path, self)

    @classmethod
    def load(cls, path: str | Path) -> VAE:
        """Read what `save` wrote; a StorageError says what is wrong with a file that is not that."""
        return load_estimator(path, {cls.__name__: cls})
