"""``python -m benchmarks published compression``: MNIST without loss by bits-back coding, beside five file formats.

The figures are those of Townsend, Bird & Barber, Practical lossless compression with latent variables using bits back
coding (2019), table 2. Binary images are the test images of the fixed binarisation; the model is trained on the grey
training images, made binary anew at every visit, as there. Grey images are coded by a mixture of discretised logistics
for every pixel. All test images are compressed, read back and compared. Sizes are of whole files, headers included;
images a second are of the processor's time in one thread, not of the clock.
"""

from __future__ import annotations

import argparse
import bz2
import gzip
import io
import lzma
from collections.abc import Callable
from dataclasses import asdict, dataclass
from math import log
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.data import binarize, data_folder, digit_images
from benchmarks.estimates import bound, row, thinned, write
from benchmarks.files import RESULTS
from benchmarks.long_run import Trained, add_options, add_start, begin, legs, long_run, recipe
from npvae import datasets
from npvae.compression import compress, decompress
from npvae.distributions import Bernoulli, Distribution, LogisticMixture
from npvae.models import VAE
from npvae.parameters import Parameters

SIDE = 28
COLUMNS = 100
"""Images beside each other in one picture of all."""

Transform = Callable[[NDArray, np.random.Generator], NDArray]


def scaled(grey: NDArray, rng: np.random.Generator) -> NDArray[np.float32]:
    """Levels 0 to 255 as numbers from 0 to 1."""
    return np.float32(grey) / np.float32(255)


@dataclass(frozen=True)
class Kind:
    """A kind of images: how a batch of grey bytes becomes what the model sees, the model, and the published bits."""

    transform: Transform
    likelihood: Distribution
    activation: str
    hidden: tuple[int, ...]
    latents: int
    published: str


KINDS = {
    "binary": Kind(binarize, Bernoulli(), "tanh", (200, 200), 50, "0.19"),
    "grey": Kind(scaled, LogisticMixture(3), "tanh", (200, 200), 50, "1.41"),
}


