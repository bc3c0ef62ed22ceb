"""What is checked, in one shape: named tensors in, outputs out, a gradient back.

Layers, distributions, losses, models and plain pairs of functions all become a `Subject`; the rest of the checker
knows nothing else. Whatever goes wrong inside the code under test leaves here as a `Breakdown`, which becomes one
line of the report: the checker itself never shows a traceback.
"""

from __future__ import annotations

import inspect
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Tensors = dict[str, NDArray]


class Breakdown(Exception):
    """The code under test did something from which the checker cannot go on; `kind` is that of the finding."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


@dataclass
class Subject:
    """Code under test.

    ``forward(tensors) -> (outputs, cache)`` takes everything of floating-point type (parameters, inputs, noise) and
    gives whatever the user's forward returned as y; ``backward(cache, upstream) -> {name: gradient}`` takes one array
    per output.
    """

    name: str
    tensors: Tensors
    forward: Callable[[Tensors], tuple[object, object]]
    backward: Callable[[object, tuple], Mapping[str, object]]
    required: tuple[str, ...] = ()  # tensors whose gradient must come back: the parameters
    takes_upstream: bool = True  # False for a loss: the gradient is that of just its one number
    passes_layout: bool = True  # False if the tensors are packed into a vector before the user's code sees them
    whole: object = None  # the layer or model itself, which may be made of parts
    skip: tuple = ()  # outputs to leave out, by place
    accumulates: bool = False  # backward adds to what earlier ones left, on purpose
    chosen: str = ""  # what the checker chose itself, in words
    copies: bool = False  # hand out writable copies: the code has been seen to write to its arguments
    group: str = ""  # the whole of which this is a part, whose name then stands before those of its tensors
    sizes: Mapping[int, str] = field(default_factory=dict)  # possible factors, in words: {128: "the batch size"}

    def label(self, tensor: str) -> str:
        """What a tensor is called in a report."""
        return f"{self.name}.{tensor}" if self.group else tensor


class Named(dict):
    """A dict of arrays in which ``section("encoder")`` gives those whose names start with ``"encoder."``."""

    def section(self, prefix: str) -> Named:
        """The same arrays under the rest of their names."""
        start = prefix + "."
        return Named({name[len(start) :]: array for name, array in self.items() if name.startswith(start)})


def rebuild(theta: Mapping, tensors: Mapping) -> Mapping:
    """A mapping of the same kind as `theta` that holds `tensors`.

    A class with ``astype`` keeps its arrays in memory of its own: it is copied and filled. All others become a dict.
    """
    if not hasattr(theta, "astype"):
        return Named(tensors)
    filled = theta.astype(np.result_type(*tensors.values()))
    for name, tensor in tensors.items():
        filled[name][...] = tensor
    return filled


def parameters_of(function: object, default: Sequence = ()) -> Sequence[inspect.Parameter]:
    """The parameters of a function; `default` if it does not tell."""
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return default


def inputs_by_name(forward: Callable, inputs: object) -> dict[str, object]:
    """One array, a tuple by position, or a dict: by the names of the arguments of `forward`."""
    if isinstance(inputs, Mapping):
        return dict(inputs)
    values = inputs if isinstance(inputs, tuple) else (inputs,)
    names = [p.name for p in parameters_of(forward) if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    return {names[i] if i < len(names) else f"x{i}": value for i, value in enumerate(values)}


def unpacked(theta: object) -> tuple[Tensors, Callable[[Tensors], object]]:
    """The arrays of theta by name, and what makes other arrays into a theta; a single array is called so itself."""
    if isinstance(theta, Mapping):
        return {key: np.array(theta[key]) for key in theta}, lambda tensors: rebuild(theta, tensors)
    if not isinstance(theta, np.ndarray):
        raise TypeError(f"theta must be an array or a dict of arrays, got {type(theta).__name__}")
    return {"theta": np.array(theta)}, lambda tensors: tensors["theta"]


@contextmanager
def quiet() -> Iterator[None]:
    """Silence floating-point noise of the code under test, but let no imaginary part be dropped silently."""
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", np.exceptions.ComplexWarning)
        yield


def _call(who: str, function: Callable, *arguments: object) -> object:
    """Call the code under test; whatever it raises becomes a Breakdown."""
    with quiet():
        try:
            return function(*arguments)
        except Breakdown:
            raise
        except Exception as error:
            what = one_line(error)[:300]
            if who == "backward" and ("matmul" in what or "not aligned" in what):
                what += " (is a .T missing, or one too many?)"
            raise Breakdown("raises", f"{who} raised {what}{_place(error)}") from error


def one_line(error: Exception) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _place(error: Exception) -> str:
    """The line of the code under test at which it raised: the last that belongs neither to NumPy nor to this room."""
    own = str(Path(__file__).parent), str(Path(np.__file__).parent)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if not f.filename.startswith(own)]
    if not frames or not frames[-1].line:
        return ""
    return f", in line {frames[-1].lineno} of {Path(frames[-1].filename).name}: {frames[-1].line}"


def run(subject: Subject, tensors: Tensors) -> tuple[tuple[NDArray, ...], object]:
    """Forward pass: the outputs as a tuple of arrays, and the cache."""
    if subject.copies:
        tensors = {name: tensor.copy() for name, tensor in tensors.items()}
    outputs, cache = _call("forward", subject.forward, tensors)
    outputs = outputs if isinstance(outputs, tuple) else (outputs,)
    if not outputs:
        raise Breakdown("returns", "forward returned an empty tuple")
    if len(outputs) == 1 and not subject.skip:
        return (_as_array(outputs[0]),), cache
    return tuple(_kept(subject, place, output) for place, output in enumerate(outputs)), cache


def _kept(subject: Subject, place: int, output: object) -> NDArray:
    """One of several outputs; zeros of its shape if it is left out: as asked for, or because it is of whole numbers."""
    whole = isinstance(output, (np.ndarray, np.integer)) and np.asarray(output).dtype.kind in "iub"
    return np.zeros(np.shape(output)) if whole or place in subject.skip else _as_array(output)


def pull_back(subject: Subject, cache: object, upstream: tuple, tensors: Tensors) -> Tensors:
    """Backward pass: a copy of the gradient of every tensor that has one."""
    if subject.copies:
        upstream = tuple(np.array(u)[()] for u in upstream)
    gradients = _call("backward", subject.backward, cache, upstream)
    if gradients is None:
        raise Breakdown("returns", "backward returned nothing")
    if not isinstance(gradients, Mapping):
        raise Breakdown("returns", f"backward returned a {type(gradients).__name__}, expected a dict")
    for name in (name for name in gradients if name not in subject.tensors):
        near = [other for other in subject.tensors if other.lower() == str(name).lower()]
        near = near or get_close_matches(str(name), subject.tensors, 1, 0)
        known = ", ".join(subject.tensors) + (f" (did you mean {near[0]!r}?)" if near else "")
        raise Breakdown("keys", f"backward returned a gradient for {name!r}, which is not among {known}")
    for name in subject.required:
        if gradients.get(name) is None:
            raise Breakdown("keys", f"backward returned no gradient for the parameter {name!r}")
    return {name: _as_gradient(name, g, tensors[name]) for name, g in gradients.items() if g is not None}


def require_finite(y: NDArray) -> None:
    """Refuse an output that is complex or has elements that are not finite."""
    if y.dtype.kind == "c":
        raise Breakdown("returns", "forward returned complex numbers for real arguments")
    _refuse_nan(y, "forward returned", "y")


def _refuse_nan(array: NDArray, who: str, name: str) -> None:
    places = np.argwhere(~np.isfinite(array))
    if len(places):
        where = f", the first at {name}[{', '.join(map(str, places[0]))}]" if array.ndim else ""
        plural = "s" if len(places) > 1 else ""
        raise Breakdown("not finite", f"{who} {len(places)} element{plural} that are NaN or infinite{where}")


def pair(result: object, who: str, what: str) -> tuple:
    """`result`, which has to be a pair."""
    if not isinstance(result, tuple) or len(result) != 2:
        got = f"a tuple of {len(result)}" if isinstance(result, tuple) else f"a {type(result).__name__}"
        raise Breakdown("returns", f"{who} has to return a pair {what}, got {got}")
    return result


def given(result: object, who: str, what: str) -> object:
    """`result`, which must not be None."""
    if result is None:
        raise Breakdown("returns", f"{who} returned nothing (None), expected {what}")
    return result


def _as_array(output: object) -> NDArray:
    if output is None:
        raise Breakdown("returns", "forward returned nothing (None)")
    if not isinstance(output, (np.ndarray, np.number, float, complex, int)):
        raise Breakdown("returns", f"forward returned a {type(output).__name__}, expected an array")
    array = np.asarray(output)
    if array.dtype.kind not in "fc":
        raise Breakdown("returns", f"forward returned {array.dtype} numbers: a derivative needs floating-point ones")
    return array


def _as_gradient(name: str, gradient: object, tensor: NDArray) -> NDArray:
    who = f"the gradient of {name}"
    if not isinstance(gradient, (np.ndarray, np.number, float, int)):
        raise Breakdown("returns", f"{who} is a {type(gradient).__name__}, expected an array")
    gradient = np.array(gradient)
    if gradient.dtype.kind != "f":
        raise Breakdown("dtype", f"{who} is {gradient.dtype}, the tensor {tensor.dtype}")
    if gradient.shape != tensor.shape:
        from npvae.diagnosis.factors import shape_hint  # loaded only where something is wrong

        hint = shape_hint(gradient.shape, tensor.shape)
        raise Breakdown("shape", f"{who} has shape {gradient.shape}, {name} has {tensor.shape}{hint}")
    _refuse_nan(gradient, f"{who} has", name)
    return gradient
