"""A COSE receipt, or a statement that carries some, holds under a policy or not."""

import json
from hashlib import sha256
from typing import Any

import cbor2
import pytest

from ledger.keys import registry
from tests import receiptline
from tests.auditor import Auditor
from tests.reference.rfc6962 import Tree
from tests.statements import CI, IN_TOTO, OTHER, Maker, added, envelope, in_toto, sign1
from tests.testlog import (
    LOG,
    ORIGIN,
    checkpoint_text,
    note,
    policy_text,
    receipt_text,
    signer,
)
from verifier.bundle import Bundle
from verifier.entry import LOG as BY_LOG
from verifier.entry import Entry
from verifier.errors import ConsistencyError, MalformedError
from verifier.evidence import parse_evidence, verify_evidence
from verifier.explain import explain
from verifier.own import MEDIA_TYPE, encode_own
from verifier.pem import key_text
from verifier.policy import Policy
from verifier.producers.register import (
    MAX_ENTRIES,
    MAX_ENTRY_BYTES_IN_ALL,
    Register,
    Registered,
)
from verifier.receipt import Receipt
from verifier.report import Report
from verifier.statement import COSE, DSSE
from verifier.trust import Limits

AT = 1_790_000_000_000
POLICY = policy_text(quorum=0)
LOG_MAKER = Maker(seed=LOG.seed)


@pytest.fixture
def auditor(tmp_path, capsys):
    return Auditor(tmp_path, capsys)


def wrapped(body: bytes, type_: str = COSE, by: str = "s-1") -> bytes:
    return Entry(at=AT, by=by, type=type_, body=body).encode()


def own(number: int, members: dict) -> bytes:
    return wrapped(encode_own({**members, "number": number}), MEDIA_TYPE, BY_LOG)


class Logged:
    """A log of some entries, and what its key signs of it."""

    def __init__(self, *entries: bytes, kind: str = "") -> None:
        self.entries = entries
        self.kind = kind
        self.tree = Tree(entries)
        self.size = len(entries)
        self.root = self.tree.mth(0, self.size)

    def receipt(self, index: int, *, maker=LOG_MAKER, issuer=ORIGIN, **around) -> bytes:
        headers: dict[int, Any] = {1: -19, 395: 1}
        if issuer:
            headers[15] = {1: issuer, 2: f"provlog/{self.kind}"}
        proof = cbor2.dumps([self.size, index, self.tree.path(index, self.size)])
        return receipt_of(headers, {396: {-1: [proof]}, **around}, self.root, maker)

    def checkpoint(self) -> bytes:
        text = checkpoint_text(self.size, self.root)
        line = [receiptline.line(LOG, self.kind, self.root)] if self.kind else []
        return note(text, LOG.line(text), *line)

    def bundle(self, index: int) -> bytes:
        text = receipt_text(index, self.tree.path(index, self.size), self.checkpoint())
        entry = self.entries[index]
        return Bundle(entry=entry, receipt=Receipt.parse(text)).encode()

    def register(self, *indexes: int) -> Register:
        entries = tuple(
            Registered(
                index=each,
                entry=self.entries[each],
                proof=tuple(self.tree.path(each, self.size)),
            )
            for each in indexes
        )
        return Register(checkpoint=self.checkpoint(), entries=entries)


def receipt_of(headers, unprotected, root, maker) -> bytes:
    protected = cbor2.dumps(headers)
    message = cbor2.dumps(["Signature1", protected, b"", root])
    members = [protected, unprotected, None, maker.sign(message)]
    return cbor2.dumps(cbor2.CBORTag(18, members))


AROUND = {"v": 1, "at": AT, "by": "s-1", "type": COSE}
STATEMENTS = Logged(b"\xd2\x84" + b"other", sign1(), sign1(b"third"))
RECORDS = Logged(
    own(0, added()),
    wrapped(sign1()),
    own(1, registry.revoke("ci", [CI.credential.id], "lost")),
    wrapped(sign1(b"later")),
    wrapped(envelope(in_toto("ab" * 32), type_=IN_TOTO), DSSE),
    kind="record",
)


def transparent(*receipts: bytes) -> bytes:
    return sign1(unprotected={394: list(receipts)})


def run(auditor, data: bytes, *options: str, policy: bytes = POLICY) -> int:
    status: int = auditor.run(
        "verify",
        "--policy",
        auditor.file("policy", policy),
        *options,
        auditor.file("evidence", data),
    )
    return status


# Receipts


