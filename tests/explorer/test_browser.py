"""The page in a headless Chromium: its numbers are NumPy's, and it answers to mouse and keys without complaint."""

import numpy as np
import pytest

from npvae.distributions import (
    Bernoulli,
    ContinuousBernoulli,
    DiagonalGaussian,
    DiscretizedLogistic,
    FixedGaussian,
    FullGaussian,
    LearnedGaussian,
    LogisticMixture,
)
from npvae.explorer import Examples
from tests.explorer.pages import opened, random_model, require_same_numbers


@pytest.mark.parametrize(
    "likelihood",
    [
        Bernoulli(),
        ContinuousBernoulli(),
        DiagonalGaussian(),
        FixedGaussian(0.7, "sigmoid"),
        LearnedGaussian(shared=True, link="sigmoid"),
        LearnedGaussian(),
        DiscretizedLogistic("sigmoid"),
        DiscretizedLogistic(levels=5),
        LogisticMixture(3),
    ],
    ids=repr,
)
def test_every_likelihood_is_numpys(chromium, tmp_path, likelihood):
    model, theta = random_model(likelihood=likelihood)
    require_same_numbers(opened(chromium, tmp_path, model, theta), model, theta)


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_every_precision_and_a_full_covariance_are_numpys(chromium, tmp_path, precision):
    model, theta = random_model(posterior=FullGaussian())
    page = opened(chromium, tmp_path, model, theta, precision=precision)
    require_same_numbers(page, model, theta, precision)


def test_the_default_model_is_numpys_and_asks_for_nothing_from_outside(chromium, tmp_path):
    model, theta = random_model(784, 20, (400,), scale=0.02)
    x = (np.random.default_rng(0).random((40, 784)) < 0.3).astype(np.float32)
    page = opened(chromium, tmp_path, model, theta, Examples(x, np.arange(40) % 10))
    require_same_numbers(page, model, theta)
    assert [url.split(":")[0] for url in page.requests] == ["file"]


@pytest.mark.parametrize("n", [10, 11, 26])
def test_every_class_has_a_colour_of_its_own_and_its_points_have_it(chromium, tmp_path, n):
    model, theta = random_model(hidden=(9,), scale=1.0)
    labels = np.array([0, n - 1])
    page = opened(chromium, tmp_path, model, theta, Examples(np.eye(16)[:2], labels, [str(k) for k in range(n)]))
    legend = page.js(
        '[...document.querySelectorAll("#legend i")].map((i) => getComputedStyle(i).backgroundColor.match(/[0-9.]+/g))'
    )
    colours = np.array(legend, float)
    assert len(colours) == n
    distances = np.linalg.norm(colours[:, None] - colours, axis=-1)
    assert distances[~np.eye(n, dtype=bool)].min() > 20
    assert not page.complaints
    painted = page.js(
        """(() => {
            const told = JSON.parse(document.getElementById("model").textContent);
            const canvas = document.getElementById("scatter"), size = canvas.width;
            const place = (v) => (v / 3.5 + 1) / 2 * size;
            const at = ([x, y]) => canvas.getContext("2d").getImageData(place(x), size - place(y), 1, 1).data;
            return told.points.map((point) => [...at(point)].slice(0, 3));
        })()"""
    )
    np.testing.assert_allclose(painted, colours[labels], atol=4)


PICTURE = 'document.getElementById("picture").toDataURL()'


@pytest.fixture
def page(chromium, tmp_path):
    model, theta = random_model(hidden=(9,), scale=1.0)
    x = (np.random.default_rng(0).random((20, 16)) < 0.5).astype(np.float32)
    page = opened(chromium, tmp_path, model, theta, Examples(x, np.arange(20) % 2, ["no", "yes"]))
    page.js('document.getElementById("pad").scrollIntoView()')
    yield page
    assert not page.complaints


def box(page, identifier):
    return page.js(
        f'(({{left, top, width, height}}) => [left, top, width, height])(document.getElementById("{identifier}")'
        ".getBoundingClientRect())"
    )


def test_dragging_moves_z_and_changes_the_picture(page):
    left, top, width, height = box(page, "scatter")
    before = page.js(PICTURE)
    page.mouse("mousePressed", left + 0.5 * width, top + 0.5 * height)
    page.mouse("mouseMoved", left + 0.75 * width, top + 0.25 * height)
    page.mouse("mouseReleased", left + 0.75 * width, top + 0.25 * height)
    np.testing.assert_allclose(page.js("explorer.position()"), [1.75, 1.75, 0], atol=0.05)
    assert page.js(PICTURE) != before
    assert page.js('document.getElementById("status").textContent').startswith("z1 = 1.7")


