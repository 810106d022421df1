"""in-toto Statements, v1: about which artifacts what kind of thing is said.

A subject is meant by its digests alone. Its name is what its producer called it;
who matched by name would take any file that somebody named so. Members that are
not known here are passed over, as the framework asks.

Statements v0.1 are everywhere, and differ in nothing that is read here; `version`
says which it was.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from verifier.document import parse_object
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError

PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
VERSIONS: Final[Mapping[str, str]] = {
    "https://in-toto.io/Statement/v1": "v1",
    "https://in-toto.io/Statement/v0.1": "v0.1",
}
MAX_SUBJECTS: Final = 1_024
MAX_DIGESTS: Final = 16
MAX_TYPE: Final = 1_024

_PAYLOAD_TYPES: Final = re.compile(
    r"application/vnd\.in-toto(?:\.[A-Za-z0-9][A-Za-z0-9._-]*)?\+json"
)
_HEX: Final = re.compile(r"(?:[0-9a-f]{2})+")
# Without a colon, so that in sha256:2cf24d… nobody takes one part for another.
_ALGORITHM: Final = re.compile(r"[\x21-\x39\x3b-\x7e]{1,64}")
_VALUE: Final = re.compile(r"[\x21-\x7e]{1,512}")

DIGITS: Final[Mapping[str, tuple[int, ...]]] = {
    "md5": (32,),
    "sha1": (40,),
    "ripemd160": (40,),
    **dict.fromkeys(("sha224", "sha512_224", "sha3_224"), (56,)),
    **dict.fromkeys(("sha256", "sha512_256", "sha3_256", "blake3"), (64,)),
    **dict.fromkeys(("sm3", "gost", "dirHash", "dirHash1"), (64,)),
    **dict.fromkeys(("sha384", "sha3_384"), (96,)),
    **dict.fromkeys(("sha512", "sha3_512"), (128,)),
    **dict.fromkeys(("gitCommit", "gitTree", "gitBlob", "gitTag"), (40, 64)),
    # Of a length that their user chooses.
    **dict.fromkeys(("blake2b", "blake2s", "shake128", "shake256"), ()),
}
"""How many hex digits a digest has; any even number where none is given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """An artifact: its digests by algorithm, and what its producer calls it."""

    name: str | None
    digests: Mapping[str, str]

    @classmethod
    def of(cls, document: object, path: str) -> Self:
        """Read one that stands at `path` from a JSON value."""
        if type(document) is not dict:
            raise MalformedError(f"{path} is not an object")
        name = document.get("name")
        if name is not None and type(name) is not str:
            raise MalformedError(f"{path}.name is not text; leave it out, or name it")
        digests = document.get("digest")
        if type(digests) is not dict or not 1 <= len(digests) <= MAX_DIGESTS:
            raise MalformedError(
                f"{path}.digest is not an object of 1 to {MAX_DIGESTS} digests: what a "
                'statement is about is known by them alone; add a "sha256"'
            )
        for algorithm, value in digests.items():
            _check_digest(algorithm, value, f"{path}.digest")
        return cls(name=name or None, digests=digests)


@dataclass(frozen=True, slots=True, kw_only=True)
class InTotoStatement:
    """Subjects, and what is said of them.

        {
          "_type": "https://in-toto.io/Statement/v1",
          "subject": [{"name": "weights.bin", "digest": {"sha256": "2cf24d…"}}],
          "predicateType": "https://slsa.dev/provenance/v1",
          "predicate": {…}
        }

    `predicate` is None where there is none, or an empty one.
    """

    version: str
    subjects: tuple[Subject, ...]
    predicate_type: str
    predicate: Mapping[str, Any] | None

    @classmethod
    def parse(cls, payload: bytes) -> Self:
        """Read a statement, or raise MalformedError naming what is wrong with it."""
        document = parse_object(payload, "the statement", most=MAX_BODY_BYTES)
        version = document.get("_type")
        if type(version) is not str or version not in VERSIONS:
            raise MalformedError(
                f"the statement's _type is not {' or '.join(VERSIONS)}: it is no "
                "in-toto statement, or of a version that is not known here"
            )
        listed = document.get("subject")
        if type(listed) is not list or not 1 <= len(listed) <= MAX_SUBJECTS:
            raise MalformedError(
                "the statement's subject is not a list of 1 to "
                f"{MAX_SUBJECTS} artifacts"
            )
        kind = document.get("predicateType")
        if type(kind) is not str or not 1 <= len(kind) <= MAX_TYPE:
            raise MalformedError(
                "the statement's predicateType is not a URI of 1 to "
                f"{MAX_TYPE} characters"
            )
        predicate = document.get("predicate")
        if predicate is not None and type(predicate) is not dict:
            raise MalformedError("the statement's predicate is not an object")
        return cls(
            version=VERSIONS[version],
            subjects=tuple(
                Subject.of(each, f"the statement's subject[{number}]")
                for number, each in enumerate(listed)
            ),
            predicate_type=kind,
            predicate=predicate or None,
        )

    def subject_digests(self) -> tuple[str, ...]:
        """What the statement is about, such as sha256:2cf24d…, each once, in order."""
        return tuple(
            dict.fromkeys(
                f"{algorithm}:{value}"
                for subject in self.subjects
                for algorithm, value in subject.digests.items()
            )
        )


def is_in_toto(payload_type: str) -> bool:
    """Whether an envelope says that its payload is a statement, of whatever predicate.

    What follows `vnd.in-toto.` is a hint: the predicate's type is in the statement.
    """
    return _PAYLOAD_TYPES.fullmatch(payload_type) is not None


def _check_digest(algorithm: str, value: object, path: str) -> None:
    if not _ALGORITHM.fullmatch(algorithm):
        raise MalformedError(
            f"{path} has an algorithm whose name is not 1 to 64 visible ASCII "
            "characters without a colon"
        )
    if type(value) is not str or not _VALUE.fullmatch(value):
        raise MalformedError(
            f"{path}.{algorithm} is not text of 1 to 512 visible ASCII characters"
        )
    lengths = DIGITS.get(algorithm)
    if lengths is None:
        return  # another's algorithm: kept as it is, and equal only to itself
    if not _HEX.fullmatch(value) or (lengths and len(value) not in lengths):
        wanted = f"{' or '.join(map(str, lengths))} " if lengths else ""
        raise MalformedError(
            f"{path}.{algorithm} is not {wanted}hex digits in lower case: in another "
            "spelling nobody who looks for the artifact would find it"
        )
