"""``python -m benchmarks restoration``: images restored by the posterior of a decoder, beside other ways.

Test digits are seen through each operator and noise. What restores them: the posterior mean and the most probable image
of a variational autoencoder, which has never seen the operator; a denoising autoencoder, trained for just this noise,
where the operator is noise alone; the image of least squares and total variation, by SciPy's L-BFGS, with the weight
that is best on these very images; SciPy's adaptive Wiener filter, where y is an image; and the shortest x with A x = y,
by the pseudo-inverse. Peak signal-to-noise ratios in decibels, higher is better.
"""

from __future__ import annotations

import argparse

import numpy as np
from numpy.typing import NDArray

from benchmarks import files
from benchmarks.density_tables import WAYS
from npvae import VAE, datasets
from npvae.evaluation import most_probable, operators, restore
from npvae.evaluation.operators import LinearOperator
from npvae.layers import mlp
from npvae.models import DenoisingAutoencoder
from npvae.models.corruption import GaussianNoise
from npvae.optimizers import Adam
from npvae.schedules import Cosine
from npvae.training import train

SHAPE = (28, 28)
D = 784

HIDDEN, LATENTS, BATCH = 400, 20, 100

WEIGHTS = (0.001, 0.003, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
"""Weights of the total variation that are tried."""

CORNER = 0.01
"""What is added under the root in the total variation, which has no derivative at 0."""


def main(argv: list[str]) -> int:
    """Train both, restore, print a table, write."""
    what = __doc__.split(": ", 1)[1]
    parser = argparse.ArgumentParser(prog="python -m benchmarks restoration", description=what)
    parser.add_argument("--images", type=files.count, default=100, help="test digits (100)")
    parser.add_argument("--training", type=files.count, default=20_000, help="training digits (20000)")
    parser.add_argument("--epochs", type=files.count, default=20, help="of both (20)")
    parser.add_argument(
        "--steps", type=files.count, default=200, help="steps of each of 4 chains, after as many others"
    )
    parser.add_argument("--noise", type=float, default=0.3, help="standard deviation where noise is all (0.3)")
    parser.add_argument("--output", type=files.result_file, metavar="FILE.json", help="write the result there")
    args = parser.parse_args(argv)
    x, x_test = datasets.digits(args.training, seed=0).x, datasets.digits(args.images, seed=1).x
    vae = VAE(LATENTS, HIDDEN, epochs=args.epochs, batch_size=BATCH, schedule="cosine", random_state=0).fit(x)
    rows = [_row(vae, name, *seen, x, x_test, args) for name, seen in _operators(args.noise).items()]
    columns = ["operator", "noise", *WAYS]
    table = [columns, *([str(row.get(column, "–")) for column in columns] for row in rows)]
    print(files.markdown(table))
    files.write(
        args.output, "restoration", {name: value for name, value in vars(args).items() if name != "output"}, rows=rows
    )
    return 0


def _operators(noise: float) -> dict[str, tuple[LinearOperator, float]]:
    upper = np.arange(28)[:, None] < 14
    return {
        "noise": (operators.identity(D), noise),
        "upper half": (operators.mask(np.broadcast_to(upper, SHAPE).ravel()), 0.1),
        "blur, 2 pixels": (operators.blur(SHAPE, 2.0), 0.1),
        "means of 4×4": (operators.downsample(SHAPE, 4), 0.1),
        "50 projections": (operators.projection(D, 50), 0.1),
    }


def _row(
    vae: VAE, name: str, operator: LinearOperator, noise: float, x: NDArray, x_test: NDArray, args: argparse.Namespace
) -> dict:
    """The ratios of one operator by all ways that there are."""
    rng = np.random.default_rng(2)
    y = operator.forward(x_test) + noise * rng.standard_normal((len(x_test), operator.n_out), dtype=np.float32)
    given = (vae.model_, vae.theta_, y, operator, noise, rng)
    found = restore(*given, warm_up=args.steps, steps=args.steps)
    restored = {
        "posterior mean": found.mean,
        "most probable": most_probable(*given)[0],
        "total variation": max(
            (_least_variation(y, operator, weight) for weight in WEIGHTS), key=lambda found: _psnr(x_test, found)
        ),
        "pseudo-inverse": y @ np.linalg.pinv(operator.forward(np.eye(D))),
    }
    if operator.n_out == D:
        restored["Wiener"] = _wiener(y, noise)
    if operator.name == "identity":
        restored["denoising"] = _denoised(x, y, noise, args.epochs)
    ratios = {way: round(_psnr(x_test, x_hat), 2) for way, x_hat in restored.items()}
    apart = int((found.disagreement > 1.2).sum())
    print(f"{name}: {ratios}; chains disagree in {apart} of {len(y)} rows", flush=True)
    return {"operator": name, "noise": noise, **ratios, "disagree": apart}


def _least_variation(y: NDArray, operator: LinearOperator, weight: float) -> NDArray:
    """The x of least ½‖A x − y‖² + weight Σ √(‖∇x‖² + ε²), which is convex."""
    from scipy.optimize import minimize

    def loss_and_grad(flat: NDArray) -> tuple[float, NDArray]:
        x = flat.reshape(len(y), -1)
        apart = operator.forward(x) - y
        images = x.reshape(-1, *SHAPE)
        down, across = (np.diff(images, axis=axis, append=images.take([-1], axis)) for axis in (1, 2))
        length = np.sqrt(down**2 + across**2 + CORNER**2)
        value = 0.5 * np.square(apart).sum() + weight * length.sum()
        gradient = np.zeros_like(images)
        for axis, step in ((1, down), (2, across)):
            pull = weight * step / length
            gradient -= pull
            gradient += np.roll(pull, 1, axis)  # the last difference is 0, so that nothing comes round the edge
        return float(value), (operator.adjoint(apart) + gradient.reshape(x.shape)).ravel()

    start = operator.adjoint(y.astype(np.float64))
    return minimize(loss_and_grad, start.ravel(), jac=True, method="L-BFGS-B").x.reshape(len(y), -1)


def _wiener(y: NDArray, noise: float) -> NDArray:
    from scipy.signal import wiener

    return np.stack([wiener(image, 3, noise**2) for image in y.reshape(-1, *SHAPE).astype(np.float64)]).reshape(
        len(y), -1
    )


def _denoised(x: NDArray, y: NDArray, noise: float, epochs: int) -> NDArray:
    """By an autoencoder of the VAE's networks, trained to undo this noise."""
    networks = mlp(D, (HIDDEN,), LATENTS), mlp(LATENTS, (HIDDEN,), D)
    model = DenoisingAutoencoder(D, LATENTS, *networks, corruption=GaussianNoise(noise))
    adam = Adam(Cosine(1e-3, epochs * -(-len(x) // BATCH)))
    start = model.init(np.random.default_rng(0), mean=x.mean(axis=0))
    run = train(model, start, x, optimizer=adam, epochs=epochs, batch_size=BATCH)
    return model.denoise(run.theta, y)


def _psnr(x: NDArray, x_hat: NDArray) -> float:
    """10 log₁₀(1/mean squared error) of all images together, clipped to [0, 1]; decibels."""
    return float(-10 * np.log10(np.square(x - np.clip(x_hat, 0, 1)).mean(dtype=np.float64)))
