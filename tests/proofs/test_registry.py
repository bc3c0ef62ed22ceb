"""Every gradient of the package, proved; and no part without its proof."""

import sys

import pytest

from npvae.gradcheck import FAIL
from npvae.gradcheck.report import Report
from npvae.proofs import all_cases, has_backward, missing_cases, table

pytest_plugins = ["npvae.gradcheck.pytest_plugin"]

if missing := missing_cases():
    pytest.fail(f"{', '.join(missing)}: not proved. Add a case in npvae/proofs/.", pytrace=False)


@pytest.mark.parametrize("case", all_cases(), ids=lambda case: case.name)
def test_the_gradients_are_right_to_ten_digits(case, gradcheck):
    report = gradcheck(case.made(0), float32=True, name=case.name)
    assert report.worst_error < 1e-10
    assert report.resolution < 1e-10


def test_every_case_has_a_name_of_its_own():
    names = [case.name for case in all_cases()]
    assert sorted(set(names)) == sorted(names)


def test_what_a_case_covers_is_missed_without_it():
    from npvae import bounds, distributions, layers, models, numerics

    assert missing_cases(all_cases()) == []
    missing = missing_cases([])
    for thing in (layers.Dense, layers.mlp, distributions.Bernoulli, bounds.elbo, models.VAE, numerics.sigmoid):
        assert any(name.endswith(f".{thing.__name__}") for name in missing), thing
    assert "npvae.layers.ACTIVATIONS['tanh']" in missing


def test_a_new_export_with_a_backward_is_missed(monkeypatch):
    from npvae import layers

    class Novelty:
        def backward(self): ...

    monkeypatch.setattr(layers, "Novelty", Novelty, raising=False)
    monkeypatch.setattr(layers, "__all__", [*layers.__all__, "Novelty"])
    assert missing_cases() == ["npvae.layers.Novelty"]


def test_a_new_file_is_found_by_itself(tmp_path, monkeypatch):
    from npvae import proofs

    (tmp_path / "novelties.py").write_text("def cases():\n    return ['a case of a new room']\n")
    monkeypatch.setattr(proofs, "__path__", [*proofs.__path__, str(tmp_path)])
    assert all_cases().count("a case of a new room") == 1
    monkeypatch.delitem(sys.modules, "npvae.proofs.novelties")


def test_what_counts_as_having_a_backward():
    from npvae import bounds, distributions, layers, numerics, optimizers

    for thing in (layers.Tanh, layers.mlp, distributions.FixedGaussian, bounds.elbo, numerics.softplus):
        assert has_backward(thing), thing
    for thing in (layers.Layer, distributions.Distribution, layers.he_normal, bounds.Loss, optimizers.Adam, "backward"):
        assert not has_backward(thing), thing


def test_a_case_says_how_to_repeat_it():
    case = next(case for case in all_cases() if case.name == "layers.Dense 4→4")
    assert case.run(7).again == "npvae gradcheck --all --seed 7 --only 'layers.Dense 4→4'"


def test_the_table_has_a_row_for_each_part_and_explains_what_failed():
    case = next(case for case in all_cases() if case.name == "layers.Tanh")
    good, bad = case.run(), Report("bad")
    text = table([good])
    assert f"{good.name}  " in text
    assert "1 part, 1 tensor" in text
    assert "every gradient is right" in text
    text = table([good, bad])
    assert "1 did not pass" in text
    assert text.endswith(str(bad))
    assert FAIL not in text
