"""Attack: say who may sign, without being the log.

Who may sign is what the log has entered about it, and nothing else. Nobody hands in
such an entry, in either kind of log; and a file with them has to have each one, as it
stands there, under a checkpoint of the same log. (Threats: a forged entry of the log's
own, a register in which one entry is missing or another one.)
"""

import json
from base64 import b64decode, b64encode
from dataclasses import replace
from typing import Any

import cbor2
import pytest

from ledger.errors import Refused
from ledger.keys import registry
from ledger.log.identity import digest_identity, register_identity
from ledger.log.pool import Admitted
from tests.attacks.test_statement_keys import bundled
from tests.authority import NOW, ed25519_key, issue
from tests.livelog import LiveLog
from tests.records import record as numbered
from tests.statements import CI, OTHER, Maker, added, envelope, sign1, signed
from verifier import cbor
from verifier.bundle import Bundle
from verifier.certificate import Certificate
from verifier.cose import Sign1
from verifier.entry import LOG, MAX_BODY_BYTES, PREFIX_BYTES, untimed
from verifier.errors import (
    InclusionError,
    MalformedError,
    ProducerError,
    UntrustedError,
    VerificationError,
)
from verifier.evidence import verify_evidence
from verifier.own import MEDIA_TYPE, encode_own
from verifier.producers import Producers
from verifier.producers.believed import believed_producers
from verifier.producers.credential import Credential
from verifier.producers.register import Register, Registered, verify_register
from verifier.receipt import Receipt
from verifier.record import encode_record
from verifier.report import Report
from verifier.statement import Statement
from verifier.tile import MAX_ENTRY_BYTES
from verifier.trust import Limits

THIEF = added(OTHER, name="thief", issuers=())
GONE = registry.revoke("ci", [CI.credential.id], "stolen")
BOTH = pytest.mark.parametrize("kind", ["record", "statement"])


def register_of(log) -> Register:
    """All that `log` has entered about producers, as its service shows it."""
    indexes, size = log.registry.indexes(), log.head.size
    proofs = log.reading.inclusions(indexes, size)
    entries = tuple(
        Registered(index=at, entry=log.reading.entry(at), proof=tuple(proof))
        for at, proof in zip(indexes, proofs, strict=True)
    )
    return Register(checkpoint=log.checkpoint(), entries=entries)


def filled(folder, kind: str = "record", name: str = "log") -> LiveLog:
    """A log in which ci came, somebody else came, and ci's key was revoked."""
    live = LiveLog(folder / name, kind=kind, signed=True)
    with live.open() as log:
        log.register(added())
        log.submit([log.admission.admit_statement(sign1(), by="s-1")]).wait()
        log.register(added(OTHER, name="other", issuers=()))
        log.register(GONE)
    return live


@pytest.fixture(scope="module", params=["record", "statement"])
def log(request, tmp_path_factory):
    live = filled(tmp_path_factory.mktemp("registers"), request.param)
    with live.open() as opened:
        opened.policy = live.policy
        yield opened
    live.check()


def names(register: Register, log) -> list[str]:
    return [each.name for each in verify_register(register, log.policy)]


# A file that is not what the log says


def test_the_true_register_is_believed(log):
    assert names(register_of(log), log) == ["ci", "other"]
    read = Register.parse(register_of(log).encode())
    assert verify_register(read, log.policy).get("ci").credentials[0].revoked


@pytest.mark.parametrize("missing", [0, 1])
def test_an_entry_that_is_missing_in_between_is_noticed(log, missing):
    true = register_of(log)
    left = (*true.entries[:missing], *true.entries[missing + 1 :])
    with pytest.raises(MalformedError, match="has to follow"):
        verify_register(replace(true, entries=left), log.policy)


def test_that_nothing_follows_is_the_word_of_who_gives_it(log):
    # The revocation left away: said in the documents, and by nothing in the file.
    true = register_of(log)
    short = replace(true, entries=true.entries[:-1])
    assert verify_register(short, log.policy).get("ci").credentials[0].revoked is None


@pytest.mark.parametrize("at", range(3))
def test_an_entry_that_is_edited_is_noticed(log, at):
    true = register_of(log)
    for before, after in ((b"ci", b"cj"), (b"stolen", b"mislai"), (b"other", b"mayor")):
        entry = true.entries[at].entry
        edited = replace(true.entries[at], entry=entry.replace(before, after))
        listed = [*true.entries]
        listed[at] = edited
        if before in entry:
            with pytest.raises(InclusionError):
                verify_register(replace(true, entries=tuple(listed)), log.policy)


