"""What a command needs of a model: one uniform line where it is not there, and the models that have it."""

import numpy as np
import pytest

import npvae
from npvae import VAE, GaussianMixture
from npvae.cli import main
from npvae.estimators import registry
from npvae.estimators.options import options_of

SMALL = {
    "epochs": 1, "hidden": 3, "n_hidden": 3, "latent_dim": 2, "latent_dims": 2, "sweeps": 2, "n_components": 2,
    "ais_steps": 2, "random_state": 0, "baseline_hidden": 2,
}  # fmt: skip

COMMANDS = {
    "sample": ["MODEL", "-n", "2", "-o", "out.csv"],
    "reconstruct": ["MODEL", "DATA", "-o", "out.csv"],
    "denoise": ["MODEL", "DATA", "-o", "out.csv"],
    "encode": ["MODEL", "DATA", "-o", "out.csv"],
    "decode": ["MODEL", "LATENTS", "-o", "out.csv"],
    "manifold": ["MODEL", "--side", "2", "-o", "out.csv"],
    "interpolate": ["MODEL", "DATA", "0", "1", "-o", "out.csv"],
    "traverse": ["MODEL", "DATA", "0", "-o", "out.csv"],
    "attribute": ["MODEL", "DATA", "1", "--labels", "LABELS", "-o", "out.csv"],
    "impute": ["MODEL", "DATA", "--seen", "upper", "--steps", "2", "-o", "out.csv"],
    "restore": ["MODEL", "DATA", "--steps", "2", "--rows", "0:2", "-o", "out.csv"],
    "score": ["MODEL", "DATA"],
    "detect": ["MODEL", "DATA"],
    "evaluate": ["MODEL", "DATA", "--k", "2"],
    "compress": ["MODEL", "DATA", "-o", "out.npz-bb"],
    "explore": ["MODEL", "DATA", "-o", "out.html"],
    "info": ["MODEL"],
}


@pytest.fixture(scope="module")
def words(tmp_path_factory):
    """Every model of 40 binary images of 3 × 3 pixels, in a folder, and the words that stand for files there."""
    folder = tmp_path_factory.mktemp("needs")
    x = (np.random.default_rng(0).random((40, 3, 3)) > 0.5).astype(np.float32)
    np.save(folder / "x.npy", x)
    np.save(folder / "z.npy", np.zeros((2, 2), np.float32))
    np.save(folder / "labels.npy", np.arange(40) % 2)
    for name in registry.names():
        cls = registry.estimator_class(name)
        model = cls(**{key: value for key, value in SMALL.items() if key in options_of(cls)}).fit(x)
        model.save(folder / f"{name}.npz")
    files = {"DATA": "x.npy", "LATENTS": "z.npy", "LABELS": "labels.npy"}
    return {word: str(folder / file) for word, file in files.items()} | {"FOLDER": str(folder)}


@pytest.mark.parametrize("model", registry.names())
@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_serves_a_model_or_names_those_that_it_serves(words, here, capsys, model, command):
    path = f"{words['FOLDER']}/{model}.npz"
    status = main([command, *((words | {"MODEL": path}).get(word, word) for word in COMMANDS[command])])
    said = capsys.readouterr()
    if status != 0:
        assert status == 2
        assert said.err.count("\n") == 1
        needed, told, rest = said.err.partition(f"npvae {command} needs a model of ")[2].partition("; ")
        if told:
            assert rest == f"{path} is one of {model}\n"
            assert model not in needed.replace(" or ", ", ").split(", ")
        else:  # hidden units of a machine are three
            assert "two latents" in said.err or "have 3 features" in said.err


def test_a_mixture_encodes_rows_to_the_probabilities_of_its_components(words, here):
    assert main(["encode", f"{words['FOLDER']}/gaussian-mixture.npz", words["DATA"], "-o", "p.npy"]) == 0
    mixture = npvae.load(f"{words['FOLDER']}/gaussian-mixture.npz")
    np.testing.assert_array_equal(np.load("p.npy"), mixture.predict_proba(np.load(words["DATA"])))


@pytest.mark.parametrize("model", ["pca", "gaussian-mixture", "rbm"])
def test_evaluate_gives_the_exact_log_density_where_there_is_one(words, here, capsys, model):
    path = f"{words['FOLDER']}/{model}.npz"
    assert main(["evaluate", path, words["DATA"], "--outside", words["DATA"], "-o", "rows.npy"]) == 0
    out = capsys.readouterr().out
    x = np.load(words["DATA"])
    assert f"{-npvae.load(path).score(x):.3f} ±" in out
    assert "draws of z each" not in out
    assert "area by −log p(x)      0.500" in out
    np.testing.assert_allclose(np.load("rows.npy")[:, 0], -npvae.load(path).score_samples(x))


