import json
from dataclasses import asdict

import pytest

from benchmarks.implementations import IMPLEMENTATIONS, WORKLOADS, Workload
from benchmarks.implementations.by_npvae import build


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_products_are_those_of_the_models_weights(name):
    shapes = build(WORKLOADS[name]).shapes
    for network, products in WORKLOADS[name].products().items():
        weights = [set(shape) for key, shape in shapes.items() if key.startswith(network) and key.endswith("W")]
        assert [{n_in, n_out} for _, n_in, n_out in products] == weights


def test_a_convolution_is_a_product_for_every_window():
    assert WORKLOADS["conv"].products() == {
        "encoder": [(196, 16, 32), (49, 512, 64), (1, 3136, 64)],
        "decoder": [(1, 32, 3136), (49, 64, 512), (196, 32, 16)],
    }


def test_who_does_not_convolve_sits_out():
    taking_part = [name for name, one in IMPLEMENTATIONS.items() if one.takes_part(WORKLOADS["conv"])]
    assert set(IMPLEMENTATIONS) - set(taking_part) == {"jax"}
    assert IMPLEMENTATIONS["jax"].takes_part(WORKLOADS["inference"])
    assert not IMPLEMENTATIONS["torch-fused"].takes_part(WORKLOADS["inference"])


def test_a_workload_survives_its_way_through_json():
    for workload in WORKLOADS.values():
        assert Workload.from_json(json.loads(json.dumps(asdict(workload)))) == workload


def test_a_title_says_network_and_batch():
    assert str(WORKLOADS["iwae"]) == "784-200-200-50 tanh, batch 20"
    assert str(WORKLOADS["conv"]) == "784-32×14×14-64×7×7-32 relu, batch 128"
    assert str(WORKLOADS["inference"]) == "784-400-20 relu, encode, decode, sample 10,000 rows"
