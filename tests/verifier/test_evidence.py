"""Evidence says what it is, and is held against what the caller has in hand."""

from dataclasses import replace
from hashlib import sha256

import pytest

from tests.recordlog import (
    ARTIFACT,
    INDEX,
    SIZE,
    TIMES,
    check,
    found,
    record_log,
    true_bundle,
    words,
)
from tests.testlog import policy_text
from verifier import Bundle, Limits, MalformedError, Policy, Receipt, parse_evidence
from verifier.errors import AgeError, EntryError, FinalError, InclusionError
from verifier.evidence import MAX_BYTES, EntryNeededError, checkpoint_in
from verifier.misbehaviour import Misbehaviour
from verifier.note import Note

TRUE = true_bundle()
RECEIPT = TRUE.receipt
MISBEHAVIOUR = Misbehaviour(first=b"one", second=b"two")
FINAL = (SIZE, record_log().tree.mth(0, SIZE))


# Told apart


@pytest.mark.parametrize(
    "evidence", [TRUE, RECEIPT, MISBEHAVIOUR], ids=lambda each: type(each).__name__
)
def test_each_kind_is_read_as_what_it_says_it_is(evidence):
    assert parse_evidence(evidence.encode()) == evidence


def test_white_space_may_stand_before_a_json_object():
    assert parse_evidence(b"\n  " + TRUE.encode()) == TRUE


@pytest.mark.parametrize(
    ("data", "named"),
    [
        (b"", "neither a bundle, nor a tlog-proof"),
        (b"\n", "neither a bundle, nor a tlog-proof"),
        (b"hello", "neither a bundle, nor a tlog-proof"),
        (b"[]", "neither a bundle, nor a tlog-proof"),
        (b"\xef\xbb\xbf{}", "neither a bundle, nor a tlog-proof"),
        (TRUE.entry, "neither a bundle, nor a tlog-proof"),
        (RECEIPT.checkpoint, "neither a bundle, nor a tlog-proof"),
        (b" " + RECEIPT.encode(), "neither a bundle, nor a tlog-proof"),
        (RECEIPT.encode().replace(b"@v1", b"@v2", 1), "first line"),
        (b"{}", '"schema" is neither'),
        (b'{"schema": "provlog/bundle/2"}', '"schema" is neither'),
        (b'{"schema": ["provlog/bundle/1"]}', '"schema" is neither'),
        (b"{", "strict JSON"),
        (b'{"schema": null}', "null"),
        (b"\x0b{}", "strict JSON"),
        (TRUE.encode().decode().encode("utf-16-le"), "strict JSON"),
        (b"{" + b" " * MAX_BYTES + b"}", "at most"),
    ],
    ids=range(17),
)
def test_anything_else_is_refused(data, named):
    with pytest.raises(MalformedError, match=named):
        parse_evidence(data)


# Held against what is in hand


def test_a_receipt_needs_its_entry():
    with pytest.raises(EntryNeededError):
        check(RECEIPT)


def test_a_receipt_holds_for_its_entry():
    report = check(RECEIPT, entry=TRUE.entry, artifact=sha256(ARTIFACT).digest())
    assert found(report, "inclusion")["index"] == INDEX
    assert words(report).count("closed") == 2
    assert found(report, "time")["not_before"] is None


def test_a_receipt_holds_for_no_other_entry():
    with pytest.raises(InclusionError):
        check(RECEIPT, entry=TRUE.entry + b"\x00")


def test_an_empty_entry_is_an_entry_and_not_a_missing_one():
    with pytest.raises(InclusionError):
        check(RECEIPT, entry=b"")


def test_a_bundle_holds_its_entry_and_may_be_compared_with_another_copy():
    assert words(check(TRUE, entry=TRUE.entry)) == words(check(TRUE))


@pytest.mark.parametrize("other", [b"", TRUE.entry[:-1], record_log().entries[0]])
def test_a_bundle_for_another_entry_is_refused(other):
    with pytest.raises(EntryError, match="not the one that was given"):
        check(TRUE, entry=other)


@pytest.mark.parametrize("given", [{"entry": b""}, {"artifact": bytes(32)}])
def test_misbehaviour_is_about_no_entry_and_no_file(given):
    with pytest.raises(EntryError, match="about no entry"):
        check(MISBEHAVIOUR, misbehaviour=True, **given)


# The checkpoint in it


@pytest.mark.parametrize(
    "data",
    [RECEIPT.checkpoint, RECEIPT.encode(), TRUE.encode(), b"\n" + TRUE.encode()],
    ids=["note", "receipt", "bundle", "bundle after white space"],
)
def test_a_checkpoint_is_found_in_whatever_carries_one(data):
    assert checkpoint_in(data) == RECEIPT.checkpoint


@pytest.mark.parametrize("data", [MISBEHAVIOUR.encode(), b"{}", RECEIPT.encode()[:-1]])
def test_what_carries_none_or_is_cut_gives_none(data):
    with pytest.raises(MalformedError):
        Note.parse(checkpoint_in(data))


# Limits


def test_cosignatures_older_than_the_caller_accepts_are_refused():
    limits = Limits(now=TIMES[1] + 60, max_age_s=60)
    assert check(TRUE, limits=limits)
    with pytest.raises(AgeError):
        check(TRUE, limits=replace(limits, now=limits.now + 1))


def test_a_receipt_for_the_final_tree_holds_after_the_key_was_lost():
    assert check(TRUE, limits=Limits(final=FINAL))


@pytest.mark.parametrize("final", [(SIZE - 1, FINAL[1]), (SIZE, bytes(32))])
def test_a_receipt_beyond_or_beside_the_final_tree_is_refused(final):
    with pytest.raises(FinalError):
        check(TRUE, limits=Limits(final=final))


def test_a_receipt_below_the_final_tree_needs_witnesses():
    limits = Limits(final=(SIZE + 1, bytes(32)))
    assert check(TRUE, limits=limits)
    with pytest.raises(FinalError, match="no witness is asked"):
        check(TRUE, Policy.parse(policy_text(quorum=0)), limits=limits)


# Under other policies


@pytest.mark.parametrize("quorum", range(4))
def test_the_same_bundle_is_read_under_the_policy_of_each_reader(quorum):
    report = check(TRUE, Policy.parse(policy_text(quorum=quorum)))
    not_after = found(report, "time")["not_after"]
    assert not_after == (TIMES[quorum - 1] if quorum else None)


def test_extra_data_of_a_receipt_changes_nothing():
    receipt = replace(RECEIPT, extra=b"believe me")
    evidence = Bundle.parse(replace(TRUE, receipt=receipt).encode())
    assert evidence.receipt.extra == b"believe me"
    assert check(evidence).json() == check(TRUE).json()


def test_a_receipt_and_a_bundle_show_the_same_of_the_same_entry():
    bare = replace(TRUE, openings=(), before=None)
    receipt = Receipt.parse(bare.receipt.encode())
    assert check(bare).json() == check(receipt, entry=bare.entry).json()
