"""``npvae evaluate``: the numbers of the Python functions, in words, as JSON and row by row."""

import io
import json
import re

import numpy as np
import pytest

import npvae
from npvae import datasets, evaluation
from npvae.cli import evaluate, main
from tests.cli.conftest import TINY


@pytest.fixture(scope="module")
def model(files, tmp_path_factory):
    """A model of binary pixels, of which one of two latents is of no use."""
    folder = tmp_path_factory.mktemp("evaluate")
    words = ["--binarize", "dynamic", *TINY]
    assert main(["train", files.images, "-o", str(folder / "run"), *words]) == 0
    vae = npvae.load(folder / "run" / "model.npz")
    vae.theta_["encoder.2.W"][:, 0] *= 30
    vae.theta_["encoder.2.W"][:, 1] = 0
    vae.save(folder / "run" / "model.npz")
    return str(folder / "run" / "model.npz")


def facts_of(capsys, *argv):
    assert main(["evaluate", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_the_decomposition_adds_up_and_is_that_of_python(files, model, here, capsys):
    facts = facts_of(capsys, model, files.images, "--k", "40", "--seed", "3")
    vae = npvae.load(model)
    log_px = vae.log_likelihood(files.x, 40, random_state=3)
    assert (facts["rows"], facts["k"]) == (60, 40)
    value, error = log_px.mean()
    assert facts["negative_log_px"] == pytest.approx({"value": -value, "standard_error": error}, rel=1e-6)
    mean = {name: fact["value"] for name, fact in facts.items() if isinstance(fact, dict) and "value" in fact}
    assert mean["negative_elbo"] == pytest.approx(mean["reconstruction"] + mean["kl"])
    assert mean["negative_elbo"] == pytest.approx(mean["negative_log_px"] + mean["gap"])
    assert mean["gap"] > 0
    mu, log_var = vae.encode(vae.prepare(files.x, 3))
    assert mean["kl"] == pytest.approx(0.5 * (mu**2 + np.exp(log_var) - 1 - log_var).sum(axis=1).mean(), rel=1e-5)
    assert not list(here.iterdir())


def test_the_elbo_of_discrete_data_is_told_in_bits_a_dimension(files, model, here, capsys):
    facts = facts_of(capsys, model, files.images, "--k", "5")
    assert facts["bits_per_dimension"] == pytest.approx(facts["negative_elbo"]["value"] / 36 / np.log(2))
    assert main(["evaluate", model, files.images, "--k", "5"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("  −ELBO"))
    assert line.endswith(f"; {facts['bits_per_dimension']:.4f} bits a dimension")


def test_densities_have_no_bits(files, here, capsys):
    assert main(["train", files.images, "-o", "run", "--likelihood", "gaussian", *TINY]) == 0
    assert "bits_per_dimension" not in facts_of(capsys, "run/model.npz", files.images, "--k", "5")


def test_latents_pruning_and_the_parts_of_the_kl(files, model, here, capsys):
    facts = facts_of(capsys, model, files.images, "--k", "30")
    assert facts["activity"][1] == 0 < 0.01 < facts["activity"][0]
    assert facts["active_units"] == [0]
    assert sum(facts["kl_per_unit"]) == pytest.approx(facts["kl"]["value"], rel=1e-5)
    assert facts["pruning"]["k"] == 30
    parts = {name: part["value"] for name, part in facts["kl_parts"].items() if name != "rows"}
    assert parts.pop("kl") == pytest.approx(sum(parts.values()))
    assert "mig" not in facts


def test_one_row_tells_nothing_of_what_varies_between_rows(files, model, here, capsys):
    assert main(["evaluate", model, files.images, "--k", "5", "--rows", "3"]) == 0
    out = capsys.readouterr().out
    assert "\n1 row, 5 draws" in out
    assert "latents" not in out
    assert "activity" not in facts_of(capsys, model, files.images, "--k", "5", "--rows", "3")


def test_a_bad_name_for_the_factors_is_blamed_on_that_option(model, here, refused):
    assert "--factors must lie in a folder that exists" in refused("evaluate", model, "digits", "--factors", "no/f.png")


def test_in_words(files, model, here, capsys):
    facts = facts_of(capsys, model, files.images, "--k", "1000", "--rows", "0:20")
    assert main(["evaluate", model, files.images, "--k", "1000", "--rows", "0:20"]) == 0
    captured = capsys.readouterr()
    assert captured.err == ""
    lines = captured.out.splitlines()
    assert lines[0] == "grey pixels are made binary first, as in the training"
    assert lines[1].startswith("20 rows, 1,000 draws of z each, median effective sample size ")
    assert lines[1].endswith(f", {facts['reliable_rows']} rows with an error to be trusted; nats per row")
    for line, name in zip(lines[2:7], ["negative_log_px", "negative_elbo", "reconstruction", "kl", "gap"], strict=True):
        value, error = re.search(r" (-?[\d.]+) ± ([\d.]+) ", line).groups()
        assert float(value) == pytest.approx(facts[name]["value"], abs=6e-4)
        assert float(error) == pytest.approx(facts[name]["standard_error"], abs=6e-4)
    assert lines[2].split()[0] == "−L_1000"
    assert lines[7].startswith("1 of 2 latents collapsed")
    assert lines[8].startswith("  change of L_100 ")
    assert lines[-1].split()[:2] == ["dimension", "wise"]


@pytest.mark.parametrize("ending", [".csv", ".npy", ".npz"])
def test_writes_rows(files, model, here, capsys, ending):
    assert main(["evaluate", model, files.images, "--k", "7", "--rows", "10:14", "-o", f"r{ending}"]) == 0
    assert capsys.readouterr().out.endswith(f"wrote r{ending}\n")
    names = [
        "negative_log_px",
        "negative_elbo",
        "reconstruction",
        "kl",
        "gap",
        "standard_error",
        "effective_samples",
        "reliable",
    ]
    estimate = npvae.load(model).log_likelihood(files.x[10:14], 7)
    if ending == ".npz":
        with np.load("r.npz") as arrays:
            assert list(arrays) == ["scores", *names]
            got = arrays["scores"]
            np.testing.assert_array_equal(arrays["gap"], got[:, 4])
    elif ending == ".csv":
        assert (here / "r.csv").read_text().splitlines()[0] == ",".join(names)
        got = np.loadtxt("r.csv", delimiter=",", skiprows=1)
    else:
        got = np.load("r.npy")
    np.testing.assert_allclose(got[:, 0], -estimate.log_px, rtol=1e-12)
    np.testing.assert_allclose(got[:, [5, 6]].T, [estimate.standard_error, estimate.effective_samples], rtol=1e-12)


def test_one_row_and_one_draw_have_no_standard_error(files, model, here, capsys):
    facts = facts_of(capsys, model, files.images, "--k", "1", "--rows", "3")
    assert facts["negative_log_px"]["standard_error"] is None
    assert main(["evaluate", model, files.images, "--k", "1", "--rows", "3"]) == 0
    out = capsys.readouterr().out
    assert "\n1 row, 1 draw of z each, which tells nothing of its error; nats per row" in out
    assert "needs more than one draw" in out
    assert "±" not in out
    assert "nan" not in out


def test_a_full_posterior_has_no_units_to_prune(files, here, capsys):
    words = ["--binarize", "fixed", "--posterior", "full", *TINY]
    main(["train", files.images, "-o", "run", *words])
    facts = facts_of(capsys, "run/model.npz", files.images, "--k", "5")
    assert len(facts["activity"]) == 2
    assert not {"pruning", "kl_parts"} & set(facts)
    assert main(["evaluate", "run/model.npz", files.images, "--k", "5"]) == 0


def test_the_digits_have_factors(here, capsys, monkeypatch):
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(evaluate, "DIGITS", 20)
    monkeypatch.setattr(evaluate, "FACTOR_ROWS", 300)
    main(["train", "digits", "--limit", "100", "-o", "run", "--binarize", "threshold", *TINY])
    facts = facts_of(capsys, "run/model.npz", "digits", "--k", "2", "--factors", "f.png")
    assert (here / "f.png").read_bytes().startswith(b"\x89PNG")
    assert (facts["rows"], facts["factor_rows"]) == (20, 300)
    digits, vae = datasets.digits(300, seed=1), npvae.load("run/model.npz")
    z = vae.transform((digits.x > 0.5).astype(np.float32))
    matrix = evaluation.factor_matrix(z, digits.factors)
    assert list(facts["factor_matrix"]) == list(digits.factors)
    np.testing.assert_allclose(list(facts["factor_matrix"].values()), matrix, rtol=1e-9)
    assert facts["mig"] == pytest.approx(evaluation.mig(matrix))
    assert main(["evaluate", "run/model.npz", "digits", "--rows", "5:9", "--k", "2", "--factors", "f.svg"]) == 0
    out = capsys.readouterr().out
    assert "4 rows, 2 draws" in out
    assert out.splitlines()[-2:] == [f"mutual information gap: {facts['mig']:.3f} (300 digits)", "wrote f.svg"]


def test_grey_pixels_under_a_bernoulli_have_all_but_the_likelihood(files, here, capsys):
    facts = facts_of(capsys, files.model, files.images, "--k", "5")
    assert not facts["likelihood"]
    assert not {"negative_log_px", "negative_elbo", "pruning"} & set(facts)
    assert {"activity", "kl_per_unit", "kl_parts"} <= set(facts)
    assert main(["evaluate", files.model, files.images, "--k", "5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("grey pixels have no log-likelihood under a Bernoulli: npvae score")
    assert "mutual information" in out


def test_a_posterior_that_misses_is_called_so(files, model, here, capsys):
    vae = npvae.load(model)
    vae.theta_["encoder.2.b"][2:] = 8  # the variances of q(z|x), far wider than the prior
    vae.save("off.npz")
    assert main(["evaluate", "off.npz", files.images, "--k", "20"]) == 0
    assert "one draw carries most of the weight: −L_20 is too high" in capsys.readouterr().out


def test_two_draws_of_a_good_posterior_are_not_blamed(files, model, here, capsys):
    vae = npvae.load(model)
    for name in vae.theta_:
        vae.theta_[name][...] = 0  # the prior, and a decoder that does not look at z
    vae.save("exact.npz")
    assert main(["evaluate", "exact.npz", files.images, "--k", "2"]) == 0
    out = capsys.readouterr().out
    assert "effective sample size 2.0" in out
    assert "one draw carries" not in out


def test_data_from_outside_are_told_apart_by_likelihood_and_by_typicality(files, model, here, capsys):
    np.save("dark.npy", np.zeros((7, 36)))
    options = ["--outside", "dark.npy", "--k", "20", "--rows", "0:40"]
    facts = facts_of(capsys, model, files.images, *options)["outside"]
    vae = npvae.load(model)
    inside, outside = (-vae.log_likelihood(x, 20, random_state=0).log_px for x in (files.x[:40], np.zeros((7, 36))))
    assert facts["rows"] == 7
    assert facts["negative_log_px"]["value"] == pytest.approx(outside.mean(), rel=1e-6)
    pairs = outside[:, None] > inside
    assert facts["auroc"]["negative_log_px"] == pytest.approx(pairs.mean())
    strange = np.abs(outside - inside.mean())[:, None] > np.abs(inside - inside.mean())
    assert facts["auroc"]["typicality"] == pytest.approx(strange.mean())
    assert main(["evaluate", model, files.images, *options]) == 0
    told = capsys.readouterr().out
    assert "7 rows from outside" in told
    assert re.search(rf"area by −L_20 +{pairs.mean():.3f}", told)
    assert re.search(rf"by typicality +{strange.mean():.3f}", told)


def test_data_from_outside_that_cannot_be_are_blamed_on_their_option(files, model, here, refused):
    np.save("narrow.npy", np.zeros((7, 30)))
    np.save("grey.npy", np.full((7, 36), 0.5))
    assert "--outside must have 36 features, got" in refused("evaluate", model, files.images, "--outside", "narrow.npy")
    assert "--outside must name an existing file" in refused("evaluate", model, files.images, "--outside", "none.npy")
    np.save("binary.npy", files.x.round())
    text = refused("evaluate", files.model, "binary.npy", "--outside", "grey.npy", "--k", "2")
    assert "--outside must be binary to have a log-likelihood" in text
    text = refused("evaluate", files.model, files.images, "--outside", "binary.npy", "--k", "2")
    assert "DATA must be binary to have a log-likelihood" in text


def test_progress_lives_on_a_terminal(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr("sys.stderr", Terminal())
    progress = evaluate._Progress(2000)
    progress(500)
    progress(2000)
    shown = progress.stream.getvalue()
    assert re.fullmatch(r"\r500 of 2,000 rows \| 0:00 left\x1b\[K\r\x1b\[K", shown)


def test_what_cannot_be_is_refused(files, model, here, refused):
    assert "--k must be at least 1, got 0" in refused("evaluate", model, files.images, "--k", "0")
    assert "--seed must be at least 0, got -1" in refused("evaluate", model, files.images, "--seed", "-1")
    assert "DATA must be digits, got" in refused("evaluate", model, files.images, "--factors", "f.png")
    assert "--factors must end in .png, .svg, .pdf, got" in refused("evaluate", model, "digits", "--factors", "f.csv")
    assert "output must end in .npy, .npz, .csv" in refused("evaluate", model, files.images, "-o", "r.png")
    text = refused("evaluate", files.model, files.images, "--k", "2", "-o", "r.csv")
    assert "DATA must be binary to have a log-likelihood under --likelihood bernoulli" in text
    assert "--binarize dynamic" in text
    assert not list(here.iterdir())
