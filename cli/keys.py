"""How a public key is shown."""

from __future__ import annotations

from typing import Any

from verifier.keys import KeyType, VerifierKey

_SIGNS = {
    KeyType.ED25519: "every checkpoint",
    KeyType.ML_DSA_COSIGNATURE: "every published checkpoint",
}


def key_words(key: VerifierKey) -> str:
    """A key in a line, for people."""
    algorithm = key.public_key.algorithm.name.lower()
    return f"{algorithm} {key.id.hex()} signs {_SIGNS[key.type]}"


def key_document(key: VerifierKey) -> dict[str, Any]:
    """A key as a JSON object."""
    return {
        "algorithm": key.public_key.algorithm.name.lower(),
        "id": key.id.hex(),
        "name": key.name,
        "signs": _SIGNS[key.type],
    }
