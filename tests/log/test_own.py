"""The log's own entries are under the tree, by `log`, and can be read by anybody."""

from hashlib import sha256
from pathlib import Path

import pytest

from ledger.errors import Refused
from ledger.keys.keyfile import SigningKey
from ledger.log.identity import identity_of
from ledger.log.own import freeze, genesis, key_rotate, schema_publish
from tests.livelog import FIRST, ORIGIN
from tests.log.fakes import LONG_S, SetClock, body
from verifier import Checkpoint, Entry, cbor
from verifier.entry import PREFIX
from verifier.keys import KeyType

DOCS = Path(__file__).resolve().parents[2] / "docs"
KEYS = [
    SigningKey(ORIGIN, kind, bytes(32)).verifier_key
    for kind in (KeyType.ED25519, KeyType.ML_DSA_COSIGNATURE)
]


def read(admitted, *, known=False):
    """What an own entry says; it has the log's name, and an identity if `known`."""
    entry = Entry.parse(PREFIX + (2**40).to_bytes(8, "big") + admitted.data)
    assert (entry.by, entry.type) == ("log", "application/vnd.provlog.log+cbor")
    assert identity_of(entry.encode()) == admitted.identity
    assert (admitted.identity is not None) == known
    return cbor.decode(entry.body, text_keys=True)


def test_a_genesis_names_the_log_its_keys_and_its_format(new_log):
    charter = new_log(kind="record").charter
    assert read(genesis(charter, KEYS)) == {
        "kind": "genesis",
        "format": "provlog/1",
        "origin": charter.origin,
        "genesis": charter.genesis,
        "entries": "record",
        "keys": [key.text() for key in KEYS],
    }


def test_a_genesis_that_continues_says_which_tree(new_log):
    charter = new_log(kind="record").charter
    before = Checkpoint(origin="log.example/before", size=7, root=bytes(32))
    assert read(genesis(charter, KEYS, before))["continues"] == {
        "origin": "log.example/before",
        "size": 7,
        "root": bytes(32),
    }


def test_the_schema_is_entered_as_it_is_published_with_its_digest():
    text = (DOCS / "record.schema.json").read_text()
    assert read(schema_publish(), known=True) == {
        "kind": "schema.publish",
        "schema": "provlog/record/1",
        "digest": f"sha256:{sha256(text.encode()).hexdigest()}",
        "json_schema": text,
    }


def test_a_schema_that_is_handed_in_again_is_known_and_not_logged(new_log):
    live = new_log(kind="record")
    with live.open() as log:
        before = log.head
        answer = live.submit(log, [schema_publish(), schema_publish()])
        assert (answer.indexes, answer.repeated) == ([1, 1], {0, 1})
        assert log.head == before


def test_a_rotation_names_the_keys_from_here_on():
    assert read(key_rotate(KEYS)) == {
        "kind": "key.rotate",
        "keys": [key.text() for key in KEYS],
    }


def test_a_freeze_says_why():
    assert read(freeze("the key was seen")) == {
        "kind": "freeze",
        "reason": "the key was seen",
    }


def test_own_entries_are_logged_as_often_as_they_are_made(new_log):
    live = new_log(kind="record")
    with live.open() as log:
        rotation = key_rotate(KEYS)
        answer = live.submit(log, [rotation, rotation])
        assert list(answer.indexes) == [2, 3]
        assert [Entry.parse(log.reading.entry(n)).by for n in (2, 3)] == ["log"] * 2


def test_own_entries_and_those_of_others_share_a_batch_and_its_time(new_log):
    clock = SetClock()
    live = new_log(kind="record", clock=clock)
    with live.open() as log:
        clock.go_on(1_000)
        record = log.admission.admit(body(1), by="s-1")
        answer = live.submit(log, [record, key_rotate(KEYS), record])
        assert answer.indexes == [2, 3, 2]
        entries = [Entry.parse(log.reading.entry(n)) for n in (2, 3)]
    assert [entry.at for entry in entries] == [clock.wall_ms] * 2
    assert [entry.by for entry in entries] == ["s-1", "log"]


def test_the_last_entry_of_a_frozen_record_log_is_its_freeze(new_log):
    live = new_log(kind="record")
    with live.open() as log:
        live.append(body(1), log=log)
        answer = log.submit([freeze("the end")], freeze=True).wait(LONG_S)
        live.saw(answer.checkpoint)
        last = Entry.parse(log.reading.entry(answer.head.size - 1))
        assert cbor.decode(last.body, text_keys=True)["kind"] == "freeze"


@pytest.mark.parametrize(
    "own",
    [key_rotate(KEYS), freeze("never"), schema_publish()],
    ids=["key", "end", "schema"],
)
def test_nobody_hands_one_in(new_log, own):
    entry = PREFIX + (2**40).to_bytes(8, "big") + own.data
    with new_log(kind="record").open() as log:
        for data in (entry, Entry.parse(entry).body):
            for by in ("log", "s-1"):
                with pytest.raises(Refused):
                    log.append([data], by=by)
        assert log.head.size == FIRST


@pytest.mark.parametrize(
    "entry", [b"", b"no entry", PREFIX], ids=["none", "text", "cut"]
)
def test_what_is_no_entry_of_a_record_log_has_no_identity(entry):
    assert identity_of(entry) is None
