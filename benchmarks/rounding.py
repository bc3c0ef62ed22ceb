"""``python -m benchmarks rounding``: how often two machines would disagree on the frequencies of compressed images.

Bits-back coding needs the same frequencies on both sides, and the products of a network differ in their last digits
with the kernel of the BLAS and the number of its threads. Here every kernel that this processor can run is made to
encode and decode the same rows, in a process of its own, and is held against the first one. So few numbers disagree
after the coder's rounding that the expectation stands beside the count: two numbers that differ by δ lie on two sides
of an edge of a grid of steps h with probability δ/h. The other expectation is without that rounding, by the 23 bits a
unit of the coder's tables.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks import files
from npvae import VAE, datasets, load
from npvae.compression import compress
from npvae.compression.bits_back import LOGIT_GRID, MEAN_GRID, SCALE_GRID
from npvae.compression.codes import FRACTION, KNOTS
from npvae.distributions import Bernoulli

KERNELS = ("Prescott", "Nehalem", "Sandybridge", "Haswell", "Zen", "SkylakeX", "Cooperlake")
"""What OPENBLAS_CORETYPE can be on x86; one that the processor cannot run is left out."""

NO_VECTORS = "AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR X86_V3 X86_V4"
"""Features without which NumPy has other loops, and other exponentials."""

EXACT_GRID = KNOTS << FRACTION
"""Steps a unit of the tables from which frequencies come."""

BATCH = 16


def main(argv: list[str]) -> int:
    """Train, run every kernel, compare, print, write."""
    what = __doc__.split(": ", 1)[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks rounding", description=what)
    parser.add_argument("--images", type=files.count, default=2000, help="embedded digits (2000)")
    parser.add_argument("--training", type=files.count, default=10_000, help="training digits (10000)")
    parser.add_argument("--epochs", type=files.count, default=5, help="of both models (5)")
    parser.add_argument("--output", type=files.result_file, metavar="FILE.json", help="write the result there")
    args = parser.parse_args(argv)
    rows = []
    with TemporaryDirectory(prefix="npvae-rounding-") as name:
        folder = Path(name)
        _prepare(folder, args.images, args.training, args.epochs)
        first = None
        for label, environment in _environments():
            found = _run(folder, environment)
            if found is None:
                print(f"{environment['OPENBLAS_CORETYPE']}: not on this processor", flush=True)
                continue
            kernel = str(found["binary"]["kernel"])
            setting = label.replace("{kernel}", kernel or "another BLAS")
            if setting in (row["setting"] for row in rows):
                continue  # the BLAS has taken a kernel that there was already
            first = first or found
            for kind in ("binary", "grey"):
                rows.append(_row(kind, setting, found[kind], first[kind]))
                print(", ".join(f"{key}: {value}" for key, value in rows[-1].items()), flush=True)
    settings = {"images": args.images, "training": args.training, "epochs": args.epochs, "batch": BATCH}
    files.write(args.output, "rounding", settings, rows=rows)
    return 0


def _prepare(folder: Path, images: int, training: int, epochs: int) -> None:
    """Two trained models, and the rows that they see."""
    x = datasets.digits(training, seed=0).x
    grey = np.rint(datasets.digits(images, seed=1).x * 255).astype(np.uint8)
    how = {"epochs": epochs, "schedule": "cosine", "random_state": 0}
    VAE(20, 400, binarize="dynamic", **how).fit(x).save(folder / "binary.npz")
    VAE(20, 200, likelihood="logistic-mixture", **how).fit(np.rint(x * 255) / 255).save(folder / "grey.npz")
    np.savez(folder / "rows.npz", binary=(grey > 127).astype(np.uint8), grey=grey)


def _environments() -> Iterator[tuple[str, dict[str, str]]]:
    """What to set for each run; the first is what the others are held against."""
    threads = {1: "{kernel}, 1 thread", 2: "{kernel}, 2 threads"}
    for n, label in threads.items():
        yield label, {"OPENBLAS_NUM_THREADS": str(n)}
    yield "{kernel}, NumPy without AVX", {"OPENBLAS_NUM_THREADS": "1", "NPY_DISABLE_CPU_FEATURES": NO_VECTORS}
    for kernel in KERNELS:
        for n, label in threads.items():
            yield label, {"OPENBLAS_NUM_THREADS": str(n), "OPENBLAS_CORETYPE": kernel}


def _run(folder: Path, environment: dict[str, str]) -> dict[str, dict[str, NDArray]] | None:
    """What `numbers` found under these settings; None where the processor cannot."""
    code = "import sys; from benchmarks.rounding import numbers; numbers(sys.argv[1])"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code, str(folder)],
        env=os.environ | environment,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    if done.returncode < 0:  # ended by a signal: an instruction that is not there
        return None
    done.check_returncode()
    found = {}
    for kind in ("binary", "grey"):
        with np.load(folder / f"numbers-{kind}.npz") as arrays:
            found[kind] = dict(arrays)
    return found


def numbers(name: str) -> None:
    """In a process of its own: what both networks put out for all rows, and the compressed file, as arrays."""
    folder = Path(name)
    with np.load(folder / "rows.npz") as rows:
        for kind, levels in rows.items():
            fitted = load(folder / f"{kind}.npz")
            model, theta = fitted.model_, fitted.theta_.astype(np.float64)
            x = levels / (getattr(model.likelihood, "levels", 2) - 1)
            z = np.random.default_rng(0).standard_normal((len(x), model.latent_dim))
            a = [model.encode(theta, x[i : i + BATCH]) for i in range(0, len(x), BATCH)]
            b = [model.decode(theta, z[i : i + BATCH]) for i in range(0, len(x), BATCH)]
            packed = np.frombuffer(compress(model, fitted.theta_, levels), np.uint8)
            steps = {"encoder": np.concatenate(a) * SCALE_GRID, **_decoder_steps(model.likelihood, np.concatenate(b))}
            np.savez(folder / f"numbers-{kind}.npz", kernel=running_kernel(), packed=packed, **steps)


def _decoder_steps(likelihood: object, a: NDArray) -> dict[str, NDArray]:
    """What the decoder puts out, in steps of the grids to which the coder rounds."""
    if isinstance(likelihood, Bernoulli):
        return {"logits": a * LOGIT_GRID}
    log_weights, mean, log_scale = (np.moveaxis(part, 0, 1) for part in likelihood.components(a))
    return {"weights": log_weights * LOGIT_GRID, "means": mean * MEAN_GRID, "scales": log_scale * SCALE_GRID}


GRIDS = {
    "encoder": SCALE_GRID,
    "logits": LOGIT_GRID,
    "weights": LOGIT_GRID,
    "means": MEAN_GRID,
    "scales": SCALE_GRID,
}
"""Steps a unit of what `numbers` stores."""


def _row(kind: str, label: str, found: dict[str, NDArray], first: dict[str, NDArray]) -> dict[str, object]:
    """One setting against the first; what is expected is the number of disagreements in a million images."""
    apart = {name: np.abs(found[name] - first[name]).reshape(len(found[name]), -1) for name in found if name in GRIDS}
    images = len(apart["encoder"])
    rounded = sum((np.rint(found[name]) != np.rint(first[name])).sum() for name in apart)
    expected = {name: 1e6 * float(part.sum()) / images for name, part in apart.items()}
    return {
        "kind": kind,
        "setting": label,
        "numbers_apart": float(np.mean(np.concatenate([part.ravel() for part in apart.values()]) > 0)),
        "largest": max(float(part.max()) / GRIDS[name] for name, part in apart.items()),
        "disagreements": int(rounded),
        "expected": sum(expected.values()),
        "expected_unrounded": sum(EXACT_GRID / GRIDS[name] * value for name, value in expected.items()),
        "same_file": bool(np.array_equal(found["packed"], first["packed"])),
    }


def running_kernel() -> str:
    """The kernel that NumPy's OpenBLAS has chosen; nothing where it has another BLAS."""
    for library in sorted((Path(np.__file__).parents[1] / "numpy.libs").glob("*openblas*")):
        for symbol in ("scipy_openblas_get_corename64_", "openblas_get_corename64_", "openblas_get_corename"):
            get = getattr(ctypes.CDLL(str(library)), symbol, None)
            if get is not None:
                get.restype = ctypes.c_char_p
                return get().decode()
    return ""
