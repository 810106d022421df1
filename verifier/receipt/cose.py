"""COSE receipts: RFC 9942, over trees of RFC 9162 with SHA-256 (vds 1).

    18([h'a4…', {396: {-1: [h'83…']}}, null, h'…'])

The proof leads from the leaf to a root, and that root is what the log has signed;
the payload is left out. Where it is attached it is compared and never believed:
to take it as it comes is the classic mistake. Sizes and indexes are under no
signature, so they are shown as what the receipt says, and nothing hangs on them.

In a record log the unprotected header has `v`, `at`, `by` and `type` as well: with
the body they make the entry, and so they are proven with it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Self

from verifier import cbor
from verifier.cose import Label, Sign1, verify_sign1
from verifier.entry import Entry
from verifier.errors import (
    ConsistencyError,
    EntryError,
    InclusionError,
    MalformedError,
    SignatureError,
    UntrustedError,
)
from verifier.hashing import HASH_SIZE, leaf_hash
from verifier.keys import PublicKey
from verifier.proof import root_from_consistency, root_from_inclusion
from verifier.receipt.tlog import MAX_HASHES

MEDIA_TYPE: Final = "application/scitt-receipt+cose"

CLAIMS: Final = 15
ISSUER: Final = 1
SUBJECT: Final = 2
VDS: Final = 395
VDP: Final = 396
RFC9162_SHA256: Final = 1
INCLUSION: Final = -1
CONSISTENCY: Final = -2

KINDS: Final = ("record", "statement", "opaque")
"""Of logs of this project, which a receipt's protected header names."""

MAX_PROOFS: Final = 16
_UNDERSTOOD: Final[frozenset[Label]] = frozenset({VDS, CLAIMS})
_WRAPPER: Final = ("v", "at", "by", "type")


