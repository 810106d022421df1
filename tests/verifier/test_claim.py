"""A claim holds if every link does, and the report says no more than was shown."""

from dataclasses import replace
from hashlib import sha256

import pytest

from tests.recordlog import (
    ARTIFACT,
    CLOSED,
    EARLIER,
    INDEX,
    OPENED,
    SIZE,
    TIMES,
    bundle_of,
    check,
    found,
    record,
    record_log,
    true_bundle,
    words,
    wrapped,
)
from tests.testlog import LOG, TIME, WITNESSES, policy_text, signer
from verifier import MalformedError, Policy
from verifier.errors import (
    EntryError,
    InclusionError,
    OpeningError,
    QuorumError,
    UntrustedError,
    VerificationError,
)
from verifier.record import encode_record
from verifier.report import time_text

TRUE = true_bundle()
NO_QUORUM = Policy.parse(policy_text(quorum=0))
DIGEST = sha256(ARTIFACT).digest()


# From the policy to the entry


def test_a_true_bundle_holds_link_by_link():
    assert words(check(TRUE, artifact=DIGEST)) == [
        "log",
        "quorum",
        "inclusion",
        "entry",
        "record",
        "opening",
        "closed",
        "artifact",
        "before",
        "time",
    ]


def test_the_report_says_what_was_shown():
    report = check(TRUE)
    log = found(report, "log")
    assert (log["origin"], log["size"]) == ("log.example/test", SIZE)
    assert log["root"] == record_log().tree.mth(0, SIZE).hex()
    assert log["keys"] == [f"{LOG.name}+{LOG.key_id.hex()}"]
    assert found(report, "quorum")["witnesses"] == dict(
        zip(["w1", "w2", "w3"], TIMES, strict=True)
    )
    inclusion = found(report, "inclusion")
    assert inclusion["index"] == INDEX
    assert inclusion["leaf"] == sha256(b"\x00" + TRUE.entry).hexdigest()
    assert found(report, "before")["before_size"] == EARLIER
    assert found(report, "record")["record"] == record(INDEX)


def test_a_report_stops_at_the_first_link_that_breaks():
    with pytest.raises(InclusionError):
        check(replace(TRUE, entry=wrapped(encode_record(record(7)))))


@pytest.mark.parametrize("at", range(0, len(TRUE.entry), 17))
def test_one_flipped_bit_anywhere_in_the_entry_is_noticed(at):
    spoiled = bytearray(TRUE.entry)
    spoiled[at] ^= 1
    with pytest.raises(InclusionError):
        check(replace(TRUE, entry=bytes(spoiled)))


@pytest.mark.parametrize("change", [-1, 1, SIZE])
def test_the_receipt_serves_one_index_only(change):
    receipt = replace(TRUE.receipt, index=INDEX + change)
    with pytest.raises(VerificationError) as caught:
        check(replace(TRUE, receipt=receipt))
    assert caught.value.check in {"inclusion", "form"}


def test_a_log_that_the_policy_does_not_list_is_not_believed():
    policy = Policy.parse(policy_text([signer("log.example/other")]))
    with pytest.raises(UntrustedError, match=r"the policy lists: log\.example/other"):
        check(TRUE, policy)


def test_a_log_of_the_same_name_with_another_key_is_not_believed():
    other = replace(LOG, seed=bytes(32))
    with pytest.raises(UntrustedError, match="is not signed by"):
        check(TRUE, Policy.parse(policy_text([other])))


def test_too_few_witnesses_are_no_quorum():
    policy = Policy.parse(policy_text(witnesses=[*WITNESSES, signer("w", 4)], quorum=4))
    with pytest.raises(QuorumError):
        check(TRUE, policy)


def test_a_quorum_of_nobody_is_named_as_such_and_is_no_check_that_holds():
    quorum = found(check(TRUE, NO_QUORUM), "quorum")
    assert quorum["holds"] is None
    assert "asks no witness" in quorum["says"]


def test_a_witness_that_states_no_time_is_shown_without_one():
    ml_dsa = signer("witness.example/pq", 0x06)
    log = replace(record_log(), witnesses=(ml_dsa,))
    policy = Policy.parse(policy_text(witnesses=(ml_dsa,), quorum=1))
    report = check(log.bundle(INDEX, times=(0,), earlier_times=(0,)), policy)
    assert found(report, "quorum")["says"] == "cosigned by w1, without a time"
    assert found(report, "time")["says"] == "nobody but the log says when"


