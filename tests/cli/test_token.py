"""provlog token shows a token once, lists what is known of it, and takes it back."""

import json
import os
import re

import pytest

from ledger.callers.tokenfile import listed
from ledger.callers.tokens import Tokens
from ledger.clock import read_clock
from ledger.errors import Refused
from tests.cli.operating import done, provlog, said, shell

HOUR = 3_600_000
DAY = 24 * HOUR


@pytest.fixture
def folder(new_log):
    return new_log().folder


def caller(folder, text, later=0):
    return Tokens(folder, lambda: read_clock().wall_ms + later).caller(text)


def shown(text, name):
    """What a result has beside `name`."""
    (found,) = re.findall(rf"^{name} +(.*)$", text, re.MULTILINE)
    return found


def test_a_token_is_shown_once_and_lets_its_submitter_in(folder):
    given = provlog("token", "create", folder, "--name", "train-eu-1")
    assert given.exit_code == 0
    text = shown(given.stdout, "token")
    known = caller(folder, text)
    assert known.token == shown(given.stdout, "id")
    assert known.by == shown(given.stdout, "by")
    assert shown(given.stdout, "name") == "train-eu-1"
    assert shown(given.stdout, "scopes") == "submit,read"
    assert "it is shown this once" in given.stderr
    assert f"provlog token revoke {folder} {known.token}" in given.stderr
    assert text not in given.stderr
    assert text not in done("token", "list", folder)
    assert text not in json.dumps(said("token", "list", folder))


def test_a_program_is_shown_the_same(folder):
    made = said("token", "create", folder, "--name", "train-eu-1")
    text = made.pop("token")
    assert caller(folder, text).token == made["id"]
    assert said("token", "list", folder) == {"tokens": [made]}
    assert set(made) == {
        *("id", "by", "name", "scopes"),
        *("created_ms", "expires_ms", "revoked_ms"),
    }


@pytest.mark.parametrize(
    ("options", "scopes"),
    [
        ([], ["submit", "read"]),
        (["--scope", "audit"], ["audit"]),
        (["--scope", "admin", "--scope", "submit"], ["submit", "admin"]),
    ],
    ids=["default", "one", "two"],
)
def test_a_token_is_good_for_what_was_asked(folder, options, scopes):
    made = said("token", "create", folder, *options)
    assert made["scopes"] == scopes
    assert caller(folder, made["token"]).scopes == set(scopes)


@pytest.mark.parametrize(
    ("options", "lasts"),
    [([], 90 * DAY), (["--expires", "1d"], DAY), (["--expires", "12h"], 12 * HOUR)],
    ids=["default", "days", "hours"],
)
def test_a_token_ends_when_it_was_to_end(folder, options, lasts):
    made = said("token", "create", folder, *options)
    assert made["expires_ms"] - made["created_ms"] == lasts
    assert caller(folder, made["token"], later=lasts - HOUR)
    with pytest.raises(Refused):
        caller(folder, made["token"], later=lasts)


def test_a_token_may_be_one_that_does_not_end(folder):
    made = said("token", "create", folder, "--expires", "never")
    assert made["expires_ms"] is None
    assert "does not expire" in done("token", "list", folder)


@pytest.mark.parametrize("time", ["", "0d", "d", "90", "-1d", "1w", "1.5h", "100000d"])
def test_a_time_that_nobody_can_mean_makes_no_token(folder, time):
    given = provlog("token", "create", folder, f"--expires={time}")
    assert (given.exit_code, given.stdout) == (2, "")
    assert "such as 90d or 12h" in given.stderr
    assert listed(folder) == []


def test_a_submitter_gets_another_token(folder):
    first = said("token", "create", folder)
    again = provlog("token", "create", folder, "--by", first["by"])
    assert shown(again.stdout, "by") == first["by"]
    assert "warning" not in again.stderr


def test_a_pseudonym_that_was_never_seen_is_taken_with_a_warning(folder):
    given = provlog("token", "create", folder, "--by", f"s-{'0' * 20}")
    assert given.exit_code == 0
    assert "has had no token here before" in given.stderr


