import numpy as np
import pytest

from npvae import plots
from npvae.diagnosis.steps import step_curve
from npvae.layers import Tanh


def test_every_method_is_a_line_on_logarithmic_axes_with_labels():
    curve = step_curve(Tanh(), steps=np.logspace(-1, -12, 12))
    ax = plots.step_curve(curve).axes[0]
    assert (ax.get_xscale(), ax.get_yscale()) == ("log", "log")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("step size", "error of the derivative, relative")
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert [label.split()[0] for label in labels] == ["forward", "central", "Richardson,", "complex"]
    np.testing.assert_array_equal(ax.lines[1].get_xdata(), curve["step"])
    np.testing.assert_array_equal(ax.lines[1].get_ydata(), np.maximum(curve["central"], 2.0**-54))


def test_an_error_of_zero_is_drawn_at_half_a_unit_in_the_last_place():
    ax = plots.step_curve({"step": [1.0, 0.1], "complex": [1e-3, 0.0]}).axes[0]
    assert ax.lines[0].get_ydata().tolist() == [1e-3, 2.0**-54]


def test_it_draws_into_given_axes():
    ax = plots.step_curve({"step": [1.0], "central": [0.1]}).axes[0]
    assert plots.step_curve({"step": [1.0], "forward": [0.1]}, ax) is ax.figure
    assert len(ax.lines) == 2


@pytest.mark.parametrize("curve", [{}, {"step": [1.0]}, {"central": [1.0]}])
def test_a_curve_without_steps_or_errors_is_refused(curve):
    with pytest.raises(ValueError, match="curve must have 'step' and some of forward, central"):
        plots.step_curve(curve)
