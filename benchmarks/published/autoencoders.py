"""``python -m benchmarks published autoencoders``: squared error of convolutional autoencoders beside PCA's, on MNIST.

The network is that of a PyTorch program with which it is compared: convolutions of 4×4 with stride 2 and 32 and 64
channels, a linear code, the mirror image back. That program had 0.0191 after six epochs with 8 latents, and 0.0046 with
32. The figure is the squared error a pixel of the test images, which are seen once, at the end.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import files
from benchmarks.data import data_folder
from benchmarks.estimates import row, thinned, write
from benchmarks.files import RESULTS
from npvae import PCA, Autoencoder, datasets, plots, training
from npvae.datasets import Dataset

PYTORCH = {8: "; PyTorch 0.0191 after 6 epochs", 32: "; PyTorch 0.0046 after 6 epochs"}

FOLDER = Path(__file__).parents[2] / "docs" / "gallery"

GALLERY = {
    "autoencoders": (
        "Two, eight and thirty-two numbers an image: convolutional autoencoders beside principal components",
        """
With two numbers neither keeps the image: the autoencoder's answer is at least some digit, often another one, where the
components give a mean of several. With eight the autoencoder reproduces all ten, strokes a little softened, at half of
the squared error of PCA, which shows ghosts; with thirty-two it has less than a quarter of it, and no difference is
seen. On the way from the code of one digit to that of another, the autoencoder's images stay strokes as sharp as at the
ends, a 1 that grows the bar of a 7; PCA's are a dissolve of two blurred pictures, which is all that a straight line in
a flat space can be. The two latents had one epoch.
""",
    )
}

EPOCHS = {2: 1, 8: 5, 32: 12}
"""Passes over the data by the number of latents: more of them learn for longer."""


def main(argv: list[str]) -> int:
    """Train for every number of latents, measure, print, draw, write."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks published autoencoders", description=__doc__)
    parser.add_argument(
        "--latents", type=files.count, nargs="+", default=[*EPOCHS], metavar="D", help="of the codes (2 8 32)"
    )
    add_options(parser, "1, 5 and 12 for 2, 8 and 32 latents", "autoencoders")
    args = parser.parse_args(argv)
    x, test, data = images(args.quick)
    rows, results, models = [], {}, {}
    for d in args.latents:
        model = convolutional(d, x.x, args)
        models[d] = {"conv": model, "PCA": PCA(d).fit(x.x)}
        errors = {name: per_pixel(test.x, fitted) for name, fitted in models[d].items()}
        seconds = sum(model.history_["seconds"][-1:])
        notes = f"PCA {errors['PCA']:.4f}{PYTORCH.get(d, '')}; epochs: {model.n_iter_}"
        label, what = f"convolutional autoencoder, {d} latents", f"squared error a pixel, {len(test):,} images"
        rows.append(row(label, data, what, f"{errors['conv']:.4f}", "–", notes, seconds))
        results[str(d)] = errors | {"epochs": model.n_iter_, "history": thinned(model.history_)}
    finish(args, "autoencoders", {"data": data, "images": len(x)}, rows, results, {"autoencoders": draw(test, models)})
    return 0


# ---- what the reproductions share that train estimators of MNIST -----------------------------------------------------


def add_options(parser: argparse.ArgumentParser, epochs: str, work: str) -> None:
    """The options of the reproductions that train estimators; their work lies in runs/published/`work`."""
    parser.add_argument("--epochs", type=files.count, help=f"passes over the data ({epochs})")
    parser.add_argument("--work", type=Path, metavar="FOLDER", help=f"what is done so far (runs/published/{work})")
    parser.add_argument("--output", type=files.result_file, metavar="FILE.json", help="write the result there")
    parser.add_argument("--pictures", type=Path, metavar="FOLDER", help="draw them there (docs/gallery)")
    parser.add_argument("--quick", action="store_true", help="a few steps on few images: does it run?")
    parser.set_defaults(folder=Path("runs/published") / work)


