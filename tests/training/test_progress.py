"""What a user sees of a run, on a terminal and in a file."""

import io
import re

import numpy as np
import pytest

from npvae.bounds import Loss
from npvae.training import NonFiniteLossError, Progress, progress, train
from npvae.training.term_sums import TermSums
from tests.training.toys import Mean, binary_rows, small_vae


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def every_step(monkeypatch):
    """Refresh the living line at every step, on a terminal of 200 columns."""
    monkeypatch.setattr(progress, "REFRESH", 0.0)
    monkeypatch.setenv("COLUMNS", "200")


def train_to(stream, epochs=3, **settings):
    model, theta = small_vae()
    return train(
        model, theta, binary_rows(), epochs=epochs, batch_size=10, progress=Progress(epochs, stream), **settings
    )


def test_a_pipe_gets_one_plain_line_an_epoch():
    stream = io.StringIO()
    run = train_to(stream, x_val=binary_rows(20, seed=1))
    lines = stream.getvalue().splitlines()
    assert len(lines) == 3
    assert "\r" not in stream.getvalue()
    assert "\033" not in stream.getvalue()
    pattern = (
        r"epoch 2/3 \| loss {loss:.2f} \(reconstruction {reconstruction:.2f}, kl {kl:.2f}\) nats"
        r" \| held-out {val_loss:.2f} \| \d:\d\d left \| [\d,]+ rows/s"
    )
    row = {name: column[1] for name, column in run.history.items()}
    assert re.fullmatch(pattern.format(**row), lines[1])


def test_a_weight_that_is_not_one_stands_before_its_term():
    stream = io.StringIO()
    priored, theta = small_vae(weight_precision=0.01)
    train(
        priored,
        theta,
        binary_rows(),
        epochs=1,
        batch_size=10,
        progress=Progress(1, stream),
        model_at=lambda t: priored.with_beta(0.5),
    )
    assert re.search(
        r"loss [\d.]+ \(reconstruction [\d.]+, 0\.5 · kl [\d.]+, 0\.01 · weights [\d.]+\) nats \|", stream.getvalue()
    )


def test_a_terminal_gets_a_line_that_lives(every_step):
    stream = Terminal()
    train_to(stream)
    lines = stream.getvalue().split("\n")
    assert len(lines) == 4
    assert lines[3] == ""
    updates = lines[0].split("\r")[1:]
    assert len(updates) == 6  # five steps and the finished epoch
    assert all(update.startswith("epoch 1/3") and update.endswith("\033[K") for update in updates)
    assert [re.search(r"(\d+)%", update)[1] for update in updates[:5]] == ["20", "40", "60", "80", "100"]
    assert "%" not in updates[5]


def test_a_living_line_never_wraps(every_step, monkeypatch):
    monkeypatch.setenv("COLUMNS", "40")
    stream = Terminal()
    train_to(stream, epochs=1)
    *living, last = stream.getvalue().split("\r")[1:]
    assert max(len(line.removesuffix("\033[K")) for line in living) <= 39
    assert len(last.removesuffix("\033[K\n")) <= 39
    assert re.match(r"epoch 1/1 \| loss [\d.]+ \| 0:00 left", last)


def test_sixty_columns_have_room_for_loss_held_out_loss_and_time(every_step, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    stream = Terminal()
    train_to(stream, epochs=10, x_val=binary_rows(20, seed=1))
    for line in re.split(r"[\r\n]+", stream.getvalue()):
        assert len(line.removesuffix("\033[K")) < 60
        assert not line or re.search(r"(loss|reconstruction) [\d.]+.* \| [\d:]+ left", line)


def test_eighty_columns_show_all_that_matters(every_step, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    stream = Terminal()
    bar = Progress(10, stream)
    run = train_to(io.StringIO())
    sums = TermSums()
    sums.add(Loss({"reconstruction": np.full(128, 106.28), "kl": np.full(128, 25.69)}))
    run.epoch = 0
    bar.step(run, sums, 12_800)
    assert re.match(r"\repoch  1/10   1% \| reconstruction 106.28, kl 25.69 nats \| [\d:]+ left", stream.getvalue())


def test_refreshing_is_rare_enough_not_to_cost_time(monkeypatch):
    monkeypatch.setattr(progress, "REFRESH", 3600.0)
    stream = Terminal()
    train_to(stream)
    assert stream.getvalue().count("\r") == 3


def test_speed_and_time_left(monkeypatch):
    clock = iter(np.arange(0, 1000, 10.0))
    monkeypatch.setattr(progress, "perf_counter", lambda: next(clock))
    stream = io.StringIO()
    model = Mean()
    train(model, model.init(None), np.ones((400, 3)), batch_size=400, epochs=3, progress=Progress(3, stream))
    # Ten seconds pass between two looks at the clock: created at 0, first step at 10, first epoch over at 20.
    assert [line.split(" | ")[2:] for line in stream.getvalue().splitlines()] == [
        ["0:40 left", "20 rows/s"],
        ["0:20 left", "20 rows/s"],
        ["0:00 left", "20 rows/s"],
    ]


def test_time_left_within_an_epoch(every_step, monkeypatch):
    clock = iter(np.arange(0, 1000, 10.0))
    monkeypatch.setattr(progress, "perf_counter", lambda: next(clock))
    stream = Terminal()
    model = Mean()
    train(model, model.init(None), np.ones((400, 3)), batch_size=100, epochs=2, progress=Progress(2, stream))
    first = stream.getvalue().split("\r")[1]
    # 100 of 800 in ten seconds.
    assert first.startswith("epoch 1/2  25% | distance ")
    assert " nats | 1:10 left | 10 rows/s\033[K" in first


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0:00"), (59.6, "1:00"), (61, "1:01"), (3600, "1:00:00"), (7325, "2:02:05")]
)
def test_durations(seconds, text):
    assert progress._pace(seconds, 1234.4) == f" | {text} left | 1,234 rows/s"


def test_a_broken_run_ends_its_living_line(every_step):
    class Breaks(Mean):
        def loss_and_grad(self, theta, x, noise):
            loss, grads = super().loss_and_grad(theta, x, noise)
            if len(self.seen) == 3:
                loss.terms["distance"][:] = np.inf
            return loss, grads

    stream, model = Terminal(), Breaks()
    with pytest.raises(NonFiniteLossError):
        train(model, model.init(None), np.ones((8, 3)), batch_size=2, progress=Progress(10, stream))
    assert stream.getvalue().endswith("rows/s\033[K\n")
    assert stream.getvalue().count("\n") == 1


def test_goes_to_standard_error_by_default(capsys):
    model = Mean()
    train(model, model.init(None), np.ones((8, 3)), epochs=1, progress=Progress(1))
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("epoch 1/1 | loss ")


def test_epochs_of_a_continued_run_count_on():
    model, theta = small_vae()
    run = train(model, theta, binary_rows(), epochs=1)
    stream = io.StringIO()
    train(model, run, binary_rows(), epochs=2, progress=Progress(2, stream))
    assert stream.getvalue().startswith("epoch 2/2 ")
