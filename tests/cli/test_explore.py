"""``npvae explore``: the page it writes, and what it refuses."""

import pytest

from npvae.cli import main


def test_a_page_is_written_with_examples_and_classes(files, here, capsys):
    words = ["explore", files.model, files.images, "--labels", files.labels, "--title", "Six by six", "-o", "page.html"]
    assert main(words) == 0
    page = (here / "page.html").read_text("utf-8")
    assert f"wrote page.html ({len(page.encode()):,} bytes)" in capsys.readouterr().out
    assert "<title>Six by six</title>" in page
    assert '"image":[6,6,1]' in page
    assert '"classes":["0","1","2"]' in page


def test_a_page_needs_no_data(files, here):
    assert main(["explore", files.model]) == 0
    assert '"points":[]' in (here / "explore.html").read_text("utf-8")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-o", "page.txt"], "output must end in .html, .htm, got 'page.txt'"),
        (["--most-bytes", "1000"], "--most-bytes must be at least"),
    ],
)
def test_what_cannot_be_is_refused(files, here, refused, words, message):
    assert message in refused("explore", files.model, *words)


def test_a_model_without_a_decoder_is_refused(files, here, refused):
    words = ["--model", "rbm", "--binarize", "threshold", "--hidden", "3", "--epochs", "1", "--no-pictures", "--quiet"]
    assert main(["train", files.images, *words, "-o", "machine"]) == 0
    for command in (["explore", "machine/model.npz"], ["restore", "machine/model.npz", files.images]):
        assert f"npvae {command[0]} needs a model of vae; machine/model.npz is one of rbm" in refused(*command)
