"""provlog init makes a whole log in an empty place, and says what to do with it."""

import json
from pathlib import Path

import pytest

from ledger.keys.keyfile import SigningKey
from tests.cli.operating import done, entries_of, provlog, said, shell
from verifier.entry import Entry
from verifier.keys import KeyType
from verifier.own import parse_own
from verifier.policy import Policy

ORIGIN = "log.example/new"


def new(folder, *options):
    return provlog("init", folder, "--origin", ORIGIN, *options)


@pytest.mark.parametrize(
    ("kind", "size"), [("record", 2), ("statement", 0), ("opaque", 0)]
)
def test_a_log_of_every_kind_is_made_and_writes(tmp_path, kind, size):
    made = new(tmp_path / "log", "--entries", kind)
    assert made.exit_code == 0
    assert f"{ORIGIN}, {kind} entries, size {size}" in made.stdout
    assert len(entries_of(tmp_path / "log")) == size
    assert said("status", tmp_path / "log")["state"] == "writes"


def test_a_record_log_is_the_default_and_begins_with_genesis_and_schema(tmp_path):
    assert new(tmp_path / "log").exit_code == 0
    owns = [parse_own(Entry.parse(each)) for each in entries_of(tmp_path / "log")]
    assert [each["kind"] for each in owns] == ["genesis", "schema.publish"]


def test_it_says_what_comes_next_and_what_to_keep(tmp_path):
    made = new(tmp_path / "log")
    assert "policy.txt: give it to those who verify" in made.stdout
    assert "key: keep a copy of it, apart from the log" in made.stdout
    assert "next: provlog append" in made.stderr


def test_its_policy_lists_the_key_that_was_said(tmp_path):
    document = said("init", tmp_path / "log", "--origin", ORIGIN)
    policy = Policy.parse((tmp_path / "log" / "policy.txt").read_bytes())
    assert document["policy"] == str(tmp_path / "log" / "policy.txt")
    assert policy.logs[0].id.hex() == document["keys"][0]["id"]


def test_a_program_is_told_all_of_it(tmp_path):
    document = said("init", tmp_path / "log", "--origin", ORIGIN)
    assert document["origin"] == ORIGIN
    assert document["kind"] == "record"
    assert document["dedupe"] is False
    assert document["size"] == 2
    assert len(document["genesis"]) == 32
    assert [each["algorithm"] for each in document["keys"]] == ["ed25519", "ml_dsa_44"]
    assert "PRIVATE" not in json.dumps(document)


def test_a_folder_that_holds_anything_is_left_alone(tmp_path):
    (tmp_path / "mine").touch()
    refused = new(tmp_path)
    assert refused.exit_code == 1
    assert "holds something" in refused.stderr
    assert [each.name for each in tmp_path.iterdir()] == ["mine"]


def test_a_log_is_never_made_over_a_log(tmp_path):
    assert new(tmp_path / "log").exit_code == 0
    before = entries_of(tmp_path / "log")
    refused = new(tmp_path / "log")
    assert refused.exit_code == 1
    assert f"{tmp_path / 'log'} has a log already: {ORIGIN}" in refused.stderr
    assert entries_of(tmp_path / "log") == before


def test_an_empty_folder_will_do(tmp_path):
    (tmp_path / "log").mkdir()
    assert new(tmp_path / "log").exit_code == 0


def test_who_stands_in_the_folder_still_stands_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert new(".").exit_code == 0
    assert Path("store").is_dir()


def test_only_an_opaque_log_can_log_repeats_once(tmp_path):
    assert new(tmp_path / "log", "--dedupe").exit_code == 1
    made = said(
        "init", tmp_path / "o", "--origin", ORIGIN, "--entries", "opaque", "--dedupe"
    )
    assert made["dedupe"] is True


def test_a_key_that_was_there_before_signs(tmp_path):
    key = SigningKey.generate(ORIGIN, KeyType.ED25519)
    path = tmp_path / "old.key"
    path.touch(0o600)
    path.write_text(f"{key.text()}\n")
    document = said("init", tmp_path / "log", "--origin", ORIGIN, "--key", path)
    assert document["keys"][0]["id"] == key.verifier_key.id.hex()


