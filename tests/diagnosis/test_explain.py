import numpy as np
import pytest

from npvae.diagnosis.explain import find_culprits
from npvae.gradcheck.numeric import complex_step
from npvae.gradcheck.point import Point, draw_probes
from npvae.gradcheck.subject import Subject


def culprits(shape, spoil):
    """Search the gradient of Σ u∘x³, spoiled in place by `spoil`; the result, and the forwards it took."""
    x = np.random.default_rng(0).standard_normal(shape)

    def backward(x, upstream):
        gradient = 3 * x**2 * upstream[0]
        spoil(gradient)
        return {"x": gradient}

    subject = Subject("cube", {"x": x}, lambda tensors: (tensors["x"] ** 3, tensors["x"]), backward)
    point = Point(subject, subject.tensors)
    probe = draw_probes(point, 1, seed=0)["x"][0]
    before = point.evaluations
    return find_culprits(probe, complex_step, 1e-9), point.evaluations - before


@pytest.mark.parametrize("index", [(0, 0), (399, 391), (17, 300), (200, 0)])
def test_one_element_of_156_800_takes_few_evaluations(index):
    def spoil(g):
        g[index] *= 2

    found, evaluations = culprits((400, 392), spoil)
    assert [element.index for element in found.elements] == [index]
    assert found.elements[0].analytic == pytest.approx(2 * found.elements[0].numeric)
    assert found.extent == "1 of 156,800 elements wrong."
    # Twelve samples, 18 halvings, one for the element, and a few to see where there is more.
    assert evaluations <= 38


def test_a_few_wrong_elements_are_all_found():
    places = [(3, 4), (50, 60), (99, 1)]

    def spoil(g):
        for place in places:
            g[place] += 1.0

    found, _ = culprits((100, 80), spoil)
    assert sorted(element.index for element in found.elements) == places
    assert found.extent == "3 of 8,000 elements wrong."


@pytest.mark.parametrize(("axis", "place"), [(0, 41), (1, 7)])
def test_a_wrong_row_or_column_is_recognised(axis, place):
    def spoil(g):
        g[(slice(None),) * axis + (place,)] *= 1.5

    found, _ = culprits((100, 80), spoil)
    assert found.extent == f"Only elements with index {place} on axis {axis} are wrong."
    assert not found.everywhere


def test_all_elements_wrong():
    found, evaluations = culprits((100, 80), lambda g: np.multiply(g, 2, out=g))
    assert found.everywhere
    assert found.extent == "Every element looked at is wrong (12 of 8,000)."
    assert evaluations == 13  # one to see what it calls


def test_many_scattered_elements_wrong():
    def spoil(g):
        g.flat[::3] *= 2

    found, _ = culprits((100, 80), spoil)
    assert not found.everywhere
    assert found.extent.startswith("Some elements are wrong")


def test_a_small_tensor_is_looked_at_as_a_whole():
    def spoil(g):
        g[1] += 1

    found, evaluations = culprits((3, 4), spoil)
    assert evaluations == 13  # one to see what it calls
    assert found.numeric.shape == (3, 4)
    assert found.extent == "4 of 12 elements wrong, all with index 1 on axis 0."
