"""Everything the package exports that has a backward, with a check of its own: what ``npvae gradcheck --all`` runs.

The checker itself knows nothing of the package. This registry does, so it is no part of ``npvae.gradcheck``'s face and
imports the package's rooms only when it is asked.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.mutants import backward_methods
from npvae.gradcheck.report import Report
from npvae.gradcheck.settings import Settings
from npvae.gradcheck.target import check_made

N = 4
"""Rows, features and widths alike: with square matrices a forgotten transpose is a wrong number, not a wrong shape."""

NARROW = ((), (1,), (N,), (1, N), (1, 1), (3, 1), (1, 1, N), (1, 3, N))
WHOLE = ((2, 3, N), (1, 3, N))
"""Shapes that are broadcast, and those they are broadcast to."""


@dataclass(frozen=True)
class Case:
    """One part of the package, and ``make(rng)``: what a factory for ``npvae gradcheck`` would return for it.

    It proves the backwards of what it `covers`, exported classes and functions, and `backwards` that are functions of
    their own.
    """

    name: str
    make: Callable[[np.random.Generator], object]
    covers: tuple[object, ...]
    backwards: tuple[Callable, ...] = ()

    def made(self, seed: int = 0) -> object:
        """What is checked, its inputs drawn with `seed`."""
        return self.make(np.random.default_rng([seed, 3]))

    def run(self, seed: int = 0, **settings: object) -> Report:
        """Check it, in float32 as well; `settings` are those of `npvae.gradcheck.Settings`."""
        report = check_made(self.made(seed), Settings(seed=seed, **{"float32": True, **settings}), self.name)
        report.again = f"npvae gradcheck --all --seed {seed} --only {shlex.quote(self.name)}"
        return report


def all_cases() -> list[Case]:
    """The cases of every room, from the lowest floor up."""
    return [*_numerics(), *_layers(), *_distributions(), *_prior(), *_bounds(), *_models()]


def _numerics() -> Iterator[Case]:
    from npvae.numerics import absolute, log_mean_exp, log_product, logit, logsumexp, sigmoid, softplus

    def case(function: Callable, derivative: Callable, draw: Callable) -> Case:
        return Case(f"numerics.{function.__name__}", lambda rng: (function, derivative, (draw(rng),)), (function,))

    def normal(rng: np.random.Generator) -> NDArray:
        return 3 * rng.standard_normal((3, N))

    yield case(absolute, lambda dy, a: dy * a / absolute(a), normal)
    yield case(sigmoid, lambda dy, a: dy * sigmoid(a) * sigmoid(-a), normal)
    yield case(softplus, lambda dy, a: dy * sigmoid(a), normal)
    for function in (logsumexp, log_mean_exp):
        yield case(function, lambda dy, a: dy * np.exp(a - logsumexp(a, axis=0)), normal)
    yield case(log_product, lambda dy, f: dy[..., None] / f, lambda rng: rng.uniform(1, 2, (3, 2 * N + 3)))
    yield case(logit, lambda dy, p: dy / (p * (1 - p)), lambda rng: rng.uniform(0.05, 0.95, (3, N)))


def _layers() -> Iterator[Case]:
    from npvae.layers import ACTIVATIONS, Chain, Constants, Dense, Sigmoid, Tanh, mlp

    def case(name: str, layer: object, *covers: object, n_in: int = N) -> Case:
        return Case(f"layers.{name}", lambda rng: (layer, rng.standard_normal((N, n_in))), covers)

    for activation in ACTIVATIONS.values():
        yield case(activation.__name__, activation(), activation)
    for n_in, n_out in ((N, N), (5, 3), (3, 5)):
        yield case(f"Dense {n_in}→{n_out}", Dense(n_in, n_out), Dense, n_in=n_in)
    yield case("Chain", Chain(Tanh(), Dense(N, N), Chain(Dense(N, N), Sigmoid()), Dense(N, N)), Chain)
    yield case("Constants", Constants(N, 2), Constants)
    yield _without_dx(Dense(N, N))
    yield _without_dx(Constants(N, 2))
    yield _without_dx(Chain(Dense(N, N), Dense(N, N), Tanh()))
    for activation in ACTIVATIONS:
        yield case(f"mlp {activation}", mlp(N, [N, 3], 2, activation), mlp, Chain)


def _without_dx(layer: object) -> Case:
    """A layer that begins a network: with ``need_dx=False`` no dx, and the gradients of the parameters as ever."""
    from npvae.parameters import Parameters

    def make(rng: np.random.Generator) -> tuple:
        x = rng.standard_normal((N, N))

        def value_and_grad(theta: Parameters) -> tuple[np.number, Parameters]:
            y, cache = layer.forward(theta, x)
            grads = theta.empty_like()
            if layer.backward(theta, cache, y, grads, need_dx=False) is not None:
                raise ValueError("dx came back without being asked for")
            return 0.5 * (y * y).sum(), grads

        return value_and_grad, Parameters.from_arrays(layer.init(rng), np.float64)

    return Case(f"layers.{type(layer).__name__} without dx", make, (type(layer),))


def _distributions() -> Iterator[Case]:
    from npvae.distributions import (
        Bernoulli,
        ContinuousBernoulli,
        DiagonalGaussian,
        FixedGaussian,
        FullGaussian,
        LearnedGaussian,
    )
    from npvae.distributions.distribution import sum_to_shape
    from npvae.distributions.links import link_mean_backward

    def case(name: str, dist: object) -> Case:
        backwards = (link_mean_backward,) if hasattr(dist, "link") else ()
        return Case(f"distributions.{name}", lambda rng: dist, (type(dist),), backwards)

    yield case("Bernoulli", Bernoulli())
    yield case("ContinuousBernoulli", ContinuousBernoulli())
    yield case("DiagonalGaussian", DiagonalGaussian())
    yield case("FullGaussian", FullGaussian())
    yield case("FixedGaussian σ=1", FixedGaussian())
    yield case("FixedGaussian σ=0.7", FixedGaussian(0.7))
    yield case("FixedGaussian sigmoid", FixedGaussian(0.7, "sigmoid"))
    for shared in (False, True):
        for link in ("identity", "sigmoid"):
            name = f"LearnedGaussian {link}" + (" shared" if shared else "")
            yield case(name, LearnedGaussian(shared, link, min_log_var=-0.5))

    def broadcast(*tensors: NDArray) -> tuple:
        whole = tuple(np.broadcast_to(tensor, shape).copy() for shape in WHOLE for tensor in tensors)
        return whole, [tensor.shape for tensor in tensors]

    def sum_back(shapes: list, dy: tuple) -> list[NDArray]:
        n = len(shapes)
        return [sum_to_shape(dy[i], shapes[i]) + sum_to_shape(dy[n + i], shapes[i]) for i in range(n)]

    def make(rng: np.random.Generator) -> tuple:
        return broadcast, sum_back, tuple(np.asarray(rng.standard_normal(shape)) for shape in NARROW)

    yield Case("distributions.sum_to_shape", make, (), (sum_to_shape,))


def _prior() -> Iterator[Case]:
    from npvae.distributions import standard_normal

    def make(rng: np.random.Generator) -> tuple:
        return standard_normal.log_prob, standard_normal.log_prob_backward, (rng.standard_normal((3, N, 2)),)

    yield Case("distributions.standard_normal", make, (), (standard_normal.log_prob_backward,))


def _bounds() -> Iterator[Case]:
    from npvae import bounds
    from npvae.gradcheck.definitions import require_definition

    def case(bound: Callable, *shapes: tuple[int, ...], **options: float) -> Case:
        names = list(inspect.signature(bound).parameters)[: len(shapes)]

        def forward(*densities: NDArray) -> tuple:
            loss, upstream = bound(*densities, **options)
            require_definition(bound, densities, loss, upstream, **options)
            return (loss.value, loss.per_datum), upstream

        def backward(upstream: dict[str, NDArray], dy: tuple) -> list[NDArray]:
            dvalue, dloss = dy
            # The weights are those of the mean over n; of every single datum they are n times as large. einsum does not
            # broadcast: they must have the shape of what they weigh.
            return [np.einsum("...n,n->...n", upstream[name], dvalue + N * dloss) for name in names]

        def make(rng: np.random.Generator) -> tuple:
            return forward, backward, tuple(rng.standard_normal(shape) for shape in shapes)

        settings = "".join(f" {name}={value:g}" for name, value in options.items()).replace("beta", "β")
        return Case(f"bounds.{bound.__name__} L={shapes[0][0]}{settings}", make, (), (bound,))

    for n_samples, beta in ((1, 1.0), (3, 1.7)):
        sampled = (n_samples, N)
        yield case(bounds.elbo, sampled, (N,), beta=beta)
        for bound in (bounds.monte_carlo_elbo, bounds.sticking_the_landing, bounds.score_function):
            yield case(bound, sampled, sampled, sampled, beta=beta)
        for bound in (bounds.iwae, bounds.dreg):
            yield case(bound, sampled, sampled, sampled)

    def free_bits(log_px_z: NDArray, kl_terms: NDArray) -> tuple:
        options = {"bits": 0.7, "beta": 1.7}
        loss, upstream = bounds.free_bits(log_px_z, kl_terms, **options)
        require_definition(bounds.free_bits, (log_px_z, kl_terms), loss, upstream, **options)
        return loss.value, {name: upstream[name] for name in ("log_px_z", "kl_terms")}

    def free_bits_backward(upstream: dict[str, NDArray], dvalue: NDArray) -> dict[str, NDArray]:
        return {name: dvalue * weight for name, weight in upstream.items()}

    def densities(rng: np.random.Generator) -> tuple:
        # The means of two latents lie below the free bits and of one above, none near.
        return rng.standard_normal((3, N)), np.array([0.2, 0.5, 2.0]) * rng.uniform(0.8, 1.2, (N, 3))

    yield Case("bounds.free_bits", lambda rng: (free_bits, free_bits_backward, densities(rng)), (), (bounds.free_bits,))


def _models() -> Iterator[Case]:
    from npvae.bounds import BOUNDS
    from npvae.distributions import Bernoulli, DiagonalGaussian, FixedGaussian, FullGaussian, LearnedGaussian
    from npvae.layers import ACTIVATIONS
    from npvae.models import GaussianVAE, WakeSleep

    def batch(rng: np.random.Generator, likelihood: object, rows: int, features: int) -> NDArray:
        x = rng.standard_normal((rows, features))
        return (x > 0).astype(np.float64) if isinstance(likelihood, Bernoulli) else x

    def case(title: str, likelihood: object, n_samples: int, activation: str = "tanh", **settings: object) -> Case:
        # One sample: all sizes alike. Several: all different, for what is hidden by sizes that are alike.
        rows, features, latents = (N, N, N // 2) if n_samples == 1 else (5, 6, 2)
        model = GaussianVAE(features, latents, (N,), activation, likelihood, n_samples, **settings)
        name = f"models.GaussianVAE {type(likelihood).__name__} {title} L={n_samples}"
        return Case(name, lambda rng: (model, batch(rng, likelihood, rows, features)), (GaussianVAE,))

    for likelihood in (Bernoulli(), DiagonalGaussian(), FixedGaussian(0.7)):
        for activation in ACTIVATIONS:
            yield case(activation, likelihood, 1, activation)
            yield case(activation, likelihood, 3, activation, beta=1.7)
        yield case("iwae", likelihood, 3, bound="iwae")
    full = {"posterior": FullGaussian(), "weight_precision": 0.3}
    yield case("full covariance", Bernoulli(), 3, beta=1.7, **full)
    yield case("full covariance iwae", Bernoulli(), 3, bound="iwae", **full)
    yield case("monte-carlo", Bernoulli(), 3, beta=1.7, bound="monte-carlo")
    yield case("free bits", Bernoulli(), 3, beta=1.7, free_bits=0.02)
    yield case("shared variance", LearnedGaussian(shared=True), 3)

    def estimate(bound: str, n_samples: int, posterior: object) -> Case:
        beta = 1.7 if BOUNDS[bound].weighs_kl else 1.0
        model = GaussianVAE(6, 2, (N,), "tanh", n_samples=n_samples, beta=beta, bound=bound, posterior=posterior)

        def make(rng: np.random.Generator) -> tuple:
            from npvae.gradcheck.definitions import surrogate

            theta = model.init(rng, np.float64)
            theta.flat += 0.1 * rng.standard_normal(theta.flat.size)
            x, eps = batch(rng, Bernoulli(), 5, 6), model.draw_noise(rng, 5, np.float64)
            return surrogate(model, theta, x, eps), theta

        return Case(f"models.GaussianVAE {bound} {type(posterior).__name__} L={n_samples}", make, (GaussianVAE,))

    for bound in ("stl", "dreg", "score-function"):
        yield estimate(bound, 1, DiagonalGaussian())
        yield estimate(bound, 3, FullGaussian())

    def wake_sleep(phase: str, likelihood: object, posterior: object) -> Case:
        model = WakeSleep(GaussianVAE(6, 2, (N,), "tanh", likelihood, 3, posterior=posterior))

        def make(rng: np.random.Generator) -> tuple:
            from npvae.gradcheck.definitions import phase_of_wake_sleep

            theta, noise = model.init(rng, np.float64), model.draw_noise(rng, 5, np.float64)
            return phase_of_wake_sleep(model, phase, theta, batch(rng, likelihood, 5, 6), noise)

        return Case(f"models.WakeSleep {phase} {type(likelihood).__name__}", make, (WakeSleep,))

    for phase in ("wake", "sleep"):
        yield wake_sleep(phase, Bernoulli(), FullGaussian())
        yield wake_sleep(phase, DiagonalGaussian(), DiagonalGaussian())


def missing_cases(cases: list[Case] | None = None) -> list[str]:
    """Exported things with a backward that none of `cases` (by default `all_cases`) covers; best none.

    Looked at is whatever stands in the ``__all__`` of a room of the package, and in the tables exported there.
    """
    cases = all_cases() if cases is None else cases
    covered = [thing for case in cases for thing in (*case.covers, *case.backwards)]
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

    A class is if it has `backward_methods` (protocols only describe them). A function is if its docstring gives its
    derivative or the ``upstream`` weights it returns, or if it returns such an object.
    """
    if inspect.isclass(thing):
        return bool(backward_methods(thing)) and not getattr(thing, "_is_protocol", False)
    if not inspect.isfunction(thing):
        return False
    returned = inspect.signature(thing).return_annotation
    if isinstance(returned, str):
        returned = getattr(inspect.getmodule(thing), returned, None)
    documented = re.search(r"\bDerivative:|^\s*upstream :", thing.__doc__ or "", re.MULTILINE)
    return bool(documented) or (inspect.isclass(returned) and has_backward(returned))


def table(reports: list[Report]) -> str:
    """One row per report: part, tensors, worst error, resolution, time; what failed is explained below."""
    width = max(len(report.name) for report in reports)
    head = f"{'part':<{width}}  tensors  worst error  resolution    time"
    rule = "-" * len(head)
    rows = [
        f"{report.name:<{width}}  {len(report.entries):>7}  {report.worst_error:>11.1e}  "
        f"{report.resolution:>10.0e}  {report.seconds:>5.2f}s" + ("" if report.passed else f"  {report.status}")
        for report in reports
    ]
    tensors, seconds = sum(len(report.entries) for report in reports), sum(report.seconds for report in reports)
    bad = [f"\n{report}" for report in reports if not report.passed]
    verdict = f"{len(bad)} did not pass" if bad else "every gradient is right"
    total = f"{len(reports)} part{'s' if len(reports) > 1 else ''}, {tensors} tensors in {seconds:.1f} s: {verdict}"
    return "\n".join([head, rule, *rows, rule, total, *bad])
