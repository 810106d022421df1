"""The line for COSE receipts under a checkpoint, made by its definition."""

from hashlib import sha256

import cbor2

from tests.testlog import Signer, b64


def protected(by: Signer, kind: str, algorithm: int = -19) -> bytes:
    """The protected header of all COSE receipts of a log."""
    members = b"\xa3\x01\x01\x20\x06\x21\x58\x20" + by.public
    about = {1: by.name, 2: f"provlog/{kind}"}
    return cbor2.dumps({1: algorithm, 4: sha256(members).digest(), 15: about, 395: 1})


def line_id(by: Signer, kind: str, algorithm: int = -19) -> bytes:
    """Its key id: no reader of notes knows it."""
    named = b"\xffprovlog/receipt/1/%s/%d\n" % (kind.encode(), algorithm)
    return sha256(by.name.encode() + b"\n" + named + by.public).digest()[:4]


def blob(by: Signer, kind: str, root: bytes, algorithm: int = -19) -> bytes:
    """What stands in it in base64: the id, and the signature by `by` of the root."""
    message = ["Signature1", protected(by, kind, algorithm), b"", root]
    return line_id(by, kind, algorithm) + by.sign(cbor2.dumps(message))


def line(by: Signer, kind: str, root: bytes, algorithm: int = -19) -> str:
    """The line itself."""
    return f"\u2014 {by.name} {b64(blob(by, kind, root, algorithm))}\n"
