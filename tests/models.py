"""What a signature of a model is about: its files, as OpenSSF Model Signing has it."""

from hashlib import sha256

MODEL = "https://model_signing/signature/v1.0"


def files(*names: str) -> list[dict[str, str]]:
    return [
        {
            "name": each,
            "digest": sha256(each.encode()).hexdigest(),
            "algorithm": "sha256",
        }
        for each in names
    ]


def root(resources: list[dict[str, str]]) -> str:
    """The digest of a model, by its definition."""
    return sha256(b"".join(bytes.fromhex(e["digest"]) for e in resources)).hexdigest()


RESOURCES = files("a/config.json", "a/weights.bin", "a:b", "ä")
