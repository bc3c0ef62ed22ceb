from math import prod

import numpy as np

from benchmarks.implementations import WORKLOADS, Workload
from benchmarks.implementations.by_npvae import build
from benchmarks.implementations.products import forward_products, training_products

SMALL = Workload((5, 4), 2, 3, "tanh", n_features=7)


def multiplications(products) -> int:
    return sum(left.shape[0] * left.shape[1] * right.shape[1] for left, right, _ in products)


def test_every_layer_has_three_products_and_the_first_has_two():
    dense = [7 * 5, 5 * 4, 4 * 4, 2 * 4, 4 * 5, 5 * 7]  # encoder 7-5-4-(2+2), decoder 2-4-5-7
    assert multiplications(training_products(SMALL)) == 3 * (3 * sum(dense) - 7 * 5)
    assert len(training_products(SMALL)) == 3 * len(dense) - 1


def test_weights_lie_in_memory_as_npvaes_do():
    workload = WORKLOADS["usual"]
    theta = build(workload).init(np.random.default_rng(0))
    ours = {w.shape: w.flags.c_contiguous for w in theta.values() if w.ndim == 2}
    gradients = {out.shape: out.flags.c_contiguous for _, _, out in training_products(workload) if out.shape in ours}
    weights = {
        right.shape: right.flags.c_contiguous for _, right, _ in forward_products(workload) if right.shape in ours
    }
    assert gradients == weights == ours


def test_inference_encodes_every_row_once_and_decodes_it_twice():
    workload = Workload((5,), 2, 7, "relu", "infer", n_features=6)
    encode, decode = 6 * 5 + 5 * 4, 2 * 5 + 5 * 6
    assert multiplications(forward_products(workload, chunk=3)) == 7 * (encode + 2 * decode)
    assert max(prod(left.shape[:1]) for left, _, _ in forward_products(workload, chunk=3)) == 3


def test_each_product_has_memory_of_the_right_shape_and_precision():
    for left, right, out in training_products(SMALL) + forward_products(SMALL):
        assert np.matmul(left, right, out=out) is out
        assert out.dtype == np.float32


def test_a_convolution_has_a_row_for_every_window():
    small = Workload((), 2, 3, "relu", n_features=16, channels=(5,))
    convolution, dense = 4 * 16 * 5, 20 * 4 + 2 * 20
    assert multiplications(training_products(small)) == 3 * (2 * convolution + 3 * dense + 3 * convolution)