class Proof(NamedTuple):
    """Two numbers, which nobody has signed, and hashes.

    Of an inclusion the size and the index, of a consistency the two sizes.
    """

    first: int
    second: int
    hashes: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CoseReceipt:
    """A receipt with proofs of one of the two kinds."""

    message: Sign1
    kind: int
    proofs: tuple[Proof, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a receipt, or raise MalformedError naming what is wrong with it."""
        message = Sign1.parse(data, "the receipt")
        structure = message.headers.get(VDS)
        if type(structure) is not int or structure != RFC9162_SHA256:
            # Also where it stands in the header that nobody has signed.
            raise MalformedError(
                "the receipt's protected header does not say that it is of an RFC 9162 "
                "tree with SHA-256 (395: 1); no other structure is verified here"
            )
        kind, proofs = _proofs(message.unprotected.get(VDP))
        return cls(message=message, kind=kind, proofs=proofs)

    @property
    def issuer(self) -> str | None:
        """The log's name, as the protected header has it."""
        claims = self.message.headers.get(CLAIMS)
        found = claims.get(ISSUER) if isinstance(claims, Mapping) else None
        return found if type(found) is str else None

    @property
    def log_kind(self) -> str | None:
        """Of which kind the log is, as the protected header has it."""
        claims = self.message.headers.get(CLAIMS)
        subject = claims.get(SUBJECT) if isinstance(claims, Mapping) else None
        known = {kind_subject(kind): kind for kind in KINDS}
        return known.get(subject) if type(subject) is str else None

    @property
    def wrapped(self) -> bool:
        """Whether it is of a record log's entry, and is checked with the body."""
        return any(name in self.message.unprotected for name in _WRAPPER)

    def entry_of(self, body: bytes) -> bytes:
        """The entry that has `body` in it, by what the receipt says around it."""
        around = self.message.unprotected
        if around.get("v") != 1 or type(around["v"]) is not int:
            raise EntryError("the receipt is of an entry whose version is not 1")
        try:
            return Entry(
                at=around.get("at"),  # type: ignore[arg-type] # encode() looks at them
                by=around.get("by"),  # type: ignore[arg-type]
                type=around.get("type"),  # type: ignore[arg-type]
                body=body,
            ).encode()
        except MalformedError as error:
            raise EntryError(f"what the receipt says of the entry: {error}") from None


def kind_subject(kind: str) -> str:
    """What the receipts of a log of this kind have as their subject."""
    return f"provlog/{kind}"


def encode_receipt(
    *,
    protected: bytes,
    signature: bytes,
    index: int,
    size: int,
    hashes: Sequence[bytes],
    entry: Entry | None = None,
) -> bytes:
    """Write a receipt of inclusion; of a record log with what stands in `entry`."""
    proof = cbor.encode([size, index, [*hashes]])
    return _encode(protected, signature, INCLUSION, proof, entry)


def encode_consistency(
    *,
    protected: bytes,
    signature: bytes,
    first: int,
    second: int,
    hashes: Sequence[bytes],
) -> bytes:
    """Write a receipt of consistency; the signature is that of the larger tree."""
    proof = cbor.encode([first, second, [*hashes]])
    return _encode(protected, signature, CONSISTENCY, proof, None)


def verify_receipt(
    receipt: CoseReceipt, entry: bytes, keys: Sequence[PublicKey]
) -> tuple[bytes, Proof]:
    """The root that one of `keys` has signed and that has `entry` below it.

    And the proof that leads there, whose numbers are the receipt's word.
    """
    if receipt.kind != INCLUSION:
        raise InclusionError("the receipt is one of consistency, and about no entry")
    roots = [
        root_from_inclusion(
            leaf_hash(entry), size=each.first, index=each.second, proof=each.hashes
        )
        for each in receipt.proofs
    ]
    attached = receipt.message.payload
    if attached is not None and attached not in roots:
        raise InclusionError("the proof leads to another root than the receipt carries")
    found = _signed_root(receipt.message, roots, keys)
    return roots[found], receipt.proofs[found]


def verify_consistency_receipt(
    receipt: CoseReceipt, first: int, first_root: bytes, keys: Sequence[PublicKey]
) -> tuple[bytes, Proof]:
    """The root that one of `keys` has signed, whose tree begins with `first_root`.

    Whoever asks must have believed that tree of `first` entries before: the receipt
    signs the later one only.
    """
    if receipt.kind != CONSISTENCY:
        raise ConsistencyError("the receipt is one of inclusion")
    proofs = [each for each in receipt.proofs if each.first == first]
    if not proofs:
        raise ConsistencyError(f"the receipt has no proof from size {first}")
    roots = [
        root_from_consistency(
            first=first, first_root=first_root, second=each.second, proof=each.hashes
        )
        for each in proofs
    ]
    attached = receipt.message.payload
    if attached is not None and attached not in roots:
        says = "the proof leads to another root than the receipt carries"
        raise ConsistencyError(says)
    found = _signed_root(receipt.message, roots, keys)
    return roots[found], proofs[found]


def _signed_root(
    message: Sign1, roots: Sequence[bytes], keys: Sequence[PublicKey]
) -> int:
    """Which of `roots` one of `keys` has signed."""
    if not keys:
        raise UntrustedError("there is no key to believe the receipt by")
    wrong = SignatureError("no key has signed it")
    for key in keys:
        for place, root in enumerate(roots):
            try:
                verify_sign1(message, key, payload=root, understood=_UNDERSTOOD)
            except SignatureError as error:
                wrong = error
            else:
                return place
    raise wrong


def _encode(
    protected: bytes, signature: bytes, kind: int, proof: bytes, entry: Entry | None
) -> bytes:
    unprotected: dict[Label, Any] = {VDP: {kind: [proof]}}
    if entry is not None:
        unprotected |= {"v": 1, "at": entry.at, "by": entry.by, "type": entry.type}
    return Sign1(
        protected=protected,
        headers={},
        unprotected=unprotected,
        payload=None,
        signature=signature,
    ).encode()


def _proofs(found: object) -> tuple[int, tuple[Proof, ...]]:
    if not isinstance(found, Mapping):
        raise MalformedError(
            "the receipt has no proofs (396) in its unprotected header"
        )
    kinds = [kind for kind in (INCLUSION, CONSISTENCY) if kind in found]
    if len(kinds) != 1:
        raise MalformedError("the receipt has proofs of inclusion, or of consistency")
    listed = found[kinds[0]]
    if not isinstance(listed, list | tuple) or not 1 <= len(listed) <= MAX_PROOFS:
        raise MalformedError(f"the receipt's proofs are no list of 1 to {MAX_PROOFS}")
    return kinds[0], tuple(map(_proof, listed))


def _proof(data: object) -> Proof:
    if type(data) is not bytes:
        raise MalformedError("a proof of the receipt is no byte string")
    match cbor.decode(data):
        case [int() as first, int() as second, [*hashes]]:
            # An empty list is one: a tree of one entry has no other path.
            found = tuple(each for each in hashes if type(each) is bytes)
            fit = len(found) == len(hashes) <= MAX_HASHES + 1
            whole = all(len(each) == HASH_SIZE for each in found)
            if fit and whole and type(first) is type(second) is int:
                return Proof(first, second, found)
    says = "a proof of the receipt is not two numbers and a list of hashes"
    raise MalformedError(says)
