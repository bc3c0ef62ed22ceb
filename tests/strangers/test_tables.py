"""Each table by the commands and as a frame: a finite loss that falls, or one line that says what to do."""

import csv

import numpy as np
import pytest

import npvae
from npvae import VAE, datasets
from npvae.cli import main
from npvae.estimators import registry
from npvae.validation import DataWarning
from tests.strangers.tables import TABLES

REFUSED = {
    "broken": r"must be finite, got inf at row 5, column 'b'",
    "huge": r"must have values below 1e\+150, got 1e\+300 at row 9, column 'c'",
}
MIXTURE = ("sensors", "passengers", "small_squares")
"""Tables of text with gaps, of several kinds, and of numbers alone."""

SMALL = {"latent_dim": 3, "hidden": 16, "epochs": 5, "learning_rate": 0.003, "random_state": 0}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The path of each table."""
    folder = tmp_path_factory.mktemp("tables")
    return {name: write(folder, np.random.default_rng(0)) for name, write in TABLES.items()}


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def train(path, *others):
    small = ["--latent", "3", "--hidden", "16", "--epochs", "3", "--seed", "0", "--quiet", "--no-pictures"]
    return main(["train", str(path), "-o", "run", *small, *others])


@pytest.mark.parametrize("name", [name for name in TABLES if name not in REFUSED])
@pytest.mark.filterwarnings("ignore::npvae.validation.DataWarning")  # asserted by a test of its own
def test_every_command_takes_what_it_can(files, name):
    path = str(files[name])
    assert train(path) == 0
    model = npvae.load("run/model.npz")
    known = list(model.feature_names_in_)
    for words in (
        ["sample", "run/model.npz", "-n", "5", "--seed", "0", "-o", "sample.csv"],
        ["reconstruct", "run/model.npz", path, "-o", "reconstruct.csv"],
        ["encode", "run/model.npz", path, "-o", "encode.csv"],
        ["score", "run/model.npz", path],
        ["evaluate", "run/model.npz", path, "--k", "5", "--rows", "0:20"],
        ["info", "run/model.npz"],
    ):
        assert main(words) == 0
    for result in ("sample.csv", "reconstruct.csv"):
        with open(result, newline="", encoding="utf-8") as file:
            assert next(csv.reader(file)) == known
    if datasets.read_table(path).has_gaps():
        assert main(["impute", "run/model.npz", path, "--steps", "10", "-o", "impute.csv"]) == 0
    assert model.image_shape_ is None


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_learnt_from_is_told_in_a_line(files, name, capsys):
    assert train(files[name]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    with pytest.raises(ValueError, match=REFUSED[name]):
        VAE(**SMALL).fit(datasets.read_table(files[name]))


@pytest.mark.parametrize(
    ("name", "library"),
    [*((name, "pandas") for name in TABLES if name not in REFUSED), *((name, "polars") for name in MIXTURE)],
)
@pytest.mark.filterwarnings("ignore::npvae.validation.DataWarning")  # asserted by a test of its own
def test_a_frame_is_learnt_from_and_comes_back_as_one(files, name, library):
    frames = pytest.importorskip(library)
    table = datasets.read_table(files[name])
    columns = {column: table[column] for column in table.columns}
    if library == "polars":
        columns = {column: values.tolist() for column, values in columns.items()}
    frame = frames.DataFrame(columns)
    n = len(frame) * 4 // 5
    vae = VAE(**SMALL | ({"learning_rate": 0.001} if name == "genes" else {})).fit(frame[:n], X_val=frame[n:])
    losses = vae.history_["val_loss"]
    assert np.isfinite(losses).all()
    assert losses[-1] < losses[0]
    for made in (vae.sample(5, 0), vae.reconstruct(frame[n:]), vae.impute(frame[n:], steps=10).mean):
        assert isinstance(made, frames.DataFrame)
        assert list(made.columns) == table.columns
    assert np.isfinite(vae.score_samples(frame[n:])).all()
    assert vae.reconstruction_error(frame[n:]).shape == (len(frame) - n,)


def test_incomes_are_warned_of(files):
    with pytest.warns(DataWarning, match="X has extreme values in 'income', 'wealth'"):
        VAE(**SMALL).fit(datasets.read_table(files["incomes"]))


@pytest.mark.parametrize("name", ["parquet", "feather", "xlsx"])
def test_tables_of_other_programs_are_told_what_to_do(tmp_path, name, capsys):
    (tmp_path / f"a.{name}").write_bytes(b"PAR1")
    assert train(tmp_path / f"a.{name}") == 2
    assert "read it with pandas or Polars and pass the frame to fit, or save it as .csv" in capsys.readouterr().err


@pytest.mark.parametrize(
    "model", ["rbm", "sbn", "binary-vae", "autoencoder", "sparse", "denoising", "contractive", "pca"]
)
def test_other_models_take_numbers_and_say_who_takes_the_rest(files, model, capsys):
    path, epochs = str(files["marks"]), [] if model == "pca" else ["--epochs", "1"]
    assert main(["train", path, "--model", model, "-o", "marks", "--quiet", "--no-pictures", *epochs]) == 0
    assert main(["train", str(files["passengers"]), "--model", model, "-o", "p", "--quiet", *epochs]) == 2
    told = capsys.readouterr().err
    assert "in column 'Name', which is text; leave the column out, encode it, or take a VAE" in told


@pytest.mark.parametrize("model", registry.names())
def test_every_model_takes_a_frame_and_draws_one(files, model):
    pandas = pytest.importorskip("pandas")
    frame = pandas.read_csv(files["marks"]).iloc[:100, :20]
    fitted = registry.estimator_class(model)(random_state=0)
    if "epochs" in fitted.get_params():
        fitted.set_params(epochs=1)
    fitted.fit(frame)
    assert list(fitted.sample(4).columns) == list(frame.columns)
    assert np.isfinite(fitted.score_samples(frame)).all()
    if hasattr(fitted, "reconstruct"):
        assert list(fitted.reconstruct(frame).columns) == list(frame.columns)
        assert fitted.reconstruction_error(frame).shape == (100,)
    else:
        assert not hasattr(fitted, "reconstruction_error")
