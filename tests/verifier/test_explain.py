"""Any file is explained by what it says, and no word is said on whether it is true."""

from dataclasses import replace

import pytest

from tests.recordlog import (
    CLOSED,
    INDEX,
    TIMES,
    bundle_of,
    record_id,
    record_log,
    true_bundle,
    words,
    wrapped,
)
from tests.testlog import (
    LOG,
    TIME,
    WITNESSES,
    b64,
    checkpoint_text,
    note,
    policy_text,
    signer,
)
from verifier import MalformedError, Report
from verifier.explain import explain
from verifier.misbehaviour import Misbehaviour

TRUE = true_bundle()
PQ = signer("witness.example/pq", 0x06)
COSIGNATURE = "Ed25519 cosignature by its length"


def explained(data: bytes) -> Report:
    report = Report()
    explain(data, report)
    return report


def says(data: bytes, check: str) -> list[str]:
    return [each.says for each in explained(data).findings if each.check == check]


def key_id(signer) -> str:
    return f"{signer.name}+{signer.key_id.hex()}"


EVERYTHING = {
    "bundle": TRUE.encode(),
    "receipt": TRUE.receipt.encode(),
    "misbehaviour": Misbehaviour(
        first=record_log().cosigned(4, TIMES), second=TRUE.receipt.checkpoint
    ).encode(),
    "entry": TRUE.entry,
    "checkpoint": TRUE.receipt.checkpoint,
    "note": note("anything\n", LOG.line("anything\n")),
    "policy": policy_text(),
    "key": LOG.vkey.encode(),
}


@pytest.mark.parametrize("data", EVERYTHING.values(), ids=EVERYTHING)
def test_nothing_that_is_explained_is_said_to_hold(data):
    report = explained(data)
    assert all(each.holds is None for each in report.findings)
    assert words(report)[-1] == "inspect"
    assert says(data, "inspect") == ["nothing here was verified"]


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_kind_of_file_is_called_by_its_name(name):
    word = "quorum" if name == "policy" else name
    assert word in words(explained(EVERYTHING[name]))


# Evidence


def test_a_bundle_is_explained_with_all_that_is_in_it():
    assert words(explained(TRUE.encode())) == [
        "bundle",
        "entry",
        "body",
        *["record"] * 10,
        "opening",
        "receipt",
        "checkpoint",
        *["signature"] * 4,
        "before",
        "checkpoint",
        *["signature"] * 4,
        "inspect",
    ]
    assert says(TRUE.encode(), "opening") == [
        "prompt/text is said to be 'What is owed?'"
    ]


def test_a_bundle_without_what_is_optional_is_explained():
    bare = replace(bundle_of(b"opaque"), before=None)
    assert words(explained(bare.encode()))[:3] == ["bundle", "receipt", "checkpoint"]


@pytest.mark.parametrize(
    "entry",
    [TRUE.entry[:16] + b" and not a map", wrapped(b"not a record")],
    ids=["looks like an entry", "says it is a record"],
)
def test_a_bundle_is_explained_whatever_its_entry_is(entry):
    assert "receipt" in words(explained(bundle_of(entry).encode()))


def test_white_space_may_stand_before_a_json_object_as_it_may_when_it_is_verified():
    assert words(explained(b"\n" + TRUE.encode())) == words(explained(TRUE.encode()))


def test_a_false_bundle_is_explained_all_the_same():
    false = replace(TRUE, entry=wrapped(b"x", type="text/plain"), openings=(CLOSED,))
    assert says(false.encode(), "opening") == [
        "user/0 is said to be 'someone@example.com'"
    ]


def test_a_receipt_is_explained_with_its_extra_data():
    assert says(TRUE.receipt.encode(), "receipt") == ["entry 6, a path of 4 hashes"]
    extra = replace(TRUE.receipt, extra=b"12345")
    assert says(extra.encode(), "extra") == ["5 bytes under no signature"]


def test_misbehaviour_is_explained_as_what_somebody_says():
    data = EVERYTHING["misbehaviour"]
    assert "said to contradict" in says(data, "misbehaviour")[0]
    assert len(says(data, "checkpoint")) == 2


# Entries


def test_an_entry_is_explained_with_its_record():
    assert says(TRUE.entry, "entry") == [
        "by s-1 at 2026-09-21T14:13:20Z, application/vnd.provlog.record+cbor"
    ]
    assert f"id: '{record_id(INDEX)}'" in says(TRUE.entry, "record")


