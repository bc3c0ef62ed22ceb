"""``npvae train``: from data to a model, its numbers and its pictures."""

from __future__ import annotations

import argparse
import shlex
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from npvae import VAE, training
from npvae.bounds import BOUNDS
from npvae.cli.arguments import OPTIONS, SCATTERED, add_command, integers, is_embedded, read_data
from npvae.datasets import Dataset
from npvae.estimators.options import BINARIZE, LIKELIHOODS, MEAN_LINKS, POSTERIORS
from npvae.files import replacing
from npvae.layers import ACTIVATIONS, INITIALIZERS
from npvae.optimizers import OPTIMIZERS
from npvae.schedules import BETA_SCHEDULES, SCHEDULES
from npvae.validation import integer

DESCRIPTION = """\
Train a VAE with Gaussian latents and leave a folder with

  model.npz         the model, for the other commands and for npvae.load
  history.csv       loss and its terms in nats, epoch by epoch
  checkpoint.npz    the whole state of the run, for --resume
  *.png             samples, reconstructions, interpolations, latents, learning curves; with two latents the manifold

Without DATA it learns the embedded digits. Grey pixels under a Bernoulli likelihood make the loss a cross-entropy, not
a likelihood; --binarize makes them binary."""

EXAMPLE = """\
npvae train
npvae train train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --test t10k-images-idx3-ubyte.gz
npvae train images.npy --latent 2 --hidden 500,200 --epochs 50 --schedule cosine --output faces"""

MODEL, HISTORY, CHECKPOINT = "model.npz", "history.csv", "checkpoint.npz"
PICTURES = ("learning_curves", "latents", "samples", "reconstructions", "interpolations", "manifold")


def add_commands(commands: argparse._SubParsersAction) -> None:
    """Add ``npvae train``."""
    parser = add_command(commands, "train", run, "train a VAE on images", DESCRIPTION, EXAMPLE)
    defaults = VAE().get_params() | {"random_state": 0}

    def setting(name: str, help: str, **how: Any) -> None:
        """Declare a hyper-parameter of the estimator, with its default and the type of that."""
        default = defaults[name]
        if "choices" not in how:
            how.setdefault("type", type(default))
        shown = str(default) if name == "hidden" else default
        group.add_argument(f"--{OPTIONS[name].replace('_', '-')}", default=shown, help=help, **how)

    group = parser.add_argument_group("data")
    which = "training data; the embedded digits if left out"
    group.add_argument("data", metavar="DATA", nargs="?", default="digits", help=which)
    classes = "their classes (IDX, .npy, .csv), for the picture of the latents only"
    group.add_argument("--labels", metavar="FILE", help=classes)
    group.add_argument("--test", metavar="DATA", help="held-out data, evaluated after every epoch")
    group.add_argument("--limit", metavar="N", type=int, help="use the first N rows only")
    ways = "grey pixels to 0 and 1: at ½, by one random draw, or by a fresh draw at every visit"
    setting("binarize", ways, choices=BINARIZE)

    group = parser.add_argument_group("model")
    setting("latent_dim", "number of latents", metavar="D")
    order = "widths of the encoder's hidden layers; the decoder has them in reverse"
    setting("hidden", order, metavar="N[,N…]", type=integers)
    setting("activation", "between the layers", choices=ACTIVATIONS)
    family = "p(x|z): gaussian has the width --sigma, gaussian-shared learns one, gaussian-pixel one for every feature"
    setting("likelihood", family, choices=LIKELIHOODS)
    setting("mean_link", "from decoder to mean of a gaussian: sigmoid for data in [0, 1]", choices=MEAN_LINKS)
    setting("sigma", "standard deviation of likelihood gaussian, in units of the data", metavar="σ")
    setting("posterior", "covariance of q(z|x)", choices=POSTERIORS)
    setting("init_weights", "initial weights", choices=INITIALIZERS)

    group = parser.add_argument_group("training")
    what = "what is maximised: the ELBO, its KL analytic or by samples (plain, path derivative, score function), or L_k"
    setting("bound", f"{what} (iwae, dreg)", choices=BOUNDS)
    setting("n_samples", "draws of z per image and step; k of L_k, which with one draw is the ELBO", metavar="L")
    setting("beta", "weight of the KL term", metavar="β")
    course = "course of β over the run: up to --beta in its first quarter, or four times up and there"
    setting("beta_schedule", course, choices=BETA_SCHEDULES)
    counted = "nats that every latent's KL is counted as at least: up to there using it costs nothing more"
    setting("free_bits", counted, metavar="λ")
    setting("weight_prior", "precision of a Gaussian prior on the weights; 0 is none", metavar="τ")
    setting("epochs", "passes over the data", metavar="N")
    setting("batch_size", "images per step", metavar="N")
    setting("optimizer", "update rule", choices=OPTIMIZERS)
    setting("learning_rate", "step size", metavar="α")
    setting("schedule", "course of the learning rate over the run", choices=SCHEDULES)
    stop = "stop after N epochs without a better loss on --test, and keep the best"
    setting("patience", stop, metavar="N", type=int)
    setting("dtype", "precision", choices=["float32", "float64"])
    setting("random_state", "of all random numbers", metavar="N")

    group = parser.add_argument_group("result")
    free = "where to; without it npvae-run, npvae-run-2, …, whichever is free"
    group.add_argument("-o", "--output", metavar="FOLDER", help=free)
    either = group.add_mutually_exclusive_group()
    either.add_argument("--overwrite", action="store_true", help="replace what an earlier run left in FOLDER")
    go_on = "go on from FOLDER/checkpoint.npz until --epochs are done; repeat the run's other options"
    either.add_argument("--resume", action="store_true", help=go_on)
    group.add_argument("--no-pictures", action="store_true", help="leave the pictures out")
    group.add_argument("--quiet", action="store_true", help="say nothing but warnings and errors")


