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
    assert "must be one of speed, profile" in capsys.readouterr().err


def test_speed_is_the_command_when_none_is_named(capsys):
    with pytest.raises(SystemExit):
        main(["--workload", "nonsense"])
    assert "benchmarks speed: error" in capsys.readouterr().err
