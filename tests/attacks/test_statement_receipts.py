"""Attack: have something taken for logged that is not, with COSE around it.

Sizes, indexes and half of the headers of a COSE receipt are under no signature, and
its payload may stand there or not. Whatever is attached, added, moved or doubled: what
holds is that the log has signed a root which has this entry below it. (Threats: a root
that ties nothing to the entry, a structure that nobody signed, a log of another kind.)
"""

from hashlib import sha256

import cbor2
import pytest

from tests.reference.rfc6962 import Tree
from tests.statements import CI, OTHER, added, sign1, signed
from tests.testlog import b64
from verifier.entry import Entry
from verifier.errors import (
    EntryError,
    MalformedError,
    SignatureError,
    UntrustedError,
    VerificationError,
)
from verifier.evidence import parse_evidence, verify_evidence
from verifier.keys import KeyType, VerifierKey
from verifier.policy import Policy
from verifier.producers import Producers
from verifier.report import Report
from verifier.trust import Limits

ORIGIN = "log.example/x"
MADE = sign1()
ENTRIES = [b"entry %d" % number for number in range(6)]
ENTRIES[3] = MADE
TREE = Tree(ENTRIES)
ROOT = TREE.mth(0, 6)
LOG = VerifierKey(ORIGIN, KeyType.ED25519, OTHER.public)
POLICY = Policy.parse(f"log {LOG.text()}\nquorum none\n".encode())
HEADERS = {1: -19, 15: {1: ORIGIN, 2: ORIGIN}, 395: 1}


def proof(index=3, size=6, tree=TREE) -> bytes:
    return cbor2.dumps([size, index, tree.path(index, size)])


def receipt(headers=None, unprotected=None, payload=None, root=ROOT, maker=OTHER):
    """A receipt of MADE, or one that is spoiled in one place."""
    kept = {n: x for n, x in {**HEADERS, **(headers or {})}.items() if x is not None}
    around = {396: {-1: [proof()]}} if unprotected is None else unprotected
    raw = cbor2.dumps(kept)
    return signed(raw, payload, maker=maker, unprotected=around, detached=root)


def believed(data: bytes, entry: bytes | None = MADE, **asked) -> Report:
    report = Report()
    verify_evidence(
        parse_evidence(data), POLICY, Limits(), report, entry=entry, **asked
    )
    return report


def refused(data: bytes, error=VerificationError, entry: bytes | None = MADE, **asked):
    with pytest.raises(error) as caught:
        believed(data, entry, **asked)
    return str(caught.value)


def with_headers(data: bytes, more: dict) -> bytes:
    """The same, with more that nobody signed."""
    protected, around, payload, signature = cbor2.loads(data).value
    members = [protected, {**around, **more}, payload, signature]
    return cbor2.dumps(cbor2.CBORTag(18, members))


def test_the_true_one_is_believed():
    assert believed(receipt()).findings
    assert believed(with_headers(MADE, {394: [receipt()]}), None).findings


# A root that ties nothing to the entry


OLD = TREE.mth(0, 3)
"""A root that the log has signed as well, when the entry was not there."""


@pytest.mark.parametrize("root", [OLD, sha256(b"\0" + MADE).digest(), b"", b"x" * 64])
def test_an_attached_root_is_not_what_decides(root):
    # Its signature is good: a verifier that takes the payload as it comes is content.
    assert "another root" in refused(receipt(payload=root, root=root))
    assert "another root" in refused(receipt(payload=root))


def test_an_attached_root_is_not_changed_under_the_signature():
    assert believed(receipt(payload=ROOT))
    assert refused(receipt(payload=ROOT).replace(ROOT, OLD))


def test_another_entry_is_not_logged_by_the_receipt_of_one():
    for entry in (*ENTRIES[:3], *ENTRIES[4:], MADE + b"\0", b"", ROOT):
        refused(receipt(), SignatureError, entry)


@pytest.mark.parametrize("size", [1, 2, 4, 8])
def test_the_inside_of_the_tree_is_no_entry(size):
    # Two hashes side by side are what a node is made of: a second preimage.
    inside = TREE.mth(2, 3) + TREE.mth(3, 4)
    for index in range(size):
        for path in ([], [TREE.mth(0, 2)], [TREE.mth(0, 2), TREE.mth(4, 6)]):
            data = cbor2.dumps([size, index, path])
            refused(receipt(unprotected={396: {-1: [data]}}), entry=inside)


def test_numbers_that_nobody_signed_are_told_as_such():
    lies = cbor2.dumps([7, 3, TREE.path(3, 6)])
    report = believed(receipt(unprotected={396: {-1: [lies]}}))
    (said,) = (each for each in report.findings if each.check == "receipt")
    assert said.holds is None
    assert "not signed" in said.says


# A structure that nobody signed


@pytest.mark.parametrize("value", [1, 0, 2, True, "1", None], ids=repr)
def test_the_structure_has_to_be_signed(value):
    around = {395: value, 396: {-1: [proof()]}}
    assert "395" in refused(receipt({395: None}, around), MalformedError)


@pytest.mark.parametrize("value", [1, 2])
def test_a_structure_in_both_headers_is_in_none(value):
    around = {395: value, 396: {-1: [proof()]}}
    assert "twice" in refused(receipt(None, around), MalformedError)


def test_proofs_do_not_change_their_header():
    refused(receipt({396: {-1: [proof()]}}, {}), MalformedError)
    refused(receipt({396: {-1: [proof()]}}), MalformedError)


# Several proofs


