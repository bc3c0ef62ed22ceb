"""``npvae train``: from data to a model, its numbers and its pictures."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from inspect import signature
from pathlib import Path
from typing import Any

from npvae import training
from npvae.cli.arguments import add_command, counted, integers, is_embedded, read_data, silence
from npvae.cli.columns import add_selection, read_kinds, selection
from npvae.cli.pictures import draw_pictures
from npvae.cli.ranks import communicator
from npvae.cli.run_folder import (
    CHECKPOINT,
    HISTORY,
    MODEL,
    checkpoints_in,
    earlier_files,
    require_one_run,
    run_folder,
)
from npvae.datasets import Dataset
from npvae.datasets.columns import KINDS
from npvae.estimators import Estimator, registry
from npvae.estimators.base import random_seed
from npvae.estimators.options import Option, options_of
from npvae.files import replacing
from npvae.training.run import BROKEN
from npvae.validation import ArgumentError, integer, printable, widths

DEFAULT_MODEL = "vae"

DESCRIPTION = """\
Train a model and leave a folder with

  model.npz         the model, for the other commands and for npvae.load
  history.csv       loss and its terms, epoch by epoch
  checkpoint.npz    the whole state of the run, for --resume; the one before it is kept in checkpoint-previous.npz
  *.png             samples, reconstructions, interpolations, latents, learning curves; with two latents the manifold

Without DATA it learns the embedded digits. --model chooses what is trained; the options below are those of {model},
and npvae train --model NAME --help shows another's."""

EXAMPLE = """\
npvae train
npvae train train-images-idx3-ubyte.gz --labels train-labels-idx1-ubyte.gz --test t10k-images-idx3-ubyte.gz
npvae train images.npy --latent 2 --hidden 500,200 --epochs 50 --schedule cosine --output faces"""

LONG = 90
"""Letters of the names of all choices from which on they stand in the help, not in the usage."""

GROUPS = ("data", "model", "training")


def model_in(argv: Sequence[str]) -> str:
    """The name of the model that the arguments of ``npvae train`` ask for, before the rest of them is read."""
    parser = argparse.ArgumentParser(add_help=False, exit_on_error=False)
    parser.add_argument("--model", default=DEFAULT_MODEL)
    try:
        name = parser.parse_known_args(argv)[0].model if argv and argv[0] == "train" else DEFAULT_MODEL
    except argparse.ArgumentError:  # a value is missing: the real parser says so
        return DEFAULT_MODEL
    registry.estimator_class(name)  # an unknown name is refused here, with the nearest known one
    return name


def add_commands(commands: argparse._SubParsersAction, model: str = DEFAULT_MODEL) -> None:
    """Add ``npvae train`` with the options of a model."""
    description = DESCRIPTION.format(model=model)
    parser = add_command(commands, "train", run, "train a model on images or tables", description, EXAMPLE)
    options = options_of(registry.estimator_class(model))
    parser.set_defaults(options=options)

    groups = {name: parser.add_argument_group(name) for name in GROUPS}
    group = groups["data"]
    which = "training data; the embedded digits if left out"
    group.add_argument("data", metavar="DATA", nargs="?", default="digits", help=which)
    classes = "their classes (IDX, .npy, .csv), for the picture of the latents only"
    group.add_argument("--labels", metavar="FILE", help=classes)
    group.add_argument("--test", metavar="DATA", help="held-out data, evaluated after every epoch")
    add_selection(group)
    sizes = "bring the pictures of a folder to this height and width"
    group.add_argument("--size", metavar="H,W", type=integers, help=sizes)
    if "columns" in options:
        kinds = f"file that says the kind of columns of a table, a line each, NAME: KIND; kinds are {', '.join(KINDS)}"
        group.add_argument("--types", metavar="FILE", help=kinds)
    group.add_argument("--limit", metavar="N", type=int, help="use the first N rows only")
    groups["model"].add_argument("--model", choices=registry.names(), default=model, help="what is trained")
    for option in options.values():
        if option.flag is not None:
            _add_option(groups[option.group], option)

    group = parser.add_argument_group("result")
    free = "where to; without it npvae-run, npvae-run-2, …, whichever is free"
    group.add_argument("-o", "--output", metavar="FOLDER", help=free)
    either = group.add_mutually_exclusive_group()
    either.add_argument("--overwrite", action="store_true", help="replace what an earlier run left in FOLDER")
    go_on = "go on from FOLDER/checkpoint.npz until --epochs are done; repeat the run's other options"
    either.add_argument("--resume", action="store_true", help=go_on)
    often = "how often to write checkpoint.npz: 30s, 5m, 2h, '10 epochs' or '1000 steps'; and at the end"
    group.add_argument("--checkpoint-every", metavar="TIME", default="5s", help=often)
    group.add_argument("--no-pictures", action="store_true", help="leave the pictures out")
    group.add_argument("--quiet", action="store_true", help="say nothing but warnings and errors")


