"""fsck says what it found and mended, with every place, and ends accordingly.

What is found is in tests/upkeep; here is what a person and a program are told.
"""

import json
import os
import pty
from contextlib import suppress

import pytest

from ledger.store import layout as at
from ledger.store.environment import DATA
from ledger.upkeep.fsck import MOST_ROWS
from tests.cli.operating import done, provlog, shell, start, writing
from tests.livelog import FIRST
from tests.loopback import Server, folder, running
from tests.upkeep.spoil import (
    drop,
    drop_all,
    flip,
    is_sound,
    overwrite,
    records,
    rows,
    statements,
)

SIZE = 300


def found(given):
    """The findings of a report, by their check."""
    document = json.loads(given.stdout)
    return document, {each["check"]: each for each in document["findings"]}


# fsck


def test_every_finding_has_its_place(log):
    log.given_up = True
    flip(log.folder, at.ENTRIES, at.index_key(0), 5 * 14 + 3)
    flip(log.folder, at.TILES, at.tile_key((0, 1)), 5 * 32)
    given = provlog("fsck", log.folder, "--json")
    assert given.exit_code == 1
    document, checks = found(given)
    assert (document["holds"], document["check"]) == (False, "entry")
    assert checks["entry"]["path"] == "tile/entries/000"
    assert checks["entry"]["indexes"] == [[5, 6]]
    assert checks["tile"]["path"] == "tile/0/001.p/44"
    assert checks["tile"]["indexes"] == [[261, 262]]
    assert checks["damaged"]["mend"].startswith("provlog fsck")
    assert checks["structure"]["holds"] is True
    given = provlog("fsck", log.folder)
    assert given.exit_code == 1
    assert "entry       BROKEN  tile/entries/000, entry 5: " in given.stdout
    assert "tile        BROKEN  tile/0/001.p/44, entry 261: " in given.stdout
    assert f"mend: provlog fsck {log.folder} --repair --from COPY" in given.stderr


def test_what_is_mended_is_said_and_checked_again(log, copy):
    flip(log.folder, at.ENTRIES, at.index_key(0), 5 * 14 + 3)
    given = provlog("fsck", log.folder, "--repair", "--from", copy)
    assert given.exit_code == 0
    before, _, after = given.stdout.partition("repair ")
    assert before.startswith("before the repair:\n")
    assert before.endswith("\nafter it:\n")
    assert "BROKEN" in before
    assert "holds   tile/entries/000 is whole now" in after
    assert "BROKEN" not in after
    assert "tree        holds" in after
    assert provlog("fsck", log.folder, "--repair", "--from", copy).exit_code == 0


def test_what_is_not_mended_is_said_as_well(log):
    log.given_up = True
    flip(log.folder, at.ENTRIES, at.index_key(0), 5 * 14 + 3)
    flip(log.folder, at.TILES, at.tile_key((0, 1)), 5 * 32)
    given = provlog("fsck", log.folder, "--repair", "--json")
    assert given.exit_code == 1
    document, _ = found(given)
    repairs = {
        each["path"]: each["holds"]
        for each in document["findings"]
        if each["check"] == "repair"
    }
    assert repairs["tile/entries/000"] is False
    assert repairs["tile/0/001.p/44"] is True


def test_copies_at_addresses_serve(log, tmp_path):
    done("export", log.folder, tmp_path / "public")
    flip(log.folder, at.TAIL, at.index_key(290), 3)
    with running(Server()) as server:
        server.behaviours = [folder(tmp_path / "public")]
        line = ("fsck", log.folder, "--repair", "--from", server.prefix)
        assert provlog(*line).exit_code == 0
    assert is_sound(log.folder)


def test_a_copy_that_is_none_ends_it_before_anything_is_touched(log, tmp_path):
    log.given_up = True
    flip(log.folder, at.TILES, at.tile_key((0, 1)), 5)
    before = rows(log.folder, at.TILES)
    given = provlog("fsck", log.folder, "--repair", "--from", tmp_path)
    assert given.exit_code == 1
    assert "is neither a backup nor an exported log" in given.stderr
    assert rows(log.folder, at.TILES) == before


@pytest.mark.parametrize("size", [0, 9_000])
@pytest.mark.parametrize("options", [(), ("--json",), ("--repair",)], ids=str)
def test_a_log_that_cannot_be_opened_has_a_state_and_words(log, size, options):
    log.given_up = True
    data = log.folder / "store" / DATA
    overwrite(data, data.read_bytes()[:size])
    given = provlog("fsck", log.folder, *options)
    assert given.exit_code == 1
    assert "damaged" in given.stdout
    assert f"mend: provlog restore {log.folder} --from COPY" in given.stderr
    assert "fsck" not in given.stderr
    if options == ("--json",):
        document, checks = found(given)
        assert (document["holds"], document["size"]) == (False, None)
        assert checks["damaged"]["mend"]