def test_an_entry_of_another_type_is_explained_without_reading_it():
    data = wrapped(b"hello", type="text/plain")
    assert words(explained(data)) == ["entry", "body", "inspect"]
    assert says(data, "body")[0].startswith("5 bytes, sha256:")


# Notes


def test_a_checkpoint_is_explained_with_its_signatures():
    data = TRUE.receipt.checkpoint
    assert says(data, "checkpoint")[0].startswith("log.example/test, size 11, root ")
    assert says(data, "signature")[:2] == [
        f"{key_id(LOG)}, Ed25519 by its length",
        f"{key_id(WITNESSES[0])}, {COSIGNATURE}, of 2026-09-21T14:15:00Z",
    ]


def test_extension_lines_are_shown():
    text = checkpoint_text(1, bytes(32)) + "one\ntwo\n"
    assert says(note(text, LOG.line(text)), "extension") == ["one", "two"]


def test_another_note_is_shown_as_a_text():
    [finding] = [
        each for each in explained(EVERYTHING["note"]).findings if each.check == "note"
    ]
    assert finding.values["text"] == "anything\n"
    assert finding.says == "a text of 9 bytes"


@pytest.mark.parametrize(
    ("size", "kind"),
    [
        (1, "1 bytes"),
        (64, "Ed25519 by its length"),
        (72, "Ed25519 cosignature by its length, of 1970-01-01T00:00:00Z"),
        (2428, "ML-DSA-44 cosignature by its length, of 1970-01-01T00:00:00Z"),
        (2420, "2420 bytes"),
        (5000, "5000 bytes"),
    ],
)
def test_a_signature_is_called_what_it_looks_like(size, kind):
    signed = _signed(bytes(size))
    assert says(signed, "signature") == [f"somebody+00000000, {kind}"]


def test_a_cosignature_of_an_impossible_time_is_so_many_bytes():
    assert says(_signed(b"\xff" * 72), "signature") == ["somebody+00000000, 72 bytes"]


def _signed(signature: bytes) -> bytes:
    return note("text\n", f"\u2014 somebody {b64(bytes(4) + signature)}\n")


def test_an_ml_dsa_cosignature_is_explained_with_its_time():
    text = checkpoint_text(1, bytes(32))
    [signature] = says(note(text, PQ.line(text, TIME)), "signature")
    assert "ML-DSA-44 cosignature" in signature
    assert signature.endswith("of 2026-09-21T14:13:20Z")


# Policies and keys


def test_a_policy_is_explained_line_by_line():
    data = policy_text([LOG], [*WITNESSES[:2], PQ])
    assert [(each.check, each.says) for each in explained(data).findings] == [
        ("log", f"{key_id(LOG)}, ed25519"),
        ("witness", "w1: witness.example/w1, ed25519"),
        ("witness", "w2: witness.example/w2, ed25519"),
        ("witness", "w3: witness.example/pq, ml-dsa-44"),
        ("group", "2-of-3: 2 of w1, w2, w3"),
        ("quorum", "2-of-3"),
        ("inspect", "nothing here was verified"),
    ]


def test_names_in_a_policy_that_are_not_utf_8_are_shown_escaped():
    data = policy_text(quorum=0).replace(b"witness w1", b"witness \xff")
    assert says(data, "witness")[0].startswith("\\xff: ")


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_key_is_explained(end):
    assert says((LOG.vkey + end).encode(), "key") == [
        f"log.example/test, ed25519, id {LOG.key_id.hex()}"
    ]


# Anything else


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"\xff\xfe", bytes(100), b"quorum none", b"\xa1\x61a\x01"]
)
def test_what_nobody_knows_is_refused_with_the_reason_of_each_reader(data):
    with pytest.raises(MalformedError) as caught:
        explained(data)
    for word in ("as a signed note: ", "as a policy: ", "as a key: "):
        assert word in str(caught.value)


@pytest.mark.parametrize(
    "data", [b"{}", b"{", b"c2sp.org/tlog-proof@v9\n", TRUE.entry[:20]]
)
def test_what_is_known_by_its_beginning_is_refused_in_the_words_of_its_reader(data):
    with pytest.raises(MalformedError) as caught:
        explained(data)
    assert "as a signed note" not in str(caught.value)
