"""Model signatures: the files of a model, each with its digest, as OMS v1.0 lists them.

OpenSSF Model Signing has one subject, the model, whose SHA-256 is that of the digests
in the list, one after the other. A verifier of the model need not compute it, for the
list itself is signed; a log is asked for the subject's digest, so it is computed
here, and a subject that belongs to another list is told.
"""

from __future__ import annotations

import re
from hashlib import sha256
from typing import Final

from verifier.errors import MalformedError
from verifier.statement.intoto import InTotoStatement
from verifier.statement.summary import Part, Summary, clip

PREDICATE_TYPE: Final = "https://model_signing/signature/v1.0"
SPEC: Final = "OpenSSF Model Signing v1.0"
METHODS: Final = ("files", "shards")
DIGITS: Final = {"sha256": 64, "blake2b": 128, "blake3": 64}
"""The hashes of its registry, and how many hex digits they have."""

_HEX: Final = re.compile(r"[0-9a-f]+")
# The last two numbers: a name may have colons of its own.
_SHARD: Final = re.compile(r"(.+):(0|[1-9][0-9]{0,18}):([1-9][0-9]{0,18})", re.DOTALL)


def summarise_model(statement: InTotoStatement) -> Summary:
    """What a model signature says: how many files, hashed how, and whose list it is."""
    if statement.version != "v1":
        raise MalformedError(
            f"{SPEC} has in-toto statements v1, and this one is {statement.version}; "
            "sign the model again with a newer signer"
        )
    name, root = _subject(statement)
    whole = Part(spec=SPEC, path="predicate", members=statement.predicate or {})
    method, algorithm, symlinks = _serialization(whole.part("serialization"))
    listed = whole.parts("resources")
    digests = [_digest(each, method, algorithm) for each in listed]
    _check_order(whole, [each.members["name"] for each in listed])
    agrees = sha256(b"".join(digests)).hexdigest() == root
    return Summary.of(
        "model-signing",
        f"signature of model {clip(name)}: {len(listed)} {method} by {algorithm}; "
        f"its digest is {'' if agrees else 'NOT '}that of their list",
        predicate_type=statement.predicate_type,
        model=name,
        method=method,
        hash_type=algorithm,
        resources=len(listed),
        allow_symlinks=symlinks,
        root_agrees=agrees,
    )


def _subject(statement: InTotoStatement) -> tuple[str, str]:
    if len(statement.subjects) != 1:
        raise MalformedError(
            f"{SPEC} has one subject, the model, and this statement has "
            f"{len(statement.subjects)}; sign each model by itself"
        )
    subject = statement.subjects[0]
    root = subject.digests.get("sha256")
    if root is None or subject.name is None:
        raise MalformedError(
            "the statement's subject[0] has no name or no digest.sha256, by which "
            f"{SPEC} knows a model; sign it again with a signer that gives both"
        )
    return subject.name, root


def _serialization(part: Part) -> tuple[str, str, bool]:
    method = part.choice("method", METHODS)
    algorithm = part.choice("hash_type", tuple(DIGITS))
    symlinks: bool = part.need("allow_symlinks", bool)
    size = part.may("shard_size", int)
    if (method == "shards") != (size is not None) or (size is not None and size < 1):
        part.refuse(
            "shard_size",
            "is a positive integer where the method is shards, and nowhere else",
        )
    part.texts("ignore_paths")
    return method, algorithm, symlinks


def _digest(resource: Part, method: str, algorithm: str) -> bytes:
    """The digest of a file, or of a shard of one, if it is listed as it has to be."""
    name = resource.need("name", str)
    if method == "shards":
        shard = _SHARD.fullmatch(name)
        if not shard or int(shard[2]) >= int(shard[3]):
            resource.refuse("name", "is not PATH:START:END, as that of a shard is")
        name = shard[1]
    # Whoever unpacks a model by this list must not be led out of its folder.
    if any(step in ("", ".", "..") for step in name.split("/")):
        resource.refuse("name", "is not a path below the model, without . and ..")
    if resource.need("algorithm", str) != algorithm:
        resource.refuse("algorithm", "is not the hash_type of the serialization")
    digest = resource.need("digest", str)
    if not _HEX.fullmatch(digest) or len(digest) != DIGITS[algorithm]:
        wanted = f"{DIGITS[algorithm]} hex digits in lower case"
        resource.refuse("digest", f"is not {wanted}, as {algorithm} has")
    return bytes.fromhex(digest)


def _check_order(whole: Part, names: list[str]) -> None:
    """Return if each name stands once, and after those that sort before it."""
    for at in range(1, len(names)):
        # Python compares text by code points, as the specification asks.
        if names[at - 1] >= names[at]:
            whole.refuse(
                f"resources[{at}].name",
                "does not sort after the one before it: in another order the model "
                "would have another digest, and a file that stands twice has two",
            )
