"""The Gaussian-latent VAE as an estimator."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from npvae import evaluation, models, training
from npvae.datasets import bernoulli_draw, is_binary
from npvae.estimators.estimator import load_estimator, picture_shape, random_seed, save_estimator
from npvae.estimators.options import (
    DTYPES,
    ROWS,
    annealed,
    build_model,
    build_optimizer,
    plain,
    require_memory,
    require_reach,
    run_settings,
    warn_of_scale,
)
from npvae.estimators.trained import TrainedVAE, binarized
from npvae.numerics import column_moments
from npvae.optimizers import Optimizer
from npvae.validation import data_matrix, one_of

_INIT, _FIXED = 3, 6  # streams of random numbers, beside 0 to 2 of the training loop and those of `trained`


class VAE(TrainedVAE):
    """Variational autoencoder with Gaussian latents.

    Parameters
    ----------
    latent_dim : int, default 20
        Width of z.
    hidden : int or sequence of int, default 400
        Widths of the encoder's hidden layers; the decoder has them in reverse.
    activation : {"relu", "tanh", "sigmoid", "softplus", "identity"}
        Between the layers.
    likelihood : {"bernoulli", "continuous-bernoulli", "gaussian", "gaussian-shared", "gaussian-pixel"}
        p(x|z). The first two want x in [0, 1]; for grey values the reconstruction term of "bernoulli" is a
        cross-entropy, not a likelihood. "gaussian" has a given standard deviation, "gaussian-shared" learns one for
        all features, "gaussian-pixel" one for each as a function of z.
    mean_link : {"identity", "sigmoid"}
        From the decoder to the mean of a Gaussian likelihood; "sigmoid" for data in [0, 1].
    sigma : float, default 1.0
        Standard deviation of likelihood "gaussian", in units of x; with 1 it is the squared error, with its constant.
    posterior : {"diagonal", "full"}
        Covariance of q(z|x).
    bound : {"elbo", "monte-carlo", "stl", "iwae", "dreg", "score-function"}
        What is maximised: the ELBO with its KL analytic, estimated, or estimated with the path derivative only
        ("sticking the landing"); L_k, plain or with the doubly reparameterised gradient; the ELBO by the score
        function, for comparison.
    n_samples : int, default 1
        L, or k, draws of z per row and step; at least 2 for L_k, since L_1 is the ELBO, and for "score-function",
        whose baseline is the mean of the other draws.
    beta : float, default 1.0
        Weight of the KL term; L_k has none.
    beta_schedule : {"constant", "warm-up", "cyclical"}
        Of β over the whole run: a line from 0 in the first quarter; or four cycles, half rising, half at `beta`.
    free_bits : float, default 0.0
        Nats that every latent's KL, averaged over the batch, costs at least, so that it is free up to there.
    weight_prior : float, default 0.0
        Precision of a prior N(0, I/precision) on all weights; with 1 that of the VAE paper's appendix F, 0 is none.
    binarize : {"none", "threshold", "fixed", "dynamic"}
        Grey pixels to 0 or 1 before training: at ½; by one Bernoulli draw; by a fresh draw at every visit. Held-out
        data are drawn once, as by `prepare`.
    epochs, batch_size : int, default 10, 128
    optimizer : {"adam", "adagrad", "sgd"}
        "sgd" has momentum 0.9, which makes its steps ten times as long as the learning rate says.
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
        Print the progress to standard error, and at the end how many latents collapsed, if any did.

    Attributes
    ----------
    model_, theta_ : npvae.models.VAE, Parameters
    params_ : dict
        The hyper-parameters of the fit, whatever they were set to since; `save` keeps these.
    history_ : History
        Loss and its terms by epoch, nats. The training loss has the β of each step, the held-out loss has `beta`.
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
        mean_link: str = "identity",
        sigma: float = 1.0,
        posterior: str = "diagonal",
        bound: str = "elbo",
        n_samples: int = 1,
        beta: float = 1.0,
        beta_schedule: str = "constant",
        free_bits: float = 0.0,
        weight_prior: float = 0.0,
        binarize: str = "none",
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
        self.mean_link = mean_link
        self.sigma = sigma
        self.posterior = posterior
        self.bound = bound
        self.n_samples = n_samples
        self.beta = beta
        self.beta_schedule = beta_schedule
        self.free_bits = free_bits
        self.weight_prior = weight_prior
        self.binarize = binarize
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
            Finite, and from the likelihood's support. `y` is ignored.
        X_val : array like X, optional
            Held-out data, evaluated after every epoch.
        callbacks : sequence of callable
            Called with the `TrainingRun` after every epoch; a true answer ends it.
        resume_from : TrainingRun, optional
            Go on with a run, such as ``npvae.training.load_checkpoint(path)``, until `epochs` are done in all. Options
            and data must be those that it began with; a run of `npvae.training.train` has not noted its own.

        Returns
        -------
        self
            Ctrl-C ends the training early and keeps what was trained; ``run_.stopped`` then says "interrupted".

        Raises
        ------
        TypeError, ValueError
            For a hyper-parameter, a combination of them or data that cannot be, for a single row, or if the memory
            does not suffice; nothing is trained then.
        NonFiniteLossError
            If the loss stops being finite; the estimator keeps the last good parameters. If it never was, nothing is
            kept.
        """
        dtype = one_of("dtype", self.dtype, DTYPES)
        x = data_matrix("X", X, dtype=dtype)
        if len(x) < 2:
            raise ValueError(f"X must have at least two rows to learn from, got shape {np.shape(X)}")
        x_val = None if X_val is None else data_matrix("X_val", X_val, x.shape[1], dtype)
        model, optimizer = build_model(self, x.shape[1], len(x)), build_optimizer(self, len(x))
        require_memory(model, self.batch_size, dtype)
        require_reach(self, model, x, x_val)
        seed = self._seed_for(resume_from)
        dynamic, fixed = self.binarize == "dynamic", np.random.default_rng([seed, 0, _FIXED])
        x = x if dynamic else binarized(x, self.binarize, lambda rows: bernoulli_draw(rows, fixed))
        if x_val is not None:
            x_val = binarized(x_val, self.binarize, lambda rows: evaluation.bernoulli_rows(rows, 0))
        start = self._first_or_next(model, optimizer, x, seed, resume_from)

        def keep(run: training.TrainingRun) -> None:
            self.run_, self.theta_, self.history_, self.model_ = run, run.chosen, run.history, model
            self.params_ = {name: plain(value) for name, value in self.get_params().items()}
            self.seed_, self.n_features_in_, self.image_shape_ = seed, x.shape[1], picture_shape(np.shape(X))
            self.grey_ = self.likelihood == "bernoulli" and not dynamic and not is_binary(x)
            if self.grey_:
                run.history.relabel("reconstruction", "reconstruction (cross-entropy of grey pixels, not a likelihood)")

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
                model_at=annealed(self, model, len(x)),
            )
        except training.NonFiniteLossError as error:
            if error.run.optimizer_state.t > 0:
                keep(error.run)
            raise
        keep(run)
        if self.verbose:
            self._warn_of_collapse(x[:ROWS])
        return self

    def _seed_for(self, resume_from: training.TrainingRun | None) -> int:
        """The seed of the run to go on with, or of a new one."""
        if resume_from is None:
            return random_seed(self.random_state)
        if not isinstance(resume_from, training.TrainingRun):
            needed = "a TrainingRun, such as npvae.training.load_checkpoint reads"
            raise TypeError(f"resume_from must be {needed}, got {type(resume_from).__name__}")
        return resume_from.seed

    def _first_or_next(
        self, model: models.VAE, optimizer: Optimizer, x: NDArray, seed: int, run: training.TrainingRun | None
    ) -> training.TrainingRun:
        """A run at its beginning, or the one to go on with, if it was begun with the same options."""
        options = run_settings(self, x)
        if run is None:
            mean, var = column_moments(x)
            warn_of_scale(mean, var)
            theta = model.init(np.random.default_rng([seed, 0, _INIT]), x.dtype, mean, var)
            return training.TrainingRun.begin(theta, optimizer, seed, options)
        if run.stopped == "non-finite loss":
            advice = "resume from a checkpoint before it, or fit anew with a smaller learning_rate"
            raise ValueError(f"resume_from must not be a run that broke down: {advice}")
        if isinstance(self.random_state, Integral) and self.random_state != run.seed:
            raise ValueError(f"random_state must be {run.seed}, as it was when the run began, got {self.random_state}")
        if not run.settings:  # of `npvae.training.train`: nothing to compare with, from now on there is
            return replace(run, settings=options)
        began = {**type(self)().get_params(), **run.settings}  # an older run has not all of the options
        for name, value in options.items():
            if (before := began.get(name, value)) != value:
                if name == "checksum":
                    raise ValueError("X must be the data that the run began with, got others")
                reason = ": a schedule spans the whole run" if name == "epochs" else ""
                raise ValueError(f"{name} must be {before!r}, as it was when the run began, got {value!r}{reason}")
        return run

    def _warn_of_collapse(self, x: NDArray) -> None:
        """Tell which latents are in use, if some are not."""
        used = evaluation.active_units(evaluation.activity(self.model_, self.theta_, self.prepare(x)))
        if not used.all():
            with suppress(BrokenPipeError):  # nobody reads on
                print(evaluation.collapse_message(used), file=sys.stderr, flush=True)

    def fit_transform(self, X: ArrayLike, y: Any = None, **fit_params: Any) -> NDArray:
        """`fit`, to which `fit_params` go, then `transform` of the same rows."""
        return self.fit(X, **fit_params).transform(X)

    def save(self, path: str | Path) -> None:
        """Write the fitted estimator to one .npz file, without pickle; `VAE.load` and `npvae.load` read it."""
        self._require_fitted()
        save_estimator(path, self)

    @classmethod
    def load(cls, path: str | Path) -> VAE:
        """Read what `save` wrote; a StorageError says what is wrong with a file that is not that."""
        return load_estimator(path, {cls.__name__: cls})
