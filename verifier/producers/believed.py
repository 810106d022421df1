"""Whom an auditor believes about statements: keys, certificates, or a log's register.

They come from files of his own, like the policy, and never from the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from verifier.errors import MalformedError
from verifier.pem import parse_keys
from verifier.policy import Policy
from verifier.producers import Producer, Producers
from verifier.producers.credential import Credential
from verifier.producers.register import MAX_BYTES as MAX_REGISTER_BYTES
from verifier.producers.register import Register, verify_register

MAX_BYTES: Final = MAX_REGISTER_BYTES


def believed_producers(
    files: Mapping[str, bytes],
    policy: Policy,
    *,
    threshold: int = 1,
    kind: str = "auto",
) -> Producers:
    """Those in `files`, by their names: a register of the log, or keys of one producer.

    Of keys that were given, in however many files, `threshold` have to sign. `kind` is
    that of the log, where the caller knows it.
    """
    registers = {
        name: data for name, data in files.items() if data.lstrip().startswith(b"{")
    }
    if registers:
        if len(files) > 1 or threshold != 1:
            raise MalformedError(
                "a register says itself who has which keys, and how many have to sign; "
                "give it alone"
            )
        (data,) = registers.values()
        return verify_register(Register.parse(data), policy, kind)
    found: dict[str, Credential] = {}
    for name, data in files.items():
        for each in parse_keys(data):
            credential = replace(Credential.of(each), file=name)
            found.setdefault(credential.id, credential)
    if not 1 <= threshold <= len(found):
        raise MalformedError(
            f"{threshold} keys have to sign, of {len(found)} that are given"
        )
    names = ", ".join(files)
    credentials = tuple(found.values())
    return Producers(
        [Producer(name=names, credentials=credentials, threshold=threshold)]
    )
