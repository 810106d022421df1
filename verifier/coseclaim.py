"""What a COSE receipt shows, checked link by link, up to the first that breaks.

It shows less than a tlog-proof does: the root is signed, and neither the size of its
tree nor the index. It carries no cosignatures, so a policy that asks witnesses does
not hold by it. What is not shown is not said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from verifier.content import check_artifact, check_producer, kind_of, read_content
from verifier.entry import PREFIX, Entry
from verifier.errors import (
    AgeError,
    ConsistencyError,
    EntryError,
    FinalError,
    MalformedError,
    QuorumError,
    SignatureError,
    UntrustedError,
)
from verifier.hashing import leaf_hash
from verifier.keys import KeyType, PublicKey
from verifier.policy import Policy
from verifier.producers import Producers
from verifier.receipt.cose import (
    CoseReceipt,
    verify_consistency_receipt,
    verify_receipt,
)
from verifier.receipt.transparent import TransparentStatement
from verifier.report import Report
from verifier.spelling import digest_text
from verifier.trust import Limits

LEAVES: Final = ("entry", "digest")
"""What a log has for an entry: the statement itself, or the SHA-256 of its bytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What somebody brings and wants to know beside the evidence."""

    kind: str = "auto"
    artifact: bytes | None = None
    producers: Producers | None = None
    leaf: str = "entry"
    first: tuple[int, bytes] | None = None


def verify_cose_claim(
    receipt: CoseReceipt,
    given: bytes,
    policy: Policy,
    limits: Limits,
    report: Report,
    asked: Asked,
) -> None:
    """Return if the receipt holds for `given`: the entry, or a record log's body."""
    _check_asked(policy, limits)
    entry = _entry(receipt, given)
    said_index = _verify(receipt, entry, policy, report, asked.leaf)
    _read(entry, receipt, limits, report, asked, said_index)


def verify_transparent(
    evidence: TransparentStatement,
    policy: Policy,
    limits: Limits,
    report: Report,
    asked: Asked,
) -> None:
    """Return if a log of the policy has it; each of that log's receipts has to hold."""
    _check_asked(policy, limits)
    shown: list[tuple[bytes, CoseReceipt, int]] = []
    for number, data in enumerate(evidence.receipts, start=1):
        try:
            receipt = CoseReceipt.parse(data)
            _log_keys(receipt, policy)
        except (MalformedError, UntrustedError) as error:
            # Of a log that nobody here trusts, or of another kind: it shows nothing,
            # and takes nothing away from the others.
            report.notes("receipt", f"number {number} was not looked at: {error}")
            continue
        entry = _entry(receipt, evidence.statement.bare())
        said_index = _verify(receipt, entry, policy, report, asked.leaf)
        shown.append((entry, receipt, said_index))
    if not shown:
        raise UntrustedError("no receipt of the statement is by a log of the policy")
    # Nobody has signed in which order they come. A register is about one of the logs,
    # and where that is no matter, a record log says when.
    origin = asked.producers.origin if asked.producers else None

    def weight(each: tuple[bytes, CoseReceipt, int]) -> tuple[bool, bool]:
        named = origin is not None and each[1].issuer == origin
        return named, each[1].log_kind == "record"

    entry, receipt, said_index = max(shown, key=weight)
    _read(entry, receipt, limits, report, asked, said_index)


def verify_growth(
    receipt: CoseReceipt,
    policy: Policy,
    limits: Limits,
    report: Report,
    asked: Asked,
) -> None:
    """Return if a log of the policy has signed a tree that begins with the first."""
    _check_asked(policy, limits)
    if asked.first is None:
        raise ConsistencyError(
            "the receipt shows that a tree has grown from another one; which one you "
            "believed before, you have to say (--from SIZE:ROOT)"
        )
    size, root = asked.first
    keys = _log_keys(receipt, policy)
    later, proof = verify_consistency_receipt(receipt, size, root, keys)
    _note_root(receipt, later, report)
    report.holds("consistency", f"it begins with the tree of {size} entries")
    says = f"it says that the tree has {proof.second} entries, which is not signed"
    report.notes("receipt", says, said_size=proof.second)


