import json
from dataclasses import asdict

import numpy as np
import pytest

from benchmarks.implementations import WORKLOADS, Workload
from benchmarks.implementations.by_npvae import build


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_widths_are_those_of_the_model(name):
    workload = WORKLOADS[name]
    shapes = build(workload).shapes
    widths = {"encoder": workload.encoder_widths, "decoder": workload.decoder_widths}
    for network, expected in widths.items():
        weights = [shape for key, shape in shapes.items() if key.startswith(network) and key.endswith("W")]
        assert [weights[0][0], *(n_out for _, n_out in weights)] == list(expected)


@pytest.mark.parametrize("name", WORKLOADS)
def test_the_number_of_parameters_is_that_of_the_model(name):
    theta = build(WORKLOADS[name]).init(np.random.default_rng(0))
    assert WORKLOADS[name].n_parameters == theta.flat.size


def test_a_workload_survives_its_way_through_json():
    for workload in WORKLOADS.values():
        assert Workload.from_json(json.loads(json.dumps(asdict(workload)))) == workload


def test_a_title_says_network_and_batch():
    assert str(WORKLOADS["iwae"]) == "784-200-200-50 tanh, batch 20"
    assert str(WORKLOADS["inference"]) == "784-400-20 relu, encode, decode, sample 10,000 rows"
