"""X.509 certificates, and whether a chain of them leads to one that was pinned.

The door to X.509: cryptography parses, and verifies each signature; the walk from
the leaf to an anchor is ours. cryptography's own verifier is made for the web's
certificates: it refuses Ed25519, which most of our producers have, and knows no
leaf that was pinned by itself.

RFC 5280, section 6, narrowed: no certificate policies and no name constraints (a
certificate that has these is refused, not believed without them), no revocation,
for nothing is fetched here, and the chain comes in order: nobody searches. What an
authority signs with may be anything that is not broken; the leaf's key is one of
ours. What a certificate is for (its extended key usage) is not asked, unless it is
marked as critical, and then the certificate is for something else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import Final, Self

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mldsa, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from verifier.errors import CertificateError, MalformedError
from verifier.keys import Algorithm, PublicKey

MAX_BYTES: Final = 16 * 1024
MAX_CHAIN: Final = 8

_CURVES: Final = {
    "secp256r1": Algorithm.ECDSA_P256,
    "secp384r1": Algorithm.ECDSA_P384,
}
_HASHES: Final = frozenset({"sha256", "sha384", "sha512"})
_EVALUATED: Final = frozenset(
    {
        x509.BasicConstraints.oid,
        x509.KeyUsage.oid,
        x509.SubjectAlternativeName.oid,
    }
)

# An authority that checks one kind of name may let the other kinds be anything: what
# could be read as a name of another kind is none.
_EMAIL: Final = re.compile(r"[^@:/\s]+@[^@:/\s]+")
_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_DNS: Final = re.compile(r"[^@:/\s]+")
_NAMES: Final[dict[type[x509.GeneralName], re.Pattern[str]]] = {
    x509.RFC822Name: _EMAIL,
    x509.UniformResourceIdentifier: _URI,
    x509.DNSName: _DNS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that could be read, which is nothing to believe.

    `key` is None where it is for none of our algorithms, as those of many
    authorities are, and `spki` is the key in any case; `names` are the e-mail
    addresses, URIs and DNS names for which it was issued; the two times are seconds,
    and belong to it.
    """

    der: bytes
    key: PublicKey | None
    spki: bytes
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: int
    not_after: int
    is_authority: bool

    @classmethod
    def parse(cls, der: bytes) -> Self:
        """Read the DER, or raise MalformedError."""
        if len(der) > MAX_BYTES:
            raise MalformedError(
                f"a certificate of {len(der)} bytes; at most {MAX_BYTES} are read"
            )
        try:
            read = _read(der)
            return cls(
                der=der,
                key=_key(read),
                spki=_spki(read),
                subject=read.subject.rfc4514_string(),
                issuer=read.issuer.rfc4514_string(),
                names=_names(read),
                not_before=int(read.not_valid_before_utc.timestamp()),
                not_after=int(read.not_valid_after_utc.timestamp()),
                is_authority=_constraints(read).ca,
            )
        except MalformedError:
            raise
        except Exception:  # noqa: BLE001 - parts are parsed late, and raise whatever they do
            raise MalformedError("not an X.509 certificate that can be read") from None


def may_lead(chain: Sequence[Certificate], anchor: Certificate) -> bool:
    """Whether `verify_chain` has to be asked at all: by bytes and names alone.

    A log may have thousands of anchors, and to look at a chain takes long.
    """
    return chain[-1].issuer == anchor.subject or anchor.der in {x.der for x in chain}


def verify_chain(
    chain: Sequence[bytes], anchors: Sequence[Certificate], *, at: int
) -> Certificate:
    """Return the leaf, if `chain` leads from it to one of `anchors` at time `at`.

    The leaf comes first, and each certificate is issued by the next (as in the
    x5chain of RFC 9360). An anchor stands in the chain, and what comes behind it is
    not looked at, or it has issued the last certificate. Each of them, and the
    anchor, has to be valid at `at`.

    An anchor that is the leaf itself was pinned for this, by somebody who says
    elsewhere from when until when: its own dates, and whether it may also issue
    certificates, are not looked at.
    """
    if not 1 <= len(chain) <= MAX_CHAIN:
        raise MalformedError(
            f"a chain of {len(chain)} certificates; it has 1 to {MAX_CHAIN}"
        )
    given = [Certificate.parse(der) for der in chain]
    leaf = given[0]
    _check_leaf(leaf)
    if leaf.der in {each.der for each in anchors}:
        return leaf
    if leaf.is_authority:
        raise CertificateError(
            "the first certificate of the chain is an authority's: it signs "
            "certificates, and no statements unless it is pinned itself"
        )
    found: CertificateError | None = None
    for path in _paths(given, anchors):
        try:
            _verify_path(path, at)
        except CertificateError as error:
            found = found or error
        else:
            return leaf
    raise found or CertificateError("the chain leads to none of the pinned authorities")


