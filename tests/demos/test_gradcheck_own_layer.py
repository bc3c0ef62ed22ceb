"""The layer that the documentation shows, right and wrong."""

from pathlib import Path

from npvae.cli import main

DEMO = Path(__file__).parents[2] / "demos" / "gradcheck_own_layer.py"


def check(capsys, factory, *options):
    status = main(["gradcheck", f"{DEMO}:{factory}", *options])
    return status, capsys.readouterr().out


def test_every_gradient_of_the_layer_is_right(capsys):
    status, text = check(capsys, "factory")
    assert status == 0
    assert text.startswith("PASS factory   3 tensors")


def test_a_transposed_matrix_is_told_in_words(capsys):
    status, text = check(capsys, "broken")
    assert status == 1
    assert "FAIL x (7, 4)" in text
    assert "The gradient of x is multiplied by W where W.T is meant: a transpose." in text
    assert "The other 2 tensors pass." in text
    assert f"again: npvae gradcheck {DEMO}:broken --seed 0 --only x" in text


def test_every_mistake_in_the_layer_would_be_seen(capsys):
    status, text = check(capsys, "factory", "--mutate")
    assert status == 0
    assert "Layer.backward" in text
    assert "every mutant that does something else is found" in text


def test_the_layer_is_short_enough_to_be_read():
    lines = DEMO.read_text().split("class Layer:")[1].split("def factory")[0].splitlines()
    code = [line for line in lines if line.strip() and '"""' not in line]
    assert len(code) <= 15


def test_it_needs_nothing_but_numpy():
    imports = [line for line in DEMO.read_text().splitlines() if line.startswith(("import", "from"))]
    assert imports == ["import numpy as np"]
