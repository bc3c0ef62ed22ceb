"""A folder of a run belongs to one process, and never holds files of two runs."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from contextlib import suppress

import numpy as np
import pytest

import npvae
from npvae import storage, training
from npvae.cli import main, run_folder
from npvae.files import locked
from tests.cli.conftest import TINY
from tests.cli.test_processes import NPVAE, environment  # noqa: F401 (a fixture)


def test_a_second_training_in_a_folder_is_refused(files, here, refused):
    (here / "run").mkdir()
    for more in ([], ["--overwrite"]):
        with locked(here / "run"):
            assert "--output: run is in use by another process" in refused("train", files.images, "-o", "run", *TINY)
            assert not list((here / "run").iterdir())
        assert main(["train", files.images, "-o", "run", *TINY, *more]) == 0
        shutil.rmtree(here / "run")
        (here / "run").mkdir()


def test_without_output_every_process_takes_a_folder_of_its_own(here):
    taken = []

    def take():
        taken.append(run_folder._free_folder()[0])

    threads = [threading.Thread(target=take) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(taken)) == 20


def test_leftovers_of_a_killed_process_are_cleared_at_the_next_start(files, here):
    assert main(["train", files.images, "-o", "run", *TINY]) == 0
    for name in (".checkpoint-0123456789abcdef.npz", ".model-0123456789abcdef.npz", ".samples-0123456789abcdef.png"):
        (here / "run" / name).write_text("half")
    assert main(["train", files.images, "-o", "run", *TINY, "--resume"]) == 0
    assert not [path for path in (here / "run").iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize("name", ["model.npz", "history.csv"])
def test_files_of_another_run_are_not_gone_on_with(files, here, refused, name):
    for folder in ("run", "other"):
        assert main(["train", files.images, "-o", folder, *TINY]) == 0
    shutil.copy(here / "other" / name, here / "run" / name)
    text = refused("train", files.images, "-o", "run", *TINY, "--epochs", "2", "--resume")
    assert f"run/{name} belong to another run than run/checkpoint.npz" in text


def test_a_run_of_an_older_format_goes_on(files, here):
    assert main(["train", files.images, "-o", "run", *TINY]) == 0
    for name in ("model.npz", "checkpoint.npz"):
        header, arrays = storage.load(here / "run" / name)
        del header["run"]
        storage.save(here / "run" / name, header, arrays)
    assert main(["train", files.images, "-o", "run", *TINY, "--epochs", "2", "--resume"]) == 0
    assert training.load_checkpoint("run/checkpoint.npz").epoch == 2


def runs_in(folder):
    """The identities of the runs whose files lie in a folder."""
    names = ("model.npz", "checkpoint.npz", "checkpoint-previous.npz")
    return {storage.load(folder / name)[0]["run"] for name in names if (folder / name).exists()}


class Killed(BaseException):
    """In the place of a kill."""


def test_an_overwriting_run_is_never_mixed_with_the_one_before(files, here, monkeypatch):
    """However many files are moved or removed before the process dies."""
    left = [0]

    def dying(real):
        def call(*arguments, **settings):
            if left[0] == 0:
                raise Killed
            left[0] -= 1
            return real(*arguments, **settings)

        return call

    words = ["train", files.images, "-o", "run", *TINY, "--epochs", "2", "--checkpoint-every", "1"]
    for name in ("replace", "unlink", "link"):
        monkeypatch.setattr(os, name, dying(getattr(os, name)))
    steps, ended = 0, False
    while not ended:
        left[0] = -1
        shutil.rmtree(here / "run", ignore_errors=True)
        assert main(words) == 0
        left[0] = steps
        with suppress(Killed):
            ended = main([*words, "--overwrite"]) == 0
        left[0] = -1
        assert len(runs_in(here / "run")) == 1
        assert main([*words, "--resume"]) == 0
        assert len(runs_in(here / "run")) == 1
        steps += 1
    assert steps > 5


def test_a_model_without_a_run_replaces_the_files_of_one(files, here):
    assert main(["train", files.images, "-o", "run", *TINY]) == 0
    words = ["--model", "pca", "--latent", "2", "--no-pictures", "--quiet", "--overwrite"]
    assert main(["train", files.images, "-o", "run", *words]) == 0
    assert {path.name for path in (here / "run").iterdir()} == {"model.npz", "history.csv"}


@pytest.mark.skipif(os.name != "posix", reason="limits the size of files")
@pytest.mark.parametrize("limit", [3000, 12_000])
def test_a_full_disk_names_the_file_and_what_to_do(files, here, environment, limit):  # noqa: F811
    import resource

    words = ["train", files.images, "-o", "run", *TINY, "--epochs", "3", "--checkpoint-every", "1"]
    small = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))}
    done = subprocess.run(
        [*NPVAE, *words], env=environment, capture_output=True, text=True, timeout=60, check=False, **small
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "run/checkpoint.npz: File too large" in done.stderr
    assert not (here / "run" / "model.npz").exists()


def test_where_the_model_finds_no_room_the_checkpoint_has_it(files, here, refused, monkeypatch):
    def full(self, path):
        raise OSError(28, "No space left on device", str(path))

    words = ["train", files.images, "-o", "run", *TINY]
    with monkeypatch.context() as patched:
        patched.setattr(npvae.VAE, "save", full)
        text = refused(*words)
    assert (
        "run/model.npz: No space left on device; run/checkpoint.npz has all that was trained: make room, then" in text
    )
    assert main([*words, "--resume"]) == 0
    assert np.isfinite(npvae.load("run/model.npz").theta_.flat).all()


CTRL_C_IN_AN_IMPORT = """
import os, signal, sys
from npvae.__main__ import main

class Pressing:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Pressing())
sys.exit(main())
"""


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("module", ["numpy", "npvae.cli.train", "npvae.storage", "argparse"])
def test_ctrl_c_while_the_command_is_imported(module):
    code = CTRL_C_IN_AN_IMPORT.format(module=module)
    # In a background job Ctrl-C is ignored, and the child would inherit that.
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, **heard)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "npvae: interrupted\n")


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
def test_ctrl_c_after_the_end_of_the_command_does_nothing():
    code = """
import atexit, os, signal, sys
from npvae.__main__ import main
atexit.register(os.kill, os.getpid(), signal.SIGINT)
sys.exit(main())
"""
    heard = {"preexec_fn": lambda: signal.signal(signal.SIGINT, signal.default_int_handler)}
    words = [sys.executable, "-c", code, "--version"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, **heard)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(os.name != "posix", reason="sends signals")
@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_while_the_model_is_written_leaves_no_half_of_it(files, here, environment, which):  # noqa: F811
    code = f"""
import os, sys
from npvae import VAE
from npvae.__main__ import main
save = VAE.save
def late(self, path):
    os.kill(os.getpid(), {int(which)})
    save(self, path)
VAE.save = late
sys.exit(main())
"""
    words = ["train", files.images, "-o", "run", *TINY]
    reset = {"preexec_fn": lambda: signal.signal(which, signal.SIG_DFL)}
    done = subprocess.run(
        [sys.executable, "-c", code, *words], env=environment, capture_output=True, text=True, timeout=60, **reset
    )
    assert (done.returncode, done.stderr) == (130, "npvae: interrupted\n")
    assert {path.name for path in (here / "run").iterdir()} == {"checkpoint.npz"}
