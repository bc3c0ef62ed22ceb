"""A likelihood for every column of a table: real, count, yes or no, category, with what is missing left out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from npvae.distributions.column_blocks import Categories, Counts, Reals, TruthValues
from npvae.distributions.distribution import sum_to_shape
from npvae.validation import ArgumentError

__all__ = ["Mixed"]

Block = Reals | Counts | TruthValues | Categories


@dataclass(frozen=True)
class Mixed:
    """p(x|z) = Π_j p_j(x_j|z), each column by its kind; of the entries that are NaN nothing is asked.

    The columns of x lie in the order real, count, yes/no, category, the last by one number for each of their
    categories. ``a = [m | counts | logits | categories | r]`` has a number for each of them, and for every real column
    an r for its width, which is the same for all data (`n_shared`). The sum over what is seen is log p(x_seen|z), so
    that a bound of it is one on log p(x_seen): what is missing at random needs no model.

    Parameters
    ----------
    reals : int
        How many real columns, those that are real by their logarithm among them.
    counts : Counts
    truth_values : int
    categories : Categories

    References
    ----------
    Nazabal, Olmos, Ghahramani & Valera, Handling incomplete heterogeneous data using VAEs (2020), sections 2 and 3.
    Mattei & Frellsen, MIWAE (2019), eq. (3).
    """

    reals: int = 0
    counts: Counts = field(default_factory=Counts)
    truth_values: int = 0
    categories: Categories = field(default_factory=Categories)

    takes_missing = True
    """NaN in x stands for what is not known."""

    @property
    def width(self) -> int:
        """Columns of x."""
        return self.reals + self.counts.n + self.truth_values + self.categories.n

    @property
    def n_shared(self) -> int:
        """A width for each real column."""
        return self.reals

    @property
    def discrete(self) -> bool:
        """Whether no column is real."""
        return self.reals == 0

    def n_params(self, d: int) -> int:
        """A number for each of the d columns of x, and a width for each real one."""
        return d + self.reals

    def require_support(self, argument: str, x: NDArray) -> None:
        """An ArgumentError unless x has as many columns, and yes/no columns lie in [0, 1]."""
        if x.shape[-1] != self.width:
            raise ArgumentError(argument, f"have {self.width} columns under {self!r}", x.shape)
        start = self.reals + self.counts.n
        known = x[..., start : start + self.truth_values]
        if ((known < 0) | (known > 1)).any():
            raise ArgumentError(argument, "lie in [0, 1] in columns of yes and no")

    def is_density(self, x: NDArray) -> bool:
        """Whether all that is known of yes/no columns is 0 or 1."""
        start = self.reals + self.counts.n
        known = x[..., start : start + self.truth_values]
        return bool(((known == 0) | (known == 1) | np.isnan(known)).all())

    def _blocks(self) -> Iterator[tuple[Block, slice]]:
        """The kinds that there are, and where their columns lie."""
        start = 0
        for block in (Reals(self.reals), self.counts, TruthValues(self.truth_values), self.categories):
            if block.n:
                yield block, slice(start, start + block.n)
            start += block.n

    def _numbers(self, a: NDArray, block: Block, where: slice) -> NDArray:
        """The numbers of a block: those of its columns, for real ones with their widths."""
        if not isinstance(block, Reals):
            return a[..., where]
        return np.concatenate([a[..., where], a[..., a.shape[-1] - self.reals :]], axis=-1)

    def draw_noise(self, rng: np.random.Generator, shape: tuple[int, ...], dtype: DTypeLike) -> NDArray:
        """Normal numbers for real columns and counts, uniform ones for the others."""
        normal = self.reals + self.counts.n
        first = rng.standard_normal((*shape[:-1], normal), dtype=dtype)
        return np.concatenate([first, rng.random((*shape[:-1], shape[-1] - normal), dtype=dtype)], axis=-1)

    def sample(self, a: NDArray, eps: NDArray) -> tuple[NDArray, None]:
        """A draw of every column. Most are steps, which have no derivative, so there is no backward."""
        return self._joined(lambda block, where: block.draw(self._numbers(a, block, where), eps[..., where])), None

    def _joined(self, part: Callable[[Block, slice], NDArray]) -> NDArray:
        return np.concatenate([part(block, where) for block, where in self._blocks()], axis=-1)

    def log_prob(self, a: NDArray, x: NDArray) -> tuple[NDArray, tuple]:
        """log p(x_seen; a) = Σ over what is seen of log p_j(x_j; a_j).

        Parameters
        ----------
        a : (…, width + reals) array
        x : (…, width) array
            NaN where nothing is known.

        Returns
        -------
        log_prob : (…) array
            Nats.
        cache
            For the two backwards: those of the blocks, and the shapes of a and x.
        """
        seen = ~np.isnan(x)
        known, weight = np.where(seen, x, 0), seen.astype(x.real.dtype)
        total: Any = 0.0
        caches = []
        for block, where in self._blocks():
            terms, cache = block.terms(self._numbers(a, block, where), known[..., where], weight[..., where])
            total = total + terms
            caches.append(cache)
        return total, (caches, a.shape, x.shape)

    def log_prob_backward(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """da of every block in its place, of the shape of a."""
        caches, shape, _ = cache
        parts, widths = [], []
        for (block, _), of_block in zip(self._blocks(), caches, strict=True):
            da = block.da(of_block, dlog_prob)
            parts.append(da[..., : block.n])
            widths += [da[..., block.n :]] if isinstance(block, Reals) else []
        return sum_to_shape(np.concatenate([*parts, *widths], axis=-1), shape)

    def log_prob_backward_x(self, cache: tuple, dlog_prob: NDArray) -> NDArray:
        """dx of every block in its place, of the shape of x; 0 where nothing is known."""
        caches, _, shape = cache
        parts = [block.dx(of, dlog_prob) for (block, _), of in zip(self._blocks(), caches, strict=True)]
        return sum_to_shape(np.concatenate(parts, axis=-1), shape)

    def mean(self, a: NDArray) -> NDArray:
        """The mean of real columns, the rate of counts on the scale of x, the probabilities of the others."""
        return self._joined(lambda block, where: block.mean(self._numbers(a, block, where)))

    def output_bias(self, mean: NDArray, var: NDArray) -> NDArray:
        """The numbers closest to the means and variances of what is known in the columns, each (width,)."""
        parts, widths = [], []
        for block, where in self._blocks():
            start = block.start(mean[where], var[where])
            parts.append(start[: block.n])
            widths += [start[block.n :]] if isinstance(block, Reals) else []
        return np.concatenate([*parts, *widths]).astype(mean.dtype)