def test_wrong_and_missing_rows_are_told_apart(new_log):
    log = new_log(kind="record")
    log.given_up = True
    log.append(*records(SIZE))
    keys = [key for key, _ in rows(log.folder, at.IDENTITIES)]
    flip(log.folder, at.IDENTITIES, keys[0], 7)
    drop(log.folder, at.IDENTITIES, keys[9])
    given = provlog("fsck", log.folder)
    assert given.exit_code == 1
    assert f"identity {keys[9].hex()}: the row of this entry is missing" in given.stdout
    assert f"identity {keys[0].hex()}: another entry stands where" in given.stdout
    given = provlog("fsck", log.folder, "--repair")
    assert given.exit_code == 0
    assert "the rows of identities are whole now" in given.stdout


def test_rows_that_nothing_brings_back_are_a_note(new_log):
    log = new_log(kind="statement")
    log.append(*statements(SIZE))
    drop(log.folder, at.IDENTITIES, rows(log.folder, at.IDENTITIES)[0][0])
    given = provlog("fsck", log.folder)
    assert given.exit_code == 0
    assert "299 rows are right, where there have to be 300" in given.stdout
    assert "every row leads" not in given.stdout


def test_a_log_that_is_all_wrong_is_told_in_bounds(new_log):
    log = new_log(kind="record")
    log.given_up = True
    log.append(*records(MOST_ROWS + 50))
    drop_all(log.folder, at.IDENTITIES)
    given = provlog("fsck", log.folder)
    assert given.exit_code == 1
    assert given.stdout.count("is missing") == MOST_ROWS


@pytest.mark.exhaustive
def test_a_head_that_promises_more_than_anybody_could_read_is_told_in_time(new_log):
    log = new_log(kind="record")
    log.given_up = True
    log.append(*records(SIZE - FIRST))
    flip(log.folder, at.LOG, at.HEAD_KEY, 9)  # 2 ** 48 entries more
    given = provlog("fsck", log.folder)
    assert given.exit_code == 1
    assert "head        BROKEN  it says size 281474976710956" in given.stdout
    # Without an anchor nobody knows better: all that is looked for is missing.
    (log.folder / "anchor").unlink()
    given = provlog("fsck", log.folder)
    assert given.exit_code == 1
    assert "given up after" in given.stdout


def test_a_log_that_is_written_to_is_checked_and_not_repaired(log):
    with writing(log.folder):
        given = provlog("fsck", log.folder)
        assert given.exit_code == 0
        assert "live                another process writes" in given.stdout
        assert "structure   holds" not in given.stdout


def test_a_log_that_is_written_to_is_not_repaired(log, copy):
    with writing(log.folder):
        flip(log.folder, at.TILES, at.tile_key((0, 0)), 5)
        given = provlog("fsck", log.folder, "--repair", "--from", copy)
        assert given.exit_code == 2
        assert "error: locked: another process writes" in given.stderr
    assert provlog("fsck", log.folder, "--repair", "--from", copy).exit_code == 0


def test_a_long_check_shows_how_far_it_is(log):
    line = f"PROVLOG fsck {log.folder} 2>&1 | cat"
    assert "of 300 entries" not in shell(line, log.folder.parent).stdout
    leading, following = pty.openpty()
    with start("fsck", log.folder, stderr=following) as check:
        os.close(following)
        shown = b""
        with suppress(OSError):  # the terminal is gone when the process is
            while data := os.read(leading, 1 << 16):
                shown += data
        assert check.wait(30) == 0
    os.close(leading)
    assert b"300 of 300 entries" in shown
    assert shown.endswith(b"\r\x1b[K")


def test_no_control_character_of_a_store_reaches_the_terminal(log):
    log.given_up = True
    drop(log.folder, at.LOG, at.FORMAT_KEY)
    evil = log.folder.with_name("\x1b[2Jlog")
    log.folder.rename(evil)
    given = provlog("fsck", evil)
    assert "\x1b" not in given.stdout + given.stderr
    log.folder = evil


# Streams


@pytest.mark.exhaustive
@pytest.mark.parametrize("output", [">&-", "> /dev/full"])
@pytest.mark.parametrize(
    "line",
    ["fsck log", "fsck log --json", "backup log b", "export log e", "restore log"],
)
def test_what_cannot_be_said_ends_as_what_cannot_be_done(log, line, output):
    if "full" in output and not os.path.exists("/dev/full"):
        pytest.skip("this machine has no /dev/full")
    assert shell(f"PROVLOG {line} {output}", log.folder.parent).returncode == 2


@pytest.mark.exhaustive
@pytest.mark.parametrize("line", ["fsck log", "backup log b", "export log e"])
def test_nobody_has_to_listen_to_the_talk(log, line):
    assert shell(f"PROVLOG {line} 2>&-", log.folder.parent).returncode == 0
    assert (
        shell(f"PROVLOG {line.split()[0]} --help | head -c 1", log.folder).returncode
        == 0
    )
