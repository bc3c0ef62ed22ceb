"""A loss that stops being finite ends the run, is explained, and takes nothing with it."""

import numpy as np
import pytest

from npvae.bounds import Loss
from npvae.models import VAE
from npvae.optimizers import SGD, Adam
from npvae.training import NonFiniteLossError, load_checkpoint, save_checkpoint, train
from tests.training.toys import Mean, binary_rows, small_vae


class BreaksAt(Mean):
    """Its term "distance" is NaN at a given step."""

    def __init__(self, step):
        super().__init__()
        self.step = step

    def loss_and_grad(self, theta, x, noise):
        loss, grads = super().loss_and_grad(theta, x, noise)
        if len(self.seen) == self.step:
            loss.terms["distance"][0] = np.nan
        return loss, grads


def breakdown(model, theta, x, **settings):
    with pytest.raises(NonFiniteLossError) as caught:
        train(model, theta, x, **settings)
    return caught.value


def test_step_epoch_and_term_are_named_and_history_kept():
    model = BreaksAt(step=8)
    error = breakdown(model, model.init(None), np.ones((6, 3)), batch_size=2, epochs=9, optimizer=SGD(0.1))
    text = str(error)
    assert "not" not in text
    assert "stopped being finite at step 8 (epoch 3), in distance;" in text
    assert "Try a smaller learning rate, well below 0.1, or a warm-up" in text
    assert error.run.stopped == "non-finite loss"
    assert error.run.history["epoch"] == [1, 2]
    assert error.run.epoch == 2


def test_values_that_are_not_finite_are_blamed_on_the_data():
    model, theta = small_vae()
    x = binary_rows()
    x[7, 2] = np.nan
    error = breakdown(model, theta, x, epochs=1, batch_size=10)
    assert str(error).endswith("in x itself, which has NaN or infinity")
    assert np.isfinite(error.run.theta.flat).all()
    error = breakdown(model, theta, binary_rows(), x_val=x, epochs=1, batch_size=10)
    assert str(error).endswith("in x_val itself, which has NaN or infinity")


def test_last_good_parameters_are_at_most_a_hundred_steps_old():
    model = BreaksAt(step=251)
    thetas = []

    class Watched(SGD):
        def step(self, theta, dtheta, state):
            thetas.append(theta.copy())
            super().step(theta, dtheta, state)

    error = breakdown(model, model.init(None), np.ones((10, 3)), batch_size=1, epochs=50, optimizer=Watched(0.001))
    np.testing.assert_array_equal(error.run.theta.flat, thetas[200])


def test_an_absurd_learning_rate_breaks_a_vae_and_leaves_finite_parameters():
    model, theta = small_vae()
    error = breakdown(model, theta, binary_rows(), optimizer=Adam(1e6), epochs=50, batch_size=16)
    assert np.isfinite(error.run.theta.flat).all()
    assert "in reconstruction" in str(error) or "in kl" in str(error)
    assert np.isfinite(model.loss(error.run.theta, binary_rows(), np.zeros((1, 50, 2), np.float32)).value)


def test_start_survives_a_first_step_that_breaks():
    model = BreaksAt(step=1)
    theta = model.init(None)
    theta.flat[:] = 5
    error = breakdown(model, theta, np.ones((6, 3)))
    np.testing.assert_array_equal(error.run.theta.flat, theta.flat)
    assert error.run.history.n_rows == 0


def test_a_run_that_broke_down_is_not_gone_on_with_but_its_parameters_are(tmp_path):
    model = BreaksAt(step=3)
    error = breakdown(model, model.init(None), np.ones((6, 3)), batch_size=2, optimizer=SGD(0.1))
    save_checkpoint(tmp_path / "c.npz", error.run)
    for run in (error.run, load_checkpoint(tmp_path / "c.npz")):
        with pytest.raises(ValueError, match=r"start must not be a run that broke down; .* parameters, its theta"):
            train(Mean(), run, np.ones((6, 3)), optimizer=SGD(0.1))
    assert train(Mean(), error.run.theta, np.ones((6, 3)), epochs=1).stopped == "finished"


def test_parameters_that_the_last_step_broke_are_noticed():
    model = Mean()
    error = breakdown(model, model.init(None), np.ones((4, 3)), optimizer=SGD(lambda t: np.inf), epochs=1, batch_size=4)
    assert "at step 1 (epoch 1), in the parameters;" in str(error)
    np.testing.assert_array_equal(error.run.theta.flat, np.zeros(3))


def test_held_out_data_that_break_the_loss_are_named():
    x = np.ones((4, 3), np.float32)
    model = Mean()
    error = breakdown(model, model.init(None), x, x_val=x * np.float32(1e30), epochs=3)
    assert "in val_loss and val_distance" in str(error)
    assert np.isfinite(error.run.theta.flat).all()


def test_an_overflow_of_the_mean_alone_names_all_terms():
    class Large(Mean):
        def loss(self, theta, x, noise):
            return Loss({"a": np.full(len(x), 3e38, np.float32), "b": np.full(len(x), 3e38, np.float32)})

    model = Large()
    assert "in a and b, before any training" in str(breakdown(model, model.init(None), np.ones((2, 3))))


def test_wild_data_under_a_gaussian_likelihood_say_reconstruction():
    from npvae.distributions import FixedGaussian

    model = VAE.mlp(6, 2, (5,), "tanh", FixedGaussian())
    theta = model.init(np.random.default_rng(0))
    x = np.full((4, 6), 1e25, np.float32)
    assert "in reconstruction, before any training" in str(breakdown(model, theta, x))
