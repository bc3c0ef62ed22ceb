"""The training loop: what it learns, what it leaves alone, and how it ends."""

import numpy as np
import pytest

from npvae.bounds import Loss
from npvae.optimizers import SGD, Adagrad, Adam
from npvae.training import TrainingRun, evaluate, train
from tests.training.toys import Mean, binary_rows, small_vae

BOOKKEEPING = ["epoch", "steps", "seconds"]


def without_seconds(history):
    return {name: column for name, column in history.items() if name != "seconds"}


def test_learns_the_mean():
    x = np.random.default_rng(0).normal([1, -2, 3], 0.1, (200, 3)).astype(np.float32)
    model = Mean()
    run = train(model, model.init(None), x, optimizer=SGD(0.1, 0.5), epochs=30, batch_size=20)
    np.testing.assert_allclose(run.theta["m"], x.mean(axis=0), atol=0.02)


def test_loss_of_a_vae_falls():
    model, theta = small_vae()
    run = train(model, theta, binary_rows(), optimizer=Adam(0.01), epochs=30, batch_size=16)
    assert run.history["loss"][-1] < run.history["loss"][0] - 0.2


def test_start_and_data_are_not_changed():
    model, theta = small_vae()
    x = binary_rows()
    kept, rows = theta.flat.copy(), x.copy()
    run = train(model, theta, x, epochs=1)
    again = train(model, run, x, epochs=2)
    np.testing.assert_array_equal(theta.flat, kept)
    np.testing.assert_array_equal(x, rows)
    assert (run.epoch, again.epoch) == (1, 2)
    assert run.history.n_rows == 1
    assert run.optimizer_state.t == 1


def test_same_seed_same_bits_other_seed_others():
    model, theta = small_vae()
    a, b, c = (train(model, theta, binary_rows(), epochs=3, batch_size=16, seed=s).theta.flat for s in (1, 1, 2))
    np.testing.assert_array_equal(a, b)
    assert not np.array_equal(a, c)


@pytest.mark.parametrize("optimizer", [Adam(), Adagrad(), SGD()])
def test_a_continued_run_is_bit_identical_to_an_unbroken_one(optimizer):
    model, theta = small_vae()
    x, settings = binary_rows(), {"optimizer": optimizer, "batch_size": 16, "seed": 3}
    straight = train(model, theta, x, epochs=5, **settings)
    half = train(model, theta, x, epochs=2, **settings)
    resumed = train(model, half, x, epochs=5, **settings)
    np.testing.assert_array_equal(resumed.theta.flat, straight.theta.flat)
    assert without_seconds(resumed.history) == without_seconds(straight.history)


def test_a_finished_run_is_returned_as_it_is():
    model, theta = small_vae()
    run = train(model, theta, binary_rows(), epochs=2)
    again = train(model, run, binary_rows(), epochs=2)
    np.testing.assert_array_equal(again.theta.flat, run.theta.flat)
    assert (again.epoch, again.stopped) == (2, "finished")


def test_seed_of_a_continued_run_is_its_own():
    model, theta = small_vae()
    run = train(model, theta, binary_rows(), epochs=1, seed=3)
    a, b = (train(model, run, binary_rows(), epochs=2, seed=s).theta.flat for s in (8, 9))
    np.testing.assert_array_equal(a, b)


def test_every_epoch_visits_every_row_once_in_a_new_order():
    x = np.arange(10.0, dtype=np.float32)[:, None] * np.ones(3, np.float32)
    model = Mean()
    train(model, model.init(None), x, epochs=2, batch_size=4)
    assert [len(batch) for batch in model.seen] == [4, 4, 2, 4, 4, 2]
    first, second = (np.concatenate(model.seen[i : i + 3])[:, 0] for i in (0, 3))
    np.testing.assert_array_equal(np.sort(first), np.arange(10))
    np.testing.assert_array_equal(np.sort(second), np.arange(10))
    assert not np.array_equal(first, second)