def _paths(
    given: list[Certificate], anchors: Sequence[Certificate]
) -> Iterator[list[Certificate]]:
    """The ways from the leaf to an anchor, which is the last in each."""
    pinned = {each.der for each in anchors}
    for at, each in enumerate(given):
        if each.der in pinned:
            yield given[: at + 1]
            return
    issuer = _load(given[-1]).issuer
    # Several have one name where an authority has changed its key.
    yield from ([*given, each] for each in anchors if _load(each).subject == issuer)


def _verify_path(path: list[Certificate], at: int) -> None:
    for number, each in enumerate(path, start=1):
        if not each.not_before <= at <= each.not_after:
            raise CertificateError(
                f"certificate {number} of the chain is not valid at {at}, but from "
                f"{each.not_before} to {each.not_after}"
            )
    for below, each in enumerate(path[1:]):
        _check_authority(each, below)
    # From the anchor down: no key of a stranger is used before it is vouched for.
    for number, (issued, issuer) in reversed(list(enumerate(pairwise(path), start=1))):
        _check_issued(issued, issuer, number)


def _check_leaf(leaf: Certificate) -> None:
    if leaf.key is None:
        raise CertificateError(
            "the first certificate of the chain has a key for none of our algorithms"
        )
    read = _load(leaf)
    _check_critical(read, 1)
    usage = _usage(read)
    if usage and not usage.digital_signature:
        raise CertificateError("the leaf's key usage does not allow it to sign")


def _check_authority(authority: Certificate, below: int) -> None:
    """Return if it may issue certificates, with `below` authorities below it."""
    number, read = below + 2, _load(authority)
    _check_critical(read, number)
    allowed, usage = _constraints(read), _usage(read)
    if not allowed.ca or (usage and not usage.key_cert_sign):
        raise CertificateError(
            f"certificate {number} of the chain may not issue certificates"
        )
    if allowed.path_length is not None and below > allowed.path_length:
        raise CertificateError(
            f"certificate {number} of the chain allows {allowed.path_length} "
            f"authorities below it, and there are {below}"
        )


def _check_critical(read: x509.Certificate, number: int) -> None:
    for each in read.extensions:
        oid = each.oid.dotted_string
        if each.critical and each.oid not in _EVALUATED:
            raise CertificateError(
                f"certificate {number} of the chain has a critical extension that is "
                f"not evaluated here: {oid[:40]}"
            )
        if each.oid == x509.NameConstraints.oid:
            raise CertificateError(
                f"certificate {number} of the chain has name constraints, which are "
                "not evaluated here"
            )


def _check_issued(issued: Certificate, issuer: Certificate, number: int) -> None:
    read, above = _load(issued), _load(issuer)
    try:
        weak = _is_weak(read, above)
        if not weak:
            read.verify_directly_issued_by(above)
    except Exception:  # noqa: BLE001 - another name, an unknown algorithm, a bad signature
        raise CertificateError(
            f"certificate {number} of the chain was not issued by the next one"
        ) from None
    if weak:
        raise CertificateError(
            f"certificate {number} of the chain is signed with what is broken: SHA-1, "
            "or a key of too few bits"
        )


def _is_weak(issued: x509.Certificate, issuer: x509.Certificate) -> bool:
    used = issued.signature_hash_algorithm
    if used is not None and used.name not in _HASHES:
        return True
    match issuer.public_key():
        case rsa.RSAPublicKey(key_size=bits):
            return bits < 2048
        case ec.EllipticCurvePublicKey(key_size=bits):
            return bits < 256
    return False


def _load(certificate: Certificate) -> x509.Certificate:
    return _read(certificate.der)


@lru_cache(maxsize=128)
def _read(der: bytes) -> x509.Certificate:
    """To read one takes as long as to verify some signatures: anchors come again."""
    return x509.load_der_x509_certificate(der)


def _spki(read: x509.Certificate) -> bytes:
    """The key of any algorithm, or where nobody can read it what stands around it."""
    try:
        key = read.public_key()
    except UnsupportedAlgorithm:
        return read.tbs_certificate_bytes
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _key(read: x509.Certificate) -> PublicKey | None:
    try:
        key = read.public_key()
    except UnsupportedAlgorithm:
        return None
    if isinstance(key, ed25519.Ed25519PublicKey):
        return PublicKey(Algorithm.ED25519, key.public_bytes_raw())
    if isinstance(key, mldsa.MLDSA44PublicKey):
        return PublicKey(Algorithm.ML_DSA_44, key.public_bytes_raw())
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _CURVES:
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return PublicKey(_CURVES[key.curve.name], der)
    return None


def _names(read: x509.Certificate) -> tuple[str, ...]:
    try:
        listed = read.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return tuple(
        each.value
        for each in listed.value
        if type(each) in _NAMES and _NAMES[type(each)].fullmatch(each.value)
    )


def _constraints(read: x509.Certificate) -> x509.BasicConstraints:
    try:
        return read.extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return x509.BasicConstraints(ca=False, path_length=None)


def _usage(read: x509.Certificate) -> x509.KeyUsage | None:
    try:
        return read.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return None
