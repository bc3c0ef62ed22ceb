"""Files that appear whole or not at all."""

import errno
import os
import stat
import subprocess
import sys

import pytest

from npvae import files
from npvae.files import InUseError, clear_leftovers, locked, replacing, temporary_name


def test_file_appears_only_at_the_end(tmp_path):
    path = tmp_path / "a.txt"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert not path.exists()
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".txt"
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["a.txt"]


def fail_half_way(path):
    with replacing(path) as temporary:
        temporary.write_text("ne")
        raise RuntimeError("half way")


def test_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half way"):
        fail_half_way(path)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["a.txt"]


def test_failure_creates_no_file(tmp_path):
    with pytest.raises(KeyboardInterrupt), replacing(tmp_path / "a.txt"):
        raise KeyboardInterrupt
    assert os.listdir(tmp_path) == []


def test_success_replaces_the_old_file(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("a long old text")
    with replacing(str(path)) as temporary:
        temporary.write_text("new")
    assert path.read_text() == "new"


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_permissions_are_those_of_a_plain_file(tmp_path, umask, mode):
    before = os.umask(umask)
    try:
        with replacing(tmp_path / "a.txt") as temporary:
            temporary.write_text("new")
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == mode


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_permissions_of_the_replaced_file_stay(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(0o640)
    with replacing(path) as temporary:
        temporary.write_text("new")
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


@pytest.mark.skipif(os.name != "posix", reason="symbolic links")
def test_a_link_is_followed(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "a.txt")
    (tmp_path / "a.txt").write_text("old")
    with replacing(tmp_path / "link") as temporary:
        temporary.write_text("new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "a.txt").read_text() == "new"


def test_a_folder_is_refused(tmp_path):
    with pytest.raises(IsADirectoryError, match="it is a folder"), replacing(tmp_path):
        pass


def test_missing_folder_is_said(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "nowhere" / "a.txt"):
        pass


def test_leftovers_of_dead_processes_are_removed_and_those_of_living_ones_stay(tmp_path):
    path = tmp_path / "a.npz"
    dead = temporary_name(path)
    dead.write_text("half")
    others = [tmp_path / ".b-0123456789abcdef.npz", tmp_path / ".a-notes.npz", tmp_path / "a-0123456789abcdef.npz"]
    for other in others:
        other.write_text("mine")
    with replacing(path) as living:
        assert not dead.exists()
        clear_leftovers(tmp_path, path)
        with replacing(path) as second:
            second.write_text("second")
        living.write_text("first")
    assert path.read_text() == "first"
    assert sorted(tmp_path.iterdir()) == sorted([path, *others])
    clear_leftovers(tmp_path)
    assert sorted(tmp_path.iterdir()) == sorted([path, *others[1:]])


def test_a_full_disk_is_named_with_the_file(tmp_path):
    def full(path):
        with replacing(path):
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space left on device") as caught:
        full(tmp_path / "a.npz")
    assert caught.value.filename == str(tmp_path / "a.npz")


LOCKING = """
import sys, time
from pathlib import Path
from npvae import files
if sys.argv[2] == "file":
    files.fcntl = None
with files.locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
@pytest.mark.parametrize("how", ["folder", "file"])
def test_a_lock_holds_while_its_process_lives(tmp_path, monkeypatch, how):
    if how == "file":
        monkeypatch.setattr(files, "fcntl", None)
    process = subprocess.Popen([sys.executable, "-c", LOCKING, tmp_path, how], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(InUseError, match="is in use by another process"), locked(tmp_path):
            pass
    finally:
        process.kill()
        process.communicate()
    with locked(tmp_path), pytest.raises(InUseError), locked(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("content", ["", "elsewhere 1", "no number"])
def test_a_lock_file_of_which_nothing_is_known_stays(tmp_path, monkeypatch, content):
    monkeypatch.setattr(files, "fcntl", None)
    (tmp_path / files.LOCK).write_text(content)
    with pytest.raises(InUseError, match="if that has ended, remove"), locked(tmp_path):
        pass
    assert (tmp_path / files.LOCK).exists()
