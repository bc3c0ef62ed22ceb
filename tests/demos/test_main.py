"""The demos as a whole: all are listed, all run, and the gallery says what they say."""

import re
from pathlib import Path

import pytest

from demos import DEMOS
from demos.__main__ import gallery, main, reproductions, title

pytest.importorskip("matplotlib")

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "gallery"


def test_every_file_is_a_demo():
    assert {path.stem for path in (ROOT / "demos").glob("*.py")} == {*DEMOS, "__init__", "__main__"}


def test_without_a_name_all_are_listed_with_what_they_show(capsys):
    assert main([]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(DEMOS)
    assert all(len(line.split()) > 3 for line in lines)


def test_an_unknown_name_is_one_line(capsys):
    assert main(["rings"]) == 2
    assert "NAME must be one of vae_by_hand, " in capsys.readouterr().err


def test_a_demo_prints_its_numbers_and_draws_its_picture(tmp_path, capsys):
    assert main(["misprints", "--output", str(tmp_path)]) == 0
    assert (tmp_path / "misprints.png").stat().st_size > 10_000
    assert re.search(r"KL\(q‖p\) of the coin +printed +0.872 +right +0.08718", capsys.readouterr().out)


def test_a_demo_without_a_picture_runs_as_a_script(tmp_path, capsys):
    assert main(["gradcheck_own_layer", "--output", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "PASS factory" in out
    assert "FAIL broken" in out
    assert list(tmp_path.iterdir()) == []


def test_the_gallery_says_what_the_demos_say():
    assert (ROOT / "docs" / "gallery.md").read_text(encoding="utf-8") == gallery()


@pytest.mark.parametrize("name", DEMOS)
def test_a_picture_of_the_gallery_is_there_and_small(name):
    if f"gallery/{name}.png" in gallery():
        assert 5_000 < (PICTURES / f"{name}.png").stat().st_size < 300_000
    else:
        assert not (PICTURES / f"{name}.png").exists()
    assert len(title(name)) <= 110


def test_a_picture_that_a_reproduction_shows_is_there_and_small():
    for name, picture, (heading, text) in reproductions():
        assert 5_000 < (PICTURES / f"{picture}.png").stat().st_size < 300_000
        assert len(heading) <= 110
        assert f"published {name}`" in gallery()
        assert len(text) > 100
