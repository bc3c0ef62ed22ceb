"""The one shape in which every loader hands over its data, and three ways from grey to black and white.

Their log-likelihoods differ by whole nats and must not be compared.

- *Threshold*: a pixel is 1 where its grey value exceeds a level; deterministic.
- *Fixed* binarisation: one draw b ~ Bernoulli(x) before the training, `bernoulli_draw` called once.
- *Dynamic* binarisation: a fresh draw at every visit of a datum, `bernoulli_draw` called on every minibatch.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import prod

import numpy as np

from npvae.datasets.table import Table


@dataclass(frozen=True, eq=False)
class Dataset:
    """Rows of data with what is known about them; a ValueError if the parts do not fit one another.

    Parameters
    ----------
    x : (n, D) float32 array
        In the natural range of the source: grey values of images in [0, 1].
    labels : (n,) array or None
        Class of each row.
    image_shape : (h, w), (h, w, channels) or None
        Shape into which a row folds, h·w·channels = D.
    factors : dict of str to (n,) array
        True generating values of each row, where they are known.
    name : str
        Where the rows come from, for titles and messages.
    table : Table or None
        The rows as named columns, text among them, where they come from such a table; x then has NaN for text.

    Examples
    --------
    >>> data = Dataset(np.zeros((3, 4), np.float32), image_shape=(2, 2))
    >>> len(data), len(data.take([0, 2]))
    (3, 2)
    """

    x: np.ndarray
    labels: np.ndarray | None = None
    image_shape: tuple[int, ...] | None = None
    factors: dict[str, np.ndarray] = field(default_factory=dict)
    name: str = ""
    table: Table | None = None

    def __post_init__(self) -> None:
        if self.x.ndim != 2 or self.x.dtype != np.float32:
            raise ValueError(f"x must be a 2-D float32 array, got shape {self.x.shape} of {self.x.dtype}")
        n, d = self.x.shape
        if self.image_shape is not None and prod(self.image_shape) != d:
            raise ValueError(f"image_shape must multiply to {d} features, got {self.image_shape}")
        for name, values in {"labels": self.labels, **{f"factor {k!r}": v for k, v in self.factors.items()}}.items():
            if values is not None and values.shape != (n,):
                raise ValueError(f"{name} must have shape ({n},) to match x, got {values.shape}")

    @classmethod
    def from_table(cls, table: Table, labels: np.ndarray | None = None, name: str = "") -> Dataset:
        """A table as a data set."""
        numbers = [column if column.dtype == np.float64 else np.full(len(table), np.nan) for column in table.values()]
        x = np.stack(numbers, axis=1)
        if table.is_numeric():
            x = table.matrix()
        with np.errstate(over="ignore"):  # whoever learns from it says what is not finite
            return cls(x.astype(np.float32), labels, name=name, table=table)

    @property
    def given(self) -> np.ndarray | Table:
        """What an estimator is to learn from: the table, or images in their shape, or rows."""
        if self.table is not None:
            return self.table
        return self.x if self.image_shape is None else self.x.reshape(-1, *self.image_shape)

    def numbers(self, argument: str) -> np.ndarray:
        """The rows as numbers; an error that names `argument` if there is text among them."""
        return self.x if self.table is None else self.table.matrix(argument)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.x)

    def take(self, indices: np.ndarray | slice | list[int]) -> Dataset:
        """Return the rows that `indices` (integers, a slice or a boolean mask) selects, in that order."""
        rows = np.arange(len(self))[indices]
        if rows.ndim != 1:
            raise ValueError(f"indices must select a 1-D list of rows, got shape {rows.shape}")
        labels = None if self.labels is None else self.labels[rows]
        factors = {name: values[rows] for name, values in self.factors.items()}
        table = None if self.table is None else self.table.take(rows)
        return replace(self, x=self.x[rows], labels=labels, factors=factors, table=table)


def threshold(x: np.ndarray, at: float = 0.5) -> np.ndarray:
    """Return 1 where x > `at` and 0 elsewhere, in the shape and dtype of `x`, grey values in [0, 1].

    Raises
    ------
    TypeError, ValueError
        If `x` is no float32 or float64 array, or `x` or `at` leaves [0, 1] or is NaN.

    Examples
    --------
    >>> threshold(np.array([0.2, 0.5, 0.7]))
    array([0., 0., 1.])
    """
    _check_grey(x)
    if not 0 <= at <= 1:
        raise ValueError(f"at must lie in [0, 1], got {at}")
    return np.greater(x, at).astype(x.dtype)


def bernoulli_draw(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw b ~ Bernoulli(x), so E[b] = x, for every grey value in [0, 1] of `x`, in its shape and dtype.

    Raises
    ------
    TypeError, ValueError
        If `x` is no float32 or float64 array, leaves [0, 1] or has NaN.

    Examples
    --------
    >>> bernoulli_draw(np.array([0.0, 1.0]), np.random.default_rng(0))
    array([0., 1.])
    """
    _check_grey(x)
    u = rng.random(x.shape, dtype=x.dtype)
    return np.less(u, x, out=u)


def is_binary(x: np.ndarray) -> bool:
    """Return whether all values are 0 or 1."""
    return bool(((x == 0) | (x == 1)).all())


def _check_grey(x: np.ndarray) -> None:
    if not isinstance(x, np.ndarray) or x.dtype not in (np.float32, np.float64):
        kind = x.dtype if isinstance(x, np.ndarray) else type(x).__name__
        raise TypeError(f"x must be a float32 or float64 array, got {kind}")
    if x.size and not (x.min() >= 0 and x.max() <= 1):  # so that NaN, which compares false, is refused
        raise ValueError(f"x must lie in [0, 1], got values from {x.min()} to {x.max()}")
