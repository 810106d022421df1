"""A checkpoint's line out of which COSE receipts are made.

Under the text of a checkpoint stands, beside the signatures of notes, one more line
with the same key's signature over the same root, as a COSE_Sign1 has it (RFC 9942):

    — log.example/prod 7kXx1JVd2o…

Its key id is that of type ff with this project's identifier, the kind of log and the
algorithm in it, so every reader of notes passes over it, as the specification of notes
has it. With the line a COSE receipt can be made of any tlog-proof, by anybody and
without a key: protected header and root follow from the checkpoint.

The protected header says what kind of log it is. So the line also says what the text
of a checkpoint has no word for: whether the wrapper around a body is the log's word,
or what anybody could submit to a log that takes any bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import lru_cache
from hashlib import sha256
from itertools import product
from typing import Final, NamedTuple

from verifier import cbor
from verifier.checkpoint import Checkpoint
from verifier.cose import ALG, KID, Sign1
from verifier.cosekey import thumbprint
from verifier.entry import Entry
from verifier.errors import SignatureError
from verifier.keys import Algorithm, PublicKey, VerifierKey, verify_signature
from verifier.note import Note
from verifier.receipt.cose import (
    CLAIMS,
    ISSUER,
    KINDS,
    RFC9162_SHA256,
    SUBJECT,
    VDS,
    encode_receipt,
    kind_subject,
)
from verifier.receipt.tlog import Receipt

IDENTIFIER: Final = "provlog/receipt/1"
ALGORITHMS: Final = (-19, -8)
"""Those that a log can be set to: of RFC 9864, and what others write still."""
_PRIVATE: Final = 0xFF
_NONE_YET: Final = "the log signs none, or signed this one before it did"
_NO_KEY: Final = "it is signed by an Ed25519 key of the log, and none is believed here"


class NoLineError(Exception):
    """No key of the log has a line for COSE receipts under this checkpoint; and why."""


class ReceiptLine(NamedTuple):
    """What a COSE receipt has from the log: its protected header, and a signature."""

    protected: bytes
    signature: bytes
    key: PublicKey
    kind: str


@lru_cache(maxsize=256)
def line_id(name: str, key: PublicKey, algorithm: int, kind: str) -> bytes:
    """The key id of the line of `key`: as of all types, with an identifier behind."""
    type_ = bytes([_PRIVATE]) + f"{IDENTIFIER}/{kind}/{algorithm}\n".encode()
    return sha256(name.encode() + b"\n" + type_ + key.raw).digest()[:4]


@lru_cache(maxsize=256)
def protected_of(origin: str, key: PublicKey, algorithm: int, kind: str) -> bytes:
    """The protected header of all receipts of a log: it never says more than this."""
    return cbor.encode(
        {
            ALG: algorithm,
            KID: thumbprint(key),
            CLAIMS: {ISSUER: origin, SUBJECT: kind_subject(kind)},
            VDS: RFC9162_SHA256,
        }
    )


def line_message(protected: bytes, root: bytes) -> bytes:
    """What is signed for the line."""
    return Sign1(
        protected=protected, headers={}, unprotected={}, payload=root, signature=b""
    ).message()


def find_line(note: Note, keys: Iterable[VerifierKey]) -> ReceiptLine | None:
    """The first line in `note` that says it is by one of `keys`, in their order.

    It is verified with the receipt that is made of it, as that is.
    """
    return next(_lines(note, keys), None)


def signed_kind(note: Note, keys: Iterable[VerifierKey]) -> str | None:
    """Of which kind the log is, if one of its `keys` has signed that of this root."""
    tree = Checkpoint.parse(note.text, extensions=True)
    for line in _lines(note, (key for key in keys if key.name == tree.origin)):
        with suppress(SignatureError):
            message = line_message(line.protected, tree.root)
            verify_signature(line.key, message, line.signature)
            return line.kind
    return None


def known_kind(said: str, checkpoint: bytes, keys: Iterable[VerifierKey]) -> str:
    """What a caller says of a log's kind; where that is `auto`, what it has signed."""
    if said != "auto":
        return said
    return signed_kind(Note.parse(checkpoint), keys) or said


def cose_receipt(
    receipt: Receipt, keys: Iterable[VerifierKey], entry: Entry | None = None
) -> bytes:
    """The same receipt in its other form, or NoLineError.

    `entry` is that of a record log, which a COSE receipt says something about.
    """
    note, keys = Note.parse(receipt.checkpoint), list(keys)
    line = find_line(note, keys)
    if line is None:
        signs = any(x.public_key.algorithm is Algorithm.ED25519 for x in keys)
        raise NoLineError(_NONE_YET if signs else _NO_KEY)
    return encode_receipt(
        protected=line.protected,
        signature=line.signature,
        index=receipt.index,
        size=Checkpoint.parse(note.text, extensions=True).size,
        hashes=receipt.proof,
        entry=entry,
    )


def _lines(note: Note, keys: Iterable[VerifierKey]) -> Iterator[ReceiptLine]:
    there = {(each.name, each.key_id): each.signature for each in note.signatures}
    for key in keys:
        public = key.public_key
        if public.algorithm is not Algorithm.ED25519:
            continue
        for algorithm, kind in product(ALGORITHMS, KINDS):
            found = there.get((key.name, line_id(key.name, public, algorithm, kind)))
            if found is not None:
                protected = protected_of(key.name, public, algorithm, kind)
                yield ReceiptLine(protected, found, public, kind)
