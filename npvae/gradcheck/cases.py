"""Everything the package exports that has a backward, each with a check of its own: what ``npvae gradcheck --all`` runs.

The checker itself knows nothing of the package. This registry does, so it is no part of ``npvae.gradcheck``'s face and
imports the package's rooms only when it is asked.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.check import check_distribution, check_function, check_layer, check_loss, check_model
from npvae.gradcheck.report import PASS, Report

__all__ = ["Case", "all_cases", "missing_cases", "table"]

N = 4
"""Rows, features and widths alike: with square matrices a forgotten transpose is a wrong number, not a wrong shape."""


@dataclass(frozen=True)
class Case:
    """One part of the package and how it is checked.

    Attributes
    ----------
    name : str
    covers : tuple
        The exported classes and functions whose backward this case proves.
    check : callable
        ``check(rng, name=..., seed=..., ...) -> Report``; `rng` draws the inputs.
    """

    name: str
    covers: tuple[object, ...]
    check: Callable[..., Report]

    def run(self, seed: int = 0, **settings: object) -> Report:
        """Check it; `settings` are those of `npvae.gradcheck.Settings`."""
        return self.check(np.random.default_rng([seed, 3]), name=self.name, seed=seed, **settings)


def all_cases() -> list[Case]:
    """The cases of every room, from the lowest floor up."""
    return [*_numerics(), *_layers(), *_distributions(), *_bounds(), *_models()]


def _numerics() -> Iterator[Case]:
    from npvae import numerics

    def softmax(a: NDArray) -> NDArray:
        return np.exp(a - numerics.logsumexp(a, axis=0))

    derivatives = {
        numerics.sigmoid: lambda dy, a: dy * numerics.sigmoid(a) * numerics.sigmoid(-a),
        numerics.softplus: lambda dy, a: dy * numerics.sigmoid(a),
        numerics.logit: lambda dy, a: dy / (a * (1 - a)),
        numerics.logsumexp: lambda dy, a: dy * softmax(a),
        numerics.log_mean_exp: lambda dy, a: dy * softmax(a),
    }
    for function, backward in derivatives.items():

        def check(rng, function=function, backward=backward, **settings):
            inside = function is numerics.logit
            a = rng.uniform(0.05, 0.95, (3, N)) if inside else 3 * rng.standard_normal((3, N))
            return check_function(function, backward, (a,), **settings)

        yield Case(f"numerics.{function.__name__}", (function,), check)


def _layers() -> Iterator[Case]:
    from npvae import layers
    from npvae.layers import ACTIVATIONS, Chain, Dense, Sigmoid, Tanh, mlp

    def case(name: str, layer: object, *covers: object, n_in: int = N) -> Case:
        def check(rng, **settings):
            return check_layer(layer, rng.standard_normal((N, n_in)), **settings)

        return Case(f"layers.{name}", covers, check)

    for activation in ACTIVATIONS.values():
        yield case(activation.__name__, activation(), activation)
    for n_in, n_out in ((N, N), (5, 3), (3, 5)):
        yield case(f"Dense {n_in}→{n_out}", Dense(n_in, n_out), Dense, n_in=n_in)
    yield case("Chain", Chain(Tanh(), Dense(N, N), Chain(Dense(N, N), Sigmoid()), Dense(N, N)), Chain)
    for activation in ACTIVATIONS:
        yield case(f"mlp {activation}", mlp(N, [N, 3], 2, activation), mlp, layers.Chain)


def _distributions() -> Iterator[Case]:
    from npvae.distributions import Bernoulli, DiagonalGaussian, FixedGaussian
    from npvae.distributions.distribution import sum_to_shape

    for label, dist in (
        ("Bernoulli", Bernoulli()),
        ("DiagonalGaussian", DiagonalGaussian()),
        ("FixedGaussian σ=1", FixedGaussian()),
        ("FixedGaussian σ=0.7", FixedGaussian(0.7)),
    ):

        def check(rng, dist=dist, **settings):
            return check_distribution(dist, **settings)

        yield Case(f"distributions.{label}", (type(dist),), check)

    def broadcast(rng, name, **settings):
        reports = []
        for shape in ((), (1,), (N,), (3, 1), (1, N), (1, 1), (2, 1, N), (2, 3, N)):
            x = np.asarray(rng.standard_normal(shape))
            pair = (lambda x: np.broadcast_to(x, (2, 3, N)).copy(), lambda dy, x: sum_to_shape(dy, x.shape))
            reports.append(check_function(*pair, {"x": x}, name=str(shape), **settings))
        return Report.merge(name, reports)

    yield Case("distributions.sum_to_shape", (sum_to_shape,), broadcast)


def _bounds() -> Iterator[Case]:
    from npvae.bounds import elbo

    for n_samples, beta in ((1, 1.0), (3, 1.7)):

        def check(rng, n_samples=n_samples, beta=beta, **settings):
            def value_and_upstream(densities):
                loss, upstream = elbo(densities["log_px_z"], densities["kl"], beta)
                return loss.value, upstream

            densities = {"log_px_z": rng.standard_normal((n_samples, N)), "kl": rng.exponential(size=N)}
            return check_loss(value_and_upstream, densities, **settings)

        yield Case(f"bounds.elbo L={n_samples} β={beta:g}", (elbo,), check)


def _models() -> Iterator[Case]:
    from npvae.distributions import Bernoulli, DiagonalGaussian, FixedGaussian
    from npvae.layers import ACTIVATIONS
    from npvae.models import GaussianVAE

    for likelihood in (Bernoulli(), DiagonalGaussian(), FixedGaussian(0.7)):
        for activation in ACTIVATIONS:
            for n_samples, beta in ((1, 1.0), (3, 1.7)):
                model = GaussianVAE(
                    n_features=N,
                    latent_dim=N // 2,
                    hidden=(N,),
                    activation=activation,
                    likelihood=likelihood,
                    n_samples=n_samples,
                    beta=beta,
                )

                def check(rng, model=model, **settings):
                    x = rng.standard_normal((N, N))
                    binary = isinstance(model.likelihood, Bernoulli)
                    return check_model(model, (x > 0).astype(np.float64) if binary else x, **settings)

                name = f"models.GaussianVAE {type(likelihood).__name__} {activation} L={n_samples}"
                yield Case(name, (GaussianVAE,), check)


def missing_cases(cases: list[Case] | None = None) -> list[str]:
    """Exported things with a backward that no case covers: empty if the registry is complete.

    Looked at is whatever stands in the ``__all__`` of a room of the package, and in the tables exported there.

    Parameters
    ----------
    cases : list of Case, optional
        By default `all_cases`.
    """
    covered = [thing for case in (all_cases() if cases is None else cases) for thing in case.covers]
    return [name for name, thing in _exported() if has_backward(thing) and not any(thing is c for c in covered)]


def _exported() -> Iterator[tuple[str, object]]:
    import npvae

    for room in pkgutil.iter_modules(npvae.__path__):
        if room.name == "__main__":  # to import it is to run it
            continue
        module = importlib.import_module(f"npvae.{room.name}")
        for name in getattr(module, "__all__", ()):
            thing = getattr(module, name)
            for key, entry in thing.items() if isinstance(thing, Mapping) else [("", thing)]:
                yield f"{module.__name__}.{name}" + (f"[{key!r}]" if key else ""), entry


def has_backward(thing: object) -> bool:
    """Whether `thing` is differentiated by hand, seen from outside.

    A class is if it has a method ``backward``, ``…_backward…`` or ``loss_and_grad`` (protocols only describe one). A
    function is if its docstring gives its derivative or the ``upstream`` weights it returns, or if it returns such a class.
    """
    if inspect.isclass(thing):
        methods = any("_backward" in m or m in ("backward", "loss_and_grad") for m in dir(thing))
        return methods and not getattr(thing, "_is_protocol", False)
    if not inspect.isfunction(thing):
        return False
    documented = re.search(r"\bDerivative:|^\s*upstream :", thing.__doc__ or "", re.MULTILINE)
    returned = inspect.signature(thing).return_annotation
    if isinstance(returned, str):
        returned = getattr(inspect.getmodule(thing), returned, None)
    return bool(documented) or (inspect.isclass(returned) and has_backward(returned))


def table(reports: list[Report]) -> str:
    """One row per report: part, tensors, worst error, resolution, time; what failed is explained below."""
    width = max(len(report.name) for report in reports)
    head = f"{'part':<{width}}  tensors  worst error  resolution    time"
    lines = [head, "-" * len(head)]
    for report in reports:
        lines.append(
            f"{report.name:<{width}}  {len(report.entries):>7}  {report.worst_error:>11.1e}  "
            f"{report.resolution:>10.0e}  {report.seconds:>5.2f}s" + ("" if report.passed else f"  {report.status}")
        )
    tensors, seconds = sum(len(report.entries) for report in reports), sum(report.seconds for report in reports)
    bad = [report for report in reports if report.status != PASS]
    lines += [
        "-" * len(head),
        f"{len(reports)} parts, {tensors} tensors in {seconds:.1f} s: "
        + (f"{len(bad)} did not pass" if bad else "every gradient is right"),
        *(f"\n{report}" for report in bad),
    ]
    return "\n".join(lines)
