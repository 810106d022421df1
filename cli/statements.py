"""Statements from what is in files: what somebody asked for, and what that makes."""

from __future__ import annotations

from hashlib import file_digest
from mimetypes import MimeTypes
from pathlib import Path
from typing import Final, NamedTuple

import click

from ledger.errors import Refused
from ledger.keys.attesting import add_signature, make_dsse, make_intoto
from ledger.keys.making import LEGACY, Maker, algorithm_of, make_cose
from verifier.certificate import Certificate
from verifier.entry import MAX_BODY_BYTES
from verifier.errors import MalformedError
from verifier.pem import MAX_BYTES as MAX_CHAIN_BYTES
from verifier.pem import parse_keys
from verifier.record import MEDIA_TYPE, parse_record, parse_record_json
from verifier.statement.envelope import Envelope
from verifier.statement.intoto import PAYLOAD_TYPE

_UNKNOWN: Final = "application/octet-stream"
_RECORD_JSON: Final = "application/vnd.provlog.record+json"


class Wish(NamedTuple):
    """What is to be in a statement, beside the file."""

    content_type: str | None
    issuer: str | None
    subject: str | None
    chain: Path | None
    digest: bool
    location: str | None
    legacy_algorithm: bool
    predicate_type: str | None
    predicate: Path | None


class Made(NamedTuple):
    """A statement; what form it has, of which type its payload is, who has signed."""

    data: bytes
    form: str
    type: str
    signatures: int


_OF_COSE: Final = frozenset(
    {"issuer", "subject", "chain", "digest", "location", "legacy_algorithm"}
)
_OF_DSSE: Final = frozenset({"predicate_type", "predicate"})


def check_wish(wish: Wish, *, dsse: bool, add: bool) -> None:
    """Return if everything that was asked for can stand together."""
    given = {
        name for name, value in wish._asdict().items() if value not in (None, False)
    }
    if add and (given or dsse):
        raise click.UsageError("--add signs what is in FILE, and nothing else with it")
    other, whose = (_OF_COSE, "a COSE_Sign1") if dsse else (_OF_DSSE, "--dsse")
    if wrong := sorted(given & other):
        raise click.UsageError(f"--{wrong[0].replace('_', '-')} is for {whose}")
    if given >= {"predicate_type", "content_type"}:
        raise click.UsageError("--content-type is for FILE itself, not for a statement")
    if len(given & _OF_DSSE) == 1:
        raise click.UsageError("--predicate-type and --predicate are given together")
    if given >= {"location"} and not wish.digest:
        raise click.UsageError("--location is for --digest")


def statement(maker: Maker, file: Path, wish: Wish) -> Made:
    """A COSE_Sign1 of the file, or of its digest."""
    number = algorithm_of(maker.public)
    if wish.legacy_algorithm:
        if number not in LEGACY:
            says = f"--legacy-algorithm: {maker.public.algorithm} has no other name"
            raise click.UsageError(says)
        number = LEGACY[number]
    data = _digest(file) if wish.digest else _content(file, "sign its digest: --digest")
    type_ = wish.content_type or _type(file, b"" if wish.digest else data)
    made = make_cose(
        maker,
        data,
        content_type=type_,
        issuer=wish.issuer,
        subject=wish.subject,
        chain=_chain(wish.chain),
        hash_envelope=wish.digest,
        location=wish.location,
        algorithm=number,
    )
    return Made(made, "COSE_Sign1", type_, 1)


def envelope(maker: Maker, file: Path, wish: Wish) -> Made:
    """A DSSE envelope around the file, or around an in-toto statement about it."""
    if wish.predicate_type is not None and wish.predicate is not None:
        # A name may have bytes that are no text.
        name = file.name.encode("utf-8", "backslashreplace").decode()
        predicate = _content(wish.predicate, "say less in it")
        data = make_intoto({name: _digest(file)}, wish.predicate_type, predicate)
        type_ = PAYLOAD_TYPE
    else:
        data = _content(file, "sign a statement about it: --predicate-type")
        type_ = wish.content_type or _type(file, data)
    return Made(make_dsse([maker], data, type_), "DSSE", type_, 1)


def signed_again(maker: Maker, file: Path) -> Made:
    """The envelope in the file, with one signature more."""
    data = add_signature(maker, _content(file, "it is no envelope"))
    made = Envelope.parse(data)
    return Made(data, "DSSE", made.payload_type, len(made.signatures))


def _content(file: Path, instead: str) -> bytes:
    """What is in the file; where that is too much, what may be done `instead`."""
    with open(file, "rb") as opened:
        data = opened.read(MAX_BODY_BYTES + 1)
    if len(data) > MAX_BODY_BYTES:
        raise Refused(
            "size",
            f"{file} has more than {MAX_BODY_BYTES} bytes, and no log takes that; "
            f"{instead}",
        )
    return data


def _digest(file: Path) -> bytes:
    with open(file, "rb") as opened:
        return file_digest(opened, "sha256").digest()


def _type(file: Path, data: bytes) -> str:
    """What the file is: a record, if it has the form of one, else by its name."""
    for type_, parse in ((MEDIA_TYPE, parse_record), (_RECORD_JSON, parse_record_json)):
        try:
            parse(data)
        except MalformedError:
            continue
        return type_
    # Python's own table: that of a machine would have another one sign another type.
    known, encoding = MimeTypes().guess_type(file.name)
    return _UNKNOWN if known is None or encoding else known


def _chain(file: Path | None) -> list[bytes]:
    if file is None:
        return []
    with open(file, "rb") as opened:
        data = opened.read(MAX_CHAIN_BYTES + 1)
    try:
        found = parse_keys(data)
    except MalformedError as error:
        raise Refused("chain", f"{file}: {error}") from None
    chain = [each.der for each in found if isinstance(each, Certificate)]
    if len(chain) != len(found):
        raise Refused("chain", f"{file} has a key in it, and not only certificates")
    return chain