@pytest.mark.parametrize("model", ["sbn", "binary-vae"])
@pytest.mark.parametrize("option", [["-o", "rows.csv"], ["--outside", "grey.npy"]])
def test_evaluate_refuses_grey_pixels_where_it_needs_a_likelihood(words, here, refused, model, option):
    np.save("grey.npy", np.load(words["DATA"]) * 0.5)
    data = words["DATA"] if "--outside" in option else "grey.npy"
    said = refused("evaluate", f"{words['FOLDER']}/{model}.npz", data, "--k", "2", *option)
    assert "must be 0 or 1 to have a log-likelihood under a model of bits" in said


def test_evaluate_says_where_the_log_z_of_a_machine_is_from(words, capsys):
    assert main(["evaluate", f"{words['FOLDER']}/rbm.npz", words["DATA"]]) == 0
    assert "log Z = " in capsys.readouterr().out


def test_factors_need_latents(words, here, refused):
    x = np.random.default_rng(0).random((30, 784))
    GaussianMixture(covariance="diagonal").fit(x).save("m.npz")
    said = refused("evaluate", "m.npz", "digits", "--rows", "0:5", "--factors", "f.png")
    assert "--factors needs a model with latents, m.npz has none" in said


@pytest.mark.parametrize(
    ("model", "draws"), [("vae", True), ("binary-vae", True), ("sbn", False), ("pca", False), ("sparse", False)]
)
def test_score_speaks_of_draws_where_there_are_any(words, capsys, model, draws):
    assert main(["score", f"{words['FOLDER']}/{model}.npz", words["DATA"]]) == 0
    assert ("1 sample of z each" in capsys.readouterr().out) is draws


@pytest.mark.parametrize("model", ["sbn", "binary-vae"])
def test_advice_on_latents_names_what_the_model_has(words, capsys, model):
    assert main(["evaluate", f"{words['FOLDER']}/{model}.npz", words["DATA"], "--k", "2"]) == 0
    out = capsys.readouterr().out
    assert "latents" in out
    assert "free bits" not in out
    assert "KL warm-up" not in out


def test_free_bits_are_no_advice_for_a_bound_without_an_analytic_kl(words):
    def advice(**options):
        vae = VAE(latent_dim=2, hidden=3, epochs=1, random_state=0, **options).fit(np.load(words["DATA"]))
        return vae.collapse_message(np.array([True, False]))

    assert advice().endswith("KL warm-up or free bits may wake more")
    assert advice(bound="monte-carlo").endswith("KL warm-up may wake more")
    assert advice(bound="iwae", n_samples=2).endswith("fewer latents would do")


def test_with_one_draw_no_row_has_an_error_to_be_trusted(words):
    vae = npvae.load(f"{words['FOLDER']}/vae.npz")
    assert not vae.log_likelihood(np.load(words["DATA"]), k=1).reliable.any()


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["info", "no.npz"], "MODEL must name an existing file, got no.npz"),
        (["sample", "no.npz"], "MODEL must name an existing file, got no.npz"),
        (["encode", "VAE", "no.npy"], "DATA must name an existing file, got no.npy"),
        (["decode", "VAE", "no.npy"], "LATENTS must name an existing file, got no.npy"),
        (["decompress", "VAE", "no.npz-bb"], "FILE must name an existing file, got no.npz-bb"),
    ],
)
def test_arguments_without_dashes_are_named_without_dashes(words, here, refused, argv, said):
    named = words | {"VAE": f"{words['FOLDER']}/vae.npz"}
    assert f"npvae: error: {said}" in refused(*(named.get(word, word) for word in argv))


def test_a_wrong_width_is_told_once(words, here, refused):
    np.save("wide.npy", np.zeros((4, 12)))
    said = refused("score", f"{words['FOLDER']}/vae.npz", "wide.npy")
    assert said == "npvae: error: DATA must have 9 features, got shape (4, 12)\n"
    with pytest.raises(ValueError, match=r"^X has 12 features, but VAE is expecting 9 features as input, got shape"):
        npvae.load(f"{words['FOLDER']}/vae.npz").score(np.zeros((4, 12)))


