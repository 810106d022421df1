"""How the keys of a witness are said: to people, to programs, and to policies."""

from __future__ import annotations

from typing import Any

from cli import voice
from ledger.keys.witnesskeys import Cosigning
from verifier.keys import KeyType, VerifierKey


def say_keys(signing: Cosigning) -> None:
    """Who it is, and by which keys."""
    voice.fact("witness", signing.name)
    for key in signing.verifier_keys():
        voice.fact("key", words(key))


def words(key: VerifierKey) -> str:
    """A key in few words, which tell it from the others."""
    return f"{key.public_key.algorithm} {key.id.hex()}"


def document_of(signing: Cosigning) -> dict[str, Any]:
    """The same, whole, for programs."""
    keys = [
        {
            "algorithm": str(key.public_key.algorithm),
            "id": key.id.hex(),
            "vkey": key.text(),
        }
        for key in signing.verifier_keys()
    ]
    return {"name": signing.name, "keys": keys}


def policy_line(key: VerifierKey, url: str | None) -> str:
    """The line that makes a policy believe it; names in a policy differ."""
    more = "/ml-dsa" if key.type is KeyType.ML_DSA_COSIGNATURE else ""
    return " ".join(["witness", key.name + more, key.text(), *([url] if url else [])])
