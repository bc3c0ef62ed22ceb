"""What is raced: networks and batches. Standard library only, because every worker imports it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

__all__ = ["INFERENCE_ROWS", "WORKLOADS", "Workload"]

INFERENCE_ROWS = 10_000
"""Rows that are encoded, decoded and sampled in one pass of inference."""


@dataclass(frozen=True)
class Workload:
    """A VAE with Bernoulli pixels, trained in float32 with Adam, or used.

    `hidden` are the encoder's widths; the decoder has them in reverse. A step is one batch of training, or one pass
    of inference: `batch` rows encoded to posterior means, these decoded to pixel means, as many sampled from the prior.
    """

    hidden: tuple[int, ...]
    latent: int
    batch: int
    activation: str
    task: str = "train"
    n_features: int = 784

    @classmethod
    def from_json(cls, fields: dict) -> Workload:
        """The workload of which ``dataclasses.asdict`` made `fields`, on its way through JSON."""
        return cls(**{**fields, "hidden": tuple(fields["hidden"])})

    @property
    def encoder_widths(self) -> tuple[int, ...]:
        """From the pixels to [mu | log_var]."""
        return (self.n_features, *self.hidden, 2 * self.latent)

    @property
    def decoder_widths(self) -> tuple[int, ...]:
        """From z to the logits of the pixels."""
        return (self.latent, *self.hidden[::-1], self.n_features)

    @property
    def n_parameters(self) -> int:
        """Weights and biases of both networks."""
        layers = [*pairwise(self.encoder_widths), *pairwise(self.decoder_widths)]
        return sum((n_in + 1) * n_out for n_in, n_out in layers)

    def __str__(self) -> str:
        net = "-".join(map(str, (self.n_features, *self.hidden, self.latent)))
        what = f"batch {self.batch}" if self.task == "train" else f"encode, decode, sample {self.batch:,} rows"
        return f"{net} {self.activation}, {what}"


WORKLOADS = {
    "usual": Workload((400,), 20, 128, "relu"),
    "aevb": Workload((500,), 20, 100, "tanh"),
    "iwae": Workload((200, 200), 50, 20, "tanh"),
    "wide": Workload((1000,), 50, 512, "relu"),
    "inference": Workload((400,), 20, INFERENCE_ROWS, "relu", "infer"),
}
"""By the name that a user types; "aevb" and "iwae" have the networks and batches of the papers of that name."""
