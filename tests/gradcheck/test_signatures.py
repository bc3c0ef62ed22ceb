"""The ways in which people write a forward and a backward, and what the report says of them."""

import numpy as np
import pytest

from npvae.cli.factory import make
from npvae.gradcheck import FAIL, PASS, check_function, check_layer
from npvae.gradcheck.check import check_made
from npvae.gradcheck.verdict import Settings

X = np.random.default_rng(0).normal(size=(4, 3))


def dense(x, w):
    return x @ w, (x, w)


def without_dx(cache, dy):
    return {"w": cache[0].T @ dy}


def kinds(report, fails=None):
    return [(f.kind, f.tensor) for f in report.findings if fails is None or f.fails == fails]


def test_an_argument_that_was_not_checked_is_named_and_with_strict_a_finding():
    given = {"x": X}, {"w": np.ones((3, 2))}
    report = check_function(dense, without_dx, *given)
    assert (report.status, kinds(report)) == (PASS, [("not checked", "x")])
    report = check_function(dense, without_dx, *given, strict=True)
    assert (report.status, kinds(report, fails=True)) == (FAIL, [("not checked", "x")])


def test_a_gradient_that_is_zero_everywhere_is_remarked_on():
    report = check_function(lambda x: (np.ones(2), x), lambda x, dy: 0 * x, X)
    assert (report.status, kinds(report)) == (PASS, [("zero gradient", "x")])


def test_a_tolerance_that_is_granted_stands_in_the_report():
    def rough(x):
        return x**2, x

    report = check_function(rough, lambda x, dy: 2.001 * x * dy, X, rtol=0.01)
    assert report.status == PASS
    assert "errors up to rtol=0.01 of the gradient are granted" in str(report)
    assert check_function(rough, lambda x, dy: 2.1 * x * dy, X, rtol=0.01).status == FAIL


@pytest.mark.parametrize("lost", [False, True])
def test_outputs_beside_whole_numbers(lost):
    def top(x):
        return (x.max(axis=1), x.argmax(axis=1)), x

    def backward(x, dy):
        return np.eye(3)[x.argmax(axis=1)] * dy[0][:, None] * (0.5 if lost else 1)

    assert check_function(top, backward, X).status == (FAIL if lost else PASS)


def test_outputs_left_out():
    def two(x):
        return (x**2, np.exp(x)), x

    def backward(x, dy):
        return 2 * x * dy[0]

    assert check_function(two, backward, X).status == FAIL
    assert check_function(two, backward, X, skip=(1,)).status == PASS


def test_a_backward_that_expects_a_cache_that_never_came_is_explained():
    report = check_function(lambda x: x**2, lambda cache, dy: 2 * cache * dy, X)
    assert "forward returned y alone: return (y, cache), and backward is called (cache, dy)" in str(report)
    report = check_function(lambda x: (x**2, x), lambda dy: dy, X)
    assert "backward takes one argument (dy), but forward returns (y, cache)" in str(report)


def test_an_exception_shows_its_line():
    def broken(x):
        return x @ x, x

    text = str(check_function(broken, lambda x, dy: x, X))
    assert "of test_signatures.py: return x @ x, x" in text


def test_a_class_is_not_a_layer():
    class Layer:
        def forward(self, x):
            return x

        def backward(self, dy):
            return dy

    with pytest.raises(TypeError, match="got Layer, a class: make one"):
        check_layer(Layer)
    assert check_layer(Layer()).findings[0].message == "x of shape (7, 5), drawn by the checker"
    Layer.input_shape = (2, 3)
    assert check_layer(Layer()).findings[0].message == "x of shape (7, 2, 3), drawn by the checker"


class Embedding:
    def __init__(self, add=True):
        self.table, self.add = np.ones((5, 2)), add

    def forward(self, ids):
        self.ids = ids
        return self.table[ids]

    def backward(self, dy):
        self.dtable = np.zeros_like(self.table)
        if self.add:
            np.add.at(self.dtable, self.ids, dy)
        else:
            self.dtable[self.ids] = dy


@pytest.mark.parametrize("add", [True, False])
def test_an_embedding_takes_whole_numbers(add):
    report = check_layer(Embedding(add), np.array([0, 2, 2, 4]))
    assert (report.status, report.entries[0].name) == (PASS if add else FAIL, "table")


def test_a_check_leaves_no_trace_in_a_layer():
    layer = Embedding()
    check_layer(layer, np.array([0, 1]))
    assert set(vars(layer)) == {"table", "add"}
    np.testing.assert_array_equal(layer.table, np.ones((5, 2)))


def test_a_file_can_import_its_neighbours(tmp_path):
    (tmp_path / "neighbour_of_mine.py").write_text("def half(x):\n    return x / 2\n")
    file = tmp_path / "mine_with_neighbour.py"
    file.write_text(
        "import numpy as np\nfrom neighbour_of_mine import half\n"
        "def factory():\n    return lambda x: (half(x), x), lambda x, dy: half(dy), np.ones(3)\n"
    )
    assert check_made(make(f"{file}:factory"), Settings()).status == PASS


def mean_square(x, t):
    d = x - t
    return (d * d).mean(), d


def test_a_loss_may_have_a_backward_without_an_upstream_gradient():
    x, t = np.random.default_rng(0).normal(size=(2, 4, 3))
    right = check_function(mean_square, lambda d: (2 * d / d.size, -2 * d / d.size), (x, t))
    wrong = check_function(mean_square, lambda d: {"x": 2 * d / d.size, "t": -d / d.size}, (x, t))
    assert right.status == PASS
    assert wrong.status == FAIL
    assert "factor 2" in str(wrong)


def test_gradients_may_be_those_of_the_floating_point_arguments_alone():
    mask, x = np.tril(np.ones((4, 4), bool)), np.random.default_rng(0).normal(size=(4, 4))
    pair = (lambda x, mask: (np.where(mask, 3 * x, 0), mask), lambda mask, dy: (np.where(mask, 3 * dy, 0),))
    assert check_function(*pair, (x, mask)).status == PASS
    assert check_function(pair[0], lambda mask, dy: (3 * dy,), (x, mask)).status == FAIL