JUNK = {
    "no_bytes": 1 << 40,
    "no_cbor": b"\xff",
    "no_proof": cbor2.dumps({}),
    "of_no_tree": cbor2.dumps([6, 3, []]),
    "of_a_negative_index": cbor2.dumps([6, -1, TREE.path(3, 6)]),
    "with_half_a_hash": cbor2.dumps([6, 3, [b"x" * 16] * 3]),
    "of_another_entry": proof(2),
    "of_another_tree": proof(3, 4),
}


@pytest.mark.parametrize("case", JUNK)
@pytest.mark.parametrize("first", [True, False])
def test_junk_beside_a_true_proof_shows_nothing_more(case, first):
    listed = [JUNK[case], proof()] if first else [proof(), JUNK[case]]
    data = receipt(unprotected={396: {-1: listed}})
    try:
        report = believed(data)
    except VerificationError:
        pass  # whoever put it there could have thrown all of it away
    else:
        assert ROOT.hex() in str([each.values for each in report.findings])
    refused(data, entry=b"never logged")


def test_of_sixteen_proofs_one_holds_and_a_seventeenth_is_one_too_many():
    wrong = [proof(n, 6) for n in (0, 1, 2, 4, 5)] * 3
    assert believed(receipt(unprotected={396: {-1: [*wrong, proof()]}}))
    refused(receipt(unprotected={396: {-1: wrong}}), SignatureError)
    more = receipt(unprotected={396: {-1: [*wrong, proof(), proof()]}})
    assert "1 to 16" in refused(more, MalformedError)


def test_that_a_tree_has_grown_shows_no_entry():
    grown = cbor2.dumps([3, 6, TREE.consistency(3, 6)])
    refused(receipt(unprotected={396: {-2: [grown]}}))
    refused(receipt(unprotected={396: {-1: [grown]}}))
    refused(receipt(unprotected={396: {-1: [proof()], -2: [grown]}}), MalformedError)


# A log of another kind, or none


def test_a_receipt_of_whoever_calls_himself_the_log_is_none():
    assert refused(receipt(maker=CI), SignatureError)
    other = receipt({15: {1: "log.example/y", 2: "x"}}, maker=CI)
    assert "log.example/y" in refused(other, UntrustedError)
    nameless = receipt({15: None}, maker=CI)
    refused(nameless, SignatureError)
    hinted = receipt({4: OTHER.public.raw}, maker=CI)
    refused(hinted, SignatureError)


def test_a_statement_carries_no_receipt_of_another():
    for made in (sign1(b"never logged"), sign1(maker=OTHER)):
        refused(with_headers(made, {394: [receipt()]}), SignatureError, None)


def test_a_wrong_receipt_is_not_hidden_behind_a_true_one():
    for listed in ([receipt(), receipt(root=OLD)], [receipt(root=OLD), receipt()]):
        refused(with_headers(MADE, {394: listed}), SignatureError, None)
    assert believed(with_headers(MADE, {394: [receipt(), receipt()]}), None)


FORGED = Entry(at=2**41, by="victim", type="text/plain", body=b"a confession").encode()


def opaque(subject: str = ORIGIN) -> tuple[bytes, Tree]:
    """A receipt of a log without a form, in which FORGED is what somebody handed in."""
    named = {15: {1: ORIGIN, 2: subject}}
    tree = Tree([b"x", FORGED])
    around = {
        396: {-1: [proof(1, 2, tree)]},
        "v": 1,
        "at": 2**41,
        "by": "victim",
        "type": "text/plain",
    }
    return receipt(named, around, root=tree.mth(0, 2)), tree


def test_no_header_makes_a_record_log_of_another():
    data, _ = opaque()
    for kind in ("opaque", "statement"):
        said = refused(data, EntryError, b"a confession", kind=kind)
        assert "record log" in said
    # Who does not say which kind it is hears what it would mean in a record log.
    report = believed(data, b"a confession")
    assert "if this is a record log, it wrote: by victim" in report.text()
    assert "\nthe log wrote" not in report.text()


def test_a_log_that_has_signed_which_kind_it_is_is_no_other():
    for kind in ("opaque", "statement"):
        data, _ = opaque(f"provlog/{kind}")
        assert kind in refused(data, EntryError, b"a confession")
    data, _ = opaque("provlog/record")
    assert "the log wrote: by victim" in believed(data, b"a confession").text()
    # And nobody says it in its place.
    lies = data.replace(b"provlog/record", b"provlog/opaque")
    refused(lies, SignatureError, b"a confession")


def test_what_is_around_a_body_is_not_left_away_or_changed():
    data, tree = opaque()
    around = {396: {-1: [proof(1, 2, tree)]}}
    refused(receipt(None, around, root=tree.mth(0, 2)), entry=b"a confession")
    for name, value in {"by": "other", "at": 2**41 + 1, "type": "a/b"}.items():
        refused(with_headers(data, {name: value}), entry=b"a confession")


def test_a_receipt_alone_says_nothing_of_who_signed_the_entry():
    producers = Producers()
    producers.take({**added(), "number": 0}, 0)
    assert "ci" in believed(receipt(), producers=producers).text()
    mine = Tree([b"x", sign1(maker=OTHER, issuer="x")])
    data = receipt(None, {396: {-1: [proof(1, 2, mine)]}}, root=mine.mth(0, 2))
    refused(data, entry=sign1(maker=OTHER, issuer="x"), producers=producers)
    assert b64(OTHER.public.raw) not in believed(receipt()).text()