@pytest.mark.parametrize("at", range(3))
def test_a_byte_of_an_entry_is_not_changed(log, at):
    true = register_of(log)
    entry = true.entries[at].entry
    for place in range(0, len(entry), 17):
        flipped = entry[:place] + bytes([entry[place] ^ 1]) + entry[place + 1 :]
        listed = [*true.entries]
        listed[at] = replace(listed[at], entry=flipped)
        with pytest.raises(VerificationError):
            verify_register(replace(true, entries=tuple(listed)), log.policy)


def test_entries_do_not_change_their_places(log):
    true = register_of(log)
    one, two, three = true.entries
    for listed in (
        (two, one, three),
        (one, one, two, three),
        (replace(one, index=two.index), replace(two, index=one.index), three),
        (one, two, replace(three, index=one.index)),
        (one, two, replace(three, index=three.index + 1)),
        (one, two, replace(three, index=-1)),
    ):
        with pytest.raises(VerificationError):
            verify_register(replace(true, entries=listed), log.policy)


def test_what_somebody_else_has_logged_is_not_about_producers(log):
    true = register_of(log)
    at = true.entries[0].index + 1
    assert Sign1.parse(sign1()).payload in log.reading.entry(at)
    (proof,) = log.reading.inclusions([at], log.head.size)
    strange = Registered(index=at, entry=log.reading.entry(at), proof=tuple(proof))
    with pytest.raises(MalformedError, match="not about producers"):
        verify_register(replace(true, entries=(strange,)), log.policy)


def test_the_register_of_another_log_is_none_of_this(log, tmp_path):
    other = filled(tmp_path, log.charter.kind)
    with other.open() as strange:
        theirs = register_of(strange)
    ours = register_of(log)
    for mixed in (
        theirs,
        replace(ours, checkpoint=theirs.checkpoint),
        replace(theirs, checkpoint=ours.checkpoint),
        replace(ours, entries=(*ours.entries[:2], theirs.entries[2])),
    ):
        with pytest.raises(VerificationError):
            verify_register(mixed, log.policy)


def test_an_older_checkpoint_has_no_newer_entries(tmp_path):
    live = LiveLog(tmp_path / "log", kind="record", signed=True)
    with live.open() as log:
        log.register(added())
        old = log.checkpoint()
        log.register(GONE)
        true = register_of(log)
    with pytest.raises(VerificationError):
        verify_register(replace(true, checkpoint=old), live.policy)
    live.check()


@pytest.mark.parametrize(
    "members",
    [
        {"schema": "provlog/producers/2"},
        {"more": 1},
        {"entries": 5},
        {"entries": [5]},
        {"entries": [{"index": 0, "entry": "", "proof": [], "x": 1}]},
        {"entries": [{"index": "0", "entry": "", "proof": []}]},
        {"entries": [{"index": 0, "entry": "!", "proof": []}]},
        {"entries": [{"index": 0, "entry": "", "proof": ["AA=="]}]},
        {"entries": [{"index": 0, "entry": "A" * 90_000, "proof": []}]},
        {"entries": [{"index": 0, "entry": "", "proof": []}] * 16_385},
        {"checkpoint": "bm8gbm90ZQ=="},
        {"checkpoint": 5},
    ],
    ids=lambda members: next(iter(members)) + str(len(str(members))),
)
def test_what_is_no_register_is_refused(log, members):
    document = {**json.loads(register_of(log).encode()), **members}
    with pytest.raises(VerificationError):
        believed_producers({"r": json.dumps(document).encode()}, log.policy)


def test_a_register_is_given_alone(log):
    data = register_of(log).encode()
    for files, threshold in (({"a": data, "b": data}, 1), ({"a": data}, 2)):
        with pytest.raises(MalformedError, match="give it alone"):
            believed_producers(files, log.policy, threshold=threshold)


# An entry of the log's own, forged


def own_statement(own: dict, *, origin: str, maker=CI, **more) -> bytes:
    """What looks as the entry does that a statement log makes of `own`."""
    headers: dict[Any, Any] = {
        1: maker.alg,
        3: MEDIA_TYPE,
        15: {1: origin, 2: own["kind"]},
    }
    return signed(cbor2.dumps({**headers, **more}), encode_own(own), maker=maker)


OWNS = [
    {**THIEF, "number": 1},
    {"kind": "freeze", "reason": "the end"},
    {"kind": "key.rotate", "keys": []},
    {"kind": "of a kind to come"},
]


@pytest.fixture
def running(new_log, kind):
    """A log of `kind`, in which ci may sign."""
    with new_log(kind=kind, signed=True).open() as opened:
        opened.register(added())
        yield opened


def forms_of(own: dict, origin: str) -> list[bytes]:
    payload = encode_own(own)
    by_digest = {3: None, 258: -16, 259: MEDIA_TYPE}
    return [
        own_statement(own, origin=origin),
        own_statement(own, origin="log.example/other"),
        own_statement(own, origin="https://ci.example"),
        sign1(payload, headers={3: MEDIA_TYPE}),
        sign1(payload, issuer=origin),
        sign1(bytes(32), headers=by_digest),
        envelope(payload, type_=MEDIA_TYPE),
    ]


