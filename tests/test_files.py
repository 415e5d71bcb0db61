"""Files are written whole or not at all, and stay what they were: links, permissions, devices."""

import os
import stat
from zlib import crc32

import pytest

from microgrid import files
from microgrid.files import write_whole


def test_text_and_bytes_are_written_and_the_path_comes_back(tmp_path):
    assert write_whole(tmp_path / "t", "ü") == tmp_path / "t"
    assert (tmp_path / "t").read_bytes() == "ü".encode()
    assert write_whole(str(tmp_path / "b"), b"\0").read_bytes() == b"\0"


def test_permissions_stay_and_new_files_have_the_usual_ones(tmp_path):
    private, new, plain = tmp_path / "private", tmp_path / "new", tmp_path / "plain"
    private.write_text("old")
    private.chmod(0o600)
    plain.touch()
    write_whole(private, "new")
    write_whole(new, "new")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_a_link_is_followed(tmp_path):
    (tmp_path / "file").write_text("old")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink() and (tmp_path / "file").read_text() == "new"


def test_what_is_no_file_is_written_to_as_it_is():
    write_whole(os.devnull, "gone")
    assert stat.S_ISCHR(os.stat(os.devnull).st_mode)


def test_a_failure_leaves_what_was_there_and_names_the_path(tmp_path, monkeypatch):
    (tmp_path / "f").write_text("old")

    def full(*args):
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "f", "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("f", "old")]
    with pytest.raises(FileNotFoundError, match=r"the folder can't be written: '.*nowhere/f'"):
        write_whole(tmp_path / "nowhere" / "f", "x")
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, "x")


def test_a_long_name_can_be_written(tmp_path):
    assert write_whole(tmp_path / ("n" * 250), "x").read_text() == "x"


def part_of(path):
    """The file beside it by way of which it is written."""
    return path.with_name(f".part-{crc32(path.name.encode()):08x}")


def names(folder):
    return sorted([path.name for path in folder.iterdir()])


def test_what_a_killed_process_left_is_used_again_and_gone(tmp_path):
    part_of(tmp_path / "f").write_text("half of something longer")
    write_whole(tmp_path / "f", "new")
    assert (tmp_path / "f").read_text() == "new" and names(tmp_path) == ["f"]


def test_what_another_one_is_writing_is_left_alone(tmp_path):
    fcntl = pytest.importorskip("fcntl", reason="Windows has no such locks")
    part = part_of(tmp_path / "f")
    with open(part, "w") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        theirs.write("theirs")
        theirs.flush()
        write_whole(tmp_path / "f", "mine")
        assert (tmp_path / "f").read_text() == "mine"
        assert names(tmp_path) == [part.name, "f"] and part.read_text() == "theirs"


def test_a_link_or_another_name_of_a_file_in_that_place_is_not_written_through(tmp_path):
    (tmp_path / "precious").write_text("precious")
    for link in (os.symlink, os.link):
        link(tmp_path / "precious", part_of(tmp_path / "f"))
        write_whole(tmp_path / "f", "new")
        assert (tmp_path / "precious").read_text() == "precious" and (tmp_path / "f").read_text() == "new"
        part_of(tmp_path / "f").unlink()


def test_without_locks_too_it_is_whole_or_not_at_all(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "fcntl", None)
    write_whole(tmp_path / "f", "old")
    write_whole(tmp_path / "f", "new")
    assert (tmp_path / "f").read_text() == "new" and names(tmp_path) == ["f"]
    test_a_failure_leaves_what_was_there_and_names_the_path(tmp_path, monkeypatch)


def test_ctrl_c_right_after_the_move_is_still_ctrl_c(tmp_path, monkeypatch):
    move = os.replace

    def moved(*args):
        move(*args)
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", moved)
    with pytest.raises(KeyboardInterrupt):
        write_whole(tmp_path / "f", "new")
    assert (tmp_path / "f").read_text() == "new" and names(tmp_path) == ["f"]