def _add_option(group: argparse._ArgumentGroup, option: Option) -> None:
    """Declare an option of the estimator, with its default and the type of that."""
    how: dict[str, Any] = {"default": option.typed_default, "dest": option.name, "help": option.help}
    if option.choices is not None:
        how["choices"] = list(option.choices)
        if len(names := ", ".join(option.choices)) > LONG:
            how |= {"metavar": "NAME", "help": f"{option.help}; NAME is one of {names}"}
    elif option.kind is bool:
        how["action"] = argparse.BooleanOptionalAction
    elif option.kind is tuple:
        default = option.typed_default
        typed = None if default is None else ",".join(map(str, widths(option.name, default))) or "none"
        how |= {"type": integers, "metavar": option.metavar, "default": typed}
    else:
        how |= {"type": _number_or_word(option) if option.words else option.kind, "metavar": option.metavar}
    group.add_argument(f"--{option.flag}", **how)


def _number_or_word(option: Option) -> Callable[[str], Any]:
    """What reads an option that may be a word in the place of a number."""

    def read(text: str) -> Any:
        try:
            return option.typed(text)
        except ValueError:
            kind = "an integer" if option.kind is int else "a number"
            words = ", ".join(option.words)
            raise argparse.ArgumentTypeError(f"must be {kind} or {words}, got {text!r}") from None

    return read


def run(args: argparse.Namespace) -> int:
    """Train, save, draw."""
    comm = communicator()
    with training.like_ctrl_c(), ExitStack() as held:
        with training.together(comm):
            _require_options(args)
            data, test = _read(args)
            model = _estimator(args, test)
            _require_ranks(comm, model)
            folder = held.enter_context(run_folder(args)) if comm is None or comm.rank == 0 else None
        status, has_checkpoint = _fit(model, data, test, folder, args, comm)
        if folder is not None and _has_learnt(model):  # not one step: there is nothing to keep
            _keep(folder, model, data, test, args, has_checkpoint)
            if status == 130 or (has_checkpoint and model.run_.stopped == "failed worker"):
                _say(args, f"to go on, repeat the command with --output {shlex.quote(str(folder))} --resume")
    return status


def _say(args: argparse.Namespace, *lines: str) -> None:
    if not args.quiet:
        try:
            print(*map(printable, lines), sep="\n", flush=True)
        except OSError:  # nobody reads on, or the log has no room; the training goes on
            silence(sys.stdout)


def _keep(
    folder: Path,
    model: Estimator,
    data: Dataset,
    test: Dataset | None,
    args: argparse.Namespace,
    has_checkpoint: bool,
) -> None:
    """Model, history and pictures into the folder, and what to do with them onto the terminal."""
    if args.overwrite and not has_checkpoint:
        for path in (*earlier_files(folder), *reversed(checkpoints_in(folder))):
            path.unlink(missing_ok=True)
    _save(model, folder, has_checkpoint)
    if getattr(getattr(model, "run_", None), "stopped", "") in BROKEN:
        _say(args, f"wrote {folder / MODEL}: the last good parameters, not a trained model")
        return
    _say(args, *model.summary())
    if not args.no_pictures:
        _say(args, draw_pictures(model, test if test is not None else data, data, folder))
    _say(args, _what_next(model, folder))


def _save(model: Estimator, folder: Path, has_checkpoint: bool) -> None:
    """Model and history into the folder; where the disk is full, what to do about it."""
    try:
        model.save(folder / MODEL)
        with replacing(folder / HISTORY) as temporary:
            model.history_.to_csv(temporary)
    except OSError as error:
        if not has_checkpoint or error.errno is None:
            raise
        advice = f"{folder / CHECKPOINT} has all that was trained: make room, then --resume writes the model"
        raise OSError(error.errno, f"{error.strerror}; {advice}", error.filename) from None