@BOTH
@pytest.mark.parametrize("own", OWNS, ids=lambda own: own["kind"])
def test_nobody_hands_in_what_only_the_log_says(running, kind, own):
    origin = running.charter.origin
    for data in forms_of(own, origin):
        with pytest.raises(Refused) as caught:
            running.admission.admit_statement(data, by="s-1")
        assert caught.value.check == "form"
        # Also not as what is taken without a signature, where anything is.
        with pytest.raises(Refused):
            running.admission.admit(data, by="s-1")
    for by in (LOG, "log ", "log\n", ""):
        with pytest.raises(Refused):
            running.admission.admit_statement(sign1(), by=by)


@BOTH
def test_a_type_that_only_looks_like_the_logs_own_is_nobodys_word(running, kind):
    for type_ in (f"{MEDIA_TYPE}; x=1", MEDIA_TYPE.upper(), f"{MEDIA_TYPE} "):
        data = sign1(encode_own(OWNS[0]), headers={3: type_})
        running.submit([running.admission.admit_statement(data, by="s-1")]).wait()
    assert [each.name for each in running.registry.current()] == ["ci"]
    assert len(running.registry.indexes()) == 1


def test_a_record_that_looks_like_the_logs_own_is_a_record(new_log):
    record = {**THIEF, **numbered(1), "kind": "x-producer.add", "keys": []}
    live = new_log(kind="record", signed=True)
    with live.open() as log:
        log.register(added())
        log.append([encode_record({**record, "number": 1})])
        assert len(log.registry.indexes()) == 1
        assert names(register_of(log), live) == ["ci"]
        at = log.head.size - 1
        (proof,) = log.reading.inclusions([at], log.head.size)
        entry = log.reading.entry(at)
        forged = Registered(index=at, entry=entry, proof=tuple(proof))
        true = register_of(log)
        with pytest.raises(MalformedError, match="not about producers"):
            verify_register(replace(true, entries=(*true.entries, forged)), live.policy)


def test_what_is_entered_of_a_kind_that_nobody_knows_is_no_producer():
    producers = Producers()
    for own in ({"kind": "freeze"}, {"kind": "x", "reason": ""}):
        with pytest.raises(MalformedError, match="nothing that is known"):
            producers.take({**own, "number": 0}, 1)
    assert producers.number == 0


@BOTH
def test_only_what_is_about_producers_is_registered(running, kind):
    for own in (*OWNS[1:], {}, {"kind": 5}, {**THIEF, "keys": [5]}):
        with pytest.raises(Refused) as caught:
            running.register(own)
        assert caught.value.check == "registration"
    # A number that somebody brings with it is not that under which it is entered.
    running.register({**THIEF, "number": 77})
    assert running.registry.current().number == 2


@BOTH
@pytest.mark.parametrize("size", [65_001, 65_200, 65_400, 65_450, 65_600, 70_000])
def test_what_would_be_too_large_to_be_read_is_not_entered(running, kind, size):
    # In the tree it would stand for ever, and no tile and no reader could have it.
    def own(reason: int) -> dict:
        return registry.revoke("ci", [CI.credential.id], "x" * reason)

    around = len(encode_own({**own(60_000), "number": 1})) - 60_000
    with pytest.raises(Refused) as caught:
        running.register(own(size - around))
    assert caught.value.check == "size"
    assert running.registry.current().number == 1
    running.register(own(MAX_BODY_BYTES - around))
    assert running.registry.current().number == 2
    assert not running.hold


@BOTH
def test_an_entry_that_fits_in_no_tile_with_its_time_is_refused(running, kind):
    room = MAX_ENTRY_BYTES - (PREFIX_BYTES if kind == "record" else 0)
    body = bytes(room - 64)
    for data in (untimed("s-1", "a/b", body), bytes(room + 1)):
        too_large = data + bytes(room + 1 - len(data))
        with pytest.raises(Refused) as caught:
            running.submit([Admitted(None, too_large)])
        assert caught.value.check == "size"
    assert running.head.size


# A log that is none of either kind


def forged_in_an_opaque_log(live) -> Register:
    """Who may submit anything at all writes what a statement log would write."""
    own = own_statement(
        {**added(OTHER, name="ci"), "number": 0}, origin=live.charter.origin
    )
    with live.open() as log:
        log.append([own])
        (proof,) = log.reading.inclusions([0], 1)
        entry = Registered(index=0, entry=own, proof=tuple(proof))
        return Register(checkpoint=log.checkpoint(), entries=(entry,))


