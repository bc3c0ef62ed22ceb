"""``python -m benchmarks published anomalies``: a digit left out of the training, told by its reconstruction error.

An autoencoder (784-128-16-128-784, squared error) learns nine of MNIST's digits; a test image's score is its squared
error. The figure is the area under the ROC curve of the tenth digit's test images against those of the nine, averaged
over the ten. PyTorch trains the same network beside it, in the same way: batches of 128, Adam at 0.001, as many epochs,
weights uniform in ±1/√n_in, biases at zero and those of the pixels at their means. Every digit has another seed.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from itertools import pairwise
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from benchmarks.estimates import row
from benchmarks.published.autoencoders import add_options, finish, images, work_folder
from npvae import Autoencoder
from npvae.evaluation import auroc
from npvae.files import replacing

LATENTS, HIDDEN, BATCH, RATE = 16, 128, 128, 0.001

EPOCHS = 1


def main(argv: list[str]) -> int:
    """Train twice for every digit, score, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks published anomalies", description=__doc__)
    add_options(parser, str(EPOCHS), "anomalies")
    args = parser.parse_args(argv)
    epochs = 1 if args.quick else args.epochs or EPOCHS
    x, test, data = images(args.quick)
    path = work_folder(args) / f"{epochs}-epochs.json"
    found = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    for digit in range(2 if args.quick else 10):
        for name, errors_after in CONTESTANTS.items():
            if f"{name}-{digit}" in found:
                continue
            began = perf_counter()
            errors = errors_after(x.x[x.labels != digit], test.x, epochs, digit)
            seconds = perf_counter() - began
            area = auroc(errors[test.labels != digit], errors[test.labels == digit])
            found[f"{name}-{digit}"] = {"auroc": area, "seconds": round(seconds, 1)}
            print(f"without {digit}, {name}: {area:.4f}", flush=True)
            with replacing(path) as part:
                part.write_text(json.dumps(found), encoding="utf-8")
    means = {name: float(np.mean([run["auroc"] for key, run in found.items() if key.startswith(f"{name}-")]))
             for name in CONTESTANTS}  # fmt: skip
    seconds = sum(run["seconds"] for key, run in found.items() if key.startswith("npvae-"))
    spread = [run["auroc"] for key, run in found.items() if key.startswith("npvae-")]
    notes = (
        f"PyTorch, same network {means['PyTorch']:.3f}; digits {min(spread):.3f} to {max(spread):.3f}; epochs: {epochs}"
    )
    label, what = f"autoencoder, 784-{HIDDEN}-{LATENTS}", "AUROC of the digit left out, mean of ten"
    rows = [row(label, data, what, f"{means['npvae']:.3f}", "–", notes, seconds)]
    settings = {"epochs": epochs, "batch_size": BATCH, "learning_rate": RATE, "data": data}
    finish(args, "anomalies", settings, rows, {"means": means, "runs": found}, {})
    return 0


def by_npvae(x: NDArray, x_test: NDArray, epochs: int, seed: int) -> NDArray:
    """Squared error of every test image, (n,)."""
    options = {"hidden": HIDDEN, "epochs": epochs, "batch_size": BATCH, "learning_rate": RATE, "random_state": seed}
    return -Autoencoder(LATENTS, **options).fit(x).score_samples(x_test)


def by_torch(x: NDArray, x_test: NDArray, epochs: int, seed: int) -> NDArray:
    """The same, as a user of PyTorch would write it."""
    import torch
    from torch import nn

    torch.manual_seed(seed)
    widths = (784, HIDDEN, LATENTS, HIDDEN, 784)
    dense = [nn.Linear(n_in, n_out) for n_in, n_out in pairwise(widths)]
    for layer in dense:
        nn.init.uniform_(layer.weight, -(layer.in_features**-0.5), layer.in_features**-0.5)
        nn.init.zeros_(layer.bias)
    model = nn.Sequential(dense[0], nn.ReLU(), dense[1], dense[2], nn.ReLU(), dense[3])
    data = torch.from_numpy(x)
    with torch.no_grad():
        dense[3].bias.copy_(data.mean(dim=0))
    optimizer = torch.optim.Adam(model.parameters(), RATE)
    for _ in range(epochs):
        for rows in torch.randperm(len(data)).split(BATCH):
            batch = data[rows]
            loss = (model(batch) - batch).square().sum() / len(batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    with torch.inference_mode():
        rows = torch.from_numpy(x_test)
        return (model(rows) - rows).square().sum(dim=1).numpy()


CONTESTANTS: dict[str, Callable[[NDArray, NDArray, int, int], NDArray]] = {"npvae": by_npvae, "PyTorch": by_torch}
