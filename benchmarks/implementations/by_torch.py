"""PyTorch: a module and its loss, eager or compiled; Adam as it comes, or fused."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain, pairwise

import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.implementations import KERNEL, LEARNING_RATE, Workload

__all__ = ["TorchVAE", "infer", "train"]

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh}


class TorchVAE(nn.Module):
    """Two networks; called with a batch and noise, it returns −ELBO in nats, mean over the batch.

    As npvae's begin, so do these: weights uniform in ±1/√n_in, biases at zero. The transposed convolution before the
    logits has one bias, where npvae has one a pixel.
    """

    def __init__(self, workload: Workload) -> None:
        super().__init__()
        activation, channels = ACTIVATIONS[workload.activation], (1, *workload.channels)
        steps = {"kernel_size": KERNEL, "stride": 2, "padding": 1}
        encoder = [[nn.Conv2d(*pair, **steps), activation()] for pair in pairwise(channels)]
        decoder = [[activation(), nn.ConvTranspose2d(*pair, **steps)] for pair in pairwise(channels[::-1])]
        into, out_of, flat = [], [], []
        if workload.channels:
            first, last = workload.sides[0], workload.sides[-1]
            into, flat = [nn.Unflatten(1, (1, first, first))], [nn.Flatten()]
            out_of = [nn.Unflatten(1, (channels[-1], last, last))]
        self.encoder = nn.Sequential(*into, *chain(*encoder), *flat, *_mlp(workload.encoder_widths, activation))
        self.decoder = nn.Sequential(*_mlp(workload.decoder_widths, activation), *out_of, *chain(*decoder), *flat)
        for layer in self.modules():
            if hasattr(layer, "weight"):
                n_in = layer.weight[0].numel()
                nn.init.uniform_(layer.weight, -(n_in**-0.5), n_in**-0.5)
                nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor, eps: Tensor) -> Tensor:
        mu, log_var = self.encoder(x).chunk(2, dim=-1)
        z = mu + torch.exp(0.5 * log_var) * eps
        reconstruction = F.binary_cross_entropy_with_logits(self.decoder(z), x, reduction="sum")
        kl = 0.5 * (mu.square() + log_var.exp() - 1 - log_var).sum()
        return (reconstruction + kl) / len(x)


def _mlp(widths: tuple[int, ...], activation: type[nn.Module]) -> list[nn.Module]:
    layers = [[nn.Linear(*pair), activation()] for pair in pairwise(widths)]
    return [*chain(*layers)][:-1]


def train(workload: Workload, x: NDArray, seed: int, variant: str, pace: Callable[[float], None]) -> None:
    """The usual loop. `variant` is "default", "fused" or "compile"; a compiled model takes the fused Adam too."""
    torch.manual_seed(seed)
    data = torch.from_numpy(x)
    model = TorchVAE(workload)
    optimizer = torch.optim.Adam(model.parameters(), LEARNING_RATE, fused=variant != "default" or None)
    loss_of = torch.compile(model) if variant == "compile" else model
    while True:
        for rows in torch.randperm(len(data)).split(workload.batch):
            batch = data[rows]
            loss = loss_of(batch, torch.randn(len(rows), workload.latent))
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            pace(loss.item())


@torch.inference_mode()
def infer(workload: Workload, x: NDArray, seed: int, variant: str, pace: Callable[[float], None]) -> None:
    """All rows at once, in inference mode; compiled where `variant` says so."""
    torch.manual_seed(seed)
    data = torch.from_numpy(x)[: workload.batch]
    model = TorchVAE(workload).eval()

    def encode(rows: Tensor) -> Tensor:
        return model.encoder(rows).chunk(2, dim=-1)[0]

    def decode(z: Tensor) -> Tensor:
        return torch.sigmoid(model.decoder(z))

    if variant == "compile":
        encode, decode = torch.compile(encode), torch.compile(decode)
    while True:
        pixels = decode(encode(data))
        samples = decode(torch.randn(workload.batch, workload.latent))
        pace((pixels[0, 0] + samples[0, 0]).item())
