"""Files are written whole or not at all, and stay what they were: links, permissions, devices."""

import os
import stat

import pytest

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