def test_a_receipt_holds_for_its_entry(auditor):
    entry = auditor.file("entry", sign1())
    assert run(auditor, STATEMENTS.receipt(1), "--entry", entry) == 0
    assert f"{ORIGIN} signed root sha256:{STATEMENTS.root.hex()}" in auditor.out
    assert "inclusion   holds" in auditor.out
    assert "it says entry 1 of 3, which is not signed" in auditor.out
    assert "its signature was not looked at" in auditor.out
    other = auditor.file("entry", sign1(b"third"))
    assert run(auditor, STATEMENTS.receipt(1), "--entry", other) == 1
    assert "signature   BROKEN" in auditor.out


def test_a_receipt_alone_needs_its_entry(auditor):
    assert run(auditor, STATEMENTS.receipt(1)) == 2
    assert "give it with --entry" in auditor.err


@pytest.mark.parametrize("what", [sign1(), wrapped(sign1())], ids=["body", "entry"])
def test_a_record_logs_receipt_holds_for_the_body_and_for_the_entry(auditor, what):
    entry = auditor.file("entry", what)
    assert run(auditor, RECORDS.receipt(1, **AROUND), "--entry", entry) == 0
    assert "the log wrote: by s-1" in auditor.out
    assert "statement" in auditor.out


def test_what_the_receipt_says_around_a_body_is_proven_with_it(auditor):
    entry = auditor.file("entry", sign1())
    lies = RECORDS.receipt(1, **AROUND | {"by": "s-2"})
    assert run(auditor, lies, "--entry", entry) == 1
    broken = auditor.file("entry", b"\xa5\x61v\x01bat\x1b")
    assert run(auditor, RECORDS.receipt(1, **AROUND), "--entry", broken) == 1
    assert "not an entry of a record log" in auditor.out


def test_another_logs_receipt_is_nobodys(auditor):
    entry = auditor.file("entry", sign1())
    strange = STATEMENTS.receipt(1, issuer="log.example/other")
    assert run(auditor, strange, "--entry", entry) == 1
    assert "log         BROKEN" in auditor.out
    # Where it names nobody, a key of the policy has to have signed it all the same.
    nameless = STATEMENTS.receipt(1, issuer=None)
    assert run(auditor, nameless, "--entry", entry) == 0
    assert "a log of the policy signed root" in auditor.out
    thief = STATEMENTS.receipt(1, issuer=None, maker=CI)
    assert run(auditor, thief, "--entry", entry) == 1


def test_a_policy_without_keys_that_sign_receipts_believes_none(auditor):
    later = policy_text([signer(ORIGIN, 0x06)], quorum=0)
    entry = auditor.file("entry", sign1())
    assert run(auditor, STATEMENTS.receipt(1), "--entry", entry, policy=later) == 1
    none = b"quorum none\n"
    assert run(auditor, STATEMENTS.receipt(1), "--entry", entry, policy=none) == 1
    assert "of: none" in auditor.out


@pytest.mark.parametrize(
    ("options", "check"),
    [
        (["--max-age", "60", "--now", "1790000000"], "age"),
        (["--final", f"3:{bytes(32).hex()}"], "final"),
    ],
)
def test_what_a_receipt_cannot_show_is_not_taken_as_shown(auditor, options, check):
    entry = auditor.file("entry", sign1())
    assert run(auditor, STATEMENTS.receipt(1), "--entry", entry, *options) == 1
    assert f"{check:<11} BROKEN" in auditor.out


def test_a_policy_that_asks_witnesses_does_not_hold_by_a_cose_receipt(auditor):
    entry = auditor.file("entry", sign1())
    asked = policy_text()
    assert run(auditor, STATEMENTS.receipt(1), "--entry", entry, policy=asked) == 1
    assert "quorum      BROKEN" in auditor.out
    assert run(auditor, transparent(STATEMENTS.receipt(1)), policy=asked) == 1


def test_a_log_whose_leaves_are_hashes_is_read_so_by_who_says_it(auditor):
    hashed = Logged(sha256(sign1()).digest(), b"x")
    entry = auditor.file("entry", sign1())
    assert run(auditor, hashed.receipt(0), "--entry", entry) == 1
    assert run(auditor, hashed.receipt(0), "--entry", entry, "--leaf", "digest") == 0
    assert "its SHA-256 is in the tree" in auditor.out


def test_a_receipt_in_the_wrong_header_is_a_receipt_that_is_wrong(auditor):
    moved = receipt_of({1: -19}, {395: 1, 396: {}}, STATEMENTS.root, LOG_MAKER)
    assert run(auditor, moved, "--entry", auditor.file("entry", sign1())) == 1
    assert "form        BROKEN" in auditor.out


