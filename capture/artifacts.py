"""What goes in and comes out, by its digest: bytes, texts, files, messages.

A digest says which bytes they were to whoever has them, and nothing to others, unless
they can guess: what few could have said, such as a name or an amount, is not hidden
by its digest.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import re
from collections.abc import Mapping, Sequence
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Final

from capture.whole import odd_in
from verifier.spelling import digest_text

Artifact = dict[str, Any]
_MADE: Final = "what of_text, of_bytes, of_file or of_messages returns"
_TRACEPARENT: Final = re.compile(
    r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}"
)


def of_bytes(
    data: bytes, role: str = "", name: str = "", media_type: str = ""
) -> Artifact:
    """These bytes, by their digest."""
    return _artifact(sha256(data).digest(), len(data), role, name, media_type)


def of_text(text: str, role: str = "", name: str = "") -> Artifact:
    """A text, by the digest of its UTF-8."""
    return of_bytes(text.encode(), role, name, "text/plain")


def of_file(path: str | os.PathLike[str], role: str = "") -> Artifact:
    """A file, by the digest of its bytes, under its own name."""
    with Path(path).open("rb") as file:
        digest = file_digest(file, "sha256").digest()
        return _artifact(digest, file.tell(), role, Path(path).name, "")


def of_messages(
    messages: Sequence[Mapping[str, Any]], role: str = "messages"
) -> Artifact:
    """Messages to or from a model, by the digest of their one JSON.

    That is UTF-8 with sorted names and without spaces. Numbers with a fraction have no
    one spelling: TypeError says where one is.
    """
    for odd in odd_in(list(messages), "messages", lists=(list, tuple)):
        raise TypeError(odd)
    text = json.dumps(
        list(messages), sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return of_bytes(text.encode(), role, "", "application/json")


def artifacts_in(given: Any, what: str) -> list[Artifact]:
    """The artifacts; a text, or one alone, would be taken apart."""
    if isinstance(given, str | bytes | Mapping):
        raise TypeError(f"{what} is a list of {_MADE}, and not {called(given)}")
    for each in given:
        if not isinstance(each, Mapping):
            raise TypeError(f"{what} has {_MADE} in it, and not {called(each)}")
    return list(given)


def digest_in(given: Any, what: str) -> str | None:
    """The digest of an artifact: what has none would be left out without a word."""
    if given is None:
        return None
    digest = given.get("digest") if isinstance(given, Mapping) else None
    if not isinstance(digest, str):
        raise TypeError(f"{what} is {_MADE}, and not {called(given)}")
    return digest


def called(given: object) -> str:
    """What it is, in a sentence."""
    if isinstance(given, Mapping):
        return "another mapping"
    return type(given).__name__


def environment() -> dict[str, Any]:
    """What this program runs in: system, Python, and the digest of its packages."""
    packages = sorted(
        f"{each.metadata['Name']}=={each.version}".lower()
        for each in importlib.metadata.distributions()
    )
    found: dict[str, Any] = {
        "os": platform.platform()[:256],
        "runtime": f"python {platform.python_version()}",
        "packages_digest": digest_text(sha256("\n".join(packages).encode()).digest()),
    }
    whole = json.dumps(found, sort_keys=True, separators=(",", ":")).encode()
    return {"digest": digest_text(sha256(whole).digest()), **found}


def trace_of(traceparent: str) -> dict[str, str]:
    """The trace of a W3C `traceparent` header; ValueError if it is none."""
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        raise ValueError("a traceparent is 00-TRACE-SPAN-FLAGS in lower case hex")
    return {"trace_id": found[1], "span_id": found[2]}


def _artifact(
    digest: bytes, size: int, role: str, name: str, media_type: str
) -> Artifact:
    said = {"role": role, "name": name, "media_type": media_type}
    return {
        **{member: value for member, value in said.items() if value},
        "digest": digest_text(digest),
        "size": size,
    }
