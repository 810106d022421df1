"""Signed notes, as c2sp.org/signed-note writes them.

The text is what is signed; the last empty line ends it. A signature counts only
if its name and its key id are those of a key that the caller configured. Lines
of unknown keys are ignored, and a line of a known key that does not verify
spoils the whole note: somebody put it there.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Self

from verifier.errors import MalformedError, SignatureError, UntrustedError
from verifier.keys import KeyType, VerifierKey, check_name, verify_signature
from verifier.spelling import base64_text, parse_base64

MAX_SIGNATURES: Final = 100
"""As in Go's note package; the specification asks for at least 16."""
MAX_BYTES: Final = 512 * 1024
"""Room for 100 lines of ML-DSA-44, which have 3.3 kB each, and a long text."""

_DASH: Final = "\u2014 "


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """A signature line: an em dash, the key's name, base64 of key id and signature."""

    name: str
    key_id: bytes
    signature: bytes

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a line without its newline."""
        name, space, encoded = line.removeprefix(_DASH).partition(" ")
        if not line.startswith(_DASH) or not space:
            raise MalformedError(
                "a signature line is not: em dash, space, name, space, base64"
            )
        check_name(name)
        blob = parse_base64(encoded, "a signature")
        if len(blob) < 5:
            raise MalformedError("a signature is shorter than a key id and one byte")
        return cls(name, blob[:4], blob[4:])

    def text(self) -> str:
        """Write the line, with its newline."""
        return f"{_DASH}{self.name} {base64_text(self.key_id + self.signature)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and the signatures under it.

        This is an example message.

        — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ON…

    Nothing of `text` may be believed before a signature has been verified.
    """

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a note, or raise MalformedError naming what is wrong with it."""
        if len(data) > MAX_BYTES:
            raise MalformedError(
                f"a note of {len(data)} bytes; at most {MAX_BYTES} are read"
            )
        try:
            whole = data.decode("utf-8")
        except UnicodeDecodeError:
            raise MalformedError("the note is not valid UTF-8") from None
        # Carriage return and tab are among them.
        if any(each < " " and each != "\n" for each in whole):
            raise MalformedError("the note contains a control character")
        text, blank, lines = whole.rpartition("\n\n")
        if not blank:
            raise MalformedError(
                "no empty line divides the note's text from its signatures"
            )
        if not lines.endswith("\n"):
            raise MalformedError(
                "the note does not end with a signature line and a newline"
            )
        # Not splitlines(), which also splits at U+0085, U+2028 and others.
        parts = lines[:-1].split("\n")
        if len(parts) > MAX_SIGNATURES:
            raise MalformedError(f"the note has more than {MAX_SIGNATURES} signatures")
        return cls(text + "\n", tuple(NoteSignature.parse(line) for line in parts))

    def encode(self) -> bytes:
        """Write the note."""
        return (
            self.text + "\n" + "".join(each.text() for each in self.signatures)
        ).encode()

    def of_known(
        self, keys: Iterable[VerifierKey]
    ) -> Iterator[tuple[VerifierKey, bytes]]:
        """The signatures that say they are by one of `keys`, the first of each key."""
        known: dict[tuple[str, bytes], list[VerifierKey]] = {}
        for key in keys:
            known.setdefault((key.name, key.id), []).append(key)
        for each in self.signatures:
            match known.pop((each.name, each.key_id), []):
                case []:
                    continue
                case [key]:
                    yield key, each.signature
                case _:
                    raise UntrustedError(
                        f"two configured keys are {each.name}+{each.key_id.hex()}; "
                        "configure the one that is meant"
                    )


def verify_text(key: VerifierKey, text: str, signature: bytes) -> None:
    """Return if `key` signed `text` itself, as types 0x01 and 0x02 do."""
    if key.type not in (KeyType.ED25519, KeyType.ECDSA):
        raise SignatureError(
            f"{key.name} makes cosignatures, which are of checkpoints only"
        )
    try:
        verify_signature(key.public_key, text.encode(), signature)
    except SignatureError:
        raise SignatureError(f"the signature of {key.name} does not verify") from None


def verify_note(note: Note, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
    """The keys that signed `note`, of which there is at least one."""
    signers = []
    for key, signature in note.of_known(keys):
        verify_text(key, note.text, signature)
        signers.append(key)
    if not signers:
        raise UntrustedError("none of the configured keys has signed this note")
    return signers