def test_a_receipt_of_growth_holds_for_the_tree_that_was_believed(auditor):
    tree = STATEMENTS.tree
    proof = cbor2.dumps([1, 3, tree.consistency(1, 3)])
    headers = {1: -19, 15: {1: ORIGIN, 2: ORIGIN}, 395: 1}
    data = receipt_of(headers, {396: {-2: [proof]}}, STATEMENTS.root, LOG_MAKER)
    first = tree.mth(0, 1).hex()
    assert run(auditor, data, "--from", f"1:{first}") == 0
    assert "consistency holds   it begins with the tree of 1 entries" in auditor.out
    assert run(auditor, data, "--from", f"1:{bytes(32).hex()}") == 1
    assert run(auditor, data) == 2
    assert "--from SIZE:ROOT" in auditor.err
    assert run(auditor, data, "--from", f"1:{first}", policy=policy_text()) == 1
    file = auditor.file("file", b"x")
    for about in ("--entry", "--artifact"):
        assert run(auditor, data, "--from", f"1:{first}", about, file) == 1
        assert "about no entry" in auditor.out
    signers = ("--producer", pem(auditor, CI))
    assert run(auditor, data, "--from", f"1:{first}", *signers) == 1
    assert run(auditor, data, "--from", f"1:{first}", "--leaf", "digest") == 2
    with pytest.raises(ConsistencyError, match="which one you believed before"):
        verify_evidence(parse_evidence(data), Policy.parse(POLICY), Limits(), Report())


# Transparent statements


def test_a_transparent_statement_needs_nothing_else(auditor):
    assert run(auditor, transparent(STATEMENTS.receipt(1))) == 0
    assert "COSE_Sign1, a payload, 9 bytes" in auditor.out
    assert run(auditor, transparent(RECORDS.receipt(1, **AROUND))) == 0
    assert "the log wrote: by s-1" in auditor.out


def test_in_which_order_receipts_come_is_no_matter(auditor):
    other = signer("log.example/other", 0x01)
    theirs = STATEMENTS.receipt(1, issuer=other.name, maker=Maker(seed=other.seed))
    ours = RECORDS.receipt(1, **AROUND)
    register = auditor.file("register", RECORDS.register(0, 2).encode())
    policy = policy_text((LOG, other), quorum=0)
    for receipts in ((ours, theirs), (theirs, ours)):
        data = transparent(*receipts)
        assert run(auditor, data, policy=policy) == 0
        assert "the log wrote: by s-1" in auditor.out
        run(auditor, data, "--producer", register, policy=policy)
        assert "was revoked at entry 2" in auditor.out
    # One that names no log says nothing of when.
    nameless = STATEMENTS.receipt(1, issuer="")
    for receipts in ((ours, nameless), (nameless, ours)):
        assert run(auditor, transparent(*receipts)) == 0
        assert "the log wrote: by s-1" in auditor.out


def test_receipts_of_logs_that_nobody_here_trusts_are_passed_over(auditor):
    strange = STATEMENTS.receipt(1, issuer="log.example/other", maker=CI)
    both = transparent(strange, b"junk", STATEMENTS.receipt(1))
    assert run(auditor, both) == 0
    assert "number 1 was not looked at" in auditor.out
    assert "number 2 was not looked at" in auditor.out
    assert run(auditor, transparent(strange)) == 1
    assert "no receipt of the statement is by a log of the policy" in auditor.out


def test_each_receipt_that_a_log_of_the_policy_is_said_to_have_given_has_to_hold(
    auditor,
):
    forged = STATEMENTS.receipt(1, maker=CI)
    assert run(auditor, transparent(STATEMENTS.receipt(1), forged)) == 1
    assert run(auditor, transparent(STATEMENTS.receipt(0))) == 1


@pytest.mark.parametrize("listed", [[], b"x", 5, ["x"], [b"x"] * 17])
def test_receipts_that_are_none_are_refused(auditor, listed):
    assert run(auditor, sign1(unprotected={394: listed})) == 1
    assert "form        BROKEN" in auditor.out


def test_a_statement_alone_shows_nothing_of_a_log(auditor):
    for data in (sign1(), envelope(), b'{"mediaType": "x"}'):
        assert run(auditor, data) == 1
        assert "a statement alone shows nothing" in auditor.out