def main(argv: list[str]) -> int:
    """Train, compress, compare, print, write."""
    what = __doc__.split(": ", 1)[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks published compression", description=what)
    parser.add_argument("--kinds", choices=KINDS, nargs="+", default=list(KINDS), help="of images (binary grey)")
    add_start(parser)
    add_options(parser, minutes=35)
    args = parser.parse_args(argv)
    work = args.work or Path("runs/published") / ("compression" + "-quick" * args.quick)
    if args.start is not None and len(args.kinds) > 1:
        parser.error("--start is a run of one kind: give --kinds")
    for name in args.kinds:
        folder = work / name
        model, run, parts = trained(name, folder, args)
        x = test_images(name, args.quick)
        found = measured(model, run.mean, x) | {"training_seconds": round(sum(part["seconds"] for part in parts), 1)}
        rows = [_row(name, parts, found)]
        settings = {"kind": name, "legs": parts}
        output = args.output or (None if args.quick else RESULTS / f"compression-{name}.json")
        write(output, f"compression-{name}", settings, rows, found | {"history": thinned(run.run.history)})
    return 0


def trained(name: str, work: Path, args: argparse.Namespace) -> tuple[VAE, Trained, list]:
    """The model of a kind of images, its run, and what that was, leg by leg."""
    kind, plan = KINDS[name], recipe(args)
    x, _, data = digit_images(args.quick)
    model = VAE.mlp(SIDE**2, kind.latents, kind.hidden, kind.activation, kind.likelihood, bound="stl")
    grey = x / np.float32(255)
    drawn = model.init(np.random.default_rng(plan.seed), mean=grey.mean(axis=0), var=grey.var(axis=0))
    settings = {"kind": name, "data": data, "images": len(x), "model": repr(kind.likelihood)}
    settings |= {"activation": kind.activation, "hidden": list(kind.hidden), "latents": kind.latents, **asdict(plan)}
    start, settings = begin(drawn, args.start, settings)
    print(f"{name}: {data}, {len(x):,} images; {_widths(kind)}; {plan}", flush=True)
    run = long_run(model, x, plan, work, settings, start, transform=kind.transform)
    return model, run, legs(settings, run)


def test_images(name: str, quick: bool) -> NDArray[np.uint8]:
    """The levels of the test images, (n, 784)."""
    if quick:
        x = datasets.digits(200, seed=1).x
        return np.rint(x * 255).astype(np.uint8) if name == "grey" else (x > 0.5).astype(np.uint8)
    if name == "binary":
        return datasets.binarized_mnist("test", data_folder()).x.astype(np.uint8)
    return np.rint(datasets.mnist("test", data_folder()).x * 255).astype(np.uint8)


def measured(model: VAE, theta: Parameters, levels: NDArray[np.uint8]) -> dict[str, Any]:
    """Bits a pixel by the model, by −ELBO and by every format, and images a second each way."""
    top = getattr(model.likelihood, "levels", 2) - 1
    began = process_time()
    packed = compress(model, theta, levels)
    middle = process_time()
    if not np.array_equal(decompress(model, theta, packed), levels):
        raise RuntimeError("what was decompressed is not what was compressed")
    ended = process_time()
    negative_elbo = bound(model, theta, np.float32(levels) / np.float32(top))
    return {
        "bits_back": 8 * len(packed) / levels.size,
        "negative_elbo": negative_elbo / (levels.shape[1] * log(2)),
        "nats": negative_elbo,
        "images": len(levels),
        "bytes": len(packed),
        "images_a_second": {"compress": len(levels) / (middle - began), "decompress": len(levels) / (ended - middle)},
        "formats": {name: 8 * size / levels.size for name, size in formats(levels, top).items()},
    }


def formats(levels: NDArray[np.uint8], top: int) -> dict[str, int]:
    """Bytes of the images by every format at its strongest, the better one of two ways to hand it the pixels.

    gzip, bz2 and xz get all images as one file, a byte for every pixel, or if they are binary eight pixels in a byte as
    well. PNG and WebP get one picture of all images, and each image by itself.
    """
    raw = [levels.tobytes(), *([np.packbits(levels, axis=1).tobytes()] if top == 1 else [])]
    streams: dict[str, Callable[[bytes], bytes]] = {
        "gzip": lambda data: gzip.compress(data, 9),
        "bz2": lambda data: bz2.compress(data, 9),
        "xz": lambda data: lzma.compress(data, preset=9 | lzma.PRESET_EXTREME),
    }
    found = {name: min(len(pack(data)) for data in raw) for name, pack in streams.items()}
    images = (levels * (255 // top)).reshape(-1, SIDE, SIDE)
    whole = images[: len(images) // COLUMNS * COLUMNS].reshape(-1, COLUMNS, SIDE, SIDE).swapaxes(1, 2)
    whole = whole.reshape(-1, COLUMNS * SIDE)
    for name in ("PNG", "WebP"):
        found[f"{name}, one picture"] = _picture(whole, name, top)
        found[f"{name}, each image"] = sum(_picture(image, name, top) for image in images)
    return found


def _picture(image: NDArray[np.uint8], name: str, top: int) -> int:
    """Bytes of a picture as a file."""
    from PIL import Image

    picture = Image.fromarray(image)
    if top == 1 and name == "PNG":
        picture = picture.convert("1")
    how = {"PNG": {"optimize": True}, "WebP": {"lossless": True, "quality": 100, "method": 6}}[name]
    file = io.BytesIO()
    picture.save(file, name, **how)
    return len(file.getvalue())


def _widths(kind: Kind) -> str:
    return "-".join(map(str, (SIDE**2, *kind.hidden, kind.latents)))


def _row(name: str, parts: list, found: dict[str, Any]) -> dict[str, Any]:
    kind = KINDS[name]
    others = ", ".join(f"{method} {bits:.3f}" for method, bits in found["formats"].items())
    epochs = sum(part["epochs"] for part in parts)
    data = f"{parts[0]['data']}, {'fixed' if name == 'binary' else 'grey'}"
    return row(
        f"VAE, {_widths(kind)} {kind.activation}, {type(kind.likelihood).__name__}",
        data,
        f"bits a pixel, {found['images']:,} images",
        f"{found['bits_back']:.4f}",
        f"{kind.published} (Townsend et al.)",
        f"−ELBO {found['negative_elbo']:.4f}; {others}; {epochs} epochs by the path gradient",
        found["training_seconds"],
    )
