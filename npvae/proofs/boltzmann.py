"""Cases of the Boltzmann machine: its free energy, its normalisers, the loss of its chains, the centred gradient."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from npvae.models import RBM, BinaryUnits, GaussianUnits, VisibleUnits, centred
from npvae.parameters import Parameters
from npvae.proofs.case import Case, N

LEARNED = GaussianUnits(learn_variance=True, min_var=1.0)
"""The trained numbers are about 0, and so is this floor of log σ²: there its derivative is about a half."""


def cases() -> Iterator[Case]:
    """Cases of Boltzmann machines."""
    for units in (BinaryUnits(), GaussianUnits(), LEARNED):
        for n_features, n_hidden in ((N, N), (5, 3)):
            yield _free_energy(units, n_features, n_hidden)
        yield _log_normalizer(units)
    yield _loss(BinaryUnits(), n_chains=3)
    yield _loss(LEARNED, n_chains=3)
    yield _loss(BinaryUnits(), n_chains=0)
    yield _centred()


def _title(units: VisibleUnits) -> str:
    learned = " learned variance" if getattr(units, "learn_variance", False) else ""
    return f"{type(units).__name__}{learned}"


def _machine(
    rng: np.random.Generator, units: VisibleUnits, n_features: int, n_hidden: int, **settings: object
) -> tuple[RBM, Parameters, NDArray]:
    """A machine, parameters of about one, and as many rows as there are hidden units."""
    model = RBM(n_features, n_hidden, units, **settings)
    theta = Parameters(model.shapes, np.float64)
    theta.flat[:] = 0.7 * rng.standard_normal(theta.flat.size)
    v = rng.standard_normal((n_hidden, n_features))
    return model, theta, (v > 0).astype(np.float64) if units.binary else v


def _trained(model: RBM, theta: Parameters) -> dict[str, NDArray]:
    """The arrays by which the machine is differentiated."""
    fixed = not model.visible.binary and not model.visible.learn_variance
    return {name: theta[name].copy() for name in theta if not (fixed and name == "log_var")}


def _require_fixed(dtheta: Parameters, trained: dict[str, NDArray]) -> None:
    """A ValueError if what is not trained has a gradient."""
    for name in dtheta:
        if name not in trained and dtheta[name].any():
            raise ValueError(f"{name} is not trained, and has a gradient")


def _filled(theta: Parameters, arrays: dict[str, NDArray]) -> Parameters:
    """theta with other arrays in the place of those of the same names."""
    return Parameters.from_arrays({**theta, **arrays}, np.result_type(*arrays.values()))


def _free_energy(units: VisibleUnits, n_features: int, n_hidden: int) -> Case:
    def make(rng: np.random.Generator) -> tuple:
        model, theta, v = _machine(rng, units, n_features, n_hidden)
        trained = _trained(model, theta)

        def forward(**arrays: NDArray) -> tuple:
            at = _filled(theta, arrays)
            F, cache = model.free_energy(at, v.astype(arrays["W"].real.dtype))
            return F, (at, cache)

        def backward(cache: tuple, dF: NDArray) -> dict[str, NDArray]:
            dtheta = model.free_energy_backward(*cache, dF)
            _require_fixed(dtheta, trained)
            return {name: dtheta[name] for name in trained}

        return forward, backward, {}, trained

    return Case(f"models.RBM free energy {_title(units)} {n_features}-{n_hidden}", make, (RBM, type(units)))


def _log_normalizer(units: VisibleUnits) -> Case:
    def make(rng: np.random.Generator) -> tuple:
        model, theta, _ = _machine(rng, units, 5, 3)
        trained = _trained(model, theta)
        own = {name: trained[name] for name in units.shapes(5) if name in trained}

        def forward(field: NDArray, **arrays: NDArray) -> tuple:
            at = Parameters.from_arrays({**{n: theta[n] for n in units.shapes(5)}, **arrays}, field.dtype)
            return units.log_normalizer(at, field), (at, field)

        def backward(cache: tuple, dlog: NDArray) -> dict[str, NDArray]:
            at, field = cache
            dtheta = at.zeros_like()
            dfield = units.log_normalizer_backward(at, field, dlog, dtheta)
            _require_fixed(dtheta, own)
            return {"field": dfield, **{name: dtheta[name] for name in own}}

        return forward, backward, {}, {"field": rng.standard_normal((N, 5)), **own}

    return Case(f"models.{_title(units)} log normalizer", make, (type(units),))


def _loss(units: VisibleUnits, n_chains: int) -> Case:
    """The gradient without centring is that of the loss while the chains are held where they are."""

    def make(rng: np.random.Generator) -> tuple:
        model, theta, x = _machine(rng, units, 5, 3, k=2, n_chains=n_chains, centring=False, weight_decay=0.3)
        noise, state = model.draw_noise(rng, len(x), np.float64), model.begin_state(rng, np.float64)
        v = model.gibbs(theta, state["v"] if n_chains else x, noise)

        def value_and_grad(at: Parameters) -> tuple[np.number, Parameters]:
            _, dtheta, after = model.loss_and_grad(at, x, noise, state)
            gap = model.free_energy(at, x)[0].mean() - model.free_energy(at, v)[0].mean()
            if n_chains and at.dtype == np.float64 and not np.allclose(after["v"], v, atol=0.1):
                raise ValueError("the chains are not where gibbs brings them")
            return gap + 0.15 * (at["W"] * at["W"]).sum(), dtheta

        return value_and_grad, theta

    title = f"PCD-2 {_title(units)}" if n_chains else f"CD-2 {_title(units)}"
    return Case(f"models.RBM {title}", make, (RBM, type(units)))


def _centred() -> Case:
    """`centred` is J Jᵀ g where J makes the plain parameters of the centred ones: the chain rule gives Jᵀ g."""

    def make(rng: np.random.Generator) -> tuple:
        model, theta, v = _machine(rng, BinaryUnits(), 5, 3)
        offsets = rng.uniform(0, 1, 5), rng.uniform(0, 1, 3)

        def value_and_grad(at: Parameters) -> tuple[np.number, Parameters]:
            mu, lam, data = (part.astype(at["W"].real.dtype) for part in (*offsets, v))
            plain = _filled(at, {"a": at["a"] - at["W"] @ lam, "b": at["b"] - at["W"].T @ mu})
            F, cache = model.free_energy(plain, data)
            step = centred(model.free_energy_backward(plain, cache, np.ones_like(F)), mu, lam)
            gradient = {"a": step["a"] + step["W"] @ lam, "b": step["b"] + step["W"].T @ mu}
            return F.sum(), _filled(step, gradient)

        return value_and_grad, theta

    return Case("models.centred", make, (), (centred,))