def test_what_makes_no_sense_together_is_refused(auditor):
    entry = auditor.file("entry", sign1())
    data = transparent(STATEMENTS.receipt(1))
    assert run(auditor, data, "--entry", entry) == 1
    assert run(auditor, data, "--misbehaviour") == 1


# Producers


def pem(auditor, *makers: Maker) -> str:
    text = "".join(key_text(each.public) for each in makers)
    return str(auditor.file("keys.pem", text.encode()))


def test_a_key_that_is_given_has_to_have_signed_it(auditor):
    data = transparent(STATEMENTS.receipt(1))
    assert run(auditor, data, "--producer", pem(auditor, OTHER, CI)) == 0
    assert f"ed25519 key {CI.credential.id}" in auditor.out
    assert run(auditor, data, "--producer", pem(auditor, OTHER)) == 1
    assert "producer    BROKEN" in auditor.out


def test_a_bundle_of_a_statement_is_held_against_its_producer_as_well(auditor):
    assert run(auditor, RECORDS.bundle(1), "--producer", pem(auditor, CI)) == 0
    assert run(auditor, RECORDS.bundle(1), "--producer", pem(auditor, OTHER)) == 1
    assert run(auditor, RECORDS.bundle(4), "--producer", pem(auditor, CI)) == 0
    assert "about sha256:abababab" in auditor.out
    assert run(auditor, STATEMENTS.bundle(1), "--producer", pem(auditor, CI)) == 0


def test_what_nobody_has_signed_is_nobodys(auditor):
    plain = Logged(wrapped(b"bytes", "text/plain"))
    assert run(auditor, plain.bundle(0), "--producer", pem(auditor, CI)) == 1
    assert "no statement, and nobody has signed it" in auditor.out


def test_of_several_keys_as_many_as_are_asked_for(auditor):
    two = Logged(wrapped(envelope(b"x", CI, OTHER), DSSE))
    keys = pem(auditor, CI, OTHER, Maker(number=3))
    for threshold, status in (("1", 0), ("2", 0), ("3", 1), ("4", 2)):
        options = ["--producer", keys, "--threshold", threshold]
        assert run(auditor, two.bundle(0), *options) == status


def test_keys_may_come_in_several_files(auditor):
    files = [
        auditor.file(name, key_text(each.public).encode())
        for name, each in (("a.pem", CI), ("b.pem", OTHER))
    ]
    options = [x for each in files for x in ("--producer", each)]
    assert run(auditor, RECORDS.bundle(1), *options) == 0


def test_a_register_says_whose_key_it_was_and_until_when(auditor):
    register = auditor.file("register", RECORDS.register(0, 2).encode())
    assert run(auditor, RECORDS.bundle(1), "--producer", register, "--json") == 0
    found = {each["check"]: each for each in auditor.document["findings"]}
    assert found["producer"]["producer"] == "ci"
    assert "it stays valid" in found["producer"]["says"]
    assert run(auditor, RECORDS.bundle(3), "--producer", register) == 1
    assert "was revoked at entry 2: lost" in auditor.out
    # In a COSE receipt the index is not signed: it may be one behind the revocation.
    early = transparent(RECORDS.receipt(1, **AROUND))
    assert run(auditor, early, "--producer", register) == 1


@pytest.mark.parametrize(
    "spoil",
    [
        lambda document: document["entries"].pop(0),
        lambda document: document["entries"].reverse(),
        lambda document: document["entries"].append(document["entries"][0]),
        lambda document: document["entries"][0].update(index=1),
        lambda document: document["entries"][0].update(proof=[]),
        lambda document: document.update(checkpoint=""),
        lambda document: document.update(more=1),
        lambda document: document.update(schema="provlog/producers/2"),
        lambda document: document.update(entries=[5]),
        lambda document: document["entries"][0].update(entry="A" * 87_384),
        lambda document: document.update(entries=document["entries"] * 9_000),
        lambda document: document.update(entries=[5] * (MAX_ENTRIES + 1)),
    ],
    ids=[
        *("gap", "reversed", "twice", "index", "proof", "checkpoint", "member"),
        *("schema", "entry", "large", "many", "more"),
    ],
)
def test_a_register_that_is_not_the_logs_is_no_ground_to_stand_on(auditor, spoil):
    document = json.loads(RECORDS.register(0, 2).encode())
    spoil(document)
    register = auditor.file("register", json.dumps(document).encode())
    assert run(auditor, RECORDS.bundle(1), "--producer", register) == 2
    assert "register" in auditor.err


