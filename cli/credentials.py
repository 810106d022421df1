"""The keys of producers: read from what a person names, and said again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from cli import voice
from ledger.errors import Refused
from verifier.cosekey import thumbprint
from verifier.errors import MalformedError
from verifier.pem import MAX_BYTES, parse_keys
from verifier.producers import Producer
from verifier.producers.credential import Credential


def read_credentials(
    files: Iterable[str], *, from_ms: int | None = None, until_ms: int | None = None
) -> list[Credential]:
    """The public keys and certificates in `files`, each good for that time."""
    found = []
    for name in files:
        with open(name, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        try:
            found += [Credential.of(each) for each in parse_keys(data)]
        except MalformedError as error:
            raise Refused("keys", f"{name}: {error}") from None
    return [replace(each, from_ms=from_ms, until_ms=until_ms) for each in found]


def credential_documents(keys: Sequence[Credential]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "id": each.id,
            "algorithm": each.key.algorithm if each.key else None,
            "thumbprint": thumbprint(each.key).hex() if each.key else None,
            "certificate": each.certificate.subject if each.certificate else None,
            "registered": each.added,
            "from_ms": each.from_ms,
            "until_ms": each.until_ms,
            "revoked": each.revoked,
            "reason": each.reason,
        }
        for each in keys
    ]


def say_keys(keys: Sequence[Credential]) -> None:
    """Show each key in a line."""
    for each in keys:
        voice.fact("key", each.story)


def say_producer(each: Producer) -> None:
    """Show a producer, and every key that it has had."""
    voice.fact("producer", each.name)
    for issuer in each.issuers:
        voice.fact("issuer", issuer)
    if each.threshold > 1:
        voice.fact("threshold", f"{each.threshold} of its keys have to sign")
    say_keys(each.credentials)


def producer_document(each: Producer) -> dict[str, Any]:
    """The same for programs."""
    return {
        "producer": each.name,
        "issuers": [*each.issuers],
        "threshold": each.threshold,
        "keys": credential_documents(each.credentials),
    }