def test_keys_move_z_and_are_told_to_a_screen_reader(page):
    page.js('document.getElementById("pad").focus()')
    for key in ("ArrowRight", "ArrowRight", "ArrowDown"):
        page.key(key)
    np.testing.assert_allclose(page.js("explorer.position()"), [0.2, -0.1, 0], atol=1e-9)
    assert page.js('document.getElementById("status").textContent') == "z1 = 0.20, z2 = -0.10"
    page.key("Home")
    assert page.js("explorer.position()") == [0, 0, 0]


def test_sliders_examples_and_the_way_between_two_pictures(page):
    page.js(
        '(() => { const s = document.querySelectorAll("#sliders input")[2]; s.value = 1.5;'
        ' s.dispatchEvent(new Event("input")); })()'
    )
    assert page.js("explorer.position()") == [0, 0, 1.5]
    assert page.js('document.getElementById("status").textContent') == "z3 = 1.50"
    page.js('document.getElementById("keep-b").click()')
    page.js('document.querySelector("#examples button").click()')
    terms = [
        float(page.js(f'document.getElementById("{name}").textContent')) for name in ("reconstruction", "kl", "loss")
    ]
    assert terms[2] == pytest.approx(terms[0] + terms[1], abs=0.02)
    page.js('document.getElementById("keep-a").click()')
    first = np.array(page.js("explorer.position()"))
    page.js(
        '(() => { const s = document.getElementById("between"); s.value = 0.5;'
        ' s.dispatchEvent(new Event("input")); })()'
    )
    np.testing.assert_allclose(page.js("explorer.position()"), 0.5 * first + [0, 0, 0.75], atol=1e-9)


def test_drawing_encodes_what_was_drawn(page):
    page.js('document.getElementById("drawing").scrollIntoView()')
    left, top, width, height = box(page, "drawing")
    page.mouse("mousePressed", left + 0.2 * width, top + 0.2 * height)
    page.mouse("mouseMoved", left + 0.7 * width, top + 0.2 * height)
    page.mouse("mouseReleased", left + 0.7 * width, top + 0.2 * height)
    assert page.js('document.getElementById("loss").textContent') != "–"
    assert page.js("explorer.position().some((v) => v !== 0)")


def test_a_dropped_file_is_encoded_and_one_that_is_no_image_is_said_to_be_none(page):
    drop = """(async (make) => {
        const file = await make(), transfer = new DataTransfer();
        transfer.items.add(file);
        dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, cancelable: true }));
        await new Promise((done) => setTimeout(done, 300));
    })"""
    page.js(
        drop
        + """(() => new Promise((done) => {
            const canvas = document.createElement("canvas");
            canvas.width = canvas.height = 40;
            canvas.getContext("2d").fillStyle = "#fff";
            canvas.getContext("2d").fillRect(0, 0, 20, 40);
            canvas.toBlob((blob) => done(new File([blob], "half.png", { type: "image/png" })));
        }))"""
    )
    half = np.zeros((1, 16))
    half.reshape(4, 4)[:, :2] = 1
    expected = page.js(f"explorer.model.loss({half[0].tolist()}).reconstruction")
    assert float(page.js('document.getElementById("reconstruction").textContent')) == pytest.approx(expected, abs=0.01)
    page.js(drop + '(() => new File(["nothing"], "note.txt", { type: "text/plain" }))')
    assert "note.txt is no image" in page.js('document.getElementById("status").textContent')


def test_the_travel_button_moves_and_stops(page):
    page.js('document.getElementById("travel").click()')
    page.js("new Promise((done) => setTimeout(done, 300))")
    assert page.js("explorer.position()[0] > 0")
    assert page.js('document.getElementById("travel").getAttribute("aria-pressed")') == "true"
    page.js('document.getElementById("travel").click()')
    assert page.js('document.getElementById("travel").getAttribute("aria-pressed")') == "false"


def test_light_and_dark(page):
    def ground():
        return page.js("getComputedStyle(document.body).backgroundColor")

    before = ground()
    page.js('document.getElementById("theme").click()')
    assert ground() != before
    page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark"}])
    page.js("delete document.documentElement.dataset.theme")
    assert ground() == "rgb(21, 23, 26)"
    page.call("Emulation.setEmulatedMedia", features=[])


def test_a_phone_shows_it_without_scrolling_sideways(page):
    page.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    assert page.js("document.documentElement.scrollWidth <= 360")
    page.call("Emulation.clearDeviceMetricsOverride")


def test_everything_that_can_be_operated_has_a_name(page):
    nodes = page.call("Accessibility.getFullAXTree")["nodes"]
    roles = {"button", "slider", "combobox", "application", "img", "textbox"}
    operated = [node for node in nodes if node.get("role", {}).get("value") in roles and not node.get("ignored")]
    assert len(operated) > 25
    assert not [node for node in operated if not node.get("name", {}).get("value")]