# What the entry is


def test_an_entry_of_another_type_is_shown_and_not_read():
    data = wrapped(b"anything", type="application/cose")
    report = check(bundle_of(data))
    assert "record" not in words(report)
    assert found(report, "entry")["type"] == "application/cose"
    assert found(report, "entry")["body_digest"] == (
        f"sha256:{sha256(b'anything').hexdigest()}"
    )


def test_a_type_that_reads_like_a_size_and_a_digest_comes_after_the_true_ones():
    forged = f"text/plain of 22 bytes, sha256:{64 * '0'}"
    says = found(check(bundle_of(wrapped(b"real", type=forged))), "entry")["says"]
    true = f"4 bytes, sha256:{sha256(b'real').hexdigest()}, of type "
    assert says.endswith(true + forged)
    assert says.index(true) < says.index(forged)


def test_an_opaque_entry_is_shown_by_its_digest():
    entry = found(check(bundle_of(b"opaque")), "entry")
    assert entry["bytes"] == 6
    assert entry["digest"] == f"sha256:{sha256(b'opaque').hexdigest()}"


def test_an_entry_that_merely_looks_like_a_record_is_opaque_if_the_caller_says_so():
    looks = TRUE.entry[:16] + b" and then something else"
    assert "bytes" in found(check(bundle_of(looks), kind="opaque"), "entry")
    with pytest.raises(EntryError, match="not an entry of a record log"):
        check(bundle_of(looks))


def test_a_true_entry_of_a_record_log_is_bytes_if_the_caller_says_so():
    report = check(replace(TRUE, openings=()), kind="opaque")
    assert found(report, "entry")["bytes"] == len(TRUE.entry)
    assert "record" not in words(report)


@pytest.mark.parametrize("data", [b"", b"opaque", b"\xa0", b"{}"])
def test_an_opaque_entry_is_no_record_if_the_caller_asks_for_one(data):
    assert found(check(bundle_of(data)), "entry")["bytes"] == len(data)
    with pytest.raises(EntryError, match="not an entry of a record log"):
        check(bundle_of(data), kind="record")


def test_an_entry_that_says_it_is_a_record_has_to_be_one():
    with pytest.raises(MalformedError, match="UUIDv7"):
        check(bundle_of(wrapped(b"\xa0")))


# Sealed values


def test_an_opened_value_is_shown_and_a_closed_one_is_said_to_be_closed():
    report = check(TRUE)
    assert found(report, "opening")["value"] == OPENED.value
    assert found(report, "opening")["path"] == [*OPENED.path]
    closed = found(report, "closed")
    assert (closed["holds"], closed["path"]) == (None, [*CLOSED.path])
    assert closed["says"] == "user/0 is withheld or erased"


@pytest.mark.parametrize(
    "opening",
    [
        replace(OPENED, value="What is owed!"),
        replace(OPENED, salt=bytes(32)),
        replace(OPENED, path=("prompt",)),
        replace(CLOSED, value="nobody@example.com"),
    ],
    ids=["value", "salt", "path", "closed"],
)
def test_a_false_opening_spoils_a_true_bundle(opening):
    with pytest.raises(OpeningError):
        check(replace(TRUE, openings=(opening,)))


def test_the_openings_of_another_record_are_refused():
    copied = record(INDEX + 1, commitments=record(INDEX)["commitments"])
    with pytest.raises(OpeningError):
        check(bundle_of(wrapped(encode_record(copied)), OPENED))


@pytest.mark.parametrize("data", [b"opaque", wrapped(b"x", type="text/plain")])
def test_nothing_is_opened_where_there_is_no_record(data):
    with pytest.raises(OpeningError, match="not a record"):
        check(bundle_of(data, OPENED))


# Words for times


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (TIME, "2026-09-21T14:13:20Z"),
        (2**53, "9007199254740992 s after 1970"),
        (2**63 - 1, "9223372036854775807 s after 1970"),
    ],
)
def test_a_time_is_written_for_people_if_they_have_a_calendar_for_it(seconds, text):
    assert time_text(seconds) == text


def test_the_log_may_claim_a_time_beyond_every_calendar():
    data = wrapped(encode_record(record(INDEX)), at=2**53 - 1)
    assert "s after 1970" in found(check(bundle_of(data)), "entry")["says"]