def run(args: argparse.Namespace) -> int:
    """Train, save, draw."""
    data, test = _read(args)
    vae = VAE(**{name: getattr(args, option) for name, option in OPTIONS.items()}, verbose=not args.quiet)
    if args.patience is not None and test is None:
        raise ValueError("--patience needs held-out data: give --test")
    folder, made = _folder(args)

    def say(*lines: str) -> None:
        if not args.quiet:
            with suppress(BrokenPipeError):  # nobody reads on; the training goes on
                print(*lines, sep="\n", flush=True)

    held_out = f", {len(test):,} held out" if test else ""
    say(f"{data.name}: {len(data):,} rows of {data.x.shape[1]} features{held_out}")
    try:
        status = _fit(vae, data, test, folder, args)
    except BaseException:
        with suppress(OSError):  # not empty: what the run has left is kept
            for path in made:
                path.rmdir()
        raise
    if not (vae.__sklearn_is_fitted__() and vae.run_.optimizer_state.t):  # not one step: there is nothing to keep
        for path in made:
            path.rmdir()
        return status
    if args.overwrite and vae.run_.epoch == 0:
        (folder / CHECKPOINT).unlink(missing_ok=True)
    vae.save(folder / MODEL)
    with replacing(folder / HISTORY) as temporary:
        vae.history_.to_csv(temporary)
    say(*training.summary(vae.run_, "row" if vae.image_shape_ is None else "image"))
    if args.overwrite:
        for name in PICTURES:
            (folder / f"{name}.png").unlink(missing_ok=True)
    if not args.no_pictures:
        say(draw_pictures(vae, test if test is not None else data, data, folder))
    drawn = (folder / "samples.png").exists()
    example = f"npvae sample {shlex.quote(str(folder / MODEL))}{'' if drawn else ' -o samples.csv'}"
    say(f"wrote {folder / MODEL}; try: {example}")
    if status == 130 and vae.run_.epoch:
        say(f"to go on, repeat the command with --output {shlex.quote(str(folder))} --resume")
    return status


