"""Lossless compression by a model: asymmetric numeral systems, and bits-back coding of data with latents."""

from npvae.compression.bits_back import Coder
from npvae.compression.container import CompressedFileError, compress, decompress, model_digest

__all__ = ["Coder", "CompressedFileError", "compress", "decompress", "model_digest"]