def _read(
    entry: bytes,
    receipt: CoseReceipt,
    limits: Limits,
    report: Report,
    asked: Asked,
    said_index: int,
) -> None:
    said = receipt.log_kind if asked.kind == "auto" else asked.kind
    if receipt.wrapped and said not in (None, "record"):
        # Nobody has signed that header: it makes no other kind of log of this one.
        raise EntryError(
            f"the receipt is of a record log's entry, and its entries are {said}"
        )
    kind = kind_of(entry, asked.kind, receipt.log_kind)
    content = read_content(entry, kind, report)
    # Where it stands is not signed: a key that was revoked ever is not believed.
    now_ms = None if limits.now is None else limits.now * 1000
    check_producer(
        content,
        asked.producers,
        report,
        origin=receipt.issuer,
        index=None,
        said_index=said_index,
        now_ms=now_ms,
    )
    if asked.artifact is not None:
        check_artifact(content, (), asked.artifact, report)


def _check_asked(policy: Policy, limits: Limits) -> None:
    """Return if a COSE receipt can be enough at all."""
    if policy.asks_witnesses:
        raise QuorumError(
            "the policy asks witnesses, and a COSE receipt has no cosignatures; take "
            "the bundle or the tlog-proof, or a policy without a quorum"
        )
    if limits.max_age_s is not None:
        raise AgeError("a COSE receipt states no time; take the bundle")
    if limits.final is not None:
        raise FinalError("the size of a COSE receipt is not signed; take the bundle")


def _log_keys(receipt: CoseReceipt, policy: Policy) -> Sequence[PublicKey]:
    """The keys that may have signed it: of the log that it names, if it names one."""
    issuer = receipt.issuer
    found = [
        key.public_key
        for key in policy.logs
        if key.type in (KeyType.ED25519, KeyType.ECDSA) and issuer in (None, key.name)
    ]
    if not found:
        listed = ", ".join(sorted({key.name for key in policy.logs})) or "none"
        raise UntrustedError(
            f"the receipt is by {(issuer or 'nobody')[:80]!r}; the policy has keys "
            f"that sign receipts of: {listed}"
        )
    return found


def _entry(receipt: CoseReceipt, given: bytes) -> bytes:
    if not receipt.wrapped:
        return given
    if given.startswith(PREFIX):
        # Whoever has the entry gives that, and whoever has submitted it the body.
        try:
            given = Entry.parse(given).body
        except MalformedError as error:
            raise EntryError(f"not an entry of a record log: {error}") from None
    return receipt.entry_of(given)


def _verify(
    receipt: CoseReceipt, entry: bytes, policy: Policy, report: Report, leaf: str
) -> int:
    """Return the index that the receipt says, which is not signed."""
    keys = _log_keys(receipt, policy)
    logged = sha256(entry).digest() if leaf == "digest" else entry
    try:
        root, proof = verify_receipt(receipt, logged, keys)
    except SignatureError as error:
        raise SignatureError(
            f"{error}: it is of other bytes than the entry that was given, or it was "
            "not the log that made it"
        ) from None
    _note_root(receipt, root, report)
    says = "it is in the tree below that root"
    if leaf == "digest":
        says = "its SHA-256 is in the tree below that root"
    report.holds("inclusion", says, leaf=leaf_hash(logged).hex())
    report.notes(
        "receipt",
        f"it says entry {proof.second} of {proof.first}, which is not signed",
        said_index=proof.second,
        said_size=proof.first,
    )
    return proof.second


def _note_root(receipt: CoseReceipt, root: bytes, report: Report) -> None:
    origin = receipt.issuer or "a log of the policy"
    report.holds(
        "log",
        f"{origin} signed root {digest_text(root)}",
        origin=receipt.issuer,
        root=root.hex(),
    )