def _read(args: argparse.Namespace) -> tuple[Dataset, Dataset | None]:
    rows = None if args.limit is None else slice(0, integer("--limit", args.limit, at_least=1))
    data = read_data(args.data, args.labels, rows, digits_seed=0)
    if args.test is not None:
        return data, read_data(args.test, argument="--test")
    return data, read_data("digits", rows=slice(0, 2000)) if is_embedded(args.data) else None


def _folder(args: argparse.Namespace) -> tuple[Path, list[Path]]:
    """The folder for the results, and the folders that were made just now, from the innermost."""
    if args.output == "":
        raise ValueError("--output must name a folder, got ''")
    if args.output is None:
        if args.resume:
            raise ValueError("--resume needs the run's folder: give --output")
        names = ("npvae-run" + (f"-{i}" if i > 1 else "") for i in range(1, 10_000))
        folder = next(Path(name) for name in names if not Path(name).exists())
    else:
        folder = Path(args.output)
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"--output must be a folder, got the file {str(folder)!r}")
    if args.resume and not (folder / CHECKPOINT).exists():
        raise FileNotFoundError(f"--resume finds no {folder / CHECKPOINT}")
    earlier = [folder / name for name in (MODEL, CHECKPOINT, HISTORY) if (folder / name).exists()]
    if earlier and not (args.overwrite or args.resume):
        raise FileExistsError(f"{earlier[0]} exists: give another --output, or --overwrite, or --resume")
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / ".writable"):  # fails now, not after the training
        pass
    (folder / ".writable").unlink()
    return folder, made


def _fit(vae: VAE, data: Dataset, test: Dataset | None, folder: Path, args: argparse.Namespace) -> int:
    shape = (-1, *(data.image_shape or data.x.shape[1:]))
    resume_from = training.load_checkpoint(folder / CHECKPOINT) if args.resume else None
    try:
        vae.fit(
            data.x.reshape(shape),
            X_val=test.x if test is not None else None,
            callbacks=[lambda run: training.save_checkpoint(folder / CHECKPOINT, run)],
            resume_from=resume_from,
        )
    except training.NonFiniteLossError as error:
        print(f"npvae: error: {error}", file=sys.stderr)
        return 1
    return 130 if vae.run_.stopped == "interrupted" else 0


def draw_pictures(vae: VAE, shown: Dataset, data: Dataset, folder: Path) -> str:
    """Draw what the model can show into `folder`: `shown` is reconstructed, `data` is scattered by class.

    Returns a line that says which of `PICTURES` were drawn, or why none.
    """
    try:
        from npvae import plots

        plots.require_matplotlib()
    except ImportError as error:
        return f"no pictures: {error}"

    pictures = {}
    if vae.history_.n_rows:
        pictures["learning_curves"] = plots.learning_curves(vae.history_)
    if vae.latent_dim > 1:
        seen = data.take(slice(0, SCATTERED))
        z = vae.transform(seen.x)
        most_varied = np.argsort(-z.var(axis=0), kind="stable")[:2]
        pictures["latents"] = plots.latent_scatter(z, seen.labels, dimensions=tuple(sorted(most_varied.tolist())))
    shape, x = vae.image_shape_, shown.x[:12]
    if shape is not None and len(shape) == 2:
        pictures["samples"] = plots.image_grid(vae.sample(64, random_state=0), shape)
        pictures["reconstructions"] = plots.reconstructions(x, vae.reconstruct(x), shape)
        ways = [vae.interpolate(a, b) for a, b in zip(x[0:10:2], x[1:10:2], strict=False)]
        if ways:
            pictures["interpolations"] = plots.interpolations(np.stack(ways), shape)
        if vae.latent_dim == 2:
            images = vae.inverse_transform(plots.manifold_grid(20))
            pictures["manifold"] = plots.manifold(images, image_shape=shape)
    for name, picture in pictures.items():
        plots.save(picture, folder / f"{name}.png")
    return f"drew {', '.join(f'{name}.png' for name in pictures)}"
