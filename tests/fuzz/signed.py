"""What producers sign, and what says who they are: its parsers, and what they read."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import cbor2

from ledger.keys import registry
from tests.authority import ed25519_key, issue, p256_key
from tests.reference.rfc6962 import Tree
from tests.statements import CI, IN_TOTO, Maker, added, envelope, in_toto, sign1, signed
from tests.testlog import LOG as SIGNER
from tests.testlog import ORIGIN, checkpoint_text, note
from verifier import cbor
from verifier.certificate import Certificate
from verifier.cose import Sign1
from verifier.document import parse_document
from verifier.entry import LOG, Entry
from verifier.errors import EntryError, MalformedError
from verifier.own import MEDIA_TYPE, encode_own
from verifier.pem import key_text, parse_keys, parse_spki, parse_ssh_key, spki
from verifier.producers import Producers
from verifier.producers.credential import Credential
from verifier.producers.register import Register, Registered
from verifier.receipt.cose import CoseReceipt
from verifier.receipt.transparent import TransparentStatement, with_receipts
from verifier.statement import Statement, check_bare
from verifier.statement.envelope import Envelope
from verifier.statement.intoto import InTotoStatement
from verifier.statement.own import own_in
from verifier.statement.predicates import summarise
from verifier.statement.sigstore import SigstoreBundle
from verifier.statement.telling import told

TEXT = checkpoint_text(3, bytes(32))
TOP = issue("CN=top", p256_key(1), authority=True)
LEAF = issue("CN=leaf,O=x", ed25519_key(2), TOP)
STATED = sign1(headers={4: b"kid", 33: [LEAF.der, TOP.der], 2: [15]})
BY_DIGEST = sign1(bytes(32), headers={3: None, 258: -16, 260: "https://x.example"})
TREE = Tree([STATED, b"x", BY_DIGEST])
RECEIPT = signed(
    cbor2.dumps({1: -19, 15: {1: ORIGIN, 2: ORIGIN}, 395: 1}),
    None,
    unprotected={396: {-1: [cbor2.dumps([3, 0, TREE.path(0, 3)])]}},
    detached=TREE.mth(0, 3),
)
GROWN = signed(
    cbor2.dumps({1: -8, 395: 1}),
    None,
    unprotected={396: {-2: [cbor2.dumps([1, 3, TREE.consistency(1, 3)])]}},
    detached=TREE.mth(0, 3),
)
AROUND = {"v": 1, "at": 2**41, "by": "p1", "type": "text/plain"}
WRAPPED = signed(
    cbor2.dumps({1: -19, 395: 1}),
    None,
    unprotected={396: {-1: [cbor2.dumps([1, 0, []])]}, **AROUND},
    detached=bytes(32),
)
TRANSPARENT = with_receipts(STATED, [RECEIPT, WRAPPED])
PREDICATE = {
    "buildDefinition": {
        "buildType": "https://b.example",
        "externalParameters": {"a": 1},
    },
    "runDetails": {"builder": {"id": "https://r.example"}},
}
SLSA = in_toto(predicate_type="https://slsa.dev/provenance/v1", predicate=PREDICATE)
ENVELOPE = envelope(SLSA, CI, Maker("p-256"), type_=IN_TOTO)
BUNDLE = json.dumps(
    {
        "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
        "verificationMaterial": {
            "certificate": {"rawBytes": b64encode(LEAF.der).decode()},
            "tlogEntries": [{"logIndex": "7", "integratedTime": "1790000000"}],
        },
        "dsseEnvelope": json.loads(envelope(SLSA, type_=IN_TOTO)),
    }
).encode()
ADDED = {**added(), "number": 0}
OWN = Entry(at=2**41, by=LOG, type=MEDIA_TYPE, body=encode_own(ADDED)).encode()
OWN_STATEMENT = sign1(encode_own(ADDED), headers={3: MEDIA_TYPE}, issuer=ORIGIN)
REGISTER = Register(
    checkpoint=note(TEXT, SIGNER.line(TEXT)),
    entries=(Registered(index=1, entry=OWN, proof=(bytes(32),)),),
).encode()
CREDENTIALS = [
    Credential.of_key(CI.public),
    Credential.of_certificate(Certificate.parse(LEAF.der)),
]
KEYS = (
    key_text(CI.public)
    + f"# more\n{LEAF.pem}ssh-ed25519 "
    + b64encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x20" + CI.public.raw).decode()
)
SSH = (
    b"\0\0\0\x13ecdsa-sha2-nistp256\0\0\0\x08nistp256\0\0\0\x41"
    + (Maker("p-256").public.raw[-65:])
)
JSON_OWN = json.dumps(registry.json_of_own(added(threshold=1))).encode()


def take(data: bytes) -> None:
    """Take what an entry of the log's own says of producers."""
    if (own := own_in(data)) is not None and "number" in own:
        Producers().take(own, 0)


def whole(data: bytes) -> list[dict[str, Any]]:
    """A statement, and all that is told of it."""
    statement = Statement.parse(data)
    statement.digests()
    statement.signers([CI.public])
    return told(statement)


def entry_of(data: bytes) -> bytes:
    """The entry that a receipt says there is around a body."""
    receipt = CoseReceipt.parse(data)
    try:
        return receipt.entry_of(b"a body")
    except EntryError as error:
        # It can be read, and says what no log would.
        raise MalformedError(str(error)) from None


Parser = Callable[[bytes], Any]
SIGNED: dict[str, tuple[Parser, list[bytes], Callable[[Any], bytes] | None]] = {
    "sign1": (Sign1.parse, [STATED, RECEIPT, TRANSPARENT], Sign1.encode),
    "foreign cbor": (
        cbor.decode_foreign,
        [cbor2.dumps({1: -19, "x": [1.5, None, {2: b"y"}]})],
        None,
    ),
    "cose receipt": (CoseReceipt.parse, [RECEIPT, GROWN, WRAPPED], None),
    "wrapped": (entry_of, [WRAPPED], None),
    "transparent": (
        lambda data: TransparentStatement.of(Sign1.parse(data)),
        [TRANSPARENT],
        None,
    ),
    "statement": (whole, [STATED, BY_DIGEST, ENVELOPE, BUNDLE, OWN_STATEMENT], None),
    "bare": (check_bare, [STATED, BY_DIGEST], lambda read: read.content),
    "envelope": (Envelope.parse, [ENVELOPE], None),
    "sigstore": (SigstoreBundle.parse, [BUNDLE], None),
    "in-toto": (
        lambda data: summarise(InTotoStatement.parse(data)),
        [SLSA, in_toto()],
        None,
    ),
    "certificate": (
        Certificate.parse,
        [LEAF.der, TOP.der],
        lambda read: read.der,
    ),
    "keys": (parse_keys, [KEYS.encode(), LEAF.pem.encode()], None),
    "spki": (parse_spki, [spki(CI.public), spki(Maker("p-256").public)], spki),
    "ssh key": (parse_ssh_key, [SSH], None),
    "credential": (
        lambda data: Credential.parse(cbor.decode(data, text_keys=True)),
        [cbor.encode(each.document()) for each in CREDENTIALS],
        lambda read: cbor.encode(read.document()),
    ),
    "producers": (take, [OWN, OWN_STATEMENT], None),
    "register": (Register.parse, [REGISTER], None),
    "registered by json": (
        lambda data: registry.own_of_json(parse_document(data, "it", most=1 << 18)),
        [JSON_OWN],
        None,
    ),
}
"""Each parser with what it should read, and how that is written again."""
