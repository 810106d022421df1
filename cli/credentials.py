"""The keys of producers: read from what a person names, and said again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ledger.errors import Refused
from ledger.keys.registry import credential_of
from verifier.errors import MalformedError
from verifier.pem import MAX_BYTES, parse_keys
from verifier.producers.credential import Credential
from verifier.report import time_text


def read_credentials(
    files: Iterable[str], *, from_ms: int | None = None, until_ms: int | None = None
) -> list[Credential]:
    """The public keys and certificates in `files`, each good for that time."""
    found = []
    for name in files:
        with open(name, "rb") as file:
            data = file.read(MAX_BYTES + 1)
        try:
            found += [credential_of(each) for each in parse_keys(data)]
        except MalformedError as error:
            raise Refused("keys", f"{name}: {error}") from None
    return [replace(each, from_ms=from_ms, until_ms=until_ms) for each in found]


def credential_words(key: Credential) -> str:
    """What a key is, and from when to when it is good."""
    words = [key.text]
    if key.added is not None:
        words.append(f"registered at entry {key.added}")
    for word, ms in (("from", key.from_ms), ("until", key.until_ms)):
        if ms is not None:
            words.append(f"good {word} {time_text(ms // 1000)}")
    if key.revoked is not None:
        why = f": {key.reason}" if key.reason else ""
        words.append(f"revoked at entry {key.revoked}{why}")
    return ", ".join(words)


def credential_documents(keys: Sequence[Credential]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "id": each.id,
            "algorithm": each.key.algorithm if each.key else None,
            "certificate": each.certificate.subject if each.certificate else None,
            "registered": each.added,
            "from_ms": each.from_ms,
            "until_ms": each.until_ms,
            "revoked": each.revoked,
            "reason": each.reason,
        }
        for each in keys
    ]
