"""The public functions: one for each kind of code under test."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

import numpy as np
from numpy.typing import NDArray

from npvae.gradcheck.convention import function_subject, loss_subject
from npvae.gradcheck.engine import check
from npvae.gradcheck.objects import distribution_subjects, layer_subject, model_subject
from npvae.gradcheck.report import Report
from npvae.gradcheck.settings import Settings


def check_function(
    forward: Callable,
    backward: Callable | None,
    inputs: object,
    params: Mapping[str, NDArray] | None = None,
    *,
    constants: Mapping[str, object] | None = None,
    skip: Collection = (),
    name: str | None = None,
    **settings: object,
) -> Report:
    """Check a backward written by hand against the forward it belongs to.

    For y = f(t) and a random upstream gradient u = dy, the analytic slope ⟨backward(u), v⟩ along a random direction
    v has to be the numeric one, d/ds Σ u∘f(t + s v) at s = 0.

    Parameters
    ----------
    forward : callable
        ``forward(inputs, **params) -> y`` or ``(y, cache)``; y is an array, a number or a tuple of arrays.
    backward : callable or None
        ``backward(cache, dy)``, or ``backward(dy)`` where forward returns no cache. It returns the gradients as a
        dict by argument name, or as a tuple in the order of the arguments. None where forward returns ``(y,
        closure)``.
    inputs : array, tuple or dict
        Arguments of forward: one, several by position, or several by name. Only arrays of floating-point numbers are
        differentiated, and of those the ones that backward returns a gradient for.
    params : dict of str to array, optional
        Further arguments, by name. Their gradients must all come back.
    constants : dict, optional
        Arguments of forward that are no tensors, by name: ``{"stride": 2}``.
    skip : collection of int, optional
        Outputs to leave out, by place. Outputs of whole numbers beside others are left out anyway.
    name : str, optional
        A name for the report; by default that of forward.
    **settings
        Those of `npvae.gradcheck.Settings`: seed, probes, full, only, method, step, float32, explain.

    Returns
    -------
    Report
        Whatever the functions under test do is in it; they never make this function raise.

    Raises
    ------
    TypeError, ValueError
        If the arguments of this function make no sense.

    Notes
    -----
    The tensors are copied to float64. The calling convention in full is in `npvae.gradcheck.convention`, what is
    tested before derivatives are compared in `npvae.gradcheck.preflight`.

    Examples
    --------
    >>> import numpy as np
    >>> def forward(x, W, b):
    ...     y = np.tanh(x @ W + b)
    ...     return y, (x, W, y)
    >>> def backward(cache, dy):
    ...     x, W, y = cache
    ...     da = dy * (1 - y**2)
    ...     return {"x": da @ W.T, "W": x.T @ da, "b": da.sum(axis=0)}
    >>> rng = np.random.default_rng(0)
    >>> x, W, b = rng.normal(size=(4, 3)), rng.normal(size=(3, 2)), rng.normal(size=2)
    >>> check_function(forward, backward, {"x": x}, {"W": W, "b": b}).status
    'PASS'
    """
    subject = function_subject(forward, backward, inputs, params, name, constants, skip)
    return check(subject, Settings(**settings))


def check_layer(
    layer: object,
    x: object = None,
    params: Mapping[str, NDArray] | None = None,
    *,
    accumulate: bool = False,
    name: str | None = None,
    **settings: object,
) -> Report:
    """Check a layer: the gradients of its parameters and of its input.

    Parameters
    ----------
    layer : object
        With ``shapes``, ``init(rng)``, ``forward(params, x) -> (y, cache)`` and ``backward(params, cache, dy,
        grads) -> dx``; or any object that keeps its arrays itself, with ``forward(x) -> y`` and ``backward(dy) -> dx``:
        in dicts ``params`` and ``grads``, or in attributes ``W`` and ``dW`` (or ``grad_W``), or in ``layers`` of that
        kind. Every forward starts from a copy of the object as it is now: a running mean or a generator inside does
        no harm.
    x : array, tuple or dict of arrays, optional
        What forward takes. Standard normal numbers by default: of the shape ``input_shape`` with a batch axis in front
        if the layer states one, else (7, n_in) as far as its arrays tell; the report says so.
    params : dict of str to array, optional
        Initial values, slightly moved, by default.
    accumulate : bool
        Whether backward adds to the gradients on purpose: then what it adds is checked.
    name : str, optional
        By default the name of the class.
    **settings
        Those of `npvae.gradcheck.Settings`.

    Returns
    -------
    Report
        For a chain (a layer with ``layers``) a failure names the layer to blame.

    Raises
    ------
    TypeError, ValueError
        If `layer` is no layer, or the arrays do not fit it.
    """
    chosen, rng = _chosen(settings)
    return check(layer_subject(layer, x, params, rng, name, accumulate), chosen)


def check_distribution(dist: object, d: int = 3, *, name: str | None = None, **settings: object) -> Report:
    """Check a distribution: every method that has a backward (sample, log_prob, entropy, kl, ...).

    Parameters
    ----------
    dist : object
        With ``n_params(d)`` and pairs of methods like ``kl(a) -> (value, cache)``, ``kl_backward(cache, dvalue) ->
        da``. ``log_prob_backward_x`` is checked where it exists.
    d : int
        Dimensions of x.
    name : str, optional
        By default the name of the class.
    **settings
        Those of `npvae.gradcheck.Settings`.

    Returns
    -------
    Report
        One entry for each argument of each method; those that take several arrays also with an extra axis of draws.

    Raises
    ------
    TypeError
        If `dist` has no such methods.
    """
    chosen, rng = _chosen(settings)
    reports = [check(subject, chosen) for subject in distribution_subjects(dist, d, rng)]
    return Report.merge(name or type(dist).__name__, reports)


def check_loss(
    value_and_grad: Callable,
    theta: object,
    *,
    value: Callable | None = None,
    name: str | None = None,
    **settings: object,
) -> Report:
    """Check a function ``theta -> (value, gradient)``, the kind that optimisers take.

    Parameters
    ----------
    value_and_grad : callable
        Must be a pure function: freeze its noise and its batch.
    theta : array or dict of str to array
        Where to check. The gradient has the same structure.
    value : callable, optional
        ``theta -> value`` alone, if that is cheaper or the gradient does not run on complex numbers.
    name : str, optional
        By default the name of the function.
    **settings
        Those of `npvae.gradcheck.Settings`.

    Returns
    -------
    Report

    Raises
    ------
    TypeError
        If `value_and_grad` cannot be called or `theta` is neither an array nor a dict.

    Examples
    --------
    >>> import numpy as np
    >>> check_loss(lambda w: ((w * w).sum(), 2 * w), np.array([1.0, -2.0])).status
    'PASS'
    """
    return check(loss_subject(value_and_grad, theta, value, name), Settings(**settings))


def check_model(
    model: object,
    x: NDArray,
    theta: Mapping[str, NDArray] | None = None,
    noise: object = None,
    *,
    name: str | None = None,
    **settings: object,
) -> Report:
    """Check a whole model: the returned loss against the returned gradient, for every parameter array.

    The noise is drawn once and frozen.

    Parameters
    ----------
    model : object
        With ``init(rng)``, ``draw_noise(rng, n)``, ``loss(theta, x, noise)`` and ``loss_and_grad(theta, x,
        noise)``; a loss is a number or has ``value``.
    x : (n, n_features) array
        A small batch.
    theta : Parameters, optional
        By default initial values, slightly moved.
    noise : optional
        By default ``model.draw_noise(rng, n)``.
    name : str, optional
        By default the name of the class.
    **settings
        Those of `npvae.gradcheck.Settings`.

    Returns
    -------
    Report
        A failure names the part (a network, a distribution) that is wrong by itself, if one is.

    Raises
    ------
    TypeError
        If `model` is no model.
    """
    chosen, rng = _chosen(settings)
    return check(model_subject(model, x, theta, noise, rng, name), chosen)


def _chosen(settings: dict) -> tuple[Settings, np.random.Generator]:
    chosen = Settings(**settings)
    return chosen, np.random.default_rng([chosen.seed, 2])
