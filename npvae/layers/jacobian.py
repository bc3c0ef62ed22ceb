"""The Jacobian of a chain of affine layers and activations: its rows, its squared norm, and the gradient of that.

For y = f(x) of d numbers, row j of J = ∂y/∂x is what `backward` makes of the j-th unit vector. So all d rows are
carried backward at once, G ← G f′(a) through an activation and G ← G Wᵀ through a matrix W, at the cost of d backward
passes; to carry tangents forward would cost as many passes as x has numbers. Each of these steps is differentiable
itself: by W, by G, and by a through the activation's `slope_backward`.

G has the shape (n, d, h), or (1, d, h) before it has met an activation and is the same for all rows of x. Before it has
met a matrix it is diagonal, and only its diagonal (n, d) is kept.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from npvae.layers.chain import NO_PARAMETERS, Chain, section_of
from npvae.layers.dense import Dense
from npvae.parameters import Parameters
from npvae.validation import ArgumentError

__all__ = ["Step", "backward_with", "jacobian", "require_jacobian", "squared_norm", "squared_norm_backward"]


class Step(NamedTuple):
    """What one step of G did, for its backward."""

    layer: int
    kind: str
    """slope: G f′; spread: from the diagonal to G Wᵀ; embed: to the whole matrix; adjoint: G Wᵀ by the layer."""
    before: NDArray
    cache: Any


def require_jacobian(chain: Chain) -> None:
    """An `ArgumentError` unless every layer is affine with an `adjoint`, or an activation with a `slope_backward`."""
    for layer in chain.layers:
        if not hasattr(layer, "adjoint") and not hasattr(layer, "slope_backward"):
            rule = "have affine layers and activations only, so that its Jacobian is known"
            raise ArgumentError("encoder", rule, repr(layer))


def jacobian(chain: Chain, params: Parameters, x: NDArray) -> NDArray:
    """∂y_j/∂x_k for every row of x (n, n_in), as an (n, d, n_in) array: d backward passes.

    Raises
    ------
    ValueError
        As `require_jacobian`.
    """
    require_jacobian(chain)
    y, caches = chain.forward(params, x)
    G, _ = _carry(chain, params, caches, y, last=0)
    if G.ndim == 2:
        G = G[:, :, None] * np.eye(y.shape[1], dtype=y.dtype)
    return np.array(np.broadcast_to(G, (len(x), *G.shape[1:])))


def squared_norm(chain: Chain, params: Parameters, caches: list, y: NDArray) -> tuple[NDArray, tuple]:
    """‖∂y/∂x‖²_F = Σ_jk (∂y_j/∂x_k)² of every row.

    Where the first layer is dense the last product is spared: ‖G Wᵀ‖² = Σ (G WᵀW) ∘ G. For one dense layer with an
    activation this is Σ_j f′(a_j)² Σ_k W_kj². Deeper, a row costs d Σ_l h_{l−1} h_l multiplications for widths h_l,
    with h_1² in the place of h_0 h_1; the gradient costs about twice as much again.

    Parameters
    ----------
    chain : Chain
        Affine layers with an `adjoint`, and activations with a `slope_backward`.
    params : Parameters
    caches : list
        What ``chain.forward(params, x)`` returned as its cache.
    y : (n, d) array
        What it returned.

    Returns
    -------
    squared_norm : (n,) array
    cache
        The steps of G, what it was before the first layer's W, and G WᵀW or (where G is diagonal) the diagonal of WᵀW.

    References
    ----------
    Rifai et al., Contractive auto-encoders: explicit invariance during feature extraction (2011), eq. (6) and (7).
    """
    is_dense = isinstance(chain.layers[0], Dense)
    G, steps = _carry(chain, params, caches, y, last=1 if is_dense else 0)
    W = params["0.W"] if is_dense else None
    if G.ndim == 2:
        product = (W * W).sum(axis=0) if is_dense else np.ones(y.shape[1], y.dtype)
        norms = (G * G) @ product
    else:
        product = G @ (W.T @ W) if is_dense else G
        norms = (product * G).sum(axis=(1, 2))
    return np.broadcast_to(norms, len(y)).copy(), (steps, G, product)


def squared_norm_backward(
    chain: Chain, params: Parameters, cache: tuple, dnorm: NDArray, grads: Parameters
) -> dict[int, NDArray]:
    """Add ∂loss/∂W to `grads` as far as the norm depends on W in its products, from ∂loss/∂norm (n,).

    Returns
    -------
    dict of int to (n, h) array
        ∂loss/∂a by the number of each activation, with a its input: what `backward_with` is to add on its way.
    """
    steps, G, product = cache
    is_dense = isinstance(chain.layers[0], Dense)
    dnorm = dnorm if len(G) == len(dnorm) else dnorm.sum(keepdims=True)
    if G.ndim == 2:
        dG = 2 * dnorm[:, None] * G * product
        if is_dense:
            grads["0.W"][...] += 2 * params["0.W"] * (dnorm @ (G * G))
    else:
        weighted = dnorm[:, None, None] * G
        dG = 2 * dnorm[:, None, None] * product
        if is_dense:
            width = G.shape[-1]
            dM = weighted.reshape(-1, width).T @ G.reshape(-1, width)
            grads["0.W"][...] += 2 * params["0.W"] @ dM
    return _carry_backward(chain, params, steps, dG, grads)


def _carry(chain: Chain, params: Parameters, caches: list, y: NDArray, last: int) -> tuple[NDArray, list[Step]]:
    """G from the output to the input of layer `last`, and its steps."""
    n, d = y.shape
    G, steps = np.ones((1, d), y.dtype), []
    for i in reversed(range(last, len(chain.layers))):
        layer, weights = chain.layers[i], section_of(params, i, chain.layers[i])
        if not hasattr(layer, "adjoint"):
            slope = layer.backward(NO_PARAMETERS, caches[i], np.ones((n, G.shape[-1]), y.dtype), NO_PARAMETERS)
            steps.append(Step(i, "slope", G, (slope, caches[i])))
            G = G * (slope if G.ndim == 2 else slope[:, None])
        elif G.ndim == 2 and isinstance(layer, Dense):
            steps.append(Step(i, "spread", G, None))
            G = G[:, :, None] * weights["W"].T
        else:
            if G.ndim == 2:
                steps.append(Step(i, "embed", G, None))
                G = G[:, :, None] * np.eye(d, dtype=y.dtype)
            rows, cache = layer.adjoint().forward(weights, G.reshape(-1, G.shape[-1]))
            steps.append(Step(i, "adjoint", G, cache))
            G = rows.reshape(*G.shape[:2], -1)
    return G, steps


def _carry_backward(
    chain: Chain, params: Parameters, steps: list[Step], dG: NDArray, grads: Parameters
) -> dict[int, NDArray]:
    """The backward of `_carry`: from the gradient of the last G to those of every W and of every activation's input."""
    dinputs = {}
    for i, kind, G, cache in reversed(steps):
        layer, weights = chain.layers[i], section_of(params, i, chain.layers[i])
        if kind == "slope":
            slope, activation = cache
            dslope = dG * G
            dinputs[i] = layer.slope_backward(activation, dslope if G.ndim == 2 else dslope.sum(axis=1))
            dG = dG * (slope if G.ndim == 2 else slope[:, None])
            dG = dG if len(G) == len(dG) else dG.sum(axis=0, keepdims=True)
        elif kind == "spread":
            grads[f"{i}.W"][...] += (dG * G[:, :, None]).sum(axis=0).T
            dG = (dG * weights["W"].T).sum(axis=2)
        elif kind == "embed":
            dG = np.diagonal(dG, axis1=1, axis2=2)
        else:
            own = Parameters({"W": weights["W"].shape}, dG.dtype)
            rows = layer.adjoint().backward(weights, cache, dG.reshape(len(dG) * dG.shape[1], -1), own)
            grads[f"{i}.W"][...] += own["W"]
            dG = rows.reshape(G.shape)
    return dinputs


def backward_with(
    chain: Chain, params: Parameters, caches: list, dy: NDArray, dinputs: dict[int, NDArray], grads: Parameters
) -> None:
    """``chain.backward`` with ∂loss/∂(input) of some layers added on the way, by their numbers; dx is left out."""
    for i, layer in reversed(list(enumerate(chain.layers))):
        weights, dweights = section_of(params, i, layer), section_of(grads, i, layer)
        dy = layer.backward(weights, caches[i], dy, dweights, i > 0)
        if i in dinputs and i > 0:
            dy = dy + dinputs[i]
