"""A log is made once, on purpose, whole, and for nobody else to read."""

import dataclasses
import os
import stat
import subprocess
from pathlib import Path

import pytest

from ledger.config import Config
from ledger.errors import Held, Refused
from ledger.keys.keyfile import SigningKey, read_key_file
from ledger.log.anchor import read_anchor
from ledger.log.log import Log
from ledger.schema import jsonschema
from ledger.upkeep import making
from ledger.upkeep.birth import SETTINGS_TEXT, init, new_charter, new_keys
from ledger.upkeep.making import made_whole
from tests.livelog import FIRST
from tests.log.fakes import LONG_S, SetClock, body
from tests.tools import need
from verifier import Entry, Policy, cbor, verify_checkpoint
from verifier.keys import KeyType
from verifier.own import parse_own

ORIGIN = "log.example/born"
STEPS = [
    *("birth.create_store", "birth.write_anchor", "birth.write_key_file"),
    *("birth.write_policy", "birth.write_atomically", "birth.genesis"),
    *("birth.schema_publish", "making.sync_path", "making.os.rename"),
]


def make(folder, *, kind="opaque", **options):
    charter = new_charter(ORIGIN, kind=kind)
    init(folder, charter, new_keys(charter), **options)
    return charter


def refused(folder):
    before = sorted(folder.parent.rglob("*")) if folder.parent.is_dir() else []
    with pytest.raises(Refused) as caught:
        make(folder)
    assert caught.value.check == "folder"
    after = sorted(folder.parent.rglob("*")) if folder.parent.is_dir() else []
    assert before == after
    return str(caught.value)


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


# Where


def test_in_a_folder_that_is_not_there(tmp_path):
    make(tmp_path / "log")
    assert [path.name for path in tmp_path.iterdir()] == ["log"]
    with Log.open(tmp_path / "log") as log:
        assert log.hold is None


def test_in_a_folder_that_is_empty(tmp_path):
    make(tmp_path)
    with Log.open(tmp_path) as log:
        assert log.hold is None


def test_in_the_folder_where_one_stands(tmp_path, monkeypatch):
    (tmp_path / "log").mkdir()
    monkeypatch.chdir(tmp_path / "log")
    make(Path())
    with Log.open(tmp_path / "log") as log:
        assert log.hold is None


@pytest.mark.parametrize("name", ["file", ".hidden", "lost+found/"])
def test_not_in_a_folder_that_holds_anything(tmp_path, name):
    folder = tmp_path / "log"
    folder.mkdir()
    (folder / name).mkdir() if name.endswith("/") else (folder / name).touch()
    assert "holds something" in refused(folder)


def test_not_over_a_log(tmp_path):
    make(tmp_path / "log")
    before = (tmp_path / "log" / "key").read_bytes()
    assert "holds something" in refused(tmp_path / "log")
    assert (tmp_path / "log" / "key").read_bytes() == before


def test_not_in_place_of_a_file(tmp_path):
    (tmp_path / "log").write_text("precious")
    assert "is not a folder" in refused(tmp_path / "log")
    assert (tmp_path / "log").read_text() == "precious"


def test_not_under_a_folder_that_is_not_there(tmp_path):
    assert "is not a folder" in refused(tmp_path / "nowhere" / "log")
    assert not list(tmp_path.iterdir())


def test_not_in_place_of_a_link(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "log").symlink_to("empty")
    refused(tmp_path / "log")


# What


def test_nobody_else_may_read_what_is_secret(tmp_path, monkeypatch):
    before = os.umask(0)
    try:
        make(tmp_path / "log", kind="record")
    finally:
        os.umask(before)
    folder = tmp_path / "log"
    assert mode(folder) == mode(folder / "store") == 0o700
    for name in ("key", "anchor", "lock", "store/data.mdb", "store/lock.mdb"):
        assert mode(folder / name) == 0o600, name