def test_an_option_misspelt_is_answered_by_the_command_that_has_it(here, refused):
    said = refused("train", "--modle", "vae")
    assert said.startswith("npvae train: error: unrecognized arguments: --modle; did you mean --model?")
    assert "see npvae train --help" in said
    assert "did you mean --rows?" in refused("encode", "a.npz", "b.npy", "--rosw", "3")


def test_a_model_named_by_an_abbreviated_option_has_its_own_options(words, here):
    assert main(["train", words["DATA"], "--mod", "pca", "--latent", "1", "-o", "r", "--no-pictures", "--quiet"]) == 0
    assert type(npvae.load("r/model.npz")).__name__ == "PCA"


@pytest.fixture
def table(here):
    """A model of a table with text and gaps, and one of plain numbers, with the files."""
    rng = np.random.default_rng(0)
    lines = [f"{a:.2f},{'' if i % 7 == 0 else 'xy'[i % 2]}" for i, a in enumerate(rng.normal(size=40))]
    (here / "mixed.csv").write_text("\n".join(["height,kind", *lines]))
    (here / "plain.csv").write_text("\n".join(["a,b", *(f"{a:.3f},{a * 100 + 7:.3f}" for a in rng.normal(size=40))]))
    for name in ("mixed", "plain"):
        words = ["--latent", "2", "--hidden", "4", "--epochs", "1", "--seed", "0", "--quiet"]
        assert main(["train", f"{name}.csv", *words, "-o", name]) == 0
    return here


@pytest.mark.parametrize("command", ["interpolate 0 1", "reconstruct", "traverse 0"])
def test_a_table_has_no_pictures(table, refused, command):
    name, *rest = command.split()
    said = refused(name, "mixed/model.npz", "mixed.csv", *rest, "-o", "out.png")
    assert "the model's rows of 2 features are no pictures; use .npy, .npz or .csv" in said


@pytest.mark.parametrize("command", ["explore", "restore"])
def test_columns_of_several_kinds_are_refused_in_those_words(table, refused, command):
    said = refused(command, "mixed/model.npz", "mixed.csv")
    assert f"npvae {command} is for pictures and plain numbers; mixed/model.npz has columns of several kinds" in said


def test_a_restored_table_has_its_names_and_its_units(table, refused):
    said = refused("restore", "plain/model.npz", "plain.csv")
    assert "--seen must be a share of the columns, such as 0.5, where rows are no pictures, got 'upper'" in said
    words = ["--operator", "noise", "--noise", "0.01", "--steps", "20", "-o", "out.csv"]
    assert main(["restore", "plain/model.npz", "plain.csv", *words]) == 0
    assert (table / "out.csv").read_text().splitlines()[0] == "a,b"
    assert np.loadtxt("out.csv", delimiter=",", skiprows=1)[:, 1].std() > 5


def test_a_table_with_text_comes_out_as_a_table_or_not_at_all(table, refused):
    np.save("z.npy", np.zeros((3, 2)))
    for command in (["sample", "mixed/model.npz", "-n", "3"], ["decode", "mixed/model.npz", "z.npy"]):
        assert main([*command, "-o", "out.csv"]) == 0
        head, *rows = (table / "out.csv").read_text().splitlines()
        assert head == "height,kind"
        assert {row.split(",")[1] for row in rows} <= {"x", "y"}
        assert "--output must end in .csv, since the result has text" in refused(*command, "-o", "out.npy")
        assert not (table / "out.npy").exists()


def test_a_gap_in_a_table_is_filled_in_by_a_value_of_its_column(table):
    assert main(["impute", "mixed/model.npz", "mixed.csv", "--steps", "5", "-o", "out.csv"]) == 0
    before, after = ((table / name).read_text().splitlines() for name in ("mixed.csv", "out.csv"))
    assert len(before) == len(after)
    for old, new in zip(before[1:], after[1:], strict=True):
        kind, filled = old.split(",")[1], new.split(",")[1]
        assert filled == kind or (kind == "" and filled in ("x", "y"))


def test_a_traversal_of_a_table_has_a_column_for_each_of_its_own(table):
    assert main(["traverse", "plain/model.npz", "plain.csv", "0", "--steps", "3", "-o", "out.csv"]) == 0
    lines = (table / "out.csv").read_text().splitlines()
    assert lines[0] == "a,b"
    assert [line.count(",") for line in lines] == [1] * 7


def test_log_prob_is_the_score_of_rows():
    x = np.random.default_rng(1).normal(size=(50, 2))
    mixture = GaussianMixture(2, random_state=0).fit(x)
    np.testing.assert_array_equal(mixture.log_prob(x), mixture.score_samples(x))