@pytest.mark.parametrize(
    "options", [["--by", "mallory"], ["--name", "two words"]], ids=["by", "name"]
)
def test_what_cannot_be_written_down_is_refused(folder, options):
    given = provlog("token", "create", folder, *options, "--out", folder / "out")
    assert (given.exit_code, given.stdout) == (1, "")
    assert "warning" not in given.stderr
    assert listed(folder) == []
    assert not (folder / "out").exists()


def test_a_token_can_go_to_a_file_of_its_own_that_nobody_else_can_read(folder):
    given = provlog("token", "create", folder, "--out", folder / "mine", "--json")
    made = json.loads(given.stdout)
    assert (made["file"], "token" in made) == (str(folder / "mine"), False)
    assert "keep the token now" not in given.stderr
    assert (folder / "mine").stat().st_mode & 0o777 == 0o600
    text = (folder / "mine").read_text().removesuffix("\n")
    assert caller(folder, text).token == made["id"]


def test_no_file_is_written_over_and_then_no_token_is_made(folder):
    (folder / "mine").write_bytes(b"another token")
    given = provlog("token", "create", folder, "--out", folder / "mine")
    assert (given.exit_code, given.stdout) == (2, "")
    assert (folder / "mine").read_bytes() == b"another token"
    assert listed(folder) == []


def test_a_list_says_of_each_token_whose_it_is_and_whether_it_stands(folder):
    first = said("token", "create", folder, "--name", "one", "--expires", "1h")
    second = said("token", "create", folder, "--name", "two")
    done("token", "revoke", folder, second["id"])
    lines = done("token", "list", folder).splitlines()
    assert lines[0].startswith(f"{first['id']}  {first['by']}  submit,read  expires 2")
    assert lines[0].endswith("  one")
    assert lines[1].startswith(f"{second['id']}  {second['by']}  submit,read  revoked")


def test_an_empty_list_says_how_to_begin(folder):
    given = provlog("token", "list", folder)
    assert (given.exit_code, given.stdout) == (0, "")
    assert f"provlog token create {folder}" in given.stderr


@pytest.mark.parametrize("which", ["id", "by", "token"])
def test_a_token_is_taken_back(folder, which):
    made = said("token", "create", folder)
    known = Tokens(folder, lambda: 0)
    assert known.caller(made["token"])
    given = provlog("token", "revoke", folder, made[which])
    assert given.exit_code == 0
    assert f"{made['id']} of {made['by']}, at 2" in shown(given.stdout, "revoked")
    assert made["token"] not in given.output
    with pytest.raises(Refused):
        known.caller(made["token"])


def test_a_token_that_is_not_there_cannot_be_taken_back(folder):
    given = provlog("token", "revoke", folder, "00000000")
    assert (given.exit_code, given.stdout) == (1, "")
    assert "no token has this id" in given.stderr


@pytest.mark.parametrize("command", [["create"], ["list"], ["revoke", "00000000"]])
def test_without_a_log_there_are_no_tokens(tmp_path, command):
    name, *words = command
    given = provlog("token", name, tmp_path / "log", *words)
    assert given.exit_code == 2
    assert "absent" in given.stderr
    assert not (tmp_path / "log").exists()


def test_tokens_that_others_can_change_are_not_used(folder):
    done("token", "create", folder)
    (folder / "tokens").chmod(0o620)
    for command in (["create"], ["list"], ["revoke", "00000000"]):
        name, *words = command
        given = provlog("token", name, folder, *words)
        assert given.exit_code == 2
        assert "error: config: " in given.stderr
        assert f"chmod 600 {folder}/tokens" in given.stderr


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can be the wrong user here")
def test_a_file_that_the_log_could_not_read_is_not_made(folder):
    os.chown(folder / "store", 12_345, -1)
    given = provlog("token", "create", folder)
    assert given.exit_code == 1
    assert "is that of user 12345" in given.stderr
    assert not (folder / "tokens").exists()


def test_a_token_that_nobody_has_seen_is_told_to_be_taken_back(folder, tmp_path):
    given = shell(f"PROVLOG token create {folder} >/dev/full", tmp_path)
    (row,) = listed(folder)
    assert given.returncode == 2
    assert f"provlog token revoke {folder} {row.id}" in given.stderr
    assert "provlog_" not in given.stderr