def test_history_holds_the_means_of_each_epoch():
    x = binary_rows(10, 3)
    model = Mean()
    still = model.init(None, np.float64)
    run = train(model, still, x, optimizer=SGD(1e-300), epochs=2, batch_size=4, x_val=x[:5])
    terms = ["loss", "distance", "noise"]
    assert list(run.history) == BOOKKEEPING + terms + [f"val_{name}" for name in terms]
    assert run.history["epoch"] == [1, 2]
    assert run.history["steps"] == [3, 6]
    assert run.history["distance"] == pytest.approx([0.5 * (x**2).sum(axis=1).mean()] * 2)
    assert run.history["val_distance"] == pytest.approx([0.5 * (x[:5] ** 2).sum(axis=1).mean()] * 2)
    assert run.history["loss"] == pytest.approx(np.add(run.history["distance"], run.history["noise"]))
    assert run.history["val_noise"][0] == run.history["val_noise"][1]  # the same noise in every epoch
    assert run.history["noise"][0] != run.history["noise"][1]


def test_seconds_go_on_through_a_continuation():
    model, theta = small_vae()
    run = train(model, train(model, theta, binary_rows(), epochs=2), binary_rows(), epochs=4)
    seconds = run.history["seconds"]
    assert 0 < seconds[0] < seconds[1] < seconds[2] < seconds[3]


def test_held_out_loss_is_that_of_the_parameters_after_the_epoch():
    model, theta = small_vae()
    x, x_val = binary_rows(), binary_rows(20, seed=9)
    run = train(model, theta, x, epochs=1, x_val=x_val, seed=4)
    values = [evaluate(model, run.theta, x_val, np.random.default_rng(s))["loss"] for s in range(200)]
    assert run.history["val_loss"][0] == pytest.approx(np.mean(values), abs=4 * np.std(values))
    assert run.history["val_kl"][0] == pytest.approx(evaluate(model, run.theta, x_val, np.random.default_rng(0))["kl"])


def test_transform_draws_anew_at_every_visit():
    x = np.full((8, 200), 0.5, np.float32)
    model = Mean(200)
    draws = []

    def draw(batch, rng):
        draws.append((rng.random(batch.shape) < batch).astype(batch.dtype))
        return draws[-1]

    train(model, model.init(None), x, epochs=3, batch_size=8, transform=draw)
    np.testing.assert_array_equal(np.stack(draws), np.stack(model.seen))
    for i in range(3):
        for j in range(i):
            # Two independent draws agree in half of the 1600 pixels; five standard deviations are 100.
            assert 700 < (draws[i] == draws[j]).sum() < 900


def test_trains_on_a_memory_map(tmp_path):
    grey = np.random.default_rng(0).integers(0, 256, (40, 6)).astype(np.uint8)
    grey.tofile(tmp_path / "x.bin")
    on_disk = np.memmap(tmp_path / "x.bin", np.uint8, "r", shape=(40, 6))
    model, theta = small_vae()

    def scale(batch, rng):
        return batch / np.float32(255)

    a = train(model, theta, on_disk, epochs=2, batch_size=16, transform=scale)
    b = train(model, theta, grey.astype(np.float32) / np.float32(255), epochs=2, batch_size=16)
    np.testing.assert_array_equal(a.theta.flat, b.theta.flat)


def test_float64_parameters_train_in_float64():
    model, theta = small_vae()
    run = train(model, theta.astype(np.float64), binary_rows(), epochs=1)
    assert run.theta.dtype == np.float64
    assert run.optimizer_state.slots["M"].dtype == np.float64


def test_callbacks_see_every_epoch_and_a_true_answer_ends_the_run():
    seen, model = [], Mean()

    def second(run):
        seen.append((run.epoch, run.history.n_rows, run.optimizer_state.t))
        return run.epoch == 3

    run = train(model, model.init(None), np.ones((4, 3)), epochs=9, batch_size=2, callbacks=[lambda run: None, second])
    assert seen == [(1, 1, 2), (2, 2, 4), (3, 3, 6)]
    assert (run.stopped, run.epoch) == ("callback", 3)


def test_all_callbacks_are_asked_though_the_first_ends_the_run():
    asked, model = [], Mean()
    train(model, model.init(None), np.ones((4, 3)), callbacks=[lambda run: True, lambda run: asked.append(run.epoch)])
    assert asked == [1]


def test_an_error_in_a_callback_comes_through():
    model = Mean()
    with pytest.raises(LookupError, match="mine"):
        train(
            model, model.init(None), np.ones((4, 3)), callbacks=[lambda run: (_ for _ in ()).throw(LookupError("mine"))]
        )


