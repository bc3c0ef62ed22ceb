"""The explorer: one HTML page in which a reader moves z and sees the picture change. No server, no network."""

from npvae.explorer.page import MOST_BYTES, Examples, explorer_page
from npvae.explorer.steps import describe, register_step
from npvae.explorer.weights import PRECISIONS, Shipped, ship

__all__ = ["MOST_BYTES", "PRECISIONS", "Examples", "Shipped", "describe", "explorer_page", "register_step", "ship"]
