import numpy as np
import pytest

from npvae.optimizers import SGD
from npvae.parameters import Parameters
from npvae.training import Averaged, TrainingRun, load_checkpoint, save_checkpoint


def walk(run, optimizer, gradients):
    """Step along the gradients; returns the parameters after each step."""
    passed = []
    for gradient in gradients:
        optimizer.step(run.theta.flat, gradient, run.optimizer_state)
        passed.append(run.theta.flat.copy())
    return np.array(passed)


def begin(optimizer):
    return TrainingRun.begin(Parameters({"w": (3,)}, np.float64), optimizer, seed=0)


GRADIENTS = np.random.default_rng(0).normal(size=(20, 3))


@pytest.mark.parametrize(("first", "every"), [(0, 1), (8, 1), (7, 5), (4, 16)])
def test_the_mean_is_that_of_the_parameters_after_the_steps_that_count(first, every):
    optimizer = Averaged(SGD(0.1), first, every)
    run = begin(optimizer)
    passed = walk(run, optimizer, GRADIENTS)
    counted = passed[first + every - 1 :: every]
    np.testing.assert_allclose(optimizer.mean(run).flat, counted.mean(axis=0), rtol=1e-12)


def test_the_training_itself_is_that_of_the_optimizer():
    averaged, plain = Averaged(SGD(0.1), 2, 3), SGD(0.1)
    np.testing.assert_array_equal(walk(begin(averaged), averaged, GRADIENTS), walk(begin(plain), plain, GRADIENTS))


def test_a_checkpoint_keeps_the_mean(tmp_path):
    optimizer = Averaged(SGD(0.1), 3, 2)
    whole, run = begin(optimizer), begin(optimizer)
    walk(whole, optimizer, GRADIENTS)
    walk(run, optimizer, GRADIENTS[:10])
    save_checkpoint(tmp_path / "run.npz", run)
    run = load_checkpoint(tmp_path / "run.npz")
    walk(run, optimizer, GRADIENTS[10:])
    np.testing.assert_array_equal(optimizer.mean(run).flat, optimizer.mean(whole).flat)


def test_before_there_is_a_mean_it_is_not_handed_out():
    optimizer = Averaged(SGD(0.1), 18, 5)
    run = begin(optimizer)
    walk(run, optimizer, GRADIENTS)
    with pytest.raises(ValueError, match="run must have 23 steps before there is a mean, got 20"):
        optimizer.mean(run)


@pytest.mark.parametrize("counts", [{"begin": -1}, {"begin": 0, "every": 0}])
def test_counts_that_make_no_sense_are_refused(counts):
    with pytest.raises(ValueError, match="must be"):
        Averaged(SGD(), **counts)