@pytest.mark.parametrize(
    ("settings", "error", "text"),
    [
        ({"epochs": 0}, ValueError, "epochs must be at least 1, got 0"),
        ({"epochs": 1.0}, TypeError, "epochs must be an integer, got 1.0"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"patience": 0, "x_val": np.ones((1, 3))}, ValueError, "patience must be at least 1, got 0"),
        ({"patience": 2}, ValueError, "patience needs held-out data"),
        ({"x_val": np.ones((0, 3))}, ValueError, r"x_val must have rows, got shape \(0, 3\)"),
    ],
)
def test_arguments_that_cannot_be(settings, error, text):
    model = Mean()
    with pytest.raises(error, match=text):
        train(model, model.init(None), np.ones((4, 3)), **settings)
    assert not model.seen


def test_the_seed_is_pythons_own_integer():
    model = Mean()
    run = train(model, model.init(None), np.ones((4, 3)), epochs=1, seed=np.int64(3))
    assert type(run.seed) is int  # which a checkpoint can hold


def test_no_rows():
    model = Mean()
    with pytest.raises(ValueError, match=r"x must have rows, got shape \(0, 3\)"):
        train(model, model.init(None), np.ones((0, 3)))


def test_a_run_of_another_model_is_refused():
    other = Mean(4)
    run = TrainingRun.begin(other.init(None), Adam(), 0)
    model = Mean(3)
    with pytest.raises(ValueError, match=r"parameters of the model, expected \('m', \(3,\)\), got \('m', \(4,\)\)"):
        train(model, run, np.ones((4, 3)))
    with pytest.raises(ValueError, match="parameters of the model"):
        train(model, other.init(None), np.ones((4, 3)))


def test_a_run_of_another_optimizer_is_refused():
    model = Mean()
    run = TrainingRun.begin(model.init(None), Adam(), 0)
    with pytest.raises(ValueError, match=r"moments of SGD\(.*expected \{'v': 3\}, got \{'M': 3, 'V': 3\}"):
        train(model, run, np.ones((4, 3)), optimizer=SGD())


def test_held_out_data_cannot_come_or_go_within_a_run():
    model, x = Mean(), np.ones((4, 3))
    without = train(model, model.init(None), x, epochs=1)
    with pytest.raises(ValueError, match="x_val must not be given"):
        train(model, without, x, epochs=2, x_val=x)
    given = train(model, model.init(None), x, epochs=1, x_val=x)
    with pytest.raises(ValueError, match="x_val must be given"):
        train(model, given, x, epochs=2)


class Scaled(Mean):
    """The loss times a factor."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def loss_and_grad(self, theta, x, noise):
        loss, grads = super().loss_and_grad(theta, x, noise)
        grads.flat *= self.factor
        return Loss(loss.terms, dict.fromkeys(loss.terms, self.factor)), grads


def test_every_step_has_the_model_that_stands_for_it():
    x, steps = np.ones((4, 3), np.float32), []

    def model_at(t):
        steps.append(t)
        return Scaled(0.0 if t < 3 else 1.0)

    model, settings = Mean(), {"batch_size": 2, "optimizer": SGD(0.1, 0), "model_at": model_at, "x_val": x}
    half = train(model, model.init(None), x, epochs=1, **settings)
    run = train(model, half, x, epochs=2, **settings)
    assert steps == [0, 1, 2, 3]
    np.testing.assert_allclose(run.theta["m"], 0.1, rtol=1e-6)  # one step of 0.1 from 0 towards 1, three of nothing
    assert run.history["loss"][0] == 0
    assert run.history["val_distance"][0] == 1.5
    assert run.history["val_loss"][0] == pytest.approx(1.5 + run.history["val_noise"][0])
    with pytest.raises(ValueError, match="model_at must be given, as in the epochs before"):
        train(model, run, x, epochs=3, **{**settings, "model_at": None})
    plain = train(model, model.init(None), x, epochs=1, **{**settings, "model_at": None})
    with pytest.raises(ValueError, match="row must have the columns"):
        train(model, plain, x, epochs=2, **settings)


def test_mean_weights_of_the_terms_are_noted_where_the_model_changes():
    x = np.ones((4, 3), np.float32)
    run = train(Mean(), Mean().init(None), x, epochs=2, batch_size=2, model_at=lambda t: Scaled(float(t)))
    assert run.history["weight_distance"] == run.history["weight_noise"] == [0.5, 2.5]
    assert list(run.history.terms) == ["distance", "noise"]
