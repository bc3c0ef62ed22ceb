"""The command as a process: signals, pipes, encodings."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import npvae
from npvae import training
from tests.cli.conftest import TINY

NPVAE = [sys.executable, "-m", "npvae"]


@pytest.fixture
def environment():
    """The environment of the child: it finds this npvae from any folder."""
    root = os.path.dirname(os.path.dirname(npvae.__file__))
    return {**os.environ, "PYTHONPATH": root, "PYTHONUNBUFFERED": ""}


def npvae_process(arguments, environment, **settings):
    return subprocess.run(
        [*NPVAE, *arguments], env=environment, capture_output=True, timeout=60, check=False, **settings
    )


def test_runs_as_a_module_and_says_errors_in_one_line(here, environment):
    done = npvae_process(["sample", "nothing.npz"], environment, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("npvae: error: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_ctrl_c_keeps_what_was_trained(files, here, environment):
    words = ["train", files.images, "-o", "run", *TINY, "--epochs", "1000000"]
    # In a background job Ctrl-C is ignored, and the child would inherit that.
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    process = subprocess.Popen([*NPVAE, *words], env=environment, stderr=subprocess.PIPE, text=True, **heard)
    try:
        patience = time.monotonic() + 30
        while not (here / "run" / "checkpoint.npz").exists():
            assert time.monotonic() < patience
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=30)
    finally:
        process.kill()
        process.communicate()
    assert process.returncode == 130
    assert stderr == ""
    vae, run = npvae.load("run/model.npz"), training.load_checkpoint("run/checkpoint.npz")
    assert run.epoch == vae.history_.n_rows >= 1
    assert np.isfinite(vae.theta_.flat).all()
    assert (here / "run" / "history.csv").read_text().count("\n") == run.epoch + 1


@pytest.mark.skipif(os.name != "posix", reason="closes a pipe from the other end")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_leaves_early_is_no_error(files, environment, unbuffered):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*NPVAE, "info", files.model],
            env={**environment, "PYTHONUNBUFFERED": unbuffered},
            stdout=writing,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert done.stderr == b""
    assert done.returncode == 0


@pytest.mark.parametrize("words", [["--help"], ["train", "--help"], ["score", "MODEL", "DATA"], ["info", "MODEL"]])
def test_an_output_without_greek_letters_gets_question_marks(files, environment, words):
    words = [{"MODEL": files.model, "DATA": files.images}.get(word, word) for word in words]
    done = npvae_process(words, {**environment, "PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert done.stdout.isascii()


@pytest.mark.skipif(os.name != "posix", reason="closes a pipe from the other end")
@pytest.mark.parametrize("scale", [1, 100], ids=["progress", "warning"])
def test_training_goes_on_when_nobody_reads_what_it_says(files, here, environment, scale):
    reading, writing = os.pipe()
    os.close(reading)
    words = [word for word in TINY if word != "--quiet"]
    np.save("x.npy", scale * files.x)
    try:
        argv = [*NPVAE, "train", "x.npy", "-o", "run", *words, "--no-pictures", "--likelihood", "gaussian"]
        done = subprocess.run(argv, env=environment, stdout=writing, stderr=writing, timeout=60, check=False)
    finally:
        os.close(writing)
    assert done.returncode == 0
    assert {path.name for path in (here / "run").iterdir()} == {"model.npz", "history.csv", "checkpoint.npz"}


@pytest.mark.skipif(os.name != "posix", reason="closes the standard streams by the shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_error(files, here, environment, closed):
    command = f"{shlex.join(NPVAE)} info {shlex.quote(files.model)} {closed}"
    done = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0


def test_no_input_is_overwritten(files, here, refused):
    shutil.copy(files.model, "m.npz")
    np.save("d.npy", np.load(files.images))
    for argv in (["sample", "m.npz", "-o", "m.npz"], ["encode", "m.npz", "d.npy", "-o", "d.npy"]):
        before = (here / argv[-1]).read_bytes()
        assert "--output must be another file than the inputs" in refused(*argv)
        assert (here / argv[-1]).read_bytes() == before


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="writes to a device that is full")
def test_a_log_without_room_ends_no_training(files, here, environment):
    words = [word for word in TINY if word != "--quiet"]
    with open("/dev/full", "w") as full:
        argv = [*NPVAE, "train", files.images, "-o", "run", *words]
        done = subprocess.run(argv, env=environment, stdout=full, stderr=full, timeout=60, check=False)
        assert done.returncode == 0
        assert {path.name for path in (here / "run").iterdir()} == {"model.npz", "history.csv", "checkpoint.npz"}
        said = {"env": environment, "stderr": subprocess.PIPE, "text": True, "timeout": 60, "check": False}
        for words in (["info", files.model], ["--help"]):
            done = subprocess.run([*NPVAE, *words], stdout=full, **said)
            assert done.returncode in (0, 2)
            assert "Traceback" not in done.stderr
            assert done.stderr.count("\n") <= 1
        assert subprocess.run([*NPVAE, "info", files.model], stdout=full, **said).returncode == 2