def test_what_is_not_about_producers_has_no_place_in_a_register(auditor):
    register = auditor.file("register", RECORDS.register(0, 1).encode())
    assert run(auditor, RECORDS.bundle(1), "--producer", register) == 2
    assert "entry 1 is not about producers" in auditor.err

    with pytest.raises(MalformedError, match="entry 1 is not about producers"):
        explain(RECORDS.register(0, 1).encode(), Report())


@pytest.mark.exhaustive
def test_as_much_as_a_log_enters_of_producers_can_be_read_again():
    length = MAX_ENTRY_BYTES_IN_ALL // MAX_ENTRIES
    each = Registered(index=2**52, entry=bytes(length), proof=(bytes(32),) * 40)
    full = Register(checkpoint=RECORDS.checkpoint(), entries=(each,) * MAX_ENTRIES)
    assert Register.parse(full.encode()) == full
    with pytest.raises(MalformedError, match="not deterministic CBOR"):
        explain(full.encode(), Report())  # which comes to the first of its entries


def test_a_register_stands_alone(auditor):
    register = auditor.file("register", RECORDS.register(0, 2).encode())
    more = ["--producer", register, "--producer", pem(auditor, CI)]
    assert run(auditor, RECORDS.bundle(1), *more) == 2
    assert "give it alone" in auditor.err


def test_keys_that_are_none_are_the_callers_mistake(auditor):
    junk = auditor.file("junk", b"junk")
    assert run(auditor, RECORDS.bundle(1), "--producer", junk) == 2


def test_standard_input_is_read_once(auditor):
    options = ["--producer", "-", "--entry", "-"]
    assert run(auditor, STATEMENTS.receipt(1), *options) == 2


# Files


def test_a_file_that_a_statement_is_about(auditor):
    data = transparent(STATEMENTS.receipt(1))
    artifact = auditor.file("artifact", b"a payload")
    assert run(auditor, data, "--artifact", artifact) == 0
    assert "the statement is about sha256:" in auditor.out
    assert run(auditor, data, "--artifact", auditor.file("other", b"x")) == 1
    assert run(auditor, RECORDS.bundle(1), "--artifact", artifact) == 0


# How entries are read


def test_a_statement_logs_entries_are_statements(auditor):
    kind = ["--entries", "statement"]
    assert run(auditor, STATEMENTS.bundle(1), *kind) == 0
    assert run(auditor, STATEMENTS.bundle(0), *kind) == 1
    assert "not an entry of a statement log" in auditor.out
    assert run(auditor, STATEMENTS.bundle(0)) == 0


def test_a_body_that_is_not_what_its_type_says_is_refused(auditor):
    broken = Logged(wrapped(b"junk"))
    assert run(auditor, broken.bundle(0)) == 1
    assert "form        BROKEN" in auditor.out


# Explained


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (STATEMENTS.receipt(1), "COSE receipt of inclusion"),
        (RECORDS.receipt(1, **AROUND), "of an entry by 's-1'"),
        (transparent(STATEMENTS.receipt(1)), "it carries 1 receipts"),
        (sign1(headers={4: b"kid"}), "key id 6b6964"),
        (sign1(unprotected={"x": 1}), "nobody has signed the headers x"),
        (sign1(headers={1: -35}), "none that is known here"),
        (sign1(headers={33: b"x"}), "it carries 1 of them"),
        (envelope(), "key id ''"),
        (RECORDS.bundle(1), "COSE_Sign1, a payload"),
        (RECORDS.register(0, 2).encode(), "registered at entry 0, revoked at entry 2"),
        (key_text(CI.public).encode(), f"ed25519 key {CI.credential.id}"),
    ],
)
def test_whatever_it_is_it_is_explained(auditor, data, words):
    assert auditor.run("inspect", auditor.file("file", data)) == 0
    assert words in auditor.out
    assert "nothing here was verified" in auditor.out


def test_a_receipt_of_growth_is_explained_too(auditor):
    proof = cbor2.dumps([1, 3, STATEMENTS.tree.consistency(1, 3)])
    data = receipt_of({1: -19, 395: 1}, {396: {-2: [proof]}}, b"", LOG_MAKER)
    assert auditor.run("inspect", auditor.file("file", data)) == 0
    assert "from size 1 to 3" in auditor.out
    assert "by nobody that it names" in auditor.out


def test_a_receipt_that_nobody_here_can_read_is_passed_over(auditor):
    both = transparent(b"junk", STATEMENTS.receipt(1))
    assert auditor.run("inspect", auditor.file("file", both)) == 0
    assert "number 1 cannot be read" in auditor.out
    assert "entry 1 of 3" in auditor.out


