"""The autoencoder: an encoder, a decoder, and what the reconstruction is held against."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.bounds import Loss
from npvae.distributions import Distribution
from npvae.layers import Chain, Tied, draw_noise, with_noise
from npvae.layers.products import multiplications
from npvae.models.model import require_rows
from npvae.models.squared_error import SquaredError
from npvae.parameters import Parameters, Shapes
from npvae.validation import ArgumentError, integer

__all__ = ["Autoencoder", "Penalty"]

Noise = dict[str, Any] | None
"""The noise of the networks that want any ("encoder", "decoder") and of what a kind of autoencoder adds, by name."""


class Penalty(NamedTuple):
    """A second term of the loss: what it is called, its value for every row, and its weight."""

    name: str
    term: NDArray  # (n,)
    weight: float
    label: str
    cache: Any  # for the backward of whoever made it


class Forward(NamedTuple):
    """Everything up to the loss, and what its backward needs."""

    loss: Loss
    encoder: Chain
    decoder: Chain
    weights: Parameters
    """Those of the decoder."""
    caches: dict[str, Any]
    h: NDArray
    penalty: Penalty | None


class Autoencoder:
    """x → h = encoder(x) → a = decoder(h), held against x.

    The loss of a row is −log p(x; a): the squared error, or the negative log-likelihood of any distribution, such as
    the cross-entropy of a Bernoulli on logits. With linear networks and the squared error, principal component
    analysis is the optimum. Codes wider than x are allowed; to be of use they need a corruption or a penalty, which
    the other autoencoders of this package have: they override `corrupt` or `penalty`.

    Parameters
    ----------
    n_features : int
        Width of a row of x.
    latent_dim : int
        Width of h.
    encoder : Chain
        From (n, n_features) to (n, latent_dim), see `npvae.layers.networks`. An activation may follow its last layer.
    decoder : Chain, optional
        From (n, latent_dim) to the ``likelihood.n_params(n_features)`` numbers of a. Without it the weights are tied:
        the decoder is the encoder run backward, with the same matrices and biases of its own, see `npvae.layers.Tied`.
    likelihood : Distribution or SquaredError, default SquaredError()
        Without parameters that all data share.

    Raises
    ------
    TypeError, ValueError
        If a width is no positive integer, a network has another width, or the likelihood shares parameters.
    """

    def __init__(
        self,
        n_features: int,
        latent_dim: int,
        encoder: Chain,
        decoder: Chain | None = None,
        *,
        likelihood: Distribution | SquaredError | None = None,
    ) -> None:
        self.n_features = integer("n_features", n_features, at_least=1)
        self.latent_dim = integer("latent_dim", latent_dim, at_least=1)
        self.likelihood = SquaredError() if likelihood is None else likelihood
        if self.likelihood.n_shared:
            raise ArgumentError("likelihood", "have no parameters that all data share", repr(self.likelihood))
        self.encoder = encoder
        self.tied = Tied(encoder) if decoder is None else None
        self.decoder = self.tied.chain if decoder is None else decoder
        self._require_widths()

    def __repr__(self) -> str:
        parts = f"{self.n_features}, {self.latent_dim}, {self.encoder}, {self.tied or self.decoder}"
        return f"{type(self).__name__}({parts}, likelihood={self.likelihood!r})"

    def _require_widths(self) -> None:
        width = self.likelihood.n_params(self.n_features)
        (found,) = self.decoder.shapes[self.decoder.output_bias]
        if found != width:
            raise ArgumentError("decoder", f"put out {width} numbers, those of {self.likelihood!r}", found)
        theta = self.init(np.random.default_rng(0))
        found = self.encode(theta, np.zeros((1, self.n_features), np.float32)).shape[1]
        if found != self.latent_dim:
            raise ArgumentError("encoder", f"put out {self.latent_dim} numbers, the code", found)

    @property
    def operations(self) -> int:
        """Operations of a gradient for each row."""
        return 6 * (multiplications(self.encoder) + multiplications(self.decoder))

    @property
    def shapes(self) -> Shapes:
        """The parameters of the encoder and of the decoder; where the weights are tied, of the latter the biases."""
        parts = {"encoder": self.encoder, "decoder": self.tied or self.decoder}
        return {f"{part}.{name}": shape for part, thing in parts.items() for name, shape in thing.shapes.items()}

    def init(
        self,
        rng: np.random.Generator,
        dtype: DTypeLike = np.float32,
        mean: NDArray | None = None,
        var: NDArray | None = None,
    ) -> Parameters:
        """Draw initial parameters; with the `mean` and `var` (n_features,) of the data the output starts there.

        It is the decoder's last bias that starts so: this spares the first epochs.
        """
        theta = Parameters(self.shapes, dtype)
        for part, thing in (("encoder", self.encoder), ("decoder", self.tied or self.decoder)):
            for name, value in thing.init(rng).items():
                theta[f"{part}.{name}"][...] = value
        if mean is not None:
            bias = self.likelihood.output_bias(mean, np.ones_like(mean) if var is None else var)
            theta[f"decoder.{self.decoder.output_bias}"][...] = bias
        return theta

    def draw_noise(self, rng: np.random.Generator, n: int, dtype: DTypeLike = np.float32) -> Noise:
        """What dropout in the networks needs for n rows; None if there is none."""
        networks = {"encoder": self.encoder, "decoder": self.decoder}
        drawn = {part: draw_noise(network, rng, n, dtype) for part, network in networks.items()}
        return {part: noise for part, noise in drawn.items() if noise is not None} or None

    def encode(self, theta: Parameters, x: NDArray) -> NDArray:
        """h, (n, latent_dim), of x (n, n_features) as it is: nothing is dropped or corrupted."""
        return self.encoder.forward(theta.section("encoder"), x)[0]

    def decode(self, theta: Parameters, h: NDArray) -> NDArray:
        """a, (n, likelihood.n_params(n_features)), of h (n, latent_dim)."""
        return self.decoder.forward(self._decoder_weights(theta), h)[0]

    def corrupt(self, x: NDArray, noise: dict[str, Any]) -> NDArray:
        """What the encoder sees in training: x itself."""
        return x

    def penalty(self, encoder: Parameters, network: Chain, cache: Any, h: NDArray) -> Penalty | None:
        """A second term of the loss, from the encoder's parameters, its cache and its output; None here."""
        return None

    def loss(self, theta: Parameters, x: NDArray, noise: Noise = None) -> Loss:
        """What is minimised, of every row: the reconstruction's −log p(x; a), and the penalty if there is one.

        Parameters
        ----------
        theta : Parameters
        x : (n, n_features) array
        noise
            From `draw_noise`.

        Returns
        -------
        Loss
            "reconstruction", and the penalty's term under its name, each (n,).

        Raises
        ------
        ValueError
            If x has another shape.
        """
        return self._forward(theta, x, noise).loss

    def loss_and_grad(self, theta: Parameters, x: NDArray, noise: Noise = None) -> tuple[Loss, Parameters]:
        """The same as `loss`, and the gradient of its mean over the batch with respect to theta."""
        done = self._forward(theta, x, noise)
        n, dtheta = len(x), theta.empty_like()
        da = self.likelihood.log_prob_backward(done.caches["likelihood"], np.full(n, -1 / n, x.dtype))
        dweights = dtheta.section("decoder") if self.tied is None else done.weights.empty_like()
        dh = done.decoder.backward(done.weights, done.caches["decoder"], da, dweights)
        self.encoder_backward(theta.section("encoder"), done, dh, dtheta.section("encoder"))
        if self.tied is not None:
            self.tied.untie(dweights, dtheta.section("decoder"), dtheta.section("encoder"))
        return done.loss, dtheta

    def encoder_backward(self, encoder: Parameters, done: Forward, dh: NDArray, dencoder: Parameters) -> None:
        """Write the gradient of the encoder's parameters into `dencoder`, from ∂reconstruction/∂h and the penalty."""
        done.encoder.backward(encoder, done.caches["encoder"], dh, dencoder, need_dx=False)

    def _decoder_weights(self, theta: Parameters) -> Parameters:
        own = theta.section("decoder")
        return own if self.tied is None else self.tied.parameters(own, theta.section("encoder"))

    def _forward(self, theta: Parameters, x: NDArray, noise: Noise) -> Forward:
        require_rows(x, self.n_features)
        noise, caches = noise or {}, {}
        encoder = with_noise(self.encoder, noise.get("encoder"))
        decoder = with_noise(self.decoder, noise.get("decoder"))
        weights = self._decoder_weights(theta)
        h, caches["encoder"] = encoder.forward(theta.section("encoder"), self.corrupt(x, noise))
        a, caches["decoder"] = decoder.forward(weights, h)
        log_prob, caches["likelihood"] = self.likelihood.log_prob(a, x)
        terms = {"reconstruction": -log_prob}
        labels = {"reconstruction": getattr(self.likelihood, "label", "reconstruction (−log p(x|h))")}
        units = {"reconstruction": getattr(self.likelihood, "unit", "nats")}
        penalty = self.penalty(theta.section("encoder"), encoder, caches["encoder"], h)
        if penalty is None:
            return Forward(Loss(terms, {}, labels, units), encoder, decoder, weights, caches, h, None)
        name = penalty.name
        loss = Loss(
            terms | {name: penalty.term},
            {name: penalty.weight},
            labels | {name: penalty.label},
            units | {name: units["reconstruction"]},  # its weight brings it there
        )
        return Forward(loss, encoder, decoder, weights, caches, h, penalty)