def _what_next(model: Estimator, folder: Path) -> str:
    """Where the model is, and a command to try."""
    path = shlex.quote(str(folder / MODEL))
    if not hasattr(model, "sample"):
        return f"wrote {folder / MODEL}; try: npvae info {path}"
    drawn = (folder / "samples.png").exists()
    return f"wrote {folder / MODEL}; try: npvae sample {path}{'' if drawn else ' -o samples.csv'}"


def _require_options(args: argparse.Namespace) -> None:
    """An `ArgumentError` for the first option that cannot be, before data are read."""
    for option in args.options.values():
        if option.flag is not None:
            (random_seed if option.name == "random_state" else option.check)(getattr(args, option.name))


def _estimator(args: argparse.Namespace, test: Dataset | None) -> Estimator:
    """The estimator that the options describe, if it can do what is asked of it."""
    cls = registry.estimator_class(args.model)
    if args.resume and "resume_from" not in signature(cls.fit).parameters:
        raise ValueError(f"--resume: {args.model} is not trained in epochs, so no run of it could go on")
    if getattr(args, "patience", None) is not None and test is None:
        raise ValueError("--patience needs held-out data: give --test")
    params = {option.name: getattr(args, option.name) for option in args.options.values() if option.flag is not None}
    if getattr(args, "types", None) is not None:
        params["columns"] = read_kinds(args.types)
    return cls(**params, verbose=not args.quiet)


def _has_learnt(model: Estimator) -> bool:
    """Whether there is a model, and the loop, if that is how it learns, made a step."""
    run = getattr(model, "run_", None)
    return model.__sklearn_is_fitted__() and (run is None or run.optimizer_state.t > 0)


def _read(args: argparse.Namespace) -> tuple[Dataset, Dataset | None]:
    rows = None if args.limit is None else slice(0, integer("--limit", args.limit, at_least=1))
    choice = selection(args)
    data = read_data(args.data, args.labels, rows, digits_seed=0, choice=choice, size=args.size)
    if args.test is not None:
        return data, read_data(args.test, argument="--test", choice=choice, size=args.size)
    return data, read_data("digits", rows=slice(0, 2000)) if is_embedded(args.data) else None


def _run_to_go_on(folder: Path) -> training.TrainingRun:
    """The newest checkpoint that can be read; what is wrong with a newer one is said."""
    run, note = training.load_newest(folder / CHECKPOINT)
    if note:
        print(printable(f"npvae: warning: {note}"), file=sys.stderr)
    require_one_run(folder, run)
    return run


def _require_ranks(comm: Any, model: Estimator) -> None:
    if comm is not None and "comm" not in signature(model.fit).parameters:
        name = registry.model_name(type(model))
        raise ValueError(f"{name} is not trained in steps that ranks could share: run it without mpiexec")


def _fit(
    model: Estimator, data: Dataset, test: Dataset | None, folder: Path | None, args: argparse.Namespace, comm: Any
) -> tuple[int, bool]:
    """Fit; of several ranks the first, which has a folder, keeps checkpoints. Exit status, and whether there is one."""
    callbacks, resumed = [], None
    with training.together(comm):
        if folder is not None:
            replaces = earlier_files(folder) if args.overwrite else ()
            try:
                callbacks = [training.Checkpoints(folder / CHECKPOINT, args.checkpoint_every, args.resume, replaces)]
            except ArgumentError as error:
                raise error.about("checkpoint_every") from None
            resumed = _run_to_go_on(folder) if args.resume else None
            held_out = f", {len(test):,} held out" if test else ""
            _say(args, f"{data.name}: {counted(len(data), 'row')} of {counted(data.x.shape[1], 'feature')}{held_out}")
    if comm is not None:
        resumed = comm.bcast(resumed)
    held_out = test.given if test is not None else None
    offered = {"X_val": held_out, "callbacks": callbacks, "resume_from": resumed, "comm": comm}
    taken = {name: value for name, value in offered.items() if name in signature(model.fit).parameters}
    status = 0
    try:
        model.fit(data.given, **taken)
    except training.BrokenRunError as error:
        print(f"npvae: error: {printable(str(error))}", file=sys.stderr)
        status = 1
    if getattr(model, "run_", None) is not None and model.run_.stopped == "interrupted":
        status = 130
    return status, any(checkpoints.has_written for checkpoints in callbacks)