def test_who_may_submit_to_an_opaque_log_forges_no_register_of_it(new_log):
    live = new_log()
    register = forged_in_an_opaque_log(live)
    for forged in (register, replace(register, checkpoint=bare(register.checkpoint))):
        with pytest.raises(VerificationError):
            verify_register(forged, live.policy)
    with pytest.raises(VerificationError):
        verify_register(register, live.policy, "record")


def bare(checkpoint: bytes) -> bytes:
    """The checkpoint with the log's first signature alone: it says of no kind."""
    text, _, lines = checkpoint.partition(b"\n\n")
    return text + b"\n\n" + lines.split(b"\n")[0] + b"\n"


def relined(checkpoint: bytes, register: bytes) -> bytes:
    """The checkpoint with the lines that stand under another one behind its first."""
    others = register.partition(b"\n\n")[2].split(b"\n", 1)[1]
    return bare(checkpoint) + others


def test_of_which_kind_a_log_is_nobody_says_in_its_place(log, new_log):
    true = register_of(log)
    other = {"record": "statement", "statement": "record"}[log.charter.kind]
    # Left away, said by another log, or by whoever gives the register.
    with pytest.raises(UntrustedError, match="no Ed25519 key of the policy has signed"):
        verify_register(replace(true, checkpoint=bare(true.checkpoint)), log.policy)
    opaque = new_log("opaque")
    forged = forged_in_an_opaque_log(opaque)
    lined = relined(forged.checkpoint, true.checkpoint)
    with pytest.raises(VerificationError):
        verify_register(replace(forged, checkpoint=lined), opaque.policy)
    with pytest.raises(MalformedError, match="not about producers"):
        verify_register(true, log.policy, other)


def backdated(live, at_ms: int, body: bytes, type_: str) -> Bundle:
    """A bundle of an opaque log for what looks as an entry of a record log."""
    entry = cbor.encode({"v": 1, "at": at_ms, "by": "s-1", "body": body, "type": type_})
    with live.open() as log:
        log.append([entry])
        (proof,) = log.reading.inclusions([0], 1)
        checkpoint = log.checkpoint()
    receipt = Receipt(index=0, proof=tuple(proof), checkpoint=checkpoint)
    return Bundle(entry=entry, receipt=receipt)


LATER = Limits(now=2**41 // 1000)
"""What an auditor's clock says, long after the time that is written there."""


def test_who_may_submit_to_an_opaque_log_does_not_say_when_it_was(new_log):
    live = new_log()
    ended = replace(OTHER.credential, until_ms=1_000_000_000_000)
    known = Producers()
    known.take({**registry.add("gone", [ended]), "number": 0}, 0)
    data = envelope(b"long after", OTHER)
    bundle = backdated(live, 999_999_999_999, data, Statement.parse(data).media_type)
    with pytest.raises(ProducerError, match="was good until"):
        verify_evidence(bundle, live.policy, LATER, Report(), producers=known)
    # Who knows that it is a record log says so, and then it is the log's word.
    verify_evidence(
        bundle, live.policy, LATER, Report(), producers=known, kind="record"
    )


def test_nor_that_a_certificate_was_valid_then(new_log):
    live = new_log()
    top = issue("CN=top", ed25519_key(9), authority=True)
    leaf = issue("CN=leaf", ed25519_key(1), top)
    known = Producers()
    anchor = Credential.of_certificate(Certificate.parse(top.der))
    known.take({**registry.add("lab", [anchor]), "number": 0}, 0)
    data = bundled(envelope(b"x", Maker(seed=bytes([1]) * 32)), leaf)
    bundle = backdated(live, NOW * 1000, data, Statement.parse(data).media_type)
    for limits in (Limits(), LATER):
        with pytest.raises(ProducerError):
            verify_evidence(bundle, live.policy, limits, Report(), producers=known)


def test_who_says_that_the_log_is_opaque_hears_nothing_of_a_time(new_log):
    live = new_log()
    data = envelope(b"x", OTHER)
    bundle = backdated(live, 999_999_999_999, data, Statement.parse(data).media_type)
    report = Report()
    verify_evidence(bundle, live.policy, Limits(), report, kind="opaque")
    assert "2001" not in report.text()
    known = Producers()
    known.take({**added(OTHER, issuers=()), "number": 0}, 0)
    with pytest.raises(ProducerError):
        verify_evidence(
            bundle, live.policy, Limits(), Report(), kind="opaque", producers=known
        )


def test_identities_of_the_log_are_those_of_nobody_else():
    # By whatever name somebody submits whatever bytes.
    for by in ("log.", "s-1", "producer", "log\x00"):
        for data in (b"", b"producer" + bytes(8), b64decode(b64encode(b"log"))):
            for number in range(3):
                assert digest_identity(by, data) != register_identity(number)
