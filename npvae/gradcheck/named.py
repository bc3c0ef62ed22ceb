"""Named arrays with sections: all that a layer or a loss wants to know of its parameters."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["Named", "as_dtype", "prefixed", "rebuild"]


class Named(dict):
    """A dict of arrays in which ``section("encoder")`` gives those whose names start with ``"encoder."``.

    Examples
    --------
    >>> Named({"0.W": 1, "0.b": 2, "1.W": 3}).section("0")
    {'W': 1, 'b': 2}
    """

    def section(self, prefix: str) -> Named:
        """The same arrays under the rest of their names."""
        start = prefix + "."
        return Named({name[len(start) :]: array for name, array in self.items() if name.startswith(start)})


def prefixed(prefix: str, arrays: Mapping) -> Named:
    """The inverse of a section."""
    return Named({f"{prefix}.{name}": array for name, array in arrays.items()})


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


def as_dtype(value: object, dtype: type) -> object:
    """Arrays of floating-point numbers in `value` (an array, tuple, list or dict of such) in the precision `dtype`."""
    if isinstance(value, np.ndarray):
        return value.astype(dtype) if value.dtype.kind == "f" else value
    if isinstance(value, dict):
        return {name: as_dtype(item, dtype) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        items = [as_dtype(item, dtype) for item in value]
        return type(value)(*items) if hasattr(value, "_fields") else type(value)(items)
    return value
