"""The one way to a signature: what the anchor holds is signed, and what we say of us.

The anchor is the signer's memory, and survives the process. Beside it the signer
remembers what it signed last, so that a mistake above it ends the process, and
does not become a second history.

A signature leaves only after it has been verified with the public key. An Ed25519
signature that was computed wrongly does worse than to fail: set beside the right
one, which is the same every time, it can give away the key.

Each Ed25519 key signs a checkpoint twice: as a note, and as the root of a COSE
receipt, in a line of its own (verifier/receipt/line.py). No message of the one kind
is one of the other: a note is text, and what COSE signs begins with a byte that no
text begins with. A statement of the log's own can be no receipt, for it has no 395.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import nacl.bindings
from cryptography.hazmat.primitives.asymmetric import mldsa

from ledger.errors import Halted
from ledger.keys.keyfile import KeyFile, SigningKey
from verifier import cbor
from verifier.checkpoint import Checkpoint
from verifier.cose import ALG, CONTENT_TYPE, KID, Sign1
from verifier.cosekey import thumbprint
from verifier.cosignature import ml_dsa_message, verify_checkpoint_signature
from verifier.errors import MalformedError, VerificationError
from verifier.hashing import EMPTY_ROOT
from verifier.keys import KeyType, VerifierKey, verify_signature
from verifier.note import Note, NoteSignature
from verifier.own import MEDIA_TYPE, Own, encode_own
from verifier.receipt.cose import CLAIMS, ISSUER, SUBJECT
from verifier.receipt.line import ALGORITHMS, line_id, line_message, protected_of


class Anchored(Protocol):
    """What the anchor holds: a tree that is durable, in two places."""

    @property
    def size(self) -> int:
        """How many entries the tree has."""
        ...

    @property
    def root(self) -> bytes:
        """Its root."""
        ...


@dataclass(frozen=True, slots=True)
class _Key:
    """A key with its secret made ready, which takes as long as to sign."""

    public: VerifierKey
    sign: Callable[[bytes], bytes]


class Signer:
    """Signs the checkpoints of one log, for one process.

    `signed` counts the checkpoints that were released: to be compared with those
    that were stored, since one more would have gone somewhere else.
    """

    def __init__(
        self, keys: KeyFile, kind: str, algorithm: int = ALGORITHMS[0]
    ) -> None:
        self.origin = keys.origin
        self._kind = kind
        self._algorithm = algorithm
        self.signed = 0
        self._keys = [ready(key) for key in keys.keys]
        self._last: Checkpoint | None = None
        self._alone = threading.Lock()

    def verifier_keys(self) -> list[VerifierKey]:
        """The public keys, in the order of the key file."""
        return [key.public for key in self._keys]

    def sign(self, held: Anchored, *, time: int | None = None) -> bytes:
        """The signed checkpoint of what the anchor holds.

        Every Ed25519 key signs it, always to the same bytes. With `time`, in
        seconds since the epoch, every ML-DSA-44 key cosigns it, too.

        Raises Halted, and releases nothing, if this is no tree, or not one that
        follows the last one signed, or if a signature does not verify.
        """
        checkpoint = self._checkpoint(held)
        with self._alone:
            self._remember(checkpoint)
            lines = tuple(self._lines(checkpoint, time))
            self.signed += 1
        return Note(checkpoint.text(), lines).encode()

    def _checkpoint(self, held: Anchored) -> Checkpoint:
        try:
            checkpoint = Checkpoint(origin=self.origin, size=held.size, root=held.root)
        except MalformedError as error:
            raise Halted(f"asked to sign what is no tree: {error}") from None
        if checkpoint.size == 0 and checkpoint.root != EMPTY_ROOT:
            raise Halted("asked to sign what is no tree: empty, with another root")
        return checkpoint

    def _remember(self, checkpoint: Checkpoint) -> None:
        last = self._last
        if last is not None and checkpoint.size < last.size:
            raise Halted(
                f"asked to sign a tree of size {checkpoint.size} after one of size "
                f"{last.size}: a log never shrinks. Nothing was signed"
            )
        if last is not None and checkpoint.size == last.size and checkpoint != last:
            raise Halted(
                f"asked to sign another root for size {last.size}: that would be two "
                "histories. Nothing was signed"
            )
        self._last = checkpoint

    def _lines(
        self, checkpoint: Checkpoint, time: int | None
    ) -> Iterator[NoteSignature]:
        text = checkpoint.text()
        for key in self._of_type(KeyType.ED25519):
            yield verified(key, checkpoint, key.sign(text.encode()))
        for key in self._of_type(KeyType.ED25519):
            yield self._receipt_line(key, checkpoint.root)
        if time is None:
            return
        message = ml_dsa_message(
            cosigner=self.origin,
            time=time,
            origin=self.origin,
            start=0,
            end=checkpoint.size,
            node=checkpoint.root,
        )
        for key in self._of_type(KeyType.ML_DSA_COSIGNATURE):
            blob = time.to_bytes(8, "big") + key.sign(message)
            yield verified(key, checkpoint, blob)

    def _receipt_line(self, key: _Key, root: bytes) -> NoteSignature:
        public = key.public.public_key
        about = self.origin, public, self._algorithm, self._kind
        signature = _checked(key, line_message(protected_of(*about), root))
        return NoteSignature(self.origin, line_id(*about), signature)

    def sign_own(self, own: Own) -> bytes:
        """What the log says of itself, as an entry of a statement log."""
        key = self._of_type(KeyType.ED25519)[0]
        unsigned = Sign1(
            protected=cbor.encode(
                {
                    ALG: self._algorithm,
                    CONTENT_TYPE: MEDIA_TYPE,
                    KID: thumbprint(key.public.public_key),
                    CLAIMS: {ISSUER: self.origin, SUBJECT: own["kind"]},
                }
            ),
            headers={},
            unprotected={},
            payload=encode_own(own),
            signature=b"",
        )
        signature = _checked(key, unsigned.message())
        return replace(unsigned, signature=signature).bare()

    def _of_type(self, kind: KeyType) -> list[_Key]:
        return [key for key in self._keys if key.public.type is kind]


def ready(key: SigningKey) -> _Key:
    if key.type is KeyType.ML_DSA_COSIGNATURE:
        return _Key(
            key.verifier_key, mldsa.MLDSA44PrivateKey.from_seed_bytes(key.seed).sign
        )
    _, secret = nacl.bindings.crypto_sign_seed_keypair(key.seed)

    def sign(message: bytes) -> bytes:
        signed = nacl.bindings.crypto_sign(message, secret)
        return signed[: nacl.bindings.crypto_sign_BYTES]

    return _Key(key.verifier_key, sign)


def _checked(key: _Key, message: bytes) -> bytes:
    """The signature of `key` over `message`, after it has been verified."""
    signature = key.sign(message)
    try:
        verify_signature(key.public.public_key, message, signature)
    except VerificationError as error:
        raise _wrong(error) from None
    return signature


def _wrong(error: VerificationError) -> Halted:
    return Halted(
        f"a signature of ours is wrong, and was not released: {error}. The memory "
        "or the processor of this machine may be faulty"
    )


def verified(key: _Key, checkpoint: Checkpoint, blob: bytes) -> NoteSignature:
    try:
        verify_checkpoint_signature(key.public, checkpoint.text(), checkpoint, blob)
    except VerificationError as error:
        raise _wrong(error) from None
    return NoteSignature(key.public.name, key.public.id, blob)
