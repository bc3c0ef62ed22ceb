"""Data to train on: drawn, generated, or read from files; and three ways from grey to black and white."""

from npvae.datasets.csv_table import read_table
from npvae.datasets.dataset import Dataset, bernoulli_draw, is_binary, threshold
from npvae.datasets.digits import digits
from npvae.datasets.files import load
from npvae.datasets.idx import read_idx
from npvae.datasets.published import binarized_mnist, frey_faces, mnist
from npvae.datasets.ring import ring
from npvae.datasets.table import Table

__all__ = [
    "Dataset",
    "Table",
    "bernoulli_draw",
    "binarized_mnist",
    "digits",
    "frey_faces",
    "is_binary",
    "load",
    "mnist",
    "read_idx",
    "read_table",
    "ring",
    "threshold",
]
