"""``python -m benchmarks published autoencoders``: squared error of convolutional autoencoders beside PCA's, on MNIST.

The network is that of a PyTorch program with which it is compared: convolutions of 4×4 with stride 2 and 32 and 64
channels, a linear code, the mirror image back. That program had 0.0191 after six epochs with 8 latents, and 0.0046 with
32. The figure is the squared error a pixel of the test images, which are seen once, at the end.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import files
from benchmarks.data import data_folder
from benchmarks.estimates import row, thinned, write
from benchmarks.files import RESULTS
from npvae import PCA, Autoencoder, datasets, training

PYTORCH = {8: "0.0191 (PyTorch, six epochs)", 32: "0.0046 (PyTorch, six epochs)"}


def main(argv: list[str]) -> int:
    """Train for every number of latents, measure, print, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks published autoencoders", description=__doc__)
    parser.add_argument(
        "--latents", type=files.count, nargs="+", default=[8, 32], metavar="D", help="of the codes (8 32)"
    )
    add_options(parser, epochs=8)
    args = parser.parse_args(argv)
    work = args.work or Path("runs/published") / ("autoencoders" + "-quick" * args.quick)
    x, x_test, data = images(args.quick)
    rows, results = [], {}
    for d in args.latents:
        network = {"network": "conv", "channels": (4, 8) if args.quick else (32, 64), "hidden": ()}
        model = Autoencoder(d, **network, **recipe(args))
        model = trained(model, x, work / f"{d}.npz")
        errors = {name: per_pixel(x_test, fitted) for name, fitted in (("conv", model), ("pca", pca(x, d)))}
        seconds = sum(model.history_["seconds"][-1:])
        notes = f"{recipe(args)['epochs']} epochs; PCA {errors['pca']:.4f}"
        label, what = f"convolutional autoencoder, {d} latents", f"squared error a pixel, {len(x_test):,} images"
        rows.append(row(label, data, what, f"{errors['conv']:.4f}", PYTORCH.get(d, "–"), notes, seconds))
        results[str(d)] = errors | {"history": thinned(model.history_)}
    output = args.output or (None if args.quick else RESULTS / "published-autoencoders.json")
    write(output, "autoencoders", recipe(args) | {"data": data, "images": len(x)}, rows, results)
    return 0


def add_options(parser: argparse.ArgumentParser, epochs: int) -> None:
    """The options of the reproductions that train estimators."""
    parser.add_argument("--epochs", type=files.count, default=epochs, help=f"passes over the data ({epochs})")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help="what is done so far (runs/published/…)")
    parser.add_argument("--output", type=files.result_file, metavar="FILE.json", help="write the result there")
    parser.add_argument("--quick", action="store_true", help="a few steps on few images: does it run?")


def recipe(args: argparse.Namespace) -> dict[str, Any]:
    """How an estimator is trained."""
    epochs = 2 if args.quick else args.epochs
    return {"epochs": epochs, "learning_rate": 0.002, "schedule": "cosine", "random_state": 0}


def images(quick: bool) -> tuple[NDArray, NDArray, str]:
    """Training and test images, grey from 0 to 1, and the name of the data; with `quick` the embedded digits."""
    if quick:
        return datasets.digits(600, seed=0).x, datasets.digits(200, seed=1).x, "embedded digits"
    return *(datasets.mnist(split, data_folder()).x for split in ("train", "test")), "MNIST"


def trained(model: Any, x: NDArray, checkpoint: Path) -> Any:
    """The estimator fitted to x, from its checkpoint on if there is one; a run can be stopped and started again."""
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    run = training.load_checkpoint(checkpoint) if checkpoint.exists() else None

    def keep(run: training.TrainingRun) -> None:
        training.save_checkpoint(checkpoint, run)
        print(f"{checkpoint.stem}: epoch {run.epoch}, loss {run.history['loss'][-1]:.4f}", flush=True)

    return model.fit(x.reshape(-1, 28, 28), callbacks=[keep], resume_from=run)


def pca(x: NDArray, d: int) -> PCA:
    """Principal components of the training images."""
    return PCA(d).fit(x)


def per_pixel(x: NDArray, model: Any) -> float:
    """Mean over images and pixels of (x − x̂)²."""
    return float(np.square(x - model.reconstruct(x), dtype=np.float64).mean())
