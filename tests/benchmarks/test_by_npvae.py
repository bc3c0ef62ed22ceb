import numpy as np
import pytest

from benchmarks.implementations import LEARNING_RATE, Workload
from benchmarks.implementations.by_npvae import build, infer, train
from npvae import training
from npvae.optimizers import Adam

WORKLOAD = Workload((8,), 3, 16, "tanh", n_features=12)
X = np.random.default_rng(1).random((64, 12), dtype=np.float32)


class Stop(Exception):
    pass


def values_of(run, workload, steps: int) -> list[float]:
    """What a loop reports in its first steps."""
    values = []

    def pace(value):
        values.append(value)
        if len(values) == steps:
            raise Stop

    with pytest.raises(Stop):
        run(workload, X, 5, "", pace)
    return values


def test_the_benchmark_trains_as_the_library_does():
    model = build(WORKLOAD)
    start = model.init(np.random.default_rng(5))
    run = training.train(model, start, X, optimizer=Adam(LEARNING_RATE), epochs=3, batch_size=16, seed=5)
    losses = values_of(train, WORKLOAD, 12)
    np.testing.assert_allclose(np.reshape(losses, (3, 4)).mean(axis=1), run.history["loss"], rtol=1e-12)


def test_the_loss_reported_is_that_of_each_batch():
    losses = []

    class Watched(type(build(WORKLOAD))):
        def loss_and_grad(self, theta, x, noise):
            loss, grads = super().loss_and_grad(theta, x, noise)
            losses.append(loss.value)
            return loss, grads

    model = Watched.mlp(12, 3, (8,), "tanh")
    start = model.init(np.random.default_rng(5))
    training.train(model, start, X, optimizer=Adam(LEARNING_RATE), epochs=2, batch_size=16, seed=5)
    np.testing.assert_allclose(values_of(train, WORKLOAD, 8), losses, rtol=16 * np.finfo(np.float32).eps)


def test_inference_runs_pass_after_pass():
    values = values_of(infer, Workload((8,), 3, 40, "relu", "infer", n_features=12), 3)
    assert all(0 < value < 2 for value in values)  # the sum of two pixel means


def test_every_step_of_several_processes_is_counted_once():
    values = []

    def pace(value):
        values.append(value)
        if len(values) == 13:
            raise Stop

    with pytest.raises(Stop):
        train(WORKLOAD, X, 5, "2", pace)
    alone = values_of(train, WORKLOAD, 12)
    for epoch in range(3):
        np.testing.assert_allclose(
            np.mean(values[4 * epoch : 4 * epoch + 4]), np.mean(alone[4 * epoch : 4 * epoch + 4])
        )
