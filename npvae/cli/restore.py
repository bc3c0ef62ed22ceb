"""``npvae restore``: images behind what was seen of them through a linear operator and noise."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from npvae.cli.arguments import add_data, counted, read_data
from npvae.cli.columns import selection
from npvae.cli.impute import HALVES
from npvae.cli.results import SHOWN, Commands, Made, add_maker, image_shape, require_plain_rows, shown_rows
from npvae.evaluation import operators, restoration
from npvae.evaluation.operators import LinearOperator
from npvae.validation import ArgumentError, integer, number

AGREE = 1.2
"""The potential scale reduction up to which chains are said to agree; 1.1 is usual for longer chains."""

FEW = 0.2
"""The share of accepted proposals below which the chains are said to hardly move; they aim at 0.8."""

OWN = {"seen": ("mask", "upper"), "width": ("blur", 2.0), "factor": ("downsample", 4), "numbers": ("projection", 50)}
"""Options of a single operator: which one it is, and the default."""


def _mask(args: argparse.Namespace, shape: tuple[int, ...]) -> LinearOperator:
    if args.seen in HALVES and shape[0] == 1:
        raise ArgumentError(
            "seen", "be a share of the columns, such as 0.5, where rows are no pictures", repr(args.seen)
        )
    if args.seen in HALVES:
        return operators.mask(np.broadcast_to(HALVES[args.seen](*shape), shape).reshape(-1))
    share = number("seen", _share(args.seen), above=0, below=1)
    return operators.mask(np.random.default_rng([args.seed, 2]).random(int(np.prod(shape))) < share)


def _share(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise ArgumentError("seen", f"be {', '.join(HALVES)} or a share of the pixels", repr(text)) from None


OPERATORS: Mapping[str, Callable[[argparse.Namespace, tuple[int, ...]], LinearOperator]] = {
    "mask": _mask,
    "noise": lambda args, shape: operators.identity(int(np.prod(shape))),
    "blur": lambda args, shape: operators.blur(shape, args.width),
    "downsample": lambda args, shape: operators.downsample(shape, args.factor),
    "projection": lambda args, shape: operators.projection(int(np.prod(shape)), args.numbers, args.seed),
}
"""Operators by the name that a user types, from the arguments and the shape of an image."""


def add_commands(commands: Commands) -> None:
    """Add ``npvae restore``."""
    text = f"""\
Look at each image of DATA through an operator and noise, y = A x + σ noise, and restore x from y alone, with the
trained decoder as the prior of images: posterior mean, standard deviation and draws by Hamiltonian Monte Carlo in z.
σ and y are on the scale that the model brought its data to, which npvae info tells. With --observed DATA hold y itself.
.npy and .csv get the means; .npz gets mean, std, draws, latents, acceptance and disagreement (near 1 where the chains
of a row agree). With --most-probable the mode takes the place of the mean, and .npz has both. A picture shows what was
seen, mean or mode, draws and standard deviation of the first {SHOWN} rows unless --rows says otherwise."""
    example = """\
