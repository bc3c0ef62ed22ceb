import numpy as np
import pytest

from npvae.datasets.strokes import STYLES, sample_stroke, spline_weights, tabulate


def all_styles():
    return [style for digit in range(10) for style in STYLES[digit]]


def test_every_digit_has_a_style_and_some_have_more():
    assert sorted(STYLES) == list(range(10))
    assert all(len(STYLES[digit]) >= 2 for digit in (1, 4, 7))


@pytest.mark.parametrize("f", [0.0, 0.3, 0.5, 1.0])
def test_spline_reproduces_straight_lines_at_even_speed(f):
    weights = np.array(spline_weights(f))
    assert weights.sum() == pytest.approx(1)
    assert weights @ [-1, 0, 1, 2] == pytest.approx(f)
    assert weights @ [1, 0, 1, 4] == pytest.approx(f * f)


def test_stroke_starts_and_ends_at_its_end_points():
    stroke = ((0.0, 0.0), (1.0, 2.0), (3.0, 2.5))
    for at, end in ((0.0, stroke[0]), (1.0, stroke[-1])):
        points, weights = sample_stroke(stroke, at)
        np.testing.assert_allclose(np.array(weights) @ np.array(points), end, atol=1e-12)


@pytest.mark.parametrize("at", [0.0, 0.1, 0.4, 0.5, 0.8, 1.0])
def test_an_open_stroke_keeps_its_speed_up_to_its_ends(at):
    points, weights = sample_stroke(((0.0, 0.0), (1.0, 2.0), (2.0, 4.0)), at)
    np.testing.assert_allclose(np.array(weights) @ np.array(points), [2 * at, 4 * at], atol=1e-12)


def test_closed_stroke_has_no_corner_where_it_closes():
    circle = [(np.cos(a), np.sin(a)) for a in np.linspace(0, 2 * np.pi, 9)[:-1]]
    stroke = tuple(circle + circle[:1])

    def at(t):
        points, weights = sample_stroke(stroke, t)
        return np.array(weights) @ np.array(points)

    leaving, arriving = at(1e-4) - at(0.0), at(1.0) - at(1 - 1e-4)
    np.testing.assert_allclose(leaving, arriving, atol=1e-6)


@pytest.mark.parametrize("samples", [40, 88])
def test_tables_reproduce_every_style(samples):
    table = tabulate(samples)
    for j, style in enumerate(all_styles()):
        way = sum(table.weight[k, :, j, None] * table.controls[table.index[k, :, j], :, j] for k in range(4))
        np.testing.assert_allclose(way[0], style[0][0], atol=1e-12)
        np.testing.assert_allclose(way[-1], style[-1][-1], atol=1e-12)
        points = np.array([p for stroke in style for p in stroke])
        nearest = np.sqrt(((points[:, None] - way[None]) ** 2).sum(2)).min(1)
        assert nearest.max() < 2.5 / samples
        assert np.abs(way).max() <= 0.55


def test_classes_index_their_styles():
    table = tabulate(40)
    np.testing.assert_array_equal(table.count, [len(STYLES[digit]) for digit in range(10)])
    np.testing.assert_array_equal(table.first, np.r_[0, np.cumsum(table.count)[:-1]])