def recipe(args: argparse.Namespace, epochs: int) -> dict[str, Any]:
    """How an estimator is trained: for `epochs`, unless the command says otherwise."""
    epochs = 2 if args.quick else args.epochs or epochs
    return {"epochs": epochs, "learning_rate": 0.002, "schedule": "cosine", "random_state": 0}


def images(quick: bool) -> tuple[Dataset, Dataset, str]:
    """Training and test images, grey from 0 to 1, and the name of the data; with `quick` the embedded digits."""
    if quick:
        return datasets.digits(600, seed=0), datasets.digits(200, seed=1), "embedded digits"
    return *(datasets.mnist(split, data_folder()) for split in ("train", "test")), "MNIST"


def work_folder(args: argparse.Namespace) -> Path:
    """Where what is done so far lies; it is there from now on."""
    folder = args.work or args.folder.with_name(args.folder.name + "-quick" * args.quick)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def trained(model: Any, x: NDArray, args: argparse.Namespace, name: str) -> Any:
    """The estimator fitted to x, from its checkpoint on if there is one; a run can be stopped and started again."""
    checkpoint = work_folder(args) / f"{name}.npz"
    run = training.load_checkpoint(checkpoint) if checkpoint.exists() else None

    def keep(run: training.TrainingRun) -> None:
        training.save_checkpoint(checkpoint, run)
        print(f"{name}: epoch {run.epoch}, loss {run.history['loss'][-1]:.4f}", flush=True)

    return model.fit(x.reshape(-1, 28, 28), callbacks=[keep], resume_from=run)


def network(quick: bool) -> dict[str, Any]:
    """Two convolutions and their mirror image."""
    return {"network": "conv", "channels": (4, 8) if quick else (32, 64), "hidden": ()}


def convolutional(d: int, x: NDArray, args: argparse.Namespace) -> Autoencoder:
    """The trained convolutional autoencoder with d latents."""
    model = Autoencoder(d, **network(args.quick), **recipe(args, EPOCHS.get(d, 8)))
    return trained(model, x, args, str(d))


def per_pixel(x: NDArray, model: Any) -> float:
    """Mean over images and pixels of (x − x̂)²."""
    return float(np.square(x - model.reconstruct(x), dtype=np.float64).mean())


def finish(
    args: argparse.Namespace, name: str, settings: dict, rows: list[dict], results: dict, figures: Mapping[str, Any]
) -> None:
    """Write the result, and the pictures by their names; a quick run writes what it was told to."""
    output = args.output or (None if args.quick else RESULTS / f"published-{name}.json")
    write(output, name, settings, rows, results)
    folder = args.pictures or (None if args.quick else FOLDER)
    if folder is not None and figures:
        folder.mkdir(parents=True, exist_ok=True)
        for picture, figure in figures.items():
            plots.save(figure, folder / f"{picture}.png", dpi=100)


def one_a_class(data: Dataset) -> NDArray:
    """The first image of every class."""
    return data.x[[np.flatnonzero(data.labels == digit)[0] for digit in np.unique(data.labels)]]


# ---- the picture -----------------------------------------------------------------------------------------------------

PAIRS = ((1, 7), (3, 8), (4, 9))
"""Digits between which the ways lead."""


def draw(test: Dataset, models: Mapping[int, Mapping[str, Any]]) -> Any:
    """Reconstructions at the left; at the right ways between two digits, with the number of latents in the middle."""
    x = one_a_class(test)
    rows = {"x": x}
    for d, pair in models.items():
        rows |= {f"{name}, {d}": model.reconstruct(x) for name, model in pair.items()}
    middle = sorted(models)[len(models) // 2]
    ways = {
        f"{a} to {b}, {name}": model.interpolate(x[a], x[b], steps=10)
        for a, b in PAIRS
        for name, model in models[middle].items()
    }
    figure = plots.require_matplotlib().figure.Figure(figsize=(12, 4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=(len(rows) - 1, len(rows) - 1))
    plots.image_rows(rows, (28, 28), ax=left)
    plots.image_rows(ways, (28, 28), ax=right)
    left.set_title("test images, reconstructed")
    right.set_title(f"ways between two codes of {middle} latents")
    return figure
