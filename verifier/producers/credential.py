"""A key of a producer, or the certificate that stands for several, and how long.

In the log's own entries a credential is a map:

    {"algorithm": "ed25519", "key": h'…'}            a key
    {"certificate": h'…'}                            an X.509 certificate: of an
                                                     authority, or the signer's own
    {…, "from": 1790000000000, "until": …}           and from when, until when
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final, Self

from verifier.certificate import Certificate
from verifier.cosekey import thumbprint
from verifier.document import check_members
from verifier.entry import MAX_AT
from verifier.errors import MalformedError, ProducerError
from verifier.keys import Algorithm, PublicKey
from verifier.pem import key_id, spki
from verifier.report import time_text

ALGORITHMS: Final[Mapping[str, Algorithm]] = {
    "ed25519": Algorithm.ED25519,
    "ml-dsa-44": Algorithm.ML_DSA_44,
    "ecdsa-p256": Algorithm.ECDSA_P256,
}
"""What a producer's own key may be; below a certificate there may be others."""
_ID_DIGITS: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A key, or a certificate, and how long it may be believed.

    `added` and `revoked` are the indexes of the entries that say so, where there are
    any; `rotations` those of entries that brought the end nearer, each with what it was
    before. Times are milliseconds since 1970. `file` is where an auditor has it
    from, who brings it.
    """

    id: str
    key: PublicKey | None
    certificate: Certificate | None
    added: int | None = None
    revoked: int | None = None
    rotations: tuple[tuple[int, int | None], ...] = ()
    reason: str = ""
    from_ms: int | None = None
    until_ms: int | None = None
    file: str | None = None

    @classmethod
    def of(cls, found: PublicKey | Certificate) -> Self:
        """That of a key or a certificate, for as long as nobody ends it."""
        if isinstance(found, Certificate):
            return cls.of_certificate(found)
        return cls.of_key(found)

    @classmethod
    def of_key(cls, key: PublicKey) -> Self:
        """That of a key, in whichever way its signatures are written."""
        if key.algorithm is Algorithm.ECDSA_P256_RAW:
            key = PublicKey(Algorithm.ECDSA_P256, key.raw)
        return cls(id=key_id(key), key=key, certificate=None)

    @classmethod
    def of_certificate(cls, certificate: Certificate) -> Self:
        """That of a certificate, by whose hash it is known."""
        id_ = sha256(certificate.der).hexdigest()[:_ID_DIGITS]
        return cls(id=id_, key=None, certificate=certificate)

    @classmethod
    def parse(cls, document: object) -> Self:
        """Read what an own entry says, or raise MalformedError."""
        if not isinstance(document, dict):
            raise MalformedError("a producer's key is no map")
        what = "a producer's key"
        check_members(
            document,
            frozenset({"algorithm", "key", "certificate", "from", "until"}),
            what,
        )
        match document:
            case {"certificate": bytes() as der} if "key" not in document:
                found = cls.of_certificate(Certificate.parse(der))
            case {"algorithm": str() as name, "key": bytes() as raw} if (
                "certificate" not in document and name in ALGORITHMS
            ):
                found = cls.of_key(PublicKey(ALGORITHMS[name], raw))
            case _:
                known = ", ".join(ALGORITHMS)
                raise MalformedError(f"{what} is a certificate, or one of {known}")
        from_ms = _time(document.get("from"), "from")
        until_ms = _time(document.get("until"), "until")
        if from_ms is not None and until_ms is not None and from_ms >= until_ms:
            # It would be good at no time, and never could be registered again.
            raise MalformedError(
                f"{what} is to be good from {time_text(from_ms // 1000)} until "
                f"{time_text(until_ms // 1000)}, which is not later; give a later "
                "until, or an earlier from"
            )
        return replace(found, from_ms=from_ms, until_ms=until_ms)

    def document(self) -> dict[str, Any]:
        """What an own entry says of it."""
        members: dict[str, Any] = {}
        if self.certificate is not None:
            members["certificate"] = self.certificate.der
        else:
            assert self.key is not None  # noqa: S101 - it is one of the two
            name = next(n for n, a in ALGORITHMS.items() if a is self.key.algorithm)
            members |= {"algorithm": name, "key": self.key.raw}
        if self.from_ms is not None:
            members["from"] = self.from_ms
        if self.until_ms is not None:
            members["until"] = self.until_ms
        return members

    @property
    def names(self) -> tuple[bytes, ...]:
        """By what a statement may name it: what we write, and RFC 9679's thumbprint.

        A certificate is named by its key as well, for that is what has signed.
        """
        key = self.certificate.key if self.certificate else self.key
        ids = {self.id} if key is None else {self.id, key_id(key)}
        names = [form for x in ids for form in (x.encode(), bytes.fromhex(x))]
        return (*names, thumbprint(key)) if key else tuple(names)

    @property
    def held(self) -> bytes:
        """The key that was registered with it, as DER: of a certificate its own.

        Of any algorithm: an authority's may be one by which no statement is signed.
        """
        if self.certificate is not None:
            return self.certificate.spki
        assert self.key is not None  # noqa: S101 - it is one of the two
        return spki(self.key)

    @property
    def since(self) -> int:
        """At which entry it was registered; -1 if an auditor brought it."""
        return -1 if self.added is None else self.added

    @property
    def text(self) -> str:
        """What it is, for a person."""
        if self.certificate is not None:
            return f"certificate {self.id} of {self.certificate.subject or 'no name'}"
        assert self.key is not None  # noqa: S101 - it is one of the two
        return f"{self.key.algorithm} key {self.id}"

    @property
    def story(self) -> str:
        """What it is, and from when to when it is good, for a person."""
        words = [self.text]
        if self.added is not None:
            words.append(f"registered at entry {self.added}")
        for word, ms in (("from", self.from_ms), ("until", self.until_ms)):
            if ms is not None:
                words.append(f"good {word} {time_text(ms // 1000)}")
        if self.revoked is not None:
            why = f": {self.reason}" if self.reason else ""
            words.append(f"revoked at entry {self.revoked}{why}")
        return ", ".join(words)

    def ended(self, index: int, reason: str) -> Self:
        """The same, revoked by the entry at `index`; what has ended stays so."""
        if self.revoked is not None:
            return self
        return replace(self, revoked=index, reason=reason)

    def until(self, until_ms: int, index: int) -> Self:
        """The same, good no longer than that, as the entry at `index` says."""
        if self.until_ms is not None and self.until_ms <= until_ms:
            return self
        rotations = (*self.rotations, (index, self.until_ms))
        return replace(self, until_ms=until_ms, rotations=rotations)

    def _until_at(self, index: int | None) -> int | None:
        """Until when it was good, for all that the entry at `index` could know."""
        for rotated, until_ms in self.rotations:
            # What was logged before a rotation, that one had no say in.
            if index is not None and index < rotated:
                return until_ms
        return self.until_ms

    def check(self, *, index: int | None, at_ms: int | None) -> None:
        """Return if it was good for what stands at `index`, logged at that time.

        None where it is not known: an index is then taken to be behind all that are,
        and a key that is good for some time only is not good.
        """
        if self.revoked is not None and (index is None or index > self.revoked):
            why = f": {self.reason}" if self.reason else ""
            says = f"{self.text} was revoked at entry {self.revoked}{why}"
            if index is None:
                says += (
                    "; nothing here proves that this was logged before: take the bundle"
                )
            raise ProducerError(says)
        until_ms = self._until_at(index)
        if at_ms is None:
            if self.from_ms is None and until_ms is None:
                return
            raise ProducerError(
                f"{self.text} is good for some time only, and nobody says when "
                "this was logged"
            )
        if self.from_ms is not None and at_ms < self.from_ms:
            raise ProducerError(
                f"{self.text} is good from {time_text(self.from_ms // 1000)} on"
            )
        if until_ms is not None and at_ms >= until_ms:
            raise ProducerError(
                f"{self.text} was good until {time_text(until_ms // 1000)}"
            )


def _time(value: object, name: str) -> int | None:
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= MAX_AT:
        raise MalformedError(f"{name} of a producer's key is no time in milliseconds")
    return value
