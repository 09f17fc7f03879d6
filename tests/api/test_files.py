"""What a path may be when a file is saved or loaded, and what is kept of the file that was there."""

from __future__ import annotations

import multiprocessing
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import custcore
from custcore._draft import replacing
from tests.model_cases import FITTED
from tests.samples import transactions

pytestmark = pytest.mark.skipif(os.name == "nt", reason="files of POSIX")


def save_model(path: Path) -> None:
    FITTED["rfm"]().save(path)


def save_base(path: Path) -> None:
    base = custcore.CustomerBase()
    base.update(transactions())
    base.save(path)


def save_from_python(path: Path) -> None:
    with replacing(path) as sink:
        sink.write(b"written")


SAVES: dict[str, Callable[[Path], None]] = {"model": save_model, "base": save_base, "Python": save_from_python}
LOADS: dict[str, Callable[[Path], Any]] = {"model": custcore.RFMScorer.load, "base": custcore.CustomerBase.load}
saves = pytest.mark.parametrize("save", SAVES.values(), ids=SAVES)
loads = pytest.mark.parametrize("load", LOADS.values(), ids=LOADS)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def special(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    if kind == "device":
        return Path("/dev/null")
    path = folder / "x"
    if kind == "named pipe":
        os.mkfifo(path)
    else:
        monkeypatch.chdir(folder)  # the names of sockets are short
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind("x")
    return path


@saves
@pytest.mark.parametrize("kind", ["device", "named pipe", "socket"])
def test_only_regular_files_are_written(save: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = special(kind, tmp_path, monkeypatch)
    before = path.stat()
    with pytest.raises(OSError, match=rf"a {kind}; only regular files are written"):
        save(path)
    assert (path.stat().st_mode, path.stat().st_ino) == (before.st_mode, before.st_ino)
    assert [file for file in tmp_path.iterdir() if file != path] == []


@loads
@pytest.mark.parametrize("kind", ["device", "named pipe", "socket"])
def test_only_regular_files_are_read(load: Any, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(OSError, match=rf"a {kind}; only regular files are read"):
        load(special(kind, tmp_path, monkeypatch))


@loads
def test_a_folder_is_not_read(load: Any, tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        load(tmp_path)


@saves
def test_links_are_followed(save: Any, tmp_path: Path) -> None:
    """Also one that leads to a file that does not exist yet."""
    (tmp_path / "there").mkdir()
    link, target = tmp_path / "link", tmp_path / "there" / "file"
    link.symlink_to("there/file")
    for _ in range(2):
        save(link)
        assert link.is_symlink()
        assert target.is_file()
        assert not target.is_symlink()
    circle = tmp_path / "circle"
    circle.symlink_to("circle")
    with pytest.raises(OSError, match=r"[Ll]evels of symbolic links"):
        save(circle)
    assert {file.name for file in tmp_path.rglob("*")} == {"there", "link", "file", "circle"}


@saves
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_permissions(save: Any, umask: int, tmp_path: Path) -> None:
    """A new file has those that the umask leaves, an old one keeps its own."""
    path = tmp_path / "file"
    before = os.umask(umask)
    try:
        save(path)
        assert mode(path) == 0o666 & ~umask
        path.chmod(0o640)
        save(path)
    finally:
        os.umask(before)
    assert mode(path) == 0o640
    assert [file.name for file in tmp_path.iterdir()] == ["file"]


def test_a_draft_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with replacing(tmp_path / "file") as sink:
            sink.write(b"secret")
            drafts = list(tmp_path.iterdir())
            assert [mode(draft) for draft in drafts] == [0o600]
    finally:
        os.umask(before)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="only root gives files away")
@saves
def test_root_keeps_the_owner(save: Any, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    path.chmod(0o604)
    os.chown(path, 1234, 2345)
    save(path)
    found = path.stat()
    assert (found.st_uid, found.st_gid, mode(path)) == (1234, 2345, 0o604)


def _save_as_another_user(path: str) -> None:
    os.setgid(2345)
    os.setuid(1234)
    FITTED["rfm"]().save(path)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() != 0, reason="needs two users")
def test_an_owner_that_cannot_be_kept() -> None:
    """The file is then his who saved it; the group that is new to it may do what all may."""
    with tempfile.TemporaryDirectory() as name:  # which another user can reach, unlike those of pytest
        folder, path = Path(name), Path(name) / "file"
        folder.chmod(0o777)
        path.write_bytes(b"old")
        path.chmod(0o662)
        child = multiprocessing.get_context("fork").Process(target=_save_as_another_user, args=(str(path),))
        child.start()
        child.join()
        assert child.exitcode == 0
        found = path.stat()
        assert (found.st_uid, found.st_gid, mode(path)) == (1234, 2345, 0o622)


KILLED = """
import os, signal, sys
from pathlib import Path
from custcore._draft import replacing
with replacing(sys.argv[1]) as sink:
    sink.write(b"half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@saves
def test_drafts_of_killed_processes_are_deleted(save: Any, tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "other")], timeout=60, check=False)
    assert done.returncode == -9
    assert len(list(tmp_path.iterdir())) == 1
    with replacing(tmp_path / "live") as sink:
        sink.write(b"live")
        save(tmp_path / "file")
        left = sorted(file.name.partition(".tmp")[0] for file in tmp_path.iterdir())
        assert len(left) == 2
        assert left[0].startswith(".live.")
        assert left[1] == "file"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["file", "live"]


def test_a_forked_child_leaves_the_draft_of_its_parent(tmp_path: Path) -> None:
    from custcore import _core

    draft = _core.Draft(str(tmp_path / "file"))
    child = multiprocessing.get_context("fork").Process(target=draft.discard)
    child.start()
    child.join()
    assert child.exitcode == 0
    draft.commit()
    assert (tmp_path / "file").is_file()