def test_an_empty_log_is_signed_and_anchored(tmp_path):
    charter = make(tmp_path / "log")
    held = read_anchor(tmp_path / "log" / "anchor")
    assert (held.genesis, held.batch, held.size) == (charter.genesis, 0, 0)
    policy = Policy.parse((tmp_path / "log" / "policy.txt").read_bytes())
    with Log.open(tmp_path / "log") as log:
        trusted = verify_checkpoint(log.checkpoint(), policy)
        assert (trusted.checkpoint.origin, trusted.checkpoint.size) == (ORIGIN, 0)


def test_the_key_file_belongs_to_this_birth(tmp_path):
    charter = make(tmp_path / "log")
    keys = read_key_file(tmp_path / "log" / "key")
    assert (keys.genesis, keys.origin) == (charter.genesis, ORIGIN)
    kinds = [key.type for key in keys.keys]
    assert kinds == [KeyType.ED25519, KeyType.ML_DSA_COSIGNATURE]


def test_two_logs_of_one_name_are_two_logs():
    first, second = (new_charter(ORIGIN, kind="record") for _ in range(2))
    assert first.genesis != second.genesis
    assert first.operator != second.operator
    keys = [new_keys(each).keys[0].seed for each in (first, second)]
    assert keys[0] != keys[1]


def test_entry_0_of_a_record_log_says_which_log_this_is(new_log):
    live = new_log(kind="record", clock=SetClock())
    with live.open() as log:
        entry = Entry.parse(log.reading.entry(0))
        keys = [key.verifier_key.text() for key in read_key_file(log.home.key).keys]
    assert (entry.by, entry.at) == ("log", SetClock().wall_ms)
    assert cbor.decode(entry.body, text_keys=True) == {
        "kind": "genesis",
        "format": "provlog/1",
        "origin": live.charter.origin,
        "genesis": live.charter.genesis,
        "entries": "record",
        "keys": keys,
    }


def test_entry_1_of_a_record_log_says_what_its_records_mean(new_log):
    with new_log(kind="record", clock=SetClock()).open() as log:
        entry = Entry.parse(log.reading.entry(1))
        assert log.head.size == FIRST
    assert (entry.by, entry.at) == ("log", SetClock().wall_ms)
    assert parse_own(entry)["json_schema"] == jsonschema.text().decode()


@pytest.mark.parametrize("kind", ["opaque", "statement"])
def test_other_logs_begin_with_nothing(new_log, kind):
    with new_log(kind=kind).open() as log:
        assert log.head.size == 0


def test_a_clock_from_before_any_entry_begins_no_record_log(tmp_path):
    for wall_ms in (-1, 0, 1_000, 2**32 - 1, 2**53):
        with pytest.raises(Held) as caught:
            make(tmp_path / "log", kind="record", clock=SetClock(wall_ms=wall_ms))
        assert caught.value.state == "clock"
        assert not list(tmp_path.iterdir())


