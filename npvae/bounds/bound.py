"""The bounds by name, each with the densities that it is a function of."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from numpy.typing import NDArray

from npvae.bounds.elbo import elbo, free_bits, monte_carlo_elbo
from npvae.bounds.iwae import dreg, iwae
from npvae.bounds.loss import Loss
from npvae.bounds.score_function import score_function
from npvae.bounds.sticking_the_landing import sticking_the_landing
from npvae.validation import ArgumentError

__all__ = ["BOUNDS", "Bound"]


class Bound(NamedTuple):
    """A bound, and what a model has to know about it."""

    name: str
    function: Callable[..., tuple[Loss, dict[str, NDArray]]]
    """From the densities to the loss and the upstream weight of each."""
    needs: tuple[str, ...]
    """The densities, by the names of the function's arguments."""
    weighs_kl: bool = True
    """Whether the function takes a `beta`."""
    through_latents: bool = True
    """Whether its gradient goes through z into the encoder, so that the posterior has to be reparameterised."""

    def with_options(self, beta: float, bits: float) -> Bound:
        """The same bound with a weight of the KL term and with free bits for every latent, see `free_bits`.

        Raises
        ------
        ValueError
            If it has no place for β ≠ 1 or for free bits.
        """
        if bits > 0:
            if self.function is not elbo:
                rule = "be 0 with {bound}: the analytic KL of 'elbo' alone has a part for every latent"
                raise ArgumentError("free_bits", rule, bits, settings={"bound": self.name})
            return self._replace(function=partial(free_bits, bits=bits, beta=beta), needs=("log_px_z", "kl_terms"))
        if self.weighs_kl:
            return self._replace(function=partial(self.function, beta=beta))
        if beta != 1:
            raise ArgumentError("beta", "be 1 with {bound}: L_k has no other", beta, settings={"bound": self.name})
        return self


SAMPLED = ("log_px_z", "log_pz", "log_qz_x")

BOUNDS = {
    bound.name: bound
    for bound in (
        Bound("elbo", elbo, ("log_px_z", "kl")),
        Bound("monte-carlo", monte_carlo_elbo, SAMPLED),
        Bound("stl", sticking_the_landing, SAMPLED),
        Bound("iwae", iwae, SAMPLED, weighs_kl=False),
        Bound("dreg", dreg, SAMPLED, weighs_kl=False),
        Bound("score-function", score_function, SAMPLED, through_latents=False),
    )
}