def test_a_key_of_another_name_does_not(tmp_path):
    path = tmp_path / "old.key"
    path.touch(0o600)
    key = SigningKey.generate("log.example/other", KeyType.ED25519)
    path.write_text(f"{key.text()}\n")
    refused = new(tmp_path / "log", "--key", path)
    assert refused.exit_code == 1
    assert not (tmp_path / "log").exists()


def test_a_key_that_was_given_is_not_given_again(tmp_path):
    path = key_at(tmp_path / "old.key")
    made = new(tmp_path / "log", "--key", path)
    assert f"the key is in {tmp_path / 'log' / 'key'} now" in made.stderr
    assert f"delete {path}, and never give it to another log" in made.stderr
    assert "delete" not in new(tmp_path / "second").stderr


SPOILED = {
    "key_missing": lambda path: path.unlink(),
    "key_exposed": lambda path: path.chmod(0o644),
    "key_damaged": lambda path: path.write_text("nonsense"),
}


@pytest.mark.parametrize("state", SPOILED)
def test_a_key_that_cannot_be_taken_is_no_matter_of_a_log(tmp_path, state):
    path = key_at(tmp_path / "old.key")
    SPOILED[state](path)
    refused = new(tmp_path / "log", "--key", path)
    assert refused.exit_code == 2
    assert f"error: {state}: " in refused.stderr
    assert "freeze" not in refused.stderr
    assert "the log's key file" not in refused.stderr
    assert ("chmod 600" in refused.stderr) == (state == "key_exposed")
    assert not (tmp_path / "log").exists()


def key_at(path):
    """An Ed25519 key of the new log's name, as another program has made it."""
    path.touch(0o600)
    path.write_text(f"{SigningKey.generate(ORIGIN, KeyType.ED25519).text()}\n")
    return path


def test_a_log_is_made_though_the_report_of_it_fails(tmp_path):
    given = shell(f"PROVLOG init log --origin {ORIGIN} >/dev/full", tmp_path)
    assert given.returncode == 2
    assert "only the report is missing: the log in log is made" in given.stderr
    assert said("status", tmp_path / "log")["state"] == "writes"


def test_the_key_file_of_a_log_serves_no_second_log(tmp_path):
    assert new(tmp_path / "log").exit_code == 0
    refused = new(tmp_path / "second", "--key", tmp_path / "log" / "key")
    assert refused.exit_code == 2
    assert "key_taken" in refused.stderr
    assert not (tmp_path / "second").exists()


@pytest.mark.parametrize("origin", ["", "a b", "a+b", "a\x1b[2Kb", "\udcff", "x" * 256])
def test_an_origin_that_no_key_can_have_is_refused(tmp_path, origin):
    refused = provlog("init", tmp_path / "log", "--origin", origin)
    assert refused.exit_code == 1
    assert "\x1b" not in refused.stderr
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize(
    ("origin", "says"),
    [
        ("http://log.example/x", "leave http:// out"),
        ("/x", "is empty"),
        ("log.example//x", "is empty"),
        ("log.example/", "is empty"),
        ("log.example/a\u00a0b", "has a space"),
    ],
)
def test_an_origin_that_others_would_write_otherwise_is_refused(tmp_path, origin, says):
    refused = provlog("init", tmp_path / "log", "--origin", origin)
    assert refused.exit_code == 1
    assert says in refused.stderr
    assert not (tmp_path / "log").exists()


@pytest.mark.parametrize("origin", ["foo", "a/b", "LOG.example/x", "log.exämple/x"])
def test_an_origin_that_is_odd_is_said_to_be_so(tmp_path, origin):
    made = provlog("init", tmp_path / "log", "--origin", origin)
    assert made.exit_code == 0
    assert "warning: " in made.stderr
    assert "it stays so for ever" in made.stderr


def test_an_origin_as_it_should_be_is_taken_without_a_word(tmp_path):
    assert "warning" not in new(tmp_path / "log").stderr
    path = provlog("init", tmp_path / "upper", "--origin", "log.example/Prod/2")
    assert "warning" not in path.stderr


def test_an_origin_has_to_be_given(tmp_path):
    assert provlog("init", tmp_path / "log").exit_code == 2
    assert "--origin" in done("init", "--help")