def test_the_statement_in_a_bundle_is_explained(auditor):
    assert auditor.run("inspect", auditor.file("file", STATEMENTS.bundle(1))) == 0
    assert "COSE_Sign1, a payload, 9 bytes" in auditor.out
    assert auditor.run("inspect", auditor.file("file", STATEMENTS.bundle(0))) == 0
    assert "begins like an entry of a statement log, and is none" in auditor.out


def test_what_begins_like_one_and_is_none_is_malformed(auditor):
    for data in (b"\xd2\x84", b'{"payload": 1}', b'{"schema": "x"}', b"[1]"):
        assert auditor.run("inspect", auditor.file("file", data)) == 1


def test_of_a_log_that_does_not_say_its_kind_the_auditor_has_to(auditor):
    """To an opaque log anybody could have submitted what the register shows."""
    log = Logged(*RECORDS.entries)
    register = auditor.file("register", log.register(0, 2).encode())
    options = ("--producer", register)
    assert run(auditor, log.bundle(1), *options) == 2
    assert "say so: --entries record, or --entries statement" in auditor.err
    assert run(auditor, log.bundle(1), *options, "--entries", "record") == 0
    for other in ("statement", "opaque"):
        assert run(auditor, log.bundle(1), *options, "--entries", other) == 2


def test_what_a_log_says_of_its_kind_is_what_a_register_holds_by(auditor):
    for kind in ("opaque", "statement"):
        log = Logged(*RECORDS.entries, kind=kind)
        register = auditor.file("register", log.register(0, 2).encode())
        assert run(auditor, log.bundle(1), "--producer", register) == 2
        assert "is not about producers" in auditor.err


def test_a_register_of_another_log_says_nothing_of_this_one(auditor):
    register = auditor.file("register", RECORDS.register(0).encode())
    other = signer("log.example/other", 0x01)
    text = checkpoint_text(RECORDS.size, RECORDS.root, other.name)
    proof = receipt_text(
        1, RECORDS.tree.path(1, RECORDS.size), note(text, other.line(text))
    )
    bundle = Bundle(entry=RECORDS.entries[1], receipt=Receipt.parse(proof)).encode()
    policy = policy_text((LOG, other), quorum=0)
    assert run(auditor, bundle, "--producer", register, policy=policy) == 1
    assert (
        f"the register is that of {ORIGIN}, and this is by {other.name}" in auditor.out
    )
    # A receipt without a name may be by either of them.
    nameless = transparent(RECORDS.receipt(1, issuer="", **AROUND))
    assert run(auditor, nameless, "--producer", register, policy=policy) == 1
    assert "this is by nobody that it names" in auditor.out


def test_that_a_register_is_older_than_the_entry_is_said(auditor):
    young = Logged(*RECORDS.entries[:2], kind="record")
    register = auditor.file("register", young.register(0).encode())
    assert run(auditor, RECORDS.bundle(1), "--producer", register) == 0
    assert "the register ends" not in auditor.out
    assert run(auditor, RECORDS.bundle(3), "--producer", register) == 0
    assert "the register ends before entry 2: what was revoked since" in auditor.out
    stranger = Logged(*RECORDS.entries[:3], wrapped(sign1(maker=OTHER)), kind="record")
    assert run(auditor, stranger.bundle(3), "--producer", register) == 1
    assert "the register ends before entry 2: get a newer one" in auditor.out


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--threshold", "2"), "--threshold counts the keys of --producer"),
        (("--from", f"1:{bytes(32).hex()}"), "--from is for a COSE receipt of growth"),
        (("--leaf", "digest"), "--leaf is for COSE receipts"),
    ],
)
def test_an_option_that_would_mean_nothing_is_refused(auditor, options, says):
    assert run(auditor, RECORDS.bundle(1), *options) == 2
    assert says in auditor.err


def test_of_several_keys_those_are_named_that_have_signed(auditor):
    files = [
        auditor.file(f"{maker.credential.id}.pub", key_text(maker.public).encode())
        for maker in (OTHER, CI)
    ]
    options = [word for file in files for word in ("--producer", file)]
    assert run(auditor, RECORDS.bundle(1), *options) == 0
    assert f"signed by {files[1]} with ed25519 key" in auditor.out
    assert run(auditor, RECORDS.bundle(1), *options, "--json") == 0
    found = {each["check"]: each for each in auditor.document["findings"]}
    assert found["producer"]["producer"] == str(files[1])
