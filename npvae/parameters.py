"""All parameters of a model in one flat vector, with a named view into it for every array.

An optimiser, a checkpoint, a gradient check and a norm each handle one array; a reader of the maths handles
``theta["decoder.0.W"]``. Both see the same memory. Gradients and optimiser moments are `Parameters` of the same layout.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import accumulate, pairwise
from math import prod

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from npvae.numerics import aligned_empty, aligned_zeros
from npvae.validation import ArgumentError

__all__ = ["Parameters", "Shapes"]

Shapes = Mapping[str, tuple[int, ...]]


class Parameters(Mapping[str, np.ndarray]):
    """Named views into one contiguous vector.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        Name and shape of every array, in the order in which they lie in memory. Dots in a name are levels:
        ``"encoder.0.W"`` belongs to the section ``"encoder"`` and to its section ``"0"``.
    dtype : dtype, default float32
        Type of new memory; where `flat` is given its own counts. Training runs in float32, gradient checks in
        float64, the complex step in complex128.
    flat : 1-D array, optional
        The memory to view. Without it, zeros on a 64-byte boundary.

    Attributes
    ----------
    flat : 1-D array
        Every parameter, once.

    Raises
    ------
    ValueError
        If `flat` is not a contiguous vector of as many elements as the shapes add up to.

    Notes
    -----
    A matrix with more columns than rows is the transposed view of a row-major block: the products of an expanding
    layer, ``x @ W`` and ``dy @ W.T``, run up to 1.6 times as fast that way in OpenBLAS. Code that uses the views never
    sees a difference.

    Examples
    --------
    >>> theta = Parameters({"W": (2, 3), "b": (3,)})
    >>> theta["b"][:] = 1
    >>> float(theta.flat.sum())
    3.0
    """

    def __init__(self, shapes: Shapes, dtype: DTypeLike = np.float32, flat: NDArray | None = None) -> None:
        layout = _Layout(shapes)
        if flat is None:
            flat = aligned_zeros(layout.size, dtype)
        elif flat.shape != (layout.size,) or not flat.flags.c_contiguous:
            raise ArgumentError("flat", f"be a contiguous vector of {layout.size} elements", f"shape {flat.shape}")
        self._set(layout, flat)

    def _set(self, layout: _Layout, flat: NDArray) -> Parameters:
        self._layout, self.flat = layout, flat
        self._views: dict[str, NDArray] = {}
        self._sections: dict[str, Parameters] = {}
        return self

    def _with(self, flat: NDArray) -> Parameters:
        """The same layout over other memory."""
        return Parameters.__new__(Parameters)._set(self._layout, flat)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Name and shape of every array, in their order."""
        return self._layout.shapes

    @classmethod
    def from_flat(cls, shapes: Shapes, flat: NDArray) -> Parameters:
        """Copy a flat vector into a new, aligned one of the same dtype."""
        theta = cls(shapes, flat.dtype)
        theta.flat[:] = flat
        return theta

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, ArrayLike], dtype: DTypeLike = np.float32) -> Parameters:
        """Copy named arrays into a new flat vector, in their order."""
        theta = cls({name: np.shape(array) for name, array in arrays.items()}, dtype)
        for name, array in arrays.items():
            theta[name][...] = array
        return theta

    def __getitem__(self, name: str) -> NDArray:
        if name not in self._views:
            self._views[name] = self._layout.view(self.flat, name)
        return self._views[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.shapes)

    def __len__(self) -> int:
        return len(self.shapes)

    def __repr__(self) -> str:
        arrays = ", ".join(f"{name} {shape}" for name, shape in self.shapes.items())
        return f"Parameters({self.flat.size:,} × {self.flat.dtype}: {arrays})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Parameters):
            return NotImplemented
        same_layout = list(self.shapes.items()) == list(other.shapes.items())
        return same_layout and self.dtype == other.dtype and np.array_equal(self.flat, other.flat)

    __hash__ = None  # it can change

    def __reduce__(self) -> tuple:
        # The views must point into the vector again, and the vector lie on its boundary, after copying or unpickling.
        return type(self).from_flat, (self.shapes, self.flat)

    @property
    def dtype(self) -> np.dtype:
        """Data type of the vector and all its views."""
        return self.flat.dtype

    def section(self, prefix: str) -> Parameters:
        """The arrays whose names start with ``prefix + "."``, under the rest of their names, in the same memory.

        Raises
        ------
        KeyError
            If no name starts so.
        """
        if prefix not in self._sections:
            place, layout = self._layout.section(prefix)
            self._sections[prefix] = Parameters.__new__(Parameters)._set(layout, self.flat[place])
        return self._sections[prefix]

    def copy(self) -> Parameters:
        """A copy in memory of its own."""
        return self.astype(self.dtype)

    def astype(self, dtype: DTypeLike) -> Parameters:
        """A copy in another precision."""
        flat = aligned_empty(self.flat.size, dtype)
        flat[:] = self.flat
        return self._with(flat)

    def zeros_like(self) -> Parameters:
        """Zeros in the same layout: gradients, moments."""
        return self._with(aligned_zeros(self.flat.size, self.dtype))

    def empty_like(self) -> Parameters:
        """Uninitialised memory in the same layout, for a backward pass that writes every element."""
        return self._with(aligned_empty(self.flat.size, self.dtype))


class _Layout:
    """Where each array lies in the flat vector: worked out once, shared by all `Parameters` that are alike.

    A training step makes a new gradient vector; this is why that costs two microseconds and not sixty.
    """

    def __init__(self, shapes: Shapes) -> None:
        self.shapes = {name: tuple(int(n) for n in shape) for name, shape in shapes.items()}
        bounds = list(accumulate((prod(shape) for shape in self.shapes.values()), initial=0))
        self.places = {name: slice(*ends) for name, ends in zip(self.shapes, pairwise(bounds), strict=True)}
        self.size = bounds[-1]
        self._sections: dict[str, tuple[slice, _Layout]] = {}

    def view(self, flat: NDArray, name: str) -> NDArray:
        """The named array in `flat`; with more columns than rows, as the transpose of a row-major block."""
        shape, block = self.shapes[name], flat[self.places[name]]
        expanding = len(shape) == 2 and shape[1] > shape[0]
        return block.reshape(shape[::-1]).T if expanding else block.reshape(shape)

    def section(self, prefix: str) -> tuple[slice, _Layout]:
        """Where the arrays named ``prefix + "."`` … lie, and their own layout."""
        if prefix not in self._sections:
            names = [name for name in self.shapes if name.startswith(prefix + ".")]
            if not names:
                raise KeyError(f"no parameter is named {prefix + '.'}…; there are {', '.join(self.shapes) or 'none'}")
            place = slice(self.places[names[0]].start, self.places[names[-1]].stop)
            layout = _Layout({name[len(prefix) + 1 :]: self.shapes[name] for name in names})
            if layout.size != place.stop - place.start:
                raise KeyError(f"the parameters named {prefix + '.'}… do not lie side by side")
            self._sections[prefix] = place, layout
        return self._sections[prefix]
