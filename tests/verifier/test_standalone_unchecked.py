"""What the reading copy does not check counts for nothing, and it says so.

A true signature of such a kind is never the reason why something holds, and a false
one never why it does not: where one is needed, it could not be carried out. Whatever
else is wrong is found all the same, as far as it comes before.
"""

from collections.abc import Sequence
from hashlib import sha256

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.reference.rfc6962 import Tree
from tests.testlog import (
    LOG,
    ORIGIN,
    TIME,
    WITNESSES,
    Signer,
    b64,
    checkpoint_text,
    note,
    policy_text,
    receipt_text,
    signer,
)
from tests.twin import ALONE, HOLDS, UNDECIDED, Verdict, agree, copied, ours, single
from tests.verifier.test_signatures import NOT_P256
from verifier import standalone
from verifier.keys import Algorithm, PublicKey

PQ = signer(ORIGIN, 0x06)
PQ_WITNESS = signer("witness.example/pq", 0x06)
ONE = WITNESSES[0]
ENTRY = b"entry"
ROOT = Tree([ENTRY]).mth(0, 1)
TEXT = checkpoint_text(1, ROOT)


class Ecdsa(Signer):
    """A log's key on P-256, which testlog has none of."""

    @property
    def _key(self) -> ec.EllipticCurvePrivateKey:
        return ec.derive_private_key(7, ec.SECP256R1())

    @property
    def public(self) -> bytes:
        return self._key.public_key().public_bytes(
            Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        )

    @property
    def key_id(self) -> bytes:
        return sha256(self.public).digest()[:4]

    def line(self, text: str, time: int = TIME) -> str:
        made = self._key.sign(text.encode(), ec.ECDSA(hashes.SHA256()))
        return f"\u2014 {self.name} {b64(self.key_id + made)}\n"


EC = Ecdsa(ORIGIN, 0x02, b"")


def spoiled(line: str) -> str:
    """The line with another signature behind the same key id and time."""
    blob = bytearray(standalone.unbase64(line.split()[2]))
    blob[-1] ^= 1
    return f"{line.rpartition(' ')[0]} {b64(bytes(blob))}\n"


def verdicts(
    signers: Sequence[Signer],
    logs: Sequence[Signer],
    witnesses: Sequence[Signer] = (),
    quorum: int = 0,
    *,
    bad: Sequence[Signer] = (),
) -> tuple[str, Verdict]:
    """What both say of a tlog-proof under a checkpoint that these have signed."""
    lines = [spoiled(s.line(TEXT)) if s in bad else s.line(TEXT) for s in signers]
    proof = receipt_text(0, [], note(TEXT, *lines))
    policy = policy_text(logs, witnesses, quorum)
    agree(policy, proof, ENTRY)
    return ours(policy, proof, ENTRY), copied(policy, proof, ENTRY)


UNSEEN = [PQ, EC]
KINDS = pytest.mark.parametrize("unseen", UNSEEN, ids=["ML-DSA-44", "ECDSA"])


@KINDS
def test_a_log_that_only_such_a_key_speaks_for_is_not_decided(unseen):
    for bad, says in (((), HOLDS), ((unseen,), "signature")):
        first, second = verdicts([unseen], [unseen], bad=bad)
        assert first == says
        assert second.says == UNDECIDED
        assert second.why == f"{ORIGIN} signed unchecked"
        assert second.unchecked[0].endswith(f" signature by {ORIGIN}")


@KINDS
def test_a_log_that_another_key_speaks_for_as_well_is_decided_by_that(unseen):
    first, second = verdicts([LOG, unseen], [LOG, unseen])
    assert first == second.says == HOLDS
    assert len(second.unchecked) == 1
    # The one signature that is looked at decides, and no other.
    assert verdicts([LOG, unseen], [LOG, unseen], bad=[unseen]) == (
        "signature",
        second,
    )
    first, second = verdicts([LOG, unseen], [LOG, unseen], bad=[LOG])
    assert first == second.says == "signature"


@KINDS
def test_a_log_that_has_not_signed_at_all_is_refused(unseen):
    first, second = verdicts([ONE], [LOG, unseen], [ONE], 1)
    assert first == second.says == "log"
    assert not second.unchecked


def test_nothing_is_said_of_a_key_that_the_policy_does_not_have():
    first, second = verdicts([LOG, PQ, EC, PQ_WITNESS], [LOG])
    assert (first, second) == (HOLDS, Verdict(HOLDS))


def test_a_quorum_that_only_such_a_witness_makes_is_not_decided():
    for bad, says in (((), HOLDS), ((PQ_WITNESS,), "signature")):
        both = [LOG, ONE, PQ_WITNESS]
        first, second = verdicts(both, [LOG], [ONE, PQ_WITNESS], 2, bad=bad)
        assert first == says
        assert second.says == UNDECIDED
        assert second.why == "too few are checked"


