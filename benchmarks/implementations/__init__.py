"""One training loop for each implementation, written as its own users would write it well.

A module has `train` and `infer`, functions of (workload, x, seed, variant, pace). They run for ever, and call
``pace(value)`` after every step with the number they have read: in training the loss in nats, in inference one of the
pixels. All do the same arithmetic: the images shuffled anew in every epoch and copied batch by batch, standard normal
noise, the Bernoulli cross-entropy from logits summed over the pixels plus the analytic KL, both averaged over the
batch, its gradient, Adam with rate 0.001 and ε = 1e-8. Weights begin as npvae's do, so that losses may be compared:
uniform in ±1/√n_in, biases at zero. The number of images is a multiple of the batch.

The loops stop only by an exception from `pace`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from math import isqrt
from typing import NamedTuple

__all__ = [
    "IMPLEMENTATIONS",
    "INFERENCE_ROWS",
    "KERNEL",
    "LEARNING_RATE",
    "LEFT_OUT",
    "SWEEPS",
    "WORKLOADS",
    "Implementation",
    "Workload",
]

LEARNING_RATE = 0.001

KERNEL = 4
"""Side of the convolutions' kernels."""


class Implementation(NamedTuple):
    """A module of this package, the way in which it is run, its name for readers, and what it takes part in."""

    module: str
    variant: str
    title: str
    is_peer: bool = True
    tasks: tuple[str, ...] = ("train", "infer")
    convolves: bool = True

    def takes_part(self, workload: Workload) -> bool:
        """Whether it is written for that workload."""
        return workload.task in self.tasks and (self.convolves or not workload.channels)


IMPLEMENTATIONS = {
    "npvae": Implementation("by_npvae", "-1", "npvae", is_peer=False),
    "npvae-one": Implementation("by_npvae", "1", "npvae, one process", is_peer=False, tasks=("train",)),
    "products": Implementation("products", "", "matrix products alone", is_peer=False),
    "torch": Implementation("by_torch", "default", "PyTorch, default Adam"),
    "torch-fused": Implementation("by_torch", "fused", "PyTorch, fused Adam", tasks=("train",)),
    "torch-compile": Implementation("by_torch", "compile", "PyTorch, torch.compile"),
    "jax": Implementation("by_jax", "", "JAX, jit and optax", convolves=False),
}
"""By the name that a user types, in the order in which they take turns."""

LEFT_OUT = {
    "scikit-learn": (
        "has no variational autoencoder; MLPRegressor fitted to its own input is a squared error without noise and KL,"
        " BernoulliRBM another model"
    ),
}
"""Peers that are not raced, and why."""

INFERENCE_ROWS = 10_000
"""Rows that are encoded, decoded and sampled in one pass of inference."""


@dataclass(frozen=True)
class Workload:
    """A VAE with Bernoulli pixels, trained in float32 with Adam, or used.

    `hidden` are the encoder's widths; the decoder has them in reverse. A step is one batch of training, or one pass
    of inference: `batch` rows encoded to posterior means, these decoded to pixel means, as many sampled from the prior.
    With `channels` the encoder begins with convolutions (4×4, stride 2, padding 1) that halve a square image, and the
    decoder ends with their transposes.
    """

    hidden: tuple[int, ...]
    latent: int
    batch: int
    activation: str
    task: str = "train"
    n_features: int = 784
    channels: tuple[int, ...] = ()

    @classmethod
    def from_json(cls, fields: dict) -> Workload:
        """The workload of which ``dataclasses.asdict`` made `fields`, on its way through JSON."""
        return cls(**{**fields, "hidden": tuple(fields["hidden"]), "channels": tuple(fields["channels"])})

    @property
    def encoder_widths(self) -> tuple[int, ...]:
        """From the pixels, or what the convolutions make of them, to [mu | log_var]: the dense layers."""
        return (self._n_dense, *self.hidden, 2 * self.latent)

    @property
    def decoder_widths(self) -> tuple[int, ...]:
        """From z to the logits of the pixels, or to what the transposed convolutions make them of."""
        return (self.latent, *self.hidden[::-1], self._n_dense)

    @property
    def sides(self) -> tuple[int, ...]:
        """Sides of the square image, before every convolution and after the last."""
        return tuple(isqrt(self.n_features) >> i for i in range(len(self.channels) + 1))

    @property
    def _n_dense(self) -> int:
        return self.sides[-1] ** 2 * self.channels[-1] if self.channels else self.n_features

    def products(self) -> dict[str, list[tuple[int, int, int]]]:
        """The products of both networks, layer by layer: rows of an image, and the shape of the matrix."""
        convolutions = [
            (side**2, KERNEL**2 * before, after)
            for side, (before, after) in zip(self.sides[1:], pairwise((1, *self.channels)), strict=True)
        ]
        transposed = [(rows, n_out, n_in) for rows, n_in, n_out in convolutions[::-1]]
        return {
            "encoder": convolutions + [(1, *widths) for widths in pairwise(self.encoder_widths)],
            "decoder": [(1, *widths) for widths in pairwise(self.decoder_widths)] + transposed,
        }

    def __str__(self) -> str:
        convolutions = [f"{c}×{side}×{side}" for c, side in zip(self.channels, self.sides[1:], strict=True)]
        net = "-".join(map(str, (self.n_features, *convolutions, *self.hidden, self.latent)))
        what = f"batch {self.batch}" if self.task == "train" else f"encode, decode, sample {self.batch:,} rows"
        return f"{net} {self.activation}, {what}"


WORKLOADS = {
    "usual": Workload((400,), 20, 128, "relu"),
    "aevb": Workload((500,), 20, 100, "tanh"),
    "iwae": Workload((200, 200), 50, 20, "tanh"),
    "wide": Workload((1000,), 50, 512, "relu"),
    "conv": Workload((), 32, 128, "relu", channels=(32, 64)),
    "inference": Workload((400,), 20, INFERENCE_ROWS, "relu", "infer"),
}
"""By the name that a user types; "aevb" and "iwae" have the networks and batches of the papers of that name."""

SWEEPS = {
    "width": {f"width-{n}": replace(WORKLOADS["usual"], hidden=(n,)) for n in (100, 200, 400, 800, 1600)},
    "batch": {f"batch-{n}": replace(WORKLOADS["usual"], batch=n) for n in (16, 64, 256, 1024)},
}
"""Workloads that differ in one number."""
