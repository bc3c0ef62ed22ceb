import json
from pathlib import Path

import pytest

from benchmarks import published
from benchmarks.__main__ import main as benchmarks
from benchmarks.published import NAMES, main

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("name", NAMES)
def test_every_reproduction_has_help(name, capsys):
    with pytest.raises(SystemExit) as ended:
        main([name, "--help"])
    assert ended.value.code == 0
    assert f"benchmarks published {name}" in capsys.readouterr().out


def test_a_file_of_the_package_is_a_reproduction_and_nothing_else_is():
    files = Path(published.__file__).parent.glob("*.py")
    assert {*NAMES, "__init__"} == {file.stem for file in files}


def test_without_a_name_the_names_are_told(capsys):
    assert benchmarks(["published"]) == 2
    told = capsys.readouterr().out
    assert all(name in told for name in NAMES)


def test_an_unknown_name_is_an_error_that_names_the_known_ones(capsys):
    assert benchmarks(["published", "wai"]) == 2
    assert f"must be one of {', '.join(NAMES)}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "n_rows"),
    [(["iwae"], 1), (["iwae", "--k", "5"], 1), (["static"], 2), (["static", "--k", "5"], 2), (["manifolds"], 2)],
)
def test_a_quick_run_ends_with_a_result_and_a_second_one_only_reads_it(command, n_rows, tmp_path, capsys):
    options = ["--quick", "--work", str(tmp_path / "work"), "--output", str(tmp_path / "result.json")]
    assert main([*command, *options]) == 0
    first = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))
    assert len(first["rows"]) == n_rows
    assert first["settings"]["epochs"] == 5
    capsys.readouterr()
    assert main([*command, *options]) == 0
    assert "goes on after epoch 5" in capsys.readouterr().out
    assert json.loads((tmp_path / "result.json").read_text(encoding="utf-8")) == first
    assert bool(list((tmp_path / "work").glob("*.png"))) == (command == ["manifolds"])


def test_a_run_begins_with_the_mean_of_another(tmp_path):
    first, second, third = ([*["iwae", "--quick", "--work"], str(tmp_path / name)] for name in "abc")
    main([*first, "--output", str(tmp_path / "a.json")])
    start = ["--start", str(tmp_path / "a" / "training.npz"), "--rate", "1e-9"]
    main([*second, *start, "--output", str(tmp_path / "b.json")])
    a, b = (json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8")) for name in "ab")
    assert (a["results"]["epochs"], b["results"]["epochs"]) == (5, 10)
    assert b["settings"]["before"]["rate"] == 2e-3
    assert b["rows"][0]["notes"].endswith("; 10 epochs by the path gradient")
    main([*third, "--k", "5", "--start", str(tmp_path / "b" / "training.npz"), "--output", str(tmp_path / "c.json")])
    third_result = json.loads((tmp_path / "c.json").read_text(encoding="utf-8"))
    told = "; 10 epochs by the path gradient with k = 1, then 5 epochs by the DReG gradient with k = 5"
    assert third_result["rows"][0]["notes"].endswith(told)
    c = third_result["results"]
    assert c["epochs"] == 15
    assert c["training_seconds"] > b["results"]["training_seconds"]
    assert b["results"]["training_seconds"] > a["results"]["training_seconds"]
    assert b["results"]["test"]["nll"] == pytest.approx(a["results"]["test"]["nll"], abs=1e-3)


def test_training_pays(tmp_path):
    main(["iwae", "--quick", "--work", str(tmp_path), "--output", str(tmp_path / "result.json")])
    results = json.loads((tmp_path / "result.json").read_text(encoding="utf-8"))["results"]
    assert results["history"]["loss"][-1] < results["history"]["loss"][0] - 10
    assert results["test"]["nll"] < 160  # 784 log 2 = 543 without any training; the mean image alone about 200
    assert results["test"]["nll"] < results["test"]["negative_elbo"]
    assert results["first_200_images"]["averaged"] == pytest.approx(results["test"]["nll"])


def test_length_is_told_by_epochs_or_by_minutes_not_both(capsys):
    with pytest.raises(SystemExit):
        main(["iwae", "--epochs", "3", "--minutes", "2"])
    assert "not allowed with" in capsys.readouterr().err