npvae restore npvae-run/model.npz digits --operator mask --seen upper
npvae restore npvae-run/model.npz images.npy --operator downsample --factor 4 --noise 0.05 -o restored.npz
npvae restore npvae-run/model.npz noisy.npy --operator noise --noise 0.5 --observed"""
    parser = add_maker(
        commands, restore, "images behind noise, blur or a mask", "restored.png", text, example, "x", ["impute"]
    )
    add_data(parser)
    parser.add_argument("--operator", choices=OPERATORS, default="mask", help="what was between image and eye")
    parser.add_argument("--noise", metavar="σ", type=float, default=0.1, help="standard deviation of the noise")
    parser.add_argument("--seen", metavar="SEEN", help=f"of mask: {', '.join(HALVES)}, or a share of random pixels")
    parser.add_argument("--width", metavar="PIXELS", type=float, help="of blur: its standard deviation")
    parser.add_argument("--factor", metavar="N", type=int, help="of downsample: pixels to one, each way")
    parser.add_argument("--numbers", metavar="N", type=int, help="of projection: how many are seen")
    parser.set_defaults(**{name: default for name, (_, default) in OWN.items()})
    parser.add_argument("--observed", action="store_true", help="DATA hold y, one row of what was seen each")
    parser.add_argument("--chains", metavar="N", type=int, default=4, help="chains for each row")
    parser.add_argument("--steps", metavar="N", type=int, default=200, help="steps that are kept, after as many others")
    parser.add_argument("--most-probable", action="store_true", help="give the most probable image, not the mean")
    parser.add_argument("--seed", metavar="N", type=int, default=0, help="of noise and chains")


def restore(args: argparse.Namespace, model: Any) -> Made:
    """``npvae restore``."""
    require_plain_rows(args.model, model, "restore")
    for name, (operator, default) in OWN.items():
        if args.operator != operator and getattr(args, name) != default:
            raise ArgumentError(
                f"--{name}", f"be left out without --operator {operator}", f"--operator {args.operator}"
            )
    number("--noise", args.noise, at_least=restoration.SHARPEST)
    integer("--steps", args.steps, at_least=1)
    integer("--numbers", args.numbers, at_least=1)
    operator = OPERATORS[args.operator](args, model.image_shape_ or (1, model.n_features_in_))
    data = read_data(args.data, rows=shown_rows(args), choice=selection(args), model=None if args.observed else model).x
    rng = np.random.default_rng([args.seed, 0])
    x = None if args.observed else model.prepare(data, args.seed)
    y = data if args.observed else operator.forward(x) + args.noise * rng.standard_normal((len(x), operator.n_out))
    chains = np.random.default_rng([args.seed, 1])
    options = {"chains": args.chains, "warm_up": args.steps, "steps": args.steps}
    found = restoration.restore(model.model_, model.theta_, y, operator, args.noise, chains, **options)
    name, restored = "mean", found.mean
    if args.most_probable:
        name = "mode"
        restored, _ = restoration.most_probable(model.model_, model.theta_, y, operator, args.noise, chains)
    _report(found, x, y, restored)
    back = model.scaling_.inverse
    images = {"mean": back(found.mean), "std": found.std * model.scaling_.unit, "draws": back(found.draws)}
    arrays = {name: back(restored), **found._asdict(), **images, "y": y}
    return arrays, lambda plots: _draw(plots, model, operator, y, {name: restored}, found)


def _report(found: restoration.Restored, x: NDArray | None, y: NDArray, mean: NDArray) -> None:
    """How near the images are, where they are known, and whether the chains can be trusted."""
    apart, unknown = int((found.disagreement > AGREE).sum()), int(np.isnan(found.disagreement).sum())
    accepted = found.acceptance.mean()
    told = f"chains disagree in {apart} of them" + f", and do not tell in {unknown}" * (unknown > 0)
    print(f"{counted(len(mean), 'row')}; proposals accepted: {accepted:.0%}; {told}")
    if accepted < FEW:
        print("the chains hardly moved: take more --steps, or more --noise")
    if x is not None:
        seen = f", observed {_psnr(x, y):.1f} dB" if y.shape == x.shape else ""
        print(f"peak signal-to-noise ratio: restored {_psnr(x, mean):.1f} dB{seen}")


def _psnr(x: NDArray, x_hat: NDArray) -> float:
    """10 log₁₀(range²/mean squared error) of all rows together, in decibels."""
    reach = max(1.0, float(x.max() - x.min()))
    return float(10 * np.log10(reach**2 / np.square(x - x_hat).mean()))


def _draw(
    plots: ModuleType,
    model: Any,
    operator: LinearOperator,
    y: NDArray,
    restored: dict[str, NDArray],
    found: restoration.Restored,
) -> Any:
    seen = operator.adjoint(y)
    if operator.name == "mask":
        seen = np.where(operator.adjoint(np.ones((1, operator.n_out))) > 0, seen, np.nan)
    elif operator.name == "downsample":
        seen = seen * (operator.n_in / operator.n_out)
    elif operator.n_out == operator.n_in:
        seen = y
    ((name, images),) = restored.items()
    return plots.restorations(seen, images, found.draws[:4], found.std, image_shape(model), name=name)
