"""provlog status says what a log is, what it does, and what would notice a rollback.

0: it writes, or need not. 1: somebody has to act; the state is named, with its mend.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from cli.main import main
from ledger.clock import read_clock
from ledger.log.resuming import confirmed_ms
from ledger.upkeep.copies import backup
from tests.cli.operating import done, provlog, said, shell, writing

DAY_MS = 86_400_000


def state(folder, *options):
    """The status, its exit status beside it."""
    given = provlog("status", folder, "--json", *options)
    return given.exit_code, json.loads(given.stdout)


def test_a_log_that_writes_says_all_about_itself(new_log):
    log = new_log()
    answer = log.append(b"one", b"two")
    status = said("status", log.folder)
    assert status["state"] == "writes"
    assert status["origin"] == log.charter.origin
    assert (status["kind"], status["dedupe"]) == ("opaque", False)
    assert (status["size"], status["root"]) == (2, answer.head.root.hex())
    assert (status["at"], status["batch"]) == (answer.head.at, 1)
    assert status["writing"] is False
    assert status["anchor"] == {"path": str(log.folder / "anchor"), "batch": 1}
    assert [each["algorithm"] for each in status["keys"]] == ["ed25519", "ml_dsa_44"]
    assert 0 < status["used_bytes"] < status["limit_bytes"]
    assert status["free_bytes"] > 0
    assert (status["says"], status["mend"], status["warning"]) == ("", "", "")


def test_the_same_in_words(new_log):
    log = new_log()
    log.append(b"one")
    words = done("status", log.folder)
    for each in [
        f"log         {log.charter.origin}, opaque entries\n",
        "tree        size 1, root ",
        "newest      20",
        "state       writes\n",
        "writer      none just now\n",
        "anchor, at batch 1\n",
        "key         ed25519 ",
        "rollback    unprotected\n",
        " free on the disk\n",
    ]:
        assert each in words


def test_a_log_without_entries_has_no_newest_time(new_log):
    assert "newest      no entry yet, in batch 0" in done("status", new_log().folder)


def test_a_running_writer_is_no_reason_to_act(new_log):
    log = new_log()
    with writing(log.folder):
        assert said("status", log.folder)["writing"] is True
        (number,) = re.findall(
            r"writer      a running process: process (\d+)\n",
            done("status", log.folder),
        )
        assert Path(f"/proc/{number}").exists()
        assert said("status", log.folder)["writer"] == f"process {number}"


def test_a_frozen_log_has_nothing_to_mend(new_log):
    log = new_log()
    with log.open() as opened:
        opened.submit([], freeze=True).wait()
    status, found = state(log.folder)
    assert (status, found["state"]) == (0, "frozen")


def test_a_copy_has_nothing_to_mend(new_log, tmp_path):
    log = new_log()
    log.append(b"one")
    backup(log.folder, tmp_path / "copy")
    status, found = state(tmp_path / "copy")
    assert (status, found["state"]) == (0, "copy")


SPOILED = {
    "anchor_missing": lambda folder: (folder / "anchor").unlink(),
    "anchor_damaged": lambda folder: (folder / "anchor").write_bytes(bytes(8192)),
    "key_missing": lambda folder: (folder / "key").unlink(),
    "key_exposed": lambda folder: (folder / "key").chmod(0o644),
    "config": lambda folder: (folder / "log.toml").write_text("anchr = 1\n"),
    "absent": lambda folder: shutil.rmtree(folder / "store"),
    "full": lambda folder: (folder / "log.toml").write_text("limit_bytes = 10\n"),
    "damaged": lambda folder: os.truncate(folder / "store" / "data.mdb", 4096),
}


@pytest.mark.parametrize("name", SPOILED)
def test_what_keeps_a_log_from_writing_is_named_with_its_mend(new_log, name):
    log = new_log()
    log.append(b"one")
    log.given_up = True
    SPOILED[name](log.folder)
    status, found = state(log.folder)
    assert (status, found["state"]) == (1, name)
    assert found["says"]
    assert found["mend"]
    words = provlog("status", log.folder)
    assert f"state       {name}\n" in words.stdout
    assert "mend        " in words.stdout


def test_a_folder_that_was_copied_is_not_the_log(new_log, tmp_path):
    log = new_log()
    log.append(b"one")
    shutil.copytree(log.folder, tmp_path / "clone")
    status, found = state(tmp_path / "clone")
    assert (status, found["state"]) == (1, "cloned")


def test_a_clock_before_the_newest_entry_is_said_until_it_is_confirmed(new_log):
    log = ahead(new_log, days=1)
    status, found = state(log.folder)
    assert (status, found["state"]) == (1, "clock")
    assert provlog("append", log.folder, __file__).exit_code == 2
    before = read_clock().wall_ms
    assert "confirmed to be right" in done("resume", log.folder)
    assert before <= confirmed_ms(log.folder) <= read_clock().wall_ms
    assert state(log.folder)[1]["state"] == "writes"
    assert done("append", log.folder, __file__)


def test_a_clock_long_after_the_newest_entry_is_a_warning(new_log):
    log = ahead(new_log, days=-30)
    status, found = state(log.folder)
    assert (status, found["state"]) == (0, "writes")
    assert "30 days ahead of the newest entry" in found["warning"]
    given = provlog("append", log.folder, __file__)
    assert "warning: clock_ahead" in given.stderr


def ahead(new_log, *, days):
    """A log whose only entry came in so many days from now."""
    log = new_log()

    def clock():
        now = read_clock()
        return type(now)(now.wall_ms + days * DAY_MS, now.boot_ms)

    log.clock = clock
    log.append(b"one")
    return log


def test_a_running_writer_does_not_hear_the_confirmation(new_log):
    log = new_log()
    with writing(log.folder):
        given = provlog("resume", log.folder)
    assert given.exit_code == 0
    assert "before it starts again" in given.stderr


def test_a_copy_has_no_clock_to_confirm(new_log, tmp_path):
    log = new_log()
    backup(log.folder, tmp_path / "copy")
    given = provlog("resume", tmp_path / "copy")
    assert (given.exit_code, given.stdout) == (2, "")
    assert "copy" in given.stderr
    assert not (tmp_path / "copy" / "clock").exists()


def test_a_pipe_in_the_place_of_a_file_is_not_waited_for(new_log):
    log = new_log()
    os.mkfifo(log.folder / "clock")
    assert state(log.folder)[0] == 0
    (log.folder / "log.toml").unlink()
    os.mkfifo(log.folder / "log.toml")
    assert state(log.folder)[1]["state"] == "config"
    log.given_up = True


@pytest.mark.parametrize("left", ["frozen", "copy"])
def test_what_need_not_write_needs_no_room(new_log, tmp_path, left):
    log = new_log()
    with log.open() as opened:
        opened.submit([], freeze=True).wait()
    folder = log.folder if left == "frozen" else tmp_path / "copy"
    if left == "copy":
        backup(log.folder, folder)
    (folder / "log.toml").write_text("limit_bytes = 10\n")
    status, found = state(folder)
    assert (status, found["state"]) == (0, left)


def test_there_is_no_clock_to_confirm_without_a_log(tmp_path):
    assert provlog("resume", tmp_path / "log").exit_code == 2
    assert not (tmp_path / "log").exists()


# What the terminal sees


def test_no_control_character_reaches_the_terminal(tmp_path):
    (tmp_path / "\x1b[2K").mkdir()
    given = provlog("status", tmp_path / "\x1b[2K")
    assert "\x1b" not in given.output
    assert "\x1b" not in provlog("status", tmp_path, "\x1b[2K").output


def test_a_fault_of_ours_is_not_said_to_be_one_of_the_log(new_log, monkeypatch):
    log = new_log()

    def fail(_):
        raise RuntimeError("oops")

    monkeypatch.setattr("cli.status.look", fail)
    given = CliRunner().invoke(main, ["status", str(log.folder)])
    assert given.exit_code == 2
    assert "a fault of this program: RuntimeError: oops" in given.stderr


@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
def test_a_status_that_cannot_be_written_was_not_given(new_log, tmp_path, output):
    log = new_log()
    assert shell(f"PROVLOG status {log.folder} {output}", tmp_path).returncode == 2
