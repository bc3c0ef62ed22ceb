"""When checkpoints are written, and that the one before the newest stays."""

import os

import numpy as np
import pytest

from npvae import storage
from npvae.training import Checkpoints, checkpoint, load_checkpoint, load_newest, previous_generation, train
from npvae.validation import ArgumentError
from tests.training.toys import Mean

X = np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32)


def positions(monkeypatch, every, clock=None, **settings):
    """Where checkpoints were written in a training of 5 epochs of 4 steps: epochs and steps, for each."""
    seen = []
    monkeypatch.setattr(
        checkpoint, "save_checkpoint", lambda path, run: seen.append((run.epoch, run.optimizer_state.t))
    )
    if clock is not None:
        monkeypatch.setattr(checkpoint, "perf_counter", clock)
    settings = {"epochs": 5, "batch_size": 5} | settings
    train(Mean(), Mean().init(None), X, callbacks=[Checkpoints("nowhere.npz", every)], **settings)
    return seen


@pytest.mark.parametrize(
    ("every", "expected"),
    [
        ("1", [(1, 4), (2, 8), (3, 12), (4, 16), (5, 20)]),
        ("2 epochs", [(2, 8), (4, 16), (5, 20)]),
        ("7 steps", [(1, 7), (3, 14), (5, 20)]),
        ("1 step", [(t // 4 - (t % 4 == 0), t) for t in range(1, 21)] + [(5, 20)]),
        ("99h", [(1, 4), (5, 20)]),
    ],
)
def test_every_so_many_epochs_or_steps_and_at_the_end(monkeypatch, every, expected):
    assert positions(monkeypatch, every) == expected
    assert positions(monkeypatch, every, n_jobs=2)[-1] == (5, 20)


def test_by_the_clock_and_never_for_more_than_two_percent_of_the_time(monkeypatch):
    now = [0.0]

    def clock():
        now[0] += 0.5
        return now[0]

    often = positions(monkeypatch, "1s", clock)
    assert 2 <= len(often) <= 4  # a write takes half a second here, so fifty times that lie between two


def test_the_one_before_the_newest_stays_and_is_read_where_the_newest_is_damaged(tmp_path):
    path = tmp_path / "c.npz"
    run = train(Mean(), Mean().init(None), X, epochs=3, batch_size=5, callbacks=[Checkpoints(path, "1")])
    assert load_checkpoint(previous_generation(path)).epoch == 2
    assert load_newest(path)[1] == ""
    path.write_bytes(path.read_bytes()[:100])
    back, note = load_newest(path)
    assert back.epoch == 2
    assert "damaged" in note
    assert note.endswith("c-previous.npz, after 2 epochs")
    resumed = train(Mean(), back, X, epochs=3, batch_size=5)
    np.testing.assert_array_equal(resumed.theta.flat, run.theta.flat)
    path.unlink()
    assert load_newest(path)[0].epoch == 2
    previous_generation(path).write_bytes(b"")
    with pytest.raises(FileNotFoundError, match=r"c\.npz"):
        load_newest(path)


def test_the_checkpoint_of_another_run_is_not_kept_as_the_one_before(tmp_path):
    path = tmp_path / "c.npz"
    train(Mean(), Mean().init(None), X, epochs=3, batch_size=5, callbacks=[Checkpoints(path, "1")])
    train(Mean(), Mean().init(None), X, epochs=1, batch_size=5, callbacks=[Checkpoints(path, "1")])
    assert not previous_generation(path).exists()


def test_a_run_that_goes_on_keeps_what_it_went_on_from(tmp_path):
    path = tmp_path / "c.npz"
    train(Mean(), Mean().init(None), X, epochs=3, batch_size=5, callbacks=[Checkpoints(path, "1")])
    again = Checkpoints(path, "1", goes_on=True)
    train(Mean(), load_checkpoint(path), X, epochs=4, batch_size=5, callbacks=[again])
    assert (load_checkpoint(path).epoch, load_checkpoint(previous_generation(path)).epoch) == (4, 3)


def test_without_links_the_one_before_stays_as_well(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "link", lambda *names: (_ for _ in ()).throw(OSError("none here")))
    path = tmp_path / "c.npz"
    train(Mean(), Mean().init(None), X, epochs=3, batch_size=5, callbacks=[Checkpoints(path, "1")])
    assert load_checkpoint(previous_generation(path)).epoch == 2


def test_a_full_disk_is_named_with_the_file_and_what_to_do(tmp_path, monkeypatch):
    path = tmp_path / "c.npz"

    def full(run):
        if run.epoch == 2:
            monkeypatch.setattr(storage, "save", lambda *arguments: (_ for _ in ()).throw(OSError(28, "No space left")))

    with pytest.raises(OSError, match=r"No space left; the checkpoint before it is whole.*--resume.*c\.npz"):
        train(Mean(), Mean().init(None), X, epochs=3, batch_size=5, callbacks=[full, Checkpoints(path, "1")])
    assert load_newest(path)[0].epoch == 1


@pytest.mark.parametrize("every", ["", "x", "5d", "-1s", "0", "steps"])
def test_what_is_no_interval_is_refused(every):
    with pytest.raises(ArgumentError, match="every must be a time such as 30s or 5m, or a number of epochs or steps"):
        Checkpoints("c.npz", every)
