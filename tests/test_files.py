import os

import pytest

from rramkit.errors import InputError
from rramkit.files import check_writable, whole_file


def test_a_file_appears_whole_and_alone(tmp_path):
    path = tmp_path / "new" / "folder" / "out.txt"
    with whole_file(path) as draft:
        draft.write_text("half")
        assert not path.exists()
        assert draft.suffix == path.suffix
        draft.write_text("whole")
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_failure_keeps_the_old_file_and_leaves_no_other(tmp_path, failure):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(failure), whole_file(path) as draft:
        draft.write_text("half")
        raise failure
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_named_and_keeps_the_old_file(tmp_path):
    path = tmp_path / "out.txt"
    path.write_text("old")
    with pytest.raises(InputError, match=r"out\.txt: cannot be written \(No space left on device\)"), whole_file(path):
        raise OSError(28, "No space left on device")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_stays_a_link(tmp_path):
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    with whole_file(link) as draft:
        draft.write_text("new")
    assert link.is_symlink()
    assert target.read_text() == "new"


def test_places_that_cannot_be_written_are_refused_before_any_work(tmp_path):
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(InputError, match=r"is a folder\. Name a plain file"):
        check_writable(tmp_path)
    with pytest.raises(InputError, match=r"is a device or pipe\. Name a plain file"):
        check_writable(tmp_path / "pipe")
    with pytest.raises(InputError, match="its folder cannot be written"):
        check_writable(tmp_path / "file" / "out.txt")
    with pytest.raises(InputError, match="its folder cannot be written"):
        check_writable(tmp_path / ("long" * 100))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pipe"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes into read-only folders")
def test_a_read_only_folder_is_named(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(InputError, match="Permission denied"):
        check_writable(tmp_path / "out.txt")


def test_an_input_is_no_output(tmp_path):
    path = tmp_path / "tables.h5"
    path.write_text("tables")
    with pytest.raises(InputError, match="also an input"):
        check_writable(tmp_path / "." / "tables.h5", keep=(None, path))
    check_writable(tmp_path / "run.h5", keep=(None, path))
