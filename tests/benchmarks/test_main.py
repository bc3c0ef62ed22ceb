from importlib import import_module
from importlib.util import find_spec

import pytest

from benchmarks.__main__ import COMMANDS, main


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_a_module_with_a_main(name):
    assert find_spec(f"benchmarks.{name}") is not None
    assert callable(import_module(f"benchmarks.{name}").main)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"benchmarks {name}" in capsys.readouterr().out


def test_an_unknown_command_is_an_error_that_names_the_known_ones(capsys):
    assert main(["sped"]) == 2
    assert "must be one of speed, memory" in capsys.readouterr().err


def test_missing_data_are_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NPVAE_DATA", str(tmp_path))
    assert main(["published", "static", "--epochs", "1", "--work", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith("benchmarks: error: folder must hold binarized_mnist.npz, got")


@pytest.mark.parametrize(
    "argv", [["speed", "--rounds", "0"], ["profile", "--steps", "none"], ["startup", "--rounds", "-1"]]
)
def test_counts_are_at_least_one(argv, capsys):
    with pytest.raises(SystemExit):
        main(argv)
    assert "must be an integer of at least 1, got" in capsys.readouterr().err


def test_speed_is_the_command_when_none_is_named(capsys):
    with pytest.raises(SystemExit):
        main(["--workload", "nonsense"])
    assert "benchmarks speed: error" in capsys.readouterr().err
