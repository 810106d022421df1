"""provlog status calls protection only what would notice a rollback just now.

That is a target that has answered, or an anchor that is not put back with the store.
"""

import json
import os
import shutil
from pathlib import Path

import pytest

from ledger.clock import read_clock
from ledger.log.look import look
from ledger.publish.export import export
from tests.cli.operating import done, provlog


def state(folder, *options):
    """The status, its exit status beside it."""
    given = provlog("status", folder, "--json", *options)
    return given.exit_code, json.loads(given.stdout)


def exported(log, folder):
    with look(log.folder) as seen:
        export(seen, folder, time=read_clock().wall_ms // 1000)


def test_targets_are_asked_when_that_is_asked_for(new_log, tmp_path):
    log = new_log(settings='targets = ["../mirror"]')
    with log.open(without=["../mirror"]) as opened:
        log.append(b"one", log=opened)
    assert state(log.folder)[1]["targets"][0]["says"] == "not asked"
    status, found = state(log.folder, "--ask")
    assert (status, found["state"]) == (1, "target_silent")
    exported(log, tmp_path / "mirror")
    status, found = state(log.folder, "--ask")
    assert (status, found["targets"][0]["says"]) == (0, "answers")
    assert "target      ../mirror: answers" in done("status", log.folder, "--ask")


def test_only_a_target_that_has_answered_protects_from_a_rollback(new_log, tmp_path):
    log = new_log(settings='targets = ["../mirror", "../second"]')
    assert state(log.folder)[1]["protected_by"] == []
    words = done("status", log.folder)
    assert "rollback    unprotected, unless the targets answer: --ask\n" in words
    assert state(log.folder, "--ask")[1]["protected_by"] == []
    words = provlog("status", log.folder, "--ask").stdout
    assert "rollback    unprotected: no target has answered\n" in words
    exported(log, tmp_path / "mirror")
    assert state(log.folder, "--ask")[1]["protected_by"] == ["targets"]
    words = provlog("status", log.folder, "--ask").stdout
    assert "rollback    protected by targets\n" in words


def test_a_target_that_is_silent_is_told_with_its_name_to_do_without(new_log):
    log = new_log(settings='targets = ["../my mirror"]')
    assert "--without '../my mirror'" in state(log.folder, "--ask")[1]["mend"]


@pytest.mark.skipif(
    not os.path.isdir("/dev/shm")  # noqa: S108 - another file system is what is wanted
    or os.stat("/dev/shm").st_dev == os.stat("/tmp").st_dev,  # noqa: S108 - the same
    reason="there is no second file system here",
)
def test_an_anchor_on_another_file_system_protects_from_a_rollback(new_log, tmp_path):
    elsewhere = Path("/dev/shm") / f"provlog-{os.getpid()}-{tmp_path.name}"  # noqa: S108 - the same
    elsewhere.mkdir()
    try:
        log = new_log()
        shutil.copy(log.folder / "anchor", elsewhere / "anchor")
        text = (log.folder / "log.toml").read_text()
        (log.folder / "log.toml").write_text(f'{text}anchor = "{elsewhere}/anchor"\n')
        assert state(log.folder)[1]["protected_by"] == ["anchor"]
        log.given_up = True
    finally:
        shutil.rmtree(elsewhere)
