"""Witnesses and the log's key: whoever has it first is noticed, and none is forgotten.

What the drill of docs/operations.md has in its one order happens here in another: the
thief is at a witness before the log has ended, or a witness has not heard of a new key.
"""

import shlex

import pytest

from ledger.keys.keyfile import read_key_file
from tests.cli.operating import provlog
from tests.faults.public import QUICK, Eye, watched
from tests.reference.rfc6962 import Tree
from tests.testlog import Signer
from tests.witness.asked import request
from verifier import Policy


@pytest.fixture
def log(new_log):
    log = new_log(settings=QUICK + "witness_timeout_ms = 1500\n")
    log.append(b"one", b"two")
    return log


def test_a_thief_who_was_first_at_a_witness_is_noticed_and_keeps_no_log_alive(
    log, tmp_path, monkeypatch
):
    eye = Eye("w1", log)
    [ours, _] = read_key_file(log.folder / "key").keys
    thief = Signer(log.charter.origin, 0x01, ours.seed)
    with watched(log, ("w1", eye.vkey, eye)):
        tree = Tree([b"one", b"two", b"by the thief"])
        body = request(0, 3, tree=tree, origin=thief.name, by=thief)
        assert eye.cosigner.add(body).status == 200
        ended = provlog("freeze", log.folder, "--yes")
        assert (ended.exit_code, "error: rollback: " in ended.stderr) == (2, True)
        assert "somebody else signs with its key" in ended.stderr
        ended = provlog("freeze", log.folder, "--yes", "--without", "w1")
        assert ended.exit_code == 0
        # No witness stands for that end. Whoever says so can show it all the same.
        dest = tmp_path / "public"
        assert provlog("export", log.folder, dest).exit_code == 2
        assert not (dest / "checkpoint").exists()
        monkeypatch.setenv("PROVLOG_WITNESS_FAILURE", "open")
        assert provlog("export", log.folder, dest).exit_code == 0
        assert (dest / "checkpoint").exists()


def test_the_old_key_stays_until_the_witnesses_know_the_new_one(log):
    eye = Eye("w1", log)
    logs = log.folder.parent / "w1-logs.txt"
    with watched(log, ("w1", eye.vkey, eye)):
        assert (
            provlog("export", log.folder, log.folder.parent / "public").exit_code == 0
        )
        begun = provlog("key", "rotate", log.folder)
        keys = read_key_file(log.folder / "key").keys
        new = keys[2].verifier_key.text()
        assert f"provlog witness add W {shlex.quote(new)}" in begun.stderr
        ended = provlog("key", "rotate", log.folder, "--finish")
        assert ended.exit_code == 1
        assert f"provlog witness add W {shlex.quote(new)}" in ended.stderr
        assert read_key_file(log.folder / "key").keys == keys
        logs.write_text(logs.read_text() + f"log {new}\n")
        assert provlog("key", "rotate", log.folder, "--finish").exit_code == 0
        # And the log is opened as ever: the witness that is asked then knows it.
        log.policy = Policy.parse((log.folder / "policy.txt").read_bytes())
        with log.open() as opened:
            assert not opened.hold
