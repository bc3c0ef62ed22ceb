"""The demos of binary latents, with little to do."""

import re

import pytest

pytest.importorskip("matplotlib")

from demos import belief_network, binary_gradients


def test_the_unbiased_estimates_have_the_exact_gradient_as_their_mean_and_disarm_less_variance_than_arm(capsys):
    binary_gradients.run(latents=2, steps=20, draws=3)
    rows = {line.split()[0]: line.split() for line in capsys.readouterr().out.splitlines()[4:]}
    assert len(rows) == 10
    assert rows["vimco"][4:] == ["of", "L₂"]
    for name, row in rows.items():
        assert (float(row[2]) < 1e-12) == (row[-1] != "biased"), name
    assert float(rows["disarm"][3]) < float(rows["arm"][3])


def test_the_gap_to_the_likelihood_falls_over_the_sweeps(capsys):
    belief_network.run(rows=60, epochs=4)
    told = capsys.readouterr().out
    assert re.search(r"^mean field, 1 epochs: exact .* nats, gap after 5 sweeps \d\.\d{3}$", told, re.MULTILINE)
    gaps = [float(m) for m in re.findall(r"^ +\d+ +\S+ +(\S+)$", told, re.MULTILINE)]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[-1] > -1e-3  # in float32