def test_a_quorum_without_such_a_witness_holds_without_it():
    first, second = verdicts([LOG, ONE, PQ_WITNESS], [LOG], [ONE, PQ_WITNESS], 1)
    assert first == second.says == HOLDS
    assert second.unchecked == (f"ML-DSA-44 signature by {PQ_WITNESS.name}",)


def test_a_quorum_that_is_not_there_even_with_such_a_witness_is_refused():
    first, second = verdicts([LOG, PQ_WITNESS], [LOG], [*WITNESSES, PQ_WITNESS], 2)
    assert first == second.says == "quorum"
    assert second.unchecked


@pytest.mark.parametrize(
    ("blob", "check"),
    [
        (bytes(8), "form"),
        (b"", "form"),
        (b"\x80" + bytes(7 + 2_420), "form"),
        (bytes(8 + 2_419), "signature"),
        (bytes(8 + 2_421), "signature"),
    ],
    ids=["no signature", "no time", "a time beyond 2^63-1", "short", "long"],
)
def test_what_is_wrong_with_such_a_line_at_first_sight_is_refused(blob, check):
    line = f"\u2014 {PQ.name} {b64(PQ.key_id + (blob or bytes(1)))}\n"
    proof = receipt_text(0, [], note(TEXT, LOG.line(TEXT), line))
    policy = policy_text([LOG, PQ], (), 0)
    assert copied(policy, proof, ENTRY).says == check
    assert ours(policy, proof, ENTRY) == check


@pytest.mark.parametrize("length", [255, 256])
@pytest.mark.parametrize("kind", [0x04, 0x06])
def test_ml_dsa_signs_names_and_origins_of_so_many_bytes(kind, length):
    long = "a" * length
    for log, witness in (
        (signer(long), signer("w", kind)),
        (LOG, signer(long, kind)),
    ):
        text = checkpoint_text(1, ROOT, log.name)
        made = log.line(text)
        # What a reference cannot sign is refused before anybody looks at it.
        blob = witness.key_id + bytes(8 + (2_420 if kind == 0x06 else 64))
        proof = receipt_text(
            0, [], note(text, made, f"\u2014 {witness.name} {b64(blob)}\n")
        )
        policy = policy_text([log], [witness], 1)
        said = copied(policy, proof, ENTRY).says
        wanted = {0x04: "signature", 0x06: UNDECIDED}[kind]
        assert said == ("form" if kind == 0x06 and length == 256 else wanted)
        agree(policy, proof, ENTRY)


def test_whatever_comes_behind_is_not_looked_at():
    proof = receipt_text(7, [], note(TEXT, PQ.line(TEXT)))
    policy = policy_text([PQ], (), 0)
    assert ours(policy, proof, ENTRY) == "form"
    assert copied(policy, proof, ENTRY).says == UNDECIDED


@pytest.mark.parametrize("name", [*NOT_P256, "P-256"])
def test_a_key_of_ecdsa_is_read_as_strictly_though_it_is_not_used(name):
    der = NOT_P256.get(name, EC.public)
    blob, key_id = b64(b"\x02" + der), sha256(der).hexdigest()[:8]
    policy = f"log {LOG.vkey}\nlog {ORIGIN}+{key_id}+{blob}\nquorum none\n".encode()
    said = agree(policy, single(b"entry"))
    assert said == (HOLDS if name == "P-256" else UNDECIDED)


def test_such_a_key_is_no_witness():
    policy = f"log {LOG.vkey}\nwitness w {EC.vkey}\nquorum none\n".encode()
    assert agree(policy, single(b"entry")) == UNDECIDED
    assert PublicKey(Algorithm.ECDSA_P256, EC.public)


# Producers

BARE = bytes.fromhex("d28443a10132a041004100")


def entry_of(form: str, body: bytes) -> bytes:
    wrapper = {"v": 1, "at": 2**41, "by": "s-1", "type": form, "body": body}
    return standalone.encode(wrapper, 16)


@pytest.mark.parametrize(
    "form",
    [
        'application/cose; cose-type="cose-sign1"',
        "application/vnd.dsse.envelope.v1+json",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
    ],
)
def test_what_a_producer_has_signed_is_not_read(form):
    evidence = single(entry_of(form, b"no statement"))
    assert copied(ALONE, evidence) == Verdict(
        HOLDS, unchecked=("the producer's signature of the statement",)
    )
    assert ours(ALONE, evidence) == "form"
    agree(ALONE, evidence)


@pytest.mark.parametrize("kind", ["auto", "opaque", "record"])
def test_nor_is_a_statement_with_nothing_around_it(kind):
    evidence = single(BARE)
    said = copied(ALONE, evidence, kind=kind)
    assert said.says == (HOLDS if kind != "record" else "entry")
    assert len(said.unchecked) == (1 if kind == "auto" else 0)
    agree(ALONE, evidence, kind=kind)


def test_of_what_is_no_statement_nothing_is_said():
    for form in ("text/plain", "application/cose-key", "x/dsse"):
        evidence = single(entry_of(form, b"hello"))
        assert copied(ALONE, evidence) == Verdict(HOLDS)
        assert agree(ALONE, evidence) == HOLDS
