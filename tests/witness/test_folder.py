"""A witness and an anchor service have a folder each, which says what is missing."""

from __future__ import annotations

import shutil

import pytest

from ledger.errors import Held, Refused
from ledger.witness import anchorhome, home
from tests.witness.asked import NAME

KINDS = {
    "witness": (home.Home, lambda folder: home.make(folder, NAME)),
    "anchor": (anchorhome.AnchorHome, anchorhome.make),
}


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def made(kind, tmp_path):
    """One of them, in a folder whose name a shell would take for two words."""
    return KINDS[kind][1](tmp_path / "its folder")


def test_what_was_made_is_there_and_for_nobody_else(made):
    made.check()
    assert made.folder.stat().st_mode & 0o777 == 0o700
    assert made.memory.stat().st_mode & 0o777 == 0o700


def test_where_there_is_none_the_command_is_told_that_makes_one(kind, tmp_path):
    folder = tmp_path / "its folder"
    with pytest.raises(Held, match="there is no") as caught:
        KINDS[kind][0](folder).remembering()
    assert caught.value.state == "absent"
    assert caught.value.mend.startswith(f"provlog {kind} init '{folder}'")


def test_without_the_file_that_is_made_last_there_is_none(made):
    made.last.unlink()
    with pytest.raises(Held, match="there is no"):
        made.remembering()


def test_a_memory_that_is_gone_is_not_made_anew_in_its_place(made):
    shutil.rmtree(made.memory)
    with pytest.raises(Held, match="the memory is gone") as caught:
        made.remembering()
    assert "in another folder" in caught.value.mend
    assert not made.memory.exists()


def test_in_a_folder_that_is_not_empty_nothing_is_made(kind, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Refused, match="not empty"):
        KINDS[kind][1](tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_one_process_remembers_at_a_time(made):
    with made.remembering(), pytest.raises(Held) as caught:
        made.remembering()
    assert caught.value.state == "locked"
