"""provlog freeze ends a log for ever, and only when that is confirmed."""

import fcntl
import os
import pty
import re
import subprocess
import termios
from contextlib import suppress

import pytest

from tests.cli.operating import ENVIRONMENT, PROVLOG, entries_of, provlog, said, shell
from verifier import Limits, Policy, cbor, verify_checkpoint
from verifier.entry import Entry
from verifier.keys import KeyType


def final_of(given):
    """Size and root of what verifiers are told to pin."""
    size, root = re.search(r"--final (\d+):([0-9a-f]{64})", given.stderr).groups()
    return int(size), bytes.fromhex(root)


@pytest.mark.parametrize("kind", ["record", "statement", "opaque"])
def test_the_last_checkpoint_is_what_verifiers_can_pin(new_log, kind):
    log = new_log(kind=kind)
    given = provlog("freeze", log.folder, "--yes")
    assert given.exit_code == 0
    size, root = final_of(given)
    entries = entries_of(log.folder)
    assert size == len(entries) == (3 if kind == "record" else 0)
    signed = verify_checkpoint(
        given.stdout.encode(), log.policy, Limits(final=(size, root))
    )
    assert (signed.checkpoint.size, signed.checkpoint.root) == (size, root)


def test_it_is_signed_for_later_by_the_ml_dsa_key_alone_as_well(new_log):
    log = new_log()
    log.append(b"one")
    lines = (log.folder / "policy.txt").read_text().splitlines()
    later = [each[1:] for each in lines if each.startswith("#log ")]
    policy = Policy.parse("\n".join([*later, "quorum none", ""]).encode())
    assert policy.logs[0].type is KeyType.ML_DSA_COSIGNATURE
    given = provlog("freeze", log.folder, "--yes")
    assert verify_checkpoint(given.stdout.encode(), policy).checkpoint.size == 1


def test_in_a_record_log_the_reason_is_the_last_entry(new_log):
    log = new_log(kind="record")
    provlog("freeze", log.folder, "--yes", "--reason", "key stolen")
    last = Entry.parse(entries_of(log.folder)[-1])
    assert last.by == "log"
    assert cbor.decode(last.body) == {"kind": "freeze", "reason": "key stolen"}


def test_other_logs_have_no_room_for_a_reason(new_log):
    log = new_log()
    assert provlog("freeze", log.folder, "--yes", "--reason", "x").exit_code == 2
    assert said("status", log.folder)["state"] == "writes"


@pytest.mark.parametrize(
    "reason", ["\udcff", "x" * 70_000], ids=["no text", "too long"]
)
def test_a_reason_that_cannot_be_logged_ends_nothing(new_log, reason):
    log = new_log(kind="record")
    given = provlog("freeze", log.folder, "--yes", "--reason", reason)
    assert given.exit_code == 1
    assert said("status", log.folder)["state"] == "writes"


def test_nothing_is_appended_after_it(new_log):
    log = new_log()
    provlog("freeze", log.folder, "--yes")
    given = provlog("append", log.folder, __file__)
    assert given.exit_code == 2
    assert "frozen" in given.stderr
    assert entries_of(log.folder) == []


def test_a_log_that_has_ended_says_its_last_checkpoint_again(new_log):
    log = new_log(kind="record")
    first = provlog("freeze", log.folder, "--yes")
    again = provlog("freeze", log.folder)
    assert again.exit_code == 0
    assert final_of(again) == final_of(first)
    assert again.stdout.split("\n\n")[0] == first.stdout.split("\n\n")[0]


def test_without_a_terminal_it_has_to_be_said_that_it_is_meant(new_log, tmp_path):
    log = new_log()
    given = shell(f"PROVLOG freeze {log.folder} </dev/null", tmp_path)
    assert given.returncode == 2
    assert "give --yes" in given.stderr
    assert said("status", log.folder)["state"] == "writes"


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("answer", "status", "state"),
    [(b"y\n", 0, "frozen"), (b"n\n", 2, "writes"), (b"\x03", 2, "writes")],
    ids=["yes", "no", "Ctrl-C"],
)
def test_at_a_terminal_it_asks(new_log, answer, status, state):
    log = new_log()
    assert at_a_terminal(answer, "freeze", log.folder) == status
    assert said("status", log.folder)["state"] == state


def at_a_terminal(answer, *words):
    """Give a command at a terminal, answer its question; return the exit status."""
    mine, terminal = pty.openpty()
    given = subprocess.Popen(
        [*PROVLOG, *map(str, words)],
        env=ENVIRONMENT,
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),  # noqa: PLW1509 - no thread of ours holds a lock
    )
    os.close(terminal)
    with given:
        shown = b""
        while b"[y/N]" not in shown:
            shown += os.read(mine, 1024)
        # A key that is pressed just before somebody listens is pressed again.
        while given.poll() is None:
            os.write(mine, answer)
            with suppress(subprocess.TimeoutExpired):
                given.wait(5)
    os.close(mine)
    return given.returncode


def test_who_cannot_be_told_can_ask_again(new_log, tmp_path):
    log = new_log()
    assert shell(f"PROVLOG freeze {log.folder} --yes >&-", tmp_path).returncode == 2
    assert provlog("freeze", log.folder).stdout.startswith(f"{log.charter.origin}\n0\n")


def test_its_end_is_published_next(new_log):
    log = new_log()
    given = provlog("freeze", log.folder, "--yes")
    assert f"provlog export {log.folder} DEST" in given.stderr


def test_a_reason_that_comes_too_late_is_not_taken_without_a_word(new_log):
    log = new_log(kind="record")
    provlog("freeze", log.folder, "--yes", "--reason", "first")
    given = provlog("freeze", log.folder, "--reason", "second")
    assert given.exit_code == 0
    assert "this reason is not logged" in given.stderr
    assert "not logged" not in provlog("freeze", log.folder).stderr


def test_an_end_that_cannot_be_reported_is_an_end(new_log, tmp_path):
    log = new_log()
    given = shell(f"PROVLOG freeze {log.folder} --yes >/dev/full", tmp_path)
    assert given.returncode == 2
    assert "only the report is missing: the log has ended" in given.stderr
    assert said("status", log.folder)["state"] == "frozen"


def test_a_log_that_is_held_is_not_ended(new_log):
    log = new_log()
    (log.folder / "key").chmod(0o644)
    given = provlog("freeze", log.folder, "--yes")
    assert (given.exit_code, given.stdout) == (2, "")
    assert "key_exposed" in given.stderr
