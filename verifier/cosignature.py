"""Signatures under checkpoints, as c2sp.org/tlog-cosignature defines them.

A cosignature says: at this time, this was the largest consistent tree of that
log that I had seen. Ed25519 signs the checkpoint's whole text, ML-DSA-44 only
origin, size and root, and also the cosigner's name; the latter covers subtrees,
too. Each message begins with a header of its own, so that no signature made for
one purpose verifies for another.
"""

from __future__ import annotations

from typing import Final

from verifier.checkpoint import Checkpoint
from verifier.errors import MalformedError, SignatureError
from verifier.hashing import HASH_SIZE
from verifier.keys import KeyType, VerifierKey, verify_signature
from verifier.note import verify_text
from verifier.proof import is_subtree
from verifier.spelling import MAX_SIZE

_TIME_BYTES: Final = 8


def ed25519_message(time: int, text: str) -> bytes:
    """What an Ed25519 cosigner signs for the checkpoint `text` at `time`."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def ml_dsa_message(
    *, cosigner: str, time: int, origin: str, start: int, end: int, node: bytes
) -> bytes:
    """What an ML-DSA-44 cosigner signs for entries [start, end) with hash `node`."""
    return b"".join(
        [
            b"subtree/v1\n\x00",
            _short(cosigner, "the cosigner's name"),
            time.to_bytes(_TIME_BYTES, "big"),
            _short(origin, "the origin"),
            start.to_bytes(8, "big"),
            end.to_bytes(8, "big"),
            node,
        ]
    )


def verify_cosignature(
    key: VerifierKey, text: str, checkpoint: Checkpoint, blob: bytes
) -> int:
    """The time at which `key` cosigned `checkpoint`, whose note text is `text`.

    The time is 0 if an ML-DSA-44 cosigner says no more than that the tree is
    consistent with all it has seen.
    """
    time, signature = split_time(blob)
    match key.type:
        case KeyType.COSIGNATURE:
            message = ed25519_message(time, text)
        case KeyType.ML_DSA_COSIGNATURE:
            message = ml_dsa_message(
                cosigner=key.name,
                time=time,
                origin=checkpoint.origin,
                start=0,
                end=checkpoint.size,
                node=checkpoint.root,
            )
        case _:
            raise SignatureError(f"{key.name} is not a key for cosignatures")
    _verify(key, message, signature)
    return time


def verify_checkpoint_signature(
    key: VerifierKey, text: str, checkpoint: Checkpoint, blob: bytes
) -> int | None:
    """The time that `key` states for its signature, or None if its type has none."""
    if key.type in (KeyType.ED25519, KeyType.ECDSA):
        verify_text(key, text, blob)
        return None
    return verify_cosignature(key, text, checkpoint, blob)


def verify_subtree_cosignature(
    key: VerifierKey, *, origin: str, start: int, end: int, node: bytes, blob: bytes
) -> int:
    """The time at which `key` cosigned entries [start, end); 0 if start is not 0."""
    if key.type is not KeyType.ML_DSA_COSIGNATURE:
        raise SignatureError(
            f"{key.name} is not an ML-DSA-44 key; only those sign subtrees"
        )
    if not is_subtree(start, end) or end > MAX_SIZE or len(node) != HASH_SIZE:
        raise MalformedError(
            f"[{start}, {end}) with a {len(node)}-byte hash is not a subtree"
        )
    time, signature = split_time(blob)
    if start and time:
        raise MalformedError(
            "a subtree that does not start at 0 is cosigned without a time"
        )
    _verify(
        key,
        ml_dsa_message(
            cosigner=key.name, time=time, origin=origin, start=start, end=end, node=node
        ),
        signature,
    )
    return time


def split_time(blob: bytes) -> tuple[int, bytes]:
    """The time, in seconds since the epoch, and the signature behind it."""
    time = int.from_bytes(blob[:_TIME_BYTES], "big")
    if len(blob) <= _TIME_BYTES or time > MAX_SIZE:
        raise MalformedError(
            "a cosignature that is too short, or whose time is beyond 2^63−1"
        )
    return time, blob[_TIME_BYTES:]


def _verify(key: VerifierKey, message: bytes, signature: bytes) -> None:
    try:
        verify_signature(key.public_key, message, signature)
    except SignatureError:
        raise SignatureError(f"the cosignature of {key.name} does not verify") from None


def _short(text: str, what: str) -> bytes:
    data = text.encode()
    if not 1 <= len(data) <= 255:
        raise MalformedError(f"{what} has {len(data)} bytes; ML-DSA-44 signs 1 to 255")
    return bytes([len(data)]) + data
