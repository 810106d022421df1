"""A producer's private key: read from whatever file it is in, and used.

    -----BEGIN PRIVATE KEY-----
    MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
    -----END PRIVATE KEY-----

PKCS#8, SEC1 and OpenSSH, none of them encrypted (no secret is asked for at a
terminal: an agent is for that), and the note key lines of `keyfile`. ML-DSA-44 keys
are read by their seed, which is all that cryptography takes.

A signature leaves only after it has been verified with the public key, as in
`signer`. No message of this module quotes what it could not read: it may be the key.
"""

from __future__ import annotations

import errno
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from shlex import quote
from typing import Final, Self, TypeAlias

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, utils
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

from ledger.errors import Halted, Held
from ledger.keys.keyfile import SigningKey
from ledger.keys.private import Kept, damaged, read_private, write_private
from verifier.cose import for_cose
from verifier.errors import MalformedError, SignatureError
from verifier.keys import Algorithm, KeyType, PublicKey, verify_signature
from verifier.pem import MAX_BYTES, parse_keys, parse_spki

_KEPT: Final = Kept(
    "a producer's private key", "key file", "have it revoked wherever it is registered"
)
_BEGIN: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")

_Secret: TypeAlias = (
    ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | mldsa.MLDSA44PrivateKey
)


class _Locked(MalformedError):
    """The key is encrypted."""


class _Other(MalformedError):
    """The key is whole, and of a kind that signs no statements."""


@dataclass(frozen=True, slots=True)
class ProducerKey:
    """A key that signs statements. It shows itself without its secret.

    `public` is what its signatures verify with: a P-256 key is one for r and s.
    """

    public: PublicKey
    _secret: _Secret = field(repr=False, compare=False)

    @classmethod
    def generate(cls, algorithm: Algorithm) -> Self:
        """A key that nobody has had before."""
        if algorithm is Algorithm.ED25519:
            return cls._of(ed25519.Ed25519PrivateKey.generate())
        if algorithm is Algorithm.ML_DSA_44:
            return cls._of(mldsa.MLDSA44PrivateKey.generate())
        if algorithm in (Algorithm.ECDSA_P256, Algorithm.ECDSA_P256_RAW):
            return cls._of(ec.generate_private_key(ec.SECP256R1()))
        raise MalformedError(f"a producer's key is not one for {algorithm}")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a key file, or raise MalformedError; no message quotes the key."""
        if text.startswith("PRIVATE+KEY+"):
            return cls._of_note_key(text.removesuffix("\n"))
        return cls._of(_load(text))

    @classmethod
    def _of_note_key(cls, line: str) -> Self:
        key = SigningKey.parse(line, whose="producer")
        if key.type is KeyType.ED25519:
            return cls._of(ed25519.Ed25519PrivateKey.from_private_bytes(key.seed))
        return cls._of(mldsa.MLDSA44PrivateKey.from_seed_bytes(key.seed))

    @classmethod
    def _of(cls, secret: PrivateKeyTypes) -> Self:
        der = secret.public_key().public_bytes(
            serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        try:
            # A key that is none of ours is named by its public half.
            public = for_cose(parse_spki(der))
        except MalformedError as error:
            raise _Other(str(error)) from None
        assert isinstance(secret, _Secret)  # noqa: S101 - by what its public half is
        return cls(public, secret)

    def sign(self, message: bytes) -> bytes:
        """Sign `message`; with P-256 the signature is r and s, 32 bytes each."""
        if isinstance(self._secret, ec.EllipticCurvePrivateKey):
            # By RFC 6979: a bad source of random numbers would give away the key.
            how = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)
            r, s = utils.decode_dss_signature(self._secret.sign(message, how))
            signature = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        else:
            signature = self._secret.sign(message)
        try:
            verify_signature(self.public, message, signature)
        except SignatureError as error:
            raise Halted(
                f"a signature of ours is wrong, and was not released: {error}. The "
                "memory or the processor of this machine may be faulty"
            ) from None
        return signature

    def text(self) -> str:
        """Write the key as PEM of PKCS#8. This is the secret."""
        return self._secret.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ).decode()


def read_producer_key(path: Path) -> ProducerKey:
    """The key at `path`, or Held: missing, unfit, or within the reach of others."""
    try:
        text = read_private(path, _KEPT)
    except Held:
        # Others may read it, as they should, if it is the other half.
        _check_private_half(path)
        raise
    if re.search("^genesis ", text, re.MULTILINE):
        raise Held(
            "key_taken",
            f"{path} is the key file of a log. A key that signs checkpoints signs no "
            "statements; give the producer a key of its own",
        )
    try:
        return ProducerKey.parse(text)
    except _Locked:
        raise Held(
            "key_unfit",
            f"{path} is encrypted, and no passphrase is asked for here; let an agent "
            "sign with it: --agent",
            mend=f"ssh-add {quote(str(path))}",
        ) from None
    except _Other as error:
        raise Held(
            "key_unfit",
            f"{path} has a key of a kind that signs no statements here: {error}",
            mend="provlog producer key NEWFILE",
        ) from None
    except MalformedError as error:
        _check_private_half(path)
        raise damaged(path, str(error), _KEPT) from None


def _check_private_half(path: Path) -> None:
    """Return unless the file at `path` has public keys or certificates in it."""
    if not path.is_file():
        return
    try:
        with open(path, "rb") as file:
            parse_keys(file.read(MAX_BYTES + 1))
    except (OSError, MalformedError):
        return
    raise Held(
        "key_unfit",
        f"{path} is the public half of a key, which verifies and cannot sign; --key "
        "takes the private one",
        mend="give the private key that belongs to it",
    )


def write_producer_key(path: Path, key: ProducerKey) -> None:
    """Write the key to a new file at `path`, which nobody else can read."""
    if os.path.lexists(path):
        # What is there may be the only copy of a key.
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path))
    write_private(path, key.text())


def _load(text: str) -> PrivateKeyTypes:
    labels = [each for each in _BEGIN.findall(text) if each.endswith("PRIVATE KEY")]
    if len(labels) > 1:
        raise MalformedError("it has several private keys; give the one that signs")
    if not labels:
        raise MalformedError(
            "there is no private key in it, as PEM (PKCS#8 or SEC1), of OpenSSH, or as "
            "a note key; a public key cannot sign"
        )
    try:
        if labels == ["OPENSSH PRIVATE KEY"]:
            return serialization.load_ssh_private_key(text.encode(), None)
        return serialization.load_pem_private_key(text.encode(), None)
    except TypeError:
        raise _Locked("it is encrypted") from None
    except Exception:  # noqa: BLE001 - OpenSSL's reader raises whatever it meets
        raise MalformedError(
            "its private key cannot be read: it is damaged, of a kind that is not "
            "known, or an ML-DSA-44 key without its seed"
        ) from None
