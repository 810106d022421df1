"""A new origin has the old entries, and nothing else of the old log."""

import pytest

from ledger.errors import Held, Refused
from ledger.log.log import Log
from ledger.log.own import freeze
from ledger.store import layout as at
from ledger.upkeep.continuing import begin_again
from ledger.upkeep.copies import backup
from tests.livelog import ORIGIN
from tests.upkeep.spoil import (
    entries,
    flip,
    is_sound,
    public,
    records,
    rows,
    statements,
)
from verifier import Entry, Policy, verify_checkpoint
from verifier.errors import UntrustedError
from verifier.own import parse_own

SIZE = 300
NEW = "log.example/new"
MADE = {"record": records, "statement": statements, "opaque": entries}


@pytest.fixture
def old(new_log, tmp_path):
    """Makes a log of a kind, and its backup."""

    def make(kind, **options):
        log = new_log(kind=kind, **options)
        log.append(*MADE[kind](SIZE))
        backup(log.folder, tmp_path / "backup")
        return log

    return make


@pytest.mark.parametrize("kind", MADE)
def test_it_has_the_same_entries_under_other_keys(old, tmp_path, kind):
    log = old(kind)
    size = log.check().size
    head = begin_again(tmp_path / "new", NEW, tmp_path / "backup")
    assert head.size == size + (kind == "record")
    assert is_sound(tmp_path / "new")
    with log.open() as before, Log.open(tmp_path / "new") as opened:
        assert opened.charter.origin == NEW
        assert opened.charter.kind == kind
        assert opened.charter.genesis != log.charter.genesis
        assert opened.reading.entries(0, size) == before.reading.entries(0, size)
        opened.admission = log.admission(opened)
        assert opened.append(MADE[kind](1, SIZE)).head.size == head.size + 1
    secrets = [(each / "key").read_text() for each in (log.folder, tmp_path / "new")]
    assert not set(secrets[0].splitlines()) & set(secrets[1].splitlines())


def test_neither_policy_accepts_the_other_log(old, tmp_path):
    log = old("opaque")
    begin_again(tmp_path / "new", NEW, tmp_path / "backup")
    policy = Policy.parse((tmp_path / "new/policy.txt").read_bytes())
    with Log.open(tmp_path / "new") as opened:
        signed = opened.checkpoint()
    with log.open() as opened:
        before = opened.checkpoint()
    assert verify_checkpoint(signed, policy).checkpoint.origin == NEW
    with pytest.raises(UntrustedError):
        verify_checkpoint(signed, log.policy)
    with pytest.raises(UntrustedError):
        verify_checkpoint(before, policy)


def test_a_record_log_says_which_tree_it_continues(old, tmp_path):
    log = old("record")
    tree = log.check()
    begin_again(tmp_path / "new", NEW, tmp_path / "backup")
    with Log.open(tmp_path / "new") as opened:
        own = parse_own(Entry.parse(opened.reading.entry(tree.size)))
        assert own["genesis"] == opened.charter.genesis
    assert own["kind"] == "genesis"
    assert own["origin"] == NEW
    assert own["continues"] == {
        "origin": ORIGIN,
        "size": tree.size,
        "root": tree.root,
    }


def test_it_enters_the_schema_where_the_old_log_had_none(new_log, tmp_path):
    log = new_log(kind="record", older=True)
    log.append(*records(1))
    begin_again(tmp_path / "new", NEW, log.folder)
    with Log.open(tmp_path / "new") as opened:
        found = map(Entry.parse, opened.reading.entries(0, opened.head.size))
        said = [parse_own(each)["kind"] for each in found if each.by == "log"]
    assert said == ["genesis", "genesis", "schema.publish"]


@pytest.mark.parametrize("kind", MADE)
def test_what_was_handed_in_before_is_known(old, tmp_path, kind):
    log = old(kind, dedupe=kind == "opaque")
    begin_again(tmp_path / "new", NEW, tmp_path / "backup")
    assert rows(tmp_path / "new", at.IDENTITIES) == rows(log.folder, at.IDENTITIES)
    with Log.open(tmp_path / "new") as opened:
        opened.admission = log.admission(opened)
        answer = opened.append(MADE[kind](SIZE), by=log.charter.operator)
    assert answer.repeated == frozenset(range(SIZE))


def test_a_log_that_has_ended_can_be_gone_on_with(new_log, tmp_path):
    log = new_log(kind="record")
    with log.open() as opened:
        opened.submit([freeze("a key was stolen")], freeze=True).wait()
    begin_again(tmp_path / "new", NEW, log.folder)
    assert is_sound(tmp_path / "new")
    with Log.open(tmp_path / "new") as opened:
        assert opened.hold is None
        assert opened.append(records(1)).head.size == 5


# What is refused, and leaves nothing


def refused(tmp_path, origin=NEW, copy="backup"):
    before = set(tmp_path.iterdir())
    with pytest.raises((Held, Refused)) as error:
        begin_again(tmp_path / "new", origin, tmp_path / copy)
    assert set(tmp_path.iterdir()) == before
    return getattr(error.value, "state", None) or error.value.check


@pytest.mark.parametrize("origin", [ORIGIN, "", "two words", "a+b", "x" * 256])
def test_the_name_has_to_be_a_new_one(old, tmp_path, origin):
    old("opaque")
    assert refused(tmp_path, origin) == "origin"


def test_the_folder_has_to_be_empty(old, tmp_path):
    old("opaque")
    (tmp_path / "new").mkdir()
    (tmp_path / "new/mine").write_bytes(b"mine")
    assert refused(tmp_path) == "folder"


def test_it_takes_a_log_or_a_backup_of_one(old, tmp_path):
    log = old("opaque")
    public(log, tmp_path / "public")
    assert refused(tmp_path, copy="public") == "copy"
    assert refused(tmp_path, copy="nowhere") == "copy"


def test_a_damaged_copy_is_gone_on_with_by_nobody(old, tmp_path):
    old("opaque")
    flip(tmp_path / "backup", at.ENTRIES, at.index_key(0), 5)
    assert refused(tmp_path) == "damaged"