def test_git_takes_nothing_of_a_log_and_least_of_all_its_key(tmp_path):
    need("git")
    make(tmp_path / "log")
    for command in (["init", "-q"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=tmp_path, check=True)
    listed = subprocess.check_output(["git", "ls-files"], cwd=tmp_path)
    assert listed == b""


def test_the_settings_that_are_written_change_nothing_and_show_the_defaults(tmp_path):
    make(tmp_path)
    assert Config.read(tmp_path) == Config()
    lines = SETTINGS_TEXT.decode().splitlines()
    shown = [line.removeprefix("# ") for line in lines if " = " in line]
    (tmp_path / "log.toml").write_text("\n".join(shown))
    assert Config.read(tmp_path) == Config()
    assert len(shown) == len(dataclasses.fields(Config))


# From what


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\n", "x" * 256])
def test_a_name_that_no_key_may_have_is_refused(origin):
    with pytest.raises(Refused) as caught:
        new_charter(origin, kind="record")
    assert caught.value.check == "origin"


@pytest.mark.parametrize("kind", ["", "records", "Opaque"])
def test_a_kind_that_is_none_is_refused(kind):
    with pytest.raises(Refused):
        new_charter(ORIGIN, kind=kind)


def test_only_an_opaque_log_is_asked_whether_it_keeps_repeats():
    assert new_charter(ORIGIN, kind="opaque", dedupe=True).dedupe
    for kind in ("record", "statement"):
        with pytest.raises(Refused) as caught:
            new_charter(ORIGIN, kind=kind, dedupe=True)
        assert caught.value.check == "dedupe"


def test_a_key_that_was_there_before_becomes_the_first(tmp_path):
    key = SigningKey.generate(ORIGIN, KeyType.ED25519)
    keys = new_keys(new_charter(ORIGIN, kind="opaque"), key)
    assert keys.keys[0] == key
    assert keys.keys[1].type is KeyType.ML_DSA_COSIGNATURE


def test_a_key_of_another_name_is_refused():
    key = SigningKey.generate("log.example/other", KeyType.ED25519)
    with pytest.raises(Refused, match="not of") as caught:
        new_keys(new_charter(ORIGIN, kind="opaque"), key)
    assert caught.value.check == "key"


# A crash on the way


@pytest.mark.parametrize("turn", [2, 3, 6])
def test_a_move_that_fails_half_way_leaves_nothing(tmp_path, monkeypatch, turn):
    rename, calls = os.rename, []

    def fails(*names):
        calls.append(names)
        if len(calls) == turn:
            raise OSError("input/output error")
        rename(*names)

    monkeypatch.setattr("ledger.upkeep.making.os.rename", fails)
    with pytest.raises(OSError, match="input/output"):
        make(tmp_path / "log", kind="record")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("error", [OSError("no space"), KeyboardInterrupt()], ids=str)
def test_what_fails_on_the_way_leaves_nothing(tmp_path, monkeypatch, step, error):
    def fails(*_, **__):
        raise error

    with monkeypatch.context() as patch:
        patch.setattr(f"ledger.upkeep.{step}", fails)
        with pytest.raises(type(error)):
            make(tmp_path / "log", kind="record")
    assert not list(tmp_path.iterdir())
    make(tmp_path / "log", kind="record")
    with Log.open(tmp_path / "log") as log:
        (tmp_path / "log" / "log.toml").write_text("min_free_bytes = 0")
        admitted = log.admission.admit(body(1), by="s-1")
        assert list(log.submit([admitted]).wait(LONG_S).indexes) == [FIRST]


# Two at once


def test_who_comes_second_into_one_folder_takes_nothing_away(tmp_path):
    folder = tmp_path / "log"
    with made_whole(folder) as beside:
        (beside / "key").write_text("the first one's")
        with pytest.raises(Refused, match=r"holds something|filling"):
            make(folder)
    assert (folder / "key").read_text() == "the first one's"


def test_who_looked_before_the_other_one_began_takes_nothing_away(
    tmp_path, monkeypatch
):
    folder = tmp_path / "log"
    folder.mkdir()
    with made_whole(folder) as beside:
        (beside / "key").write_text("the first one's")
        # It was empty when the second one looked.
        monkeypatch.setattr(making, "check_empty", lambda _: None)
        with pytest.raises(Refused, match="just filling"):
            make(folder)
    assert (folder / "key").read_text() == "the first one's"


def test_what_somebody_else_puts_there_meanwhile_stays(tmp_path):
    folder = tmp_path / "log"
    folder.mkdir()

    def fill() -> None:
        with made_whole(folder) as beside:
            (beside / "key").write_text("ours")
            (folder / "key").write_text("theirs")

    with pytest.raises(Refused, match="somebody else"):
        fill()
    assert (folder / "key").read_text() == "theirs"
    assert list(folder.iterdir()) == [folder / "key"]
