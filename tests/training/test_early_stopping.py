"""Patience: when the loop stops early, and which parameters it chooses."""

import numpy as np

from npvae.training import train
from tests.training.toys import Mean


def losses(*values):
    """A model of one number whose held-out loss takes the given values, one after each epoch."""

    class Given(Mean):
        calls = 0

        def loss(self, theta, x, noise):
            loss = super().loss(theta, x, noise)
            if len(x) == 1:  # the held-out row
                loss.terms["distance"][:] = values[self.calls]
                loss.terms["noise"][:] = 0
                self.calls += 1
            return loss

    return Given()


def stopped_early(values, patience, epochs=20):
    thetas = []
    model = losses(*values)
    run = train(
        model,
        model.init(None),
        np.ones((4, 3)),
        x_val=np.ones((1, 3)),
        patience=patience,
        epochs=epochs,
        callbacks=[lambda run: thetas.append(run.theta.flat.copy())],
    )
    return run, thetas


def test_early_stopping_chooses_the_best_parameters_and_keeps_the_last():
    run, thetas = stopped_early([5, 4, 3, 3.5, 3.2, 1], patience=2)
    assert (run.stopped, run.epoch, run.best_epoch) == ("early stopping", 5, 3)
    np.testing.assert_array_equal(run.chosen.flat, thetas[2])
    np.testing.assert_array_equal(run.theta.flat, thetas[4])
    assert not np.array_equal(thetas[2], thetas[4])


def test_patience_starts_anew_at_every_improvement():
    run, _ = stopped_early([5, 6, 4, 6, 3, 6, 6, 1], patience=2)
    assert (run.epoch, run.best_epoch) == (7, 5)


def test_a_tie_is_no_improvement():
    run, _ = stopped_early([2, 2, 2, 2, 2], patience=3)
    assert (run.stopped, run.epoch, run.best_epoch) == ("early stopping", 4, 1)


def test_with_patience_left_the_best_parameters_are_chosen_as_well():
    run, thetas = stopped_early([3, 2, 4], patience=2, epochs=3)
    assert run.stopped == "finished"
    np.testing.assert_array_equal(run.chosen.flat, thetas[1])


def test_an_earlier_best_does_not_come_back_when_patience_is_off():
    run, _ = stopped_early([3, 2, 4], patience=2, epochs=3)
    model = Mean()
    on = train(model, run, np.ones((4, 3)), x_val=np.ones((1, 3)), epochs=5)
    assert on.best is None
    assert on.chosen is on.theta


def test_a_run_with_patience_goes_on_as_if_it_had_never_stopped():
    x, values = np.random.default_rng(0).normal(size=(8, 3)), (5, 4, 6, 7, 3, 8, 9, 9)
    settings = {"x_val": np.ones((1, 3)), "batch_size": 2, "patience": 6}
    whole = train(losses(*values), Mean().init(None), x, epochs=8, **settings)
    part = train(losses(*values[:4]), Mean().init(None), x, epochs=4, **settings)
    on = train(losses(*values[4:]), part, x, epochs=8, **settings)
    assert (part.best_epoch, on.best_epoch) == (2, 5)
    np.testing.assert_array_equal(on.theta.flat, whole.theta.flat)
    np.testing.assert_array_equal(on.chosen.flat, whole.chosen.flat)


def test_a_run_that_patience_has_ended_is_at_its_end():
    run, _ = stopped_early([5, 4, 3, 3.5, 3.2, 1], patience=2)
    settings = {"x_val": np.ones((1, 3)), "epochs": 20}
    again = train(losses(1), run, np.ones((4, 3)), patience=2, **settings)
    assert (again.stopped, again.epoch, again.best_epoch) == ("early stopping", 5, 3)
    np.testing.assert_array_equal(again.theta.flat, run.theta.flat)
    more = train(losses(*[9] * 9), run, np.ones((4, 3)), patience=4, **settings)
    assert (more.stopped, more.epoch, more.best_epoch) == ("early stopping", 7, 3)
