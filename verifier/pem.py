"""Public keys and certificates as people have them: PEM, and lines of OpenSSH.

    # the build farm, since June
    -----BEGIN PUBLIC KEY-----
    MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=
    -----END PUBLIC KEY-----
    ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBm/RAlphM3+hUG6wWfcO5bIUIaq… build@example

RFC 7468 and RFC 4253. A SubjectPublicKeyInfo is compared with the one beginning
that each of our algorithms has, and not parsed: a key has one spelling, and so it
has one id. A file with something private in it is refused as a whole, for whoever
gives it has taken the wrong file, and nothing of it is quoted.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from hashlib import sha256
from typing import Final, NamedTuple

from verifier.certificate import Certificate
from verifier.errors import MalformedError
from verifier.keys import Algorithm, PublicKey
from verifier.spelling import base64_text, parse_base64

MAX_BYTES: Final = 1 << 20
MAX_LINES: Final = 1 << 15
MAX_KEYS: Final = 64
"""The most keys and certificates in one file."""

_ACCEPTED: Final = "accepted are Ed25519, P-256 and ML-DSA-44"
_BEGIN: Final = re.compile(r"-----BEGIN ([A-Z0-9 ]{1,40})-----")
_PRIVATE: Final = re.compile(
    r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----|PRIVATE\+KEY\+|PuTTY-User-Key-File-"
)
_SSH_TYPE: Final = re.compile(r"(ssh|ecdsa|sk|x509v3|webauthn)-[A-Za-z0-9@.-]{1,60}")


class _Form(NamedTuple):
    """How the SubjectPublicKeyInfo of an algorithm begins, and what stands for it."""

    prefix: bytes
    is_whole: bool  # `PublicKey.raw` is all of the DER, and not what follows


_FORMS: Final = {
    Algorithm.ED25519: _Form(bytes.fromhex("302a300506032b6570032100"), is_whole=False),
    Algorithm.ML_DSA_44: _Form(
        bytes.fromhex("30820532300b06096086480165030403110382052100"), is_whole=False
    ),
    Algorithm.ECDSA_P256: _Form(
        bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"),
        is_whole=True,
    ),
}
_OTHERS: Final = {
    "06092a864886f70d010101": "RSA",
    "06092a864886f70d01010a": "RSA-PSS",
    "06072a8648ce380401": "DSA",
    "06032b656e": "X25519, which cannot sign",
    "06032b656f": "X448, which cannot sign",
    "06032b6571": "Ed448",
    "06052b81040022": "P-384",
    "06052b81040023": "P-521",
    "06052b8104000a": "secp256k1",
    "0609608648016503040312": "ML-DSA-65",
    "0609608648016503040313": "ML-DSA-87",
    "06032b6570": "Ed25519, but not in its one form",
    "06082a8648ce3d030107": "P-256, but not uncompressed and in its one form",
    "0609608648016503040311": "ML-DSA-44, but not in its one form",
}
"""What people also have, by the object identifier that stands near the beginning."""


def parse_keys(data: bytes) -> list[PublicKey | Certificate]:
    """The keys and certificates in a file, in their order; there is at least one.

    MalformedError names the line and what is wrong with it.
    """
    if len(data) > MAX_BYTES:
        raise MalformedError(f"a file of {len(data)} bytes; at most {MAX_BYTES}")
    if data.count(b"\n") > MAX_LINES:
        raise MalformedError(f"more than {MAX_LINES} lines")
    try:
        lines = [line.strip() for line in data.decode().split("\n")]
    except UnicodeDecodeError:
        raise MalformedError("not text; keys are read as PEM, not as DER") from None
    _check_public(lines)
    found: list[PublicKey | Certificate] = []
    numbered = enumerate(lines, start=1)
    for number, line in numbered:
        if not line or line.startswith("#"):
            continue
        if len(found) == MAX_KEYS:
            raise MalformedError(f"more than {MAX_KEYS} keys")
        try:
            begin = _BEGIN.fullmatch(line)
            found.append(
                _parse_block(begin[1], numbered) if begin else _parse_ssh_line(line)
            )
        except MalformedError as error:
            raise MalformedError(f"line {number}: {error}") from None
    if not found:
        raise MalformedError("no public key in it, and no certificate")
    return found


def _check_public(lines: list[str]) -> None:
    for number, line in enumerate(lines, start=1):
        if _PRIVATE.match(line):
            raise MalformedError(
                f"line {number}: a private key begins here; give the public half, and "
                "if others could read this file, replace the key"
            )


def _parse_block(
    label: str, rest: Iterator[tuple[int, str]]
) -> PublicKey | Certificate:
    body = []
    for _, line in rest:
        if line == f"-----END {label}-----":
            break
        body.append(line)
    else:
        raise MalformedError(f"{label} begins and does not end")
    der = parse_base64("".join(body), label)
    if label == "PUBLIC KEY":
        return parse_spki(der)
    if label == "CERTIFICATE":
        return Certificate.parse(der)
    raise MalformedError(f"{label} is not read; PUBLIC KEY and CERTIFICATE are")


def parse_spki(der: bytes) -> PublicKey:
    """Read a SubjectPublicKeyInfo, or raise MalformedError naming what it is."""
    for algorithm, form in _FORMS.items():
        if der.startswith(form.prefix):
            raw = der if form.is_whole else der[len(form.prefix) :]
            return PublicKey(algorithm, raw)
    head = der[:48]
    names = (name for oid, name in _OTHERS.items() if bytes.fromhex(oid) in head)
    raise MalformedError(f"a key for {next(names, 'nothing known')}; {_ACCEPTED}")


def _parse_ssh_line(line: str) -> PublicKey:
    kind, _, rest = line.partition(" ")
    if not _SSH_TYPE.fullmatch(kind):
        raise MalformedError("neither a PEM block nor a public key of OpenSSH")
    blob = parse_base64(rest.strip().partition(" ")[0], "the key")
    key = parse_ssh_key(blob)
    if not blob.startswith(_ssh_string(kind.encode())):
        raise MalformedError("the key is of another type than the line says")
    return key


def parse_ssh_key(blob: bytes) -> PublicKey:
    """Read a key as the protocols of SSH have it: RFC 8709, and RFC 5656."""
    match _ssh_strings(blob):
        case [b"ssh-ed25519", raw]:
            return PublicKey(Algorithm.ED25519, raw)
        case [b"ecdsa-sha2-nistp256", b"nistp256", point]:
            # The prefix has the 04 of an uncompressed point in it, as `point` has.
            prefix = _FORMS[Algorithm.ECDSA_P256].prefix[:-1]
            return PublicKey(Algorithm.ECDSA_P256, prefix + point)
        case [kind, *_] if _SSH_TYPE.fullmatch(name := kind.decode("latin-1")):
            raise MalformedError(f"a key of OpenSSH of type {name}; {_ACCEPTED}")
    raise MalformedError("not a public key of OpenSSH")


def _ssh_strings(blob: bytes) -> list[bytes]:
    """The strings of RFC 4251 that `blob` consists of: at most three of a key."""
    found: list[bytes] = []
    while blob and len(found) < 3:
        size = int.from_bytes(blob[:4], "big")
        found.append(blob[4 : 4 + size])
        if len(found[-1]) != size or len(blob) < 4:
            return []
        blob = blob[4 + size :]
    return found if not blob else found[:1]


def _ssh_string(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def spki(key: PublicKey) -> bytes:
    """The key as the DER of a SubjectPublicKeyInfo."""
    form = _FORMS.get(key.algorithm)
    return key.raw if form is None or form.is_whole else form.prefix + key.raw


def key_text(key: PublicKey) -> str:
    """Write the key as PEM."""
    lines = textwrap.wrap(base64_text(spki(key)), 64)
    return "\n".join(
        ["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""]
    )


def key_id(key: PublicKey) -> str:
    """The short name of a key: what its SubjectPublicKeyInfo hashes to, begun."""
    return sha256(spki(key)).hexdigest()[:16]
