"""The page as text: what it holds, how large it is, and what cannot be made into one."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from npvae import explorer
from npvae.distributions import Bernoulli, FixedGaussian, LearnedGaussian, UniformBernoulli
from npvae.explorer import MOST_BYTES, Examples, explorer_page
from npvae.models import VAE


def small(**settings):
    model = VAE.mlp(16, 3, (5,), **settings)
    return model, model.init(np.random.default_rng(0))


def data(page):
    return json.loads(re.search(r'<script type="application/json" id="model">(.*?)</script>', page, re.DOTALL)[1])


def test_a_page_names_nothing_outside_itself():
    page = explorer_page(*small())
    assert not re.search(r"https?://|src=|@import|url\(", page)
    assert page.startswith("<!doctype html>")


def test_the_page_of_the_default_model_with_examples_stays_below_two_megabytes():
    model = VAE.mlp(784, 20)
    rng = np.random.default_rng(0)
    theta, x = model.init(rng), (rng.random((3000, 784)) < 0.2).astype(np.float32)
    page = explorer_page(model, theta, Examples(x, np.arange(3000) % 10))
    assert len(page.encode()) < MOST_BYTES
    assert data(page)["manifest"]["decoder.2.W"]["packed"] == "float16"
    assert "rounded to 16-bit floats: that moves no pixel of 200 random pictures by more than" in page


def test_titles_and_classes_cannot_break_out_of_their_place():
    model, theta = small()
    examples = Examples(np.eye(16), np.zeros(16, int), ["</script><b>"])
    page = explorer_page(model, theta, examples, title="<b> & more")
    assert "<title>&lt;b&gt; &amp; more</title>" in page
    assert "</script><b>" not in page
    assert data(page)["classes"] == ["</script><b>"]


def test_shapes_are_squares_unless_told():
    model, theta = small()
    assert data(explorer_page(model, theta))["image"] == [4, 4, 1]
    assert data(explorer_page(model, theta, image_shape=(2, 8)))["image"] == [2, 8, 1]
    assert data(explorer_page(model, theta, image_shape=(2, 2, 4)))["image"] == [2, 2, 4]
    line = VAE.mlp(6, 2, (5,))
    assert data(explorer_page(line, line.init(np.random.default_rng(0))))["image"] == [1, 6, 1]


def test_grey_levels_span_the_range_of_the_examples():
    model, theta = small(likelihood=FixedGaussian(0.5))
    told = data(explorer_page(model, theta, Examples(np.linspace(-2, 3, 32).reshape(2, 16))))
    assert told["range"] == [-2, 3]
    assert told["likelihood"] == {"kind": "fixedgaussian", "sigma": 0.5, "link": "identity"}
    assert not told["binary"]


def test_what_a_page_cannot_compute_is_refused():
    model, theta = small()
    with pytest.raises(ValueError, match=r"image_shape must be that of images with 16 pixels, got \(4, 5\)"):
        explorer_page(model, theta, image_shape=(4, 5))
    with pytest.raises(ValueError, match="examples must have 16 features"):
        explorer_page(model, theta, Examples(np.eye(4)))
    with pytest.raises(ValueError, match="labels must be 2 integers from 0"):
        explorer_page(model, theta, Examples(np.eye(16)[:2], np.array([0, -1])))
    with pytest.raises(ValueError, match="classes must name all 3 classes of the labels, got 2 names"):
        explorer_page(model, theta, Examples(np.eye(16)[:2], np.array([0, 2]), ["no", "yes"]))

    class Other(LearnedGaussian):
        pass

    model, theta = small(likelihood=Other())
    with pytest.raises(ValueError, match="model must have a likelihood that a page can compute, one of Bernoulli"):
        explorer_page(model, theta)
    model, theta = small(prior=UniformBernoulli(), posterior=Bernoulli(), bound="score-function")
    with pytest.raises(ValueError, match=r"model must have the prior N\(0, I\) for a page, got UniformBernoulli"):
        explorer_page(model, theta)


def test_a_page_that_would_be_too_large_says_by_what():
    model, theta = small()
    message = r"be at least [\d,]+ for this page \([\d,]+ of weights as int8, [\d,]+ of everything else\), got 9000"
    with pytest.raises(ValueError, match=message):
        explorer_page(model, theta, most_bytes=9000)
    middle = len(explorer_page(model, theta).encode()) - 50
    assert data(explorer_page(model, theta, most_bytes=middle))["manifest"]["encoder.0.W"]["packed"] == "int8"


def test_weights_beyond_float16_are_rounded_to_whole_numbers():
    model, theta = small()
    theta = theta.copy()
    theta["encoder.0.W"][0, 0] = 1e5
    assert data(explorer_page(model, theta))["manifest"]["encoder.0.W"]["packed"] == "int8"


def test_the_finished_page_has_the_scripts_of_today():
    docs, sources = Path(__file__).parents[2] / "docs" / "explorer.html", Path(explorer.__file__).parent
    page = docs.read_text("utf-8")
    assert len(page.encode()) < MOST_BYTES
    for name in ("network.js", "densities.js", "page.js", "page.css"):
        assert (sources / name).read_text("utf-8").strip() in page
