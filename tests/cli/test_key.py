"""provlog key shows public keys only, and changes keys in two steps."""

import json
import os
import shutil

import pytest

from ledger.keys.keyfile import read_key_file
from ledger.upkeep.copies import backup
from tests.cli.operating import done, entries_of, provlog, said, shell
from verifier import Policy, verify_checkpoint


def checkpoint(log):
    with log.open() as opened:
        return opened.checkpoint()


def test_the_keys_that_sign_are_shown_and_no_secret(new_log):
    log = new_log()
    secret = read_key_file(log.folder / "key")
    shown = done("key", "show", log.folder)
    for each in secret.keys:
        assert each.verifier_key.text() in shown
        assert each.text().split("+", 4)[-1] not in shown
    assert "PRIVATE" not in shown
    assert "signs every checkpoint" in shown
    assert "rotation    none" in shown


def test_a_program_is_shown_the_same(new_log):
    log = new_log()
    document = said("key", "show", log.folder)
    assert document["origin"] == log.charter.origin
    assert document["rotating"] is False
    vkeys = [
        each.verifier_key.text() for each in read_key_file(log.folder / "key").keys
    ]
    assert [each["vkey"] for each in document["keys"]] == vkeys
    assert "PRIVATE" not in json.dumps(document)


@pytest.mark.parametrize("kind", ["record", "opaque"])
def test_during_a_rotation_policies_of_both_kinds_accept(new_log, kind):
    log = new_log(kind=kind)
    log.append(*([] if kind == "record" else [b"one"]))
    size = len(entries_of(log.folder))
    old = Policy.parse((log.folder / "policy.txt").read_bytes())
    rotated = provlog("key", "rotate", log.folder)
    assert rotated.exit_code == 0
    assert "rotation    under way" in rotated.stdout
    assert f"provlog key rotate {log.folder} --finish" in rotated.stderr
    assert "export to every target" in rotated.stderr
    new = Policy.parse((log.folder / "policy.txt").read_bytes())
    for policy in (old, new):
        verify_checkpoint(checkpoint(log), policy)
    assert len(entries_of(log.folder)) == size + (kind == "record")


def test_when_it_is_finished_only_the_new_keys_sign(new_log):
    log = new_log()
    before = said("key", "show", log.folder)["keys"]
    during = said("key", "rotate", log.folder)
    assert during["rotating"] is True
    assert during["keys"][:2] == before
    after = said("key", "rotate", log.folder, "--finish")
    assert after["rotating"] is False
    assert after["keys"] == during["keys"][2:]
    log.policy = Policy.parse((log.folder / "policy.txt").read_bytes())
    verify_checkpoint(checkpoint(log), log.policy)


def test_one_rotation_at_a_time(new_log):
    log = new_log()
    assert provlog("key", "rotate", log.folder, "--finish").exit_code == 1
    done("key", "rotate", log.folder)
    again = provlog("key", "rotate", log.folder)
    assert again.exit_code == 1
    assert "a rotation is under way" in again.stderr


def test_keys_are_not_changed_under_a_running_writer(new_log):
    log = new_log()
    before = (log.folder / "key").read_bytes()
    with log.open():
        given = provlog("key", "rotate", log.folder)
    assert given.exit_code == 2
    assert "locked" in given.stderr
    assert (log.folder / "key").read_bytes() == before


@pytest.mark.parametrize("command", [["show"], ["rotate"], ["rotate", "--finish"]])
def test_without_a_log_there_are_no_keys(tmp_path, command):
    name, *options = command
    given = provlog("key", name, tmp_path / "log", *options)
    assert given.exit_code == 2
    assert "absent" in given.stderr


@pytest.mark.parametrize("command", [["show"], ["rotate"], ["rotate", "--finish"]])
@pytest.mark.parametrize("with_key", [False, True])
def test_a_copy_has_no_keys_and_nobody_is_told_to_put_one_there(
    new_log, tmp_path, command, with_key
):
    log = new_log()
    backup(log.folder, tmp_path / "copy")
    if with_key:
        shutil.copy(log.folder / "key", tmp_path / "copy" / "key")
    name, *options = command
    given = provlog("key", name, tmp_path / "copy", *options)
    assert (given.exit_code, given.stdout) == (2, "")
    assert "error: copy: " in given.stderr
    assert "put the" not in given.stderr


def test_keys_are_shown_also_where_the_store_cannot_be_read(new_log):
    log = new_log()
    log.given_up = True
    os.truncate(log.folder / "store" / "data.mdb", 4096)
    assert "rotation    none" in done("key", "show", log.folder)


def test_keys_that_were_changed_are_said_to_be_so_though_the_report_fails(
    new_log, tmp_path
):
    log = new_log()
    given = shell(f"PROVLOG key rotate {log.folder} >/dev/full", tmp_path)
    assert given.returncode == 2
    assert "only the report is missing: the keys are changed" in given.stderr
    assert said("key", "show", log.folder)["rotating"] is True


def test_keys_that_others_can_read_are_not_used(new_log):
    log = new_log()
    (log.folder / "key").chmod(0o640)
    given = provlog("key", "show", log.folder)
    assert given.exit_code == 2
    assert "key_exposed" in given.stderr
